"""Rows of the feed-forward networks."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import (
    MLP,
    FirstDense,
    FlattenDense,
    LinearRegression,
    LogisticRegression,
    PolynomialRegression,
    SigmoidNeuron,
    SoftmaxRegression,
)
from tinydl.nn import bce, bce_with_logits, cross_entropy, mse


def labelled(shape, classes):
    def batch(rng, n):
        return rng.normal(size=(n, *shape)), (rng.permutation(n) % classes).astype(np.int64)

    return batch


def with_targets(features, make):
    """x normal, targets make(x)."""

    def batch(rng, n):
        x = rng.uniform(-1, 1, (n, features))
        return x, make(x)

    return batch


def reachable(shape):
    """Targets of 60 units that ReLU can reach."""

    def batch(rng, n):
        return rng.normal(size=(n, *shape)), np.abs(rng.normal(size=(n, 4)))

    return batch


FEEDFORWARD = [
    ModelCase(
        name="MLP",
        small=lambda: MLP((5, 8, 6, 3), "tanh", l2=1e-4),
        batch=labelled((5,), 3),
        loss=lambda model, x, t: cross_entropy(model(x), t) + model.penalty(),
        full=MLP,
        parameters=269_322,
        lr=0.05,
        steps=150,
    ),
    ModelCase(
        name="SoftmaxRegression",
        small=lambda: SoftmaxRegression(20, 3),
        batch=labelled((20,), 3),
        loss=lambda model, x, t: cross_entropy(model(x), t),
        full=SoftmaxRegression,
        parameters=7_850,
        lr=0.1,
    ),
    ModelCase(
        name="LinearRegression",
        small=lambda: LinearRegression(3, 2),
        batch=with_targets(3, lambda x: x @ np.array([[1.0, 2], [-1, 0], [0.5, 3]]) + [1.0, -1]),
        loss=lambda model, x, t: mse(model(x), t),
        full=LinearRegression,
        parameters=2,
        lr=0.1,
        steps=200,
    ),
    ModelCase(
        name="PolynomialRegression",
        small=lambda: PolynomialRegression(3),
        batch=with_targets(1, lambda x: x**3 - 2 * x + 0.5),
        loss=lambda model, x, t: mse(model(x), t),
        full=PolynomialRegression,
        parameters=4,
        lr=0.1,
        steps=300,
    ),
    ModelCase(
        name="LogisticRegression",
        small=lambda: LogisticRegression(3, "normal"),
        batch=with_targets(3, lambda x: (x[:, 0] > x[:, 1]).astype(np.float64)),
        loss=lambda model, x, t: bce_with_logits(model(x), t),
        full=lambda: LogisticRegression(30),
        parameters=31,
        lr=0.5,
        steps=200,
    ),
    ModelCase(
        name="SigmoidNeuron",
        small=SigmoidNeuron,
        batch=with_targets(2, lambda x: (x[:, 0] > x[:, 1]).astype(np.float64)),
        loss=lambda model, x, t: bce(model(x), t),
        full=SigmoidNeuron,
        parameters=3,
        lr=0.5,
        steps=200,
    ),
    ModelCase(
        name="FirstDense",
        small=FirstDense,
        batch=lambda rng, n: (rng.normal(size=(n, 8)), rng.normal(size=(n, 12))),
        loss=lambda model, x, t: mse(model(x), t),
        full=FirstDense,
        parameters=108,
        lr=0.2,
        steps=300,
    ),
    ModelCase(
        name="FlattenDense",
        small=lambda: FlattenDense((2, 3, 2), (12, 4)),
        batch=reachable((2, 3, 2)),
        loss=lambda model, x, t: mse(model(x), t),
        full=FlattenDense,
        parameters=313_360,
        steps=300,
        overfit=0.5,  # a unit of the last ReLU may be dead from the start
    ),
]
