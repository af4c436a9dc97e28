"""Levels and threads of the CPU kernels: chosen, forced, after a fork; what the objects hold."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close

from tinydl.backend.cpu import _runtime
from tinydl.backend.cpu.matmul import Matmul
from tinydl.errors import ConfigError

ROOT = Path(__file__).parents[2]


def in_new_process(code, **environment):
    env = {**os.environ, "PYTHONSAFEPATH": "1", **environment}  # the installed package
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


SHOW = "from tinydl.backend.cpu import _runtime as r; print(r.level(), r.threads())"


def test_levels_are_forced_by_environment_or_call():
    for name in _runtime.available_levels():
        assert in_new_process(SHOW, TINYDL_CPU=name).stdout.split()[0] == name
    before = _runtime.level()
    with pytest.raises(ConfigError, match="this processor offers"):
        _runtime.set_level("avx1024")
    assert _runtime.level() == before
    failed = in_new_process(SHOW, TINYDL_CPU="avx1024")
    assert "ConfigError: cpu level: this processor offers baseline" in failed.stderr


def test_no_module_takes_the_name_of_another():
    """A compiled module enters itself in sys.modules by its whole name; `_random` is Python's."""
    code = """
import sys
from tinydl.backend.cpu.compiled import MODULES
print({m.__name__ for m in MODULES} <= set(sys.modules), end=" ")
print([name for name in sys.modules if getattr(sys.modules[name], "__name__", name) != name
       and "tinydl" in repr(sys.modules[name])])
import random
random.random()
"""
    done = in_new_process(code, TINYDL_ENGINE="compiled")
    assert done.stdout.strip() == "True []", done.stderr


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="no /proc on this system")
def test_no_openmp_library_comes_with_the_kernels():
    """Its threads would take the cores from the team, or wait while the team works."""
    code = """
from tinydl.backend.cpu import _runtime, compiled
loaded = open("/proc/self/maps").read()
print([name for name in ("libgomp", "libomp", "libiomp") if name in loaded])
"""
    assert in_new_process(code).stdout.strip() == "[]"


def test_threads_come_from_the_environment_or_the_cores():
    assert in_new_process(SHOW, OMP_NUM_THREADS="3").stdout.split()[1] == "3"
    assert in_new_process(SHOW, OMP_NUM_THREADS="4,2").stdout.split()[1] == "4"
    with pytest.raises(ConfigError, match="integer >= 1"):
        _runtime.set_threads(0)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc on this system")
def test_freed_memory_is_kept_for_the_next_array_unless_told_otherwise():
    if not _runtime.keeps_memory():
        pytest.skip("not glibc, or TINYDL_MALLOC=system")
    code = """
import numpy as np, os
from tinydl.backend.cpu import _runtime
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
first = np.ones(1 << 24)  # 128 MiB
full = resident()
del first
print(_runtime.keeps_memory(), full - resident() > 1 << 26)
"""
    assert in_new_process(code).stdout.split() == ["True", "False"]
    assert in_new_process(code, TINYDL_MALLOC="system").stdout.split() == ["False", "True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_computes_with_one_thread_until_it_asks_for_more():
    """A team that forgot to fork would wait for threads which the child does not have."""
    code = """
import os, signal, sys, warnings
import numpy as np
from tinydl.backend.cpu import _runtime
from tinydl.backend.cpu.matmul import Matmul
_runtime.set_threads(2)
a = np.ones((300, 300), "f4")
Matmul().matmul(a, a)
pid = os.fork()
if pid == 0:
    signal.alarm(10)
    y = Matmul().matmul(a, a)
    threads = _runtime.threads()
    if sys.platform == "linux":
        _runtime.set_threads(2)
    z = Matmul().matmul(a, a)
    os._exit(10 * threads + int(y[0, 0] == 300) + int(z[0, 0] == 300))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = in_new_process(code)
    assert done.stdout.strip() == "12", done.stderr


def objects(level):
    found = sorted(ROOT.glob(f"build/objects*/{level}_float/*.o"))
    if not found or not shutil.which("objdump"):
        pytest.skip("needs objdump and the objects of a build in this tree")
    return found


@pytest.mark.parametrize("level", ["baseline", "avx2"])
def test_objects_hold_no_wider_instructions_than_their_level(level):
    """ymm, zmm and opmask registers in a baseline object would crash an older processor."""
    forbidden = {
        "baseline": r"%[yz]mm\d|%k\d|\bv[a-z]+ .*%xmm",
        "avx2": r"%zmm\d|%k\d|%[xy]mm(1[6-9]|2\d|3\d)",
    }
    for path in objects(level):
        text = subprocess.run(["objdump", "-d", path], capture_output=True, text=True).stdout
        assert not re.search(forbidden[level], text), path


def test_the_avx512_build_uses_wide_registers():
    text = "".join(
        subprocess.run(["objdump", "-d", path], capture_output=True, text=True).stdout
        for path in objects("avx512")
        if path.name == "matmul.o"
    )
    assert re.search(r"vfmadd\w+ .*%zmm", text)


def test_levels_agree():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 70)), rng.standard_normal((70, 50))
    before = _runtime.level()
    try:
        for name in _runtime.available_levels():
            _runtime.set_level(name)
            assert_close(Matmul().matmul(a, b), a @ b, 1e-13)
    finally:
        _runtime.set_level(before)
