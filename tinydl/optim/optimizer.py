"""The base of all optimisers: parameters, their state, checks before a step, saving and loading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import numpy as np

from .. import instruments
from ..arguments import is_number
from ..doors import checked, fitting
from ..errors import ConfigError, DeviceError, DTypeError, FormatError, ShapeError
from ..habits import install
from ..quoting import quoted
from ..tensor import Tensor

Named = tuple[str, Tensor]


class Optimizer:
    """Updates parameters in place from their gradients.

    parameters: leaf tensors, or (name, tensor) pairs as `model.named_parameters()` yields them; the
    names (else the positions) appear in errors and in `state_dict`. `lr` may be set at any time.
    maximize: climb instead of descend, by the negative of every gradient. A subclass names its
    state arrays, one of each per parameter, and writes `_update`, or, with a kernel for many
    parameters, `_update_all`.
    """

    @checked
    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[Named],
        lr: float,
        slots: tuple[str, ...],
        maximize: bool = False,
    ) -> None:
        self.rule, self.maximize = type(self).__name__, maximize
        self._check_number("lr", lr, 0.0, float("inf"))
        self.lr = lr
        self.names, self.parameters = self._named(parameters)
        self._homes = [(p.backend, p.dtype) for p in self.parameters]
        self.steps = [0] * len(self.parameters)  # updates that each parameter has had
        self.state = {
            slot: [p.backend.zeros(p.shape, p.dtype) for p in self.parameters] for slot in slots
        }

    # -- what subclasses write ---------------------------------------------------------------------

    def _update(self, i: int, param: Any, grad: Any) -> None:
        """Write the i-th parameter's array `param` from the contiguous `grad` and self.state."""
        raise NotImplementedError(f"{self.rule} has no _update")

    def _update_all(self, places: list[int], params: list[Any], grads: list[Any]) -> None:
        """The same for the parameters of these numbers, all of one backend and type."""
        for i, param, grad in zip(places, params, grads, strict=True):
            self._update(i, param, grad)

    def _states(self, slot: str, places: list[int]) -> list[Any]:
        """The state arrays of these parameters."""
        states = self.state[slot]
        return [states[i] for i in places]

    def _by_age(
        self, places: list[int], params: list[Any], grads: list[Any]
    ) -> Iterator[tuple[int, list[int], list[Any], list[Any]]]:
        """(age, places, params, grads) for every number of updates that some of these parameters
        have had, with this one: a rule whose formula changes with it takes them one by one."""
        for age in sorted({self.steps[i] for i in places}):
            chosen = [k for k, i in enumerate(places) if self.steps[i] == age]
            yield (
                age,
                [places[k] for k in chosen],
                [params[k] for k in chosen],
                [grads[k] for k in chosen],
            )

    def _constants(self) -> dict[str, float | bool]:
        """Arguments other than lr: saved, and compared when a state is loaded."""
        return {}

    def _told(self) -> dict[str, float | bool]:
        """Those, and whether it maximizes; left out where it does not, as older states did."""
        return self._constants() | ({"maximize": True} if self.maximize else {})

    # -- the step ----------------------------------------------------------------------------------

    def step(self) -> None:
        """Update every parameter that has a gradient; the others are skipped, their state too.

        Raises ShapeError, DTypeError or DeviceError before anything is written.
        """
        groups: dict[Any, tuple[list[int], list[Any], list[Any]]] = {}
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            self._check_gradient(i)
            places, params, grads = groups.setdefault(self._homes[i], ([], [], []))
            places.append(i)
            params.append(parameter.data)
            grads.append(parameter.grad.data)
        for (backend, _), (places, params, grads) in groups.items():
            for k, array in enumerate(grads):
                if self.maximize:
                    grads[k] = backend.negative(array)
                elif not _contiguous(array, params[k]):
                    grads[k] = backend.copy(array)
            for i in places:
                self.steps[i] += 1
            if instruments.active:
                instruments.update(self, places, params, grads)
            else:
                self._update_all(places, params, grads)
            for i in places:
                self.parameters[i].bump_version()

    def check_gradients(self) -> None:
        """Raise what `step` would raise, and write nothing."""
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self._check_gradient(i)

    @fitting
    def zero_grad(self) -> None:
        """Forget every gradient."""
        for parameter in self.parameters:
            parameter.grad = None

    def _check_gradient(self, i: int) -> None:
        parameter, (backend, dtype) = self.parameters[i], self._homes[i]
        grad: Any = parameter.grad
        if (
            parameter.backend is backend
            and grad.backend is backend
            and parameter.dtype == dtype == grad.dtype
            and grad.shape == parameter.shape
        ):
            return
        what = f"{self.rule}: parameter {self.names[i]} {parameter.shape}"
        if parameter.backend is not backend:
            raise DeviceError(
                f"{what} was moved to {parameter.backend.name!r} after the optimiser was made, "
                f"whose state is on {backend.name!r}; move the model first, then make the optimiser"
            )
        if parameter.dtype != dtype:
            raise DTypeError(
                f"{what} became {parameter.dtype} after the optimiser was made for {dtype}; "
                "convert the model first"
            )
        if grad.backend is not backend:
            raise DeviceError(
                f"{what} is on {backend.name!r}, its gradient on {grad.backend.name!r}"
            )
        if grad.shape != parameter.shape:
            raise ShapeError(f"{what} has a gradient of shape {grad.shape}")
        if grad.dtype != dtype:
            raise DTypeError(f"{what} is {dtype} but its gradient is {grad.dtype}")

    # -- saving ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """{"scalars": {"lr": ..., ...}, "arrays": {"steps": ..., "<parameter>.<slot>": copy, ...}}.

        scalars: the arguments; steps: int64, the updates that each parameter has had.
        """
        arrays = {"steps": np.array(self.steps, np.int64)}
        for slot, states in self.state.items():
            for name, (backend, _), array in zip(self.names, self._homes, states, strict=True):
                arrays[f"{name}.{slot}"] = np.array(backend.to_numpy(array), order="C")
        return {"scalars": {"lr": self.lr, **self._told()}, "arrays": arrays}

    def load_state_dict(self, state: dict[str, dict[str, Any]]) -> None:
        """Restore lr, step counts and state arrays; the other arguments must be equal.

        Raises one FormatError that lists everything that does not fit; then nothing was changed.
        """
        scalars, arrays = dict(state.get("scalars", {})), dict(state.get("arrays", {}))
        problems = self._misfits(scalars, arrays)
        if problems:
            raise FormatError(f"load_state_dict({self.rule}): " + "; ".join(problems))
        self.lr = scalars["lr"]
        self.steps = [int(n) for n in arrays["steps"]]
        for slot, states in self.state.items():
            for name, (backend, _), array in zip(self.names, self._homes, states, strict=True):
                backend.copy_into(
                    array, backend.asarray(np.array(arrays[f"{name}.{slot}"], order="C"))
                )

    def _misfits(self, scalars: dict[str, Any], arrays: dict[str, Any]) -> list[str]:
        """What keeps this state from being loaded, in words."""
        mine = self.state_dict()
        problems = []
        for kind, given in (("scalars", scalars), ("arrays", arrays)):
            problems += [f"missing {name}" for name in mine[kind] if name not in given]
            problems += [f"unexpected {name}" for name in given if name not in mine[kind]]
        for name, value in mine["scalars"].items():
            if name != "lr" and scalars.get(name, value) != value:
                problems.append(f"{name} is {scalars[name]!r} but the optimiser has {value!r}")
        if "lr" in scalars and not _possible(scalars["lr"]):
            problems.append(f"lr is {quoted(scalars['lr'])}")
        if np.any(np.asarray(arrays.get("steps", 0)) < 0):
            problems.append("steps are negative")
        for name, b in mine["arrays"].items():
            a = np.asarray(arrays.get(name, b))
            if a.shape != b.shape or a.dtype != b.dtype:
                problems.append(f"{name} is {a.dtype} {a.shape}, expected {b.dtype} {b.shape}")
        return problems

    # -- arguments ---------------------------------------------------------------------------------

    def _named(self, parameters: Iterable[Any]) -> tuple[list[str], list[Tensor]]:
        if isinstance(parameters, Tensor):
            raise ConfigError(f"{self.rule}: needs a list of parameters, got a single tensor")
        names: list[str] = []
        tensors: list[Tensor] = []
        seen: set[int | str] = set()
        for i, item in enumerate(parameters):
            pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
            name, tensor = item if pair else (str(i), item)
            if not isinstance(tensor, Tensor):
                raise ConfigError(
                    f"{self.rule}: item {i} is a {type(tensor).__name__}, not a parameter; "
                    "pass model.parameters()"
                )
            if tensor.node is not None or tensor.dtype.kind != "f":
                raise ConfigError(
                    f"{self.rule}: parameter {name} must be a float tensor without history"
                )
            if id(tensor) in seen or name in seen:
                raise ConfigError(f"{self.rule}: parameter {name} is given twice")
            seen |= {id(tensor), name}
            names.append(name)
            tensors.append(tensor)
        if not tensors:
            raise ConfigError(f"{self.rule}: no parameters to train")
        return names, tensors

    def _check_number(self, name: str, value: float, low: float, below: float) -> None:
        if not isinstance(value, Real) or not low <= value < below:
            raise ConfigError(f"{self.rule}: {name} must be in [{low:g}, {below:g}), got {value!r}")

    def __repr__(self) -> str:
        constants = "".join(f", {name}={value!r}" for name, value in self._told().items())
        return f"{self.rule}(lr={self.lr!r}{constants}; {len(self.parameters)} parameters)"


install(Optimizer, "optimizer")


def _possible(lr: Any) -> bool:
    return is_number(lr) and 0 <= float(lr) < float("inf")


def _contiguous(array: Any, param: Any) -> bool:
    """Whether the elements lie in C order without gaps, as the update kernels need them."""
    if array.strides == param.strides and array.size == param.size:  # as a leaf's elements do
        return True
    expected = array.dtype.itemsize
    for size, stride in zip(reversed(array.shape), reversed(array.strides), strict=True):
        if size > 1 and stride != expected:
            return array.size == 0
        expected *= size
    return True
