"""Forecasting: tomorrow's price from the last days, judged in prices and in returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..data import scaled_windows
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Settings
from ..train import predict
from .parts import Parts
from .supervised import Supervised, SupervisedTraining

PERSISTENCE = "persistence"  # the baseline that says: tomorrow is today


class Series:
    """Windows of a series of prices (N,), as `scaled_windows` cuts them: `parts`, and `last`, by
    part, the price that each window ends with."""

    def __init__(self, prices: np.ndarray, window: int, held: float, most: tuple[int, ...]) -> None:
        x, y, last = scaled_windows(prices, window)
        cut = len(x) - max(1, round(held * len(x)))
        ends = (cut, len(x)) if not most else (min(cut, most[0]), min(len(x), cut + most[1]))
        train, test = slice(ends[0]), slice(cut, ends[1])
        self.parts = Parts((x[train], y[train]), None, (x[test], y[test]), ())
        self.last = {"train": last[train], "test": last[test]}


@dataclass(frozen=True)
class Forecasting(Supervised):
    """A `Supervised` on a series of prices: from `window` of them, as multiples of the last one,
    the next one, as multiple of the same. The last `held` share of the windows is the test part.

    Measures, of a part: "rmse" (the score), "mae" and "r2" in prices; "r2_returns", of y - 1, what
    there was to foretell: 1 - sum (y - told)^2 / sum (y - mean)^2.
    """

    window: int = 10
    held: float = 0.1
    scale: float | None = None
    score: str = "rmse"

    kind: ClassVar[str] = "forecasting"
    what: ClassVar[str] = "a forecaster of prices"
    abilities: ClassVar[frozenset[str]] = frozenset()
    lower_is_better: ClassVar[bool] = True

    def load(self, recipe: Card, settings: Settings) -> Any:
        prices = np.asarray(load_dataset(recipe.dataset), np.float64)
        return Series(prices, self.window, self.held, recipe.samples)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> ForecastingTraining:
        series = self.load(recipe, settings) if data is None else data
        return ForecastingTraining(recipe, settings, series)

    def is_share(self, measure: str) -> bool:
        return False

    def conclusion(
        self, metrics: Mapping[str, float], found: Mapping[str, Mapping[str, float]]
    ) -> str:
        """What the figures say of the forecast, beside the price of the day before."""
        if PERSISTENCE not in found:
            return ""
        own, plain = metrics["rmse"], found[PERSISTENCE]["rmse"]
        better = "better" if own < plain else "not better"
        share = f"{100 * abs(own / plain - 1):.1f} % {'less' if own < plain else 'more'} error"
        told = metrics["r2_returns"]
        explained = f"{100 * told:.1f} %" if told > 0 else "nothing"
        return (
            f"{better} than the price of the day before ({share}), whatever R2 {metrics['r2']:.4f} "
            f"on prices looks like; of the returns it explains {explained}"
        )


class ForecastingTraining(SupervisedTraining):
    """As every supervised one, on windows of a series."""

    def __init__(self, recipe: Card, settings: Settings, series: Series) -> None:
        self.series, self.window, self.held = series, recipe.program.window, recipe.program.held
        super().__init__(recipe, settings, cast(series.parts, settings.dtype))

    def measure(self, part: str = "test") -> dict[str, float]:
        x, _ = self._part(part)
        return self.scores(predict(self.model, x), part)

    def scores(self, told: np.ndarray, part: str) -> dict[str, float]:
        """Every measure of forecasts (N, 1), as multiples of each window's last price."""
        if part not in self.series.last:
            raise ConfigError(f"evaluate: {self.recipe.name} holds out no {part} part")
        y = self._part(part)[1][:, 0].astype(np.float64)
        last, told = self.series.last[part], told[:, 0].astype(np.float64)
        wrong = (told - y) * last
        return {
            "rmse": float(np.sqrt((wrong**2).mean())),
            "mae": float(np.abs(wrong).mean()),
            "r2": r2(y * last, told * last),
            "r2_returns": r2(y, told),
        }

    def split(self) -> str:
        return f"windows of {self.window} days; the last {100 * self.held:g} % of them are tested"

    def config(self) -> dict[str, Any]:
        return {"program": self.program.kind, "settings": self.program.stored()}


def cast(parts: Parts, dtype: str) -> Parts:
    train, test = (tuple(a.astype(dtype) for a in part) for part in (parts.train, parts.test))
    return Parts(train, None, test, ())  # type: ignore[arg-type]


def r2(truth: np.ndarray, told: np.ndarray) -> float:
    """1 - sum (truth - told)^2 / sum (truth - mean)^2; 0 is what the mean reaches."""
    return float(1 - ((truth - told) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
