"""An update rule that is learnt: a small LSTM looks at every gradient and says the step."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from ... import ops
from ...creation import zeros
from ...errors import ConfigError
from ...function import no_grad
from ...nn import Linear, Parameter, init
from ...random import Generator, default_generator
from ...tensor import Tensor
from .tasks import Learner, Watcher, Weights, errors, leaves, slopes

State = tuple[Tensor, Tensor]
P = 10.0  # gradients below e^-P count as small


class LearnedOptimizer(Learner):
    """w_(t+1) = w_t + scale * m(g_t, state), m an LSTM that every single weight has for itself: its
    weights are shared, its state is not.

    | layer | output | parameters for 20 units |
    |---|---|---|
    | gradient as two numbers | (T P, 2) | |
    | LSTM cell | (T P, 20) | 1,840 |
    | Linear | (T P, 1) | 21 |
    | all | | 1,861 |

    Trained by the sum of the errors along `steps` steps on tasks, each from a network drawn anew
    (He normal, `sizes`); gradients g_t are taken as given, not differentiated. Andrychowicz et al.
    2016 (arXiv:1606.04474), equations 3 to 5 and, for the two numbers, appendix A. Raises
    ConfigError.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (1, 20, 1),
        hidden: int = 20,
        scale: float = 0.1,
        steps: int = 20,
    ) -> None:
        if len(sizes) < 2 or min(*sizes, hidden, steps) < 1 or not scale > 0:
            raise ConfigError(
                "LearnedOptimizer: needs two sizes, hidden, steps >= 1 and scale > 0, got "
                f"{tuple(sizes)}, {hidden}, {steps} and {scale}"
            )
        self.sizes, self.hidden, self.scale, self.steps = tuple(sizes), hidden, scale, steps
        rng = default_generator()
        self.weight_x = Parameter(init.draw("glorot_uniform", (2, 4 * hidden), rng))
        self.weight_h = Parameter(init.draw("orthogonal", (hidden, 4 * hidden), rng))
        self.bias = Parameter(init.draw("zeros", (4 * hidden,), rng))
        self.step = Linear(hidden, 1, weight_init="glorot_uniform")

    def first(self, tasks: int, rng: Generator) -> Weights:
        """Networks to be trained, one for each task."""
        made = []
        for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            spread = (2 / a) ** 0.5
            drawn = rng.normal((tasks, a, b), std=spread).astype(self.dtype)
            made += [drawn, (0 * drawn[:, :1])]
        return [Tensor(a, backend=self.backend, requires_grad=True) for a in made]

    def moved(
        self, weights: Weights, along: Sequence[Tensor], state: State
    ) -> tuple[Weights, State]:
        """(weights after a step, state after it); state: h and c, (all weights, hidden)."""
        flat = ops.concat([g.reshape(-1) for g in along])
        h, c = ops.lstm_cell(two_numbers(flat), *state, self.weight_x, self.weight_h, self.bias)
        step, start, after = self.step(h) * self.scale, 0, []
        for w in weights:
            after.append(w + step[start : start + w.size].reshape(*w.shape))
            start += w.size
        return after, (h, c)

    def nothing(self, weights: Weights) -> State:
        """The state at the beginning."""
        shape = (sum(w.size for w in weights), self.hidden)
        h, c = (zeros(shape, dtype=self.dtype, backend=self.backend) for _ in range(2))
        return h, c

    def learn(self, x: Tensor, y: Tensor, steps: int, watched: Watcher = None) -> Weights:
        weights = self.first(len(x), Generator(0))
        state = self.nothing(weights)
        if watched is not None:
            watched(weights)
        for _ in range(steps):
            along = slopes(x, y, weights)
            with no_grad():
                weights, state = self.moved(weights, along, state)
            weights = leaves(weights)
            if watched is not None:
                watched(weights)
        return weights

    def loss(self, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The mean over steps and tasks of log(error + 0.01): what is left counts by its share."""
        weights = self.first(len(x), rng)
        state, found = self.nothing(weights), []
        for _ in range(self.steps):
            along = [g.detach() for g in slopes(x, y, leaves(weights))]
            weights, state = self.moved(weights, along, state)
            found.append(ops.mean(ops.log(errors(x, y, weights) + 0.01)))
        return ops.mean(ops.stack(found))

    def outer(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, rng: Generator) -> float:
        loss = self.loss(x, y, rng)
        loss.backward()
        return loss.item()


def two_numbers(g: Tensor) -> Tensor:
    """(N, 2) of gradients (N,): their size on a logarithmic scale and their sign, both in -1 ... 1;
    below e^-P instead -1 and e^P g."""
    size = ops.abs(g)
    large = ops.astype(size >= exp(-P), g.dtype)
    logs = ops.log(ops.maximum(size, exp(-P))) * (1 / P)
    sign = ops.sign(g)
    first = logs * large - (1 - large)
    return ops.stack([first, sign * large + g * exp(P) * (1 - large)], axis=1)
