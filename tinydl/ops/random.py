"""Dropout. The mask is a pure function of the generator's place, so it is never stored."""

from __future__ import annotations

from ..errors import ConfigError, DTypeError
from ..function import Function
from ..random import default_generator


class Dropout(Function):
    name = "dropout"

    def __init__(self, key, offset, rate):
        self.key, self.offset, self.rate = key, offset, rate

    def forward(self, x):
        return self.backend.dropout(x, self.key, self.offset, self.rate)

    def backward(self, grad):
        return Dropout(self.key, self.offset, self.rate).apply(grad)


def dropout(x, rate, training=True, rng=None):
    """In training: each element is 0 with probability `rate`, else x / (1 - rate); otherwise x
    itself.

    Srivastava et al. 2014, in the "inverted" form, whose expectation is x. Raises ConfigError
    unless 0 <= rate < 1.
    """
    if not 0 <= rate < 1:
        raise ConfigError(f"dropout: rate must be in [0, 1), got {rate!r}")
    if x.dtype.kind != "f":
        raise DTypeError(f"dropout: needs a float tensor, got {x.dtype} {x.shape}")
    if not training or rate == 0:
        return x
    key, offset = (default_generator() if rng is None else rng).take(x.size)
    return Dropout(key, offset, rate).apply(x)
