"""Some thousands of damaged files for the readers, with a fixed seed, in a process of its own with
its own limits. The long form is a command (readers.py, CONTRIBUTING.md)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import loaders

import tinydl
from fuzz.mutations import MUTATIONS
from fuzz.readers import KINDS, intact

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures its memory in /proc")
def test_damaged_files_are_refused_or_read_as_they_were():
    pytest.importorskip("PIL", reason="needs the extra `data`")
    package = Path(tinydl.__file__).parents[1]
    child = subprocess.run(
        [sys.executable, "-m", "fuzz.readers", "--inputs", "2200", "--seed", "7"],
        env={**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{TESTS}", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert child.returncode == 0 and "FAULT" not in child.stdout, child.stdout + child.stderr
    last = child.stdout.splitlines()[-1]
    assert int(last.split()[0]) >= 2000 and "'refused'" in last and "'identical'" in last, last


def test_every_reader_takes_part():
    other = sorted(KINDS.keys() ^ loaders.READERS.keys())
    assert not other, f"KINDS of tests/fuzz/readers.py and READERS of cases/loaders.py: {other}"


@pytest.mark.parametrize("name", KINDS)
def test_the_checkers_call_the_undamaged_files_intact(name):
    """But for the kinds where no difference at all is allowed."""
    kind = KINDS[name]
    assert intact(kind, loaders.READERS[name].files[0]) == (kind not in ("zip", "png"))


def test_the_mutations_change_the_content():
    import random

    for name, mutate in MUTATIONS.items():
        content = loaders.READERS["read_imdb_tar"].files[0]
        changed = [mutate(content, random.Random(k)) != content for k in range(20)]
        assert sum(changed) >= 15, name
        for tiny in (b"x", b"ab", b"abc"):
            for k in range(20):
                assert isinstance(mutate(tiny, random.Random(k)), bytes)
