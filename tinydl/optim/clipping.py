"""What is done between `backward` and `step`, and after it: clipping, and averages of weights.

A gradient is never written in place, as another tensor may share its storage: a new one is
assigned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import ops
from ..arguments import tensor
from ..doors import checked
from ..errors import ConfigError, FormatError
from ..function import no_grad
from ..tensor import Tensor


def _with_gradients(op: str, parameters: Iterable[Tensor], limit: float) -> list[Tensor]:
    if not limit > 0:
        raise ConfigError(f"{op}: the limit must be above 0, got {limit!r}")
    return [p for p in _tensors(op, parameters) if p.grad is not None]


def _tensors(op: str, parameters: Iterable[Tensor]) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        raise ConfigError(f"{op}: needs a list of parameters, got a single tensor")
    return [tensor(op, f"parameter {i}", p) for i, p in enumerate(parameters)]


@checked
def clip_by_value(parameters: Iterable[Tensor], limit: float) -> None:
    """Every element of every gradient is moved into [-limit, limit]. Raises ConfigError."""
    with no_grad():
        for p in _with_gradients("clip_by_value", parameters, limit):
            p.grad = ops.clip(p.grad, -float(limit), float(limit))


@checked
def clip_by_norm(parameters: Iterable[Tensor], limit: float) -> None:
    """Each gradient by itself: g min(1, limit / |g|). Raises ConfigError.

    Computed on the backend, without waiting for it. A gradient whose norm is not finite is left as
    it is, as in `clip_by_global_norm`.
    """
    with no_grad():
        for p in _with_gradients("clip_by_norm", parameters, limit):
            backend = p.grad.backend
            length = Tensor._new(backend.reshape(backend.norms([p.grad.data]), ()), backend)
            factor = float(limit) / ops.clip(length, low=float(limit))
            p.grad = p.grad * ops.masked_fill(factor, ~(length < math.inf), 1.0)


@checked
def clip_by_global_norm(parameters: Iterable[Tensor], limit: float) -> float:
    """All gradients by one factor min(1, limit / n), n the norm of all of them together; returns n.

    With an n that is not finite the gradients are left as they are: look at what is returned.
    (PyTorch divides by n + 1e-6.) Pascanu, Mikolov and Bengio 2013 (arXiv:1211.5063), algorithm 1.
    Raises ConfigError.
    """
    with no_grad():
        ready = _with_gradients("clip_by_global_norm", parameters, limit)
        total = math.hypot(*_norms([p.grad for p in ready]))
        if math.isfinite(total) and total > limit:
            for p in ready:
                p.grad = p.grad * (limit / total)
    return total


def _norms(gradients: list[Any]) -> list[float]:
    """The norm of each: one kernel call and one read per backend and type."""
    groups: dict[Any, list[Any]] = {}
    for g in gradients:
        groups.setdefault((g.backend, g.dtype), []).append(g.data)
    found = [backend.to_numpy(backend.norms(arrays)) for (backend, _), arrays in groups.items()]
    return [float(n) for norms in found for n in norms]


@checked
def clip_weights(parameters: Iterable[Tensor], limit: float) -> None:
    """Every weight is moved into [-limit, limit], in place: the first Wasserstein GAN's critic.

    Call it after `step`. Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1. Raises ConfigError.
    """
    if not limit > 0:
        raise ConfigError(f"clip_weights: the limit must be above 0, got {limit!r}")
    with no_grad():
        for p in _tensors("clip_weights", parameters):
            p.backend.copy_into(p.data, ops.clip(p, -float(limit), float(limit)).data)
            p.bump_version()


class WeightAverage:
    """a <- decay a + (1 - decay) w after every `update()`; a starts as the weights, or is what
    `into` holds: the parameters of another network of the same sizes, which follows the first.

    `swap()` exchanges averages and weights, in place; a second one brings the weights back. Polyak
    and Juditsky 1992; Tarvainen and Valpola 2017 (arXiv:1703.01780); for the target network of an
    agent Lillicrap et al. 2016 (arXiv:1509.02971). Raises ConfigError for a decay outside [0, 1),
    and where `into` has other shapes.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor],
        decay: float = 0.999,
        into: Iterable[Tensor] | None = None,
    ) -> None:
        if not 0 <= decay < 1:
            raise ConfigError(f"WeightAverage: decay must be in [0, 1), got {decay!r}")
        self.parameters, self.decay = _tensors("WeightAverage", parameters), decay
        if into is None:
            into = [Tensor._new(p.backend.copy(p.data), p.backend) for p in self.parameters]
        self.averages = _tensors("WeightAverage", into)
        shapes = [[t.shape for t in group] for group in (self.averages, self.parameters)]
        if shapes[0] != shapes[1]:
            raise ConfigError(f"WeightAverage: into has shapes {shapes[0]}, needs {shapes[1]}")

    def update(self) -> None:
        with no_grad():
            for p, a in zip(self.parameters, self.averages, strict=True):
                moved = a * self.decay + p * (1 - self.decay)
                a.backend.copy_into(a.data, moved.data)
                a.bump_version()

    def state_dict(self) -> dict[str, np.ndarray]:
        """{position: average}, copies: what a resumed run needs beside its checkpoint."""
        return {str(i): a.numpy().copy() for i, a in enumerate(self.averages)}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore the averages. FormatError, nothing changed, unless shapes and types are these."""
        mine = {str(i): (a.shape, a.dtype) for i, a in enumerate(self.averages)}
        given = {name: (np.shape(array), array.dtype) for name, array in state.items()}
        if mine != given:
            raise FormatError(f"load_state_dict(WeightAverage): has {given}, needs {mine}")
        for i, a in enumerate(self.averages):
            a.backend.copy_into(a.data, a.backend.asarray(np.array(state[str(i)], order="C")))
            a.bump_version()

    def swap(self) -> None:
        for p, a in zip(self.parameters, self.averages, strict=True):
            weights = p.backend.copy(p.data)
            p.backend.copy_into(p.data, a.data)
            p.backend.copy_into(a.data, weights)
            p.bump_version()
            a.bump_version()
