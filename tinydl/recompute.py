"""Activation checkpointing: memory for time. A segment of the model keeps nothing but its inputs
and is run a second time when the backward walk comes to it.

Chen, Xu, Zhang and Guestrin 2016, "Training deep nets with sublinear memory cost" (arXiv
1604.06174); Griewank and Walther 2000 (doi:10.1145/347837.347846). Of n equal layers in segments of
sqrt(n), about 2 sqrt(n) layers' results are alive at once instead of n, for one more forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from .blocks import block
from .errors import ConfigError, DTypeError, GraphError
from .function import Function, Identity, _next_age, enable_grad, is_recording
from .function import grad as differentiate
from .quoting import quoted
from .random import Generator, drawing_again, noting_draws

FIRST, AGAIN = "first", "again"
_run: ContextVar[str | None] = ContextVar("tinydl_segment_run", default=None)


def in_segment() -> bool:
    """Whether the running code is a segment's, the first time or again."""
    return _run.get() is not None


def recomputing() -> bool:
    """Whether a segment is being run again: what it changed outside itself was changed before."""
    return _run.get() == AGAIN


#: What a stored tensor had before it was written to: storage, backend, gradient, version.
Before = tuple[Any, Any, Any, int]
_updated: ContextVar[dict[Any, Before] | None] = ContextVar("tinydl_updated", default=None)


def note_update(kept: Any) -> bool:
    """A parameter or buffer is about to be written to: whoever wants it back keeps what it had.

    True: the old storage is still needed, so that it must be exchanged, not written over.
    """
    before = _updated.get()
    if before is not None:
        before.setdefault(kept, (kept.data, kept.backend, kept.grad, kept._version[0]))
    return before is not None or recomputing()


def recompute(function: Callable[..., Any], *inputs: Any) -> Any:
    """function(*inputs), one tensor, whose inner results are not kept but computed again.

    function: a module or anything else from tensors to one tensor, such as
    `recompute(self.block, x)`; inputs: tensors. Values and gradients, of every order, are those of
    function(*inputs): the parameters it uses are found by themselves, random draws (dropout) are
    drawn again, buffers (running statistics) are as they were and updated once. It must compute the
    same both times, so call `eval()` or change what it reads after the backward only. GraphError if
    it uses a tensor with a history that is not among `inputs`, if it returns something else, and if
    an input or parameter was changed in place; ConfigError for an activity penalty inside, a number
    that would leave the segment beside its result.
    """
    if not all(hasattr(t, "_new") for t in inputs):
        kinds = ", ".join(type(t).__name__ for t in inputs)
        raise DTypeError(f"recompute: expects tensors as inputs, got {kinds}")
    if not callable(function) or isinstance(function, type):
        raise ConfigError(f"recompute: needs a function, got {quoted(function)}")
    if not is_recording():
        return function(*inputs)
    run = _run.get() or FIRST  # a segment inside one that is run again is run again too
    with _running(run), noting_updates() as buffers, noting_draws() as draws:
        aliases = [_alias(t) for t in inputs]
        start = _next_age()
        y = function(*aliases)
    if not hasattr(y, "_new"):
        raise GraphError(f"recompute: the function must return one tensor, got {type(y).__name__}")
    if not y.requires_grad:
        return y
    leaves = [t for t in _leaves(y, start) if all(t is not alias for alias in aliases)]
    return Recompute(function, draws, buffers, len(inputs), y.data).apply(*inputs, *leaves)


class Recompute(Function):
    """The node of a whole segment: its inputs, then the parameters that it uses."""

    def __init__(
        self,
        function: Callable[..., Any],
        draws: dict[Generator, int],
        buffers: dict[Any, Before],
        inputs: int,
        array: Any,
    ) -> None:
        self.function, self.draws, self.buffers = function, draws, buffers
        self.inputs, self.array = inputs, array

    def forward(self, *arrays):
        array, self.array = self.array, None
        self.saves = tuple(range(len(arrays)))
        return array

    def backward(self, grad):
        saved, second = self.saved, is_recording()
        inputs, leaves = saved[: self.inputs], saved[self.inputs :]
        with _as_before(self.buffers):
            with _running(AGAIN), drawing_again(self.draws), enable_grad():
                aliases = [Identity().apply(t) if second else _alias(t) for t in inputs]
                y = self.function(*aliases)
            wanted = [t for t, n in zip([*aliases, *leaves], self.needed, strict=True) if n]
            found = iter(differentiate(y, wanted, grad, create_graph=second, allow_unused=True))
        return tuple([next(found) if needed else None for needed in self.needed])


@block
def _running(run: str) -> Iterator[None]:
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


@block
def noting_updates() -> Iterator[dict[Any, Before]]:
    """What each parameter and buffer had that is written to inside (`note_update`)."""
    before: dict[Any, Before] = {}
    token = _updated.set(before)
    try:
        yield before
    finally:
        _updated.reset(token)
        outer = _updated.get()
        for kept, had in before.items() if outer is not None else ():
            outer.setdefault(kept, had)  # type: ignore[union-attr]


@block
def _as_before(buffers: dict[Any, Before]) -> Iterator[None]:
    """The buffers have their old storage inside, and afterwards the one they had."""
    now = {buffer: buffer.data for buffer in buffers}
    try:
        for buffer, (array, *_) in buffers.items():
            buffer.data = array
        yield
    finally:
        for buffer, array in now.items():
            buffer.data = array


def _alias(t: Any) -> Any:
    """The same values as a leaf: the walk over the segment ends there."""
    alias = t.detach()
    alias._requires_grad = t._requires_grad
    return alias


def _leaves(y: Any, start: int) -> list[Any]:
    """The leaf tensors below y, each once; GraphError at a node that is older than `start`."""
    leaves: list[Any] = []
    stack, seen = [y if y.node is None else y.node], set()
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        seen.add(place)
        if not isinstance(place, Function):
            leaves.append(place)
        elif place.age < start:
            raise GraphError(
                f"recompute: the function uses the result of a {place.name} (shape {place.shape}) "
                "from outside; pass that tensor to recompute as an input"
            )
        else:
            stack += [p for p in place.parents if p is not None]
    return leaves
