"""What CapsNet stands beside: the same convolutions, and numbers where it has capsules."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...nn import Conv2d, Linear, Module
from ...tensor import Tensor


class TwoConvolutions(Module):
    """conv, ReLU; conv, ReLU; flatten; linear, ReLU; linear.

    | layer | output for 28x28x1 | parameters |
    |---|---|---|
    | Conv2d 5x5, stride 2, ReLU | (N, 12, 12, 64) | 1,664 |
    | Conv2d 5x5, stride 2, ReLU | (N, 4, 4, 64) | 102,464 |
    | Linear, ReLU | (N, 158) | 161,950 |
    | Linear | (N, 10) | 1,590 |
    | all | | 267,668 |

    x (N, *picture) float -> logits (N, classes) for `cross_entropy`; `features` gives what the last
    layer sees. Arguments as in `CapsNet`, hidden: the width of the linear layer: the small CapsNet
    of `capsnet-mnist` has 267,968 parameters without its decoder.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        classes: int = 10,
        filters: Sequence[int] = (64, 64),
        kernels: Sequence[int] = (5, 5),
        strides: Sequence[int] = (2, 2),
        hidden: int = 158,
    ) -> None:
        height, width, channels = picture
        for kernel, stride in zip(kernels, strides, strict=True):
            height, width = ((side - kernel) // stride + 1 for side in (height, width))
        self.first = Conv2d(channels, filters[0], kernels[0], stride=strides[0])
        self.second = Conv2d(filters[0], filters[1], kernels[1], stride=strides[1])
        self.hidden = Linear(height * width * filters[1], hidden)
        self.head = Linear(hidden, classes)

    def features(self, x: Tensor) -> Tensor:
        """(N, hidden)."""
        maps = ops.relu(self.second(ops.relu(self.first(x))))
        return ops.relu(self.hidden(maps.reshape(len(x), -1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
