"""Fine-tuning: a trained network gets a head for other classes, which is trained alone first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..experiment.program import Card, Settings
from ..nn import Linear, Module
from ..optim import Adam
from ..train import History, LearningRateSchedule, State
from .supervised import Supervised, SupervisedTraining

#: As `tinydl.studies.transfer` has it: its rate, batches, epochs with the head alone and with all.
LR, BATCH, EPOCHS = 0.002, 20, 60
SLOWER = 10  # times, once everything is trained


@dataclass(frozen=True)
class FineTuning(Supervised):
    """A `Supervised` that begins with weights of another training. frozen: so many epochs train the
    new head alone, the last linear layer, with the rate of `optimizer_settings`; those after them
    everything with a tenth of it. channels: of the pictures that the network takes."""

    frozen: int = 0
    channels: int = 3

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> FineTuningTraining:
        return FineTuningTraining(recipe, settings, data)

    def rate(self, lr: float, epoch: int) -> float:
        """The learning rate of an epoch."""
        return lr if epoch < self.frozen else lr / SLOWER


def fine_tuning(program: Supervised, frozen: int, channels: int, **changes: Any) -> FineTuning:
    """The settings of a supervised program with those of fine-tuning."""
    own = {f.name: getattr(program, f.name) for f in fields(Supervised)}
    usual: dict[str, Any] = {
        "optimizer": Adam, "optimizer_settings": {"lr": LR}, "batch_size": BATCH, "schedule": None,
        "drop_last": False, "shuffle": True,
    }  # fmt: skip
    return FineTuning(**{**own, **usual, **changes}, frozen=frozen, channels=channels)


class FineTuningTraining(SupervisedTraining):
    """As every supervised one; what is frozen follows from the epoch, so that it can be resumed."""

    def started(self) -> State:
        start = getattr(self.recipe, "start", None)  # None: they come from a checkpoint
        if start is not None:
            begin_with(self.model, start)
        return super().started()

    def fit(self, callbacks: Sequence[Any] = (), progress: bool | None = False) -> History:
        program: Any = self.program
        lr = self.lr

        def rate(epoch: int) -> float:
            return float(program.rate(lr, epoch))

        own = (Thaw(program.frozen), LearningRateSchedule(rate))
        return super().fit((*own, *callbacks), progress)

    def described(self) -> list[str]:
        program: Any = self.program
        every = f"all at a tenth of the rate from epoch {program.frozen + 1} on"
        alone = f"the new head alone for {program.frozen} epochs, " if program.frozen else ""
        return [*super().described(), f"tuned  {alone}{every}"]


class Thaw:
    """A callback that keeps everything but the head as it is for the first epochs."""

    def __init__(self, frozen: int) -> None:
        self.frozen = frozen

    def _set(self, state: State) -> None:
        if state.epoch < self.frozen:
            state.model.freeze()
            head_of(state.model)[1].unfreeze()
        else:
            state.model.unfreeze()

    on_fit_start = on_epoch_done = _set

    def on_fit_end(self, state: State) -> None:
        state.model.unfreeze()


def head_of(model: Module) -> tuple[str, Linear]:
    """Name and module of the last linear layer; ConfigError for a network without one."""
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, Linear)]
    if not found:
        raise ConfigError(f"fine-tuning: {type(model).__name__} has no linear layer as its head")
    return found[-1]


def begin_with(model: Module, start: Mapping[str, np.ndarray]) -> None:
    """The weights of another training in all but the head; ConfigError where one does not fit."""
    head = f"{head_of(model)[0]}."
    state = dict(model.state_dict())
    for name, own in state.items():
        if name.startswith(head):
            continue
        if name not in start or start[name].shape != own.shape:
            other = "none" if name not in start else start[name].shape
            raise ConfigError(
                f"fine-tuning: {name} is {own.shape} here, {other} in the trained network; "
                "pictures must have the size that it was trained on"
            )
        state[name] = start[name].astype(own.dtype)
    model.load_state_dict(state)
