"""A problem small enough to train in milliseconds."""

import numpy as np
import pytest

import tinydl
from tinydl.data import Batches, blobs
from tinydl.nn import Dropout, Linear, ReLU, Sequential
from tinydl.optim import Adam
from tinydl.random import Generator
from tinydl.train import History, State

CLASSES, FEATURES = 3, 6


class Problem:
    """Data, model, optimizer and batches from one seed, as a recipe's session makes them."""

    def __init__(self, n=50, batch_size=16, seed=0, backend="cpu", dropout=0.2, **options):
        samples = blobs(n, CLASSES, Generator(7), features=FEATURES, separation=1.0)
        self.x, self.y = samples.x, samples.y
        generator = tinydl.seed(seed)
        with tinydl.use_backend(backend):
            self.model = Sequential(
                Linear(FEATURES, 8, **options), ReLU(), Dropout(dropout), Linear(8, CLASSES)
            )
        self.optimizer = Adam(self.model.named_parameters(), lr=0.01)
        self.batches = Batches((self.x, self.y), batch_size, rng=generator.spawn())
        self.state = State(self.model, self.optimizer, self.batches, History(), 0)

    def fit(self, epochs, **options):
        from tinydl.nn import cross_entropy
        from tinydl.train import fit

        state = self.state
        return fit(
            self.model, self.batches, cross_entropy, self.optimizer, epochs,
            metrics=("accuracy",), progress=False, start_epoch=state.epoch, history=state.history,
            **options,
        )  # fmt: skip


@pytest.fixture
def problem():
    return Problem


def same_tensors(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.fixture
def equal():
    """Bitwise equality of two dictionaries of arrays."""
    return same_tensors
