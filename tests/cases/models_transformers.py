"""Rows of transformers: of texts of seven tokens, and of small pictures."""

from cases.models import ModelCase
from tinydl import Generator
from tinydl.models import GPT, Llama, VisionTransformer
from tinydl.nn import cross_entropy


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
]
