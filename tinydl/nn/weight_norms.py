"""Layers whose weight is computed from what is trained: spectral norm, weight norm, equalised rate.

A wrapper keeps the layer, `SpectralNorm(Conv2d(3, 8, 3))`, and at each call lets a shallow copy of
it work with the computed weight. It takes any layer with one `weight` whose last axis numbers the
outputs: Linear, Conv1d, Conv2d. What is trained and saved is `layer.weight`, `layer.bias` and the
wrapper's own tensors.
"""

from __future__ import annotations

from copy import copy
from math import prod

import numpy as np

from .. import ops
from ..arguments import whole
from ..doors import checked
from ..errors import ConfigError
from ..function import no_grad
from ..random import Generator, default_generator
from ..tensor import Tensor
from .module import Buffer, Module, Parameter


class Reparametrized(Module):
    """A layer that works with the weight which `normalized` computes."""

    layer: Module

    @checked
    def __init__(self, layer: Module) -> None:
        weight = getattr(layer, "weight", None)
        if not isinstance(weight, Parameter) or weight.ndim < 2:
            raise ConfigError(
                f"{type(self).__name__}: the layer needs a weight of at least two axes, got "
                f"{type(layer).__name__}"
            )
        self.layer = layer

    def normalized(self) -> Tensor:
        """The weight that the layer works with, like layer.weight."""
        raise NotImplementedError(f"{type(self).__name__} has no normalized")

    def forward(self, x: Tensor) -> Tensor:
        working = copy(self.layer)
        working.weight = self.normalized()  # type: ignore[attr-defined]
        y = working(x)
        if hasattr(working, "last_activity"):
            self.layer.last_activity = working.last_activity  # type: ignore[attr-defined]
        return y


def _columns(weight: Tensor) -> Tensor:
    """(..., F) as a matrix (K, F): one column for each output."""
    return ops.reshape(weight, (-1, weight.shape[-1]))


class WeightNorm(Reparametrized):
    """w = gain * v / |v| for each output: length and direction of its weights are trained apart.

    v is layer.weight (..., F), gain (F,) a parameter, first |v|: at first the layer computes what
    it did. |v| is the Euclidean norm over all axes but the last. An output with v = 0 has no
    direction: its weights and gradients are NaN, as in PyTorch. Salimans and Kingma 2016 (arXiv
    1602.07868, equation 2). Raises ConfigError unless the layer has a weight.
    """

    @checked
    def __init__(self, layer: Module) -> None:
        super().__init__(layer)
        with no_grad():
            length = self._length()
        self.gain = Parameter(length.numpy().copy(), backend=length.backend)

    def _length(self) -> Tensor:
        return ops.norm(_columns(self.layer.weight), axis=0)  # type: ignore[attr-defined]

    def normalized(self) -> Tensor:
        """gain * v / |v|."""
        return self.layer.weight * (self.gain / self._length())  # type: ignore[attr-defined]


class EqualizedRate(Reparametrized):
    """w = gain W / sqrt(K), W drawn anew from N(0, 1): all layers learn at one rate.

    K is how many numbers an output is made of, all axes of layer.weight (..., F) but the last; gain
    sqrt(2) keeps the variance through a ReLU (He et al. 2015). What He's first weights do once, the
    factor does at every call: the trained numbers of a wide and a narrow layer are of one size, so
    that steps of one size, as Adam's are, change both by the same share. Karras et al. 2018
    (arXiv:1710.10196), section 4.1. Raises ConfigError unless the layer has a weight.
    """

    @checked
    def __init__(self, layer: Module, gain: float = 2**0.5, rng: Generator | None = None) -> None:
        super().__init__(layer)
        if not 0 < gain < float("inf"):
            raise ConfigError(f"EqualizedRate: gain must be > 0 and finite, got {gain!r}")
        weight: Parameter = layer.weight  # type: ignore[attr-defined]
        rng = default_generator() if rng is None else rng
        weight.assign(rng.normal(weight.shape, dtype=weight.dtype))
        self.gain = gain

    def normalized(self) -> Tensor:
        """gain W / sqrt(K)."""
        weight: Parameter = self.layer.weight  # type: ignore[attr-defined]
        return weight * (self.gain / prod(weight.shape[:-1]) ** 0.5)


class SpectralNorm(Reparametrized):
    """w = W / sigma, sigma the largest singular value of W: the layer stretches no vector.

    W is layer.weight (..., F) as a matrix (K, F). sigma = v^T W u with the unit vectors u (F,) and
    v (K,), buffers, which each call in training moves on by `iterations` steps of the power method:
    u = W^T v / |W^T v|, v = W u / |W u|. In eval they stand still. The gradient takes u and v for
    constants, d sigma / dW = v u^T (Miyato et al. 2018, arXiv 1802.05957, equation 10). They begin
    at random and take `first_iterations` steps at once, as in PyTorch. Raises ConfigError.

    eps: the least length that a vector is divided by.
    """

    @checked
    def __init__(
        self,
        layer: Module,
        iterations: int = 1,
        first_iterations: int = 15,
        eps: float = 1e-12,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(layer)
        for name, steps in (("iterations", iterations), ("first_iterations", first_iterations)):
            whole("SpectralNorm", name, steps, 1, 10_000)
        if not eps > 0:
            raise ConfigError(f"SpectralNorm: eps must be > 0, got {eps!r}")
        self.iterations, self.eps = iterations, eps
        rng = default_generator() if rng is None else rng
        weight = layer.weight  # type: ignore[attr-defined]
        K, F = _columns(weight.detach()).shape
        self.u = Buffer(_unit(rng.normal((F,), dtype=weight.dtype)), backend=weight.backend)
        self.v = Buffer(_unit(rng.normal((K,), dtype=weight.dtype)), backend=weight.backend)
        self._iterate(first_iterations)

    def _iterate(self, steps: int) -> None:
        with no_grad():
            W = _columns(self.layer.weight.detach())  # type: ignore[attr-defined]
            u, v = self._vectors()
            for _ in range(steps):
                u = ops.l2_normalize(v @ W, eps=self.eps)  # [1 x K] @ [K x F]
                v = ops.l2_normalize(W @ u, eps=self.eps)  # [K x F] @ [F x 1]
            self.u.update(u)
            self.v.update(v)

    def _vectors(self) -> tuple[Tensor, Tensor]:
        """u and v as they are now: a later step of the power method does not touch them, so that a
        graph of two calls (real and generated images) can be walked back."""
        return self.u._new(self.u.data, self.u.backend), self.v._new(self.v.data, self.v.backend)

    def normalized(self) -> Tensor:
        """W / sigma; in training after the next steps of the power method."""
        if self.training:
            self._iterate(self.iterations)
        u, v = self._vectors()
        W = self.layer.weight  # type: ignore[attr-defined]
        return W / ops.sum(v * (_columns(W) @ u))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x)
