"""Clustering: pictures are grouped without a label, by what survives a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from .. import ops
from ..arguments import number, whole
from ..experiment.program import Card, Group, Program, Settings, Streams, Training, taken_over
from ..function import no_grad
from ..metrics import clustering_accuracy
from ..models import IIC
from ..nn import looking
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .parts import Parts, Split, load_parts, split_of

EVERYTHING = Split()
AT_ONCE = 500


@dataclass(frozen=True)
class Clustering(Program):
    """An `IIC` on pictures, which never sees a label.

    An epoch is two passes over the training part, each in a new order: one that trains the heads of
    many clusters, one that trains those of as many as there are classes; a step of Adam after each
    batch, of two changed copies of every picture (`warped`, with turn, zoom and shift).

    Each head gives a share of test pictures whose cluster is their class, for the best naming
    (`clustering_accuracy`, found with the labels). The score is "mean_head"; beside it "best_head",
    the best of them, which only the labels tell, and "chosen_head", that of the head with the
    smallest training loss, which can be known without them.
    """

    architecture: Mapping[str, Any] = field(default_factory=dict)
    model: type[IIC] = IIC
    batch_size: int = 500
    lr: float = 0.002
    turn: float = 25.0
    zoom: float = 0.2
    shift: float = 3.0
    input_shape: tuple[int, ...] = (28, 28, 1)
    scale: float = 255.0
    split: Split = EVERYTHING
    score: str = "mean_head"

    kind: ClassVar[str] = "clustering"
    what: ClassVar[str] = "a clustering"
    alone: ClassVar[str] = (
        "its loss compares how often classes come over a whole batch, no mean over samples"
    )
    picture_shape: ClassVar[tuple[int, ...]] = ()

    def build(self) -> IIC:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> ClusteringTraining:
        return ClusteringTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = ("batch_size", "lr", "turn", "zoom", "shift")
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in self.architecture.items()}
        return {"architecture": plain, **{name: getattr(self, name) for name in names}}

    def restored(self, stored: Mapping[str, Any]) -> Clustering:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Clustering", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("Clustering", "lr", taken["lr"]))

    def is_share(self, measure: str) -> bool:
        return measure.endswith("head")


class ClusteringTraining(Training):
    """An order of the pictures, and their changes, from two streams."""

    model: IIC

    def __init__(self, recipe: Card, settings: Settings, parts: Parts) -> None:
        self.program: Clustering = recipe.program
        self.parts = parts
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.optimizer = Adam(self.model.named_parameters(), self.program.lr)
        self.streams = Streams(order=self.generator.spawn(), changes=self.generator.spawn())
        group: Any = Group(model=self.optimizer)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def epoch(self) -> dict[str, float]:
        many, few = self._pass(True), self._pass(False)
        each = {f"head_{k}": float(v) for k, v in enumerate(few)}
        return {"loss": float(few.mean()), "more": float(many.mean()), **each}

    def _pass(self, more: bool) -> np.ndarray:
        """The mean loss of each head."""
        x, size, found = self.parts.train[0], self.program.batch_size, []
        order = self.streams["order"].permutation(len(x))
        for start in range(0, len(x) - size + 1, size):
            batch = x[order[start : start + size]]
            losses = self.model.losses(self._changed(batch), self._changed(batch), more)
            self.optimizer.zero_grad()
            ops.mean(losses).backward()
            self.optimizer.step()
            found.append(losses.numpy())
        return np.mean(found, axis=0)

    def _changed(self, x: np.ndarray) -> Tensor:
        p = self.program
        changed = warped(x, self.streams["changes"], p.turn, p.zoom, p.shift)
        return Tensor(changed, backend=self.model.backend)

    def clusters(self, x: np.ndarray) -> np.ndarray:
        """The likeliest cluster by every head, (heads, N)."""
        found = []
        with looking(self.model), no_grad():
            for start in range(0, len(x), AT_ONCE):
                rows = Tensor(x[start : start + AT_ONCE], backend=self.model.backend)
                found.append(self.model(rows).numpy().argmax(axis=2))
        return np.concatenate(found, axis=1)

    def measure(self, part: str = "test") -> dict[str, float]:
        x, y = getattr(self.parts, part)
        clusters = self.clusters(x)
        count = int(max(y.max(), clusters.max())) + 1
        shares = [clustering_accuracy(y, own, count) for own in clusters]
        last = self.state.history.rows[-1] if self.state.history.rows else {}
        losses = [last.get(f"head_{k}", 0.0) for k in range(len(shares))]
        return {
            "mean_head": float(np.mean(shares)), "best_head": max(shares),
            "worst_head": min(shares), "chosen_head": shares[int(np.argmin(losses))],
        }  # fmt: skip

    def split(self) -> str:
        return split_of(self.recipe)

    def samples(self, part: str) -> int:
        return len(getattr(self.parts, part)[1])


def warped(x: np.ndarray, rng: Generator, turn: float, zoom: float, shift: float) -> np.ndarray:
    """Pictures (N, H, W, C), each turned by up to `turn` degrees, stretched and slanted by up to
    the share `zoom`, moved by up to `shift` pixels; between pixels linear, 0 from outside."""
    N, H, W = x.shape[:3]
    draws = rng.uniform((5, N, 1, 1), low=-1.0, high=1.0, dtype=x.dtype)
    angle, scale, slant = (
        x.dtype.type(np.deg2rad(turn)) * draws[0],
        1 + zoom * draws[1],
        zoom * draws[2],
    )
    rows, columns = np.mgrid[:H, :W].astype(x.dtype)
    rows, columns = rows - (H - 1) / 2, columns - (W - 1) / 2
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    down = cos * rows - sin * columns + shift * draws[3] + (H - 1) / 2
    across = sin * rows + cos * columns + slant * rows + shift * draws[4] + (W - 1) / 2
    top, left = np.floor(down).astype(np.int64), np.floor(across).astype(np.int64)
    low, right = (down - top)[..., None], (across - left)[..., None]
    padded, n = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), np.arange(N)[:, None, None]

    def at(r: np.ndarray, c: np.ndarray) -> np.ndarray:
        return padded[n, np.clip(r + 1, 0, H + 1), np.clip(c + 1, 0, W + 1)]

    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return (upper * (1 - low) + lower * low).astype(x.dtype)
