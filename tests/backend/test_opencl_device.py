"""Finding OpenCL devices: order, overrides, what is said without one, and the fork guard."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinydl.backend.opencl import device as devices
from tinydl.backend.opencl import runtime as runtimes
from tinydl.errors import DeviceError

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.opencl


def run_child(code, timeout=120, **environment):
    """Run `code` in a fresh interpreter with extra environment variables; returns its output."""
    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONSAFEPATH": "1", **environment},  # the installed package
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


@pytest.fixture(scope="module")
def found():
    from support import load_backend

    load_backend("opencl")  # skips without a device
    return devices.find_devices()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OpenCL 3.0 PoCL 3.1+debian  Linux, RELOC, LLVM 15.0.6", (3, 1, 0)),
        ("OpenCL 3.0 PoCL 3.0-rc2  Linux, Release, LLVM 14.0.6", (3, 0, -1)),
        ("OpenCL 3.0 PoCL 3.0  Linux, Release, LLVM 14.0.6", (3, 0, 0)),
        ("OpenCL 3.0 CUDA 12.4.131", (12, 4, 0)),
        ("OpenCL 2.1 LINUX", (2, 1, 0)),
        ("unknown", (0, 0, 0)),
    ],
)
def test_driver_version(text, version):
    assert devices.driver_version(text) == version


def test_gpus_first_then_newest_driver(found):
    ranks = [(devices.KINDS.index(d.kind), [-n for n in d.version]) for d in found]
    assert ranks == sorted(ranks)


def test_selectors(found, monkeypatch):
    monkeypatch.delenv("TINYDL_CL_DEVICE", raising=False)
    assert devices.choose() == found[0]
    for i, device in enumerate(found):
        assert devices.choose(str(i)) == device
        assert devices.choose(device.name) in found
        monkeypatch.setenv("TINYDL_CL_DEVICE", str(i))
        assert devices.choose() == device
    pocl = [d for d in found if "pocl" in d.driver.lower()]
    for i, device in enumerate(pocl):
        assert devices.choose(f"PoCL:{i}") == device


@pytest.mark.parametrize("selector", ["99", "no such maker", "pocl:99"])
def test_a_wrong_selector_lists_what_there_is(found, selector):
    with pytest.raises(DeviceError, match="no device matches") as error:
        devices.choose(selector)
    assert found[0].name in str(error.value) and selector in str(error.value)


def test_backend_names_select_a_device(found):
    from tinydl.backend import get

    last = len(found) - 1
    backend = get(f"opencl:{last}")
    assert backend.name == f"opencl:{last}"
    assert backend.runtime.device == found[last]
    assert backend.runtime is runtimes.runtime_for(str(last))  # one runtime per device


def test_description(found):
    rows = devices.describe_devices()
    assert [row["name"] for row in rows] == [d.name for d in found]
    assert all(row["memory_bytes"] > 0 and row["kind"] in devices.KINDS for row in rows)


def test_importing_the_backend_touches_no_opencl():
    code = "import sys, tinydl.backend.opencl; print('pyopencl' in sys.modules)"
    assert run_child(code).strip() == "False"


ASK_FOR_A_BACKEND = """
from tinydl.backend import get
from tinydl.backend.opencl import describe_devices
from tinydl.errors import DeviceError
try:
    get("opencl")
except DeviceError as error:
    print(error, describe_devices())
"""


# pip's loader also looks beside pyopencl, where pip's PoCL is: an empty folder hides it not.
NO_PLATFORM = """
import pyopencl
def get_platforms():
    raise pyopencl.LogicError("clGetPlatformIDs failed: PLATFORM_NOT_FOUND_KHR")
pyopencl.get_platforms = get_platforms
"""


def test_without_a_driver_one_sentence_says_how_to_get_one(tmp_path):
    pytest.importorskip("pyopencl")
    said = run_child(NO_PLATFORM + ASK_FOR_A_BACKEND, OCL_ICD_VENDORS=str(tmp_path))
    assert "no device was found" in said and str(tmp_path) in said
    assert 'pip install ".[pocl]"' in said and "apt-get install pocl-opencl-icd" in said
    assert said.strip().endswith("[]")


def test_without_pyopencl_one_sentence_says_how_to_get_it():
    said = run_child("import sys; sys.modules['pyopencl'] = None\n" + ASK_FOR_A_BACKEND)
    assert "pyopencl is not installed" in said and 'pip install ".[opencl]"' in said


FORK = """
import os, signal
import numpy as np
from tinydl.backend import get
from tinydl.errors import DeviceError
backend = get("opencl")
x = backend.asarray(np.ones(4, np.float32))
backend.synchronize()
child = os.fork()
if child == 0:
    signal.alarm(60)
    refused = 0
    for call in (lambda: backend.add(x, x), lambda: backend.to_numpy(x), backend.synchronize,
                 lambda: backend.asarray(np.ones(1)), lambda: type(backend)("opencl")):
        try:
            call()
        except DeviceError as error:
            refused += "fork" in str(error)
    os._exit(refused)
print("refused", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print("parent", backend.to_numpy(backend.add(x, x)))
"""


def test_a_forked_child_is_refused_and_does_not_hang(found):
    said = run_child(FORK)
    assert "refused 5" in said
    assert "parent [2. 2. 2. 2.]" in said


def test_waiting_mode_and_forced_kind(found):
    code = """
import numpy as np
from tinydl.backend import get
b = get("opencl")
x = b.asarray(np.ones((3, 5), np.float32))
print(b.runtime.synchronous, b.runtime.kind, b.to_numpy(b.matmul(x, b.transpose(x, (1, 0)))).sum())
"""
    said = run_child(code, TINYDL_SYNC="1", TINYDL_CL_KIND="gpu")
    assert said.strip() == "True gpu 45.0"
