"""BERT: an encoder that learns to fill gaps in texts, then to judge them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import (
    Dropout,
    Embedding,
    LayerNorm,
    LearnedPositions,
    Linear,
    Module,
    Parameter,
    TransformerEncoderLayer,
    sinusoidal_positions,
)
from ...random import Generator
from ...tensor import Tensor

PAD, CLASS, SEPARATOR, MASK = range(4)
#: What stands in front of every vocabulary: the tokens that no text is made of.
MARKS = ("<pad>", "<class>", "<separator>", "<mask>")
HIDDEN, MASKED, RANDOM = 0.15, 0.8, 0.1
WAVE = 0.08  # of the positions' first values; a token's lie within 0.05


def waves(shape: tuple[int, ...], rng: Generator, dtype: Any) -> np.ndarray:
    """WAVE times `sinusoidal_positions`, (length, features)."""
    return (WAVE * sinusoidal_positions(*shape)).astype(dtype)


class BERT(Module):
    """Logits (N, outputs) of texts x (N, T), T <= length, that begin with CLASS.

    | layer | output for 160 tokens | parameters | in letters |
    |---|---|---|---|
    | Embedding, positions, LayerNorm | (N, 160, 128) | 660,736 | (V + length + 2) D |
    | 2 encoder blocks, post-norm, GELU | (N, 160, 128) | 2 x 198,272 | 4 D^2 + 2 D H + 9 D + H |
    | Linear, tanh of the first row | (N, 128) | 16,512 | D^2 + D |
    | Linear | (N, 1) | 129 | (D + 1) outputs |
    | gaps: Linear, GELU, LayerNorm, product with the embedding + bias | (M, 5,000) | 21,768 |
    D^2 + 3 D + V |
    | all | | 1,095,689 | |

    Devlin, Chang, Lee and Toutanova 2019 (arXiv:1810.04805), section 3; this size, two blocks of
    128: Turc et al. 2019 (arXiv:1908.08962). A token PAD is not there: nothing attends to it.
    `gaps` tells hidden tokens; `tell_shares` spares it learning how frequent each token is. The
    rows of the positions are trained from `waves` on. Left out of the paper: segments and the
    prediction of the next sentence, which a later study found to be no help (Liu et al. 2019,
    arXiv:1907.11692, section 4.2). Raises ConfigError; the calls ShapeError.
    """

    def __init__(
        self,
        vocabulary: int = 5_000,
        features: int = 128,
        blocks: int = 2,
        heads: int = 2,
        hidden: int = 512,
        length: int = 160,
        outputs: int = 1,
        dropout: float = 0.1,
        *,
        rng: Generator | None = None,
    ) -> None:
        if vocabulary <= len(MARKS):
            raise ConfigError(
                f"BERT: vocabulary must hold {len(MARKS)} marks and more, got {vocabulary}"
            )
        self.length = length
        self.embedding = Embedding(vocabulary, features, rng=rng)
        self.positions = LearnedPositions(length, features, weight_init=waves, rng=rng)
        self.norm = LayerNorm(features, 1e-5)
        self.dropout = Dropout(dropout, rng)
        self.blocks = [
            TransformerEncoderLayer(features, heads, hidden, dropout, activation=ops.gelu, rng=rng)
            for _ in range(blocks)
        ]
        self.pooler = Linear(features, features, rng=rng)
        self.linear = Linear(features, outputs, rng=rng)
        self.gap = Linear(features, features, rng=rng)
        self.gap_norm = LayerNorm(features, 1e-5)
        self.gap_bias = Parameter(np.zeros(vocabulary, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        first = self.states(x, x != PAD)[:, 0]
        return self.linear(self.dropout(ops.tanh(self.pooler(first))))

    def states(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        """What the last block says of every token, (N, T, features); there: bool (N, T), False
        where nothing is to be read."""
        if x.ndim != 2 or not 0 < x.shape[1] <= self.length:
            raise ShapeError(
                f"BERT: x must be (N, T) with 1 to {self.length} tokens, got {x.shape}"
            )
        h = self.dropout(self.norm(self.positions(self.embedding(x))))
        for block in self.blocks:
            h = block(h, key_mask=there)
        return h

    def gaps(self, x: Tensor, places: Tensor) -> Tensor:
        """Logits (M, vocabulary) of the tokens that stood at places (M,), counted through x row by
        row, x without PAD; the last layer's weights are the embedding's rows."""
        h = self.states(x)
        rows = ops.gather(h.reshape(h.shape[0] * h.shape[1], h.shape[2]), places)
        rows = self.gap_norm(ops.gelu(self.gap(rows)))
        table = self.embedding.weight.transpose()
        return ops.matmul(rows, table) + self.gap_bias  # [M x D] @ [D x V]

    def tell_shares(self, counts: np.ndarray) -> None:
        """The bias of `gaps` becomes the logarithm of each token's share of counts (vocabulary,),
        one added to every count: what a net says that knows nothing of the text around a gap."""
        bias = self.gap_bias
        if np.shape(counts) != bias.shape:
            raise ShapeError(f"BERT: counts must be {bias.shape}, got {np.shape(counts)}")
        shares = (np.asarray(counts) + 1.0) / (np.sum(counts) + len(counts))
        bias.assign(np.log(shares).astype(bias.dtype))

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Of the scores and averages of attention; the linear layers count themselves."""
        read = (*x_shape, self.linear.in_features)
        return sum(block.attention.multiply_adds(read) for block in self.blocks)

    def arguments(self) -> str:
        return f"length={self.length}"


class Masked(NamedTuple):
    """A batch with gaps: what is read (N, T), the places that are asked (M,), what stood there."""

    x: np.ndarray
    places: np.ndarray
    targets: np.ndarray


def masked(x: np.ndarray, vocabulary: int, rng: Generator, share: float = HIDDEN) -> Masked:
    """Of the tokens (N, T) that are no marks, each is asked for with probability `share`, 0.15 in
    the paper; of those 80 % are replaced by MASK, 10 % by any other token, and 10 % stay as they
    are, so that the network cannot know by MASK where it is asked. One is asked for at least.
    Devlin et al. 2019, section 3.1; ConfigError where there is nothing but marks."""
    flat = x.reshape(-1).copy()
    words = np.flatnonzero(flat >= len(MARKS))
    if not len(words):
        raise ConfigError("masked: the batch holds nothing but marks")
    places = words[rng.uniform(len(words)) < share]
    places = words[:1] if not len(places) else places
    targets = flat[places]
    how = rng.uniform(len(places))
    flat[places[how < MASKED]] = MASK
    other = (how >= MASKED) & (how < MASKED + RANDOM)
    flat[places[other]] = rng.integers(len(MARKS), vocabulary, int(other.sum()))
    return Masked(flat.reshape(x.shape), places, targets)
