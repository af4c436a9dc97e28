"""Rows of the recurrent networks."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import (
    Forecaster,
    LSTMGenerator,
    RowRNN,
    SentimentLSTM,
    Speller,
    StockGRU,
    Tagger,
    VanillaGenerator,
)
from tinydl.nn import bce_with_logits, cross_entropy, mse


def of_words(words, length, classes):
    """n rows of words with a class at every step; the last places of every second row are pads,
    class 0."""

    def batch(rng, n):
        x, y = rng.integers(1, words, (n, length)), rng.integers(0, classes, (n, length))
        x[::2, length - 2 :] = y[::2, length - 2 :] = 0
        return x, y

    return batch


def opinions(rng, n):
    return rng.integers(0, 9, (n, 6)), (np.arange(n) % 2)[:, None].astype(np.float64)


RECURRENT = [
    ModelCase(
        name="RowRNN",
        small=lambda: RowRNN(5, 8, 3, 0.0),
        batch=lambda rng, n: (rng.normal(size=(n, 4, 5)), rng.permutation(n) % 3),
        loss=lambda model, x, t: cross_entropy(model(x), t),
        full=RowRNN,
        parameters=75_530,
        lr=0.02,
    ),
    ModelCase(
        name="Speller",
        small=lambda: Speller(5, 16, 4, 3),
        batch=lambda rng, n: (rng.normal(size=(n, 5)), rng.integers(0, 3, (n, 4))),
        loss=lambda model, x, t: cross_entropy(model(x), t),
        full=Speller,
        parameters=50_902,
        lr=0.05,
        steps=150,
    ),
    ModelCase(
        name="Tagger",
        small=lambda: Tagger(9, 3, 8, 20),
        batch=of_words(9, 5, 3),
        loss=lambda model, x, t: cross_entropy(model(x), t, ignore_index=0),
        full=lambda: Tagger(56, 9),
        parameters=14_025,
        lr=0.05,
        steps=150,
    ),
    ModelCase(
        name="Forecaster",
        small=lambda: Forecaster(3, 2, 10),
        batch=lambda rng, n: (rng.normal(size=(n, 4, 2)), rng.normal(size=(n, 3, 2))),
        loss=lambda model, x, t: mse(model(x), t),
        full=Forecaster,
        parameters=14_737,
        lr=0.02,
        steps=200,
    ),
    ModelCase(
        name="SentimentLSTM",
        small=lambda: SentimentLSTM(9, 5, 6, 0.0),
        batch=opinions,
        loss=lambda model, x, t: bce_with_logits(model(x), t),
        full=SentimentLSTM,
        parameters=903_425,
        lr=0.05,
        steps=150,
    ),
    ModelCase(
        name="StockGRU",
        small=lambda: StockGRU(1, 8),
        batch=lambda rng, n: (rng.normal(size=(n, 5, 1)), rng.normal(size=(n, 1))),
        loss=lambda model, x, t: mse(model(x), t),
        full=StockGRU,
        parameters=198_401,
        lr=0.05,
        steps=300,
    ),
    *[
        ModelCase(
            name=kind.__name__,
            small=lambda kind=kind: kind(6, 16, 2, 0.0),
            batch=lambda rng, n: (rng.integers(0, 6, (n, 5)), rng.integers(0, 6, (n, 5))),
            loss=lambda model, x, t: cross_entropy(model(x), t),
            full=kind,
            parameters=parameters,
            lr=0.02,
            steps=300,
            overfit=0.3,
        )
        for kind, parameters in ((VanillaGenerator, 2_012_857), (LSTMGenerator, 7_914_457))
    ],
]
