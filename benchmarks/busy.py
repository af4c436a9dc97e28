"""A training step while other programs use the same cores: do more threads still help?

python benchmarks/busy.py [--against torch] [--busy 0,1,8] [--threads 1,2] [--out FOLDER]: beside
each number of processes that only count, the median wall time of a step, each library and number of
threads in a process of its own with its own habits of waiting. On a machine with as many cores as
threads.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tinydl.bench.cases import CASES
from tinydl.bench.harness import OURS, OWN, PEERS
from tinydl.bench.inputs import inputs
from tinydl.console import command

KINDS = ("mlp_step", "lenet_step", "resnet20_step")
SECONDS = 5.0
HEADS = ("step", "library", "threads")


def measure(name: str, library: str, threads: int) -> float:
    """Median seconds of a step over SECONDS of wall time (at least three steps); NaN if the library
    does not have it."""
    case = next(case for case in CASES if case.name == name)
    module, _, argument = {**OWN, **PEERS}[library].partition(":")
    cell = import_module(module).open_peer(argument, threads).build(case, inputs(case))
    if cell is None:
        return math.nan
    step, found = cell[0], []
    for _ in range(3):
        step()
    end = time.perf_counter() + SECONDS
    while len(found) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


@contextmanager
def busy(count: int):
    """`count` processes that do nothing but keep a core busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def table(libraries: list[str], loads: list[int], threads: list[int]) -> list[list[str]]:
    """The rows of the table, printed as they come: milliseconds, one column for each load."""
    rows = []
    for case in (case for case in CASES if case.kind in KINDS):
        for library in libraries:
            for count in threads:
                call = [sys.executable, __file__, "--one", case.name, library, str(count)]
                cells = []
                for load in loads:
                    with busy(load):
                        child = subprocess.run(call, stdout=subprocess.PIPE, check=True)
                    seconds = float(child.stdout.split()[-1])
                    cells.append(
                        "-" if math.isnan(seconds) else f"{float(f'{1e3 * seconds:.3g}'):g}"
                    )
                rows.append([case.name, library, str(count), *cells])
                print(" | ".join(rows[-1]), flush=True)
    return rows


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(measure(arguments[1], arguments[2], int(arguments[3])))
        return
    parser = argparse.ArgumentParser(description="a training step on a busy machine")
    parser.add_argument("--against", default="torch", help="libraries, a list")
    parser.add_argument("--busy", default="0,1,8", help="numbers of busy processes")
    parser.add_argument("--threads", default="1,2", help="numbers of threads")
    parser.add_argument("--out", type=Path, help="folder for busy.md")
    args = parser.parse_args(arguments)
    peers = args.against.split(",")
    unknown = [name for name in peers if name not in PEERS]
    if unknown:
        parser.error(f"unknown library {', '.join(unknown)}; there are {', '.join(PEERS)}")
    loads = [int(n) for n in args.busy.split(",")]
    rows = table([OURS, *peers], loads, [int(n) for n in args.threads.split(",")])
    if args.out:
        from tinydl.runs.report import markdown_table  # not in the measured processes

        heads = (*HEADS, *[f"{n} busy processes, ms" for n in loads])
        lines = [
            "# A training step on a busy machine",
            "",
            "Made by `python benchmarks/busy.py --out benchmarks/results`. Median wall time of a "
            "step in milliseconds while other processes keep the cores busy.",
            "",
            *markdown_table(heads, rows),
        ]
        (args.out / "busy.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "busy"))
