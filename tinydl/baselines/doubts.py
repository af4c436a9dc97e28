"""Doubt without a distribution over weights: the entropy of one answer, by the same measures."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import numpy as np

from .. import random
from ..data import Batches
from ..function import no_grad
from ..models import DropoutMLP
from ..models.bayesian.predictive import entropy
from ..optim import Adam
from ..programs.uncertain import AT_ONCE, judged, told_apart
from ..random import Generator
from ..tensor import Tensor
from .labels import labelled, logistic, softmax


def one_mean_a_class(training: Any, part: str) -> dict[str, float]:
    """The class whose mean m is nearest, with probabilities softmax(x.m - |m|^2 / 2): what
    Gaussians of variance 1 about the means say."""
    x, y = labelled(training, "train")
    means = np.stack([x[y == k].mean(axis=0, dtype=np.float64) for k in range(y.max() + 1)])
    away = -0.5 * (means**2).sum(axis=1)
    return doubted(training, part, lambda rows: rows @ means.T + away)


def one_logistic_regression(training: Any, part: str) -> dict[str, float]:
    """Logistic regression, one network without a hidden layer."""
    return doubted(training, part, logistic(*labelled(training, "train")))


def one_settled_network(training: Any, part: str) -> dict[str, float]:
    """One network of the same layers without dropping or spread, trained as long by the same Adam,
    without its penalty."""
    program, (x, y) = training.program, training.parts.train

    def drawn() -> DropoutMLP:
        random.seed(0)
        return DropoutMLP(program.architecture["sizes"], rate=0.0)

    model = copy_context().run(drawn).to(training.model.backend)
    model.astype(training.settings.dtype)
    optimizer, nothing = Adam(model.named_parameters(), program.lr), Generator(0)
    batches = Batches((x, y), program.batch_size, rng=Generator(1))
    for _ in range(training.recipe.epochs):
        for batch in batches:
            given, wanted = (Tensor(array, backend=model.backend) for array in batch)
            loss = model.loss(given, wanted, nothing, len(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def logits(rows: np.ndarray) -> np.ndarray:
        with no_grad():
            some = range(0, len(rows), AT_ONCE)
            return np.concatenate([model(rows[n : n + AT_ONCE]).numpy() for n in some])

    return doubted(training, part, logits)


def doubted(
    training: Any, part: str, scores: Callable[[np.ndarray], np.ndarray]
) -> dict[str, float]:
    """What `programs.uncertain` measures, of one network with these logits."""

    def said(rows: np.ndarray) -> np.ndarray:
        return softmax(scores(rows).astype(np.float64))

    x, y = labelled(training, part)
    here, looked = said(x), training.program.looked
    found = judged(y, here)
    found["sample_accuracy"] = found["accuracy"]
    for name, pictures in training.seen.outside.items():
        there = said(pictures.reshape(len(pictures), -1))
        found[f"ood_{name}"] = told_apart(entropy(here[:looked]), entropy(there))
    return found
