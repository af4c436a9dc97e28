"""Dropout. The mask is a pure function of the generator's place, so it is never stored."""

from __future__ import annotations

from typing import Never

from ..arguments import flag, probability
from ..doors import generator, unknown_to
from ..function import Function
from ..random import default_generator
from .operands import _require_float


class Dropout(Function):
    name = "dropout"

    def __init__(self, key, offset, rate):
        self.key, self.offset, self.rate = key, offset, rate

    def forward(self, x):
        if self.rate == 1:
            return self.backend.zeros(x.shape, x.dtype)  # nothing is kept, nothing scaled by 1 / 0
        return self.backend.dropout(x, self.key, self.offset, self.rate)

    def backward(self, grad):
        return Dropout(self.key, self.offset, self.rate).apply(grad)


def dropout(x, rate, training=True, rng=None, **unknown: Never):
    """In training: each element is 0 with probability `rate`, else x / (1 - rate); otherwise x
    itself.

    Srivastava et al. 2014, in the "inverted" form, whose expectation is x; with rate 1 all is 0.
    Raises ConfigError unless 0 <= rate <= 1.
    """
    if unknown:
        raise unknown_to(dropout, unknown)
    if type(rate) is not float or not 0 <= rate <= 1:
        rate = probability("dropout", "rate", rate)
    _require_float("dropout", x)
    if training is not True and training is not False:
        training = flag("dropout", "training", training)
    if not training or rate == 0:
        return x
    if rng is not None:
        generator("dropout", "rng", rng)
    key, offset = (default_generator() if rng is None else rng).take(x.size)
    return Dropout(key, offset, rate).apply(x)
