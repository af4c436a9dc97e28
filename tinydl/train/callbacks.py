"""Callbacks: small objects with any of on_fit_start, on_batch_end, on_epoch_end, on_fit_end
(state).

Here are those that keep, stop and steer a run; callbacks_report.py has those that only look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError
from ..optim.schedules import Plateau, Schedule
from .checkpoint import save_checkpoint

if TYPE_CHECKING:
    from ..nn import Module
    from .loop import State


def _sign(rule: str, monitor: str, mode: str) -> float:
    """What a monitored value is multiplied with so that smaller is better."""
    if mode not in ("auto", "min", "max"):
        raise ConfigError(f"{rule}: needs mode auto, min or max, got {mode!r}")
    smaller = monitor.endswith("loss") if mode == "auto" else mode == "min"
    return 1.0 if smaller else -1.0


def _finite(model: Module) -> bool:
    return all(np.isfinite(p.numpy()).all() for p in model.parameters())


class WriteHistory:
    """The CSV log: after every epoch the whole history; a reader never sees half a table."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, state: State) -> None:
        state.history.to_csv(self.path)


class Checkpoint:
    """After every `every` epochs, and after the last, everything that is needed to go on
    (`save_checkpoint`).

    path: "{epoch}" in it becomes the number of the epoch in four digits, so that every file stays;
    without it the newest replaces the one before. config: any JSON-able values to be found again by
    `load_checkpoint`. Weights that are not finite are not written: the last good file stays. Raises
    ConfigError.
    """

    def __init__(
        self, path: str | Path, every: int = 1, config: Mapping[str, Any] | None = None
    ) -> None:
        if every < 1:
            raise ConfigError(f"Checkpoint: every must be >= 1, got {every!r}")
        self.path, self.every, self.config = Path(path), every, dict(config or {})

    def on_epoch_end(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch == state.epochs or state.stop:
            self._save(state)

    def _save(self, state: State) -> None:
        if _finite(state.model):
            path = Path(str(self.path).replace("{epoch}", f"{state.epoch:04d}"))
            save_checkpoint(path, state, self.config)


class BestCheckpoint(Checkpoint):
    """A checkpoint after every epoch that is better than all epochs of the history before it.

    monitor, mode: as for EarlyStopping. NaN never is the best. Raises ConfigError.
    """

    def __init__(
        self,
        path: str | Path,
        monitor: str = "val_loss",
        mode: str = "auto",
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(path, config=config)
        self.monitor, self.sign = monitor, _sign("BestCheckpoint", monitor, mode)

    def on_epoch_end(self, state: State) -> None:
        *before, newest = [self.sign * value for value in state.history[self.monitor]]
        if newest < min((v for v in before if v == v), default=float("inf")):
            self._save(state)


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
        if patience < 1 or min_delta < 0:
            raise ConfigError(
                f"EarlyStopping: needs patience >= 1 and min_delta >= 0, got {patience!r} and "
                f"{min_delta!r}"
            )
        self.sign = _sign("EarlyStopping", monitor, mode)
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

    At the start the history is read, so that a resumed run cuts when the unbroken one would have;
    the rate itself is in the checkpoint.
    """

    def __init__(self, monitor: str = "val_loss", plateau: Plateau | None = None) -> None:
        self.monitor, self.plateau = monitor, Plateau() if plateau is None else plateau

    def on_fit_start(self, state: State) -> None:
        self.plateau.best, self.plateau.waited = math.inf, 0
        past = self.monitor in state.history.columns
        for value in state.history[self.monitor] if past else ():
            self.plateau.update(value, state.optimizer.lr)

    def on_epoch_end(self, state: State) -> None:
        value = state.history[self.monitor][-1]
        state.optimizer.lr = self.plateau.update(value, state.optimizer.lr)


class TerminateOnNaN:
    """Stop at the first batch whose loss is NaN or infinite, and say which it was.

    The update from that batch is undone: the weights (not the optimiser's state) are those of the
    last finished epoch again. The epoch stays unfinished, without row and checkpoint, so that a run
    with `Checkpoint` can be resumed with other settings from the epoch before. Weights that are not
    finite at the end of an epoch stop the training too. The loss is read after every batch: a
    device waits for it. tell: is given the sentence, which is also kept as `reason`.
    """

    def __init__(self, tell: Callable[[str], None] = print) -> None:
        self.tell = tell
        self.reason: str | None = None
        self._good: tuple[int, dict[str, np.ndarray]]

    def on_fit_start(self, state: State) -> None:
        self.reason, self._good = None, (state.epoch, state.model.state_dict())

    def on_batch_end(self, state: State) -> None:
        loss = float("nan") if state.loss is None else float(state.loss.item())
        if not np.isfinite(loss):
            self._stop(state, f"the loss is {loss} in epoch {state.epoch + 1}, batch {state.batch}")

    def on_epoch_end(self, state: State) -> None:
        if _finite(state.model):
            self._good = (state.epoch, state.model.state_dict())
        else:
            self._stop(state, f"weights are not finite at the end of epoch {state.epoch}")

    def _stop(self, state: State, what: str) -> None:
        self.reason = f"TerminateOnNaN: {what}; the weights are those of epoch {self._good[0]}"
        state.stop = True
        self.tell(self.reason)

    def on_fit_end(self, state: State) -> None:
        if self.reason is not None:
            state.model.load_state_dict(self._good[1])
