"""Six well-known scripts in tinydl and in PyTorch, batch for batch.

python benchmarks/ports/compare.py [PORT...] [--threads 2] [--out benchmarks/results]: each port and
library trains in a process of its own, 5 batches to warm up, then rounds of 100 batches, A B A B;
between its rounds a process is stopped, so that idle threads take no core. The time is that of a
user's loop: batches by the library's own loader (`Batches`, `DataLoader`), forward, backward,
optimiser, the loss as a number. A ratio is PyTorch's time over tinydl's, above 1 where tinydl is
faster, the median of the rounds'; "step" is the ratio without the loaders' own time. PyTorch is
eager, with its default layout of images and optimisers as its documentation writes them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from math import exp, log
from pathlib import Path
from statistics import fmean, median
from time import perf_counter

from shared import Port

from tinydl.bench.harness import machine
from tinydl.console import command
from tinydl.errors import TinydlError

PORTS = {
    "mnist": "PyTorch's MNIST example: two convolutions, Adadelta, batch 64",
    "imdb": "Keras' bidirectional LSTM on IMDb: 20,000 words, 100 steps, batch 32",
    "stocks": "Keras time series: LSTM 64, GRU 32 on windows of 60 prices, batch 32",
    "dcgan": "PyTorch's DCGAN on CIFAR-10: 32x32, ngf = ndf = 32, batch 64",
    "vae": "PyTorch's VAE on MNIST: 784-400-20, batch 128",
    "unet": "Keras U-Net on drawn shapes: 64x64, 16 to 128 filters, batch 4",
}
LIBRARIES = ("tinydl", "torch")
WARM_UP = 5
HEADS = ("port", "parameters", "tinydl, ms", "torch, ms", "ratio", "rounds", "step")


# -- one port of one library, in its own process ---------------------------------------------------


def prepare(library: str, threads: int) -> str:
    """Set the number of threads; the library's version."""
    if library == "torch":
        import torch

        torch.set_num_threads(threads)
        return f"torch {torch.__version__}"
    import tinydl
    from tinydl.backend.cpu import _runtime

    _runtime.set_threads(threads)
    return f"tinydl {tinydl.__version__}"


def one_round(port: Port, batches: int) -> dict[str, float]:
    """Seconds of so many batches of training, and of drawing so many alone; the mean loss."""
    begin = perf_counter()
    loss = port.train(batches)
    middle = perf_counter()
    for _ in range(batches):
        next(port.batches)
    return {"seconds": middle - begin, "loader": perf_counter() - middle, "loss": loss}


def work(name: str, library: str, threads: int, batches: int, made_up: bool) -> None:
    """Answer every line of stdin with a round, until it ends."""
    version = prepare(library, threads)
    port: Port = import_module(f"{name}_{library}").port(made_up)
    loss = port.train(WARM_UP)
    hello = {"version": version, "parameters": port.parameters, "loss": loss}
    print(json.dumps(hello), flush=True)
    for _ in sys.stdin:
        print(json.dumps(one_round(port, batches)), flush=True)


class Worker:
    """The process of one port and library; it runs only while it is asked."""

    def __init__(self, name: str, library: str, threads: int, batches: int, made_up: bool) -> None:
        self.name = f"{name}_{library}"
        counts = [str(threads), str(batches)] + (["--made-up"] if made_up else [])
        call = [sys.executable, __file__, "--one", name, library, *counts]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.hello = self._read()

    def _read(self) -> dict:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise TinydlError(f"compare: {self.name} ended with {self.process.wait()}")
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def round(self) -> dict:
        """Another round."""
        self.process.send_signal(signal.SIGCONT)
        if self.process.stdin:
            print("round", file=self.process.stdin, flush=True)
        return self._read()

    def close(self) -> None:
        """The end of its input ends it."""
        self.process.send_signal(signal.SIGCONT)
        self.process.communicate()


# -- the comparison --------------------------------------------------------------------------------


def compare(name: str, threads: int, batches: int, rounds: int, made_up: bool = False) -> dict:
    """The rounds of one port: {"tinydl": [...], "torch": [...], "hello": {library: ...}}."""
    workers: dict[str, Worker] = {}
    try:
        for library in LIBRARIES:
            workers[library] = Worker(name, library, threads, batches, made_up)
        found: dict = {library: [] for library in LIBRARIES}
        for _ in range(rounds):
            for library, worker in workers.items():
                found[library].append(worker.round())
        return found | {"hello": {library: w.hello for library, w in workers.items()}}
    finally:
        for worker in workers.values():
            worker.close()


def ratios(found: dict) -> tuple[list[float], list[float]]:
    """Of every round: PyTorch's time over tinydl's, and the same without the loaders."""
    pairs = list(zip(found["torch"], found["tinydl"], strict=True))
    whole = [theirs["seconds"] / ours["seconds"] for theirs, ours in pairs]
    steps = [
        (theirs["seconds"] - theirs["loader"]) / (ours["seconds"] - ours["loader"])
        for theirs, ours in pairs
    ]
    return whole, steps


def row(name: str, found: dict, batches: int) -> list[str]:
    """A line of the table."""
    whole, steps = ratios(found)
    times = [1e3 * median(r["seconds"] for r in found[lib]) / batches for lib in LIBRARIES]
    return [
        PORTS[name], f"{found['hello']['tinydl']['parameters']:,}", *(f"{t:.2f}" for t in times),
        f"{median(whole):.2f}", f"{min(whole):.2f}-{max(whole):.2f}", f"{median(steps):.2f}",
    ]  # fmt: skip


def page(rows: list[list[str]], results: dict[str, dict], args: argparse.Namespace) -> str:
    """ports.md."""
    from tinydl.runs.report import markdown_table  # not in the measured processes

    about = machine()
    hello = next(iter(results.values()))["hello"]
    versions = ", ".join(hello[library]["version"] for library in LIBRARIES)
    lines = [
        "# Ports",
        "",
        "Made by `python benchmarks/ports/compare.py --out benchmarks/results`: scripts that many "
        "know, written anew in tinydl and in PyTorch with one architecture, sizes and data "
        f"(`benchmarks/ports/`). {args.rounds} rounds in turns of {args.batches} batches after "
        f"{WARM_UP} to warm up, {args.threads} threads; times are medians for one batch. ratio: "
        "PyTorch's time over tinydl's, the median of the rounds; step: the same without the time "
        "of `Batches` and `DataLoader`.",
        "",
        f"{about['machine']}, {about['level']}, {about['date'][:10]}, commit {about['commit']}: "
        f"{versions}.",
        "",
        *markdown_table(HEADS, rows),
        "",
        summary(results),
    ]
    return "\n".join(lines) + "\n"


def summary(results: dict[str, dict]) -> str:
    """The geometric means, and the smallest ratio."""
    each = [tuple(map(median, ratios(found))) for found in results.values()]
    means = [exp(fmean(map(log, column))) for column in zip(*each, strict=True)]
    smallest = [min(column) for column in zip(*each, strict=True)]
    return (
        f"Geometric mean of the ratios: {means[0]:.2f} (smallest {smallest[0]:.2f}); without the "
        f"loaders {means[1]:.2f} (smallest {smallest[1]:.2f})."
    )


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="PORT", nargs="*", help=f"{', '.join(PORTS)}: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, default=100, help="of one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--made-up", action="store_true", help="small drawn data, as in the tests")
    parser.add_argument("--out", type=Path, help="folder for ports.md")
    args = parser.parse_args(arguments)
    if unknown := [name for name in args.names if name not in PORTS]:
        parser.error(f"no port {unknown[0]!r}; there are {', '.join(PORTS)}")
    if min(args.threads, args.batches, args.rounds) < 1:
        parser.error("--threads, --batches and --rounds are at least 1")
    return args


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        name, library, threads, batches, *rest = arguments[1:]
        return work(name, library, int(threads), int(batches), bool(rest))
    args = options(arguments)
    results, rows = {}, []
    for name in args.names or PORTS:
        results[name] = compare(name, args.threads, args.batches, args.rounds, args.made_up)
        rows.append(row(name, results[name], args.batches))
        print(" | ".join(rows[-1]), flush=True)
    print(summary(results))
    if args.out:
        (args.out / "ports.md").write_text(page(rows, results, args))


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "compare"))
