"""The restricted Boltzmann machine, contrastive divergence, and what the book made of it."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any

import numpy as np

from ... import ops
from ...arguments import whole
from ...creation import uniform
from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...function import no_grad
from ...nn import Buffer, Module, Parameter, init
from ...nn.linear import check_size
from ...random import Generator, default_generator
from ...tensor import Tensor

SMALL_NORMAL: init.Initializer = partial(init.normal, std=0.01)


@checked
def book_init(shape: tuple[int, ...], rng: Generator, dtype: Any) -> np.ndarray:
    """Uniform on [-s, s], s = sqrt(2 / (V + H)): the book's first weights. It quotes Glorot's
    standard deviation and takes it for the half-width, so they are sqrt(3) times smaller."""
    s = sqrt(2 / sum(init.fans(shape)))
    return rng.uniform(shape, low=-s, high=s, dtype=dtype)


def drawn(p: Tensor, rng: Generator) -> Tensor:
    """0 and 1 in p's shape and type, 1 with the probabilities p."""
    u = uniform(p.shape, dtype=p.dtype, rng=rng, backend=p.backend)
    return (u < p).astype(p.dtype)


class RBM(Module):
    """E(v, h) = -v.a - h.b - v W h and P(v, h) = e^-E / Z, for binary v (V,) and h (H,).

    | parameter | shape | for 64 and 256 | 784 and 500 |
    |---|---|---|---|
    | weight W | (V, H) | 16,384 | 392,000 |
    | visible_bias a | (V,) | 64 | 784 |
    | hidden_bias b | (H,) | 256 | 500 |
    | all | | 16,704 | 393,284 |

    No unit is joined to one of its own layer, so each layer is independent given the other,
    P(h = 1 | v) = sigmoid(b + v W) and P(v = 1 | h) = sigmoid(a + h W^T), and h can be summed out:
    P(v) = e^-F(v) / Z with the free energy F(v) = -v.a - sum_j softplus(b + v W)_j. Training raises
    mean log P(v) of the data, whose slope is -dF at the data plus dF at the model's own samples.

    Everywhere v is (N, V) float, 0 or 1, or probabilities in place of bits; h (N, H); one number
    per sample is (N,). weight_init: normal with deviation 0.01 (Hinton's guide), or `book_init`.
    chains: how many Markov chains `persistent_divergence` keeps, in a buffer that is saved too.
    Raises ConfigError, ShapeError.

    Smolensky 1986; Hinton 2002 (Neural Computation 14(8), contrastive divergence); Tieleman 2008
    (persistent chains); Hinton 2010, A practical guide. Liu and Mehta, chapter 3, prints the sums
    of E as integrals, says that training minimises the energy, and averages the gradient of W over
    the visible units: `books_gradients`.
    """

    @checked
    def __init__(
        self,
        visible: int = 64,
        hidden: int = 256,
        weight_init: str | init.Initializer = SMALL_NORMAL,
        chains: int = 0,
        rng: Generator | None = None,
    ) -> None:
        check_size(type(self).__name__, visible=visible, hidden=hidden)
        whole(type(self).__name__, "chains", chains, 0)
        rng = default_generator() if rng is None else rng
        self.weight = Parameter(init.draw(weight_init, (visible, hidden), rng))
        self.visible_bias = Parameter(np.zeros(visible, np.float32))
        self.hidden_bias = Parameter(np.zeros(hidden, np.float32))
        self.chains = Buffer(np.zeros((chains, visible), np.float32)) if chains else None

    def forward(self, v: Tensor) -> Tensor:
        """The features of v: P(h = 1 | v), (N, H)."""
        return self.hidden(v)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        return x_shape[0] * self.weight.size

    # -- energies ----------------------------------------------------------------------------------

    def inputs(self, v: Tensor) -> Tensor:
        """b + v W, (N, H); its half of E is -h times it. ShapeError."""
        if v.ndim != 2 or v.shape[1] != len(self.weight):
            raise ShapeError(
                f"{type(self).__name__}: v must be (N, {len(self.weight)}), got {v.shape}"
            )
        return ops.linear(v, self.weight, self.hidden_bias)  # [N x V] @ [V x H]

    def alone(self, v: Tensor) -> Tensor:
        """What v costs without any h: -v.a, (N,)."""
        return -(v @ self.visible_bias)

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """E(v, h) of N pairs, (N,)."""
        return self.alone(v) - (h * self.inputs(v)).sum(axis=1)

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = -log sum_h e^-E(v, h), (N,)."""
        return self.alone(v) - ops.softplus(self.inputs(v)).sum(axis=1)

    def log_sum_visible(self, h: Tensor) -> Tensor:
        """log sum_v e^-E(v, h), (N,): what remains of h when v is summed out."""
        return h @ self.hidden_bias + ops.softplus(self.outputs(h)).sum(axis=1)

    # -- Gibbs sampling ----------------------------------------------------------------------------

    def hidden(self, v: Tensor) -> Tensor:
        """P(h = 1 | v), (N, H)."""
        return ops.sigmoid(self.inputs(v))

    def outputs(self, h: Tensor) -> Tensor:
        """a + h W^T, (N, V)."""
        return h @ self.weight.transpose() + self.visible_bias  # [N x H] @ [H x V]

    def visible(self, h: Tensor) -> Tensor:
        """The mean of v given h, (N, V): P(v = 1 | h)."""
        return ops.sigmoid(self.outputs(h))

    def sample_visible(self, h: Tensor, rng: Generator) -> Tensor:
        """v drawn given h, (N, V)."""
        return drawn(self.visible(h), rng)

    def step(self, v: Tensor, rng: Generator) -> Tensor:
        """v -> h ~ P(h | v) -> v' ~ P(v | h), (N, V)."""
        return self.sample_visible(drawn(self.hidden(v), rng), rng)

    def gibbs(self, v: Tensor, steps: int, rng: Generator) -> Tensor:
        """v after `steps` >= 1 steps, nothing recorded."""
        check_size(f"{type(self).__name__}.gibbs", steps=steps)
        with no_grad():
            for _ in range(steps):
                v = self.step(v, rng)
        return v

    def reconstruct(self, v: Tensor, rng: Generator | None = None) -> Tensor:
        """The mean of v given the features of v, (N, V). With rng h is drawn, as in the book."""
        h = self.hidden(v)
        return self.visible(h if rng is None else drawn(h, rng))

    # -- learning ----------------------------------------------------------------------------------

    def difference(self, v: Tensor, model: Tensor) -> Tensor:
        """mean F(v) - mean F(model), to be minimised: its slope is that of -log P(v) when `model`
        (M, V) comes from the model. Its value says nothing about progress."""
        return self.free_energy(v).mean() - self.free_energy(model).mean()

    def contrastive_divergence(self, v: Tensor, steps: int, rng: Generator) -> Tensor:
        """CD-k, one number: the model's samples are the data after k = `steps` steps."""
        return self.difference(v, self.gibbs(v, steps, rng))

    def persistent_divergence(self, v: Tensor, steps: int, rng: Generator) -> Tensor:
        """The same with chains that go on from call to call, whatever the data. ConfigError
        without `chains`."""
        if self.chains is None:
            raise ConfigError(f"{type(self).__name__}: made without chains=, none persists")
        self.chains.update(self.gibbs(self.chains, steps, rng))
        return self.difference(v, self.chains.detach())


Gradients = tuple[Tensor, Tensor, Tensor]


def gradients(rbm: RBM, v: Tensor, model: Tensor) -> Gradients:
    """The rise of log P by W (V, H), a (V,) and b (H,), as the papers print it: the mean over the
    batch of v P(h|v), v and P(h|v) at the data, minus the same at the model's samples."""
    with no_grad():
        p, q = rbm.hidden(v), rbm.hidden(model)
        dw = (v.transpose() @ p) / len(v) - (model.transpose() @ q) / len(model)
        return dw, v.mean(axis=0) - model.mean(axis=0), p.mean(axis=0) - q.mean(axis=0)


def books_gradients(rbm: RBM, v: Tensor, model: Tensor) -> Gradients:
    """The book's: the matrix product has summed over the batch already, and its mean over axis 0
    is one over the visible units. All rows of W get the same update, so that what is learnt is
    little more than the biases. To be compared with only; `model` has as many rows as v."""
    with no_grad():
        p, q = rbm.hidden(v), rbm.hidden(model)
        dw = (v.transpose() @ p - model.transpose() @ q).mean(axis=0)
        return dw, v.mean(axis=0) - model.mean(axis=0), p.mean(axis=0) - q.mean(axis=0)


def ascend(rbm: RBM, slopes: Gradients, lr: float) -> None:
    """W, a and b += lr times their slopes; a row is added to every row of W."""
    for parameter, slope in zip(
        (rbm.weight, rbm.visible_bias, rbm.hidden_bias), slopes, strict=True
    ):
        parameter.assign((parameter.detach() + lr * slope).numpy())
