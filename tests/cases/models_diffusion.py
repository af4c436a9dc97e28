"""Rows of the diffusion: the whole loss, times and noise drawn from one fixed seed."""

import numpy as np

from cases.models import ModelCase
from tinydl import Generator
from tinydl.models import DDPM, NoiseUNet
from tinydl.nn import mse

SIDE, CLASSES, STEPS = 8, 3, 20
TINY = {"widths": (4, 8), "told_size": 8, "heads": 2}


def pictures(rng, n):
    """Pictures of -1 and 1: a bar each; times and classes."""
    x = -np.ones((n, SIDE, SIDE, 1))
    for i in range(n):
        x[i, i % SIDE] = 1
    return x[rng.permutation(n)], rng.integers(1, STEPS + 1, n), np.arange(n) % (CLASSES + 1)


def with_noise(rng, n):
    return (*pictures(rng, n), rng.normal(size=(n, SIDE, SIDE, 1)))


DIFFUSION = [
    ModelCase(
        name="NoiseUNet",
        small=lambda: NoiseUNet(1, CLASSES, **TINY),
        batch=with_noise,
        loss=lambda model, x, t, labels, noise: mse(model(x, t, labels), noise),
        full=NoiseUNet,
        parameters=308_490,
        inputs=3,
        overfit=0.3,
        steps=300,
    ),
    ModelCase(
        name="DDPM",
        small=lambda: DDPM((SIDE, SIDE, 1), CLASSES, **TINY, steps=STEPS),
        batch=pictures,
        loss=lambda model, x, t, labels: model.loss(x, labels % CLASSES, rng=Generator(5)),
        full=DDPM,
        parameters=308_490,
        inputs=3,
        overfit=0.3,
        steps=300,
    ),
]
