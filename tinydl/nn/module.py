"""Module, the base of all layers and models, Parameter, what it trains, and Buffer, what not.

A module owns whatever Parameters, Buffers, Modules and random generators are among its attributes,
also inside lists, tuples and dictionaries of any depth, in the order in which they were assigned.
Nothing is registered: `vars(self)` is read when somebody asks (`members.py`). A parameter's name is
the way to it, `layers.0.weight`, `heads.left.weight`; a parameter reachable by two ways is shared
and counted once, under the first. What would not be found, as in a set, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy import ndarray

from ..arguments import array, flag
from ..backend import Backend, get
from ..doors import FOREIGN, checked, explained, fitting
from ..errors import ConfigError, FormatError, TinydlError
from ..habits import Parameters, install
from ..quoting import quoted
from ..random import Generator
from ..tensor import FLOAT, Tensor
from .lifting import lifted
from .members import check_hides_nothing, members
from .parameter import Buffer, Parameter, Stored


class Module:
    """A layer or a model: parameters, submodules and `forward`.

    Subclasses assign them in `__init__` and write `forward(self, x)`; they are used as `module(x)`.
    A call that begins with an ndarray makes tensors of its ndarrays, of the module's float type
    (lifting.py).
    `training` is True until `eval()`: Dropout asks for it. `frozen` is True from `freeze()` to
    `unfreeze()`: BatchNorm asks for it. `one_row`: a summary shows it and all below as one layer,
    for what calls its layers by other ways than `forward`.
    """

    training: bool = True
    frozen: bool = False
    one_row: bool = False

    if not TYPE_CHECKING:  # a checker would take it for a leave to assign any name

        def __setattr__(self, name: str, value: Any) -> None:
            """ConfigError for a container in which modules or parameters would not be found."""
            check_hides_nothing(name, value, _KINDS, type(self).__name__)
            object.__setattr__(self, name, value)

    @checked
    def __init__(self) -> None:
        """Of a module without arguments: `ReLU()`."""

    def forward(self, *inputs: Any) -> Any:
        """The output of the module."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        try:
            if options or len(inputs) != 1:
                if not inputs or type(inputs[0]) is ndarray:
                    inputs, options = lifted(self, inputs, options)
                return self.forward(*inputs, **options)
            x = inputs[0]  # most calls: unpacking costs more than asking what it is
            if type(x) is ndarray:
                (x,), _ = lifted(self, inputs, options)
            return self.forward(x)
        except TinydlError:
            raise
        except FOREIGN as error:
            found = explained(type(self).__name__, self.forward, inputs, options, error)
            if found is error:
                raise
            raise found from None

    # -- what it is made of ------------------------------------------------------------------------

    def _members(self) -> Iterator[tuple[str, Stored | Module | Generator]]:
        """(name, member) of everything that it owns itself, in order, generators too."""
        return members(vars(self), _KINDS, type(self).__name__)

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

    def modules(self) -> Iterator[Module]:
        """Itself and all modules below; parents first, each once."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[Module]:
        """The modules that it owns itself, each once, in order."""
        own = {id(m): m for _, m in self._members() if isinstance(m, Module)}
        return iter(own.values())

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Call function(module) for all modules below and then for itself, children before their
        parents, each once; returns self."""
        if not callable(function) or isinstance(function, type):
            raise ConfigError(
                f"apply: takes a function of one module, got {quoted(function)}; a model is called "
                "on data as model(x)"
            )
        done: set[int] = set()

        def visit(module: Module) -> None:
            done.add(id(module))
            for child in module.children():
                if id(child) not in done:
                    visit(child)
            function(module)

        visit(self)
        return self

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

    def named_generators(self) -> Iterator[tuple[str, Generator]]:
        """("layers.1.rng", generator) for the random generators that modules own, such as that of
        `Dropout(0.5, rng=...)`; a shared one comes once for each place."""
        for path, module in self.named_modules():
            for name, member in module._members():
                if isinstance(member, Generator):
                    yield _join(path, name), member

    def _state(self) -> dict[str, Stored]:
        """Everything that is saved and moved: the parameters, then the buffers."""
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    def parameters(self) -> list[Parameter]:
        """Every parameter, each once, in the order of `named_parameters`."""
        return Parameters(parameter for _, parameter in self.named_parameters())

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

    @fitting
    def train(self, mode: bool = True) -> Module:
        """Set `training` here and below; returns self."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """`train(False)`: Dropout passes everything."""
        return self.train(False)

    @fitting
    def to(self, backend: str | Backend) -> Self:
        """Move parameters and buffers to `backend` in place (gradients are dropped); returns self.

        Move the model before making its optimiser: the optimiser's state stays where it was made.
        """
        target = get(backend)
        for kept in self._state().values():
            if kept.backend is not target:
                kept.replace(kept.numpy(), target)
        return self

    def astype(self, dtype: Any) -> Self:
        """Convert all parameters and buffers to float32 or float64 (gradients are dropped)."""
        target = np.dtype(dtype)
        if target not in (np.float32, np.float64):
            raise ConfigError(f"Module.astype: dtype must be float32 or float64, got {target}")
        for kept in self._state().values():
            if kept.dtype != target and kept.dtype.kind == "f":
                kept.replace(kept.numpy().astype(target))
        return self

    @fitting
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

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Set `requires_grad` of every parameter here and below; returns self. With False their
        gradients are dropped. `freeze` also keeps what BatchNorm measures as it is."""
        wanted = flag("requires_grad_", "requires_grad", requires_grad)
        for parameter in self.parameters():
            parameter.requires_grad = wanted
            if not wanted:
                parameter.grad = None
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

    @fitting
    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> list[str]:
        """Overwrite every parameter and buffer in place with the array of its name.

        Raises one FormatError that lists all missing, unexpected and misfitting entries; then
        nothing was changed. With strict=False what fits is loaded, and that list is returned (empty
        where all fits). ConfigError for what is no dictionary.
        """
        if not isinstance(state, Mapping):
            raise ConfigError(
                f"load_state_dict: takes a dictionary of arrays, got {quoted(state)}; "
                "td.load(path) reads one, train.load_weights(model, path) does both"
            )
        strict = flag("load_state_dict", "strict", strict)
        mine, op = self._state(), "load_state_dict"
        arrays = {
            name: values.numpy() if isinstance(values, Tensor) else array(op, name, values)
            for name, values in state.items()
        }
        wrong: set[str] = set()
        problems = [f"missing {name} {p.shape}" for name, p in mine.items() if name not in arrays]
        problems += [
            f"unexpected {name} {a.shape}" for name, a in arrays.items() if name not in mine
        ]
        for name, p in mine.items():
            a = arrays.get(name)
            if a is None or (a.shape == p.shape and a.dtype == p.dtype):
                continue
            wrong.add(name)
            if a.shape != p.shape:
                problems.append(f"{name} has shape {a.shape} but the model needs {p.shape}")
            else:
                problems.append(f"{name} is {a.dtype} but the model needs {p.dtype}")
        if problems and strict:
            raise FormatError(f"load_state_dict({type(self).__name__}): " + "; ".join(problems))
        for name, p in mine.items():
            if name in arrays and name not in wrong:
                p.assign(arrays[name])
        return problems

    # -- printing ----------------------------------------------------------------------------------

    def summary(self, input_shape: tuple[int, ...] | None = None, dtype: Any = None) -> None:
        """Print the table of `nn.summary(self, input_shape)`: output shape, parameters,
        multiply-adds and memory of each layer. input_shape: of one sample, without the batch axis,
        such as (28, 28, 1). Raises what `nn.summary` raises."""
        from .summary import summary

        if input_shape is None:
            raise ConfigError(
                "summary: needs the shape of one sample, without the batch axis, as in "
                "model.summary((28, 28, 1))"
            )
        print(summary(self, input_shape, dtype))

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


_KINDS = (Stored, Module, Generator)
install(Module, "model")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
