"""Rows of networks that estimate or raise mutual information."""

import numpy as np

from cases.models import ModelCase
from tinydl import ops
from tinydl.models import IIC, MINE, SeparableMINE


def pairs(sizes):
    def draw(rng, n):
        shared = rng.normal(size=(n, 1))
        return tuple(shared + 0.3 * rng.normal(size=(n, size)) for size in sizes)

    return draw


def two_copies(rng, n):
    x = np.zeros((n, 8, 8, 1))
    for i in range(n):
        x[i, i % 8] = 1
        x[i, :, (i * 3) % 8] = 1
    return x, x + 0.05 * rng.normal(size=x.shape)


def raised(model, x, y):
    return 5 + model.loss(x, y)


def raised_by_all(model, x, y):
    both = [ops.mean(model.losses(x, y, more)) for more in (False, True)]
    return 5 + ops.sum(ops.stack(both))


INFORMATION = [
    ModelCase(
        name="MINE", small=lambda: MINE((2, 3), (12, 8)), batch=pairs((2, 3)), loss=raised,
        full=MINE, parameters=4_417, inputs=2, overfit=0.5, steps=150,
    ),
    ModelCase(
        name="SeparableMINE", small=lambda: SeparableMINE((2, 3), (12,), 6), batch=pairs((2, 3)),
        loss=raised, full=SeparableMINE, parameters=6_848, inputs=2, overfit=0.5, steps=150,
    ),
    ModelCase(
        name="IIC", small=lambda: IIC((8, 8, 1), (4, 8), clusters=4, more=8, heads=2),
        batch=two_copies, loss=raised_by_all, full=IIC, parameters=331_276, overfit=0.6, steps=150,
    ),
]  # fmt: skip
