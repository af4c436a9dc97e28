"""The deep belief network: restricted Boltzmann machines on top of each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...doors import checked
from ...errors import ConfigError
from ...function import no_grad
from ...nn import Linear, Module, Parameter, init
from ...random import Generator, default_generator
from ...tensor import Tensor
from ..feedforward.mlp import MLP
from .rbm import RBM, SMALL_NORMAL


class DBN(Module):
    """x_0 = x;  x_l = P(h = 1 | v = x_{l-1}) of the l-th machine.

    | machine | output | parameters | for 64-256-512 |
    |---|---|---|---|
    | RBM S0, S1 | (N, S1) | S0 S1 + S0 + S1 | 16,704 |
    | RBM S1, S2 | (N, S2) | S1 S2 + S1 + S2 | 131,840 |
    | all | | | 148,544 |

    Greedy: machine 0 learns from x, then machine 1 from x_1, and so on; what lies below is frozen
    by then, and hands on probabilities, not draws. `loss(x, layer, ...)` is one machine's part.
    Then `classifier` makes a network of the machines, to be fine-tuned by labels.

    sizes: S0, S1, ... x (N, S0) of 0 to 1; the result (N, sizes[-1]). ConfigError for fewer than
    two sizes. Hinton, Osindero and Teh 2006 (Neural Computation 18(7)). Liu and Mehta, chapter 3,
    whose printed `predict` stops after the first machine, and whose gradient leaves W nearly as
    drawn: its 97.8 % come from a logistic regression on features that are close to random.
    """

    @checked
    def __init__(
        self,
        sizes: Sequence[int] = (64, 256, 512),
        weight_init: str | init.Initializer = SMALL_NORMAL,
        rng: Generator | None = None,
    ) -> None:
        if len(sizes) < 2:
            raise ConfigError(f"DBN: needs at least two sizes, got {tuple(sizes)}")
        self.sizes = tuple(sizes)
        rng = default_generator() if rng is None else rng
        self.machines = [RBM(v, h, weight_init, rng=rng) for v, h in pairwise(self.sizes)]

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x, len(self.machines))

    def features(self, x: Tensor, depth: int) -> Tensor:
        """What `depth` machines make of x: x_depth; x itself for 0."""
        for machine in self.machines[:depth]:
            x = machine(x)
        return x

    def loss(self, x: Tensor, layer: int, steps: int, rng: Generator) -> Tensor:
        """CD-k of machine `layer` for inputs x (N, S0), the machines below as they are."""
        with no_grad():
            v = self.features(x, layer)
        return self.machines[layer].contrastive_divergence(v, steps, rng)

    def classifier(self, classes: int = 10) -> MLP:
        """A sigmoid network whose hidden layers begin as the machines: W and b of each, and a new
        last layer. 153,354 parameters for 64-256-512-10: it has no visible biases."""
        network = MLP((*self.sizes, classes), "sigmoid")
        network.astype(self.dtype).to(self.backend)
        layers = [layer for layer in network.layers if isinstance(layer, Linear)]
        for layer, machine in zip(layers, self.machines, strict=False):
            layer.weight.assign(machine.weight.numpy())
            layer.bias.assign(machine.hidden_bias.numpy())  # type: ignore[union-attr]
        return network


class DBNClassifier(DBN):
    """The machines of a `DBN`, and one more layer: logits = x_L W + b.

    148,544 parameters of the machines and 5,130 of the last layer for 64-256-512-10: 153,674. The
    machines learn greedily by `loss`; after that W and the hidden biases of all of them can be
    fine-tuned by labels together with the last layer, of which `labelled` names the parameters.
    Hinton and Salakhutdinov 2006 (Science 313).
    """

    def __init__(
        self,
        sizes: Sequence[int] = (64, 256, 512),
        classes: int = 10,
        weight_init: str | init.Initializer = SMALL_NORMAL,
    ) -> None:
        super().__init__(sizes, weight_init)
        self.head = Linear(self.sizes[-1], classes)

    def logits(self, x: Tensor) -> Tensor:
        """(N, classes) for x (N, S0)."""
        return self.head(self(x))

    def labelled(self) -> list[tuple[str, Parameter]]:
        """The parameters that labels can teach, by name: all but the visible biases."""
        return [(n, p) for n, p in self.named_parameters() if not n.endswith("visible_bias")]
