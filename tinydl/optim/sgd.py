"""Stochastic gradient descent, plain, with momentum and with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..errors import ConfigError
from ..tensor import Tensor
from .optimizer import Named, Optimizer


class SGD(Optimizer):
    """v <- momentum * v + g;  w <- w - lr * v   (Nesterov: w <- w - lr * (g + momentum * v)).

    g is the gradient plus weight_decay * w. Sutskever et al. 2013, in the form in which lr
    multiplies v. Keras keeps lr inside v instead, which is the same as long as lr does not change.
    Raises ConfigError for numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, ("velocity",) if momentum else ())
        self._check_number("momentum", momentum, 0.0, 1.0)
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        if nesterov and not momentum:
            raise ConfigError("SGD: nesterov needs a momentum above 0")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "weight_decay": self.weight_decay,
        }

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        backend = self.parameters[places[0]].backend
        velocities = self._states("velocity", places) if self.state else None
        backend.sgd_step(
            params, grads, velocities, self.lr, self.momentum, self.nesterov, self.weight_decay
        )
