"""Rows of the networks that hear."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import CTCLabeller, KeywordCNN, WaveNet
from tinydl.nn import cross_entropy


def spectra(rng, n):
    """n spectra of 32 steps and 32 bands with the labels 0, 1, 2, 0, ..."""
    return rng.normal(size=(n, 32, 32, 1)), (rng.permutation(n) % 3).astype(np.int64)


def tracks(rng, n):
    """n sequences of 9 steps, the last of some absent, that spell two of three labels."""
    x, steps = rng.normal(size=(n, 9, 3)), 7 + np.arange(n) % 3
    labels = np.stack([np.arange(n) % 3, (np.arange(n) // 3) % 3], axis=1)
    x[:, 1] = 3 * np.eye(3)[labels[:, 0]]
    x[:, 5] = 3 * np.eye(3)[labels[:, 1]]
    return x, steps, labels, np.full(n, 2)


def labelled(model, x, steps, labels, counts):
    return model.loss(x, *(t.numpy() for t in (steps, labels, counts)))


SOUND = [
    ModelCase(
        name="CTCLabeller",
        small=lambda: CTCLabeller(3, 5, 3, 2),
        batch=tracks,
        loss=labelled,
        full=CTCLabeller,
        parameters=76_715,
        steps=150,
        lr=0.03,
    ),
    ModelCase(
        name="WaveNet",
        small=lambda: WaveNet(9, 6, 5, (1, 2, 4)),
        batch=lambda rng, n: ((np.arange(12) * (1 + np.arange(n)[:, None])) % 9,),
        loss=lambda model, x: model.loss(x, 2),
        full=WaveNet,
        parameters=100_576,
        steps=200,
        lr=0.02,
    ),
    ModelCase(
        name="KeywordCNN",
        small=lambda: KeywordCNN((4, 6, 8), 3, dropout=0.0),
        batch=spectra,
        loss=lambda model, x, labels: cross_entropy(model(x), labels),
        full=KeywordCNN,
        parameters=33_658,
    ),
]
