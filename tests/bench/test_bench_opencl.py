"""`tinydl bench --backend opencl`: beside the cpu backend, with the launches counted."""

import numpy as np
import pytest
from support import load_backend

from tinydl.bench import CASES, run_benchmarks
from tinydl.bench.harness import CPU, OURS, TOLERANCE, own_specs
from tinydl.bench.inputs import inputs
from tinydl.bench.peer_opencl import open_peer
from tinydl.bench.peer_tinydl import open_peer as reference
from tinydl.bench.results import markdown
from tinydl.bench.worker import Worker, difference
from tinydl.command.main import main
from tinydl.errors import ConfigError


def cell(name):
    return next(case for case in CASES if case.name == name)


@pytest.mark.opencl
def test_a_row_has_launches_and_a_ratio_to_the_cpu_backend():
    load_backend("opencl")
    case = cell("mlp step N128")
    (row,) = run_benchmarks([case], {}, rounds=1, target=1e-4, backend="opencl")
    assert row["launches"] > 10 and not row["problems"]
    assert row["peers"][CPU]["ratio"] > 0 and row["best_peer"] is None
    assert "opencl" in row["versions"][OURS] and "compute units: 1" in row["versions"][OURS]
    text = markdown([row])
    (line,) = [line for line in text.splitlines() if line.startswith("| mlp step")]
    assert line.endswith(f"| {row['launches']} |") and "| launches |" in text
    assert f" ({row['peers'][CPU]['ratio']:.2f}) |" in line


@pytest.mark.opencl
def test_the_clock_stops_when_the_queue_is_empty(monkeypatch):
    load_backend("opencl")
    peer = open_peer("opencl", 1)
    told = []
    monkeypatch.setattr(peer, "finish", lambda: told.append("empty"))
    worker = Worker(peer, 1)
    worker.count, worker.run = 3, lambda: told.append("queued")
    worker.time()
    assert told == ["queued"] * 3 + ["empty"]


@pytest.mark.opencl
@pytest.mark.parametrize("name", ["add 8", "gemm 1x256x784", "lenet inference N1"])
def test_cells_agree_with_the_reference(name):
    load_backend("opencl")
    case, found = cell(name), []
    for peer in (open_peer("opencl", 1), reference("numpy", 1)):
        run, export = peer.build(case, inputs(case))
        found.append([np.asarray(a) for a in export(run())])
    assert difference(*found) < TOLERANCE


def test_backends_that_are_not_measured(capsys):
    assert own_specs("cpu").keys() == {OURS, "reference"}
    with pytest.raises(ConfigError, match="none of cpu, opencl"):
        own_specs("numpy")
    assert main(["bench", "adam", "--backend", "cuda"]) == 2
    assert "--backend 'cuda'" in capsys.readouterr().err
