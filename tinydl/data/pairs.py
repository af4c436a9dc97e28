"""Texts in pairs: a sentence and its translation, a question and its answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..arguments import texts
from ..doors import checked
from ..errors import ConfigError, ShapeError

if TYPE_CHECKING:
    from ..random import Generator


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N texts `sources` and what each is turned into, `targets`. credits: to whom each pair is
    owed, where the licence asks for it; else ()."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    credits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("sources", "targets", "credits"):
            texts("Pairs", name, getattr(self, name))
        counts = {len(self.sources), len(self.targets), len(self.credits) or len(self.sources)}
        if len(counts) != 1:
            raise ShapeError(
                f"Pairs: {self.name} has {len(self.sources)} sources, {len(self.targets)} targets "
                f"and {len(self.credits)} credits"
            )

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, indices: Iterable[int]) -> Pairs:
        """Only these pairs, in this order."""
        rows = list(indices)
        columns = (self.sources, self.targets, self.credits)
        return Pairs(self.name, *(tuple(c[k] for k in rows) if c else () for c in columns))

    def turned(self) -> Pairs:
        """Targets as sources and the other way round."""
        return Pairs(self.name, self.targets, self.sources, self.credits)


@dataclass(frozen=True, slots=True, eq=False)
class PairParts:
    """Pairs to learn from, and sources (M,) to be answered; references: for each of them every
    target that is right. Sources are texts, or pictures (M, H, W, C), and then `train_sources` too.
    """

    name: str
    train_sources: Any
    train_targets: tuple[str, ...]
    test_sources: Any
    references: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class CaptionParts(PairParts):
    """boxes (M, 2, 4): of the two things of every test picture, in the order of their names; kinds:
    the words that name things."""

    boxes: Any = None
    kinds: tuple[str, ...] = ()


@checked
def held_out_targets(pairs: Pairs, count: int, rng: Generator) -> PairParts:
    """`count` distinct targets at random are held out, with every pair that has one of them; the
    test part is their sources. A pair whose source is among these is not trained on either, but its
    target is one of the references. Both parts are in random order. ConfigError where there are not
    more than `count` targets."""
    distinct = sorted(set(pairs.targets))
    if not 0 < count < len(distinct):
        raise ConfigError(
            f"held_out_targets: {pairs.name} has {len(distinct)} targets, cannot hold out {count}"
        )
    held = {distinct[k] for k in rng.permutation(len(distinct))[:count].tolist()}
    both = list(zip(pairs.sources, pairs.targets, strict=True))
    known: dict[str, dict[str, None]] = {s: {} for s, t in both if t in held}  # an ordered set
    for source, target in both:
        if source in known:
            known[source][target] = None
    train = [(s, t) for s, t in both if s not in known]
    train = [train[k] for k in rng.permutation(len(train)).tolist()]
    sources, targets = zip(*train, strict=True) if train else ((), ())
    asked = [list(known)[k] for k in rng.permutation(len(known)).tolist()]
    references = tuple(tuple(known[source]) for source in asked)
    return PairParts(pairs.name, sources, targets, tuple(asked), references)
