"""A measured value that is watched from epoch to epoch: which way is better, and which was best.

One notion for all that stop, keep or steer: `EarlyStopping`, `BestCheckpoint`, `ReduceOnPlateau`
(tinydl.train) and `Plateau`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import ConfigError

#: The last word, or words, of names whose values should fall, and of those that should rise.
FALLING = (
    "loss", "error", "mse", "mae", "rmse", "nll", "bce", "kl", "hinge", "huber", "cross_entropy",
    "error_rate", "edit_distance", "perplexity", "bits_per_character", "frechet_distance",
)  # fmt: skip
RISING = (
    "accuracy", "acc", "precision", "recall", "f1", "f1_score", "auc", "iou", "map", "bleu", "r2",
    "r2_score", "psnr", "ssim", "reward", "within", "exact_match",
    "mutual_information_gap",
)  # fmt: skip


def direction(rule: str, name: str, mode: str = "auto") -> str:
    """ "min" or "max": which values of the quantity called `name` are better.

    mode "auto" goes by the name's last words, with or without "val_" ("val_loss", "top5_accuracy",
    "mean_iou"). Raises ConfigError, with `rule` in front, for another mode, and where the name says
    nothing.
    """
    if mode not in ("auto", "min", "max"):
        raise ConfigError(f"{rule}: needs mode auto, min or max, got {mode!r}")
    if mode != "auto":
        return mode
    words = "_" + "".join(c if c.isalnum() else "_" for c in str(name).lower())
    falls = words.endswith(("loss", *("_" + known for known in FALLING)))
    rises = words.endswith(tuple("_" + known for known in RISING))
    if falls == rises:
        raise ConfigError(
            f"{rule}: cannot tell from its name whether {name!r} should fall or rise; say "
            'mode="min" or mode="max"'
        )
    return "min" if falls else "max"


def worst(mode: str) -> float:
    """What every number is better than."""
    return -math.inf if mode == "max" else math.inf


def better(value: float, best: float, mode: str, min_delta: float = 0.0) -> bool:
    """Whether `value` is better than `best` by more than min_delta; NaN never is."""
    return value > best + min_delta if mode == "max" else value < best - min_delta


class Best(NamedTuple):
    """The best of some values: which it is, counted from 1 (0: none), and how many came since."""

    place: int
    value: float
    since: int


def best_of(values: Iterable[float], mode: str, min_delta: float = 0.0) -> Best:
    """The last value that was better, by more than min_delta, than the best one before it."""
    place, best, count = 0, worst(mode), 0
    for count, value in enumerate(values, 1):
        if better(value, best, mode, min_delta):
            place, best = count, value
    return Best(place, best, count - place)
