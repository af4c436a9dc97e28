"""Update rules that are composed of operations on the backend, instead of one fused kernel.

Each rule reads as its formula. A step makes some arrays of a parameter's size that a fused kernel
(SGD, RMSprop, Adam, AdamW, AMSGrad) does not; the results are written into parameters and state in
place. The same code runs on every backend.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import ops
from ..errors import ConfigError, FormatError
from ..function import no_grad
from ..tensor import Tensor
from .optimizer import Named, Optimizer

Parameters = Iterable[Tensor] | Iterable[Named]
INFINITY = float("inf")


class Composed(Optimizer):
    """The base: a subclass writes `_new_weight(i, w, g)` with tensors and `_get` / `_put` state."""

    def __init__(
        self, parameters: Parameters, lr: float, slots: tuple[str, ...], **numbers: float
    ) -> None:
        super().__init__(parameters, lr, slots)
        for name, value in numbers.items():
            self._check_number(name, value, 0.0, 1.0 if name in BELOW_ONE else INFINITY)
        self._numbers = dict(numbers)

    def _constants(self) -> dict[str, float | bool]:
        return dict(self._numbers)

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        """The i-th parameter after the step; self.steps[i] counts this one."""
        raise NotImplementedError(f"{self.rule} has no _new_weight")

    def _update(self, i: int, param: Any, grad: Any) -> None:
        backend = self.parameters[i].backend
        with no_grad():
            w, g = Tensor._new(param, backend), Tensor._new(grad, backend)
            decay = self._numbers["weight_decay"]
            if decay:
                g = g + w * decay
            backend.copy_into(param, self._new_weight(i, w, g).data)

    def _get(self, slot: str, i: int) -> Tensor:
        return Tensor._new(self.state[slot][i], self.parameters[i].backend)

    def _put(self, slot: str, i: int, value: Tensor) -> Tensor:
        self.parameters[i].backend.copy_into(self.state[slot][i], value.data)
        return value

    def _average(self, slot: str, i: int, value: Tensor, keep: float) -> Tensor:
        """s <- keep s + (1 - keep) value."""
        return self._put(slot, i, self._get(slot, i) * keep + value * (1 - keep))


BELOW_ONE = ("beta1", "beta2", "rho", "momentum")


class AdaGrad(Composed):
    """s <- s + g^2;  w <- w - lr g / (sqrt(s) + eps).

    g is the gradient plus weight_decay * w. Duchi, Hazan and Singer 2011 (JMLR 12). Raises
    ConfigError for numbers outside their range.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.01,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, ("square",), eps=eps, weight_decay=weight_decay)
        self.eps = eps

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        square = self._put("square", i, self._get("square", i) + g * g)
        return w - g * self.lr / (ops.sqrt(square) + self.eps)


class AdaDelta(Composed):
    """s <- rho s + (1 - rho) g^2;  d = g sqrt(u + eps) / sqrt(s + eps);
    u <- rho u + (1 - rho) d^2;  w <- w - lr d.

    g is the gradient plus weight_decay * w; lr = 1 is the paper. Zeiler 2012 (arXiv:1212.5701).
    Raises ConfigError for numbers outside their range.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1.0,
        rho: float = 0.95,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr, ("square", "delta"), rho=rho, eps=eps, weight_decay=weight_decay
        )
        self.rho, self.eps = rho, eps

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        square = self._average("square", i, g * g, self.rho)
        before = self._get("delta", i)
        delta = g * ops.sqrt(before + self.eps) / ops.sqrt(square + self.eps)
        self._average("delta", i, delta * delta, self.rho)
        return w - delta * self.lr


class CentredRMSprop(Composed):
    """s <- rho s + (1 - rho) g^2;  m <- rho m + (1 - rho) g;
    v <- momentum v + g / (sqrt(s - m^2) + eps);  w <- w - lr v.

    s - m^2 is an estimate of the gradient's variance; centred=False leaves m out. g is the gradient
    plus weight_decay * w. Graves 2013 (arXiv:1308.0850), section 4.2. Raises ConfigError for
    numbers outside their range.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        centred: bool = True,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        slots = ("square", *(["mean"] if centred else []), *(["velocity"] if momentum else []))
        super().__init__(
            parameters, lr, slots, rho=rho, momentum=momentum, eps=eps, weight_decay=weight_decay
        )
        self.rho, self.momentum, self.centred, self.eps = rho, momentum, centred, eps

    def _constants(self) -> dict[str, float | bool]:
        return {**super()._constants(), "centred": self.centred}

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        variance = self._average("square", i, g * g, self.rho)
        if self.centred:
            mean = self._average("mean", i, g, self.rho)
            variance = ops.relu(variance - mean * mean)  # rounding may leave it just below 0
        step = g / (ops.sqrt(variance) + self.eps)
        if self.momentum:
            step = self._put("velocity", i, self._get("velocity", i) * self.momentum + step)
        return w - step * self.lr


class _AdamFamily(Composed):
    """Arguments and averages that Adam's relatives share."""

    slots: tuple[str, ...] = ("mean", "square")

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr, self.slots,
            beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay,
        )  # fmt: skip
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.weight_decay = weight_decay

    def _corrected_root(self, i: int, square: Tensor) -> Tensor:
        """sqrt(v / (1 - beta2^t)) + eps."""
        return ops.sqrt(square) / math.sqrt(1 - self.beta2 ** self.steps[i]) + self.eps

    def _corrected_mean(self, i: int, g: Tensor) -> Tensor:
        """m / (1 - beta1^t), with m brought up to date."""
        return self._average("mean", i, g, self.beta1) / (1 - self.beta1 ** self.steps[i])


class Adamax(_AdamFamily):
    """u <- max(beta2 u, |g| + eps);  w <- w - lr (m / (1 - beta1^t)) / u.

    g is the gradient plus weight_decay * w. Kingma and Ba 2015 (arXiv:1412.6980), algorithm 2; eps
    where PyTorch has it. Raises ConfigError for numbers outside their range.
    """

    slots = ("mean", "largest")

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        mean = self._corrected_mean(i, g)
        kept = self._get("largest", i) * self.beta2
        largest = self._put("largest", i, ops.maximum(kept, ops.abs(g) + self.eps))
        return w - mean * self.lr / largest


class Nadam(_AdamFamily):
    """Adam with Nesterov's momentum, whose weight mu_t = beta1 (1 - 0.96^(0.004 t) / 2) grows:

    w <- w - lr (mu_{t+1} m / (1 - M mu_{t+1}) + (1 - mu_t) g / (1 - M)) / (sqrt(v^) + eps),
    M = mu_1 ... mu_t, v^ = v / (1 - beta2^t). M is computed anew in every step, from t alone.

    g is the gradient plus weight_decay * w. Dozat 2016 (ICLR workshop). Raises ConfigError for
    numbers outside their range.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, beta1, beta2, eps, weight_decay)
        self._products = [1.0]  # M after t steps, as far as it was needed

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def _new_weight(self, i: int, w: Tensor, g: Tensor) -> Tensor:
        t = self.steps[i]
        while len(self._products) <= t:
            self._products.append(self._products[-1] * self._mu(len(self._products)))
        product, following = self._products[t], self._mu(t + 1)
        mean = self._average("mean", i, g, self.beta1)
        square = self._average("square", i, g * g, self.beta2)
        ahead = mean * (following / (1 - product * following))
        now = g * ((1 - self._mu(t)) / (1 - product))
        return w - (ahead + now) * self.lr / self._corrected_root(i, square)


class Groups:
    """Several optimisers that step as one: parameter groups, each with its own rule and arguments.

    Groups(SGD(body, lr=0.01), Adam(head)). `steps` are those of all parameters; setting `lr` scales
    every group's rate by the same factor, so that their ratios stay. A parameter may be in one
    group only. Raises ConfigError.
    """

    def __init__(self, *optimizers: Optimizer) -> None:
        if not optimizers:
            raise ConfigError("Groups: needs at least one optimiser")
        self.optimizers = optimizers
        self.parameters = [p for o in optimizers for p in o.parameters]
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ConfigError("Groups: a parameter is in two groups")
        self._relative = [o.lr for o in optimizers]
        self._lr = optimizers[0].lr

    @property
    def steps(self) -> list[int]:
        return [n for o in self.optimizers for n in o.steps]

    @property
    def lr(self) -> float:
        """The first group's rate."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        if self._relative[0] == 0:
            raise ConfigError("Groups: the first group's rate was 0; set each group's lr")
        self._lr = value
        for optimizer, rate in zip(self.optimizers, self._relative, strict=True):
            optimizer.lr = rate * (value / self._relative[0])

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.check_gradients()
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """Those of the groups, with "<position>." before every name."""
        merged: dict[str, dict[str, Any]] = {"scalars": {}, "arrays": {}}
        for position, optimizer in enumerate(self.optimizers):
            for kind, values in optimizer.state_dict().items():
                merged[kind] |= {f"{position}.{name}": value for name, value in values.items()}
        return merged

    def load_state_dict(self, state: dict[str, dict[str, Any]]) -> None:
        """Restore every group.

        Raises one FormatError that lists everything that does not fit; then nothing was changed.
        """
        parts: list[dict[str, dict[str, Any]]] = []
        problems = []
        for position, optimizer in enumerate(self.optimizers):
            part = {kind: _below(f"{position}.", state.get(kind, {})) for kind in KINDS}
            found = optimizer._misfits(part["scalars"], part["arrays"])
            problems += [f"group {position}: {problem}" for problem in found]
            parts.append(part)
        starts = tuple(f"{position}." for position in range(len(parts)))
        extra = [n for kind in KINDS for n in state.get(kind, {}) if not n.startswith(starts)]
        problems += [f"unexpected {name}" for name in extra]
        if problems:
            raise FormatError("load_state_dict(Groups): " + "; ".join(problems))
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            optimizer.load_state_dict(part)
        self._relative = [o.lr for o in self.optimizers]
        self._lr = self._relative[0]


KINDS = ("scalars", "arrays")


def _below(start: str, values: dict[str, Any]) -> dict[str, Any]:
    return {n.removeprefix(start): v for n, v in values.items() if n.startswith(start)}
