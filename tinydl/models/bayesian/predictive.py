"""What networks that doubt share: draws, the mean of what they say, what that leaves open."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ... import ops
from ...arguments import whole
from ...function import no_grad
from ...nn import Module
from ...random import Generator
from ...tensor import Tensor


class Doubting(Module):
    """P(class | x) = 1/S sum_s softmax(f(x; w_s)), w_s drawn from q(w): the posterior predictive.

    Subclasses say

    - draw(x, rng) -> logits (N, classes) of a network that is drawn from q
    - loss(x, labels, rng, of) -> what training lowers, of a batch of a data set of `of` samples
    - forward(x) -> logits of one settled network amid q: the point estimate to compare with
    - by_row: whether every row of x has a network of its own, or all have the same
    """

    by_row: ClassVar[bool] = False

    def draw(self, x: Tensor, rng: Generator) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} draws no network")

    def loss(self, x: Tensor, labels: Tensor, rng: Generator, of: int) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no loss")

    def probabilities(self, x: Tensor, samples: int, rng: Generator) -> np.ndarray:
        """(samples, N, classes): what each of `samples` drawn networks says. Their mean over the
        first axis is the posterior predictive. ConfigError for samples < 1."""
        whole(f"{type(self).__name__}.probabilities", "samples", samples, 1)
        with no_grad():
            return np.stack([ops.softmax(self.draw(x, rng)).numpy() for _ in range(samples)])


def uncertainty(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, I), both (N,) in nats, of what S networks say, (S, N, C).

    H, the entropy of their mean, is all that is uncertain. I = H - (mean entropy of each) is the
    part in which they contradict each other, the mutual information of class and weights: what more
    data would take away; the rest is in the samples themselves. Houlsby et al. 2011
    (arXiv:1112.5745), equation 2.
    """
    total = entropy(probabilities.mean(axis=0, dtype=np.float64))
    return total, total - entropy(probabilities).mean(axis=0)


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """-sum_c p_c log p_c over the last axis, in nats; 0 log 0 is 0."""
    p = probabilities.astype(np.float64)
    return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1)
