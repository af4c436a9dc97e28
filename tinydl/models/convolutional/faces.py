"""Two small networks on faces: where the keypoints are, and where in a picture a face is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError, ShapeError
from ...nn import Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, looking
from ...ops import sigmoid
from ...tensor import Tensor
from ..detection.nms import nms


def _features(in_channels: int, widths: Sequence[int]) -> tuple[list[Module], int]:
    """conv 3x3 'same', ReLU, max pool 2 for each width; how many pixels a cell of the last map
    covers."""
    modules: list[Module] = []
    for width in widths:
        conv = Conv2d(in_channels, width, 3, padding="same", weight_init="he_normal")
        modules += [conv, ReLU(), MaxPool2d(2)]
        in_channels = width
    return modules, 2 ** len(widths)


class KeypointCNN(Module):
    """x (N, size, size, in_channels) -> (N, 2 keypoints): x and y of each, as fractions of size.

    Convolutions, then two linear layers, for `mse` or `smooth_l1`; 155,786 parameters by default.
    Raises ConfigError for a size that 2**len(widths) does not divide. Sun, Wang and Tang 2013 train
    a cascade of such networks on photographs.
    """

    def __init__(
        self,
        size: int = 32,
        in_channels: int = 1,
        keypoints: int = 5,
        widths: Sequence[int] = (16, 32, 64),
        hidden: int = 128,
    ) -> None:
        modules, stride = _features(in_channels, widths)
        if size % stride or size < stride:
            raise ConfigError(f"KeypointCNN: {stride} must divide the size, got {size}")
        self.features = Sequential(*modules, Flatten())
        units = (size // stride) ** 2 * widths[-1]
        self.head = Sequential(
            Linear(units, hidden, weight_init="he_normal"), ReLU(), Linear(hidden, 2 * keypoints)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class FaceDetector(Module):
    """A classifier of patches that is convolutional throughout: on a larger picture it gives one
    logit per place, as if it had been moved over it in steps of 2**len(widths) pixels.

    x (N, H, W, in_channels) -> logits (N, rows, columns), 1 x 1 for a patch of `size` pixels; for
    `bce_with_logits` (1.0: a face). No padding anywhere, so that a patch gives the same alone and
    within a picture. Rowley, Baluja and Kanade 1998 train such a network. Raises ConfigError.
    """

    def __init__(
        self,
        size: int = 38,
        in_channels: int = 1,
        widths: Sequence[int] = (8, 16, 32),
        hidden: int = 32,
    ) -> None:
        modules: list[Module] = []
        side, c = size, in_channels
        for width in widths:
            if side < 4 or side % 2:
                raise ConfigError(f"FaceDetector: a map of {side} cannot be halved, size {size}")
            modules += [Conv2d(c, width, 3, weight_init="he_normal"), ReLU(), MaxPool2d(2)]
            side, c = (side - 2) // 2, width
        self.size, self.stride = size, 2 ** len(widths)
        self.features = Sequential(*modules)
        self.head = Sequential(
            Conv2d(c, hidden, side, weight_init="he_normal"), ReLU(), Conv2d(hidden, 1, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(self.features(x))
        return y.reshape(*y.shape[:3])

    def detect(
        self, image: np.ndarray, score: float = 0.5, overlap: float = 0.3
    ) -> tuple[np.ndarray, np.ndarray]:
        """(boxes (K, 4) as x_min, y_min, x_max, y_max, scores (K,)) in one image (H, W, C).

        Places whose probability is at least `score`, best first, without those that overlap a
        better one by more than `overlap`. Raises ShapeError for an image smaller than a patch.
        """
        if image.ndim != 3 or min(image.shape[:2]) < self.size:
            raise ShapeError(
                f"FaceDetector: needs (H, W, C) of at least {self.size} pixels, got {image.shape}"
            )
        with looking(self):
            x = Tensor(np.ascontiguousarray(image[None]), backend=self.backend)
            chances = sigmoid(self(x)).numpy()[0]
        rows, columns = np.nonzero(chances >= score)
        scores = chances[rows, columns].astype(np.float64)
        corners = np.stack([columns, rows], axis=1) * float(self.stride)
        boxes = np.concatenate([corners, corners + self.size], axis=1)
        kept = nms(boxes, scores, overlap)
        return boxes[kept], scores[kept]
