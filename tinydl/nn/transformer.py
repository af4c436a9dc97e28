"""The parts of a transformer around attention: positions that are learned or rotate, gated layers,
a cache for generation, and the blocks that encoder and decoder are made of."""

from __future__ import annotations

from collections.abc import Callable

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..ops.rotary import rotary
from ..random import Generator, default_generator
from ..tensor import Tensor
from .attention import KeyValueCache, MultiHeadAttention
from .dropout import Dropout
from .init import Initializer, draw
from .linear import Linear, check_size
from .module import Module, Parameter
from .norm import LayerNorm


class LearnedPositions(Module):
    """x plus a trained row for each position: x (N, T, features), T + start <= length -> like x.

    Parameter weight (length, features), first drawn by weight_init ("uniform" within 0.05). Raises
    ConfigError; the call ShapeError. Gehring et al. 2017 (arXiv:1705.03122), section 3.1.
    """

    @checked
    def __init__(
        self,
        length: int,
        features: int,
        *,
        weight_init: str | Initializer = "uniform",
        rng: Generator | None = None,
    ) -> None:
        check_size("LearnedPositions", length=length, features=features)
        self.length, self.features = length, features
        rng = default_generator() if rng is None else rng
        self.weight = Parameter(draw(weight_init, (length, features), rng))

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        if x.ndim != 3 or x.shape[2] != self.features or x.shape[1] + start > self.length:
            raise ShapeError(
                f"LearnedPositions: x must be (N, T, {self.features}) with at most {self.length} "
                f"positions, got {x.shape} from position {start} on"
            )
        return x + self.weight[start : start + x.shape[1]]

    def arguments(self) -> str:
        return f"{self.length}, {self.features}"


class RotaryPositions(Module):
    """Queries or keys turned by their place, see `tinydl.rotary`: x (N, T, heads, size) -> like x.
    No parameters. Raises ShapeError, DTypeError and ConfigError. Su et al. 2021
    (arXiv:2104.09864)."""

    @checked
    def __init__(self, base: float = 10000.0, halves: bool = False) -> None:
        if not base > 0:
            raise ConfigError(f"RotaryPositions: base must be > 0, got {base!r}")
        self.base, self.halves = base, halves

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        return rotary(x, start, -3, self.base, self.halves)

    def arguments(self) -> str:
        return f"{self.base:g}" + (", halves=True" if self.halves else "")


class GLU(Module):
    """a sigmoid(b) of the two halves a and b of the last axis, see `tinydl.glu`. Dauphin et al.
    2017."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.glu(x)


class SwiGLU(Module):
    """The gated feed-forward layer of Llama: down(swish(gate(x)) * up(x)), without biases.

    x (..., features) -> like x; gate and up (features, hidden), down (hidden, features) are Linear
    layers. Raises ConfigError for sizes below 1. Shazeer 2020 (arXiv:2002.05202), equation 6.
    """

    @checked
    def __init__(self, features: int, hidden: int, *, rng: Generator | None = None) -> None:
        check_size("SwiGLU", features=features, hidden=hidden)
        self.features, self.hidden = features, hidden
        self.gate = Linear(features, hidden, bias=False, rng=rng)
        self.up = Linear(features, hidden, bias=False, rng=rng)
        self.down = Linear(hidden, features, bias=False, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(ops.swish(self.gate(x)) * self.up(x))

    def arguments(self) -> str:
        return f"{self.features}, {self.hidden}"


class FeedForward(Module):
    """Two Linear layers with an activation between: features -> hidden -> features."""

    def __init__(
        self, features: int, hidden: int, activation: Callable[[Tensor], Tensor],
        rng: Generator | None,
    ) -> None:  # fmt: skip
        self.activation = activation
        self.first = Linear(features, hidden, rng=rng)
        self.second = Linear(hidden, features, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.activation(self.first(x)))


class TransformerEncoderLayer(Module):
    """Self attention, then two linear layers, each added to what went in.

    norm_first=False (post-norm, Vaswani et al. 2017): x = norm(x + part(x)); True (pre-norm, Xiong
    et al. 2020, arXiv:2002.04745): x = x + part(norm(x)), which trains without a warm-up.
    x (N, T, features), mask, key_mask and causal as in MultiHeadAttention -> like x. dropout acts
    on the weights and on what each part adds, in training. Raises ConfigError; the call ShapeError
    and DTypeError.
    """

    @checked
    def __init__(
        self,
        features: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        *,
        activation: Callable[[Tensor], Tensor] = ops.relu,
        norm_first: bool = False,
        eps: float = 1e-5,
        rng: Generator | None = None,
    ) -> None:
        check_size("TransformerEncoderLayer", features=features, heads=heads, hidden=hidden)
        self.features, self.heads, self.hidden = features, heads, hidden
        self.norm_first = norm_first
        self.attention = MultiHeadAttention(features, heads, dropout=dropout, rng=rng)
        self.attention_norm = LayerNorm(features, eps)
        self.feed = FeedForward(features, hidden, activation, rng)
        self.feed_norm = LayerNorm(features, eps)
        self.dropout = Dropout(dropout, rng)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            return self.attention(x, mask=mask, key_mask=key_mask, causal=causal, cache=cache)

        x = _added(self, attend, self.attention_norm, _present(x, key_mask))
        return _added(self, self.feed, self.feed_norm, x)

    def arguments(self) -> str:
        first = ", norm_first=True" if self.norm_first else ""
        return f"{self.features}, {self.heads}, {self.hidden}{first}"


class TransformerDecoderLayer(Module):
    """Causal self attention, attention to what an encoder has read, then two linear layers.

    x (N, T, features), memory (N, S, features), memory_mask bool (N, S), True where there is
    something to read -> like x. The rest is as in TransformerEncoderLayer. Vaswani et al. 2017
    (arXiv:1706.03762), section 3.1. Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        features: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        *,
        activation: Callable[[Tensor], Tensor] = ops.relu,
        norm_first: bool = False,
        eps: float = 1e-5,
        rng: Generator | None = None,
    ) -> None:
        check_size("TransformerDecoderLayer", features=features, heads=heads, hidden=hidden)
        self.features, self.heads, self.hidden = features, heads, hidden
        self.norm_first = norm_first
        self.attention = MultiHeadAttention(features, heads, dropout=dropout, rng=rng)
        self.attention_norm = LayerNorm(features, eps)
        self.reading = MultiHeadAttention(features, heads, dropout=dropout, rng=rng)
        self.reading_norm = LayerNorm(features, eps)
        self.feed = FeedForward(features, hidden, activation, rng)
        self.feed_norm = LayerNorm(features, eps)
        self.dropout = Dropout(dropout, rng)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        key_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            return self.attention(x, key_mask=key_mask, causal=True, cache=cache)

        def read(x: Tensor) -> Tensor:
            return self.reading(x, memory, key_mask=memory_mask)

        x = _added(self, attend, self.attention_norm, _present(x, key_mask))
        x = _added(self, read, self.reading_norm, x)
        return _added(self, self.feed, self.feed_norm, x)

    def arguments(self) -> str:
        first = ", norm_first=True" if self.norm_first else ""
        return f"{self.features}, {self.heads}, {self.hidden}{first}"


Layer = TransformerEncoderLayer | TransformerDecoderLayer


def _present(x: Tensor, key_mask: Tensor | None) -> Tensor:
    """x (N, T, features), 0 where key_mask (N, T) says that there is nothing, be it NaN."""
    if key_mask is None:
        return x
    return ops.where(ops.expand_dims(key_mask, 2), x, x._lift(0.0))


def _added(layer: Layer, part: Callable[[Tensor], Tensor], norm: Module, x: Tensor) -> Tensor:
    """What a part says, added to what went into it, normalised before or after."""
    if layer.norm_first:
        return x + layer.dropout(part(norm(x)))
    return norm(x + layer.dropout(part(x)))
