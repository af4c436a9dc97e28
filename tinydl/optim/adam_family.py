"""Adam's relatives with other formulas: Adamax, a largest gradient in the place of the mean square,
Nadam, with Nesterov's momentum, and RAdam, which waits for the mean square."""

from __future__ import annotations

from math import sqrt
from typing import Any

from ..doors import checked
from .adam import Moments, Parameters


class Adamax(Moments):
    """u <- max(beta2 u, |g| + eps);  w <- w - lr (m / (1 - beta1^t)) / u.

    g is the gradient plus weight_decay * w. Kingma and Ba 2015 (arXiv:1412.6980), algorithm 2; eps
    where PyTorch has it. Raises ConfigError for numbers outside their range.
    """

    slots = ("mean", "largest")

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        means, largest = self._states("mean", places), self._states("largest", places)
        self.parameters[places[0]].backend.adamax_step(
            params, grads, means, largest,
            self.lr, self.beta1, self.beta2, self.eps, self.weight_decay, self._counts(places),
        )  # fmt: skip


class Nadam(Moments):
    """Adam with Nesterov's momentum, whose weight mu_t = beta1 (1 - 0.96^(0.004 t) / 2) grows:

    w <- w - lr (mu_{t+1} m / (1 - M mu_{t+1}) + (1 - mu_t) g / (1 - M)) / (sqrt(v^) + eps),
    M = mu_1 ... mu_t, v^ = v / (1 - beta2^t). M is computed anew in every step, from t alone.

    g is the gradient plus weight_decay * w. Dozat 2016 (ICLR workshop). Raises ConfigError for
    numbers outside their range.
    """

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
        super().__init__(parameters, lr, beta1, beta2, eps, weight_decay, maximize)
        self._products = [1.0]  # M after t steps, as far as it was needed

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def _weights(self, t: int) -> tuple[float, float]:
        """What step t takes of m, and of g."""
        while len(self._products) <= t:
            self._products.append(self._products[-1] * self._mu(len(self._products)))
        product, following = self._products[t], self._mu(t + 1)
        return following / (1 - product * following), (1 - self._mu(t)) / (1 - product)

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        means, squares = self._states("mean", places), self._states("square", places)
        steps = self._counts(places)
        weights = {t: self._weights(t) for t in set(steps)}
        self.parameters[places[0]].backend.nadam_step(
            params, grads, means, squares,
            self.lr, self.beta1, self.beta2, self.eps, self.weight_decay,
            steps, tuple([weights[t] for t in steps]),
        )  # fmt: skip


class RAdam(Moments):
    """Adam that leaves v out of its first steps, while that is the mean of few squares.

    n = 2 / (1 - beta2) - 1 and n_t = n - 2 t beta2^t / (1 - beta2^t) are how many squares the mean
    stands for, m^ = m / (1 - beta1^t). While n_t <= 5:  w <- w - lr m^;  then
    w <- w - lr r m^ sqrt(1 - beta2^t) / (sqrt(v) + eps),
    r^2 = (n_t - 4) (n_t - 2) n / ((n - 4) (n - 2) n_t).

    g is the gradient plus weight_decay * w; 5 (the paper: 4) and the place of eps are PyTorch's.
    Liu et al. 2020 (arXiv:1908.03265), algorithm 2. Raises ConfigError for numbers outside their
    range.
    """

    def _rectified(self, t: int) -> float:
        """r of step t, or 0 while v is left out."""
        most = 2 / (1 - self.beta2) - 1
        now = most - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if now <= 5:
            return 0.0
        return sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now))

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        backend = self.parameters[places[0]].backend
        for age, some, weights, slopes in self._by_age(places, params, grads):
            means, squares = self._states("mean", some), self._states("square", some)
            ahead, rest = self._rectified(age), 1 - self.beta1**age
            # Nadam's kernel takes eps beside the corrected root; by 0 of m it moves no parameter
            eps = self.eps / sqrt(1 - self.beta2**age) if ahead else 1.0
            backend.nadam_step(
                weights, slopes, means, squares,
                self.lr, self.beta1, self.beta2, eps, self.weight_decay,
                (age,) * len(some), ((ahead / rest, 0.0),) * len(some),
            )  # fmt: skip
            if not ahead:
                backend.sgd_step(weights, means, None, self.lr / rest, 0.0, False, 0.0)
