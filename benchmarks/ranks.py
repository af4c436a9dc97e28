"""Several processes that train one model: samples per second of two ranks beside one.

    python benchmarks/ranks.py [--nets lenet,resnet20,mobilenet] [--rounds 5] [--no-torch]

Each rank has one thread and the same number of samples in a batch as the one process has (LeNet
128, ResNet-20 32, MobileNet 8), so two ranks should do twice the work in a step's time; the same
batch in one process with two threads stands beside. The peer is PyTorch's DistributedDataParallel
over gloo, started the same way. The setups take turns; a figure is the median of the rounds, one
round's the median of its steps. For a machine with two idle cores; it needs the extra `mpi`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from tinydl.bench.cases import Case
from tinydl.bench.inputs import inputs
from tinydl.bench.networks import NETWORKS, Parameters, is_parameter
from tinydl.console import command
from tinydl.tables import Column, Table, show

BATCHES = {"lenet": 128, "resnet20": 32, "mobilenet": 8}
#: name: (library, ranks, threads of each)
SETUPS = {
    "1 x 1": ("tinydl", 1, 1),
    "2 x 1": ("tinydl", 2, 1),
    "1 x 2": ("tinydl", 1, 2),
    "torch 1 x 1": ("torch", 1, 1),
    "torch 2 x 1": ("torch", 2, 1),
}
WARM, PORT = 3, 29_511


def arrays_of(net: str) -> dict:
    return inputs(Case(net, "step", f"{net}_step", {"N": BATCHES[net]}))


def tinydl_step(net: str, ranks: int):
    """One update by this rank, the gradients averaged over all."""
    from tinydl import nn, optim, tensor
    from tinydl.bench.peer_tinydl import Layers
    from tinydl.train import Ranks
    from tinydl.train.parallel import ALONE

    a = {name: tensor(array) for name, array in arrays_of(net).items()}
    leaves = [t for name, t in a.items() if is_parameter(name)]
    for leaf in leaves:
        leaf.requires_grad = True
    optimizer = optim.Adam(leaves)
    together = Ranks() if ranks > 1 else ALONE

    def step() -> None:
        optimizer.zero_grad()
        nn.cross_entropy(
            NETWORKS[net].forward(Layers, a["x"], Parameters(a)), a["labels"]
        ).backward()
        together.average(leaves)
        optimizer.step()

    return step, together.rank


def torch_step(net: str, ranks: int, threads: int):
    """The same by DistributedDataParallel."""
    import torch
    from torch import distributed

    from tinydl.bench.peer_torch import Layers, TorchPeer

    a = {n: TorchPeer(True, threads)._tensor(n, array) for n, array in arrays_of(net).items()}

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            own = {n: torch.nn.Parameter(t) for n, t in a.items() if is_parameter(n)}
            self.weights = torch.nn.ParameterDict(own)

        def forward(self, x):
            return NETWORKS[net].forward(Layers(torch), x, Parameters(dict(self.weights)))

    model, rank = Net(), int(os.environ.get("PMI_RANK", 0))
    if ranks > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(PORT)}
        distributed.init_process_group("gloo", rank=rank, world_size=ranks)
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(a["x"]), a["labels"]).backward()
        optimizer.step()

    return step, rank


def worker(net: str, setup: str, steps: int) -> None:
    """Prints this rank's median seconds per step, if it is the first."""
    library, ranks, threads = SETUPS[setup]
    step, rank = tinydl_step(net, ranks) if library == "tinydl" else torch_step(net, ranks, threads)
    taken = []
    for _ in range(WARM + steps):
        start = perf_counter()
        step()
        taken.append(perf_counter() - start)
    if rank == 0:
        print(median(taken[WARM:]), flush=True)


def measured(net: str, setup: str, steps: int) -> float:
    """Samples per second of all ranks."""
    _, ranks, threads = SETUPS[setup]
    start = [str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks)] if ranks > 1 else []
    run = [*start, sys.executable, __file__, "--worker", net, setup, "--steps", str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    return ranks * BATCHES[net] / float(done.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", default=",".join(BATCHES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--worker", nargs=2, metavar=("NET", "SETUP"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(*args.worker, args.steps)
        return 0
    setups = [s for s in SETUPS if not (args.no_torch and "torch" in s)]
    rows = []
    for net in args.nets.split(","):
        found: dict[str, list[float]] = {setup: [] for setup in setups}
        for _ in range(args.rounds):
            for setup in setups:
                found[setup].append(measured(net, setup, args.steps))
        middle = {setup: median(values) for setup, values in found.items()}
        gain = f"{middle['2 x 1'] / middle['1 x 1']:.2f}"
        beside = "-" if args.no_torch else f"{middle['2 x 1'] / middle['torch 2 x 1']:.2f}"
        rows.append([net, *(f"{v:.0f}" for v in middle.values()), gain, beside])
    heads = ["net", *setups, "2 x 1 / 1 x 1", "2 x 1 / torch's"]
    show(Table([Column(head, least=8) for head in heads], rows))
    return 0


if __name__ == "__main__":
    sys.exit(command(main, "ranks.py"))
