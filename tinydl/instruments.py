"""What watches operations: the trace, the NaN detector and the profiler.

`active` is the one module-level flag that the hot path tests; it is true while any watcher is on.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from .blocks import block
from .errors import AnomalyError
from .geometry import touched_bytes

active = False
shadows = 0  # blocks in which the forwards of a model's modules are watched (nn/watch.py)
walks = 0  # backward walks that are under way: operations run in one are part of it
profiler: Any = None  # what `tinydl.profile()` gave, while its block runs
_watchers: list[Callable[..., None]] = []  # called as watcher(function, inputs, array, seconds)
readers: list[Callable[[Any], None]] = []  # called as reader(tensor) when the host asks for numbers
_package = os.path.dirname(os.path.abspath(__file__))


def refresh() -> None:
    """Set `active` after a watcher came or went."""
    global active
    active = bool(_watchers) or _anomaly_depth > 0 or profiler is not None


@block
def watching(watcher: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """Call watcher(function, inputs, array, seconds) after each operation inside the block."""
    _watchers.append(watcher)
    refresh()
    try:
        yield watcher
    finally:
        _watchers.remove(watcher)
        refresh()


def watched() -> bool:
    """Whether somebody looks at operations or modules: then none may be passed over."""
    return active or shadows > 0


@block
def reading(reader: Callable[[Any], None]) -> Iterator[Callable[[Any], None]]:
    """Call reader(tensor) before the numbers of a tensor are handed to the host."""
    readers.append(reader)
    try:
        yield reader
    finally:
        readers.remove(reader)


_anomaly_depth = 0


@block
def detect_anomaly() -> Iterator[None]:
    """Raise AnomalyError at the operation that makes a NaN, or whose backward does, naming its
    forward line.

    Slow (every result is inspected); process-wide while the block runs.
    """
    global _anomaly_depth
    _anomaly_depth += 1
    refresh()
    try:
        yield
    finally:
        _anomaly_depth -= 1
        refresh()


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
    if trace_line in _watchers:
        result, seconds = _timed(_listened, (function, arrays), function.backend)
    else:
        result, seconds = _timed(function.forward, arrays, function.backend)
    if profiler is not None:
        cost = function.flops(arrays, result), function.traffic(arrays, result)
        phase = "backward" if walks else "forward"
        profiler.add(function.name, phase, arrays, function.backend, seconds, *cost)
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


def _timed(work: Callable[..., Any], arguments: Any, backend: Any) -> tuple[Any, float]:
    """work(*arguments) and its seconds, without those of profiled work inside it."""
    if profiler is None:
        start = perf_counter()
        result = work(*arguments)
        return result, perf_counter() - start
    before, start = profiler.seconds, perf_counter()
    result = work(*arguments)
    if backend is not None:  # None: the host's own arrays
        backend.synchronize()  # kernels of a device may still be in its queue
    return result, perf_counter() - start - (profiler.seconds - before)


def backward(node: Any, grad: Any) -> Any:
    """node.backward(grad); a kernel called by it, not through an operation, is profiled."""
    flops = node.backward_flops() if profiler is not None else None
    if flops is None:
        return node.backward(grad)
    arrays = [grad.data, *(t.data for t in node.saved)]
    results, seconds = _timed(node.backward, (grad,), node.backend)
    made = results if type(results) is tuple else (results,)
    traffic = sum(touched_bytes(a) for a in arrays)
    traffic += sum(touched_bytes(t.data) for t in made if t is not None)
    profiler.add(node.name, "backward", arrays, node.backend, seconds, flops, traffic)
    return results


def update(optimizer: Any, places: list[int], params: list[Any], grads: list[Any]) -> None:
    """An optimiser's step for its parameters of these numbers, watched. Its operations are counted
    by a rule of thumb: two per number, and five more for each average that is kept."""
    backend = optimizer.parameters[places[0]].backend
    _, seconds = _timed(optimizer._update_all, (places, params, grads), backend)
    if profiler is not None:
        kept = list(optimizer.state.values())
        states = [arrays[i] for arrays in kept for i in places]
        traffic = sum(map(touched_bytes, grads)) + 2 * sum(map(touched_bytes, (*params, *states)))
        flops = (2 + 5 * len(kept)) * sum([x.size for x in params])
        profiler.add(optimizer.rule, "update", params, backend, seconds, flops, traffic)


def copied(copy: Callable[[Any], Any], x: Any, backend: Any) -> Any:
    """copy(x), made because a kernel wants its input contiguous: a row of its own in a profile."""
    y, seconds = _timed(copy, (x,), backend)
    if profiler is not None:
        phase, traffic = "backward" if walks else "forward", touched_bytes(x) + touched_bytes(y)
        profiler.add("contiguous copy", phase, [x], backend, seconds, 0, traffic)
    return y


def check_gradient(function: Any, grad: Any) -> None:
    """Called by the backward walk while watchers are on."""
    if _anomaly_depth and _has_nan(grad.backend, grad.data):
        raise AnomalyError(
            f"{function.name}: its backward made a NaN; the forward operation was recorded at "
            f"{getattr(function, 'origin', 'a place outside detect_anomaly')}"
        )


class _Listening:
    """A backend that notes which kernels are asked of it."""

    def __init__(self, backend: Any, asked: list[str]) -> None:
        self._backend, self._asked = backend, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._backend, name)


_asked: list[str] = []  # of the backend, by the operation before


def _listened(function: Any, arrays: Any) -> Any:
    """function.forward(*arrays), and in `_asked` what it asks of its backend."""
    backend = function.backend
    _asked.clear()
    function.backend = _Listening(backend, _asked)
    try:
        return function.forward(*arrays)
    finally:
        function.backend = backend


def _kernel_file(function: Any, arrays: Any, y: Any) -> str:
    """Where the first kernel that the forward asked for, and that is no view, is written."""
    from .backend.listing import STEM_OF, kernel_file

    names = [name.removesuffix("_packed") for name in _asked]
    kernels = [name for name in names if name in STEM_OF]
    if not kernels:
        return "(no kernel)"
    working = [name for name in kernels if STEM_OF[name] != "shape"]
    name = (working or kernels)[0]
    return kernel_file(function.backend, name, arrays, y, getattr(function, "geometry", None))


def trace_line(function: Any, inputs: tuple, array: Any, seconds: float) -> None:
    """TINYDL_TRACE=1: one line per operation: op, backend, kernel file, shapes, time."""
    file = _kernel_file(function, [t.data for t in inputs], array)
    shapes = " ".join(str(t.shape) for t in inputs)
    print(
        f"{function.name:<20} {function.backend.name:<7} {file:<38} {shapes} -> {array.shape} "
        f"{seconds * 1e6:.0f} us",
        file=sys.stderr,
    )


if os.environ.get("TINYDL_TRACE", "0") not in ("", "0"):
    _watchers.append(trace_line)
    refresh()
