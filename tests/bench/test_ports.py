"""benchmarks/ports: every script trains, the same network in both libraries; no time asserted."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from support import oracle_module, script

ROOT = Path(__file__).resolve().parents[2]
PORTS = ROOT / "benchmarks" / "ports"
PARAMETERS = {
    # 320 + 18,496 + 1,179,776 + 1,290
    "mnist": 1_199_882,
    # 20,000 * 128, twice 4 * 64 * (128 + 64 + 1), 128 + 1
    "imdb": 2_658_945,
    # 4 * 64 * (1 + 64 + 1), 3 * 32 * (64 + 32 + 2), 32 + 1
    "stocks": 26_337,
    # generator 16 (100 * 128 + 128 * 64 + 64 * 32 + 32 * 3) and scale and shift of 128 + 64 + 32;
    # discriminator 16 (3 * 32 + 32 * 64 + 64 * 128 + 128) and those of 64 + 128
    "dcgan": 538_432,
    # 784 * 400 + 400, twice 400 * 20 + 20, 20 * 400 + 400, 400 * 784 + 784
    "vae": 652_824,
    # c(k, i, o) = k k i o + o: c(3, i, o) + c(3, o, o) for 3-16, 16-32, 32-64 and 64-128; upwards
    # c(2, 2 o, o) + c(3, 2 o, o) + c(3, o, o) for 64, 32 and 16; c(1, 16, 4)
    "unet": 482_084,
}


@pytest.fixture
def port(monkeypatch):
    """A port by its name, on small made-up data."""
    monkeypatch.syspath_prepend(PORTS)
    return lambda name: import_module(name).port(made_up=True)


def check(found, name):
    assert found.parameters == PARAMETERS[name]
    first = found.train(4)
    found.train(4)
    assert found.train(4) < first
    assert len(next(found.batches)) == (1 if name in ("dcgan", "vae") else 2)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_port_trains(port, name):
    check(port(f"{name}_tinydl"), name)


@pytest.mark.oracle
@pytest.mark.parametrize("name", PARAMETERS)
def test_pytorch_trains_the_same_network(port, name):
    oracle_module("torch")
    check(port(f"{name}_torch"), name)


def test_every_script_is_compared(port):
    compare = import_module("compare")
    there = {p.stem for p in PORTS.glob("*_*.py")}
    assert there == {f"{n}_{lib}" for n in compare.PORTS for lib in compare.LIBRARIES}
    assert set(compare.PORTS) == set(PARAMETERS)


def test_ratios_are_those_of_the_rounds(port):
    compare = import_module("compare")
    found = {
        "tinydl": [{"seconds": 1.0, "loader": 0.5}, {"seconds": 2.0, "loader": 0.0}],
        "torch": [{"seconds": 3.0, "loader": 1.0}, {"seconds": 1.0, "loader": 0.5}],
    }
    assert compare.ratios(found) == ([3.0, 0.5], [4.0, 0.25])
    text = compare.summary({"a": found, "b": found | {"torch": found["tinydl"]}})
    assert text == (
        "Geometric mean of the ratios: 1.32 (smallest 1.00); without the loaders 1.46 "
        "(smallest 1.00)."
    )


@pytest.mark.oracle
def test_the_runner_writes_its_page(tmp_path):
    torch = oracle_module("torch")
    options = ["--made-up", "--batches", "2", "--rounds", "2", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, PORTS / "compare.py", "stocks", "vae", *options, "--out", tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    page = (tmp_path / "ports.md").read_text()
    assert f"torch {torch.__version__}" in page and "2 rounds in turns of 2 batches" in page
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert [row[1] for row in rows] == ["parameters", "26,337", "652,824"]
    assert all(float(value) > 0 for row in rows[1:] for value in row[2:5])
    assert done.stdout.splitlines()[-1] == page.splitlines()[-1]


def test_an_unknown_port_is_refused():
    done = subprocess.run(
        [sys.executable, PORTS / "compare.py", "lenet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "no port 'lenet'; there are mnist, imdb" in done.stderr


def test_vectors_of_words_are_judged_by_two_lists(tmp_path):
    """A parallelogram answers its analogy; what is not known is not asked."""
    words = script(PORTS / "words.py")
    (tmp_path / "wordsim353.tsv").write_text("# head\nMan\tking\t5\nman\twoman\t9\nking\tox\t1\n")
    (tmp_path / "questions-words.txt").write_text(
        ": family\nMan Woman King Queen\nman woman ox cow\nking man queen woman\n"
    )
    vectors = np.array([[1.0, 0, 0.1], [1, 0.5, 0.1], [0.2, 0, 1], [0.2, 0.5, 1], [-1, 0, 0]])
    names = ["man", "woman", "king", "queen", "far"]
    found = words.judged(vectors, names, tmp_path)
    rest = {"pairs": 2, "analogies": 1.0, "asked": 2}
    assert found == {"spearman": pytest.approx(1.0), **rest}
    vectors[3] *= -1
    assert words.judged(vectors, names, tmp_path)["analogies"] == 0.5
    a, b = [1.0, 2, 2, 7], [3.0, 1, 4, 9]  # ranks 1, 2.5, 2.5, 4 and 2, 1, 3, 4
    assert words.rank_correlation(a, b) == pytest.approx(3 / 22.5**0.5)
