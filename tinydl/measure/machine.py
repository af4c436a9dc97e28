"""What this machine offers: the facts behind `tinydl info`, and its measured peaks."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from .. import data
from .._version import __version__
from ..backend import PURE
from ..errors import ConfigError, DataError
from ..tables import Table
from ..tables import facts as as_table

PACKAGES = (
    "numpy", "safetensors", "pyopencl", "matplotlib", "scikit-learn", "pillow", "tqdm", "filelock",
    "rich", "shtab",
)  # fmt: skip


def facts() -> dict[str, Any]:
    """Versions, kernels, OpenCL devices and data folders as one JSON-able object."""
    from ..backend.opencl.device import describe_devices

    found: dict[str, Any] = {
        "tinydl": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
    }
    try:
        if PURE:
            raise ImportError("TINYDL_PURE=1: NumPy computes everything")
        from ..backend import cpu
        from ..backend.cpu import _runtime
    except ImportError as error:
        found["kernels"] = f"not compiled ({error}); run `pip install .`"
    else:
        found |= {
            "level": _runtime.level(),
            "levels": list(_runtime.available_levels()),
            "threads": _runtime.threads(),
            "freed memory": "kept for the next array (TINYDL_MALLOC=system: given back)"
            if _runtime.keeps_memory()
            else "given back to the system",
            "packed weights": "kept for inference (TINYDL_PACKED=drop: packed for each call)"
            if cpu.CpuBackend.packs
            else "packed for each call",
            "compiler": _runtime.compiler(),
        }
    found["opencl_devices"] = describe_devices()
    found["data_folders"] = [
        told for f in (data.data_folder, data.cache_folder) if (told := _told(f)) is not None
    ]
    return found


def _told(folder: Callable[[], Path | None]) -> str | None:
    """A folder, or why there is none."""
    try:
        path = folder()
    except DataError as error:
        return f"none ({error})"
    return None if path is None else str(path)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def told(found: dict[str, Any]) -> Table:
    """One line per fact, one per OpenCL device."""
    from ..backend.opencl.device import HOW_TO_GET_A_DEVICE

    lines: list[tuple[str, str]] = []
    for key, value in found.items():
        name = key.replace("_", " ")
        if key == "opencl_devices":
            devices = [f"{d['index']}: {d['name']} ({d['driver']}, {d['kind']})" for d in value]
            devices = devices or [f"none; {HOW_TO_GET_A_DEVICE}"]
            lines += zip([name] + [""] * len(devices), devices, strict=False)
        elif isinstance(value, dict):
            lines.append((name, ", ".join(f"{k} {v or 'not installed'}" for k, v in value.items())))
        elif isinstance(value, list | tuple):
            lines.append((name, ", ".join(value)))
        else:
            lines.append((name, "yes" if value is True else str(value)))
    return as_table(lines)


# -- the roofs -------------------------------------------------------------------------------------

STREAM_LENGTHS = (1 << 11, 1 << 15, 1 << 19, 1 << 23)  # x, y and z: 24 KiB, 384 KiB, 6 MiB, 96 MiB
TRIES, BLOCK = 5, 0.005  # each number is the best of so many blocks of at least so many seconds


@dataclass(frozen=True)
class Peaks:
    """The fastest this machine was seen to compute and to move memory, at one level and one number
    of threads.

    gflops: operations per nanosecond by dtype, a multiply-add counting two. bandwidth: (working set
    in bytes, bytes read and written per nanosecond), from the inner caches to memory.
    """

    level: str
    threads: int
    gflops: dict[str, float]
    bandwidth: tuple[tuple[int, float], ...]

    def gbps(self, working_set: float) -> float:
        """The memory roof of that many bytes: of the largest measured set that is not larger."""
        fitting = [speed for size, speed in self.bandwidth if size <= working_set]
        return fitting[-1] if fitting else self.bandwidth[0][1]

    def least_seconds(self, flops: float, traffic: float, dtype: str = "float32") -> float:
        """What the roofs allow: max(flops / compute roof, bytes / memory roof). Williams, Waterman
        and Patterson 2009, doi:10.1145/1498765.1498785; overlapping is free in that model."""
        compute = flops / self.gflops.get(dtype, self.gflops["float32"])
        return max(compute, traffic / self.gbps(traffic)) / 1e9

    def text(self) -> str:
        """One line per roof."""
        lines = [f"peaks              {self.level}, {self.threads} thread{'s'[: self.threads > 1]}"]
        lines += [f"  {name:<16} {value:.1f} GFLOP/s" for name, value in self.gflops.items()]
        lines += [f"  {_size(size):<16} {value:.1f} GB/s" for size, value in self.bandwidth]
        return "\n".join(lines)


def peaks(threads: int | None = None) -> Peaks:
    """Measure the peaks at the present level, with that many threads (default: those of the
    kernels); about a second, once per process, level and number of threads.

    Compute: multiply-adds on registers alone. Memory: the better of y = x and y = x + s z. Other
    programs on the machine lower what is seen. ConfigError where the kernels are not compiled.
    """
    try:
        from ..backend.cpu import _runtime
    except ImportError as error:
        raise ConfigError(f"peaks: the kernels are not compiled ({error})") from None
    before = _runtime.threads()
    _runtime.set_threads(before if threads is None else threads)
    try:
        return _measure_peaks(_runtime.level(), _runtime.threads())
    finally:
        _runtime.set_threads(before)


@lru_cache(maxsize=16)
def _measure_peaks(level: str, threads: int) -> Peaks:
    from ..backend.cpu._runtime import fma_loop, stream

    def copied(x: np.ndarray, z: np.ndarray | None, y: np.ndarray, repeats: int) -> float:
        stream(x, z, y, repeats)
        return float(repeats * x.nbytes * (2 if z is None else 3))

    gflops = {
        name: _best(partial(fma_loop, double_precision=name == "float64"), threads) / 1e9
        for name in ("float32", "float64")
    }
    found = []
    x, y, z = (np.ones(STREAM_LENGTHS[-1], np.float32) for _ in range(3))
    for n in STREAM_LENGTHS:
        copy = _best(partial(copied, x[:n], None, y[:n]), threads)
        triad = _best(partial(copied, x[:n], z[:n], y[:n]), threads)
        found.append((3 * x[:n].nbytes, max(copy, triad) / 1e9))
    if threads > 1:  # on a busy machine more threads may seem slower; they can always wait
        alone = _measure_peaks(level, 1)
        gflops = {name: max(v, alone.gflops[name]) for name, v in gflops.items()}
        found = [(n, max(v, w)) for (n, v), (_, w) in zip(found, alone.bandwidth, strict=True)]
    return Peaks(level, threads, gflops, tuple(found))


def _best(work: Callable[[int], float], threads: int) -> float:
    """The largest amount per second of work(count), which returns the amount it did."""
    from ..backend.cpu._runtime import set_threads

    set_threads(1)  # a block is as long as it is on one thread: waking others up has no fixed time
    count, best = 1, 0.0
    while _timed(work, count, process_time)[0] < BLOCK:
        count *= 2
    set_threads(threads)
    # Processor time does not count the turns of other programs, but adds up over threads.
    clock = process_time if threads == 1 else perf_counter
    for _ in range(TRIES):
        seconds, amount = _timed(work, count, clock)
        best = max(best, amount / seconds)
    return best


def _timed(
    work: Callable[[int], float], count: int, clock: Callable[[], float]
) -> tuple[float, float]:
    started = clock()
    amount = work(count)
    return max(clock() - started, 1e-9), amount


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}"


def measured() -> list[Peaks]:
    """The peaks for one thread and for all that the kernels use."""
    one = peaks(1)
    every = peaks()
    return [one] if every == one else [one, every]
