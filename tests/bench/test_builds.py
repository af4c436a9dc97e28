"""`tinydl bench --against PYTHON`: another environment's tinydl in the same rounds, and errors for
what is none. No speed is asserted."""

import ast
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

import tinydl
from tinydl.bench import CASES, run_benchmarks
from tinydl.bench.builds import MARK, Build, build_peers, is_build
from tinydl.bench.cases import Case
from tinydl.bench.harness import OURS, _row, peer_specs
from tinydl.bench.results import write_results
from tinydl.bench.told import build_means, means_text
from tinydl.command.main import main
from tinydl.errors import ConfigError

HERE = str(Path(tinydl.__file__).resolve().parents[1])
SMALL = [case for case in CASES if case.name == "gemm 64x64x64"]
NAMES = ("old", "self")


def interpreter(folder, path=HERE, name="old", text=None):
    """An environment's bin/python whose packages lie in `path`."""
    file = folder / name / "bin" / "python"
    file.parent.mkdir(parents=True)
    text = text or f'PYTHONPATH="{path}" exec "{sys.executable}" "$@"'
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def older(folder):
    """A tinydl without anything of its own under tinydl/bench."""
    package = folder / "site" / "tinydl"
    package.mkdir(parents=True)
    for item in Path(tinydl.__file__).parent.iterdir():
        if item.name not in ("bench", "__pycache__"):
            (package / item.name).symlink_to(item)
    return str(package.parent)


def test_a_build_is_measured_in_the_same_rounds(tmp_path, monkeypatch):
    """The other one has no benchmark itself: the worker is sent."""
    python = interpreter(tmp_path, older(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [HERE])))
    lines = []
    (row,) = run_benchmarks(SMALL, build_peers([python]), rounds=2, target=1e-4, tell=lines.append)
    assert not row["problems"] and set(row["peers"]) == {MARK + name for name in NAMES}
    for peer in row["peers"].values():
        assert peer["ratio"] > 0 and peer["seconds"] > 0 and peer["error"] <= 1e-3
    assert row["versions"]["tinydl@old"].endswith(str(Path("site") / "tinydl" / "__init__.py"))
    assert str(tmp_path) in row["versions"]["tinydl@old"]
    assert str(tmp_path) not in row["versions"]["tinydl@self"]
    assert row["best_peer"] is None and row["ratio"] is None  # the same library is no best other
    text = means_text([row])
    assert "tinydl@old" in text and "tinydl@self" in text and "scatter" in text
    paths = write_results([row], tmp_path / "out")
    assert "tinydl@old ms" in paths[1].read_text()


def test_the_command_with_a_library_and_itself(tmp_path, capsys):
    out = tmp_path / "rows.json"
    arguments = ("--quick", "--rounds", "1", "--json", str(out), "--against", "numpy,self")
    assert main(["bench", "adam", *arguments]) == 0
    (row,) = json.loads(out.read_text())
    assert set(row["peers"]) == {"numpy", "tinydl@self"} and row["best_peer"] == "numpy"
    assert "tinydl@self" in capsys.readouterr().out


def test_names():
    assert [is_build(n) for n in ("numpy", "self", "x=python3", "/a/bin/python")] == [0, 1, 1, 1]
    assert not build_peers([]) and list(build_peers(["self"])) == ["tinydl@self"]
    both = peer_specs(["numpy", f"before={sys.executable}"])
    assert list(both) == ["numpy", "tinydl@before", "tinydl@self"]
    assert both["tinydl@before"] == Build(os.path.abspath(sys.executable))


FAILING = {
    "ends at once": ("exit 3", "it is no Python, or ended"),
    "says something else": ("echo hello; sleep 60", "it answered 'hello'"),
    "says JSON": ("echo '[1]'; sleep 60", "it answered"),
    "never stops": ("yes y", "it answered 'y'"),
    "no tinydl": (
        f'PYTHONPATH= exec "{sys.executable}" -S "$@"',
        "ModuleNotFoundError: No module named 'tinydl'",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_is_no_build_is_one_sentence(name, tmp_path, capsys):
    text, why = FAILING[name]
    python = interpreter(tmp_path, text=text)
    assert main(["bench", "gemm", "--quick", "--against", python]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"tinydl: error: bench: {python} has no tinydl that can be measured (")
    assert why in error


def test_another_projects_tinydl(tmp_path, capsys):
    (tmp_path / "tinydl").mkdir()
    (tmp_path / "tinydl" / "__init__.py").write_text("__version__ = '0.3.1'\n")
    assert main(["bench", "gemm", "--against", interpreter(tmp_path, str(tmp_path))]) == 2
    assert "has no tinydl that can be measured (ModuleNotFoundError" in capsys.readouterr().err


def test_paths_that_are_no_interpreters(tmp_path):
    for path, why in (
        (str(tmp_path / "python"), "there is no interpreter"),
        (str(tmp_path), "is a folder; name its interpreter"),
        ("x=", "there is no interpreter"),
    ):
        with pytest.raises(ConfigError, match=why):
            build_peers([path])
    one = interpreter(tmp_path)
    for names in ([one, one], [f"self={one}"]):
        with pytest.raises(ConfigError, match=r"two builds are called .*name one, as in new="):
            build_peers(names)


def test_means_of_builds():
    timed = {OURS: [2.0], "tinydl@old": [4.0], "tinydl@self": [2.0], "numpy": [3.0]}
    row = _row(Case("a", "gemm", "b"), 1, 1, dict.fromkeys(timed, 0.0), {}, timed)
    assert (row["best_peer"], row["ratio"]) == ("numpy", 1.5)
    means = build_means([row, row])
    assert means["tinydl@old", "gemm", 1] == (pytest.approx(2.0), 2.0, 2)
    assert means["tinydl@self", "gemm", 1] == (pytest.approx(1.0), 1.0, 2)


#: What is sent to other builds, and what even the first tinydl had.
SENT = ("worker", "cases", "games", "inputs", "networks", "rules", "peer_tinydl")
OLD = {"geometry", "nn", "ops", "optim", "_version", "function", "tensor"}


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_imports_only_what_every_build_has(name):
    """A module that moved would make every older build one "that cannot be measured"."""
    source = Path(importlib.util.find_spec(f"tinydl.bench.{name}").origin).read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            of = {node.module.partition(".")[0]} if node.module else {a.name for a in node.names}
            assert of <= OLD, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            assert node.module in SENT, ast.unparse(node)
