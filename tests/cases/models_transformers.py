"""Rows of transformers: of texts of seven tokens, and of small pictures."""

import numpy as np

from cases.models import ModelCase
from tinydl import Generator, Tensor
from tinydl.models import BERT, GPT, Llama, VisionTransformer
from tinydl.nn import bce_with_logits, cross_entropy


def small():
    return Llama(7, 8, 12, 2, 4, 2, rng=Generator(3))


def texts(rng, n):
    tokens = rng.integers(0, 7, (n, 6))
    return tokens[:, :-1], tokens[:, 1:]


def loss(model, tokens, targets):
    logits = model(tokens)
    return cross_entropy(logits.reshape(-1, 7), targets.reshape(-1))


def pictures(rng, n):
    return rng.normal(size=(n, 6, 6, 3)), rng.integers(0, 3, n)


def reviews(rng, n):
    """Six tokens, the first of them the class mark; two are asked for, one of those is hidden."""
    x = rng.integers(4, 11, (n, 6))
    told = x[:, [2, 4]].reshape(-1)
    x[:, 0], x[:, 2] = 1, 3
    return x, told, rng.integers(0, 2, (n, 1)).astype(float)


def both_losses(model, x, told, y):
    """Of the gaps, and of the labels."""
    places = (6 * np.arange(x.shape[0])[:, None] + [2, 4]).reshape(-1)
    gaps = cross_entropy(model.gaps(x, Tensor(places, backend=x.backend)), told)
    return gaps + bce_with_logits(model(x), y)


TRANSFORMERS = [
    ModelCase(
        name="Llama",
        small=small,
        batch=texts,
        loss=loss,
        full=Llama,
        parameters=260_032,
        steps=250,
        lr=0.03,
        overfit=0.3,
    ),
    ModelCase(
        name="GPT",
        small=lambda: GPT(7, 6, 2, 2, 8, rng=Generator(3)),
        batch=texts,
        loss=loss,
        full=GPT,
        parameters=809_984,
        steps=250,
        lr=0.03,
        overfit=0.3,
    ),
    ModelCase(
        name="VisionTransformer",
        small=lambda: VisionTransformer(6, 2, 3, 3, 8, 2, 2, 12),
        batch=pictures,
        loss=lambda model, x, y: cross_entropy(model(x), y),
        full=VisionTransformer,
        parameters=(16 * 3 + 1) * 96  # squares of 4 x 4 colours
        + (64 + 2) * 96  # the class row and positions
        + 5 * (4 * 96**2 + 2 * 96 * 384 + 9 * 96 + 384)
        + 2 * 96
        + (96 + 1) * 10,
        steps=150,
        lr=0.02,
    ),
    ModelCase(
        name="BERT",
        small=lambda: BERT(11, 8, 2, 2, 12, 6, dropout=0.0),
        batch=reviews,
        loss=both_losses,
        full=BERT,
        parameters=(5_000 + 160 + 2) * 128  # tokens, positions, norm
        + 2 * (4 * 128**2 + 2 * 128 * 512 + 9 * 128 + 512)
        + 128**2
        + 128  # the first row
        + 129
        + 128**2
        + 3 * 128
        + 5_000,  # gaps
        steps=150,
        lr=0.02,
    ),
]
