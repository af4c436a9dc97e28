"""Sequences: a network reads or writes one step after the other, and is told what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import ConfigError
from ..experiment.program import Card, Settings
from ..ops import masked_fill
from ..tensor import Tensor
from ..train import predict
from ..train.metrics import pixel_accuracy
from .scores import judge
from .supervised import Supervised, SupervisedTraining

ABSENT = -1  # the tag of a place where there is no word


@dataclass(frozen=True)
class Sequences(Supervised):
    """A `Supervised` whose samples are sequences: of words, integers that stay what they are, or of
    numbers. Its measures are the loss and the score, "accuracy" by `metric`; where each sample has
    a class per step, also "whole", the share of samples without any mistake."""

    scale: float | None = None

    kind: ClassVar[str] = "sequences"
    what: ClassVar[str] = "a network of sequences"
    abilities: ClassVar[frozenset[str]] = frozenset()

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> SequencesTraining:
        return SequencesTraining(recipe, settings, data)


class SequencesTraining(SupervisedTraining):
    """As every supervised one; its configuration is that of a program."""

    def measure(self, part: str = "test") -> dict[str, float]:
        x, y = self._part(part)
        found = judge(self.program, self.model, (x, y), self.parts.classes)
        if y.ndim == 2 and y.dtype.kind == "i":
            told = predict(self.model, x).argmax(axis=-1)
            found["whole"] = float(((told == y) | (y == ABSENT)).all(axis=1).mean())
        return found

    def config(self) -> dict[str, Any]:
        return {"program": self.program.kind, "settings": self.program.stored()}


def steps_right(outputs: Tensor, targets: Tensor) -> Tensor:
    """The share of a sample's steps whose largest output is the class: outputs (N, T, C), targets
    (N, T) integers -> (N,). Steps of class -1 do not count; ConfigError where all are."""
    absent = targets == ABSENT
    counted = targets.shape[1] - absent.astype(outputs.dtype).sum(axis=1)
    if (counted.numpy() == 0).any():
        raise ConfigError("steps_right: a sample has no step with a class")
    known = masked_fill(targets, absent, outputs.shape[-1])  # a class that no output tells
    return pixel_accuracy(outputs, known) * targets.shape[1] / counted
