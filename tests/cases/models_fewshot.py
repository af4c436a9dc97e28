"""Rows of the few-shot learners: an episode each, or a stream for the one with a memory."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import ConvSiamese, MatchingNet, MemoryNet, PrototypicalNet, SiameseNet

PICTURE, WAYS = (8, 8, 1), 3


def patterns(rng, *shape):
    """Of each class its own pattern, (3, *shape, 8, 8, 1), under noise."""
    plain = (np.random.default_rng(9).random((WAYS, *PICTURE)) > 0.5).astype(float)
    plain = plain.reshape(WAYS, *(1 for _ in shape), *PICTURE)
    return plain + 0.1 * rng.normal(size=(WAYS, *shape, *PICTURE))


def episode(rng, n):
    queries = patterns(rng, 2).reshape(-1, *PICTURE)
    return patterns(rng, 2), queries, np.repeat(np.arange(WAYS), 2)


def pairs(rng, n):
    both = patterns(rng, n)
    one, other = np.arange(n) % WAYS, np.arange(n) // 2 % WAYS
    return both[one, np.arange(n)], both[other, ::-1][np.arange(n), np.arange(n)], 1.0 * (
        one == other
    )  # fmt: skip


def streams(rng, n):
    labels = np.stack([rng.permutation(np.repeat(np.arange(WAYS), 2)) for _ in range(n)])
    both = patterns(rng, n, 6)
    return both[labels, np.arange(n)[:, None], np.arange(6)], labels


FEWSHOT = [
    ModelCase(
        name="PrototypicalNet",
        small=lambda: PrototypicalNet(PICTURE, 6, 3),
        batch=episode,
        loss=lambda model, *given: model.loss(*given),
        full=PrototypicalNet,
        parameters=111_936,
        inputs=2,
    ),
    ModelCase(
        name="MatchingNet",
        small=lambda: MatchingNet(PICTURE, 6, 3),
        batch=episode,
        loss=lambda model, *given: model.loss(*given),
        full=MatchingNet,
        parameters=111_936,
        inputs=2,
        steps=100,
    ),
    ModelCase(
        name="SiameseNet",
        small=lambda: SiameseNet(PICTURE, 4, 3, 10, dropout=(0.0, 0.0)),
        batch=pairs,
        loss=lambda model, *given: model.pair_loss(*given),
        full=SiameseNet,
        parameters=1_823_893,
        inputs=2,
        outputs=lambda model, a, b: model.judge(model.embed(a), model.embed(b)),
        steps=250,
    ),
    ModelCase(
        name="ConvSiamese",
        small=lambda: ConvSiamese(PICTURE, 4, 2),
        batch=pairs,
        loss=lambda model, *given: model.pair_loss(*given),
        full=ConvSiamese,
        parameters=112_001,
        inputs=2,
        outputs=lambda model, a, b: model.judge(model.embed(a), model.embed(b)),
        steps=250,
    ),
    ModelCase(
        name="MemoryNet",
        small=lambda: MemoryNet(PICTURE, WAYS, 6, 3, width=5, rows=8),
        batch=streams,
        loss=lambda model, *given: model.loss(*given),
        full=MemoryNet,
        parameters=29_976,
        inputs=2,
        steps=200,
        lr=0.02,
        overfit=0.5,  # the first sight of a class is a guess
    ),
]
