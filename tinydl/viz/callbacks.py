"""A callback that draws: what the model makes of the same input, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..nn import Module
from ..nn.watch import looking
from ..train import State
from .grid import image_grid


class WriteImages:
    """After every `every` epochs, sample(model) as a grid: folder/epoch-0005.png.

    sample: model -> images (N, H, W), (N, H, W, 1) or (N, H, W, 3), see `image_grid`; for example
    reconstructions, or what a generator makes of always the same noise. It runs with dropout off
    and unrecorded, and leaves no trace (`looking`). options: those of
    `image_grid` (columns, titles, inches). Raises ConfigError for every < 1.
    """

    writes = True  # of several ranks only the first

    def __init__(
        self,
        folder: str | Path,
        sample: Callable[[Module], np.ndarray],
        every: int = 1,
        **options: Any,
    ) -> None:
        if every < 1:
            raise ConfigError(f"WriteImages: every must be >= 1, got {every!r}")
        self.folder, self.sample, self.every, self.options = Path(folder), sample, every, options

    def on_epoch_end(self, state: State) -> None:
        if state.epoch % self.every == 0:
            with looking(state.model):
                images = self.sample(state.model)
            self.folder.mkdir(parents=True, exist_ok=True)
            image_grid(images, self.folder / f"epoch-{state.epoch:04d}.png", **self.options)
