"""Anomalies without a network: rows of numbers that are far from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..programs.anomalies import beyond, judged, norm


def row_norm(training: Any, part: str) -> dict[str, float]:
    """How far a standardised row is from the mean row."""
    return judged(norm, training.data, training.program.task.alarms)


@dataclass(frozen=True)
class Components:
    """What the first principal components of the training rows leave of a row."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} components"

    def __call__(self, training: Any, part: str) -> dict[str, float]:
        data, alarms = training.data, training.program.task.alarms
        return judged(beyond(data.train, self.count), data, alarms)
