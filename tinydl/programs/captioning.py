"""Captioning: sentences about pictures, and whether each thing's word looked at the thing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import prepare_colour_image, read_image
from ..errors import ConfigError
from ..experiment.program import Answer, Card, Settings
from ..train import State
from .texts import Texts, load_texts
from .two_players import write_page
from .writing import Writing, WritingTraining


@dataclass(frozen=True)
class Captioning(Writing):
    """`Writing` about pictures (N, H, W, 3) in [0, 1]; the data set is `CaptionParts`.

    Beside "exact" and "bleu" of the captions "inside": of the words that name a thing, in captions
    with as many of them as there are things, the share that looked most at a place whose middle
    lies in the box of that thing; 0 where no caption has them.
    """

    kind: ClassVar[str] = "captioning"
    what: ClassVar[str] = "a network that describes pictures"

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> CaptioningTraining:
        loaded = self.load(recipe, settings) if data is None else data
        return CaptioningTraining(recipe, settings, loaded)

    def answer(self, model: Any, text: str, recipe: Card) -> Answer:
        """The caption of a picture file."""
        texts = load_texts(recipe, "float32")
        picture = prepare_colour_image(read_image(text), *texts.x_train.shape[1:3])
        x = picture[None].astype(np.float32) / 255
        (words,), _ = self.sentences(model, texts, x, [text])
        return Answer(texts.target.join(words))


class CaptioningTraining(WritingTraining):
    """As every network that writes; it also says where it looked."""

    def measure(self, part: str = "test") -> dict[str, float]:
        found = super().measure(part)
        texts = self.texts
        made, weights = self.program.sentences(
            self.model, texts, texts.x_test, texts.parts.test_sources
        )
        return {**found, "inside": inside(texts, made, weights)}

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (LookedAt(folder / "attention.png", self),)


def inside(texts: Texts, made: Sequence[Sequence[str]], weights: Sequence[np.ndarray]) -> float:
    """How often the word of a thing looked most at a place in the thing's box; 0 for no word."""
    parts: Any = texts.parts
    hits = []
    for words, looked, boxes in zip(made, weights, parts.boxes, strict=False):
        named = [t for t, word in enumerate(words) if word in parts.kinds]
        if len(named) == len(boxes):
            for t, (x0, y0, x1, y1) in zip(named, boxes, strict=True):
                x, y = middle_of(int(looked[t].argmax()), looked.shape[1], texts.x_test.shape[2])
                hits.append(x0 <= x <= x1 and y0 <= y <= y1)
    return float(np.mean(hits)) if hits else 0.0


def middle_of(place: int, places: int, side: int) -> tuple[float, float]:
    """x and y of the middle of one of so many places of a square picture, row by row."""
    rows = round(places**0.5)
    return (place % rows + 0.5) * side / rows, (place // rows + 0.5) * side / rows


class LookedAt:
    """A callback that draws, after the last epoch, for the first test pictures a row each: the
    picture, and for every word of its caption the picture lit where the network looked. Without
    Pillow nothing is drawn."""

    def __init__(self, path: Path, training: CaptioningTraining, pictures: int = 4) -> None:
        self.path, self.training, self.pictures = path, training, pictures

    def on_epoch_done(self, state: State) -> None:
        if state.epoch < state.epochs:
            return
        training, texts, n = self.training, self.training.texts, self.pictures
        made, weights = training.program.sentences(
            training.model, texts, texts.x_test[:n], texts.parts.test_sources[:n]
        )
        most, tiles = max(map(len, made)), []
        for x, words, looked in zip(texts.x_test[:n], made, weights, strict=True):
            lit = [lighted(x, row) for row in looked[: len(words)]]
            tiles += [x, *lit, *[np.ones_like(x)] * (most - len(lit))]
        with suppress(ConfigError):  # no library that draws
            write_page(np.stack(tiles), self.path, 1 + most)


def lighted(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3), dark where the weights (S,) of its places are small."""
    rows = round(len(weights) ** 0.5)
    light = (weights / weights.max()).reshape(rows, rows)
    size = len(x) // rows
    return x * (0.2 + 0.8 * np.kron(light, np.ones((size, size))))[..., None].astype(x.dtype)
