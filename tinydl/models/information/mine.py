"""Mutual information by a network: bounds from pairs that belong together and pairs that do not."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from ..feedforward.mlp import MLP


class Bounding(Module):
    """I(x; y) >= E_joint T(x, y) - log E_product e^T(x, y), for every function T.

    x (N, D1), y (N, D2): rows that belong together. The product of the marginals is had by giving
    every x another's y: here all N (N - 1) others. With the best T, the log of the ratio of the two
    densities plus any number, the bound of Donsker and Varadhan is I(x; y) itself.

    Whatever T is, N rows cannot show much more than the log of the N (N - 1) pairs that do not
    belong together: the mean of e^T hangs on its rarest, largest values, and where these are
    missing the estimate is no bound any more; `infonce`, which asks for the own y among N, ends at
    log N. McAllester and Stratos 2020 (arXiv:1811.04251). Belghazi et al. 2018 (arXiv:1801.04062),
    equation 10. Subclasses say `forward`: scores (N, N), T of x in row i with y in row j.
    """

    sizes: tuple[int, ...]

    def information(self, x: Tensor, y: Tensor) -> Tensor:
        """The bound of Donsker and Varadhan in nats, by these N rows."""
        return donsker_varadhan(self(x, y))

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.information(x, y)

    def _check(self, x: Tensor, y: Tensor) -> int:
        N, (first, second) = len(x), self.sizes
        if x.shape != (N, first) or y.shape != (N, second) or N < 2:
            raise ShapeError(
                f"{type(self).__name__}: needs x (N, {first}) and y (N, {second}) with N >= 2, got "
                f"{x.shape} and {y.shape}"
            )
        return N


class MINE(Bounding):
    """T(x, y): a network of both together.

    | layer | output | parameters for 1 + 1 numbers, 64-64 |
    |---|---|---|
    | Linear, relu | (N N, 64) | 192 |
    | Linear, relu | (N N, 64) | 4,160 |
    | Linear | (N, N) | 65 |
    | all | | 4,417 |

    sizes: of x and of y. Belghazi et al. 2018 (arXiv:1801.04062). Raises ConfigError, the calls
    ShapeError.
    """

    def __init__(self, sizes: Sequence[int] = (1, 1), hidden: Sequence[int] = (64, 64)) -> None:
        self.sizes = _two("MINE", sizes)
        self.statistic = MLP((sum(self.sizes), *hidden, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        N = self._check(x, y)
        rows = ops.broadcast_to(x.reshape(N, 1, -1), (N, N, self.sizes[0]))
        columns = ops.broadcast_to(y.reshape(1, N, -1), (N, N, self.sizes[1]))
        pairs = ops.concat([rows, columns], axis=2).reshape(N * N, sum(self.sizes))
        return self.statistic(pairs).reshape(N, N)


class SeparableMINE(Bounding):
    """T(x, y) = f(x) . g(y): N vectors of each are enough for all N^2 pairs.

    | layer | output | parameters for 20 + 20 numbers, 64, width 32 |
    |---|---|---|
    | f: Linear, relu, Linear | (N, 32) | 3,424 |
    | g: Linear, relu, Linear | (N, 32) | 3,424 |
    | all | | 6,848 |

    "Separable critic": van den Oord et al. 2018 (arXiv:1807.03748); Poole et al. 2019
    (arXiv:1905.06922), section 3. Raises ConfigError, the calls ShapeError.
    """

    def __init__(
        self, sizes: Sequence[int] = (20, 20), hidden: Sequence[int] = (64,), width: int = 32
    ) -> None:
        self.sizes = _two("SeparableMINE", sizes)
        self.f, self.g = (MLP((size, *hidden, width)) for size in self.sizes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        self._check(x, y)
        return self.f(x) @ self.g(y).transpose((1, 0))


def _two(op: str, sizes: Sequence[int]) -> tuple[int, ...]:
    if len(sizes) != 2 or min(sizes) < 1:
        raise ConfigError(f"{op}: needs the sizes of x and of y, got {tuple(sizes)}")
    return tuple(sizes)


def donsker_varadhan(scores: Tensor) -> Tensor:
    """mean of the diagonal - log mean of e^(all else), of scores (N, N)."""
    own, others = _parted(scores)
    return ops.mean(own) - (ops.logsumexp(others) - log(others.size))


def infonce(scores: Tensor) -> Tensor:
    """mean over i of s_ii - log mean_j e^(s_ij), of scores (N, N): how well the own y is found
    among N. A bound too, of less spread, and never above log N: van den Oord et al. 2018
    (arXiv:1807.03748), equation 4 plus log N."""
    own, _ = _parted(scores)
    return ops.mean(own) - ops.mean(ops.logsumexp(scores, axis=1)) + log(len(scores))


def _parted(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal (N,), and all else (N - 1, N) by a shift of the rows."""
    N = len(scores)
    flat = scores.reshape(N * N)
    rest = flat[1:].reshape(N - 1, N + 1)  # row by row: N others, then the next of the diagonal
    return flat[:: N + 1], rest[:, :N]
