"""The threads of the kernels: jobs from several threads at once, in children, on one core."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from tinydl.backend.cpu import _runtime
from tinydl.backend.cpu.conv import Conv
from tinydl.backend.cpu.matmul import Matmul
from tinydl.geometry import conv2d_geometry

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "csrc" / "shared"


@pytest.fixture
def three_threads():
    before = _runtime.threads()
    _runtime.set_threads(3)
    yield
    _runtime.set_threads(before)


def built(compiler, flags, folder):
    """The stress program, or None where the compiler, its libraries or pthreads are missing."""
    if os.name != "posix" or not shutil.which(compiler):
        return None
    program = folder / "stress"
    sources = [str(SHARED / "team.c"), str(ROOT / "tests" / "kernels" / "team_stress.c")]
    command = [compiler, "-O1", "-g", *flags, f"-I{SHARED}", *sources, "-pthread"]
    made = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True)
    return program if made.returncode == 0 else None


@pytest.mark.parametrize("sleep", [[], ["-DTEAM_CONDITIONS"]], ids=["as-here", "conditions"])
@pytest.mark.parametrize(
    "flags", [["-O2"], ["-fsanitize=thread"]], ids=["fast", "thread-sanitizer"]
)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_part_runs_once_and_before_the_end_of_its_job(compiler, flags, sleep, tmp_path):
    """Also as on systems without futexes, where sleepers wait for a condition."""
    program = built(compiler, flags + sleep, tmp_path)
    if program is None:
        pytest.skip(f"{compiler} {flags[0]} does not build here")
    env = {**os.environ, "TSAN_OPTIONS": "die_after_fork=0 exitcode=66"}
    done = subprocess.run([program], env=env, capture_output=True, text=True, timeout=120)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("ThreadSanitizer does not run on this kernel's address layout")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong 0" in done.stdout


def test_python_threads_compute_at_once(three_threads):
    """One of them has the team, the others work alone; every result is the same to the bit."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((130, 140)).astype("f4")
    x = rng.standard_normal((4, 12, 12, 16)).astype("f4")
    weight = rng.standard_normal((3, 3, 16, 16)).astype("f4")
    g = conv2d_geometry(x.shape, weight.shape, padding="same")

    def results():
        return Matmul().matmul(a, a.T), Conv().conv2d(x, weight, None, g)

    expected = results()
    differing = []

    def work():
        for _ in range(100):
            pairs = zip(results(), expected, strict=True)
            differing.extend(1 for found, right in pairs if not np.array_equal(found, right))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not differing


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_more_threads_than_cores_end(three_threads):
    """With one core for all, the caller runs the parts that no worker has begun."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        a = np.ones((300, 300), "f4")
        for _ in range(50):
            assert Matmul().matmul(a, a)[7, 9] == 300
    finally:
        os.sched_setaffinity(0, cores)
