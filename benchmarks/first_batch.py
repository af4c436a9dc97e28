"""The first batch of a new large size: LeNet, 1,000 images, in a process that has seen 32.

python benchmarks/first_batch.py [--rounds 5] [--threads 1] [--images 1000]: in every round and
library a fresh process takes a training step of 32 images, then two of 1,000. Where the first takes
longer, it is because it touches memory for the first time: for each new page the kernel is called
(a minor fault), finds one and fills it with zeros. "own" is the processor time of the program,
"kernel" that of the kernel, each of the first step and of the second. A page is 4 KiB, or 2 MiB in
arrays of 4 MiB and more, for which NumPy asks for huge pages; on a virtual machine the host may
have to find the memory too. tinydl keeps what it has freed, so that only the first step pays.
Medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from time import perf_counter

from tinydl.bench.cases import CASES
from tinydl.bench.harness import OURS, OWN, PEERS, machine
from tinydl.bench.inputs import inputs
from tinydl.console import command

SMALL = 32
SPECS = {OURS: OWN[OURS], "torch": PEERS["torch"]}
HEADS = ("LeNet", "first, s", "second, s", "ratio", "own", "own", "kernel", "kernel", "faults",
         "faults", "new, MB")  # fmt: skip


def timed(run: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock, in the program and in the kernel; minor faults; new memory in MB."""
    before, begin = resource.getrusage(resource.RUSAGE_SELF), perf_counter()
    run()
    wall, after = perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": wall,
        "own": after.ru_utime - before.ru_utime,
        "kernel": after.ru_stime - before.ru_stime,
        "faults": after.ru_minflt - before.ru_minflt,
        "memory": (after.ru_maxrss - before.ru_maxrss) / 1024,
    }


def measure(spec: str, threads: int, images: int) -> list[dict[str, float]]:
    """The first and the second step of so many images, after one of 32."""
    module, _, argument = spec.partition(":")
    peer = import_module(module).open_peer(argument, threads)
    lenet = next(case for case in CASES if case.kind == "lenet_step")
    large = replace(lenet, sizes={"N": images})
    run, _ = peer.build(large, inputs(large))  # its parameters and images: no part of the step
    small = replace(lenet, sizes={"N": SMALL})
    peer.build(small, inputs(small))[0]()
    return [timed(run), timed(run)]


def row(name: str, spec: str, rounds: int, threads: int, images: int) -> list[str]:
    """A line of the table."""
    call = [sys.executable, __file__, "--one", spec, str(threads), str(images)]
    found = [
        json.loads(subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]

    def both(key: str, form: str) -> list[str]:
        return [format(median(steps[k][key] for steps in found), form) for k in (0, 1)]

    ratio = median(first["wall"] / second["wall"] for first, second in found)
    new = median(first["memory"] for first, _ in found)
    return [
        name, *both("wall", ".3f"), f"{ratio:.2f}", *both("own", ".3f"), *both("kernel", ".3f"),
        *both("faults", ".0f"), f"{new:.0f}",
    ]  # fmt: skip


def table(rounds: int, threads: int, images: int) -> None:
    """A line per library, as they come."""
    print(f"{machine()['machine']}; {images} images after {SMALL}, first step and second")
    print("".join(f"{head:>10}" for head in HEADS))
    for name, spec in SPECS.items():
        if name != OURS and find_spec(name) is None:
            print(f"{name:>10} is not installed")
            continue
        cells = row(name, spec, rounds, threads, images)
        print("".join(f"{cell:>10}" for cell in cells), flush=True)


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(arguments[1], *map(int, arguments[2:]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=1000)
    args = parser.parse_args(arguments)
    if min(args.rounds, args.threads, args.images) < 1:
        parser.error("--rounds, --threads and --images are at least 1")
    table(args.rounds, args.threads, args.images)


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "first_batch"))
