"""Layers over regions of interest: no parameters, one result for each box."""

from __future__ import annotations

import numpy as np

from .. import ops
from ..doors import checked
from ..geometry import pair
from ..tensor import Tensor
from .conv import Pair
from .module import Module


class RoiPool(Module):
    """Largest value of each bin of each box, see `tinydl.roi_pool`: x (N, H, W, C), boxes (R, 4)
    and batch_index (R,) -> (R, OH, OW, C).

    Raises ShapeError; the call also DTypeError, IndexRangeError and ConfigError.
    """

    @checked
    def __init__(self, size: Pair, scale: float = 1.0) -> None:
        self.size, self.scale = pair(type(self).__name__, "size", size, 1), scale

    def forward(
        self, x: Tensor, boxes: np.ndarray | Tensor, batch_index: np.ndarray | Tensor
    ) -> Tensor:
        return ops.roi_pool(x, boxes, batch_index, self.size, self.scale)

    def arguments(self) -> str:
        return f"{self.size}, scale={self.scale:g}"


class RoiAlign(RoiPool):
    """Mean of bilinear samples in each bin of each box, see `tinydl.roi_align`: x (N, H, W, C),
    boxes (R, 4) and batch_index (R,) -> (R, OH, OW, C).

    Raises ShapeError; the call also DTypeError, IndexRangeError and ConfigError.
    """

    @checked
    def __init__(
        self, size: Pair, scale: float = 1.0, sampling_ratio: int = 0, aligned: bool = True
    ) -> None:
        super().__init__(size, scale)
        self.sampling_ratio, self.aligned = sampling_ratio, aligned

    def forward(
        self, x: Tensor, boxes: np.ndarray | Tensor, batch_index: np.ndarray | Tensor
    ) -> Tensor:
        return ops.roi_align(
            x, boxes, batch_index, self.size, self.scale, self.sampling_ratio, self.aligned
        )
