"""Module, the base of all layers and models, Parameter, what it trains, and Buffer, what not.

A module owns whatever Parameters, Buffers and Modules are among its attributes, also inside lists
and tuples, in the order in which they were assigned. Nothing is registered: `vars(self)` is read
when somebody asks. A parameter's name is the way to it, `layers.0.weight`; a parameter reachable
by two ways is shared and counted once, under the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..backend import Backend, get
from ..errors import ConfigError, FormatError, GraphError, ShapeError
from ..recompute import note_update, recomputing
from ..tensor import FLOAT, Tensor


class Stored(Tensor):
    """A tensor that a module keeps: it stays the same object when its storage is exchanged."""

    __slots__ = ()

    def replace(self, values: np.ndarray, backend: Backend | None = None) -> None:
        """Take a copy of `values` as the new storage, on `backend` (None: where it is).

        It stays the same object; its gradient is dropped, and a graph recorded before
        raises GraphError when it is walked back.
        """
        if self.node is not None:
            raise GraphError(
                f"{type(self).__name__}.replace: only leaves have a storage of their own"
            )
        self.backend = self.backend if backend is None else backend
        self.data = self.backend.asarray(np.array(values, order="C"))
        self.grad = None
        self.bump_version()


class Parameter(Stored):
    """A tensor that is trained: a leaf with requires_grad; results of operations are Tensors."""

    __slots__ = ()

    def __init__(self, data: Any, backend: str | Backend | None = None, dtype: Any = None) -> None:
        super().__init__(data, backend, dtype, requires_grad=True)


class Buffer(Stored):
    """A tensor that is saved and moved with its module but not trained: running statistics."""

    __slots__ = ()

    def __init__(self, data: Any, backend: str | Backend | None = None, dtype: Any = None) -> None:
        super().__init__(data, backend, dtype, requires_grad=False)

    def update(self, value: Tensor) -> None:
        """Take over the storage of `value`, a fresh result of the same shape, type and backend.

        While a segment is recomputed (`tinydl.recompute`), only until that is done.
        """
        if value.shape != self.shape or value.dtype != self.dtype:
            raise ShapeError(
                f"Buffer.update: the value must be {self.shape} {self.dtype}, got {value.shape} "
                f"{value.dtype}"
            )
        note_update(self)
        self.data = value.data
        if not recomputing():
            self.bump_version()


class Module:
    """A layer or a model: parameters, submodules and `forward`.

    Subclasses assign them in `__init__` and write `forward(self, x)`; they are used as `module(x)`.
    `training` is True until `eval()`: Dropout asks for it. `frozen` is True from `freeze()` to
    `unfreeze()`: BatchNorm asks for it.
    """

    training: bool = True
    frozen: bool = False

    def forward(self, *inputs: Any) -> Any:
        """The output of the module."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    # -- what it is made of ------------------------------------------------------------------------

    def _members(self) -> Iterator[tuple[str, Stored | Module]]:
        """(name, member) of the parameters, buffers and modules that it owns itself, in order."""
        for name, value in vars(self).items():
            if isinstance(value, Stored | Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for i, item in enumerate(value):
                    if isinstance(item, Stored | Module):
                        yield f"{name}.{i}", item

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """("", self), then ("layers.0", module) for all below; parents first, each once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            path, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [(_join(path, n), m) for n, m in module._members() if isinstance(m, Module)]
            stack.extend(reversed(below))

    def _named(self, kind: type) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, member in module._members():
                if isinstance(member, kind) and id(member) not in seen:
                    seen.add(id(member))
                    yield _join(path, name), member

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """("layers.0.weight", parameter) for every parameter, each once, in order."""
        return self._named(Parameter)

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """("layers.1.running_mean", buffer) for every buffer, each once, in order."""
        return self._named(Buffer)

    def _state(self) -> dict[str, Stored]:
        """Everything that is saved and moved: the parameters, then the buffers."""
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    def parameters(self) -> list[Parameter]:
        """Every parameter, each once, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def trainable_parameters(self) -> list[tuple[str, Parameter]]:
        """The (name, parameter) pairs that are not frozen, for an optimiser without dead state."""
        return [(name, p) for name, p in self.named_parameters() if p.requires_grad]

    def count_parameters(self) -> int:
        """Number of trained numbers; shared parameters count once."""
        return sum(parameter.size for parameter in self.parameters())

    @property
    def backend(self) -> Backend:
        """Where the first parameter lives; the default backend if there is none."""
        for _, parameter in self.named_parameters():
            return parameter.backend
        return get(None)

    @property
    def dtype(self) -> np.dtype:
        """Element type of the first parameter; float32 if there is none."""
        for _, parameter in self.named_parameters():
            return parameter.dtype
        return FLOAT

    # -- modes, places, gradients ------------------------------------------------------------------

    def train(self, mode: bool = True) -> Module:
        """Set `training` here and below; returns self."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """`train(False)`: Dropout passes everything."""
        return self.train(False)

    def to(self, backend: str | Backend) -> Module:
        """Move parameters and buffers to `backend` in place (gradients are dropped); returns self.

        Move the model before making its optimiser: the optimiser's state stays where it was made.
        """
        target = get(backend)
        for kept in self._state().values():
            if kept.backend is not target:
                kept.replace(kept.numpy(), target)
        return self

    def astype(self, dtype: Any) -> Module:
        """Convert all parameters and buffers to float32 or float64 (gradients are dropped)."""
        target = np.dtype(dtype)
        if target not in (np.float32, np.float64):
            raise ConfigError(f"Module.astype: dtype must be float32 or float64, got {target}")
        for kept in self._state().values():
            if kept.dtype != target and kept.dtype.kind == "f":
                kept.replace(kept.numpy().astype(target))
        return self

    def zero_grad(self) -> None:
        """Forget every gradient (None, not zeros: an optimiser skips what got none)."""
        for parameter in self.parameters():
            parameter.grad = None

    def freeze(self) -> Module:
        """Keep all weights here and below as they are; returns self.

        Their gradients are dropped and no more computed, and an optimiser that has them skips them.
        A frozen BatchNorm standardises with its running statistics, also in training, and does not
        move them (as in Keras); Dropout goes on. Penalties of frozen weights stay in the loss as a
        constant. Replace a head afterwards: new modules are not frozen. The state is not saved.
        """
        return self._set_frozen(True)

    def unfreeze(self) -> Module:
        """Train all parameters here and below (again); returns self. An optimiser made meanwhile
        from `trainable_parameters()` does not know them: make a new one."""
        return self._set_frozen(False)

    def _set_frozen(self, frozen: bool) -> Module:
        for _, module in self.named_modules():
            module.frozen = frozen
        for parameter in self.parameters():
            parameter.requires_grad, parameter.grad = not frozen, None
        return self

    # -- penalties and costs -----------------------------------------------------------------------

    def own_penalties(self) -> list[Tensor]:
        """Numbers added to the loss because of this module alone; layers may override it."""
        return []

    def penalty(self) -> Tensor | None:
        """Sum of all penalties here and below, to be added to the loss; None if there are none.

        Activity penalties are those of each layer's most recent call.
        """
        total: Tensor | None = None
        for _, module in self.named_modules():
            for value in module.own_penalties():
                total = value if total is None else total + value
        return total

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Multiply-adds of one call on an x of this shape, submodules not counted; 0 by default."""
        return 0

    # -- saving ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters, then all buffers, as host arrays, by name."""
        return {name: np.array(p.numpy(), order="C") for name, p in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Overwrite every parameter and buffer in place with the array of its name.

        Raises one FormatError that lists all missing, unexpected and misfitting entries; then
        nothing was changed.
        """
        mine = self._state()
        arrays = {name: np.asarray(values) for name, values in state.items()}
        problems = [f"missing {name} {p.shape}" for name, p in mine.items() if name not in arrays]
        problems += [
            f"unexpected {name} {a.shape}" for name, a in arrays.items() if name not in mine
        ]
        for name, p in mine.items():
            a = arrays.get(name)
            if a is not None and a.shape != p.shape:
                problems.append(f"{name} has shape {a.shape} but the model needs {p.shape}")
            elif a is not None and a.dtype != p.dtype:
                problems.append(f"{name} is {a.dtype} but the model needs {p.dtype}")
        if problems:
            raise FormatError(f"load_state_dict({type(self).__name__}): " + "; ".join(problems))
        for name, p in mine.items():
            p.assign(arrays[name])

    # -- printing ----------------------------------------------------------------------------------

    def arguments(self) -> str:
        """What stands between the brackets of the layer's repr."""
        return ""

    def __repr__(self) -> str:
        head = f"{type(self).__name__}({self.arguments()})"
        own = [(n, m) for n, m in self._members() if isinstance(m, Parameter)]
        head += "".join(f", {name} {p.shape}" for name, p in own)
        count = self.count_parameters()
        head += f": {count:,} parameters" if count else ""
        lines = [head]
        for name, member in self._members():
            if isinstance(member, Module):
                lines += [f"  {name}: {member!r}".replace("\n", "\n  ")]
        return "\n".join(lines)


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    Raises ConfigError for anything that is not a Module.
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise ConfigError(
                    f"Sequential: item {i} must be a Module, got {type(module).__name__}"
                    " (write Sequential(*modules) for a list)"
                )
        self.layers = list(modules)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
