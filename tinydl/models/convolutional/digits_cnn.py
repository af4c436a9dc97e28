"""A small convolutional network: three 3x3 convolutions, two poolings, one linear layer."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor


class DigitsCNN(Module):
    """conv 3x3, ReLU, max pool 2x2; conv 3x3, ReLU, max pool 2x2; conv 3x3, ReLU; flatten, dropout,
    linear.

    Convolutions are 'valid' with stride 1, pooling drops an odd last row and column:

    | layer | output for 28x28x1, 64 filters | parameters |
    |---|---|---|
    | Conv2d 3x3, ReLU | (N, 26, 26, 64) | 640 |
    | MaxPool2d 2 | (N, 13, 13, 64) | 0 |
    | Conv2d 3x3, ReLU | (N, 11, 11, 64) | 36,928 |
    | MaxPool2d 2 | (N, 5, 5, 64) | 0 |
    | Conv2d 3x3, ReLU | (N, 3, 3, 64) | 36,928 |
    | Flatten, Dropout | (N, 576) | 0 |
    | Linear | (N, 10) | 5,770 |
    | all | | 80,266 |

    x: (N, image_size, image_size, in_channels) float; result: logits (N, classes) for
    `cross_entropy`. filters: channels of the three convolutions. Raises ConfigError for images
    smaller than 18 pixels.

    Atienza, Advanced Deep Learning with TensorFlow 2 and Keras (2020), listing 1.4.1.
    """

    def __init__(
        self,
        image_size: int = 28,
        in_channels: int = 1,
        filters: Sequence[int] = (64, 64, 64),
        classes: int = 10,
        dropout: float = 0.2,
    ) -> None:
        side = ((image_size - 2) // 2 - 2) // 2 - 2
        if side < 1 or len(filters) != 3:
            raise ConfigError(
                f"DigitsCNN: needs images of at least 18 pixels and three filter counts, got "
                f"{image_size} "
                f"and {tuple(filters)}"
            )
        first, second, third = filters
        self.features = Sequential(
            Conv2d(in_channels, first, 3),
            ReLU(),
            MaxPool2d(2),
            Conv2d(first, second, 3),
            ReLU(),
            MaxPool2d(2),
            Conv2d(second, third, 3),
            ReLU(),
        )
        self.flatten = Flatten()
        self.dropout = Dropout(dropout)
        self.linear = Linear(side * side * third, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.flatten(self.features(x))))
