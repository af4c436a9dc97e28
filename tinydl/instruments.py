"""What watches operations: the trace, the NaN detector and the profiler.

`active` is the one module-level flag that the hot path tests; it is true while any watcher is on.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from .errors import AnomalyError

active = False
_watchers: list[Callable[..., None]] = []  # called as watcher(function, inputs, array, seconds)
_package = os.path.dirname(os.path.abspath(__file__))


def _refresh() -> None:
    global active
    active = bool(_watchers) or _anomaly_depth > 0


@contextmanager
def watching(watcher: Callable[..., None]):
    """Call watcher(function, inputs, array, seconds) after each operation inside the block."""
    _watchers.append(watcher)
    _refresh()
    try:
        yield watcher
    finally:
        _watchers.remove(watcher)
        _refresh()


_anomaly_depth = 0


@contextmanager
def detect_anomaly():
    """Raise AnomalyError at the operation that makes a NaN, or whose backward does, naming its
    forward line.

    Slow (every result is inspected); process-wide while the block runs.
    """
    global _anomaly_depth
    _anomaly_depth += 1
    _refresh()
    try:
        yield
    finally:
        _anomaly_depth -= 1
        _refresh()


def user_line() -> str:
    """The innermost stack line outside the package: where the user called the operation."""
    for frame in reversed(traceback.extract_stack()):
        if not frame.filename.startswith(_package):
            return f"{frame.filename}:{frame.lineno}: {frame.line}"
    return "<inside tinydl>"


def _has_nan(backend: Any, array: Any) -> bool:
    return array.dtype.kind == "f" and bool(np.isnan(backend.to_numpy(array)).any())


def forward(function: Any, inputs: tuple, arrays: list) -> Any:
    """function.forward(*arrays), watched."""
    start = perf_counter()
    result = function.forward(*arrays)
    seconds = perf_counter() - start
    for watcher in list(_watchers):
        watcher(function, inputs, result, seconds)
    if _anomaly_depth:
        function.origin = user_line()
        backend = function.backend
        if _has_nan(backend, result) and not any(_has_nan(backend, a) for a in arrays):
            shapes = ", ".join(str(a.shape) for a in arrays)
            raise AnomalyError(
                f"{function.name}: made a NaN from inputs without one (shapes {shapes}) at "
                f"{function.origin}"
            )
    return result


def check_gradient(function: Any, grad: Any) -> None:
    """Called by the backward walk while watchers are on."""
    if _anomaly_depth and _has_nan(grad.backend, grad.data):
        raise AnomalyError(
            f"{function.name}: its backward made a NaN; the forward operation was recorded at "
            f"{getattr(function, 'origin', 'a place outside detect_anomaly')}"
        )


def trace_line(function: Any, inputs: tuple, array: Any, seconds: float) -> None:
    """TINYDL_TRACE=1: one line per operation: op, backend, kernel file, shapes, time."""
    stem = type(function).__module__.rsplit(".", 1)[-1]
    rooms = {"numpy": "tinydl/backend/reference/{}.py", "cpu": "csrc/{}.c"}
    file = rooms.get(function.backend.name, "kernels_cl/{}.cl").format(stem)
    shapes = " ".join(str(t.shape) for t in inputs)
    print(
        f"{function.name:<20} {function.backend.name:<7} {file:<38} {shapes} -> {array.shape} "
        f"{seconds * 1e6:.0f} us",
        file=sys.stderr,
    )


if os.environ.get("TINYDL_TRACE", "0") not in ("", "0"):
    _watchers.append(trace_line)
    _refresh()
