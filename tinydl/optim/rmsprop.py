"""RMSprop: steps divided by a running root mean square of the gradient; centred, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..tensor import Tensor
from .optimizer import Named, Optimizer


class RMSprop(Optimizer):
    """s <- rho * s + (1 - rho) * g^2;  w <- w - lr * g / (sqrt(s) + eps).

    g is the gradient plus weight_decay * w. Hinton 2012, lecture 6e; not centred, no momentum.
    Raises ConfigError for numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.001,
        rho: float = 0.9,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, ("square",), maximize)
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


class CentredRMSprop(Optimizer):
    """s <- rho s + (1 - rho) g^2;  m <- rho m + (1 - rho) g;
    v <- momentum v + g / (sqrt(s - m^2) + eps);  w <- w - lr v.

    s - m^2 is an estimate of the gradient's variance; centred=False leaves m out. g is the gradient
    plus weight_decay * w. Graves 2013 (arXiv:1308.0850), section 4.2. Raises ConfigError for
    numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        centred: bool = True,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        slots = ("square", *(["mean"] if centred else []), *(["velocity"] if momentum else []))
        super().__init__(parameters, lr, slots, maximize)
        self._check_number("rho", rho, 0.0, 1.0)
        self._check_number("momentum", momentum, 0.0, 1.0)
        self._check_number("eps", eps, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        self.rho, self.momentum, self.centred = rho, momentum, centred
        self.eps, self.weight_decay = eps, weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "eps": self.eps,
            "weight_decay": self.weight_decay,
            "centred": self.centred,
        }

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        means, velocities = [
            self._states(slot, places) if slot in self.state else None
            for slot in ("mean", "velocity")
        ]
        self.parameters[places[0]].backend.centred_rmsprop_step(
            params, grads, self._states("square", places), means, velocities,
            self.lr, self.rho, self.momentum, self.eps, self.weight_decay,
        )  # fmt: skip
