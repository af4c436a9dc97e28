"""Rows of the capsule network, its whole loss with the decoder, and of what it stands beside."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import CapsNet, TwoConvolutions
from tinydl.nn import cross_entropy

PICTURE, CLASSES = (9, 9, 1), 3


def small():
    return CapsNet(
        PICTURE, CLASSES, filters=(6, 8), kernels=(3, 3), primary=4, pose=5, hidden=(12,)
    )


def digits(rng, n):
    """A bar in each, its place the class, under noise."""
    x, y = 0.1 * rng.random((n, *PICTURE)), np.arange(n) % CLASSES
    for picture, k in zip(x, y, strict=True):
        picture[3 * k + 1, 1:8] = 1.0
    return x, y


CAPSULES = [
    ModelCase(
        name="CapsNet",
        small=small,
        batch=digits,
        loss=lambda model, x, y: model.loss(x, y),
        full=CapsNet,
        parameters=8_215_568,
        steps=150,
        overfit=0.15,
    ),
    ModelCase(
        name="TwoConvolutions",
        small=lambda: TwoConvolutions(PICTURE, CLASSES, (6, 8), (3, 3), hidden=10),
        batch=digits,
        loss=lambda model, x, y: cross_entropy(model(x), y),
        full=TwoConvolutions,
        parameters=267_668,
    ),
]
