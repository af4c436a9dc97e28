"""Fixtures and settings of the whole suite.

HYPOTHESIS_PROFILE=fast (default) | deep | debug; TINYDL_DATA names the folder of data sets;
TINYDL_REQUIRE_ORACLE=1 turns a missing oracle library from a skip into a failure.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings

# Two processes that build OpenCL programs at once can crash PoCL: each session, and each worker of
# one that runs in several (`pytest -n`), has its own cache, outside of the home folder, which may
# be read-only. Set before anything can load OpenCL.
_own_cache = None
if "POCL_CACHE_DIR" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    _own_cache = tempfile.mkdtemp(prefix="tinydl-pocl-")
    os.environ["POCL_CACHE_DIR"] = _own_cache

import guards  # noqa: E402
from support import load_backend  # noqa: E402

from tinydl import backend as backends  # noqa: E402
from tinydl import instruments  # noqa: E402
from tinydl.backend.reference import Backend  # noqa: E402
from tinydl.function import is_recording  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent
LEVELS = ("baseline", "avx2", "avx512")

# Timings of numeric code vary by orders of magnitude on a shared machine: no deadlines.
_common = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
# CI draws the same examples every time; everybody else, and the deep profile, new ones.
settings.register_profile(
    "fast", max_examples=15, derandomize=os.environ.get("CI") == "true", **_common
)
settings.register_profile("deep", max_examples=300, **_common)
settings.register_profile(
    "debug", max_examples=10, verbosity=Verbosity.verbose, phases=[Phase.generate], **_common
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_configure(config):
    asked_for = (config.option.markexpr or "").split()
    guards.install(children="network" not in asked_for or "not" in asked_for)


def pytest_collection_modifyitems(config, items):
    """What trains every recipe runs where it is asked for by its marker alone."""
    if "recipes" in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker("recipes")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("recipes")]


def pytest_unconfigure(config):
    if _own_cache is not None:
        shutil.rmtree(_own_cache, ignore_errors=True)


# -- backends --------------------------------------------------------------------------------------


@pytest.fixture(scope="session", params=["numpy", "cpu", "opencl"])
def backend(request) -> Backend:
    """Each backend in turn."""
    return load_backend(request.param)


TARGETS = ["numpy", *[f"cpu-{level}" for level in LEVELS], "opencl"]


@pytest.fixture(scope="module", params=TARGETS)
def target(request):
    """Each backend in turn, the compiled one at every level that this processor offers."""
    name, _, level = request.param.partition("-")
    made = load_backend(name)
    if not level:
        yield made
        return
    from tinydl.backend.cpu import _runtime

    if level not in _runtime.available_levels():
        pytest.skip(f"this processor offers only {', '.join(_runtime.available_levels())}")
    before = _runtime.level()
    _runtime.set_level(level)
    yield made
    _runtime.set_level(before)


@pytest.fixture
def on_numpy():
    """Tensors of the test live on the reference backend."""
    with backends.use_backend("numpy") as made:
        yield made


@pytest.fixture(autouse=True)
def no_leaks():
    """Every test leaves recording, default backend and instruments as it found them."""
    before = is_recording(), backends.default_backend(), instruments.active
    yield
    after = is_recording(), backends.default_backend(), instruments.active
    assert after == before, f"a test left (recording, backend, watched) {after}, found {before}"


@pytest.fixture(autouse=True)
def only_what_is_marked(request):
    """No test uses the network, or a library as an oracle, unless its markers say so."""
    guards.rules_of(frozenset(mark.name for mark in request.node.iter_markers()))
    yield
    refused = guards.rules_of(None)
    assert refused == []


# -- data ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of data sets: $TINYDL_DATA, or shared/data beside the repository."""
    named = os.environ.get("TINYDL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no data sets: {folder} is not a folder; set TINYDL_DATA")
    return folder
