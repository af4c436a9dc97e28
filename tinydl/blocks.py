"""`with` blocks that can be used again: the same object twice, inside itself, on functions and on
generators.

`contextlib.contextmanager` gives an object for one entry, and puts a decorated generator function
inside the block only while the generator is made, not while its body runs. The blocks here keep
nothing in the object: what an entry has to undo lies on a stack of the thread or context.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, Generic, ParamSpec, TypeVar

from .errors import ConfigError

T = TypeVar("T")
P = ParamSpec("P")

#: What this thread or context has entered and not left: (block, its entry, what was there before).
_open: ContextVar[Any] = ContextVar("tinydl_open_blocks", default=None)


class Decorator:
    """The half of a block that decorates: the body of a function runs inside, at every call; that
    of a generator function at every step, and the code that uses the generator outside."""

    __slots__ = ()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        raise NotImplementedError

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = type(self).__name__
        if isinstance(function, type) or isasyncgenfunction(function) or not callable(function):
            raise ConfigError(
                f"{name}: decorates functions, generator functions and coroutine functions, "
                f"not {function!r:.80}; use it as a `with` block"
            )
        if isgeneratorfunction(function):
            return wraps(function)(_in_steps(self, function))
        if iscoroutinefunction(function):

            async def inside(*arguments: Any, **options: Any) -> Any:
                with self:
                    return await function(*arguments, **options)

        else:

            def inside(*arguments: Any, **options: Any) -> Any:  # type: ignore[misc]
                with self:
                    return function(*arguments, **options)

        return wraps(function)(inside)


def _in_steps(block: Decorator, function: Callable[..., Any]) -> Callable[..., Any]:
    def steps_inside(*arguments: Any, **options: Any) -> Generator[Any, Any, Any]:
        steps = function(*arguments, **options)
        resume: Callable[..., Any] = steps.send
        sent: Any = None
        while True:
            try:
                with block:
                    value = resume(sent)
            except StopIteration as end:
                return end.value
            try:
                sent = yield value
                resume = steps.send
            except GeneratorExit:
                with block:
                    steps.close()
                raise
            except BaseException as error:
                sent, resume = error, steps.throw

    return steps_inside


class Block(Decorator, Generic[T]):
    """What `block` makes; see there."""

    def __init__(self, name: str, enter: Callable[[], Any]) -> None:
        self._name, self._enter = name, enter

    def __repr__(self) -> str:
        return f"<{self._name} block>"

    def __enter__(self) -> T:
        entry = self._enter()
        value = entry.__enter__()
        _open.set((self, entry, _open.get()))
        return value

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        entry = self._take()
        if entry is None:
            raise ConfigError(f"{self._name}: a block is left that this thread has not entered")
        return entry.__exit__(kind, error, trace)

    def _take(self) -> Any:
        """The innermost open entry of this block, off the stack."""
        above, place = [], _open.get()
        while place is not None and place[0] is not self:
            above.append(place)  # left in another order than entered, as generators can
            place = place[2]
        if place is None:
            return None
        rest = place[2]
        for other in reversed(above):
            rest = (other[0], other[1], rest)
        _open.set(rest)
        return place[1]


def block(function: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
    """As `contextlib.contextmanager`, but what it makes can be entered as often as one likes.

    `function` yields once. Each entry runs it anew with the same arguments, also inside another
    entry of the same object; as a decorator it takes functions, coroutine functions and generator
    functions. ConfigError for a class or an asynchronous generator, and where a block is left in a
    thread that has not entered it.
    """
    fresh = contextmanager(function)

    @wraps(function)
    def make(*arguments: P.args, **options: P.kwargs) -> Block[T]:
        return Block(function.__name__, lambda: fresh(*arguments, **options))

    return make
