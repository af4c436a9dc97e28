"""A small convolutional network that names a spoken word by its spectrum."""

from __future__ import annotations

from collections.abc import Sequence

from ...nn import (
    AdaptiveAvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)
from ...tensor import Tensor

GRID = 4


class KeywordCNN(Module):
    """[conv 3x3, batch norm, ReLU, max pool 2x2] for each of `filters`, means over 4 parts of the
    time by 4 of the bands, dropout, linear.

    | layer | output for 64x32x1, filters 16, 32, 64 | parameters |
    |---|---|---|
    | Conv2d 3x3, BatchNorm, ReLU | (N, 64, 32, 16) | 144 + 32 |
    | MaxPool2d 2 | (N, 32, 16, 16) | 0 |
    | Conv2d 3x3, BatchNorm, ReLU | (N, 32, 16, 32) | 4,608 + 64 |
    | MaxPool2d 2 | (N, 16, 8, 32) | 0 |
    | Conv2d 3x3, BatchNorm, ReLU | (N, 16, 8, 64) | 18,432 + 128 |
    | MaxPool2d 2 | (N, 8, 4, 64) | 0 |
    | AdaptiveAvgPool2d 4, Flatten, Dropout | (N, 1024) | 0 |
    | Linear | (N, 10) | 10,250 |
    | all | | 33,658 |

    x: (N, T, M, 1) float, the logarithms of T spectra of M mel bands (`log_mel`); result: logits
    (N, classes) for `cross_entropy`. T and M may be any numbers of which the poolings leave 4.

    Sainath and Parada, Convolutional neural networks for small-footprint keyword spotting,
    Interspeech 2015, in today's form: batch norm, and means in the place of dense layers. Not one
    mean over everything: what tells an "e" from an "o" is in which bands there is power.
    """

    def __init__(
        self, filters: Sequence[int] = (16, 32, 64), classes: int = 10, dropout: float = 0.3
    ) -> None:
        layers: list[Module] = []
        for before, after in zip((1, *filters), filters, strict=False):
            layers += [
                Conv2d(before, after, 3, padding="same", bias=False),
                BatchNorm(after, momentum=0.9),
                ReLU(),
                MaxPool2d(2),
            ]
        self.features = Sequential(*layers)
        self.mean = Sequential(AdaptiveAvgPool2d(GRID), Flatten())
        self.dropout = Dropout(dropout)
        self.linear = Linear(GRID * GRID * filters[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.mean(self.features(x))))
