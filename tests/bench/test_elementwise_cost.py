"""benchmarks/elementwise_cost.py runs every row it is asked for; no time is asserted."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "elementwise_cost.py"


def measured(*arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--rounds", "1", "--size", "20000", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split() for line in done.stdout.splitlines()[2:]]


def test_every_row_is_measured_beside_an_addition():
    table = (ROOT / "csrc" / "elementwise_rows.h").read_text()
    rows = re.findall(r"^(?!CAST)[A-Z_]+\((\w+), (\d+),", table, re.MULTILINE)
    lines = measured()
    assert sorted((name, cost) for name, cost, *_ in lines) == sorted(rows)
    assert lines[0] == ["add", "1", "1.00", "1.00"]
    assert all(float(value) > 0 for line in lines for value in line[2:])


def test_one_row_is_measured():
    assert [line[0] for line in measured("exp")] == ["add", "exp"]


def test_above_4_the_cost_decides_nothing():
    """Sharing begins at PARALLEL_MIN / cost elements, and one piece is one thread's."""
    text = (ROOT / "csrc" / "elementwise.c").read_text()
    sizes = dict(re.findall(r"#define (PIECE|PARALLEL_MIN) (\d+)", text))
    assert int(sizes["PARALLEL_MIN"]) == 4 * int(sizes["PIECE"])
