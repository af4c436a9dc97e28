"""Adam: RMSprop with momentum and a correction for the zeros that the averages start from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Named, Optimizer


class Adam(Optimizer):
    """m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
    w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).

    g is the gradient plus weight_decay * w (not AdamW). t is the number of updates so far, per
    parameter: one without a gradient does not age. Kingma and Ba 2015 (arXiv 1412.6980), algorithm
    1; Keras' defaults. Raises ConfigError for numbers outside their range.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, ("mean", "square"))
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

    def _update(self, i: int, param: Any, grad: Any) -> None:
        backend = self.parameters[i].backend
        mean, square = self.state["mean"][i], self.state["square"][i]
        backend.adam_step(
            param, grad, mean, square,
            self.lr, self.beta1, self.beta2, self.eps, self.weight_decay, self.steps[i],
        )  # fmt: skip
