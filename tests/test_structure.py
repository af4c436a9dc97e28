"""The shape of the code: layers import downwards, a stem names one thing in every room."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinydl
from tinydl.backend.reference import STEMS

PACKAGE = Path(tinydl.__file__).resolve().parent
REPOSITORY = PACKAGE.parent
IN_REPOSITORY = (REPOSITORY / "pyproject.toml").exists()
SOURCES = sorted(PACKAGE.rglob("*.py"))

# DESIGN: one idea per layer. The longest matching prefix counts.
LAYERS = {
    "tinydl._version": 0,
    "tinydl.errors": 0,
    "tinydl.geometry": 0,
    "tinydl.backend": 1,
    "tinydl.kernels_cl": 1,  # where wheels keep the OpenCL sources
    "tinydl.random": 1,  # the host's generator draws with the reference kernels
    "tinydl.instruments": 1,
    "tinydl.function": 2,
    "tinydl._function": 2,  # its compiled twin
    "tinydl.engine": 2,
    "tinydl.recompute": 2,
    "tinydl.ops": 3,
    "tinydl.tensor": 4,
    "tinydl.creation": 4,
    "tinydl.testing": 4,
    "tinydl.nn": 5,
    "tinydl.optim": 6,
    "tinydl.data": 6,
    "tinydl.metrics": 7,
    "tinydl.train": 7,
    "tinydl.models": 8,
    "tinydl.recipes": 9,
    "tinydl.interop": 9,
    "tinydl.viz": 9,
    "tinydl.machine": 9,
    "tinydl.profiler": 9,
    "tinydl.bench": 9,
    "tinydl.cli": 10,
    "tinydl.cli_detect": 10,
    "tinydl.cli_look": 10,
    "tinydl.__main__": 11,
    "tinydl": 11,
}


def module_name(path):
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path):
    """Absolute names of what a file imports from tinydl, wherever the statement stands."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from [(a.name, node.lineno) for a in node.names if a.name.startswith("tinydl")]
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            if base[0] == "tinydl":
                yield from [(".".join([*base, a.name]), node.lineno) for a in node.names]


def layer(name):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in LAYERS and (prefix != "tinydl" or name == "tinydl" or end == len(parts)):
            return LAYERS[prefix]
    return LAYERS["tinydl"]  # a name exported by the top level


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_downwards(path):
    own = layer(module_name(path))
    upwards = [
        f"line {line}: {name} (layer {layer(name)})"
        for name, line in imported_modules(path)
        if layer(name) > own
    ]
    assert not upwards, f"{module_name(path)} (layer {own}) imports {upwards}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_habits(path):
    tree = ast.parse(path.read_text())
    lines = path.read_text().splitlines()
    asserts = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert not asserts, f"assert in lines {asserts}: raise an error of tinydl/errors.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert all(a.name != "*" for a in node.names), f"line {node.lineno}: import *"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            assert off, f"line {node.value.lineno}: pickles run code; allow_pickle must be False"
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
            assert not {"pickle", "dill", "cloudpickle"} & set(names), (
                f"line {node.lineno}: {names}"
            )
    assert len(lines) <= 520, f"{len(lines)} lines; split the file"


def test_every_source_has_a_layer():
    unknown = [
        module_name(p)
        for p in SOURCES
        if layer(module_name(p)) == LAYERS["tinydl"] and module_name(p) not in LAYERS
    ]
    assert not unknown, f"add to LAYERS: {unknown}"


# -- stems -----------------------------------------------------------------------------------------


def stems_in(*folder, suffix=".py", skip=()):
    here = REPOSITORY.joinpath(*folder)
    found = {p.name.removesuffix(suffix) for p in here.glob(f"*{suffix}")}
    return {s for s in found if not s.startswith("__")} - set(skip)


def test_reference_stems():
    assert stems_in("tinydl", "backend", "reference", skip=("arrays",)) == set(STEMS)


#: Files of operations that need no kernels of their own room.
COMPOSED = {
    "activations",
    "arrange",
    "attention",
    "broadcast",
    "compare",
    "conv_forms",
    "einsum",
    "getitem",
    "order",
    "packed",
    "resize",
    "special",
}


def test_ops_stems():
    """Optimisers' kernels have no operation: they write in place."""
    assert stems_in("tinydl", "ops") == (set(STEMS) - {"optim"}) | COMPOSED


def test_operations_import_without_circles():
    """Every import stands at the top of its file: the files have an order to be read in."""
    for path in SOURCES:
        if path.parent.name == "ops":
            inner = [
                n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)
            ]
            late = [n.name for n in inner for i in ast.walk(n) if isinstance(i, ast.ImportFrom)]
            assert not late, f"{path.name}: import inside {late}"


def test_cpu_stems():
    helpers = ("arrays", "uses_numpy", "room", "views")
    assert stems_in("tinydl", "backend", "cpu", skip=helpers) <= set(STEMS)


def test_opencl_stems():
    helpers = ("arrays", "array", "device", "runtime", "program", "programs", "build", "table")
    assert stems_in("tinydl", "backend", "opencl", skip=helpers) <= set(STEMS)


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no sources of kernels")
def test_cython_rooms():
    rooms = {s.removeprefix("_") for s in stems_in("csrc", suffix=".pyx")}
    assert rooms - {"runtime", "function"} <= set(STEMS)
    stubs = {s.removeprefix("_") for s in stems_in("tinydl", "backend", suffix=".pyi")}
    assert rooms - {"function"} == stubs, "every .pyx has its .pyi in tinydl/backend"
    assert stems_in("tinydl", suffix=".pyi") == {"_function"}


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no sources of kernels")
def test_kernel_sources_are_named_after_stems():
    """conv.c, conv_direct.c and conv_weight.c belong to the stem conv."""
    files = stems_in("csrc", suffix=".c") | stems_in("kernels_cl", suffix=".cl")
    helpers = {"common", "strided", "philox", "prelude", "runtime", "team"}
    strangers = {f for f in files - helpers if not any(f.split("_")[0] == s for s in STEMS)}
    assert not strangers


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no tests")
def test_every_op_stem_has_tests():
    tests = {p.stem.removeprefix("test_") for p in (REPOSITORY / "tests/ops").glob("test_*.py")}
    assert stems_in("tinydl", "ops") <= tests


def test_test_files_have_unique_names():
    """pytest imports them by name: two of one name stop the whole run."""
    names = sorted(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert names == sorted(set(names))


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no sources of kernels")
def test_numpy_headers_stand_in_one_place():
    """Rooms take what they need of NumPy's C interface from room.pxd; the C kernels know none."""
    wanted = re.compile(r"cimport numpy|numpy/\w+\.h")
    found = {p.name for p in REPOSITORY.glob("csrc/*") if wanted.search(p.read_text())}
    assert found == {"room.pxd"}


# -- importing -------------------------------------------------------------------------------------

HEAVY = (
    *("pyopencl", "matplotlib", "sklearn", "scipy", "PIL", "hypothesis", "torch", "tqdm"),
    *("onnx", "h5py", "tensorboard", "pandas", "autograd"),
)


@pytest.mark.parametrize("module", ["tinydl", "tinydl.testing"])
def test_importing_is_light(module):
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == []
