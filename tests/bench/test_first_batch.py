"""benchmarks/first_batch.py measures two steps of a fresh process; no time is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "first_batch.py"


def run(*options):
    return subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False
    )


def test_a_small_batch():
    done = run("--rounds", "1", "--images", "64")
    title, heads, ours, *_ = done.stdout.splitlines()
    assert title.endswith("64 images after 32, first step and second")
    name, first, second, ratio, *rest = ours.split()
    assert name == "tinydl" and float(ratio) == pytest.approx(float(first) / float(second), rel=0.1)
    assert len(rest) == 7 and all(float(value) >= 0 for value in rest)
    assert len(heads) == len(ours) == 110
    assert int(rest[4]) > int(rest[5]), "the second step touches hardly any new page"


def test_a_size_below_one_is_refused():
    done = run("--images", "0")
    assert done.returncode == 2 and "--images are at least 1" in done.stderr
