"""What generated pictures and codes stand beside: nothing here has learnt to make them."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

import numpy as np

from .. import random
from ..metrics import clustering_accuracy, mutual_information_gap
from ..models.information.k_means import k_means as lloyd
from ..programs.judge import class_gaussians
from ..programs.translators import away
from ..random import Generator

STEPS = 30  # of k-means


def noise_pictures(training: Any, part: str) -> dict[str, float]:
    """Every pixel even on [0, 1)."""
    beside = training.beside
    return beside.of(beside.noise, _asked(training))


def mean_of_each_class(training: Any, part: str) -> dict[str, float]:
    """The training part's mean picture of the class, again and again."""
    x, y = training.plain
    wanted = _wanted(training)
    means = np.stack([x[y == c].mean(axis=0) for c in range(wanted.max() + 1)])
    return training.beside.scores(means[wanted].astype(x.dtype), _asked(training))


def gaussian_of_each_class(training: Any, part: str) -> dict[str, float]:
    """Draws from a Gaussian on the first 30 principal components of the training part's pictures of
    the class, clipped to [0, 1]."""
    wanted = _wanted(training)
    x, y = training.plain
    drawn = class_gaussians(x, y, wanted, Generator(0))
    return training.beside.scores(drawn, _asked(training))


def mixed_pixels(training: Any, part: str) -> dict[str, float]:
    """Training pictures whose every pixel comes from another one: each right by itself."""
    x, beside, rng = training.plain[0], training.beside, Generator(0)
    real = x[rng.permutation(len(x))[: len(beside)]]
    rows = real.reshape(len(real), -1)
    order = rng.integers(0, len(real), rows.shape)
    mixed = np.take_along_axis(rows, order, axis=0).reshape(real.shape)
    return beside.scores(mixed)


def k_means(training: Any, part: str) -> dict[str, float]:
    """Real pictures in ten clusters about ten of them, 30 steps of k-means: how far the clusters
    are the classes, as `clustering_accuracy` says."""
    beside = training.beside
    rows, labels = beside.first.rows.astype(np.float64), beside.labels
    classes = int(labels.max()) + 1
    centres = rows[Generator(0).permutation(len(rows))[:classes]]
    near = lloyd(rows, centres, STEPS)[1]
    return {"code_agreement": clustering_accuracy(labels, near, classes)}


def independent_bits(training: Any, part: str) -> dict[str, float]:
    """Each pixel by itself is 1 with its training part's mean m = (sum + 1) / (N + 2): log P(x) in
    nats, exactly."""
    x, program = training.test[0], training.program
    pictures = program.bits(training.parts.train[0], None) if program.fixed else training.plain[0]
    mean = (pictures.sum(axis=0, dtype=np.float64) + 1) / (len(pictures) + 2)
    each = x * np.log(mean) + (1 - x) * np.log1p(-mean)
    return {"elbo": float(each.sum(axis=(1, 2, 3)).mean())}


def components_as_code(training: Any, part: str) -> dict[str, float]:
    """As many principal components of the pictures as the code has numbers."""
    x, factors = training.test
    rows = x.reshape(len(x), -1).astype(np.float64)
    rows = rows - rows.mean(axis=0)
    vectors = np.linalg.eigh(np.cov(rows.T))[1][:, -training.model.latent :]
    return {"mig": mutual_information_gap(rows @ vectors, factors)}


def untrained_encoder(training: Any, part: str) -> dict[str, float]:
    """The codes of the same network before it has learnt anything."""
    x, factors = training.test

    def drawn() -> Any:
        random.seed(0)
        return training.program.build()

    model = copy_context().run(drawn).to(training.model.backend)
    model.astype(training.settings.dtype)
    return {"mig": mutual_information_gap(training.codes(model, x), factors)}


def untranslated(training: Any, part: str) -> dict[str, float]:
    """The picture itself, as the judge takes it."""
    x, y = training.kinds.test
    found = {"agreement": training.agreement(x)}
    return {**found, "l1": away(x, y)} if training.kinds.paired else found


def uncut(training: Any, part: str) -> dict[str, float]:
    """The whole picture with its margins, made as small and thresholded: nothing is cut to its
    ink."""
    return {"agreement": training.agreement(training.kinds.whole)}


def any_of_the_kind(training: Any, part: str) -> dict[str, float]:
    """Real test pictures of the second kind, in any order."""
    labels, named = training.kinds.labels[0], training.kinds.named(training.kinds.test[1])
    order = Generator(0).integers(0, len(named), len(labels))
    return {"agreement": float((named[order] == labels).mean())}


def _wanted(training: Any) -> np.ndarray:
    """The classes in turn, one for every real picture beside it."""
    return np.arange(len(training.beside)) % (int(training.beside.labels.max()) + 1)


def _asked(training: Any) -> np.ndarray | None:
    """The same where the program asks for classes."""
    return _wanted(training) if training.asks else None
