"""AdaGrad, whose rates only fall, and AdaDelta, which forgets and needs no rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..tensor import Tensor
from .optimizer import Named, Optimizer


class AdaGrad(Optimizer):
    """s <- s + g^2;  w <- w - lr g / (sqrt(s) + eps).

    g is the gradient plus weight_decay * w. Duchi, Hazan and Singer 2011 (JMLR 12). Raises
    ConfigError for numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.01,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, ("square",), maximize)
        self._check_number("eps", eps, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        self.eps, self.weight_decay = eps, weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {"eps": self.eps, "weight_decay": self.weight_decay}

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        self.parameters[places[0]].backend.adagrad_step(
            params, grads, self._states("square", places), self.lr, self.eps, self.weight_decay
        )


class AdaDelta(Optimizer):
    """s <- rho s + (1 - rho) g^2;  d = g sqrt(u + eps) / sqrt(s + eps);
    u <- rho u + (1 - rho) d^2;  w <- w - lr d.

    g is the gradient plus weight_decay * w; lr = 1 is the paper. Zeiler 2012 (arXiv:1212.5701).
    Raises ConfigError for numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 1.0,
        rho: float = 0.95,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, ("square", "delta"), maximize)
        self._check_number("rho", rho, 0.0, 1.0)
        self._check_number("eps", eps, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        self.rho, self.eps, self.weight_decay = rho, eps, weight_decay

    def _constants(self) -> dict[str, float | bool]:
        return {"rho": self.rho, "eps": self.eps, "weight_decay": self.weight_decay}

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        squares, deltas = self._states("square", places), self._states("delta", places)
        self.parameters[places[0]].backend.adadelta_step(
            params, grads, squares, deltas, self.lr, self.rho, self.eps, self.weight_decay
        )
