"""Callbacks: small objects with any of on_fit_start, on_batch_end, on_epoch_end, on_epoch_done,
on_fit_end (state), called in the order of the list.

on_epoch_done comes after the on_epoch_end of all callbacks: what is written there is complete,
whatever the order. A callback that keeps something between epochs starts anew in on_fit_start,
unless the history says that the run goes on; `state_dict()` and `load_state_dict(state)`, of
{"scalars": JSON-able, "arrays": {name: ndarray}}, put it into checkpoints. The weights that a run
ends with are those that best_weights(state), else good_weights(state), of a callback returns.

Here are those that keep, stop and steer a run; callbacks_report.py has those that only look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..doors import checked
from ..errors import ConfigError
from ..optim.monitor import Best, best_of, direction
from ..optim.schedules import Plateau, Schedule
from .checkpoint import save_checkpoint

if TYPE_CHECKING:
    from ..nn import Module
    from .history import Row
    from .loop import State


def _finite(model: Module) -> bool:
    return all(np.isfinite(p.numpy()).all() for p in model.parameters())


class WriteHistory:
    """The CSV log: after every epoch the whole history; a reader never sees half a table."""

    writes = True  # of several ranks only the first

    @checked
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_done(self, state: State) -> None:
        state.history.to_csv(self.path)


class Checkpoint:
    """After every `every` epochs, and after the last, everything that is needed to go on
    (`save_checkpoint`).

    path: "{epoch}" in it becomes the number of the epoch in four digits, so that every file stays;
    without it the newest replaces the one before. config: any JSON-able values to be found again by
    `load_checkpoint`. Weights that are not finite are not written: the last good file stays. Raises
    ConfigError.
    """

    writes = True  # of several ranks only the first

    @checked
    def __init__(
        self, path: str | Path, every: int = 1, config: Mapping[str, Any] | None = None
    ) -> None:
        if every < 1:
            raise ConfigError(f"Checkpoint: every must be >= 1, got {every!r}")
        self.path, self.every, self.config = Path(path), every, dict(config or {})

    def on_epoch_done(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch == state.epochs or state.stop:
            self._save(state)

    def _save(self, state: State) -> None:
        if _finite(state.model):
            path = Path(str(self.path).replace("{epoch}", f"{state.epoch:04d}"))
            save_checkpoint(path, state, self.config)


class BestCheckpoint(Checkpoint):
    """A checkpoint after every epoch that is better than all epochs of the history before it.

    monitor, mode, min_delta: as for EarlyStopping. NaN never is the best. Raises ConfigError.
    """

    @checked
    def __init__(
        self,
        path: str | Path,
        monitor: str = "val_loss",
        mode: str = "auto",
        config: Mapping[str, Any] | None = None,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(path, config=config)
        self.monitor, self.mode = monitor, direction("BestCheckpoint", monitor, mode)
        self.min_delta = _at_least_zero("BestCheckpoint", min_delta)

    def on_epoch_done(self, state: State) -> None:
        if best_of(state.history[self.monitor], self.mode, self.min_delta).since == 0:
            self._save(state)


class EarlyStopping:
    """Stop when `monitor` has not improved by more than `min_delta` for `patience` epochs.

    monitor: a column of the history. mode: "min" or "max", whether smaller or larger is better;
    "auto" goes by the name (`tinydl.optim.monitor.direction`). restore_best: when the training
    ends, for whatever reason, the weights of the best epoch come back; the best is the last one
    that counted as an improvement. NaN never does. Prechelt 1998, doi:10.1007/3-540-49430-8_3.

    Every fit starts anew. One that goes on (its history is not empty) goes on from the history;
    the best epoch's weights are in the checkpoint, for `restore(path, state, callbacks)`. A run
    that had stopped stops again at once. Raises ConfigError, at the start too if those weights are
    nowhere, or if two callbacks want to bring weights back.
    """

    @checked
    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise ConfigError(f"EarlyStopping: needs patience >= 1, got {patience!r}")
        self.mode = direction("EarlyStopping", monitor, mode)
        self.monitor, self.patience = monitor, patience
        self.min_delta = _at_least_zero("EarlyStopping", min_delta)
        self.restore_best = restore_best
        self.best_epoch = 0  # counted from 1
        self._kept: tuple[Row, dict[str, np.ndarray]] | None = None  # of which epoch, weights

    def on_fit_start(self, state: State) -> None:
        past = self.monitor in state.history.columns
        best = self._best(state) if past else None
        self.best_epoch = 0 if best is None else self.best_epoch
        if self.best_weights(state) is None:
            self._kept = None
        if best is None:
            return
        if best.since == 0 and self._kept is None:
            self._keep(state)
        elif best.place and self.restore_best and self._kept is None:
            raise ConfigError(
                f"EarlyStopping: the run's best {self.monitor} is that of epoch "
                f"{self.best_epoch}, whose weights are not here; restore(path, state, callbacks) "
                "takes them from the checkpoint, restore_best=False goes on without"
            )
        state.stop = state.stop or best.since >= self.patience

    def on_epoch_end(self, state: State) -> None:
        best = self._best(state)
        if best.since == 0:
            self._keep(state)
        state.stop = state.stop or best.since >= self.patience

    def _best(self, state: State) -> Best:
        best = best_of(state.history[self.monitor], self.mode, self.min_delta)
        rows = state.history.rows
        self.best_epoch = int(rows[best.place - 1].get("epoch", best.place)) if best.place else 0
        return best

    def _keep(self, state: State) -> None:
        if self.restore_best:
            self._kept = (dict(state.history.last), state.model.state_dict())

    def best_weights(self, state: State) -> dict[str, np.ndarray] | None:
        """Those of the best epoch of this run, if they are kept."""
        if self._kept is None or self.monitor not in state.history.columns:
            return None
        best = self._best(state)
        row, weights = self._kept
        mine = best.place > 0 and _same_row(state.history.rows[best.place - 1], row)
        return weights if self.restore_best and mine else None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the best epoch's row of the history and its weights."""
        row, weights = ({}, {}) if self._kept is None else self._kept
        return {"scalars": {"row": row}, "arrays": weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        row, weights = state["scalars"].get("row"), dict(state["arrays"])
        self._kept = (row, weights) if row and weights else None


def _same_row(one: Row, other: Row) -> bool:
    """Whether two rows are of one epoch of one run: its seconds differ from any other's. As text,
    in which NaN is NaN and a number read from a file is what was written."""
    return json.dumps(one) == json.dumps(other)


def _at_least_zero(rule: str, min_delta: float) -> float:
    if not min_delta >= 0:
        raise ConfigError(f"{rule}: needs min_delta >= 0, got {min_delta!r}")
    return min_delta


class LearningRateSchedule:
    """Sets the optimiser's rate to schedule(step) before every step.

    per: "epoch" (finished epochs are counted) or "batch" (updates, by the optimiser's own count).
    Both counts are in checkpoints: a resumed run goes on where it was. The rate is the schedule's
    alone: `fit` refuses a second callback that sets it. Raises ConfigError.
    """

    sets_rate = True

    @checked
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
    """Cuts the optimiser's rate when a column of the history has stopped improving (`Plateau`).

    monitor, mode: as for EarlyStopping. plateau: when and by how much, of which a copy is taken; it
    may say the mode too. At the start the history is read, so that a resumed run cuts when the
    unbroken one would have; the rate itself is in the checkpoint. Raises ConfigError.
    """

    @checked
    def __init__(
        self, monitor: str = "val_loss", plateau: Plateau | None = None, mode: str = "auto"
    ) -> None:
        self.monitor, self.plateau = monitor, Plateau() if plateau is None else copy(plateau)
        said = self.plateau.mode
        if said is not None and mode not in ("auto", said):
            raise ConfigError(f"ReduceOnPlateau: mode is {mode!r} but the plateau's is {said!r}")
        self.plateau.mode = direction("ReduceOnPlateau", monitor, said or mode)

    def on_fit_start(self, state: State) -> None:
        self.plateau.reset()
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

    @checked
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

    def good_weights(self, state: State) -> dict[str, np.ndarray] | None:
        """Those of the last finished epoch, if the training was stopped here."""
        return None if self.reason is None else self._good[1]
