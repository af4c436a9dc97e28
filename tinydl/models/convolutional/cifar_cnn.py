"""The CIFAR-10 network of a book: five convolutions, three linear layers with dropout."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor


class CifarCNN(Module):
    """Convolutions without bias, 'same' padding, each with ReLU; three 2x2 max poolings.

    | layer | output for 32x32x3 | parameters |
    |---|---|---|
    | Conv2d 3x3, ReLU, MaxPool2d 2 | (N, 16, 16, 64) | 1,728 |
    | Conv2d 2x2, ReLU | (N, 16, 16, 128) | 32,768 |
    | Conv2d 2x2, ReLU, MaxPool2d 2 | (N, 8, 8, 128) | 65,536 |
    | Conv2d 1x1, ReLU, MaxPool2d 2 | (N, 4, 4, 256) | 32,768 |
    | Conv2d 1x1, ReLU | (N, 4, 4, 512) | 131,072 |
    | Flatten, Linear, ReLU, Dropout | (N, 1024) | 8,389,632 |
    | Linear, ReLU, Dropout | (N, 512) | 524,800 |
    | Linear, ReLU, Dropout | (N, 256) | 131,328 |
    | Linear | (N, 10) | 2,570 |
    | all | | 9,312,202 |

    x: (N, image_size, image_size, in_channels) float, image_size a multiple of 8; result: logits
    (N, classes). widths, hidden: channels of the convolutions, sizes of the linear layers.

    filter_init: "zeros" is the book's: every convolution then returns 0, ReLU has gradient 0
    there, no filter ever moves, and the linear layers learn nothing but the frequency of the
    classes (loss ln 10 = 2.303). The default repairs that. Raises ConfigError.

    Liu and Mehta, Hands-On Deep Learning Architectures with Python (2019), chapter 4.
    """

    def __init__(
        self,
        image_size: int = 32,
        in_channels: int = 3,
        classes: int = 10,
        widths: Sequence[int] = (64, 128, 128, 256, 512),
        hidden: Sequence[int] = (1024, 512, 256),
        dropout: float = 0.5,
        filter_init: str = "he_normal",
    ) -> None:
        if image_size < 8 or image_size % 8 or len(widths) != 5:
            raise ConfigError(
                f"CifarCNN: needs an image_size that 8 divides and five widths, got {image_size} "
                f"and {tuple(widths)}"
            )

        def conv(c_in: int, c_out: int, kernel_size: int) -> Conv2d:
            return Conv2d(
                c_in, c_out, kernel_size, padding="same", bias=False, weight_init=filter_init
            )

        w1, w2, w3, w4, w5 = widths
        self.features = Sequential(
            *(conv(in_channels, w1, 3), ReLU(), MaxPool2d(2)),
            *(conv(w1, w2, 2), ReLU()),
            *(conv(w2, w3, 2), ReLU(), MaxPool2d(2)),
            *(conv(w3, w4, 1), ReLU(), MaxPool2d(2)),
            *(conv(w4, w5, 1), ReLU()),
        )
        layers: list[Module] = [Flatten()]
        size = (image_size // 8) ** 2 * w5
        for units in hidden:
            layers += [Linear(size, units), ReLU(), Dropout(dropout)]
            size = units
        self.head = Sequential(*layers, Linear(size, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
