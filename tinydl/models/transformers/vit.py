"""A vision transformer: a picture is cut into squares, which are read like the words of a text."""

from __future__ import annotations

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import LayerNorm, LearnedPositions, Linear, Module, Parameter, TransformerEncoderLayer
from ...nn.init import draw
from ...random import Generator, default_generator
from ...tensor import Tensor


class VisionTransformer(Module):
    """Logits (N, classes) of pictures x (N, size, size, channels), size = picture.

    Each square of patch x patch pixels becomes a row by one linear layer; a learned row stands in
    front of them, whose last state is what the classifier sees; positions are learned.

    | layer | output for 32x32x3 | parameters | in letters |
    |---|---|---|---|
    | squares of 4x4x3 in a row | (N, 64, 48) | | T = (picture / patch)^2 |
    | Linear | (N, 64, 96) | 4,704 | (patch^2 C + 1) D |
    | class row in front, positions | (N, 65, 96) | 6,336 | (T + 2) D |
    | 5 encoder blocks, pre-norm, GELU | (N, 65, 96) | 5 x 111,840 | 4 D^2 + 2 D H + 9 D + H |
    | LayerNorm | (N, 65, 96) | 192 | 2 D |
    | Linear of the class row | (N, 10) | 970 | (D + 1) classes |
    | all | | 571,402 | |

    A block is x + attention(norm(x)), then x + W2 gelu(W1 norm(x)), W1 (D, H) with H = hidden.
    dropout: of the attention's weights and of what each part adds, in training. Raises ConfigError;
    the call ShapeError. Dosovitskiy et al. 2021 (arXiv:2010.11929), section 3.1.
    """

    def __init__(
        self,
        picture: int = 32,
        patch: int = 4,
        channels: int = 3,
        classes: int = 10,
        features: int = 96,
        blocks: int = 5,
        heads: int = 4,
        hidden: int = 384,
        dropout: float = 0.0,
        *,
        rng: Generator | None = None,
    ) -> None:
        if not 0 < patch <= picture or picture % patch:
            raise ConfigError(
                f"VisionTransformer: patch must divide picture, got {patch} and {picture}"
            )
        rng = default_generator() if rng is None else rng
        self.picture, self.patch, self.channels = picture, patch, channels
        self.squares = (picture // patch) ** 2
        self.embedding = Linear(patch * patch * channels, features, rng=rng)
        self.beginning = Parameter(draw("uniform", (1, 1, features), rng))
        self.positions = LearnedPositions(self.squares + 1, features, rng=rng)
        self.blocks = [
            TransformerEncoderLayer(
                features, heads, hidden, dropout, activation=ops.gelu, norm_first=True, rng=rng
            )
            for _ in range(blocks)
        ]
        self.norm = LayerNorm(features, 1e-5)
        self.linear = Linear(features, classes, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        h = self._rows(x)
        for block in self.blocks:
            h = block(h)
        return self.linear(self.norm(h[:, 0]))

    def _rows(self, x: Tensor) -> Tensor:
        """What the first block reads, (N, squares + 1, features)."""
        size, P, C = self.picture, self.patch, self.channels
        if x.ndim != 4 or x.shape[1:] != (size, size, C):
            raise ShapeError(
                f"VisionTransformer: x must be (N, {size}, {size}, {C}), got {x.shape}"
            )
        N, side = x.shape[0], size // P
        squares = x.reshape(N, side, P, side, P, C).transpose((0, 1, 3, 2, 4, 5))
        h = self.embedding(squares.reshape(N, self.squares, P * P * C))
        first = ops.broadcast_to(self.beginning, (N, 1, h.shape[2]))
        return self.positions(ops.concat([first, h], 1))

    def attention_maps(self, x: Tensor) -> list[Tensor]:
        """The weights of every block, (N, heads, squares + 1, squares + 1) each: rows are who
        looks, and row and column 0 belong to the class row."""
        h, maps = self._rows(x), []
        for block in self.blocks:
            maps.append(block.attention(block.attention_norm(h), return_weights=True)[1])
            h = block(h)
        return maps

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Of the scores and averages of attention; the linear layers count themselves."""
        read = (x_shape[0], self.squares + 1, self.linear.in_features)
        return sum(block.attention.multiply_adds(read) for block in self.blocks)

    def arguments(self) -> str:
        return f"{self.picture}, patch={self.patch}"
