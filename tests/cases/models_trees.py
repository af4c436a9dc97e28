"""Rows of the recursive networks, and of the recurrent one with two clocks."""

import numpy as np

from cases.models import ModelCase
from tinydl import Generator
from tinydl.data import LOGIC_WORDS, logic_tree, pack_trees
from tinydl.models import FlatRNN, HierarchicalRNN, RecursiveNet, RecursiveTensorNet
from tinydl.nn import cross_entropy


def forest(seed, n):
    rng = Generator(seed)
    return pack_trees([logic_tree(2, rng) for _ in range(n)], LOGIC_WORDS)


def recursive(kind, parameters):
    """The arrays hold the number of trees; the trees are drawn by it."""
    return ModelCase(
        name=kind.__name__,
        small=lambda: kind(6, 4, 9),
        batch=lambda rng, n: (np.full(1, n),),
        loss=lambda model, n: model.loss(forest(3, n.shape[0])),
        full=kind,
        parameters=parameters,
        steps=250,
        lr=0.02,
        overfit=0.4,
        outputs=lambda model, *_: model(forest(3, 2)),
    )


def pixels(rng, n):
    x, y = rng.uniform(size=(n, 4, 5)), np.arange(n) % 3
    x[np.arange(n), y, 1] += 2
    return x, y


def recurrent(kind, small, parameters):
    return ModelCase(
        name=kind.__name__,
        small=small,
        batch=pixels,
        loss=lambda model, x, labels: cross_entropy(model(x), labels),
        full=kind,
        parameters=parameters,
        steps=150,
        lr=0.03,
        overfit=0.3,
    )


TREES = [
    recursive(RecursiveNet, 777),
    recursive(RecursiveTensorNet, 17_161),
    recurrent(HierarchicalRNN, lambda: HierarchicalRNN(6, 7, 3), 13_002),
    recurrent(FlatRNN, lambda: FlatRNN(9, 3), 13_100),
]
