"""Anomalies: what an autoencoder of normal rows gives back badly is suspect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..data import Table, stratified_split
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Settings
from ..function import no_grad
from ..metrics import average_precision, confusion_matrix, pr_auc, roc_auc
from ..random import Generator
from ..tensor import Tensor
from .reconstructing import own_loss

SHARED, ALL = "", "all_frauds_"


class Labelled(NamedTuple):
    """Rows x (N, D), and y (N,): 1 for an anomaly."""

    x: np.ndarray
    y: np.ndarray


class Rows(NamedTuple):
    """train (N, D): normal rows alone. tests: by protocol."""

    train: np.ndarray
    tests: dict[str, Labelled]


@dataclass(frozen=True)
class Anomalies:
    """A table of normal rows (y = 0) and anomalies (1), split at random by the training seed, so
    that a recipe of ten seeds is the mean over ten splits.

    The normal rows of the training part alone train, and every column is standardised by them: by
    nothing of the test part. held: the share of either class in the test part. `without`: columns
    that are left out. Two protocols, of the same training: anomalies of the test part alone, so
    that their share is that of the table; and as the book has it, all of the table in the test
    part, which makes them more frequent and every precision larger ("all_frauds_...").

    The score is "average_precision" of the mean squared error of a row; beside it "auroc" and
    "pr_auc" (trapezoids, as the book has it), and at the threshold that a share `alarms` of the
    training rows pass, "recall" and "precision".
    """

    held: float = 0.2
    without: tuple[str, ...] = ("Time",)
    alarms: float = 0.03

    score: ClassVar[str] = "average_precision"
    lower_is_better: ClassVar[bool] = False
    split_by_seed: ClassVar[bool] = True
    shares: ClassVar[tuple[str, ...]] = tuple(
        protocol + name
        for protocol in (SHARED, ALL)
        for name in ("average_precision", "auroc", "pr_auc", "recall", "precision")
    )

    def load(self, recipe: Card, settings: Settings) -> Table:
        return load_dataset(recipe.dataset).drop(*self.without)

    def divided(self, table: Table, seed: int, dtype: str) -> Rows:
        kept, held = stratified_split(table.y, self.held, Generator(seed))
        normal = kept[table.y[kept] == 0]
        mean, deviation = table.x[normal].mean(axis=0), table.x[normal].std(axis=0)
        x = ((table.x - mean) / np.where(deviation > 0, deviation, 1)).astype(dtype)
        more = np.concatenate([held, kept[table.y[kept] == 1]])
        tests = {p: Labelled(x[rows], table.y[rows]) for p, rows in ((SHARED, held), (ALL, more))}
        return Rows(np.ascontiguousarray(x[normal]), tests)

    def loss(self, model: Any, x: Tensor, rng: Generator) -> Tensor:
        return own_loss(model, x, rng)

    def measure(self, model: Any, data: Rows) -> dict[str, float]:
        return judged(lambda x: errors(model, x), data, self.alarms)

    def split(self, data: Rows) -> str:
        shares = "; ".join(
            f"{'its own' if p == SHARED else 'all'} frauds: {len(t.y):,} rows, "
            f"{100 * t.y.mean():.1f} % frauds"
            for p, t in data.tests.items()
        )
        return f"split by seed, {len(data.train):,} normal rows train; test part with {shares}"

    def stored(self) -> dict[str, Any]:
        return {"held": self.held, "without": list(self.without), "alarms": self.alarms}

    def draw(self, model: Any, data: Rows, folder: Path) -> None:
        """roc.png, precision_recall.png, thresholds.png and confusion.png of the first protocol."""
        from ..viz import plot_confusion, plot_precision_recall, plot_roc, plot_thresholds

        x, y = data.tests[SHARED]
        own = errors(model, x)
        scores = {"autoencoder": own, "norm": norm(x), "15 components": beyond(data.train, 15)(x)}
        plot_roc(y, scores, folder / "roc.png")
        plot_precision_recall(y, scores, folder / "precision_recall.png")
        limit = float(np.quantile(errors(model, data.train), 1 - self.alarms))
        plot_thresholds(y, own, folder / "thresholds.png", limit)
        matrix = confusion_matrix(y, (own > limit).astype(np.int64), 2)
        plot_confusion(matrix, folder / "confusion.png", ("normal", "fraud"))


def errors(model: Any, x: np.ndarray) -> np.ndarray:
    """The mean squared error of every row, (N,)."""
    with no_grad():
        return model.errors(Tensor(x, backend=model.backend)).numpy()


def norm(x: np.ndarray) -> np.ndarray:
    """The mean square of every standardised row, (N,): how far it is from the mean row."""
    return np.mean(np.square(x, dtype=np.float64), axis=1)


def beyond(train: np.ndarray, count: int) -> Any:
    """A function of rows: the mean square of what the first `count` principal components of the
    training rows leave of each, (N,): the error of the best linear autoencoder."""
    mean = train.mean(axis=0, dtype=np.float64)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:count]

    def left(x: np.ndarray) -> np.ndarray:
        centred = x - mean
        return norm(centred - centred @ axes.T @ axes)

    return left


def judged(score: Any, data: Rows, alarms: float) -> dict[str, float]:
    """Every measure of score(x) -> (N,), in both protocols."""
    limit = np.quantile(score(data.train), 1 - alarms)
    found: dict[str, float] = {}
    for protocol, (x, y) in data.tests.items():
        values = score(x)
        above = values > limit
        hits = int(y[above].sum())
        named = {
            "average_precision": average_precision(y, values),
            "auroc": roc_auc(y, values),
            "pr_auc": pr_auc(y, values),
            "recall": hits / y.sum(),
            "precision": hits / max(1, int(above.sum())),
        }
        found |= {protocol + name: float(value) for name, value in named.items()}
    return found
