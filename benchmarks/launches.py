"""Where an OpenCL training step's time goes: what a launch costs, and the kernels of a step.

    python benchmarks/launches.py                     # launching, then ResNet-20's step
    python benchmarks/launches.py "mobilenet step N8" --threads 2

First the parts of a launch: an empty kernel (one work-item that writes one number), the setting of
its arguments, its queueing, a buffer of the pool, and work-groups of other sizes. Then one cell of
`tinydl bench`: launches, allocations and contiguity copies of a step, its time, and each kernel's
share, for which the queue is emptied after every launch (dear launches look dearer, the order
stays). Processor time of this process, PoCL's threads included; medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from tinydl.console import command
from tinydl.errors import ConfigError
from tinydl.tables import Column, Table, show

NAME = "launches"
F32 = np.dtype(np.float32)
ROUNDS = 7
NUMBERS = (Column("launches", right=True), Column("ms", right=True), Column("us each", right=True))


def microseconds(call: Callable[[], Any], finish: Callable[[], None], count: int) -> float:
    """Processor time of one of `count` calls, with their share of the wait at the end."""
    rounds = []
    for _ in range(ROUNDS):
        finish()
        begin = time.process_time()
        for _ in range(count):
            call()
        finish()
        rounds.append((time.process_time() - begin) / count * 1e6)
    return statistics.median(rounds)


def launch_costs(backend: Any) -> Table:
    """The parts of a launch, in microseconds."""
    runtime, cl = backend.runtime, backend.runtime.cl
    y, kernel = backend.empty((1 << 16,), F32), backend.runtime.kernel("shape", F32, "fill")
    zero = bytes(4)
    runtime.light(kernel, 1, y.buffer, 1, zero)

    def enqueue(items: int, local: int) -> None:
        cl.enqueue_nd_range_kernel(runtime.queue, kernel.handle, (items,), (local,))

    parts: dict[str, Callable[[], Any]] = {
        "an empty kernel": lambda: runtime.light(kernel, 1, y.buffer, 1, zero),
        "  setting its three arguments": lambda: kernel.set_arguments([0, y.buffer], [1, zero]),
        "  queueing and running it": lambda: enqueue(64, 64),
        "a buffer of the pool": lambda: backend.empty((4,), F32),
        "a small array of zeros": lambda: backend.zeros((4,), F32),
    }
    rows = [[name, f"{microseconds(c, runtime.finish, 500):.2f}"] for name, c in parts.items()]
    for local in (1, 16, 64, 256):
        cost = microseconds(lambda local=local: enqueue(1 << 14, local), runtime.finish, 20)
        rows.append([f"16384 items that return at once, groups of {local}", f"{cost:.2f}"])
    return Table((Column("what"), Column("us", right=True)), rows)


def step_costs(peer: Any, name: str) -> list[Table | str]:
    """One cell: its counts and time, and its kernels."""
    from tinydl.bench import CASES
    from tinydl.bench.inputs import inputs

    case = next((case for case in CASES if case.name == name), None)
    cell = peer.build(case, inputs(case)) if case else None
    if cell is None:
        raise ConfigError(f"launches: no cell {name!r} in tinydl/bench/cases.py")
    run, runtime = cell[0], peer.runtime
    for _ in range(3):
        run()
    counters = runtime.counters
    before = counters.launches, counters.allocations, counters.packs
    run()
    after = counters.launches, counters.allocations, counters.packs
    counts = [b - a for a, b in zip(before, after, strict=True)]
    ms = microseconds(run, runtime.finish, 3) / 1e3
    told = (
        f"{name}: {ms:.2f} ms, {counts[0]} launches, {counts[1]} buffers of the pool, "
        f"{counts[2]} contiguity copies and packings"
    )
    return [told, kernel_costs(run, runtime)]


def kernel_costs(run: Callable[[], Any], runtime: Any, repeats: int = 5) -> Table:
    """Launches and processor time by kernel, dearest first."""
    seconds: Counter[str] = Counter()
    launches: Counter[str] = Counter()
    plain = runtime._launch

    def launch(kernel: Any, *rest: Any) -> None:
        runtime.queue.finish()
        begin = time.process_time()
        plain(kernel, *rest)
        runtime.queue.finish()
        seconds[kernel.name] += time.process_time() - begin
        launches[kernel.name] += 1

    runtime._launch = launch
    try:
        for _ in range(repeats):
            run()
    finally:
        runtime._launch = plain
    rows = [
        [name, str(launches[name] // repeats), f"{1e3 * s / repeats:.3f}",
         f"{1e6 * s / launches[name]:.1f}"]
        for name, s in seconds.most_common()
    ]  # fmt: skip
    return Table((Column("kernel"), *NUMBERS), rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cell", nargs="?", default="resnet20 step N32", help="of `tinydl bench`")
    parser.add_argument("--threads", type=int, default=1, help="cores of a CPU device (default 1)")
    args = parser.parse_args()
    os.environ["POCL_MAX_PTHREAD_COUNT"] = str(args.threads)

    from tinydl.backend import get
    from tinydl.bench.peer_opencl import open_peer
    from tinydl.bench.worker import pin

    pin(args.threads)
    peer = open_peer("opencl", args.threads)
    show(peer.version)
    show(launch_costs(get("opencl")))
    for part in step_costs(peer, args.cell):
        show(part)
    return 0


if __name__ == "__main__":
    sys.exit(command(main, NAME))
