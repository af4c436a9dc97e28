"""The shape of the code: layers import downwards, a stem names one thing wherever it stands."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinydl.backend.reference import STEMS

#: The sources beside these tests, also where the other tests run an installed package.
REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "tinydl"
SOURCES = sorted(PACKAGE.rglob("*.py"))

#: What stands above everything and in no row.
TOP = {"tinydl": 15, "tinydl.__main__": 15, "tinydl._start": 0, "tinydl._version": 0}
#: Parts of a row that are named by it: the compiled twin, and where wheels keep OpenCL sources.
BELOW = {"tinydl._function": "tinydl.engine", "tinydl.kernels_cl": "tinydl.backend"}


def layers_of_the_readme():
    """{module: layer} of README's table of layers, which is the rule."""
    rows = re.findall(
        r"^\| (\d+) \| (.+?) \|", (REPOSITORY / "README.md").read_text(), re.MULTILINE
    )
    found = {}
    for number, cell in rows:
        names = re.findall(r"`(\w+)(?:\.py|/)`", cell.partition("(")[0])
        found |= {f"tinydl.{name}": int(number) for name in names}
    found |= {name: found[row] for name, row in BELOW.items()}
    return found | TOP


LAYERS = layers_of_the_readme()  # the longest prefix of a name that is in it counts


def test_the_readme_names_what_there_is():
    """A room without a row, and a row without a room."""
    there = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists()}
    there |= {p.stem for p in PACKAGE.glob("*.py") if p.stem != "__init__"}
    named = {name.removeprefix("tinydl.") for name in LAYERS} - {
        "tinydl",
        "_function",
        "kernels_cl",
    }
    assert named == there


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
    asserts = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert not asserts, f"assert in lines {asserts}: raise an error of tinydl/errors.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            star = any(a.name == "*" for a in node.names)
            allowed = path == PACKAGE / "__init__.py" and node.module == "ops"  # td.NAME
            assert not star or allowed, f"line {node.lineno}: import *"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            assert off, f"line {node.value.lineno}: pickles run code; allow_pickle must be False"
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
            assert not {"pickle", "dill", "cloudpickle"} & set(names), (
                f"line {node.lineno}: {names}"
            )


def test_every_source_has_a_layer():
    unknown = [
        module_name(p)
        for p in SOURCES
        if layer(module_name(p)) == LAYERS["tinydl"] and module_name(p) not in LAYERS
    ]
    assert not unknown, f"add to LAYERS: {unknown}"


def test_every_layer_is_of_something():
    modules = {module_name(path) for path in SOURCES} | {"tinydl._function", "tinydl.kernels_cl"}
    stale = sorted(set(LAYERS) - modules)
    assert not stale, f"LAYERS names {stale}, which do not exist"


# -- sizes -----------------------------------------------------------------------------------------

#: At most so many lines in a file, and in a function without its docstring.
FILE_LINES, FUNCTION_LINES = 450, 40
#: What is longer, and why it stays together.
LONGER = {
    "tinydl/function.py": "the engine: what is read from top to bottom is one file",
    "tinydl/tensor.py": "one class; methods that are one line of ops stand in methods.py",
    "backpropagate": "the one backward walk, to be read at a stretch",
    "_transposed_geometry": "one case after the other, each with its error",
    "restore_saved": "what a checkpoint restores, in its order",
    "fit": "the training loop, which README calls an ordinary loop: to be read at a stretch",
}
LONGEST = {"tinydl/function.py": 500, "tinydl/tensor.py": 490}


def lengths(path):
    """(function, its lines without the docstring)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = first if ast.get_docstring(node) is not None else None
            told = doc.end_lineno - doc.lineno + 1 if doc else 0
            yield node.name, node.end_lineno - node.lineno + 1 - told


def kernel_sources():
    """Nothing in an installed package."""
    folders = [REPOSITORY / "csrc", REPOSITORY / "kernels_cl"]
    return [p for f in folders for p in sorted(f.rglob("*.*")) if p.suffix != ".pyc"]


def test_files_and_functions_are_short():
    """As CONTRIBUTING says."""
    too_long, met = [], set()
    for path in [*SOURCES, *kernel_sources()]:
        name = path.relative_to(REPOSITORY).as_posix()
        count = len(path.read_text().splitlines())
        if count > FILE_LINES:
            met.add(name)
            too_long += [f"{name}: {count} lines"] * (count > LONGEST.get(name, FILE_LINES))
        for function, lines in lengths(path) if path.suffix == ".py" else ():
            if lines > FUNCTION_LINES:
                met.add(function)
                too_long += [f"{name}, {function}: {lines} lines"] * (function not in LONGER)
    assert not too_long, f"split, or name it in LONGER with the reason: {too_long}"
    assert met == set(LONGER), f"no longer long: {set(LONGER) - met}"


def test_contributing_names_the_same_limits():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    assert f"have at most {FILE_LINES} lines, functions {FUNCTION_LINES}" in text


# -- stems -----------------------------------------------------------------------------------------


def stems_in(*folder, suffix=".py", skip=()):
    here = REPOSITORY.joinpath(*folder)
    found = {p.name.removesuffix(suffix) for p in here.glob(f"*{suffix}")}
    return {s for s in found if not s.startswith("__")} - set(skip)


def test_reference_stems():
    assert stems_in("tinydl", "backend", "reference", skip=("arrays",)) == set(STEMS)


#: Files of operations that need no kernels of their own.
COMPOSED = {
    "activations",
    "arrange",
    "broadcast",
    "compare",
    "conv_forms",
    "counting",
    "einsum",
    "getitem",
    "grid",
    "matrices",
    "order",
    "packed",
    "resize",
    "rotary",
    "scatter",
    "special",
    "trigonometry",
    "volumes",
}


def test_ops_stems():
    """Optimisers' kernels have no operation: they write in place."""
    assert stems_in("tinydl", "ops", skip=("operands",)) == (set(STEMS) - {"optim"}) | COMPOSED


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
    assert stems_in("tinydl", "backend", "cpu") - set(STEMS) == {"compiled"}


def test_opencl_stems():
    helpers = {"arrays", "array", "device", "runtime"}
    assert stems_in("tinydl", "backend", "opencl") - set(STEMS) == helpers


def test_cython_rooms():
    rooms = {s.removeprefix("_") for s in stems_in("csrc", suffix=".pyx")}
    assert rooms - {"runtime", "function", "program"} <= set(STEMS)
    stubs = {s.removeprefix("_") for s in stems_in("tinydl", "backend", "cpu", suffix=".pyi")}
    assert rooms - {"function"} == stubs, "every .pyx has its .pyi in tinydl/backend/cpu"
    assert stems_in("tinydl", suffix=".pyi") == {"_function"}


def test_kernel_sources_are_named_after_stems():
    """conv.c, conv_few.c and conv_weight.c belong to the stem conv."""
    files = stems_in("csrc", suffix=".c") | stems_in("kernels_cl", suffix=".cl")
    assert {f for f in files if f.split("_")[0] not in STEMS} == {"prelude", "runtime", "program"}


def test_every_op_stem_has_tests():
    tests = {p.stem.removeprefix("test_") for p in (REPOSITORY / "tests/ops").glob("test_*.py")}
    assert stems_in("tinydl", "ops", skip=("operands",)) <= tests


def test_test_files_have_unique_names():
    """pytest imports them by name: two of one name stop the whole run."""
    names = sorted(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert names == sorted(set(names))


def test_numpy_headers_stand_in_one_place():
    """Rooms take what they need of NumPy's C interface from room.pxd; the C kernels know none."""
    wanted = re.compile(r"cimport numpy|numpy/\w+\.h")
    found = {p.name for p in REPOSITORY.glob("csrc/**/*.*") if wanted.search(p.read_text())}
    assert found == {"room.pxd"}


# -- importing -------------------------------------------------------------------------------------

HEAVY = (
    *("pyopencl", "matplotlib", "sklearn", "scipy", "PIL", "hypothesis", "torch", "tqdm"),
    *("onnx", "h5py", "tensorboard", "pandas", "autograd", "rich", "shtab"),
)


@pytest.mark.parametrize("module", ["tinydl", "tinydl.testing"])
def test_importing_is_light(module):
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == []
