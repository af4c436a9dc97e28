"""The benchmark harness: what it reports and what it refuses to time. No speed is asserted."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from support import oracle_module

from tinydl.bench import CASES, GROUPS, PEERS, run_benchmarks
from tinydl.bench.cases import BARS, FILES, WITH_FILES, Case
from tinydl.bench.deployed import foreign_file
from tinydl.bench.harness import (
    OURS,
    OWN,
    TOLERANCE,
    WorkerProcess,
    _row,
    select,
)
from tinydl.bench.inputs import inputs
from tinydl.bench.peer_tinydl import open_peer
from tinydl.bench.told import geometric_means, means_text
from tinydl.bench.worker import Worker, difference
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.measure.profiler import profile

FIELDS = {
    "name", "group", "threads", "seconds", "gflops", "peers", "best_peer", "ratio", "spread",
    "peak_share", "peaks", "gbps", "error", "problems", "versions", "missing", "level", "machine",
    "date", "commit",
}  # fmt: skip
SMALL = [case for case in CASES if case.name in ("gemm 64x64x64", "softmax-CE 128x10")]


def test_the_command_writes_rows(tmp_path, capsys):
    out = tmp_path / "rows.json"
    arguments = ("--against", "numpy", "--quick", "--rounds", "1", "--json", str(out))
    assert main(["bench", "adam", *arguments]) == 0
    (row,) = json.loads(out.read_text())
    assert set(row) >= FIELDS
    assert row["name"] == "adam 1000000" and row["group"] == "adam" and row["threads"] == 1
    assert row["best_peer"] == "numpy" and row["ratio"] > 0 and row["seconds"] > 0
    assert row["peers"]["numpy"]["seconds"] > 0 and not row["problems"]
    assert row["versions"]["numpy"] == f"numpy {np.__version__}"
    text = capsys.readouterr().out
    assert "adam 1000000" in text and "geometric mean" in text


@pytest.mark.parametrize("option", ["--json", "--out"])
def test_results_that_cannot_be_written_are_no_results(option, tmp_path, capsys, monkeypatch):
    """The error comes before the measurement."""
    monkeypatch.setattr("tinydl.bench.harness.run_benchmarks", None)
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "below"
    assert main(["bench", "adam", "--quick", option, str(place)]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"tinydl: error: bench: cannot write {place}: Not a directory\n"
    assert not printed.out


def test_two_threads_and_gflops():
    rows = run_benchmarks(SMALL[:1], {"numpy": PEERS["numpy"]}, (1, 2), rounds=1, target=1e-4)
    assert [row["threads"] for row in rows] == [1, 2]
    assert all(r["gflops"] == pytest.approx(2 * 64**3 / r["seconds"] / 1e9) for r in rows)
    assert [row["peaks"]["threads"] for row in rows] == [1, 2]
    for row in rows:
        share = row["gflops"] / row["peaks"]["gflops"]["float32"]
        assert row["peak_share"] == pytest.approx(share)


def test_a_wrong_result_is_reported_and_not_timed(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    peers = {"wrong": "wrong_peer:", "numpy": PEERS["numpy"]}
    lines = []
    rows = run_benchmarks(SMALL, peers, rounds=1, target=1e-4, tell=lines.append)
    assert len(rows) == 2
    for row in rows:
        assert "wrong result" in row["problems"]["wrong"] and "wrong" not in row["peers"]
        assert row["best_peer"] == "numpy"
    assert any("wrong: wrong result" in line for line in lines)


def test_a_missing_peer_is_named(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    lines = []
    peers = {"absent": "wrong_peer:raises"}
    (row,) = run_benchmarks(SMALL[:1], peers, rounds=1, target=1e-4, tell=lines.append)
    assert row["missing"] == {"absent": "No module named 'wrong'"}
    assert row["best_peer"] is None and row["ratio"] is None and row["seconds"] > 0
    assert "absent: not installed (No module named 'wrong')" in lines


class Interrupted(Worker):
    """A worker whose calls take 10 microseconds, but the first one 50 milliseconds."""

    calls = 0

    def _block(self):
        self.calls += self.count
        return self.count * 1e-5 + (0.05 if self.calls == self.count else 0.0)


def test_one_slow_call_does_not_choose_the_repetitions():
    worker = Interrupted(None, 1)
    worker._warm_up(0.02)
    assert worker.count == 2000


def test_products_are_measured_by_numpy_and_chains_by_torch():
    timed = {OURS: [2.0], "numpy": [4.0], "torch": [3.0], "jax": [1.0]}
    found = {}
    for group in ("gemm", "engine", "conv"):
        row = _row(Case("a", group, "b"), 1, 1, dict.fromkeys(timed, 0.0), {}, timed)
        found[group] = row["best_peer"], row["ratio"]
        assert set(row["peers"]) == {"numpy", "torch", "jax"}
    assert found == {"gemm": ("numpy", 2.0), "engine": ("torch", 1.5), "conv": ("jax", 0.5)}
    assert set(BARS) <= set(GROUPS)


def test_the_cells():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert {case.group for case in CASES} == set(GROUPS)
    assert {c.group for c in select((), True)} == set(GROUPS) - set(WITH_FILES)
    assert [c.group for c in select(WITH_FILES, False)] == ["imported"] * len(FILES)
    first, again = inputs(SMALL[0]), inputs(SMALL[0])
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_difference():
    one = np.ones(3)
    assert difference([one], [one]) == 0 and difference([one * 1.5], [one]) == 0.5
    small = 1e-9 * one  # rounding, beside gradients of size 1
    assert difference([one, -small], [one, small]) == pytest.approx(2e-6)
    assert difference([-small], [small]) == 2
    assert difference([one[:2]], [one]) == difference([one * np.nan], [one]) == float("inf")


def test_geometric_means():
    rows = [{"group": "conv", "threads": 1, "ratio": r, "peers": {}} for r in (0.5, 2.0, None)]
    assert geometric_means(rows) == {("conv", 1): (pytest.approx(1.0), 0.5, 2)}
    assert "conv" in means_text(rows)


@pytest.mark.parametrize(
    "arguments", [("gem",), ("--against", "tensorflov"), ("--threads", "0"), ("--threads", "two")]
)
def test_bad_input(arguments, capsys):
    assert main(["bench", *arguments]) == 2
    assert "tinydl: error: bench: " in capsys.readouterr().err


def test_the_networks_count_their_multiply_adds():
    """What `flops` of the end-to-end cells is made of, against the convolutions that run."""
    for case in CASES:
        name, _, what = case.kind.rpartition("_")
        if what == "inference":
            run, _ = open_peer("cpu", 1).build(case, inputs(case))
            with profile() as p:
                run()
            products = {"matmul", "linear", "conv2d"}
            flops = sum(r.flops for r in p.rows() if r.op in products)
            assert 0.99 * flops < case.flops <= flops, name  # biases are not counted


DRAWN = sorted({case.kind for case in CASES if case.group not in WITH_FILES})


@pytest.mark.parametrize("name", DRAWN)
def test_every_kind_agrees_with_the_reference(name):
    """The smallest cell of each kind, as the worker checks it before timing."""
    case = min((c for c in CASES if c.kind == name), key=lambda c: (c.flops, c.traffic))
    if case.flops > 5e8:
        pytest.skip("too large for a test")
    found = []
    for backend in ("numpy", "cpu"):
        run, export = open_peer(backend, 1).build(case, inputs(case))
        found.append([np.asarray(a) for a in export(run())])
    assert difference(found[1], found[0]) < TOLERANCE


@pytest.mark.oracle
@pytest.mark.parametrize("case", select(WITH_FILES, False), ids=lambda case: case.name)
def test_a_file_of_others_agrees_with_the_reference(case):
    oracle_module("onnx")  # reads the files
    try:
        foreign_file(case)
    except ConfigError as missing:
        pytest.skip(str(missing))
    if case.flops > 5e8:
        pytest.skip("too large for a test")
    found = []
    for backend in ("numpy", "cpu"):
        run, export = open_peer(backend, 1).build(case, inputs(case))
        found.append([np.asarray(a) for a in export(run())])
    assert difference(found[1], found[0]) < TOLERANCE


def stops(pid):
    """Whether a process is stopped (state T) within five seconds."""
    stat = Path(f"/proc/{pid}/stat")
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if stat.read_text().rpartition(")")[2].split()[0] == "T":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc on this system")
def test_a_worker_is_stopped_between_its_turns():
    """Its idle threads would otherwise run on the cores of the next one."""
    worker = WorkerProcess(OURS, OWN[OURS], 1)
    try:
        assert stops(worker.process.pid)
        assert worker.ask(do="peaks")["gflops"]["float32"] > 0
        assert stops(worker.process.pid)
    finally:
        worker.close()
    assert worker.process.returncode == 0
