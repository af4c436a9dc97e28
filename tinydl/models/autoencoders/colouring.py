"""Colours for grey pictures, by an autoencoder that is given less than it has to give back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...nn import mse
from ...tensor import Tensor
from .convolutional import ConvAutoencoder

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


class ColouringAutoencoder(ConvAutoencoder):
    """grey (N, H, W, 1) -> colours (N, H, W, 3), both of 0 to 1.

    | layer | output | for 32x32, (64, 128, 256), 256 |
    |---|---|---|
    | three convolutions 3x3 stride 2, ReLU | (N, H / 8, W / 8, 256) | 369,664 |
    | Flatten, Linear | (N, 256) | 1,048,832 |
    | Linear | (N, H / 8, W / 8, 256) | 1,052,672 |
    | three transposed convolutions 3x3 stride 2, ReLU | (N, H, W, 64) | 958,912 |
    | transposed convolution 3x3, sigmoid | (N, H, W, 3) | 1,731 |
    | all | | 3,431,811 |

    The loss compares colours, and the best answer to a grey that two colours share is their mean:
    pictures come out brownish. Atienza 2018, chapter 3.
    """

    def __init__(
        self,
        image: Sequence[int] = (32, 32),
        channels: Sequence[int] = (64, 128, 256),
        code: int = 256,
    ) -> None:
        super().__init__(image, channels, code, in_channels=1, out_channels=3)

    def loss(self, x: Tensor) -> Tensor:
        """Mean (y - x)^2 for pictures x (N, H, W, 3), which are made grey first."""
        return mse(self(grey(x)), x)


def grey(x: Tensor) -> Tensor:
    """The luminance 0.299 R + 0.587 G + 0.114 B of (..., 3), (..., 1)."""
    weights = Tensor(LUMA.astype(x.dtype), backend=x.backend)
    return (x * weights).sum(axis=-1, keepdims=True)


def chroma(x: np.ndarray) -> np.ndarray:
    """What colours (..., 3) have beside their grey: x - grey(x), in float64."""
    x = np.asarray(x, np.float64)
    if x.shape[-1:] != (3,):
        raise ShapeError(f"chroma: colours must be (..., 3), got {x.shape}")
    return x - (x @ LUMA)[..., None]


def chroma_error(guess: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared difference of the chroma; predicting grey makes it the mean square of the
    truth's chroma."""
    away = chroma(guess) - chroma(truth)
    return float(np.mean(away * away))


class MeanChroma:
    """The baseline: every grey level gets the mean chroma that it has in the training pictures.

    x (N, H, W, 3) of 0 to 1, `levels` of grey; a level without pixels gets none. ConfigError.
    """

    @checked
    def __init__(self, x: np.ndarray, levels: int = 256) -> None:
        if levels < 2:
            raise ConfigError(f"MeanChroma: levels must be >= 2, got {levels}")
        self.levels = levels
        where = self._level(np.asarray(x, np.float64) @ LUMA).ravel()
        counts = np.maximum(np.bincount(where, minlength=levels), 1)
        parts = chroma(x).reshape(-1, 3).T
        sums = [np.bincount(where, part, minlength=levels) for part in parts]
        self.table = np.stack(sums, axis=1) / counts[:, None]  # (levels, 3)

    def _level(self, luminance: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(luminance * (self.levels - 1)), 0, self.levels - 1).astype(np.int64)

    def __call__(self, luminance: np.ndarray) -> np.ndarray:
        """Colours (N, H, W, 3) for grey pictures (N, H, W, 1)."""
        return luminance + self.table[self._level(np.asarray(luminance)[..., 0])]
