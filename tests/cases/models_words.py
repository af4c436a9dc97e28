"""Rows of the vectors of words."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import CBOW, GloVe, SkipGram

V = 7


def pairs(rng, n):
    words = np.arange(n) % V
    return words, (words + 1) % V, np.array([0, 3, 5])


def around(rng, n):
    words = np.arange(n) % V
    both = np.stack([(words + 1) % V, np.where(words % 2, -1, (words + 2) % V)], axis=1)
    return both, words, np.array([0, 3, 5])


def counted(rng, n):
    words = np.arange(n) % V
    return words, (words + 2) % V, rng.uniform(1, 150, n)


def stirred(model):
    """u away from zeros, which would leave v without a gradient."""
    values = np.random.default_rng(0).normal(0, 0.3, model.other.weight.shape)
    model.other.weight.assign(values.astype(np.float32))
    return model


def row(kind, batch, parameters, small, outputs, inputs=1, **others):
    return ModelCase(
        name=kind.__name__,
        small=small,
        batch=batch,
        loss=lambda model, *arrays: model.loss(*arrays),
        full=kind,
        parameters=parameters,
        inputs=inputs,
        outputs=outputs,
        steps=200,
        lr=0.05,
        **others,
    )


WORDS = [
    row(
        SkipGram, pairs, 1_280_000, lambda: stirred(SkipGram(V, 4)), lambda m, x: m(x), overfit=0.6
    ),
    row(CBOW, around, 1_280_000, lambda: stirred(CBOW(V, 4)), lambda m, x: m(x), overfit=0.6),
    row(GloVe, counted, 1_300_000, lambda: GloVe(V, 4), lambda m, a, b: m(a, b), 2),
]
