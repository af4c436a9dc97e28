"""What more machines would give: the efficiency of data-parallel training, on paper.

    python benchmarks/scaling.py [--nets resnet20,...] [--steps 9] [--rounds 3] [--write]

Measured here, on one thread: the steps of four networks, how much of a step is the walk back, how
long it takes to gather the gradients into one buffer and to hand them out; and the Allreduce of two
ranks on this machine, of 64 bytes to 16 MB. From these, by a ring over p ranks with latency a and
b seconds a byte, an Allreduce of m bytes takes

    T(p, m) = 2 (p - 1) a + 2 (p - 1) / p m b

(p - 1 steps that add and p - 1 that hand on, each of m / p bytes; Patarasuk and Yuan 2009). With
the same batch for every rank the efficiency is step / (step + what of T is not hidden). Nothing is
hidden where one buffer goes after the walk back, as tinydl has it; with overlap buckets of 1 MiB go
as soon as their gradients are there, the last layer's first. --write: benchmarks/results/scaling.md
and scaling.png. Needs the extra `mpi`, an idle machine with two cores, and matplotlib for the
picture. The networks of 10 and 200 Gb/s are not measured: latencies as data sheets have them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from tinydl.console import command
from tinydl.tables import Column, Table, show

RESULTS = Path(__file__).resolve().parent / "results"
RANKS = tuple([2**k for k in range(1, 11)])
BUCKET = 1 << 20
NETS = ("resnet20", "resnet50", "char-lstm", "gpt")
BYTES = tuple([64 * 8**k for k in range(7)])  # 64 B ... 16 MB
WARM = 2


class Network(NamedTuple):
    """latency: seconds of a message; per_byte: seconds of a byte."""

    name: str
    latency: float
    per_byte: float

    def allreduce(self, ranks: int, size: float) -> float:
        """Seconds of a ring over so many ranks, for so many bytes."""
        return 2 * (ranks - 1) * (self.latency + size / ranks * self.per_byte)


#: TCP over 10 Gb/s, RDMA over 200 Gb/s.
WIRES = (Network("10 Gb/s", 25e-6, 0.8e-9), Network("200 Gb/s", 2e-6, 0.04e-9))


class Step(NamedTuple):
    """A measured step: seconds of all of it, of the walk back, of gathering the gradients into one
    buffer and handing them out; bytes of every gradient, in the order of the layers."""

    net: str
    batch: int
    seconds: float
    back: float
    gathering: float
    sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        return sum(self.sizes)

    def efficiency(self, network: Network, ranks: int, overlap: bool) -> float:
        """The share of a rank's time in which it does what one process does."""
        if ranks == 1:
            return 1.0
        exposed = self.exposed(network, ranks) if overlap else network.allreduce(ranks, self.size)
        return self.seconds / (self.seconds + self.gathering + exposed)

    def exposed(self, network: Network, ranks: int) -> float:
        """Seconds of Allreduce behind the end of the walk back, buckets sent as they fill: every
        gradient is there a like time after the one before it, the last layer's first."""
        done = waiting = 0.0
        for k, size in enumerate(reversed(self.sizes), 1):
            waiting += size
            if waiting >= BUCKET or k == len(self.sizes):
                there = self.back * k / len(self.sizes)
                done = max(done, there) + network.allreduce(ranks, waiting)
                waiting = 0.0
        return done - self.back


# -- measured --------------------------------------------------------------------------------------


def made(net: str) -> tuple[Any, int, Any]:
    """(model, batch, a function without arguments that gives a batch's loss)."""
    import tinydl as td
    from tinydl import models, nn

    td.seed(0)
    rng = np.random.default_rng(0)
    if net in ("resnet20", "resnet50"):
        small = net == "resnet20"
        model: Any = models.ResNetCifar() if small else models.BottleneckResNet()
        batch, side, classes = (32, 32, 10) if small else (4, 224, 1000)
        x = td.Tensor(rng.standard_normal((batch, side, side, 3)).astype(np.float32))
        y = td.Tensor(rng.integers(0, classes, batch))
        return model, batch, lambda: nn.cross_entropy(model(x), y)
    if net == "char-lstm":
        model, batch = models.LSTMGenerator(66, 256, 1, 0.0), 32
    else:
        model, batch = models.GPT(tokens=66, steps=64, blocks=4, heads=4, width=128), 12
    x, y = (td.Tensor(rng.integers(0, 66, (batch, 64))) for _ in range(2))
    return model, batch, lambda: nn.cross_entropy(model.run(x, None)[0], y)


def step_of(net: str, steps: int, together: Any = None) -> Step:
    """One rank's medians."""
    from tinydl import optim
    from tinydl.train.parallel import _flat

    model, batch, loss_of = made(net)
    parameters = list(model.parameters())
    optimizer = optim.Adam(parameters)
    whole, back, gather = [], [], []
    for _ in range(WARM + steps):
        start = perf_counter()
        optimizer.zero_grad()
        loss = loss_of()
        middle = perf_counter()
        loss.backward()
        end = perf_counter()
        if together is not None:
            together.average(parameters, batch)
        optimizer.step()
        loss.item()
        whole.append(perf_counter() - start)
        back.append(end - middle)
        copying = perf_counter()
        flat, at = _flat(parameters, batch), 0
        for p in parameters:
            (flat[at : at + p.data.size] / batch).reshape(p.shape)
            at += p.data.size
        gather.append(perf_counter() - copying)
    sizes = tuple([4 * p.data.size for p in parameters])
    return Step(net, batch, *(median(v[WARM:]) for v in (whole, back, gather)), sizes)


def allreduce_seconds(repetitions: int) -> dict[int, float]:
    """{bytes: median seconds} of this rank."""
    from mpi4py import MPI

    found, world = {}, MPI.COMM_WORLD
    for size in BYTES:
        sums, taken = np.ones(size // 4, np.float32), []
        for _ in range(WARM + repetitions):
            sums[:] = 1
            world.Barrier()
            start = perf_counter()
            world.Allreduce(MPI.IN_PLACE, sums)
            taken.append(perf_counter() - start)
        found[size] = median(taken[WARM:])
    return found


def fitted(seconds: dict[int, float]) -> Network:
    """a and b of T(2, m) = 2 a + m b: least squares of the relative errors, both at least 0."""
    m, t = (np.array(list(v), float) for v in (seconds.keys(), seconds.values()))
    rows = np.stack([2 / t, m / t], axis=1)
    (latency, per_byte), *_ = np.linalg.lstsq(rows, np.ones(len(t)), rcond=None)
    return Network("this machine", max(float(latency), 1e-7), max(float(per_byte), 1e-12))


def worker(what: str, steps: int) -> None:
    """Prints, on the first of two ranks, what was measured as JSON."""
    from tinydl.train import Ranks

    ranks = Ranks()
    if what == "allreduce":
        found: Any = allreduce_seconds(50 * steps)
    else:
        found = step_of(what, steps, ranks).seconds
    if ranks.rank == 0:
        print(json.dumps(found), flush=True)


def of_two_ranks(what: str, steps: int) -> Any:
    mpirun = str(Path(sys.executable).with_name("mpirun"))
    run = [mpirun, "-n", "2", sys.executable, __file__, "--worker", what, "--steps", str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def alone(net: str, steps: int) -> Step:
    """Measured in a process of its own, with one thread."""
    run = [sys.executable, __file__, "--alone", net, "--steps", str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Step(**{**found, "sizes": tuple(found["sizes"])})


# -- told ------------------------------------------------------------------------------------------


def table_of(steps: Sequence[Step], networks: Sequence[Network]) -> Table:
    """Percent of efficiency by net, network and ranks."""
    rows = []
    for step in steps:
        for network in networks:
            for overlap in (False, True):
                told = [f"{100 * step.efficiency(network, p, overlap):.0f}" for p in RANKS]
                rows.append([step.net, network.name, "yes" if overlap else "no", *told])
    heads = ["net", "network", "overlap", *(f"{p:,}" for p in RANKS)]
    return Table([Column(head, least=4) for head in heads], rows)


def checks_of(steps: Sequence[Step], network: Network, measured: dict[str, float]) -> Table:
    """Two ranks on this machine: predicted beside measured."""
    rows = []
    for step in steps:
        share = step.seconds / measured[step.net]
        rows.append([
            step.net, str(step.batch), f"{step.size / 1e6:.2f}", f"{1e3 * step.seconds:.1f}",
            f"{100 * step.back / step.seconds:.0f}", f"{1e3 * step.gathering:.2f}",
            f"{1e3 * network.allreduce(2, step.size):.2f}",
            f"{100 * step.efficiency(network, 2, False):.0f}", f"{100 * share:.0f}",
        ])  # fmt: skip
    heads = ["net", "batch", "gradient MB", "step ms", "back %", "gathering ms", "Allreduce ms",
             "predicted %", "measured %"]  # fmt: skip
    return Table([Column(head, least=6) for head in heads], rows)


def markdown(table: Table) -> str:
    heads = [column.head.replace("\n", " ") for column in table.columns]
    lines = [heads, ["---"] * len(heads), *table.rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def drawn(steps: Sequence[Step], networks: Sequence[Network], path: Path) -> None:
    """A panel for each network, a line for each net, dashed with overlap."""
    from tinydl.viz.figure import new_figure, plain_axes, save_figure

    figure = new_figure(4.0 * len(networks), 3.6)
    for k, network in enumerate(networks):
        axes = figure.add_subplot(1, len(networks), k + 1)
        for number, step in enumerate(steps):
            for overlap, style in ((False, "-"), (True, "--")):
                shares = [100 * step.efficiency(network, p, overlap) for p in RANKS]
                label = None if overlap else step.net
                axes.plot(RANKS, shares, style, color=f"C{number}", label=label)
        axes.set_xscale("log", base=2)
        plain_axes(axes, ylim=(0, 103), title=network.name, xlabel="ranks")
    figure.axes[0].set_ylabel("efficiency, %")
    figure.axes[0].legend(frameon=False)
    save_figure(figure, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="results/scaling.md and scaling.png")
    parser.add_argument("--worker", metavar="WHAT", help=argparse.SUPPRESS)
    parser.add_argument("--alone", metavar="NET", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.steps)
        return 0
    if args.alone:
        print(json.dumps(step_of(args.alone, args.steps)._asdict()), flush=True)
        return 0
    steps, two = [], {}
    for net in args.nets.split(","):  # the two take turns
        both = [(alone(net, args.steps), of_two_ranks(net, args.steps)) for _ in range(args.rounds)]
        steps.append(sorted((one for one, _ in both), key=lambda s: s.seconds)[args.rounds // 2])
        two[net] = median([seconds for _, seconds in both])
    sums = {int(k): v for k, v in of_two_ranks("allreduce", args.steps).items()}
    here = fitted(sums)
    networks = (here, *WIRES)
    check, table = checks_of(steps, here, two), table_of(steps, networks)
    show(check)
    show(table)
    if args.write:
        write(here, sums, check, table)
        drawn(steps, networks, RESULTS / "scaling.png")
    return 0


def write(here: Network, sums: dict[int, float], check: Table, table: Table) -> None:
    lines = [
        "# What more machines would give",
        f"`python benchmarks/scaling.py --write`, {date.today()}, one thread a rank. Two ranks on "
        "this machine, the same batch for each; efficiency is one process's step in that of two. "
        "What is predicted knows nothing of the memory that two ranks share.",
        markdown(check),
        f"Allreduce of two ranks here: {1e6 * here.latency:.1f} us and {1e-9 / here.per_byte:.2f} "
        "GB/s fit "
        + ", ".join(f"{1e6 * t:.0f} us ({size:,} B)" for size, t in sums.items())
        + ". Assumed: "
        + ", ".join(f"{w.name}: {1e6 * w.latency:g} us, {1e-9 / w.per_byte:g} GB/s" for w in WIRES)
        + ".",
        "Predicted efficiency in percent by the number of ranks, a ring; with overlap buckets of "
        "1 MiB go while the walk back goes on (tinydl sends one buffer behind it):",
        markdown(table),
        "![Efficiency by ranks, dashed with overlap](scaling.png)",
        "On this machine there are two cores: its rows say what its memory as a network would "
        "give. A ring's latency grows with the ranks, 2 (p - 1) messages behind each other, which "
        "is what small networks lose by at 1,024; a tree would have 2 log2 p.",
    ]
    (RESULTS / "scaling.md").write_text("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(command(main, "scaling.py"))
