"""Several processes that train one model: equal to one process, and none left behind by faults."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinydl.train import load_checkpoint

#: Of ranks that are more than the cores, perhaps of root in a container.
OPEN_MPI = ["--allow-run-as-root", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"]
JOB = Path(__file__).with_name("ranks_job.py")


@pytest.fixture(scope="module")
def mpirun():
    """The command and its options: MPICH's of the environment, or what TINYDL_MPIRUN names."""
    pytest.importorskip("mpi4py", reason="needs mpi4py (the extra `mpi`)")
    beside = Path(sys.executable).with_name("mpirun")
    found = os.environ.get("TINYDL_MPIRUN") or (str(beside) if beside.exists() else None)
    found = found or shutil.which("mpirun")
    if found is None:
        pytest.skip("needs an mpirun (the extra `mpi` brings MPICH's)")
    told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    return [found, *(OPEN_MPI if "Open MPI" in told or "open-mpi" in told else [])]


@pytest.fixture
def ranks(mpirun, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(count, *command, code=0):
        """What `mpirun -n count python command` wrote."""
        start = [*mpirun, "-n", str(count)] if count else []
        done = subprocess.run(
            [*start, sys.executable, *map(str, command)], cwd=tmp_path, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert (done.returncode == 0) == (code == 0), done.stderr
        return done.stdout, done.stderr

    return run


def far_apart(found, expected):
    """The largest difference of each tensor, as a share of its largest entry."""
    return max(np.abs(found[k] - expected[k]).max() / np.abs(expected[k]).max() for k in expected)


@pytest.mark.parametrize("count", [2, 3])
def test_ranks_do_what_one_process_does(ranks, tmp_path, count):
    """Twenty updates, among them batches that do not divide evenly; weights and histories."""
    ranks(0, JOB, "alone-exact", tmp_path)
    ranks(count, JOB, "exact", tmp_path)
    for dtype, close in (("float32", 1e-6), ("float64", 1e-12)):
        for accumulate in (1, 3):
            mine = np.load(tmp_path / f"exact_{dtype}_{accumulate}.npz")
            alone = np.load(tmp_path / f"alone-exact_{dtype}_{accumulate}.npz")
            assert far_apart(mine, alone) <= close


def test_a_loop_of_ones_own(ranks, tmp_path):
    """The last batch has one sample for three ranks: two of them count as nothing."""
    ranks(0, JOB, "alone-loop", tmp_path)
    ranks(3, JOB, "loop", tmp_path)
    assert far_apart(np.load(tmp_path / "loop.npz"), np.load(tmp_path / "alone-loop.npz")) <= 1e-12


def test_batch_norms_over_all_ranks(ranks, tmp_path):
    ranks(0, JOB, "alone-norms", tmp_path)
    ranks(3, JOB, "norms", tmp_path)
    for dtype, close in (("float32", 1e-5), ("float64", 1e-11)):
        mine, alone = (np.load(tmp_path / f"{n}_{dtype}.npz") for n in ("norms", "alone-norms"))
        assert far_apart(mine, alone) <= close


def test_two_players_and_a_text(ranks, tmp_path):
    """The programs of several optimisers and of states that are carried, each rank its rows; every
    kind is in tests/recipes/test_shared.py."""
    ranks(0, JOB, "alone-program", tmp_path)
    ranks(3, JOB, "program", tmp_path)
    for name in ("ring-gan", "text"):
        mine, alone = (
            np.load(tmp_path / f"{case}_{name}.npz") for case in ("program", "alone-program")
        )
        assert far_apart(mine, alone) <= 1e-12


def test_streams_batch_norms_and_files(ranks, tmp_path):
    """With dropout and batch norm all weights stay equal (`settle` compares them), the streams
    stand at one place afterwards, and the first rank alone writes."""
    ranks(2, JOB, "plain", tmp_path)
    first, second = (np.load(tmp_path / f"rank{r}.npz") for r in range(2))
    assert np.array_equal(first["draws"], second["draws"])
    assert first["epochs"] == second["epochs"] == 3
    assert load_checkpoint(tmp_path / "checkpoint")[1]["epoch"] == 3
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 4


def test_one_rank_that_stops_stops_all(ranks, tmp_path):
    ranks(2, JOB, "stops", tmp_path)
    assert [int(np.load(tmp_path / f"rank{r}.npz")["epochs"]) for r in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("killed", ""),
        ("raises", "RuntimeError: this rank has had enough"),
        ("wanders", "the weights: rank 1 differs from rank 0"),
        ("other-data", "the data: rank 1 differs from rank 0"),
    ],
)
def test_a_fault_on_one_rank_ends_all(ranks, tmp_path, case, said):
    """With a code that says so, one message, and a checkpoint of the last whole epoch."""
    _, err = ranks(2, JOB, case, tmp_path, code=1)
    if said:
        assert err.count(said) == 1
    if case != "other-data":
        assert load_checkpoint(tmp_path / "checkpoint")[1]["epoch"] == 1


def test_the_command(ranks, tmp_path):
    """A run folder as of one process, resumed by another number of ranks; one sentence for a
    program that cannot be shared."""
    train = ["-m", "tinydl", "train", "--data-parallel", "--quiet"]
    out, _ = ranks(2, *train, "mlp-digits", "--epochs", 2, "--out", "run", "--json")
    result = json.loads(out)
    assert result["epochs"] == 2 and 0.5 < result["accuracy"] <= 1
    ranks(3, *train, "--resume", "run", "--epochs", 3)
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 4
    _, err = ranks(2, *train, "chain-q", "--fast", code=1)
    assert err.count("an agent with a table has no gradients") == 1
