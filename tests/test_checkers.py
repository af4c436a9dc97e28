"""What a type checker and an editor see: second names with their types, no name that is not, and no
error in the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SEEN = """
import tinydl as td
from tinydl import nn

x: td.Tensor = td.cat([td.zeros(2, 3), td.ones((2, 3))], axis=1)
y: td.Tensor = td.unsqueeze(td.clamp(x, min=0.0), 0)
z: list[td.Tensor] = [td.rand(2, 3), td.randn((2, 3), dtype="float64"), td.eye(3)]
z += [td.linspace(0, 1, 3), td.zeros_like(x), td.ones_like(x), td.tensor([1.0], backend="cpu")]
close: bool = td.allclose(x, y)
rng: td.Generator = td.manual_seed(0)
td.swapaxes(x, 0, 1), td.reshape(x, -1), td.squeeze(x)
x.view(-1), x.flatten(1), x.permute(1, 0), x.swapaxes(0, 1), x.unsqueeze(0), x.pow(2), x.clone()
x.clamp(min=0), x.numel(), x.transpose((1, 0)), x.repeat(repeats=2, axis=1)
nn.SiLU(), nn.Upsample(scale_factor=2), nn.Reshape(2, 5), nn.ZeroPad2d(1)
nn.Bidirectional(nn.LSTM(3, 4)), nn.BatchNorm(8, momentum=None)
"""
#: One line each: what the checker says about it.
REFUSED = {
    "td.nonsense": "has no attribute",
    "nn.Dense": "has no attribute",
    "x.dimm()": "has no attribute",
    "td.split(x, 2, 1)": 'expected "Never"',
    "x.repeat(2, 1)": 'expected "Never"',
    "x.transpose(0, 1)": 'expected "Never"',
    "td.normal((2, 3), 0.0, 1.0)": 'expected "Never"',
    "td.zeros((2, 3), 'float64')": "incompatible type",
    "td.tensor([1.0], 'cpu')": 'expected "Never"',
    "td.rand(2, 3, low=1.0)": "Unexpected keyword",
}


def test_the_package_has_no_error_and_names_are_seen_and_others_are_not(tmp_path):
    """One run of mypy, as its start is what takes the time (15 s)."""
    pytest.importorskip("mypy", reason="mypy is not installed (the extra dev)")
    lines = SEEN.splitlines()
    page = tmp_path / "page.py"
    page.write_text("\n".join([*lines, *REFUSED]) + "\n")
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    child = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", page,
         ROOT / "tinydl"],
        env={**others, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    said: dict[int, str] = {}
    for line in child.stdout.splitlines():
        where, colon, what = line.partition(": error: ")
        if colon:
            file, _, number = where.rpartition(":")
            assert file == "page.py", line
            number = int(number)
            said[number] = said.get(number, "") + what
    assert {n for n in said if n <= len(lines)} == set(), child.stdout
    for number, (text, words) in enumerate(REFUSED.items(), len(lines) + 1):
        assert words in said.get(number, ""), (text, child.stdout, child.stderr)
