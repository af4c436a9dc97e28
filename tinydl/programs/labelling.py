"""Labelling: a network learns to spell sequences of which nobody says where a label begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..data import PieceSets, Strings, joined_strings
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Program, Settings, Streams, Training
from ..function import no_grad
from ..metrics import label_error_rate
from ..models import CTCLabeller
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .supervised import warmed_cosine

LOOK = 250  # strings at a time
STORED = ("architecture", "strings", "tested", "shortest", "longest", "batch_size", "lr")


@dataclass(frozen=True)
class Labelling(Program):
    """`CTCLabeller(**architecture)` learns strings joined of pieces (`PieceSets`).

    An epoch is `strings` strings of `shortest` to `longest` pieces, drawn anew; `tested` strings
    are drawn once and for all of the test part's pieces. Adam, its rate up to lr and down again
    (`warmed_cosine`), gradients clipped to norm 1. score: "strings_right", the share that is
    spelled exactly; "label_error", the edits that turn all guesses into the truth, by its labels.
    """

    architecture: Mapping[str, Any] = field(default_factory=dict)
    strings: int = 2_000
    tested: int = 1_000
    shortest: int = 3
    longest: int = 6
    batch_size: int = 50
    lr: float = 0.005
    score: str = "strings_right"

    model: ClassVar[type[CTCLabeller]] = CTCLabeller  # type: ignore[misc]
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "labelling"
    what: ClassVar[str] = "a network that spells sequences"
    alone: ClassVar[str] = ""

    def build(self) -> CTCLabeller:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> PieceSets:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> LabellingTraining:
        sets = self.load(recipe, settings) if data is None else data
        return LabellingTraining(recipe, settings, sets)

    def stored(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STORED}

    def restored(self, stored: Mapping[str, Any]) -> Labelling:
        if set(stored) != set(STORED):
            raise ConfigError("the settings are not those of a network that spells sequences")
        return replace(self, **stored)

    def is_share(self, measure: str) -> bool:
        return True


class LabellingTraining(Training):
    """Strings drawn for every epoch by one stream of random numbers."""

    model: CTCLabeller

    def __init__(self, recipe: Card, settings: Settings, sets: PieceSets) -> None:
        self.program: Labelling = recipe.program
        self.sets = sets
        self.tested = self.drawn("test", self.program.tested, Generator(0))
        super().__init__(recipe, settings)

    def drawn(self, part: str, count: int, rng: Generator) -> Strings:
        program = self.program
        return joined_strings(self.sets, part, count, rng, program.shortest, program.longest)

    def started(self) -> State:
        program, epochs = self.program, self.recipe.epochs
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.batches = -(-program.strings // program.batch_size)
        self.rate = warmed_cosine(program.lr, epochs * self.batches)
        self.streams = Streams(strings=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, epochs)

    def epoch(self) -> dict[str, float]:
        program, total = self.program, 0.0
        drawn = self.drawn("train", program.strings, self.streams["strings"])
        arrays = drawn.x, drawn.labels, drawn.counts, drawn.steps
        batches = (
            [array[start : start + program.batch_size] for array in arrays]
            for start in range(0, program.strings, program.batch_size)
        )
        for k, (x, labels, counts, steps) in enumerate(self.shared(batches)):
            self.optimizer.lr = self.rate(self.state.epoch * self.batches + k)
            loss = self.model.loss(self._tensor(x[:, : steps.max()]), steps, labels, counts)
            total += self.descend(loss, self.parallel.own(len(steps)), clip=1.0)
        return {"loss": self.total(total)[0] / program.strings}

    def _tensor(self, x: np.ndarray) -> Tensor:
        return Tensor(x.astype(self.settings.dtype), backend=self.model.backend)

    def spelled(self, strings: Strings) -> list[list[int]]:
        """What the network reads in each of them."""
        self.model.eval()
        found: list[list[int]] = []
        with no_grad():
            for start in range(0, len(strings.x), LOOK):
                steps = strings.steps[start : start + LOOK]
                x = self._tensor(strings.x[start : start + LOOK, : steps.max()])
                found += self.model.spell(x, steps)
        return found

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        return self.judged(self.spelled(self.tested))

    def judged(self, guesses: list[list[int]]) -> dict[str, float]:
        """The measures of these guesses at the tested strings."""
        rows = zip(self.tested.labels, self.tested.counts, strict=True)
        truths = [row[:n].tolist() for row, n in rows]
        right = [a == b for a, b in zip(truths, guesses, strict=True)]
        return {
            "label_error": label_error_rate(truths, guesses),
            "strings_right": float(np.mean(right)),
        }

    def samples(self, part: str) -> int:
        return self.program.tested

    def split(self) -> str:
        p = self.program
        return f"{p.tested:,} strings of {p.shortest} to {p.longest} pieces of the test part"
