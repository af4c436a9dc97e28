"""A fully connected layer whose every weight is a Gaussian, and the priors that it may have."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log, pi
from typing import NamedTuple

import numpy as np

from ... import ops
from ...creation import normal
from ...nn import Module, Parameter, init
from ...nn.init import Initializer
from ...nn.linear import check_size
from ...random import Generator, default_generator
from ...tensor import Tensor


class Drawn(NamedTuple):
    """w = mean + std noise, with what it was drawn from; all of one shape."""

    w: Tensor
    mean: Tensor
    std: Tensor


def log_normal(w: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """log N(w; mean, std^2), element by element."""
    z = (w - mean) / std
    return z * z * -0.5 - (ops.log(std) if isinstance(std, Tensor) else log(std)) - log(2 * pi) / 2


@dataclass(frozen=True)
class Normal:
    """The prior N(0, std^2) of every weight by itself; its divergence is in closed form."""

    std: float = 1.0

    def divergence(self, drawn: Drawn) -> Tensor:
        """KL(N(m, s^2) || N(0, s0^2)) = log(s0 / s) + (s^2 + m^2) / (2 s0^2) - 1/2, summed."""
        mean, std = drawn.mean * (1 / self.std), drawn.std * (1 / self.std)
        return ops.sum((std * std + mean * mean - 1) * 0.5 - ops.log(std))


@dataclass(frozen=True)
class ScaleMixture:
    """The prior share N(0, wide^2) + (1 - share) N(0, narrow^2): most weights near 0, some far.

    Its divergence has no closed form: log q(w) - log p(w) of the weights that were drawn, summed.
    Blundell et al. 2015 (arXiv:1505.05424), equation 7.
    """

    share: float = 0.5
    wide: float = 1.0
    narrow: float = 0.0025

    def log_density(self, w: Tensor) -> Tensor:
        wide = log_normal(w, 0.0, self.wide) + log(self.share)
        narrow = log_normal(w, 0.0, self.narrow) + log(1 - self.share)
        return ops.logsumexp(ops.stack([wide, narrow]), axis=0)

    def divergence(self, drawn: Drawn) -> Tensor:
        return ops.sum(log_normal(*drawn) - self.log_density(drawn.w))


def spread(std: float) -> Initializer:
    """Initialiser of r with softplus(r) = std everywhere: r = log(e^std - 1)."""
    return lambda shape, rng, dtype: np.full(shape, log(expm1(std)), dtype)


SPREAD = spread(0.02)


class BayesianLinear(Module):
    """y = x W + b with every weight drawn: w = m + softplus(r) noise, noise from N(0, 1).

    x (N, D) -> (N, F). Trained are the means m (D, F), (F,) and r of the same shapes: 2 (D F + F)
    numbers. The noise is drawn and m, r only shift and stretch it, so that gradients pass: Blundell
    et al. 2015 (arXiv:1505.05424), section 3.2. Initialisers: of the means of W and b, and of r.
    Raises ConfigError for sizes below 1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        mean_init: str | Initializer = "he_normal",
        bias_init: str | Initializer = "zeros",
        rho_init: str | Initializer = SPREAD,
    ) -> None:
        check_size("BayesianLinear", in_features=in_features, out_features=out_features)
        shape, rng = (in_features, out_features), default_generator()
        self.mean = Parameter(init.draw(mean_init, shape, rng))
        self.bias_mean = Parameter(init.draw(bias_init, shape[1:], rng))
        self.rho = Parameter(init.draw(rho_init, shape, rng))
        self.bias_rho = Parameter(init.draw(rho_init, shape[1:], rng))

    def forward(self, x: Tensor) -> Tensor:
        """With the means in place of a draw."""
        return ops.linear(x, self.mean, self.bias_mean)

    def drawn(self, rng: Generator) -> tuple[Drawn, Drawn]:
        """W and b, drawn anew."""
        return (_drawn(self.mean, self.rho, rng), _drawn(self.bias_mean, self.bias_rho, rng))


def _drawn(mean: Tensor, rho: Tensor, rng: Generator) -> Drawn:
    std = ops.softplus(rho)
    noise = normal(mean.shape, dtype=mean.dtype, rng=rng, backend=mean.backend)
    return Drawn(mean + std * noise, mean, std)
