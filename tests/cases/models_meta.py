"""Rows of what learns to learn: the whole outer loss, through the inner steps."""

import numpy as np

from cases.models import ModelCase
from tinydl import Generator
from tinydl.models import MAML, LearnedOptimizer, Reptile
from tinydl.models.meta.tasks import network


def sines(rng, n):
    """Points to learn from and others, of n tasks."""
    a, b = rng.uniform(0.5, 2, (n, 1, 1)), rng.uniform(0, 3, (n, 1, 1))
    x, x2 = rng.uniform(-2, 2, (2, n, 6, 1))
    return x, a * np.sin(x + b), x2, a * np.sin(x2 + b)


def few(rng, n):
    return sines(rng, n)[:2]


META = [
    ModelCase(
        name="MAML", small=lambda: MAML((1, 12, 1), rate=0.1, steps=2), batch=sines,
        loss=lambda model, *points: model.loss(*points), full=MAML, parameters=1_761,
        overfit=0.6, steps=300,
        outputs=lambda model, x: network(x, model.weights),
    ),
    ModelCase(  # one step: gradients that later steps see are taken as given, not differentiated
        name="LearnedOptimizer", small=lambda: LearnedOptimizer((1, 6, 1), 8, scale=0.3, steps=1),
        batch=few, loss=lambda model, x, y: 3 + model.loss(x, y, Generator(5)),
        full=LearnedOptimizer, parameters=1_861, overfit=0.97, steps=150,
        outputs=lambda model, x: model.learn(x, x, 2),
    ),
]  # fmt: skip
#: Without a loss: the update is no gradient of one.
OUTER = [("Reptile", Reptile, 1_761)]
