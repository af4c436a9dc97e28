"""The README's code blocks run as they stand, in one process each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases.archives import png

import tinydl

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readme_has_its_examples():
    assert len(BLOCKS) >= 3
    assert 'pip install ".[all]" && tinydl train' in README
    assert 'pip install ".[test]" && pytest -n 2 --dist loadfile' in README


def plant_flowers(root):
    """Class folders, as a reader of the README has them."""
    for k, name in enumerate(("daisy", "tulip")):
        (root / name).mkdir(parents=True)
        for j in range(10):
            pixels = np.full((6 + j, 9, 3), 20 * j + k, np.uint8)
            (root / name / f"{j}.png").write_bytes(png(pixels))


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_block_runs(number, tmp_path):
    script = tmp_path / "block.py"
    script.write_text(BLOCKS[number])
    if '"flowers"' in BLOCKS[number]:
        plant_flowers(tmp_path / "flowers")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_curvature_block_prints_what_it_says(tmp_path):
    (block,) = [b for b in BLOCKS if "curvature" in b]
    script = tmp_path / "block.py"
    script.write_text(block)
    out = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    numbers = [float(n) for n in re.findall(r"\d+\.\d*|\d+", out.replace("(3,)", ""))]
    assert numbers == [0.75, 3, 12, 3, 6, 12]


def test_the_recipe_of_ones_own_trains_as_the_readme_says(tmp_path):
    (block,) = [b for b in BLOCKS if "Recipe(" in b]
    (commands,) = [
        c for c in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "spirals.py" in c
    ]
    (tmp_path / "spirals.py").write_text(block)
    said = []
    for line in commands.splitlines():
        program, *arguments = line.split()
        assert program == "tinydl"
        done = subprocess.run(
            [sys.executable, "-m", "tinydl", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(tinydl.__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    lines = [line for text in said for line in text.splitlines()]
    beside = [line for line in lines if line.startswith("beside it nearest mean")]
    own = [line for line in lines if not line.startswith("beside it")]
    reached = [float(s) for line in own for s in re.findall(r"accuracy ([\d.]+) %", line)]
    assert len(beside) == 3
    assert len(reached) == 3 and min(reached) > 95 and reached[0] == reached[1]
    left = {p.name for p in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {"spirals-run", "spirals.py"}


def test_the_trace_command_prints_the_way_of_a_product(tmp_path):
    (command,) = re.findall(r"^TINYDL_TRACE=1 python -c \"(.*)\"$", README, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={**os.environ, "TINYDL_TRACE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "matmul" in done.stderr and "csrc/matmul.c" in done.stderr
    assert "(2, 3) (3, 4) -> (2, 4)" in done.stderr


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"`((?:tinydl|csrc|kernels_cl|tests|tutorials)/[\w/]+\.\w+)`", README))),
)
def test_every_file_named_in_the_readme_exists(path):
    assert (ROOT / path).is_file()
