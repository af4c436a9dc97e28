"""Memory of a training step beside PyTorch: how much the process grows, and its peak.

python benchmarks/memory.py [--against torch,...] [--out FOLDER]: each network and library in a
process of its own, the cells of `tinydl bench step`, one thread. "Loaded" is the resident memory
before the first parameter exists, "peak" the largest during a few steps (what the kernel counts as
VmHWM), "growth" their difference: parameters, optimiser, activations, gradients, buffers, and code
that is only read from disk when it runs. That part cancels in "per image", the slope of the peak
between the cell's batch and one four times as large.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

from tinydl.bench.cases import CASES, Case
from tinydl.bench.harness import OURS, OWN, PEERS
from tinydl.bench.inputs import inputs
from tinydl.console import command

STEPS = 5
LARGER = 4
HEADS = (
    "step",
    "library",
    "loaded, MB",
    "peak, MB",
    "growth, MB",
    "per image, MB",
    "tinydl's / its",
)


def resident(field: str) -> float:
    """VmRSS or VmHWM of this process in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1024


def measure(case: Case, spec: str) -> dict[str, float | str]:
    """Memory of one library before and during a few steps."""
    module, _, argument = spec.partition(":")
    peer = import_module(module).open_peer(argument, 1)
    arrays = inputs(case)
    loaded = resident("VmRSS")
    cell = peer.build(case, arrays)
    if cell is None:
        raise SystemExit(f"{case.name}: {spec} does not have it")
    for _ in range(STEPS):
        cell[0]()
    return {"version": peer.version, "loaded": loaded, "peak": resident("VmHWM")}


def in_process(case: Case, spec: str) -> dict[str, float | str]:
    """`measure` in a process of its own."""
    call = [sys.executable, __file__, "--one", json.dumps(asdict(case)), spec]
    child = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(child.stdout.splitlines()[-1])


def table(peers: list[str], cases: list[Case]) -> list[list[str]]:
    """The rows of the table, printed as they come."""
    rows, ours = [], 0.0
    for case in cases:
        N = case.sizes["N"]
        for name in (OURS, *peers):
            spec = {**OWN, **PEERS}[name]
            found = in_process(case, spec)
            larger = in_process(replace(case, sizes=case.sizes | {"N": LARGER * N}), spec)
            image = (larger["peak"] - found["peak"]) / ((LARGER - 1) * N)
            ours = image if name == OURS else ours
            label = found["version"] + (", channels_last" if "channels_last" in name else "")
            growth = found["peak"] - found["loaded"]
            sizes = [f"{size:.0f}" for size in (found["loaded"], found["peak"], growth)]
            share = "" if name == OURS else f"{ours / image:.2f}"
            rows.append([case.name, label, *sizes, f"{image:.2f}", share])
            print(" | ".join(rows[-1]), flush=True)
    return rows


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(Case(**json.loads(arguments[1])), arguments[2])))
        return
    parser = argparse.ArgumentParser(description="memory of a training step beside other libraries")
    parser.add_argument("--against", default="torch,torch_channels_last", help="libraries, a list")
    parser.add_argument("--out", type=Path, help="folder for memory.md")
    args = parser.parse_args(arguments)
    peers = args.against.split(",")
    unknown = [name for name in peers if name not in PEERS]
    if unknown:
        parser.error(f"unknown library {', '.join(unknown)}; there are {', '.join(PEERS)}")
    images = ("lenet_step", "resnet20_step", "mobilenet_step")
    rows = table(peers, [case for case in CASES if case.kind in images])
    if args.out:
        from tinydl.runs.report import markdown_table  # not in the measured processes

        lines = [
            "# Memory of a training step",
            "",
            "Made by `python benchmarks/memory.py --out benchmarks/results`. Forward, backward and "
            "Adam on one thread. Growth is what the process gained over the loaded library; per "
            "image is the slope of the peak between this batch and one four times as large, in "
            "which code that is loaded late does not count.",
            "",
            *markdown_table(HEADS, rows),
        ]
        (args.out / "memory.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "memory"))
