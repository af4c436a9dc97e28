"""Rows of the models that write: teacher forcing on sentences of different lengths."""

import numpy as np

from cases.models import ModelCase
from cases.models_classifiers import awake
from tinydl.models import Captioner, ClipClassifier, EncoderDecoder, MemoryNetwork
from tinydl.models.sequence.attention_decoder import END, PAD
from tinydl.nn import cross_entropy


def sentences(rng, n, vocabulary, longest):
    """(n, longest + 1) words from END + 1 on, END, PAD; the first is the longest."""
    rows = np.full((n, longest + 1), PAD)
    for i, row in enumerate(rows):
        length = longest if i == 0 else int(rng.integers(1, longest + 1))
        row[:length] = rng.integers(END + 1, vocabulary, length)
        row[length] = END
    return rows


def told(rng, n):
    """Stories of four sentences and a question, of three words each; the first sentence is none."""
    x = rng.integers(1, 9, (n, 5, 3))
    x[:, 0] = 0
    return x


SEQUENCE = [
    ModelCase(
        name="EncoderDecoder",
        small=lambda: EncoderDecoder(9, 8, embedding=5, hidden=6),
        batch=lambda rng, n: (sentences(rng, n, 9, 4), sentences(rng, n, 8, 3)),
        loss=lambda model, x, y: model.loss(x, y),
        full=lambda: EncoderDecoder(64, 16, embedding=32, hidden=64),
        parameters=92_880,
        inputs=2,
        steps=200,
        lr=0.03,
    ),
    ModelCase(
        name="Captioner",
        small=lambda: awake(Captioner(8, widths=(4, 4, 5), embedding=5, hidden=6)),
        batch=lambda rng, n: (rng.uniform(0, 1, (n, 8, 8, 3)), sentences(rng, n, 8, 3)),
        loss=lambda model, x, y: model.loss(x, y),
        full=lambda: Captioner(16),
        parameters=44_256,
        inputs=2,
        steps=200,
        lr=0.03,
    ),
    ModelCase(
        name="MemoryNetwork",
        small=lambda: MemoryNetwork(9, 4, 5, width=6, hops=2),
        batch=lambda rng, n: (told(rng, n), np.arange(n) % 5),
        loss=lambda model, x, y: cross_entropy(model(x), y),
        full=lambda: MemoryNetwork(21, 10, 6),
        parameters=2_180,
        steps=200,
        lr=0.03,
    ),
    ModelCase(
        name="ClipClassifier",
        small=lambda: awake(ClipClassifier((8, 8, 1), 4, widths=(3, 4), hidden=5)),
        batch=lambda rng, n: (rng.uniform(0, 1, (n, 3, 8, 8, 1)), np.arange(n) % 4),
        loss=lambda model, x, y: cross_entropy(model(x), y),
        full=ClipClassifier,
        parameters=38_504,
        steps=200,
        lr=0.03,
    ),
]
