"""Building: what is missing is one sentence, and nothing is compiled twice."""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from building import ROOT, run, times

ASKED_FOR = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]


def refused(*options, **variables) -> str:
    """What `setup.py build_ext` in the checkout says when it refuses."""
    done = subprocess.run(
        [sys.executable, *options, "setup.py", "-q", "build_ext"],
        cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "ignore"} | variables, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode != 0 and "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_missing_compiler_is_one_sentence(tmp_path):
    said = refused(CC="no-such-compiler", TINYDL_BUILD=str(tmp_path))
    assert "C compiler 'no-such-compiler' was not found" in said
    assert "build-essential" in said and "TINYDL_PURE=1 pip install ." in said


@pytest.mark.parametrize(
    ("name", "version"), [("setuptools", "65.5.0"), ("Cython", "0.29.37"), ("numpy", "1.26.4")]
)
def test_a_builder_that_is_too_old_is_one_sentence(name, version, tmp_path):
    """A new environment brings a setuptools of its own, often an older one."""
    here = tmp_path / f"{name}-{version}.dist-info"
    here.mkdir()
    (here / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    said = refused(PYTHONPATH=str(tmp_path))
    (asked,) = [a for a in ASKED_FOR if a.startswith(name)]
    assert said.startswith(f"tinydl: building needs {name} {asked.partition('>=')[2]} or newer")
    assert version in said and f'"{asked}"' in said and len(said.splitlines()) == 1


def test_builders_that_are_missing_are_one_sentence():
    said = refused("-I", "-S")
    assert said.count("(here: none)") == len(ASKED_FOR) and len(said.splitlines()) == 1


def test_nothing_is_compiled_twice(editable):
    """An editable install and the first build_ext after it use the objects that are there; a
    changed source, and nothing else, is compiled again."""
    _, checkout = editable
    (objects,) = (checkout / "build").glob("objects-*")
    before = times(objects)
    assert len(before) > 6 * 13
    build = (sys.executable, "setup.py", "-q", "build_ext", "--inplace")
    run(*build, cwd=checkout)
    assert times(objects) == before


def test_what_changed_is_compiled_again(tmp_path, editable):
    """A copy of the text elsewhere is not a change, whatever its time; one more word is one."""
    _, checkout = editable
    (objects,) = (checkout / "build").glob("objects-*")
    shutil.copytree(objects, tmp_path / objects.name)
    before = times(tmp_path)
    source = checkout / "csrc" / "_random.pyx"
    text = source.read_bytes()
    try:
        source.write_bytes(text + b"\n# one more line\n")
        build = (sys.executable, "setup.py", "-q", "build_ext", "--inplace")
        run(*build, cwd=checkout, TINYDL_BUILD=str(tmp_path))
    finally:
        source.write_bytes(text)
    after = times(tmp_path)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {name.rpartition("/")[2] for name in changed} == {"_random.o"}


SHOW = "from tinydl.backend.cpu import _runtime as r; print(*r.available_levels())"


@pytest.mark.slow
def test_a_quick_build_holds_one_level_and_a_full_one_all(built_copy):
    """TINYDL_LEVELS=native, and back: what is linked changes, what is compiled already is kept."""
    tree = built_copy()
    build = (sys.executable, "setup.py", "-q", "build_ext", "--inplace")
    every, before = run(sys.executable, "-c", SHOW, cwd=tree).split(), times(tree / "build")
    run(*build, cwd=tree, TINYDL_LEVELS="native")
    assert run(sys.executable, "-c", SHOW, cwd=tree).split() == [every[-1]]
    run(sys.executable, "-c", "import tinydl as td; td.ones((2, 3)) @ td.ones((3, 2))", cwd=tree)
    if len(every) > 1:
        done = subprocess.run(
            [sys.executable, "-c", SHOW], cwd=tree, env=os.environ | {"TINYDL_CPU": "baseline"},
            capture_output=True, text=True,
        )  # fmt: skip
        said = done.stderr.splitlines()[-1]
        assert f"(TINYDL_LEVELS=native) holds only {every[-1]}, not 'baseline'" in said
        assert "`python setup.py build_ext --inplace` without that variable" in said
    run(*build, cwd=tree)
    assert run(sys.executable, "-c", SHOW, cwd=tree).split() == every
    after = times(tree / "build")
    assert {name: after[name] for name in before} == before


def test_an_unknown_choice_of_levels_is_one_sentence(tmp_path):
    said = refused(TINYDL_LEVELS="avx", TINYDL_BUILD=str(tmp_path))
    assert said == "error: tinydl: TINYDL_LEVELS is 'avx', expected 'native' or 'all'"
