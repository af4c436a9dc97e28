"""Language models with windows: pieces of the text that are drawn, each read from its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Any, ClassVar

import numpy as np

from ..arguments import whole
from ..errors import ConfigError
from ..experiment.program import Card, Settings, Streams
from ..function import no_grad
from ..models.recurrent.text import LanguageModel
from ..nn import cross_entropy
from ..optim import AdamW, Groups
from ..tensor import Tensor
from ..train import History, State
from .language import Language, LanguageTraining
from .supervised import warmed_cosine

AT_ONCE = 4_096  # characters that are measured side by side


@dataclass(frozen=True)
class Windows(Language):
    """model(**architecture), which sees `length` characters at most, foretells a text.

    An update is a step of AdamW after `batch_size` windows of `length` characters, drawn anywhere
    in the training part; `updates` of them are an epoch. All gradients are scaled to the norm
    `clip` where it is larger; weight_decay acts on matrices alone, not on biases and the scales of
    norms. The rate rises over the first tenth of the updates to lr and falls along half a cosine.

    The score is "bits" per character of the held-out part, "loss" the same in nats: windows of
    `length` lie side by side, nothing is known of what stands before one, so that a character has
    (length - 1) / 2 others before it in the middle. overlap: so many characters at the beginning of
    each window but the first are read and not counted, as the window before it told them: each
    counted one has at least as many before it.
    """

    batch_size: int = 12
    lr: float = 0.001
    carried: bool = False
    optimizer: type[AdamW] = AdamW
    beta2: float = 0.99
    weight_decay: float = 0.1
    updates: int = 250
    overlap: int = 0

    kind: ClassVar[str] = "windows"

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> WindowsTraining:
        loaded = self.load(recipe, settings) if data is None else data
        known = recipe.replaced(vocabulary=loaded.tokenizer.vocabulary)
        return WindowsTraining(known, settings, loaded)

    def restored(self, stored: Mapping[str, Any]) -> Windows:
        made: Any = super().restored(stored)
        return replace(made, updates=whole(self.kind, "updates", made.updates, 1))


class WindowsTraining(LanguageTraining):
    """A text, a model, two optimizers; where windows begin has a stream of its own."""

    program: Any
    optimizer: Any

    def started(self) -> State:
        program, length = self.program, self.program.length
        self._check(program)
        if len(self.text.train) <= length:
            raise ConfigError(
                f"recipe {self.recipe.name}: a window of {length} characters and the next one do "
                f"not fit into a training part of {len(self.text.train)}"
            )
        named = list(self.model.named_parameters())
        matrices, vectors = (
            program.optimizer(
                [(n, p) for n, p in named if (p.ndim > 1) == decays],
                lr=program.lr, beta2=program.beta2, eps=1e-8,
                weight_decay=program.weight_decay if decays else 0.0,
            )
            for decays in (True, False)
        )  # fmt: skip
        data: Any = Streams(windows=self.generator.spawn())
        self.optimizer = Groups(matrices, vectors)
        return State(self.model, self.optimizer, data, History(), 0, self.recipe.epochs)

    def _check(self, program: Windows) -> None:
        most = self.model.window
        if most is not None and program.length > most:
            raise ConfigError(
                f"recipe {self.recipe.name}: windows of {program.length} characters for a model "
                f"that sees {most}"
            )
        if not 0 <= program.overlap < program.length:
            raise ConfigError(
                f"recipe {self.recipe.name}: overlap must be in [0, {program.length}), got "
                f"{program.overlap}"
            )

    def epoch(self) -> dict[str, float]:
        program, rng = self.program, self.state.data["windows"]  # type: ignore[index]
        steps, losses = program.updates, []
        rate = warmed_cosine(program.lr, steps * self.recipe.epochs)
        drawn = (self.drawn(rng) for _ in range(steps))
        for update, (x, y) in enumerate(self.shared(drawn), self.state.epoch * steps):
            self.optimizer.lr = rate(update)
            losses.append(self.update(x, y))
        mean = self.total(sum(losses))[0] / (steps * program.batch_size)
        return {"loss": mean, "bits": mean / log(2)}

    def drawn(self, rng: Any) -> tuple[np.ndarray, np.ndarray]:
        """(windows (batch_size, length), what follows each of their characters)."""
        program, text = self.program, self.text.train
        first = rng.integers(0, len(text) - program.length, program.batch_size)
        places = np.asarray(first)[:, None] + np.arange(program.length)
        return text[places], text[places + 1]

    def update(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step of both optimizers: the loss before it, in nats, times the windows."""
        room = self.model.backend
        loss = cross_entropy(self.model(Tensor(x, backend=room)), Tensor(y, backend=room))
        return self.descend(loss, self.parallel.own(len(x)), clip=self.program.clip)

    def losses(self, ids: np.ndarray) -> np.ndarray:
        program = self.program
        before = int(self.text.train[-1])
        return losses_in_windows(self.model, ids, before, program.length, program.overlap)


def losses_in_windows(
    model: LanguageModel, ids: np.ndarray, before: int, length: int, overlap: int = 0
) -> np.ndarray:
    """-log P of every character of ids (N,), in nats, (N,); `before`: the one in front of them.
    Windows of `length` begin length - overlap apart; each but the first tells its last
    length - overlap characters."""
    seen = np.concatenate([[before], ids[:-1]])
    found = np.empty(len(ids))
    starts = np.arange(0, max(len(ids) - overlap, 1), length - overlap)
    complete = starts[starts + length <= len(ids)]
    groups = [
        complete[k : k + AT_ONCE // length] for k in range(0, len(complete), AT_ONCE // length)
    ]
    if len(complete) < len(starts):
        groups.append(starts[len(complete) :])
    with no_grad():
        for group in groups:
            places = group[:, None] + np.arange(min(length, len(ids) - int(group[-1])))
            room = model.backend
            logits = model.run(Tensor(seen[places], backend=room))[0]
            told = cross_entropy(logits, Tensor(ids[places], backend=room), reduction="none")
            new = places >= np.where(group == 0, 0, group + overlap)[:, None]
            found[places[new]] = told.numpy()[new]
    return found
