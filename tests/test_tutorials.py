"""Every tutorial runs as a program of its own, keeps its promises and writes its figures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import oracle_module

import tinydl

pytest.importorskip("matplotlib", reason='tutorials draw: pip install ".[plot]"')

REPOSITORY = Path(__file__).resolve().parents[1]
TUTORIALS = sorted((REPOSITORY / "tutorials").glob("[0-9][0-9]_*.py"))
SECONDS = 180  # generous: each takes a few seconds on an idle machine
CELL = re.compile(r"^# %%( \[markdown\])?$", re.MULTILINE)
PROMISED = re.compile(r'(?:drawing\.save\(\s*figure,\s*|FIGURES / )"([^"]+\.png)"')


ANSWERS = sorted((REPOSITORY / "tutorials" / "answers").glob("[0-9][0-9].py"))
#: Tutorials whose exercises are trainings to try, without an answer in the repository.
OPEN: set[str] = set()
#: Tutorials about files of a library, which the oracles have.
NEEDS = {"37": "onnx"}


def with_marks(paths):
    """The paths of pages, or of answers to them."""
    return [pytest.param(p, marks=pytest.mark.oracle) if p.name[:2] in NEEDS else p for p in paths]


def require(path):
    if path.name[:2] in NEEDS:
        oracle_module(NEEDS[path.name[:2]])


def test_the_list_is_complete():
    numbers = [int(path.name[:2]) for path in TUTORIALS]
    assert numbers == list(range(1, len(TUTORIALS) + 1))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_is_in_percent_format(path):
    """It opens with a title in a text cell, and every line of a text cell is a comment."""
    source = path.read_text(encoding="utf-8")
    cells = re.split(r"^# %%", source, flags=re.MULTILINE)[1:]
    assert cells and cells[0].startswith(" [markdown]\n# # ")
    for cell in cells:
        if cell.startswith(" [markdown]"):
            lines = cell.splitlines()[1:]
            assert all(line.startswith("#") or not line for line in lines), cell[:80]
    assert len(CELL.findall(source)) == len(cells)


def run(path, tmp_path, figures):
    """The finished process of a page, in fast mode: exit status 0 and no warning."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TINYDL_")}
    for kept in ("TINYDL_CPU", "TINYDL_CL_DEVICE"):
        if kept in os.environ:
            environment[kept] = os.environ[kept]
    environment |= {"TINYDL_FAST": "1", "TINYDL_FIGURES": str(figures), "PYTHONWARNINGS": "default"}
    package = str(Path(tinydl.__file__).parents[1])  # the tinydl that these tests import
    python_path = [package, environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in python_path if entry)
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{path.name}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    for warning in ("DeprecationWarning", "RuntimeWarning", "UserWarning"):
        assert warning not in done.stderr, done.stderr[-2000:]
    return done


@pytest.mark.parametrize("path", with_marks(TUTORIALS), ids=lambda path: path.stem)
def test_runs_and_draws(path, tmp_path):
    """Each asserts its own claims, and writes every figure that it promises."""
    require(path)
    figures = tmp_path / "figures"
    run(path, tmp_path, figures)
    promised = PROMISED.findall(path.read_text(encoding="utf-8"))
    assert promised, f"{path.name} draws nothing"
    for name in promised:
        assert (figures / name).stat().st_size > 2000, name
    assert sorted(p.name for p in figures.glob("*.png")) == sorted(promised)


@pytest.mark.parametrize("path", with_marks(ANSWERS), ids=lambda path: path.stem)
def test_answers_run(path, tmp_path):
    """Each asserts what it says."""
    require(path)
    run(path, tmp_path, tmp_path / "figures")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_each_exercise_has_its_answer(path):
    """The numbers below "Exercises" of a page are the headings of tutorials/answers/NN.py."""
    _, _, exercises = path.read_text(encoding="utf-8").partition("# ## Exercises\n")
    exercises, _, _ = exercises.partition("\n# ## ")
    tasks = re.findall(r"^# (\d+)\. ", exercises, re.MULTILINE)
    assert tasks == [str(k + 1) for k in range(len(tasks))]
    answers = REPOSITORY / "tutorials" / "answers" / f"{path.name[:2]}.py"
    if not answers.exists():
        assert not tasks or path.stem in OPEN
        return
    text = answers.read_text(encoding="utf-8")
    assert re.findall(r"^# ## (\d+)\. ", text, re.MULTILINE) == tasks
    assert f"tutorials/answers/{path.name[:2]}.py" in exercises
