"""Adversarial training of what makes one kind of picture of another: Pix2Pix, CycleGAN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data.two_kinds import TwoKinds
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Settings
from ..metrics import confusion_matrix
from ..models import CycleGAN
from ..random import Generator
from ..tensor import Tensor
from .judge import Judge
from .two_players import SampleGrids, TwoPlayers, TwoPlayersTraining, write_page

AT_ONCE, PAGE = 200, 20


@dataclass(frozen=True)
class Translating(TwoPlayers):
    """model(**architecture): a `Translator` from the first of two kinds of pictures to the second.

    An epoch is one pass over the smaller training part in a new order, the other kind's pictures
    in an order of their own, or, where they are paired, in the same. pad: border of -1 around both.
    pool: how many older generated pictures of either kind a `CycleGAN`'s critics are shown again
    (0: none); where it is full, every second new one takes an old one's place, which the critic
    sees instead. tested: how many test pictures are looked at, the first ones. judge: the recipe of
    a classifier of the second kind; shrink: by this its pictures are smaller, means of so many
    pixels each way; threshold: those above it are 1 and all others 0 (None: as they are).

    The score is "agreement", how often the judge names the class that the picture was translated
    of; beside it, for pairs, "l1", the mean |y - G(x)| of pixels in [0, 1], for others "cycle_l1",
    |x - F(G(x))|. Beside both "real_agreement", what the judge says of real pictures of the second
    kind.
    """

    judge: Recipe | None = None
    pad: int = 0
    pool: int = 0
    shrink: int = 1
    threshold: float | None = None
    tested: int = 2_000
    score: str = "agreement"

    kind: ClassVar[str] = "translating"
    what: ClassVar[str] = "a translator of pictures"
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    abilities: ClassVar[frozenset[str]] = frozenset()

    def load(self, recipe: Card, settings: Settings) -> Translated:
        return Translated(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> TranslatingTraining:
        loaded = self.load(recipe, settings) if data is None else data
        return TranslatingTraining(recipe, settings, loaded)

    def is_share(self, measure: str) -> bool:
        return measure.endswith("agreement")


class Translated:
    """Both kinds as the networks take them, and their judge."""

    def __init__(self, recipe: Card, settings: Settings) -> None:
        self.program: Translating = recipe.program
        kinds: TwoKinds = load_dataset(recipe.dataset)
        self.paired, dtype = kinds.paired, settings.dtype
        trained, tested = recipe.samples or (None, self.program.tested)
        sides, most = (kinds.first, kinds.second), min(tested, self.program.tested)
        self.train = [self._shaped(side.x_train[:trained], dtype) for side in sides]
        self.test = [self._shaped(side.x_test[:most], dtype) for side in sides]
        self.labels = [side.y_test[:most] for side in sides]
        self.classes = kinds.second.classes
        self.whole = None if kinds.whole is None else self._shaped(kinds.whole[:most], dtype)
        self.judge = None if self.program.judge is None else Judge(self.program.judge, settings)

    def _shaped(self, pictures: np.ndarray, dtype: str) -> np.ndarray:
        pad, x = self.program.pad, 2 * pictures.astype(dtype) - 1
        border = ((0, 0), (pad, pad), (pad, pad), (0, 0))
        return np.ascontiguousarray(np.pad(x, border, constant_values=-1))

    def plain(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures of the networks as the judge takes them: in [0, 1], no border, smaller."""
        pad, k = self.program.pad, self.program.shrink
        x = (pictures + 1) / 2
        x = x[:, pad:-pad, pad:-pad] if pad else x
        N, H, W, C = x.shape
        x = x.reshape(N, H // k, k, W // k, k, C).mean(axis=(2, 4), dtype=np.float64)
        if self.program.threshold is not None:
            x = x > self.program.threshold
        return x.astype(np.float32)

    def named(self, pictures: np.ndarray) -> np.ndarray:
        """The classes that the judge sees in pictures of the second kind."""
        if self.judge is None:
            raise ConfigError("translating: the recipe names no judge")
        found = self.judge.see(self.plain(pictures)).classes
        return np.zeros(0, np.int64) if found is None else found


class Pool:
    """Generated pictures of either kind that critics are shown again, kept in checkpoints.

    Shrivastava et al. 2017 (arXiv:1612.07828), as Zhu et al. 2017 use it.
    """

    lr = 0.0  # a member of a Group beside optimisers

    def __init__(self, size: int, shapes: Sequence[tuple[int, ...]], dtype: str) -> None:
        self.pictures = [np.zeros((size, *shape), dtype) for shape in shapes]
        self.size, self.count = size, 0

    def exchanged(self, fresh: Sequence[np.ndarray], rng: Generator) -> list[np.ndarray]:
        """What the critics see in place of `fresh`, one batch of each kind."""
        shown = [pictures.copy() for pictures in fresh]
        for k in range(len(fresh[0])):
            if self.count < self.size:
                for kept, pictures in zip(self.pictures, fresh, strict=True):
                    kept[self.count] = pictures[k]
                self.count += 1
            elif rng.uniform() < 0.5:
                place = int(rng.integers(0, self.size))
                for kept, pictures, out in zip(self.pictures, fresh, shown, strict=True):
                    out[k] = kept[place]
                    kept[place] = pictures[k]
        return shown

    def state_dict(self) -> dict[str, dict[str, Any]]:
        arrays = {f"kind{i}": pictures.copy() for i, pictures in enumerate(self.pictures)}
        return {"scalars": {"count": self.count}, "arrays": arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        count, arrays = state["scalars"].get("count"), state["arrays"]
        own = {f"kind{i}": pictures for i, pictures in enumerate(self.pictures)}
        fits = set(arrays) == set(own) and all(arrays[k].shape == own[k].shape for k in own)
        if not isinstance(count, int) or not 0 <= count <= self.size or not fits:
            raise ConfigError(f"Pool: the state is of no pool of {self.size} such pictures")
        self.count = count
        for name, pictures in own.items():
            pictures[...] = arrays[name]


class TranslatingTraining(TwoPlayersTraining):
    """Batches of both kinds; streams for their order, for the pool, for the networks' noise."""

    def __init__(self, recipe: Card, settings: Settings, data: Translated) -> None:
        self.kinds = data
        super().__init__(recipe, settings)

    def kept(self) -> dict[str, Any]:
        if not self.program.pool:
            return {}
        if not isinstance(self.model, CycleGAN):
            raise ConfigError(f"recipe {self.recipe.name}: only a CycleGAN's critics have a pool")
        shapes = [x.shape[1:] for x in reversed(self.kinds.train)]
        self.pool = Pool(self.program.pool, shapes, self.settings.dtype)
        return {"pool": self.pool}

    def data_streams(self) -> dict[str, Any]:
        return {"order": self.generator.spawn(), "pool": self.generator.spawn()}

    def housed(self, folder: Path) -> None:
        if self.kinds.judge is not None:
            self.kinds.judge.live_in(folder)

    def batches(self) -> Iterator[list[Tensor]]:
        sides, size, order = self.kinds.train, self.program.batch_size, self.streams["order"]
        count = min(map(len, sides))
        places = [order.permutation(len(sides[0]))]
        places.append(places[0] if self.kinds.paired else order.permutation(len(sides[1])))
        for n in range(0, count - size + 1, size):
            rows = [side[p[n : n + size]] for side, p in zip(sides, places, strict=True)]
            yield [Tensor(pictures, backend=self.model.backend) for pictures in rows]

    def critic_loss(self, batch: Sequence[Tensor]) -> Tensor:
        if not self.program.pool:
            return super().critic_loss(batch)
        model: Any = self.model
        fresh = [fake.numpy() for fake in model.fakes(*batch)]
        fresh = [self.parallel.gathered(pictures) for pictures in fresh]
        shown = map(self.parallel.kept, self.pool.exchanged(fresh, self.streams["pool"]))
        fakes = tuple([Tensor(pictures, backend=model.backend) for pictures in shown])
        return model.critic_loss(*batch, self.noise(), fakes)

    def generator_loss(self, batch: Sequence[Tensor]) -> Tensor:
        model: Any = self.model
        return model.generator_loss(*batch, self.noise())

    def translated(self, x: np.ndarray, back: bool = False) -> np.ndarray:
        """G(x) for pictures of the first kind, or F(x) for pictures of the second."""
        model: Any = self.model
        way = model.translate_back if back else model.translate
        parts = [x[n : n + AT_ONCE] for n in range(0, len(x), AT_ONCE)]
        return np.concatenate([way(Tensor(part, backend=model.backend)).numpy() for part in parts])

    def looked_at(self) -> dict[str, float]:
        x, y = self.kinds.test
        made = self.translated(x)
        found = {"agreement": self.agreement(made)}
        if self.kinds.paired:
            return {**found, "l1": away(made, y)}
        if isinstance(self.model, CycleGAN):
            found["cycle_l1"] = away(self.translated(made, back=True), x)
        return found

    def agreement(self, made: np.ndarray, side: int = 0) -> float:
        """How often the judge names the classes of the test pictures of a kind."""
        return float((self.kinds.named(made) == self.kinds.labels[side]).mean())

    def exchanges(self) -> np.ndarray:
        """(classes, classes): of what class a test picture was, and what its translation is."""
        named = self.kinds.named(self.translated(self.kinds.test[0]))
        return confusion_matrix(self.kinds.labels[0], named, len(self.kinds.classes))

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        _, y = self.kinds.test
        return {**self.looked_at(), "real_agreement": self.agreement(y, side=1)}

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (SampleGrids(folder / "samples", self),)

    def draw(self, model: Any, path: Path, rng: Generator) -> None:
        """A page of test pictures, what is made of them, and below, for pairs, what should be, for
        others what comes back; ConfigError without Pillow."""
        x, y = (side[:PAGE] for side in self.kinds.test)
        made = self.translated(x)
        rows = [x, made, y if self.kinds.paired else self.translated(made, back=True)]
        halves = [row[n : n + PAGE // 2] for n in (0, PAGE // 2) for row in rows]
        write_page((np.concatenate(halves) + 1) / 2, path, PAGE // 2)

    def split(self) -> str:
        return f"the first {len(self.kinds.test[0]):,} test pictures"


def away(a: np.ndarray, b: np.ndarray) -> float:
    """The mean |a - b| of pixels in [-1, 1], as of pixels in [0, 1]."""
    return float(np.abs(a - b).mean(dtype=np.float64) / 2)
