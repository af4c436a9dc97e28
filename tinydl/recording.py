"""The recording switch: whether operations remember how their results were made."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .blocks import Decorator
from .errors import GraphError

#: The switch, and what it was around the innermost open block: (records, the pair before).
_recording: ContextVar[tuple[bool, Any]] = ContextVar("tinydl_recording", default=(True, None))


def is_recording() -> bool:
    """Whether operations are recorded for differentiation in this context."""
    return _recording.get()[0]


class _Recording(Decorator):
    """Sets the switch for a block, or for a decorated function's body. The object itself keeps
    nothing, so that it can be entered again inside itself and by several threads."""

    __slots__ = ()
    records: bool

    def __enter__(self) -> None:
        _recording.set((self.records, _recording.get()))

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        before = _recording.get()[1]
        if before is None:
            name = type(self).__name__
            raise GraphError(f"{name}: a block is left that this thread has not entered")
        _recording.set(before)


class no_grad(_Recording):
    """`with no_grad():` operations inside are not recorded (this thread or context only)."""

    __slots__ = ()
    records = False


class enable_grad(_Recording):
    """`with enable_grad():` operations inside are recorded even within `no_grad`."""

    __slots__ = ()
    records = True
