"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Named, Optimizer


class RMSprop(Optimizer):
    """s <- rho * s + (1 - rho) * g^2;  w <- w - lr * g / (sqrt(s) + eps).

    g is the gradient plus weight_decay * w. Hinton 2012, lecture 6e; not centred, no momentum.
    Raises ConfigError for numbers outside their range.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.001,
        rho: float = 0.9,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, ("square",))
        self._check_number("rho", rho, 0.0, 1.0)
        self._check_number("eps", eps, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        self.rho, self.eps, self.weight_decay = rho, eps, weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {"rho": self.rho, "eps": self.eps, "weight_decay": self.weight_decay}

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        self.parameters[places[0]].backend.rmsprop_step(
            params, grads, self._states("square", places),
            self.lr, self.rho, self.eps, self.weight_decay,
        )  # fmt: skip
