"""AlexNet: five convolutions, two of them in two groups, local response normalisation."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import (
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)
from ...tensor import Tensor


class AlexNet(Module):
    """| layer | output for 227x227x3 | parameters |
    |---|---|---|
    | Conv2d 11x11 stride 4, ReLU, norm | (N, 55, 55, 96) | 34,944 |
    | MaxPool2d 3 stride 2 | (N, 27, 27, 96) | 0 |
    | Conv2d 5x5, two groups, ReLU, norm | (N, 27, 27, 256) | 307,456 |
    | MaxPool2d 3 stride 2 | (N, 13, 13, 256) | 0 |
    | Conv2d 3x3, ReLU | (N, 13, 13, 384) | 885,120 |
    | Conv2d 3x3, two groups, ReLU | (N, 13, 13, 384) | 663,936 |
    | Conv2d 3x3, two groups, ReLU | (N, 13, 13, 256) | 442,624 |
    | MaxPool2d 3 stride 2 | (N, 6, 6, 256) | 0 |
    | Dropout, Linear, ReLU | (N, 4096) | 37,752,832 |
    | Dropout, Linear, ReLU | (N, 4096) | 16,781,312 |
    | Linear | (N, 1000) | 4,097,000 |
    | all | | 60,965,224 |

    x: (N, image_size, image_size, in_channels) float; result: logits (N, classes). The paper says
    224, but 11x11 windows at stride 4 fit 55 times into 227. groups=1: every filter sees all
    channels (62,378,344). Raises ConfigError for images below 67 pixels.

    Krizhevsky, Sutskever and Hinton 2012. Weights start He normal here, N(0, 0.01) in the paper.
    """

    def __init__(
        self,
        image_size: int = 227,
        in_channels: int = 3,
        classes: int = 1000,
        widths: Sequence[int] = (96, 256, 384, 384, 256),
        hidden: int = 4096,
        groups: int = 2,
        dropout: float = 0.5,
    ) -> None:
        side = (image_size - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        if side < 1 or len(widths) != 5:
            raise ConfigError(
                f"AlexNet: needs images of at least 67 pixels and five widths, got {image_size} "
                f"and {tuple(widths)}"
            )
        w1, w2, w3, w4, w5 = widths

        def conv(c_in: int, c_out: int, size: int, stride: int, padding: int, parts: int) -> Conv2d:
            return Conv2d(c_in, c_out, size, stride, padding, groups=parts, weight_init="he_normal")

        self.features = Sequential(
            *(conv(in_channels, w1, 11, 4, 0, 1), ReLU(), LocalResponseNorm(5), MaxPool2d(3, 2)),
            *(conv(w1, w2, 5, 1, 2, groups), ReLU(), LocalResponseNorm(5), MaxPool2d(3, 2)),
            *(conv(w2, w3, 3, 1, 1, 1), ReLU()),
            *(conv(w3, w4, 3, 1, 1, groups), ReLU()),
            *(conv(w4, w5, 3, 1, 1, groups), ReLU(), MaxPool2d(3, 2)),
        )
        self.head = Sequential(
            Flatten(),
            *(Dropout(dropout), Linear(side * side * w5, hidden, weight_init="he_normal"), ReLU()),
            *(Dropout(dropout), Linear(hidden, hidden, weight_init="he_normal"), ReLU()),
            Linear(hidden, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
