"""What the column `cost` of csrc/elementwise_rows.h is measured by.

    python benchmarks/elementwise_cost.py [NAME ...]

The time of one element of each row in units of an addition, on one thread: of arrays in the L2
cache (`cost` is this one, rounded) and of arrays of 64 MiB, which come from memory.
From `cost` times the number of elements the kernel decides whether threads pay; they never do for
one piece of 16384 elements (PIECE in elementwise.c), so that above 4 the number decides nothing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tinydl import backend as backends
from tinydl.backend.cpu import _runtime
from tinydl.console import command

TABLE = Path(__file__).resolve().parents[1] / "csrc" / "elementwise_rows.h"
ROW = re.compile(r"^(UNARY|BINARY|COMPARISON|BY_HAND)\((\w+), (\d+),", re.MULTILINE)
MEMORY, CACHE = 1 << 24, 1 << 14  # elements of float32


def rows() -> dict[str, tuple[str, int]]:
    """{name: (kind of row, cost written there)}."""
    return {name: (kind, int(cost)) for kind, name, cost in ROW.findall(TABLE.read_text())}


def operands(name: str, kind: str, size: int) -> list[np.ndarray]:
    """Numbers between 0.5 and 1.5, in the domain of every row."""
    rng = np.random.default_rng(0)
    count = {"UNARY": 1}.get(kind, 2)
    arrays = [rng.random(size, np.float32) + np.float32(0.5) for _ in range(count)]
    return [arrays[0] > 1, *arrays] if name == "where" else arrays


def best_times(names: list[str], size: int, rounds: int) -> dict[str, float]:
    """Seconds per element, the best of some rounds in which the rows take turns."""
    cpu, table, repeats = backends.get("cpu"), rows(), max(1, CACHE * 64 // size)
    calls: dict[str, Callable[[], Any]] = {}
    for name in names:
        calls[name] = partial(getattr(cpu, name), *operands(name, table[name][0], size))
    best = dict.fromkeys(names, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = perf_counter()
            for _ in range(repeats):
                call()
            best[name] = min(best[name], (perf_counter() - start) / (repeats * size))
    return best


def main() -> None:
    table = rows()
    parser = argparse.ArgumentParser(description="Cost of elementwise rows beside an addition.")
    parser.add_argument("names", nargs="*", choices=[*table, []], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--size", type=int, default=MEMORY, help="elements of the large arrays")
    args = parser.parse_args()
    names = ["add", *[n for n in (args.names or table) if n != "add"]]
    _runtime.set_threads(1)
    large = best_times(names, args.size, args.rounds)
    small = best_times(names, CACHE, args.rounds)
    print(f"level {_runtime.level()}, one thread, float32; an addition takes", end=" ")
    print(f"{small['add'] * 1e9:.2f} ns in L2, {large['add'] * 1e9:.2f} ns from memory")
    print(f"{'row':<16} {'cost':>4} {'L2':>8} {'memory':>8}")
    for name in names:
        memory, cache = large[name] / large["add"], small[name] / small["add"]
        print(f"{name:<16} {table[name][1]:>4} {cache:>8.2f} {memory:>8.2f}")


if __name__ == "__main__":
    sys.exit(command(main, "elementwise_cost"))
