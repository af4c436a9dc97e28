"""Adam: RMSprop with momentum and a correction for the zeros that the averages start from; AdamW
and AMSGrad, which change one term each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..tensor import Tensor
from .optimizer import Named, Optimizer

Parameters = Iterable[Tensor] | Iterable[Named]


class Moments(Optimizer):
    """The arguments of Adam and its relatives: averages of g with beta1, of its size with beta2."""

    slots: tuple[str, ...] = ("mean", "square")

    @checked
    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, self.slots, maximize)
        self._check_number("beta1", beta1, 0.0, 1.0)
        self._check_number("beta2", beta2, 0.0, 1.0)
        self._check_number("eps", eps, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.weight_decay = weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {
            "beta1": self.beta1,
            "beta2": self.beta2,
            "eps": self.eps,
            "weight_decay": self.weight_decay,
        }

    def _counts(self, places: list[int]) -> tuple[int, ...]:
        """The updates that these parameters have had, with this one."""
        return tuple([self.steps[i] for i in places])


class Adam(Moments):
    """m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
    w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).

    g is the gradient plus weight_decay * w (not AdamW). t is the number of updates so far, per
    parameter: one without a gradient does not age. Kingma and Ba 2015 (arXiv 1412.6980), algorithm
    1; Keras' defaults. Raises ConfigError for numbers outside their range.
    """

    decoupled = False  # whether weights decay by themselves, apart from the gradient

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        states = [self._states(slot, places) for slot in self.slots]
        largest = states[2] if len(states) > 2 else None
        self.parameters[places[0]].backend.adam_step(
            params, grads, states[0], states[1], largest,
            self.lr, self.beta1, self.beta2, self.eps, self.weight_decay, self.decoupled,
            self._counts(places),
        )  # fmt: skip


class AdamW(Adam):
    """Adam's step on g alone, after w <- w - lr weight_decay w: decay apart from the gradient.

    As lr multiplies the decay (PyTorch, Keras), a schedule scales both. Loshchilov and Hutter 2019
    (arXiv:1711.05101), algorithm 2. Raises ConfigError for numbers outside their range.
    """

    decoupled = True

    @checked
    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-7,
        weight_decay: float = 0.01,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, beta1, beta2, eps, weight_decay, maximize)


class AMSGrad(Adam):
    """Adam with the largest v so far in the place of v: rates never grow again.

    The correction 1 - beta2^t stays (PyTorch). g is the gradient plus weight_decay * w. Reddi, Kale
    and Kumar 2018 (arXiv:1904.09237). Raises ConfigError for numbers outside their range.
    """

    slots = ("mean", "square", "largest")
