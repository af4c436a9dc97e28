"""LeNet-5: three convolutions, two subsamplings, two linear layers, tanh."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import AvgPool2d, Conv2d, Flatten, Linear, Module, Sequential, Tanh
from ...tensor import Tensor


class LeNet5(Module):
    """C1, S2, C3, S4, C5 and F6 of the paper, then a linear layer for logits.

    | layer | output for 28x28x1 | parameters |
    |---|---|---|
    | C1 Conv2d 5x5, padding 2, tanh | (N, 28, 28, 6) | 156 |
    | S2 AvgPool2d 2 | (N, 14, 14, 6) | 0 |
    | C3 Conv2d 5x5, tanh | (N, 10, 10, 16) | 2,416 |
    | S4 AvgPool2d 2 | (N, 5, 5, 16) | 0 |
    | C5 Conv2d 5x5, tanh | (N, 1, 1, 120) | 48,120 |
    | F6 Linear, tanh | (N, 84) | 10,164 |
    | Linear | (N, 10) | 850 |
    | all | | 61,706 |

    x: (N, image_size, image_size, in_channels) float; result: logits (N, classes) for
    `cross_entropy`. padding: of C1; 2 turns MNIST's 28 pixels into the paper's 32. widths: channels
    of C1, C3, C5 and F6. Raises ConfigError for images too small for C5.

    LeCun, Bottou, Bengio and Haffner 1998, section II.B. Unlike the paper's, S2 and S4 have no
    coefficients, C3 sees all of S2, tanh is not scaled, and the output is no radial basis layer.
    """

    def __init__(
        self,
        image_size: int = 28,
        in_channels: int = 1,
        classes: int = 10,
        widths: Sequence[int] = (6, 16, 120, 84),
        padding: int = 2,
    ) -> None:
        side = ((image_size + 2 * padding - 4) // 2 - 4) // 2
        if side < 1 or len(widths) != 4:
            raise ConfigError(
                f"LeNet5: needs images of at least 16 pixels with their padding and four widths, "
                f"got {image_size} + 2*{padding} and {tuple(widths)}"
            )
        c1, c3, c5, f6 = widths
        self.features = Sequential(
            Conv2d(in_channels, c1, 5, padding=padding),
            Tanh(),
            AvgPool2d(2),
            Conv2d(c1, c3, 5),
            Tanh(),
            AvgPool2d(2),
            Conv2d(c3, c5, side),  # C5 is a convolution that sees all of S4
            Tanh(),
        )
        self.head = Sequential(Flatten(), Linear(c5, f6), Tanh(), Linear(f6, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
