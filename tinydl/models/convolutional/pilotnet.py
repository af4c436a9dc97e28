"""PilotNet: from a camera's picture to a steering command."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import Conv2d, Flatten, Linear, Module, ReLU, Sequential
from ...tensor import Tensor

#: (channels, kernel size, stride) of the five convolutions.
LAYERS = ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))


class PilotNet(Module):
    """| layer | output for 66x200x3 | parameters |
    |---|---|---|
    | 2 x - 1 | (N, 66, 200, 3) | 0 |
    | Conv2d 5x5 stride 2, ReLU | (N, 31, 98, 24) | 1,824 |
    | Conv2d 5x5 stride 2, ReLU | (N, 14, 47, 36) | 21,636 |
    | Conv2d 5x5 stride 2, ReLU | (N, 5, 22, 48) | 43,248 |
    | Conv2d 3x3, ReLU | (N, 3, 20, 64) | 27,712 |
    | Conv2d 3x3, ReLU | (N, 1, 18, 64) | 36,928 |
    | Flatten, Linear, ReLU | (N, 100) | 115,300 |
    | Linear, ReLU | (N, 50) | 5,050 |
    | Linear, ReLU | (N, 10) | 510 |
    | Linear | (N,) | 11 |
    | all | | 252,219 |

    x: (N, height, width, in_channels) float in [0, 1]; result: the inverse turning radius (N,), for
    `mse`; scale targets to about 1. (The paper's figure says 1164 numbers after Flatten; they are
    1152. The book has it predict acceleration as well; the paper predicts steering only.) Raises
    ConfigError for images that are too small.

    Bojarski et al. 2016 (arXiv 1604.07316), figure 4.
    """

    def __init__(
        self,
        height: int = 66,
        width: int = 200,
        in_channels: int = 3,
        layers: Sequence[tuple[int, int, int]] = LAYERS,
        hidden: Sequence[int] = (100, 50, 10),
    ) -> None:
        modules: list[Module] = []
        c, rows, columns = in_channels, height, width
        for channels, size, stride in layers:
            modules += [Conv2d(c, channels, size, stride, weight_init="he_normal"), ReLU()]
            rows, columns = (rows - size) // stride + 1, (columns - size) // stride + 1
            c = channels
        if min(rows, columns) < 1:
            raise ConfigError(f"PilotNet: images of {height} x {width} are too small")
        self.features = Sequential(*modules, Flatten())
        head: list[Module] = []
        units = rows * columns * c
        for width_ in hidden:
            head += [Linear(units, width_, weight_init="he_normal"), ReLU()]
            units = width_
        self.head = Sequential(*head, Linear(units, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x * 2.0 - 1.0)).reshape(-1)
