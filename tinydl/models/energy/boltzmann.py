"""The Boltzmann machine, so small that every sum over its states is written out."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...function import no_grad
from ...nn import Module, Parameter, init
from ...random import Generator, default_generator
from ...tensor import Tensor
from .partition import MOST_UNITS, all_states


class BoltzmannMachine(Module):
    """E(s) = -s.b - sum_{i<j} w_ij s_i s_j and P(s) = e^-E / Z; s = (v, h) binary, all joined.

    | parameter | shape | for 8 visible, 2 hidden |
    |---|---|---|
    | weight w, the pairs i < j in order | (n (n - 1) / 2,) | 45 |
    | bias b | (n,) | 10 |
    | all | | 55 |

    n = V + H units, at most 16. P(v) = sum_h e^-E(v, h) / Z is exact: all 2^n states are listed,
    which is why learning takes time exponential in n and why the machine was restricted. The slope
    of mean log P(v) by w_ij is <s_i s_j> with v held at the data minus <s_i s_j> running free.

    visible, hidden: V >= 1, H >= 0 (0: the visible units alone, an Ising model). v (N, V) of 0 and
    1. ConfigError, ShapeError.

    Ackley, Hinton and Sejnowski 1985 (Cognitive Science 9), whose 4-2-4 encoder has these ten
    units, with some of the pairs.
    """

    @checked
    def __init__(self, visible: int = 8, hidden: int = 2, rng: Generator | None = None) -> None:
        units = visible + hidden
        if visible < 1 or hidden < 0 or units > MOST_UNITS:
            raise ConfigError(
                f"BoltzmannMachine: needs visible >= 1, hidden >= 0 and at most {MOST_UNITS} units "
                f"together, got {visible} and {hidden}"
            )
        self.visible, self.hidden = visible, hidden
        rng = default_generator() if rng is None else rng
        pairs = units * (units - 1) // 2
        self.weight = Parameter(init.normal((pairs,), rng, np.float32, std=0.1))
        self.bias = Parameter(np.zeros(units, np.float32))

    def forward(self, v: Tensor) -> Tensor:
        """log P(v), (N,)."""
        return ops.logsumexp(self.joint(v), axis=1) - self.log_partition()

    def loss(self, v: Tensor) -> Tensor:
        """-mean log P(v), in nats."""
        return -self(v).mean()

    def energy(self, s: Tensor) -> Tensor:
        """E(s) of whole states s (..., n), without that axis."""
        if s.shape[-1] != self.visible + self.hidden:
            raise ShapeError(
                f"BoltzmannMachine: s must be (..., {self.visible + self.hidden}), got {s.shape}"
            )
        i, j = np.triu_indices(s.shape[-1], 1)
        return -(s @ self.bias) - (s[..., i] * s[..., j]) @ self.weight

    def log_partition(self) -> Tensor:
        """log Z over all 2^n states."""
        return ops.logsumexp(-self.energy(self._listed(self.visible + self.hidden)))

    def joint(self, v: Tensor) -> Tensor:
        """-E(v, h) for every h, (N, 2^H)."""
        if v.ndim != 2 or v.shape[1] != self.visible:
            raise ShapeError(f"BoltzmannMachine: v must be (N, {self.visible}), got {v.shape}")
        h = self._listed(self.hidden)
        size = (len(v), len(h))
        pairs = ops.concat(
            [
                ops.broadcast_to(v.reshape((len(v), 1, -1)), (*size, self.visible)),
                ops.broadcast_to(h.reshape((1, len(h), -1)), (*size, self.hidden)),
            ],
            axis=2,
        )
        return -self.energy(pairs)

    def gibbs(self, s: Tensor, sweeps: int, rng: Generator) -> Tensor:
        """States s (N, n) after `sweeps` sweeps: one unit after the other is drawn given all the
        others, P(s_i = 1 | rest) = sigmoid(b_i + sum_j w_ij s_j)."""
        with no_grad():
            b, w = self.bias.numpy(), self.matrix()
            now = np.array(s.numpy())
            for _ in range(sweeps):
                for i, u in enumerate(rng.uniform((now.shape[1], len(now)), dtype=np.float64)):
                    now[:, i] = u < 1 / (1 + np.exp(-(b[i] + now @ w[i])))
        return Tensor(now, backend=self.backend)

    def matrix(self) -> np.ndarray:
        """The weights as a symmetric matrix (n, n) with zeros on the diagonal."""
        n = self.visible + self.hidden
        full = np.zeros((n, n), self.dtype)
        full[np.triu_indices(n, 1)] = self.weight.numpy()
        return full + full.T

    def _listed(self, units: int) -> Tensor:
        return Tensor(all_states(units).astype(self.dtype), backend=self.backend)
