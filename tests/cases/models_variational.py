"""Rows of the variational autoencoders: the whole loss, its noise drawn from one fixed seed."""

import numpy as np

from cases.models import ModelCase
from cases.models_classifiers import awake
from tinydl import Generator
from tinydl.models import CVAE, VAE, ConvVAE

SIDE, CLASSES = 8, 3
PICTURE = (SIDE, SIDE, 1)


def pictures(rng, n):
    """Pictures of 0 and 1: a bar each, so that eight of them differ."""
    x = np.zeros((n, *PICTURE))
    for i in range(n):
        x[i, i % SIDE] = 1
        x[i, :, (i * 3) % SIDE] = 1
    return x[rng.permutation(n)]


def negative_bound(model, x, *given):
    return model.loss(x, *given, rng=Generator(5))


VARIATIONAL = [
    ModelCase(
        name="VAE",
        small=lambda: VAE(PICTURE, hidden=(20, 12), latent=3, beta=0.5),
        batch=lambda rng, n: (pictures(rng, n),),
        loss=negative_bound,
        full=VAE,
        parameters=815_824,
        overfit=0.2,
        steps=150,
    ),
    ModelCase(
        name="CVAE",
        small=lambda: CVAE(PICTURE, CLASSES, hidden=(20,), latent=2),
        batch=lambda rng, n: (pictures(rng, n), np.arange(n) % CLASSES),
        loss=negative_bound,
        full=CVAE,
        parameters=825_824,
        inputs=2,
        overfit=0.2,
        steps=150,
    ),
    ModelCase(
        name="ConvVAE",
        small=lambda: awake(ConvVAE(PICTURE, widths=(6, 8), hidden=16, latent=3)),
        batch=lambda rng, n: (pictures(rng, n),),
        loss=negative_bound,
        full=ConvVAE,
        parameters=134_165,
        overfit=0.25,
        steps=200,
    ),
]
