"""Two networks against each other twenty years before GANs: a code that cannot be guessed."""

from __future__ import annotations

from ... import ops
from ...errors import ConfigError
from ...nn import Linear, Module, Sequential, Sigmoid, Tanh
from ...random import Generator
from ...tensor import Tensor
from .game import TwoPlayers


class Guessers(Module):
    """Codes (N, units) -> guesses (N, units): unit i is guessed from all others, by a network of
    its own."""

    def __init__(self, units: int, hidden: int) -> None:
        self.each = [
            Sequential(Linear(units - 1, hidden), Tanh(), Linear(hidden, 1), Sigmoid())
            for _ in range(units)
        ]

    def forward(self, code: Tensor) -> Tensor:
        guesses = []
        for i, network in enumerate(self.each):
            others = [code[:, :i], code[:, i + 1 :]]
            guesses.append(network(ops.concat(others, axis=1)))
        return ops.concat(guesses, axis=1)


class PredictabilityMinimisation(TwoPlayers):
    """min over guessers P, max over the encoder y of sum_i E (P_i(y without i) - y_i)^2.

    The critic, one guesser for each unit of the code, learns to guess it from the others; the
    generator, an encoder inputs -> hidden (tanh) -> units (sigmoid), learns codes that cannot be
    guessed. At the best a guess is the conditional mean, and what is left is the unit's variance
    given the others: at most 1/4, for a unit that is 0 or 1 by even chance, whatever the others
    are. Then the code is factorial and binary, P(y) = prod_i P(y_i), and keeps all it can keep. No
    noise and no samples: it is a GAN's game in which what is judged is a code of real data.

    Schmidhuber 1992 (Neural Computation 4(6), 863-879), section 4, its first objective without the
    further terms; Liu and Mehta 2019, chapter 7, name it as the first ancestor of GANs. inputs,
    units, hidden: widths. Both losses take (x, rng), x (N, inputs); rng is not used. Raises
    ConfigError for fewer than two units.
    """

    generator: Sequential

    def __init__(self, inputs: int, units: int, hidden: int = 16) -> None:
        if units < 2:
            raise ConfigError(f"PredictabilityMinimisation: needs units >= 2, got {units}")
        encoder = Sequential(Linear(inputs, hidden), Tanh(), Linear(hidden, units), Sigmoid())
        super().__init__(encoder, Guessers(units, hidden))

    def forward(self, x: Tensor) -> Tensor:
        """The code (N, units), each number in (0, 1)."""
        return self.generator(x)

    def missed(self, code: Tensor) -> Tensor:
        """sum_i of the mean squared error of the guesses."""
        return ((self.critic(code) - code) ** 2).sum(axis=1).mean()

    def critic_loss(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        return self.missed(self(x).detach())

    def generator_loss(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        return -self.missed(self(x))
