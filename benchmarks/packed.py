"""What inference gains by keeping its packed weights (tinydl/ops/packed.py).

python benchmarks/packed.py: batches of 1 and 8 on one thread, processor time of one call with and
without, in turns: medians, and the part of the time that packing takes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time

import numpy as np

from tinydl import Tensor, models, no_grad, ops
from tinydl.backend.cpu import CpuBackend, _runtime
from tinydl.console import command

ROUNDS, SECONDS = 31, 0.01  # the shortest time that is measured


def normal(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def network(model: Callable[[Tensor], Tensor], *image: int) -> Callable[[int], Callable]:
    return lambda N: partial(model, normal(N, *image))


def convolution(K: int, C: int, F: int, size: int) -> Callable[[int], Callable]:
    weight = normal(K, K, C, F)
    return lambda N: partial(ops.conv2d, normal(N, size, size, C), weight, padding=K // 2)


def product(K: int, F: int) -> Callable[[int], Callable]:
    weight, bias = normal(K, F), normal(F)
    return lambda N: partial(ops.linear, normal(N, K), weight, bias)


CELLS = {
    "LeNet-5, 28x28": lambda: network(models.LeNet5().eval(), 28, 28, 1),
    "ResNet-20, 32x32": lambda: network(models.ResNetCifar(20).eval(), 32, 32, 3),
    "MobileNet 0.25, 96x96": lambda: network(models.MobileNetV1(width=0.25).eval(), 96, 96, 3),
    "MobileNet, 224x224": lambda: network(models.MobileNetV1().eval(), 224, 224, 3),
    "ResNet-34, 224x224": lambda: network(models.ResNet().eval(), 224, 224, 3),
    "3x3 64 -> 64, 56x56": lambda: convolution(3, 64, 64, 56),
    "3x3 128 -> 128, 14x14": lambda: convolution(3, 128, 128, 14),
    "3x3 256 -> 256, 8x8": lambda: convolution(3, 256, 256, 8),
    "3x3 512 -> 512, 7x7": lambda: convolution(3, 512, 512, 7),
    "1x1 512 -> 512, 7x7": lambda: convolution(1, 512, 512, 7),
    "linear 256 -> 256": lambda: product(256, 256),
    "linear 1024 -> 1024": lambda: product(1024, 1024),
    "linear 4096 -> 1000": lambda: product(4096, 1000),
}


def seconds(call: Callable[[], Tensor], times: int) -> float:
    start = process_time()
    for _ in range(times):
        call()
    return (process_time() - start) / times


def compare(call: Callable[[], Tensor]) -> tuple[float, float]:
    """Median seconds of one call that packs and of one that has packed before."""
    found: dict[bool, list[float]] = {False: [], True: []}
    call()
    times = max(1, round(SECONDS / max(seconds(call, 2), 1e-9)))
    for _ in range(ROUNDS):
        for keeps in (False, True):
            CpuBackend.packs = keeps
            found[keeps].append(seconds(call, times))
    return median(found[False]), median(found[True])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="cells (default: all)", metavar="CELL")
    chosen = parser.parse_args().names or list(CELLS)
    if unknown := [name for name in chosen if name not in CELLS]:
        parser.error(f"no cell {unknown[0]!r}; there are {', '.join(map(repr, CELLS))}")
    _runtime.set_threads(1)
    print("| inference | batch | packed for each call, us | kept, us | gain |")
    print("|---|---|---|---|---|")
    with no_grad():
        for name in chosen:
            cell = CELLS[name]()
            for N in (1, 8):
                packs, kept = compare(cell(N))
                gain = f"{1 - kept / packs:.1%}"
                print(
                    f"| {name} | {N} | {packs * 1e6:.0f} | {kept * 1e6:.0f} | {gain} |", flush=True
                )


if __name__ == "__main__":
    sys.exit(command(main, "packed"))
