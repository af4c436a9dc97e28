"""A siamese network: the same twin looks at two pictures, a judge at the difference."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError
from ...nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential, bce_with_logits
from ...tensor import Tensor
from .encoder import Comparer, conv_encoder


class SiameseNet(Comparer):
    """P(same person) = sigmoid(w . |f(a) - f(b)| + b).

    | twin f | output for 112x92x1 | parameters |
    |---|---|---|
    | Conv2d 6x6, ReLU | (N, 107, 87, 16) | 592 |
    | MaxPool2d 2, Dropout 0.25, Flatten | (N, 36464) | 0 |
    | Linear, ReLU, Dropout 0.1 | (N, 50) | 1,823,250 |
    | judge: Linear of the 50 differences | (N, 1) | 51 |
    | all | | 1,823,893 |

    `judge`: codes (N, D), (N, D) -> logits (N,); `pair_loss`: of two batches of pictures and
    whether they show the same (N,), 0 or 1, the binary cross-entropy. As a `Comparer` it takes for
    a class the best of its examples. Liu and Mehta, Hands-On Deep Learning Architectures with
    Python (2019), chapter 8; after Koch, Zemel and Salakhutdinov 2015. Raises ConfigError,
    ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (112, 92, 1),
        filters: int = 16,
        kernel: int = 6,
        width: int = 50,
        dropout: Sequence[float] = (0.25, 0.1),
    ) -> None:
        rows, columns = ((side - kernel + 1) // 2 for side in picture[:2])
        if min(rows, columns) < 1:
            raise ConfigError(f"SiameseNet: a kernel of {kernel} does not fit {tuple(picture)}")
        self.twin = Sequential(
            Conv2d(picture[2], filters, kernel),
            ReLU(),
            MaxPool2d(2),
            Dropout(dropout[0]),
            Flatten(),
            Linear(rows * columns * filters, width),
            ReLU(),
            Dropout(dropout[1]),
        )
        self.head = Linear(width, 1)

    def embed(self, x: Tensor) -> Tensor:
        return self.twin(x)

    def judge(self, a: Tensor, b: Tensor) -> Tensor:
        return self.head(ops.abs(a - b)).squeeze(-1)

    def compare(self, examples: Tensor, queries: Tensor) -> Tensor:
        ways, shots, width = examples.shape
        both = (ops.expand_dims(queries, 1), examples.reshape(1, ways * shots, width))
        return self.judge(*both).reshape(-1, ways, shots).max(axis=-1)

    def pair_loss(self, first: Tensor, second: Tensor, same: Tensor) -> Tensor:
        return bce_with_logits(self.judge(self.embed(first), self.embed(second)), same)


class ConvSiamese(SiameseNet):
    """The same judge on codes of `conv_encoder`, four convolutions as in prototypical and matching
    networks, so that only the way of learning differs.

    | twin f | output for 28x28x1, 64 filters | parameters |
    |---|---|---|
    | 4 x (3x3 convolution, batch norm, ReLU, maximum 2x2) | (N, 64) | 111,936 |
    | judge: Linear of the differences | (N, 1) | 65 |
    | all | | 112,001 |

    Koch, Zemel and Salakhutdinov 2015 (Siamese neural networks for one-shot image recognition),
    section 3, with larger kernels and a last linear layer. Raises ConfigError, ShapeError.
    """

    def __init__(
        self, picture: Sequence[int] = (28, 28, 1), filters: int = 64, blocks: int = 4
    ) -> None:
        self.twin = conv_encoder(picture, filters, blocks)
        rows, columns = (side // 2**blocks for side in picture[:2])
        self.head = Linear(rows * columns * filters, 1)
