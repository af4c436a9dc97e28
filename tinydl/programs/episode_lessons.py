"""What few-shot learners are taught and asked: episodes, pairs, streams; the book's episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import ConfigError
from ..function import no_grad
from ..nn import looking
from ..random import Generator
from ..tensor import Tensor

#: Of batches, the rows that are this process's (`Training.shared`).
Shared = Callable[[Iterable[Any]], Iterable[Any]]
TESTED, AT_ONCE = 600, 250  # test episodes; pictures embedded at once


class Episode(NamedTuple):
    """Places of pictures: examples (W, S, 2) and queries (Q, 2) as rows (class, number); labels
    (Q,), places among the W."""

    examples: np.ndarray
    queries: np.ndarray
    labels: np.ndarray


def drawn_episode(
    shape: tuple[int, int], ways: int, shots: int, queries: int, rng: Generator
) -> Episode:
    """Of `shape` = (classes, pictures of each): `ways` classes, none twice, of each `shots`
    examples and `queries` others to be told. ConfigError if there are too few."""
    classes, count = shape
    if ways > classes or shots + queries > count:
        raise ConfigError(
            f"episodes: {ways} ways of {shots} + {queries} pictures, of {classes} classes with "
            f"{count}"
        )
    chosen = rng.permutation(classes)[:ways]
    numbers = np.stack([rng.permutation(count)[: shots + queries] for _ in chosen])
    places = np.stack([np.broadcast_to(chosen[:, None], numbers.shape), numbers], axis=-1)
    return Episode(
        places[:, :shots], places[:, shots:].reshape(-1, 2), np.repeat(np.arange(ways), queries)
    )


def books_episode(shape: tuple[int, int], ways: int, rng: Generator) -> Episode:
    """As Liu and Mehta draw them: one query and one other picture of its person, then `ways` - 1
    people drawn *with* replacement, the query's own among them. The answer is place 0, and only
    that counts, so a perfect judge that guesses among equals is right in a share
    (1 - (1 - 1/K)^n) / (n/K) of the episodes, with K people: `books_ceiling`."""
    classes, count = shape
    chosen = rng.integers(0, classes, (ways,))
    first, second = rng.permutation(count)[:2]
    numbers = np.concatenate([[second], rng.integers(0, count, (ways - 1,))])
    examples = np.stack([chosen, numbers], axis=-1)[:, None]
    return Episode(examples, np.array([[chosen[0], first]]), np.zeros(1, np.int64))


def books_ceiling(ways: int, classes: int = 40) -> float:
    """E[1 / (1 + B)], B the number of `ways` - 1 draws that hit one of `classes`."""
    return (1 - (1 - 1 / classes) ** ways) / (ways / classes)


@dataclass(frozen=True)
class ByEpisodes:
    """`episodes` of them in an epoch, each of `ways` classes with `shots` examples and `queries`
    pictures to be told."""

    ways: int = 20
    shots: int = 1
    queries: int = 5
    episodes: int = 100

    alone: ClassVar[str] = "in an episode all pictures are compared with each other"

    def prepared(self, x: np.ndarray, rng: Generator) -> None:
        return None

    def steps(
        self, model: Any, x: np.ndarray, ready: None, rng: Generator, shared: Shared = iter
    ) -> Iterator[tuple[Tensor, int]]:
        for _ in range(self.episodes):
            e = drawn_episode(x.shape[:2], self.ways, self.shots, self.queries, rng)
            given = [placed(model, x[p[..., 0], p[..., 1]]) for p in (e.examples, e.queries)]
            yield model.loss(*given, placed(model, e.labels)), 1

    def checked(self, model: Any, x: np.ndarray, ready: None) -> dict[str, float]:
        return {}


@dataclass(frozen=True)
class ByPairs:
    """`pairs` drawn once, half of them of one class; nine tenths train in batches, drawn anew in
    every epoch, a tenth validates. shuffled: before they are divided; the book does not, so that
    its tenth holds nothing but pairs of different people."""

    pairs: int = 8_000
    batch_size: int = 64
    shuffled: bool = True

    alone: ClassVar[str] = ""

    def prepared(self, x: np.ndarray, rng: Generator) -> np.ndarray:
        """(P, 5): class and number of one, of the other, 1 if they are of one class."""
        classes, count = x.shape[:2]
        half = self.pairs // 2
        one, way = rng.integers(0, classes, (self.pairs,)), rng.integers(1, classes, (self.pairs,))
        number_, step = (
            rng.integers(0, count, (self.pairs,)),
            rng.integers(1, count, (self.pairs,)),
        )
        same = np.arange(self.pairs) < half
        other = np.where(same, one, (one + way) % classes)
        second = np.where(same, (number_ + step) % count, rng.integers(0, count, (self.pairs,)))
        rows = np.stack([one, number_, other, second, same], axis=1)
        return rows[rng.permutation(len(rows))] if self.shuffled else rows

    def steps(
        self, model: Any, x: np.ndarray, ready: np.ndarray, rng: Generator, shared: Shared = iter
    ) -> Iterator[tuple[Tensor, int]]:
        train = ready[: len(ready) - len(ready) // 10]
        train = train[rng.permutation(len(train))]
        size = self.batch_size
        for (rows,) in shared((train[n : n + size],) for n in range(0, len(train), size)):
            yield self.loss(model, x, rows), len(rows)

    def loss(self, model: Any, x: np.ndarray, rows: np.ndarray) -> Tensor:
        a, b = (placed(model, x[rows[:, k], rows[:, k + 1]]) for k in (0, 2))
        return model.pair_loss(a, b, placed(model, rows[:, 4].astype(x.dtype)))

    def checked(self, model: Any, x: np.ndarray, ready: np.ndarray) -> dict[str, float]:
        held = ready[len(ready) - len(ready) // 10 :]
        with looking(model):
            found = [
                self.loss(model, x, held[n : n + 100]).item() * len(held[n : n + 100])
                for n in range(0, len(held), 100)
            ]
        return {"val_loss": sum(found) / max(len(held), 1)}


def placed(model: Any, array: np.ndarray) -> Tensor:
    return Tensor(np.ascontiguousarray(array), backend=model.backend)


def stream(
    shape: tuple[int, int], classes: int, sights: int, rows: int, rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`rows` streams of `classes` * `sights` pictures in an order of chance: their places
    (rows, T, 2) and the labels (rows, T) that the classes were given in this stream alone."""
    places, labels = [], []
    for _ in range(rows):
        e = drawn_episode(shape, classes, 0, sights, rng)
        order = rng.permutation(len(e.labels))
        places.append(e.queries[order])
        labels.append(e.labels[order])
    return np.stack(places), np.stack(labels)


@dataclass(frozen=True)
class ByStreams:
    """`batches` of an epoch, each of `rows` streams in which `classes` classes are seen `sights`
    times each; a label is told one step after its picture."""

    classes: int = 5
    sights: int = 10
    rows: int = 16
    batches: int = 100

    alone: ClassVar[str] = ""

    def prepared(self, x: np.ndarray, rng: Generator) -> None:
        return None

    def steps(
        self, model: Any, x: np.ndarray, ready: None, rng: Generator, shared: Shared = iter
    ) -> Iterator[tuple[Tensor, int]]:
        sizes = x.shape[:2], self.classes, self.sights, self.rows
        for p, labels in shared(stream(*sizes, rng) for _ in range(self.batches)):
            given = placed(model, x[p[..., 0], p[..., 1]]), placed(model, labels)
            yield model.loss(*given), len(labels)

    def checked(self, model: Any, x: np.ndarray, ready: None) -> dict[str, float]:
        return {}


# -- what is asked ---------------------------------------------------------------------------------

Scores = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ways:
    """tests: {name: (ways, shots)}; each the mean accuracy of `tested` episodes, always the same
    ones, with `queries` pictures of each class to be told; "NAME_interval" is 1.96 standard errors.
    books: the episodes are `books_episode`s, of one query, and (ways, 1)."""

    tests: Mapping[str, tuple[int, int]]
    queries: int = 5
    tested: int = TESTED
    books: bool = False

    def asked(self, model: Any, x: np.ndarray) -> dict[str, float]:
        """Of a `Comparer` on pictures by class x (classes, M, ...)."""

        def scores(examples: np.ndarray, queries: np.ndarray) -> np.ndarray:
            return model.compare(placed(model, examples), placed(model, queries)).numpy()

        with looking(model), no_grad():
            flat = x.reshape(-1, *x.shape[2:])
            parts = range(0, len(flat), AT_ONCE)
            codes = [model.embed(placed(model, flat[n : n + AT_ONCE])).numpy() for n in parts]
            return self.tried(np.concatenate(codes).reshape(*x.shape[:2], -1), scores)

    def tried(self, codes: np.ndarray, scores: Scores) -> dict[str, float]:
        """Of codes (classes, M, D) by scores(examples (W, S, D), queries (Q, D)) -> (Q, W)."""
        found: dict[str, float] = {}
        for name, (ways, shots) in self.tests.items():
            rng, right = Generator(ways * 100 + shots), []
            for _ in range(self.tested):
                if self.books:
                    e = books_episode(codes.shape[:2], ways, rng)
                else:
                    e = drawn_episode(codes.shape[:2], ways, shots, self.queries, rng)
                examples, queries = (codes[p[..., 0], p[..., 1]] for p in (e.examples, e.queries))
                right.append(float((scores(examples, queries).argmax(axis=-1) == e.labels).mean()))
            found[name] = float(np.mean(right))
            found[f"{name}_interval"] = float(1.96 * np.std(right) / np.sqrt(self.tested))
        return found


@dataclass(frozen=True)
class Sights:
    """Accuracy at the first, second ... sight of a class, "sight_1" ..., in `tested` streams."""

    classes: int = 5
    sights: int = 10
    tested: int = 200

    def asked(self, model: Any, x: np.ndarray) -> dict[str, float]:
        places, labels = self.streams(x)
        with looking(model), no_grad():
            guesses = [
                model(
                    placed(model, x[p[..., 0], p[..., 1]]), placed(model, told)
                ).numpy().argmax(axis=-1)
                for p, told in (
                    (places[n : n + 20], labels[n : n + 20]) for n in range(0, len(places), 20)
                )
            ]  # fmt: skip
        return self.by_sight(np.concatenate(guesses) == labels, labels)

    def streams(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return stream(x.shape[:2], self.classes, self.sights, self.tested, Generator(0))

    def by_sight(self, right: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Means of right (N, T) over the n-th occurrences of labels (N, T)."""
        before = np.stack([(labels == k).cumsum(axis=1) for k in range(self.classes)], axis=-1)
        number = np.take_along_axis(before, labels[..., None], axis=-1)[..., 0]
        return {f"sight_{n}": float(right[number == n].mean()) for n in range(1, self.sights + 1)}
