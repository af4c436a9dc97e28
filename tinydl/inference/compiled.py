"""`compile`: a model whose forward pass runs as a flat program."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock, RLock
from typing import Any

from ..arguments import texts
from ..errors import ConfigError
from ..instruments import watched
from ..nn.lifting import lifted
from ..nn.module import Module
from ..quoting import quoted
from ..recording import is_recording
from ..tensor import Tensor
from .eager import Eager
from .passes import ALL
from .program import Program
from .record import OP, put_together, record
from .told import told

#: Programs of other shapes that are kept beside the newest.
MOST_PROGRAMS = 8
PLAIN = (bool, int, float, str, type(None))


class Compiled(Module):
    """What `compile` gives: a module with the model in it, called like the model.

    In evaluation it runs the program for the shapes of its inputs, recording one at the first call
    with new shapes (at most 8 are kept), and anew once a stored weight was changed. In training,
    where recording is on and an input requires a gradient, and while somebody watches operations or
    modules (a profile, a trace, a summary), it runs the model itself. Results of a program have no
    history: `backward` through them raises GraphError. Modules that are exchanged after compiling
    are not noticed: compile again.
    """

    def __init__(self, model: Module, passes: Sequence[str] | None = None) -> None:
        self.model = model
        self.programs = Programs(model, passes)
        self.eval()

    def forward(self, *inputs: Any) -> Any:
        recorded = is_recording() and any(_requires(x) for x in inputs)
        if self.training or recorded or watched():
            return self.model(*inputs)
        return self.programs(inputs)

    @property
    def program(self) -> Prepared:
        """The program of the latest call."""
        return self.programs.program


class Programs:
    """The programs of a model, by the shapes and types of its inputs."""

    def __init__(self, model: Module, passes: Sequence[str] | None = None) -> None:
        self.model = model
        self.passes = None if passes is None else tuple(passes)
        self.kept: dict[Any, Prepared] = {}
        self.latest: Prepared | None = None
        self.lock = RLock()

    def __call__(self, inputs: Sequence[Any]) -> Any:
        latest = self.latest
        if latest is None or not latest.fits(inputs):
            latest = self.prepared(inputs)
        return latest(inputs)

    def prepared(self, inputs: Sequence[Any]) -> Prepared:
        """The program for inputs of these shapes, recorded if there is none that is up to date."""
        key = tuple([_key(x) for x in inputs])
        with self.lock:
            found = self.kept.pop(key, None)
            if found is None or not found.fits(inputs):
                found = Prepared(self.model, inputs, self.passes)
            while len(self.kept) >= MOST_PROGRAMS:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = self.latest = found
        return found

    @property
    def program(self) -> Prepared:
        """The one that ran last."""
        if self.latest is None:
            raise ConfigError(f"{OP}: no program yet; it is recorded at the first call")
        return self.latest

    def __getstate__(self) -> dict[str, Any]:  # copies record anew
        return {"model": self.model, "passes": self.passes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _requires(x: Any) -> bool:
    return isinstance(x, Tensor) and x._requires_grad


def _key(x: Any) -> Any:
    if isinstance(x, Tensor):
        data = x.data
        return data.shape, data.dtype, x.backend
    if isinstance(x, PLAIN):
        return type(x), x
    raise ConfigError(
        f"{OP}: inputs are tensors, arrays, or numbers that stay the same, got {quoted(x)}"
    )


class Prepared:
    """A program for inputs of one shape, and what runs it."""

    def __init__(self, model: Module, inputs: Sequence[Any], passes: Sequence[str] | None) -> None:
        self.keys = [_key(x) for x in inputs]
        self.places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor)]
        if not self.places:
            raise ConfigError(f"{OP}: takes at least one tensor or array, got {quoted(inputs)}")
        training = [name for name, m in model.named_modules() if name and m.training]
        if training:
            raise ConfigError(
                f"{OP}: {training[0]} is in training mode, and a program is for evaluation; call "
                ".eval() on the model"
            )
        self.versions = [t._version for t in model._state().values()]
        self.written = [version[0] for version in self.versions]
        self.modules = [vars(m) for m in model.modules() if m is not model]
        self.modes = [own.get("training") for own in self.modules]
        tensors = [_contiguous(inputs[i]) for i in self.places]
        model_of_tensors = model if len(tensors) == len(inputs) else _Filled(model, inputs)
        program, self.structure = record(model_of_tensors, tensors)
        for name, improve in ALL.items():
            if passes is None or name in passes:
                program.notes.append((name, improve(program)))
        self.backend, self.steps = program.backend, program.steps
        self.flat: Program = program
        self.runner = runner_of(program)
        self.level = getattr(program.backend, "level", None)
        self.built_at = self.level and self.level()  # weights are packed for it
        self.lock = Lock()

    def fits(self, inputs: Sequence[Any]) -> bool:
        """Whether these inputs have its shapes and types, and no weight was changed since. Asked at
        every call: what a list can be compared with at once is not looped over."""
        if len(inputs) != len(self.keys) or (self.level and self.level() != self.built_at):
            return False
        if [version[0] for version in self.versions] != self.written:
            return False
        if [own.get("training") for own in self.modules] != self.modes:
            return False
        return all(_key(x) == key for x, key in zip(inputs, self.keys, strict=True))

    def __call__(self, inputs: Sequence[Any]) -> Any:
        arrays = [inputs[i].data for i in self.places]
        with self.lock:  # the buffers are the program's
            found = self.runner(arrays)
        like, backend = inputs[self.places[0]], self.backend
        return put_together(self.structure, [like._new(a, backend) for a in found])

    def print(self, repeats: int = 10) -> None:
        """Print the program: each step with its result's shape, its kernel, the bytes that it reads
        and writes and its time (the median of `repeats` runs on zeros), and what each pass did."""
        told(self.flat, self.runner, repeats)

    def __str__(self) -> str:
        return f"<program of {len(self.steps)} steps, {self.runner.kind}>"


class _Filled(Module):
    """The model with those arguments filled in that are no tensors."""

    def __init__(self, model: Module, inputs: Sequence[Any]) -> None:
        self.model = model
        self.inputs = tuple(inputs)

    def forward(self, *tensors: Tensor) -> Any:
        given = iter(tensors)
        return self.model(*[next(given) if isinstance(x, Tensor) else x for x in self.inputs])


def _contiguous(t: Tensor) -> Tensor:
    """The example as the program will see it: in C order, without history."""
    return t._new(t.backend.copy(t.data), t.backend)


def runner_of(program: Program) -> Any:
    """What runs a program on its backend."""
    if program.backend.name != "cpu":
        return Eager(program)
    from .native import Native

    return Native(program)


def compile(model: Module, example: Any = None, passes: Sequence[str] | None = None) -> Compiled:
    """The model as a flat program of kernel calls for inference (see `tinydl.compile`)."""
    if not isinstance(model, Module):
        raise ConfigError(f"{OP}: model must be a Module, got {quoted(model)}")
    passes = None if passes is None else texts(OP, "passes", passes)
    unknown = [p for p in passes or () if p not in ALL]
    if unknown:
        raise ConfigError(f"{OP}: passes are {', '.join(ALL)}, got {quoted(unknown[0])}")
    made = Compiled(model, passes)
    if example is not None:
        inputs = example if isinstance(example, tuple | list) else (example,)
        made.programs.prepared(lifted(model, tuple(inputs), {})[0])
    return made
