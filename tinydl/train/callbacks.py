"""Callbacks: small objects with any of on_fit_start, on_batch_end, on_epoch_end, on_fit_end
(state)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError
from ..optim.schedules import Plateau, Schedule
from .checkpoint import save_checkpoint

if TYPE_CHECKING:
    from .loop import State


class WriteHistory:
    """After every epoch, the whole history as CSV; a reader never sees half a table."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, state: State) -> None:
        state.history.to_csv(self.path)


class Checkpoint:
    """After every `every` epochs, and after the last, everything that is needed to go on
    (`save_checkpoint`).

    config: any JSON-able values to be found again by `load_checkpoint`.
    """

    def __init__(
        self, path: str | Path, every: int = 1, config: Mapping[str, Any] | None = None
    ) -> None:
        if every < 1:
            raise ConfigError(f"Checkpoint: every must be >= 1, got {every!r}")
        self.path, self.every, self.config = Path(path), every, dict(config or {})

    def on_epoch_end(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch == state.epochs:
            save_checkpoint(self.path, state, self.config)


class EarlyStopping:
    """Stop when `monitor` has not improved by more than `min_delta` for `patience` epochs.

    monitor: a column of the history; smaller is better for losses, larger for everything else (mode
    "auto"), or mode "min" / "max". restore_best: when the training ends, for whatever reason, the
    weights of the best epoch come back. After a resume the patience counts on from the history; the
    best weights are then those of the best epoch since. NaN never is an improvement. Prechelt 1998,
    doi:10.1007/3-540-49430-8_3.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        if mode not in ("auto", "min", "max") or patience < 1 or min_delta < 0:
            raise ConfigError(
                f"EarlyStopping: needs mode auto, min or max, patience >= 1, min_delta >= 0; got "
                f"{mode!r}, "
                f"{patience!r}, {min_delta!r}"
            )
        smaller = monitor.endswith("loss") if mode == "auto" else mode == "min"
        self.sign = 1.0 if smaller else -1.0
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.restore_best = restore_best
        self.best_epoch = 0  # counted from 1
        self._best_weights: dict[str, np.ndarray] | None = None
        self._best_kept = float("inf")

    def on_epoch_end(self, state: State) -> None:
        values = [self.sign * value for value in state.history[self.monitor]]
        best, since = float("inf"), 0
        for epoch, value in enumerate(values, 1):
            since += 1
            if value < best - self.min_delta:
                best, since, self.best_epoch = value, 0, epoch
        if self.restore_best and values[-1] < self._best_kept:
            self._best_kept, self._best_weights = values[-1], state.model.state_dict()
        state.stop = state.stop or since >= self.patience

    def on_fit_end(self, state: State) -> None:
        if self._best_weights is not None:
            state.model.load_state_dict(self._best_weights)


class LearningRateSchedule:
    """Sets the optimiser's rate to schedule(step) before every step.

    per: "epoch" (finished epochs are counted) or "batch" (updates, by the optimiser's own count).
    Both counts are in checkpoints: a resumed run goes on where it was. Raises ConfigError.
    """

    def __init__(self, schedule: Schedule, per: str = "epoch") -> None:
        if per not in ("epoch", "batch"):
            raise ConfigError(f"LearningRateSchedule: needs per 'epoch' or 'batch', got {per!r}")
        self.schedule, self.per = schedule, per

    def _set(self, state: State) -> None:
        step = state.epoch if self.per == "epoch" else max(state.optimizer.steps)
        state.optimizer.lr = self.schedule(step)

    on_fit_start = on_epoch_end = _set

    def on_batch_end(self, state: State) -> None:
        if self.per == "batch":
            self._set(state)


class ReduceOnPlateau:
    """Cuts the optimiser's rate when a column of the history has stopped falling (`Plateau`).

    After a resume the waiting starts again; the rate itself is in the checkpoint.
    """

    def __init__(self, monitor: str = "val_loss", plateau: Plateau | None = None) -> None:
        self.monitor, self.plateau = monitor, Plateau() if plateau is None else plateau

    def on_epoch_end(self, state: State) -> None:
        value = state.history[self.monitor][-1]
        state.optimizer.lr = self.plateau.update(value, state.optimizer.lr)
