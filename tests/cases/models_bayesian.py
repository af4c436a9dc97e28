"""Rows of networks that doubt: the whole loss, weights and dropped units drawn from one seed."""

import numpy as np

from cases.models import ModelCase
from cases.models_classifiers import awake
from tinydl import Generator
from tinydl.models import BayesianMLP, BayesianSoftmax, DropoutMLP

D, CLASSES = 12, 3


def rows(rng, n):
    return rng.normal(size=(n, D)), np.arange(n) % CLASSES


def bound(model, x, labels):
    return model.loss(x, labels, Generator(5), of=20_000)


def row(full, parameters, small, **others):
    return ModelCase(
        name=full.__name__, small=small, batch=rows, loss=bound, full=full, parameters=parameters,
        steps=150, **others,
    )  # fmt: skip


BAYESIAN = [
    row(BayesianSoftmax, 15_700, lambda: BayesianSoftmax(D, CLASSES), overfit=0.3, lr=0.05),
    row(BayesianMLP, 398_420, lambda: BayesianMLP((D, 16, 8, CLASSES)), overfit=0.3),
    row(
        DropoutMLP, 199_210, lambda: awake(DropoutMLP((D, 16, 8, CLASSES), 0.25, 0.1)), overfit=0.3
    ),
]
