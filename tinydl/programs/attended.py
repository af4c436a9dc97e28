"""Where a vision transformer looked, drawn when it is trained."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..attribution import attention_rollout
from ..errors import ConfigError
from ..nn import looking
from ..tensor import Tensor
from ..train import State
from ..viz import image_grid

SHOWN = 10  # pictures on the page
DARKEST = 0.15  # of its own light is left to a pixel that nothing looked at


class AttentionPage:
    """A callback that draws, after the last epoch, test pictures (above), what the class row of the
    last block looks at (middle) and what has come to it through all blocks (below): the brighter,
    the more. Without matplotlib nothing is drawn."""

    def __init__(self, path: Path, pictures: np.ndarray) -> None:
        self.path, self.pictures = path, pictures[:SHOWN]

    def on_epoch_done(self, state: State) -> None:
        if state.epoch < state.epochs:
            return
        with suppress(ConfigError):  # no library that draws
            rows = [
                self.pictures,
                *(lit(self.pictures, m) for m in looked_at(state.model, self.pictures)),
            ]
            image_grid(np.concatenate(rows), self.path, columns=len(self.pictures))


def looked_at(model: Any, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of each square in what the class row reads, (N, side, side) each: in the last
    block, the mean over its heads, and by `attention_rollout`."""
    with looking(model):
        found = model.attention_maps(Tensor(pictures, backend=model.backend))
        maps = [weights.numpy() for weights in found]
    both = maps[-1].mean(axis=1), attention_rollout(maps)
    side = model.picture // model.patch
    last, rolled = (m[:, 0, 1:].reshape(-1, side, side) for m in both)
    return last, rolled


def lit(pictures: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C), each square as bright as its share of (N, side, side) beside the
    largest of its picture."""
    light = shares / np.maximum(shares.max(axis=(1, 2), keepdims=True), 1e-30)
    times = pictures.shape[1] // shares.shape[1]
    whole = light.repeat(times, axis=1).repeat(times, axis=2)[..., None]
    return pictures * (DARKEST + (1 - DARKEST) * whole).astype(pictures.dtype)
