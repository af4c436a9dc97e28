"""The ladder: one computation in NumPy, as plain Cython loops, in C at each level, on more threads.

`climb("matmul")` measures one; `benchmarks/ladder.py` writes a table and a picture of them all. The
C source is the same on every rung but the first two: only the vectors and the threads grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

from ..backend import get
from ..backend.cpu import _conv, _matmul, _pool, _recurrent, _runtime
from ..errors import ConfigError, TinydlError
from ..geometry import conv2d_geometry, pool2d_geometry, recurrent_multiply_adds

Call = Callable[[], np.ndarray]
NUMPY, LOOPS = "NumPy", "Cython loops"
COLORS = ("#7b8794", "#d9622b", "#9db8d6", "#5b8fc0", "#2563a8", "#2e8b57")


@dataclass(frozen=True)
class Ladder:
    """One computation. `kernel` runs it on a backend's kernels, `loops` in readable Cython, where
    there is such a text."""

    name: str
    flops: int
    kernel: Callable[[Any], np.ndarray]
    loops: Call | None


@dataclass(frozen=True)
class Rung:
    """Seconds of one call: processor time (median) on one thread, the best wall time on more."""

    ladder: str
    rung: str
    seconds: float
    gflops: float


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _matmul_ladder(small: bool) -> Ladder:
    n = 64 if small else 384
    a, b = _normal(n, n), _normal(n, n)

    def loops() -> np.ndarray:
        c = np.empty((n, n), np.float32)
        _matmul.matmul_loops_f32(a, b, c)
        return c

    return Ladder(f"matmul {n}x{n}x{n}", 2 * n**3, lambda backend: backend.matmul(a, b), loops)


def _conv_ladder(small: bool, groups: int = 1) -> Ladder:
    N, side, C = (1, 8, 8) if small else (4, 28, 64)
    x, weight = _normal(N, side, side, C), _normal(3, 3, C // groups, C)
    g = conv2d_geometry(x.shape, weight.shape, 1, 1, 1, groups)

    def loops() -> np.ndarray:
        y = np.empty(g.y_shape, np.float32)
        _conv.conv2d_loops_f32(x, weight, y, g)
        return y

    name = f"{'conv' if groups == 1 else 'depthwise'} 3x3 N{N} {side}x{side}x{C}"
    kernel = lambda backend: backend.conv2d(x, weight, None, g)  # noqa: E731
    return Ladder(name, 2 * g.multiply_adds, kernel, loops)


def _pool_ladder(small: bool) -> Ladder:
    N, side, C = (1, 8, 8) if small else (8, 56, 64)
    x = _normal(N, side, side, C)
    g = pool2d_geometry(x.shape, 2)

    def loops() -> np.ndarray:
        y, place = np.empty(g.y_shape, np.float32), np.empty(g.y_shape, np.int32)
        _pool.max_pool2d_loops_f32(x, y, place, g)
        return y

    name = f"max pool 2x2 N{N} {side}x{side}x{C}"
    return Ladder(name, g.visits, lambda backend: backend.max_pool2d(x, g)[0], loops)


def _rnn_ladder(small: bool) -> Ladder:
    N, T, D, H = (2, 3, 8, 8) if small else (32, 25, 128, 128)
    arrays = _normal(N, T, D), _normal(N, H), _normal(D, H) / 16, _normal(H, H) / 16, _normal(H)

    def loops() -> np.ndarray:
        states = np.empty((N, T, H), np.float32)
        _recurrent.rnn_forward_loops_f32(*arrays, states)
        return states

    def rnn(backend: Any) -> np.ndarray:
        return backend.rnn_forward(*arrays, None, None, False)

    flops = 2 * recurrent_multiply_adds((N, T, D), H)
    return Ladder(f"rnn N{N} T{T} H{H}", flops, rnn, loops)


def _lstm_ladder(small: bool) -> Ladder:
    N, T, D, H = (2, 3, 8, 8) if small else (32, 25, 128, 128)
    zeros = np.zeros((N, H), np.float32)
    weights = _normal(D, 4 * H) / 16, _normal(H, 4 * H) / 16, _normal(4 * H)
    x = _normal(N, T, D)

    def lstm(backend: Any) -> np.ndarray:
        return backend.lstm_forward(x, zeros, zeros, *weights, None, None, False)[0]

    flops = 2 * recurrent_multiply_adds((N, T, D), H, 4)
    return Ladder(f"lstm N{N} T{T} H{H}", flops, lstm, None)


# A further one needs a line here: its loops and its kernel, by the backend's name for it.
LADDERS: dict[str, Callable[[bool], Ladder]] = {
    "matmul": _matmul_ladder,
    "conv": _conv_ladder,
    "depthwise": lambda small: _conv_ladder(small, 8 if small else 64),
    "max_pool": _pool_ladder,
    "rnn": _rnn_ladder,
    "lstm": _lstm_ladder,
}


def climb(
    name: str, threads: Sequence[int] = (2,), rounds: int = 7, target: float = 0.02,
    small: bool = False,
) -> list[Rung]:  # fmt: skip
    """Measure one ladder, its rungs in turns, after every result agreed with NumPy's.

    threads: rungs of more than one thread, at the best level. target: seconds of one timed block.
    ConfigError for an unknown name; TinydlError if a rung computes something else.
    """
    if name not in LADDERS:
        raise ConfigError(f"ladder: no {name!r}; there are {', '.join(LADDERS)}")
    ladder = LADDERS[name](small)
    before = _runtime.level(), _runtime.threads()
    calls = dict(_calls(ladder, threads))
    try:
        expected = calls[NUMPY][0]()
        for rung, (call, _) in calls.items():
            error = np.abs(call() - expected).max() / np.abs(expected).max()
            if not error < 1e-4:
                raise TinydlError(f"ladder: {ladder.name}, {rung}: off by {error:.2g}")
        seconds = _in_turns(calls, rounds, target)
    finally:
        _runtime.set_level(before[0])
        _runtime.set_threads(before[1])
    return [Rung(ladder.name, r, s, ladder.flops / s / 1e9) for r, s in seconds.items()]


def _calls(ladder: Ladder, threads: Sequence[int]) -> Iterator[tuple[str, tuple[Call, int]]]:
    """(rung, (call, number of threads)), the slowest idea first."""
    reference, cpu = get("numpy"), get("cpu")

    def at(level: str, count: int) -> Call:
        def call() -> np.ndarray:
            _runtime.set_level(level)
            _runtime.set_threads(count)
            return ladder.kernel(cpu)

        return call

    yield NUMPY, (lambda: ladder.kernel(reference), 1)
    if ladder.loops is not None:
        yield LOOPS, (ladder.loops, 1)
    levels = _runtime.available_levels()
    for level in levels:
        yield f"C, {level}", (at(level, 1), 1)
    for count in threads:
        yield f"{count} threads", (at(levels[-1], count), count)


def _in_turns(
    calls: dict[str, tuple[Call, int]], rounds: int, target: float
) -> dict[str, float]:  # fmt: skip
    def block(name: str, repeats: int) -> float:
        call, threads = calls[name]
        clock = process_time if threads == 1 else perf_counter
        started = clock()
        for _ in range(repeats):
            call()
        return max(clock() - started, 1e-9)

    repeats = {name: max(1, round(target / block(name, 1))) for name in calls}
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name in calls:
            found[name].append(block(name, repeats[name]) / repeats[name])
    return {n: median(s) if calls[n][1] == 1 else min(s) for n, s in found.items()}


def table(rungs: Sequence[Rung]) -> str:
    """One markdown table per ladder: milliseconds, GFLOP/s, and how many times as fast as the loops
    (where there are none: as NumPy)."""
    lines: list[str] = []
    for name in dict.fromkeys(r.ladder for r in rungs):
        chosen = [r for r in rungs if r.ladder == name]
        loops = next((r.seconds for r in chosen if r.rung == LOOPS), chosen[0].seconds)
        lines += [f"## {name}", "", "| rung | ms | GFLOP/s | times as fast |",
                  "| --- | --- | --- | --- |"]  # fmt: skip
        for r in chosen:
            speed = f"{r.gflops:.2f} | {loops / r.seconds:.1f}"
            lines.append(f"| {r.rung} | {1e3 * r.seconds:.4g} | {speed} |")
        lines.append("")
    return "\n".join(lines)


def _short(value: float) -> str:
    """Three digits, one for small values: names of neighbouring bars must not touch."""
    return f"{value:.3g}" if value >= 0.1 else f"{value:.1g}"


def draw(rungs: Sequence[Rung], path: str | Path) -> None:
    """All ladders side by side as PNG, speed on a logarithmic axis; ConfigError without
    matplotlib."""
    from ..viz.figure import new_figure, save_figure

    ladders = list(dict.fromkeys(r.ladder for r in rungs))
    figure = new_figure(3.0 + 1.9 * len(ladders), 3.8)
    axes = figure.add_subplot()
    names = list(dict.fromkeys(r.rung for r in rungs))
    width = 0.85 / len(names)
    for k, name in enumerate(names):
        chosen = [r for r in rungs if r.rung == name]
        x = [ladders.index(r.ladder) + (k - (len(names) - 1) / 2) * width for r in chosen]
        bars = axes.bar(x, [r.gflops for r in chosen], width, color=COLORS[k % 6], label=name)
        axes.bar_label(bars, [_short(r.gflops) for r in chosen], fontsize=6.5, padding=1)
    axes.set_yscale("log")
    kernels = [re.sub(r" (?=\d)", "\n", name, count=1) for name in ladders]  # kernel, then shape
    axes.set_xticks(range(len(ladders)), kernels, fontsize=8)
    axes.set_ylabel("GFLOP/s")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25, linewidth=0.6)
    figure.legend(frameon=False, fontsize=8, ncols=len(names), loc="outside lower center")
    save_figure(figure, path)
