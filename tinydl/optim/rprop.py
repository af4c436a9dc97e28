"""Rprop: of the gradient the sign alone, with a step size of every number that the signs teach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doors import checked
from ..errors import ConfigError
from ..tensor import Tensor
from .optimizer import Named, Optimizer


class Rprop(Optimizer):
    """w <- w - sign(g) d. Where g has the sign that it had before, d <- d grow; where it has
    turned, d <- d shrink, and this g counts as 0; smallest <= d <= largest.

    For gradients of the whole data: the noise of batches turns signs at random. lr is the first d;
    setting it later changes nothing. g is the gradient plus weight_decay * w. Riedmiller and Braun
    1993. Raises ConfigError for numbers outside their range.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float = 0.01,
        shrink: float = 0.5,
        grow: float = 1.2,
        smallest: float = 1e-6,
        largest: float = 50.0,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, ("gradient", "size"), maximize)
        self._check_number("shrink", shrink, 0.0, 1.0)
        self._check_number("grow", grow, 1.0, float("inf"))
        self._check_number("largest", largest, 0.0, float("inf"))
        self._check_number("weight_decay", weight_decay, 0.0, float("inf"))
        if not 0 < smallest <= largest:
            raise ConfigError(
                f"Rprop: needs 0 < smallest <= largest, got {smallest!r} and {largest!r}"
            )
        self.shrink, self.grow, self.weight_decay = shrink, grow, weight_decay
        self.smallest, self.largest = smallest, largest

    def _constants(self) -> dict[str, float | bool]:
        return {
            "shrink": self.shrink,
            "grow": self.grow,
            "smallest": self.smallest,
            "largest": self.largest,
            "weight_decay": self.weight_decay,
        }

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        before, sizes = self._states("gradient", places), self._states("size", places)
        self.parameters[places[0]].backend.rprop_step(
            params, grads, before, sizes, self.lr,
            self.shrink, self.grow, self.smallest, self.largest, self.weight_decay,
        )  # fmt: skip
