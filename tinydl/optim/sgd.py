"""Stochastic gradient descent, plain, with momentum and with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..errors import ConfigError
from ..tensor import Tensor
from .optimizer import Named, Optimizer


class SGD(Optimizer):
    """v <- momentum * v + (1 - dampening) * g;  w <- w - lr * v
    (Nesterov: w <- w - lr * (g + momentum * v)).

    g is the gradient plus weight_decay * w; at a parameter's first update v is g, undamped
    (PyTorch). maximize: climb. Sutskever et al. 2013, in the form in which lr
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
        dampening: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, ("velocity",) if momentum else (), maximize)
        self._check_number("momentum", momentum, 0.0, 1.0)
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        if nesterov and not momentum:
            raise ConfigError("SGD: nesterov needs a momentum above 0")
        self._check_number("dampening", dampening, 0.0, 1.0)
        if dampening and (nesterov or not momentum):
            raise ConfigError("SGD: dampening needs a momentum above 0, and not Nesterov's")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.dampening = dampening

    def _constants(self) -> dict[str, float | bool]:
        constants: dict[str, float | bool] = {
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "weight_decay": self.weight_decay,
        }
        return constants | ({"dampening": self.dampening} if self.dampening else {})

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        if self.dampening:
            return self._damped(places, params, grads)
        backend = self.parameters[places[0]].backend
        velocities = self._states("velocity", places) if self.state else None
        backend.sgd_step(
            params, grads, velocities, self.lr, self.momentum, self.nesterov, self.weight_decay
        )

    def _damped(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        """The same step of (1 - dampening) g."""
        backend = self.parameters[places[0]].backend
        for age, some, weights, slopes in self._by_age(places, params, grads):
            share = 1.0 if age == 1 else 1.0 - self.dampening
            slopes = [backend.multiply(g, backend.scalar(share, g.dtype)) for g in slopes]
            velocities, decay = self._states("velocity", some), self.weight_decay * share
            backend.sgd_step(weights, slopes, velocities, self.lr, self.momentum, False, decay)
