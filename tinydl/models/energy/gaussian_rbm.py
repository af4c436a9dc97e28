"""A restricted Boltzmann machine whose visible units are real numbers."""

from __future__ import annotations

from math import log, pi

from ... import ops
from ...creation import normal
from ...random import Generator
from ...tensor import Tensor
from .rbm import RBM


class GaussianRBM(RBM):
    """E(v, h) = |v - a|^2 / 2 - h.b - v W h for real v (V,) and binary h (H,).

    P(v | h) is a normal distribution about a + h W^T with deviation 1, P(h = 1 | v) = sigmoid(b + v
    W) as before, and F(v) = |v - a|^2 / 2 - sum_j softplus(b + v W)_j: P(v) is a mixture of 2^H
    such normals. Parameters as in `RBM`. Standardise v first; the learning rate has to be ten to a
    hundred times smaller than for bits (section 13.2 of Hinton's guide, with sigma_i = 1).

    Hinton and Salakhutdinov 2006 (Science 313), supporting material.
    """

    def alone(self, v: Tensor) -> Tensor:
        """|v - a|^2 / 2, (N,)."""
        away = v - self.visible_bias
        return (away * away).sum(axis=1) * 0.5

    def visible(self, h: Tensor) -> Tensor:
        """The mean a + h W^T, (N, V)."""
        return self.outputs(h)

    def sample_visible(self, h: Tensor, rng: Generator) -> Tensor:
        mean = self.visible(h)
        return mean + normal(mean.shape, dtype=mean.dtype, rng=rng, backend=mean.backend)

    def log_sum_visible(self, h: Tensor) -> Tensor:
        """log of the integral of e^-E over v, (N,): for c = h W^T it is h.b + (V / 2) log 2 pi +
        a.c + |c|^2 / 2."""
        c = h @ self.weight.transpose()  # [N x H] @ [H x V]
        constant = 0.5 * log(2 * pi) * c.shape[1]
        inner = ops.sum(c * (c * 0.5 + self.visible_bias), axis=1)
        return h @ self.hidden_bias + inner + constant
