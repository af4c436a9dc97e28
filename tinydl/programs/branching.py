"""Branching: a network learns the labels of all nodes of trees, and is tried on deeper ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..data import LOGIC_WORDS, logic_tree, pack_trees
from ..data.trees import Tree
from ..errors import ConfigError
from ..experiment.program import Card, Program, Settings, Streams, Training
from ..function import no_grad
from ..models import RecursiveNet
from ..optim import Adam
from ..random import Generator
from ..train import History, State
from .supervised import warmed_cosine

STORED = ("architecture", "depth", "updates", "batch_size", "tested", "lr")
DEEPER = 2


@dataclass(frozen=True)
class Branching(Program):
    """model(**architecture) on made-up sentences of logic (`logic_tree`) of depth 1 ... `depth`.

    An epoch is `updates` updates on `batch_size` trees drawn anew. Adam, its rate up to lr and down
    again, gradients clipped to norm 1. score: "nodes", the share of all nodes that get their label,
    in `tested` trees of exactly the trained depth; "deeper": the same two levels deeper, "roots"
    and "deeper_roots": of the roots alone.
    """

    model: type[RecursiveNet]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 4
    updates: int = 100
    batch_size: int = 50
    tested: int = 300
    lr: float = 0.01
    score: str = "nodes"

    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "branching"
    what: ClassVar[str] = "a network along trees"
    alone: ClassVar[str] = ""

    def build(self) -> RecursiveNet:
        return self.model(**self.architecture)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> BranchingTraining:
        return BranchingTraining(recipe, settings)

    def stored(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STORED}

    def restored(self, stored: Mapping[str, Any]) -> Branching:
        if set(stored) != set(STORED):
            raise ConfigError("the settings are not those of a network along trees")
        return replace(self, **stored)

    def is_share(self, measure: str) -> bool:
        return True


class BranchingTraining(Training):
    """Trees drawn by one stream of random numbers."""

    model: RecursiveNet

    def __init__(self, recipe: Card, settings: Settings) -> None:
        self.program: Branching = recipe.program
        rng, depth, count = Generator(0), self.program.depth, self.program.tested
        self.tested = {
            name: pack_trees([logic_tree(d, rng) for _ in range(count)], LOGIC_WORDS)
            for name, d in (("", depth), ("deeper", depth + DEEPER))
        }
        super().__init__(recipe, settings)

    def drawn(self, rng: Generator) -> list[Tree]:
        """A batch of trees to learn from."""
        program = self.program
        depths = rng.integers(1, program.depth + 1, program.batch_size)
        return [logic_tree(int(d), rng) for d in depths]

    def started(self) -> State:
        program, epochs = self.program, self.recipe.epochs
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.rate = warmed_cosine(program.lr, epochs * program.updates)
        self.streams = Streams(trees=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, epochs)

    def epoch(self) -> dict[str, float]:
        program, sums = self.program, np.zeros(2)
        drawn = ((self.drawn(self.streams["trees"]),) for _ in range(program.updates))
        for k, (trees,) in enumerate(self.shared(drawn), self.state.epoch * program.updates):
            forest, self.optimizer.lr = pack_trees(trees, LOGIC_WORDS), self.rate(k)
            nodes = len(forest.labels) if self.parallel.own(len(trees)) else 0
            sums += self.descend(self.model.loss(forest), nodes, clip=1.0), nodes
        total, all_nodes = self.total(*sums)
        return {"loss": total / all_nodes}

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        self.model.eval()
        with no_grad():
            return self.judged(lambda forest: self.model(forest).numpy().argmax(axis=1))

    def judged(self, guess: Any) -> dict[str, float]:
        """The measures of guess(forest) -> labels of all nodes."""
        found = {}
        for name, forest in self.tested.items():
            right = guess(forest) == forest.labels
            found[name or "nodes"] = float(np.mean(right))
            found[f"{name}_roots" if name else "roots"] = float(np.mean(right[forest.roots]))
        return found

    def split(self) -> str:
        return f"{self.program.tested} trees of depth {self.program.depth}, drawn anew"
