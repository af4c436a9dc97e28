"""VGG: stacks of 3x3 convolutions between 2x2 max poolings."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor

VGG16, VGG19 = (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)  # convolutions before each pooling


class VGG(Module):
    """depths[i] convolutions 3x3 with widths[i] channels and ReLU, then MaxPool2d 2; for each i.

    | layer | output for 224x224x3, VGG16 | parameters |
    |---|---|---|
    | 2 Conv2d 3x3, MaxPool2d 2 | (N, 112, 112, 64) | 38,720 |
    | 2 Conv2d 3x3, MaxPool2d 2 | (N, 56, 56, 128) | 221,440 |
    | 3 Conv2d 3x3, MaxPool2d 2 | (N, 28, 28, 256) | 1,475,328 |
    | 3 Conv2d 3x3, MaxPool2d 2 | (N, 14, 14, 512) | 5,899,776 |
    | 3 Conv2d 3x3, MaxPool2d 2 | (N, 7, 7, 512) | 7,079,424 |
    | Flatten, Linear, ReLU, Dropout | (N, 4096) | 102,764,544 |
    | Linear, ReLU, Dropout | (N, 4096) | 16,781,312 |
    | Linear | (N, 1000) | 4,097,000 |
    | all | | 138,357,544 |

    VGG19 (depths (2, 2, 4, 4, 4)) has 143,667,240. x: (N, image_size, image_size, in_channels)
    float; result: logits (N, classes). Raises ConfigError unless image_size is a multiple of
    2**len(depths).

    Simonyan and Zisserman 2014 (arXiv 1409.1556), table 1, columns D and E.
    """

    def __init__(
        self,
        depths: Sequence[int] = VGG16,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        hidden: int = 4096,
        image_size: int = 224,
        in_channels: int = 3,
        classes: int = 1000,
        dropout: float = 0.5,
    ) -> None:
        side, rest = divmod(image_size, 2 ** len(depths))
        if rest or side < 1 or len(depths) != len(widths):
            raise ConfigError(
                f"VGG: needs as many widths as depths and an image_size that 2**{len(depths)} "
                f"divides, got {tuple(depths)}, {tuple(widths)} and {image_size}"
            )
        layers: list[Module] = []
        c = in_channels
        for depth, width in zip(depths, widths, strict=True):
            for _ in range(depth):
                layers += [Conv2d(c, width, 3, padding=1, weight_init="he_normal"), ReLU()]
                c = width
            layers.append(MaxPool2d(2))
        self.features = Sequential(*layers)
        self.head = Sequential(
            Flatten(),
            *(Linear(side * side * c, hidden, weight_init="he_normal"), ReLU(), Dropout(dropout)),
            *(Linear(hidden, hidden, weight_init="he_normal"), ReLU(), Dropout(dropout)),
            Linear(hidden, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
