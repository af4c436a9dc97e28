"""Bayesian networks by variational inference: every weight a Gaussian of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from ... import ops
from ...errors import ConfigError
from ...nn import cross_entropy, init
from ...random import Generator
from ...tensor import Tensor
from .layer import BayesianLinear, Drawn, Normal, ScaleMixture, spread
from .predictive import Doubting

Weights = list[tuple[Drawn, Drawn]]


class MeanField(Doubting):
    """q(w) = product of N(m, s^2), fitted to P(w | data) by lifting

    ELBO = E_q sum_n log P(y_n | x_n, w) - KL(q || P(w)) <= log P(data).

    layers: BayesianLinear, with relu between them. prior: `Normal` or `ScaleMixture`.
    """

    layers: list[BayesianLinear]
    prior: Normal | ScaleMixture

    def drawn(self, rng: Generator) -> Weights:
        """The weights of one network, (W, b) by layer."""
        return [layer.drawn(rng) for layer in self.layers]

    def at(self, x: Tensor, weights: Weights) -> Tensor:
        """Logits of the network with these weights."""
        for k, (w, b) in enumerate(weights):
            x = ops.linear(x if k == 0 else ops.relu(x), w.w, b.w)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the network of all means."""
        for k, layer in enumerate(self.layers):
            x = layer(x if k == 0 else ops.relu(x))
        return x

    def draw(self, x: Tensor, rng: Generator) -> Tensor:
        return self.at(x, self.drawn(rng))

    def divergence(self, weights: Weights) -> Tensor:
        """KL(q || prior) in nats: exact for `Normal`, by the drawn weights for `ScaleMixture`."""
        parts = [self.prior.divergence(drawn) for pair in weights for drawn in pair]
        return ops.sum(ops.stack(parts))

    def loss(self, x: Tensor, labels: Tensor, rng: Generator, of: int) -> Tensor:
        """-ELBO / of, by one draw for the whole batch: the mean of -log P(y | x, w), and
        KL / of. Edward and the paper write the sum over the data, `of` times as much; Adam takes
        the same steps for both."""
        weights = self.drawn(rng)
        return cross_entropy(self.at(x, weights), labels) + self.divergence(weights) * (1 / of)


class BayesianSoftmax(MeanField):
    """logits = x W + b, W and b from N(m, softplus(r)^2), prior N(0, 1).

    | layer | output | parameters for 784 and 10 |
    |---|---|---|
    | means: W, b | (N, 10) | 7,850 |
    | r: of W, of b | | 7,850 |
    | all | | 15,700 |

    m and r begin as draws from N(0, 1). Liu and Mehta, Hands-On Deep Learning Architectures with
    Python (2019), chapter 8, who train it by Edward's KLqp: no hidden layer, whatever the text
    says. Raises ConfigError.
    """

    def __init__(self, in_features: int = 784, classes: int = 10) -> None:
        one = partial(init.normal, std=1.0)
        self.layers = [BayesianLinear(in_features, classes, one, one, one)]
        self.prior = Normal(1.0)


class BayesianMLP(MeanField):
    """h_i = relu(h_(i-1) W_i + b_i), every weight from its own N(m, softplus(r)^2).

    | layer | output | parameters for 784-200-200-10 |
    |---|---|---|
    | BayesianLinear, relu | (N, 200) | 314,000 |
    | BayesianLinear, relu | (N, 200) | 80,400 |
    | BayesianLinear | (N, 10) | 4,020 |
    | all | | 398,420 |

    sizes: input, hidden layers, classes. mixture: (share, wide, narrow) of the prior. first_std:
    the deviation that weights begin with. "Bayes by backprop": Blundell et al. 2015
    (arXiv:1505.05424), whose hidden layers are of 400 to 1,200. Raises ConfigError.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 200, 200, 10),
        mixture: Sequence[float] = (0.5, 1.0, 0.0025),
        first_std: float = 0.02,
    ) -> None:
        if len(sizes) < 2 or len(mixture) != 3 or not first_std > 0:
            raise ConfigError(
                "BayesianMLP: needs at least two sizes, a mixture of three numbers and first_std "
                f"> 0, got {tuple(sizes)}, {tuple(mixture)} and {first_std}"
            )
        share, wide, narrow = mixture
        if not (0 < share < 1 and wide > 0 and narrow > 0):
            raise ConfigError(
                f"BayesianMLP: a mixture needs 0 < share < 1 and deviations > 0, got {mixture}"
            )
        self.layers = [BayesianLinear(a, b, rho_init=spread(first_std)) for a, b in pairwise(sizes)]
        self.prior = ScaleMixture(share, wide, narrow)
