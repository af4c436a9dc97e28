"""Rows of the Llama and the GPT: seven tokens, two of them asked for at random places."""

from cases.models import ModelCase
from tinydl import Generator
from tinydl.models import GPT, Llama
from tinydl.nn import cross_entropy


def small():
    return Llama(7, 8, 12, 2, 4, 2, rng=Generator(3))


def texts(rng, n):
    tokens = rng.integers(0, 7, (n, 6))
    return tokens[:, :-1], tokens[:, 1:]


def loss(model, tokens, targets):
    logits = model(tokens)
    return cross_entropy(logits.reshape(-1, 7), targets.reshape(-1))


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
]
