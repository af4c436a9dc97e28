"""What the table of kernels and the trace say is what runs: types and files, by running each."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from cases.kernels import ROWS as KERNEL_ROWS

import tinydl
from tinydl import Tensor, grad, instruments, no_grad
from tinydl.backend.listing import C_FILES, STEM_OF, TYPES, types, types_in_c
from tinydl.backend.reference import STEMS
from tinydl.testing import Draw
from tinydl.testing.cases import ROWS

ROOT = Path(tinydl.__file__).resolve().parents[1]
IN_REPOSITORY = (ROOT / "csrc").is_dir()
EXAMPLES = 3

#: What a C function is called where it is not called as the kernel.
IN_C = {
    **dict.fromkeys(("sum", "max", "min"), "reduce"),
    **dict.fromkeys(("argmax", "argmin"), "arg_reduce"),
    **dict.fromkeys(("pad", "concat"), "copy"),
    **{f"{cell}_forward": f"{cell}_run" for cell in ("rnn", "lstm", "gru")},
    **{f"{cell}_backward": f"{cell}_back" for cell in ("rnn", "lstm", "gru")},
    "norms": "square_sums",
}
DEPTHWISE = {
    "conv2d": "depthwise",
    "conv2d_input_grad": "depthwise_input_grad",
    "conv2d_weight_grad": "depthwise_weight_grad",
}


@pytest.fixture
def entered(monkeypatch):
    """Names of the reference's kernels as they are called, by whomever."""
    names = []

    def noted(name, function):
        @functools.wraps(function)
        def call(*args, **options):
            names.append(name)
            return function(*args, **options)

        return call

    for room in STEMS.values():
        for name, function in list(vars(room).items()):
            if not name.startswith("_"):
                monkeypatch.setattr(room, name, noted(name, function))
    return names


def is_empty(args):
    flat = [a for arg in args for a in (arg if isinstance(arg, list) else [arg])]
    return any(getattr(a, "size", 1) == 0 or 0 in getattr(a, "y_shape", ()) for a in flat)


def full_rows(case, dtype):
    """Drawn arguments that have elements; astype to `dtype`."""
    seed, found = 0, 0
    while found < EXAMPLES:
        args, seed = case.draw(Draw(seed), np.dtype(dtype)), seed + 1
        scalar = case.name == "pad" and args[0].ndim == 0
        if not is_empty(args) and not scalar and (case.name != "astype" or args[1] == dtype):
            found += 1
            yield args


def test_the_types_are_those_of_the_rows():
    assert {case.name: case.dtypes for case in KERNEL_ROWS} == {n: types(n) for n in STEM_OF}
    assert set(TYPES) | set(C_FILES) <= set(STEM_OF)


@pytest.mark.parametrize("case", KERNEL_ROWS, ids=lambda case: case.name)
def test_the_types_in_c_are_those_that_the_reference_does_not_compute(case, entered):
    cpu = tinydl.backend.get("cpu")
    in_c = []
    for dtype in case.dtypes:
        taken = set()
        for args in full_rows(case, dtype):
            entered.clear()
            getattr(cpu, case.name)(*args)
            taken.add(case.name not in entered)
        assert len(taken) == 1, f"{case.name} {dtype}: sometimes in C"
        in_c += [dtype] * taken.pop()
    assert tuple(in_c) == types_in_c(case.name, cpu.uses_numpy)


# -- the files that the trace names ----------------------------------------------------------------


def defined_in(path):
    """What a file of kernels holds: functions of C, rows of a table, methods."""
    text = (ROOT / path).read_text()
    found = set(re.findall(r"NAME\((\w+)\)\(", text)) | set(re.findall(r"def (\w+)\(", text))
    found |= set(re.findall(r"^[A-Z_]+\((\w+),", text, re.MULTILINE))
    return (
        found | ({"astype"} if "CAST(" in text else set()) | set(re.findall(r"(\w+)_row\(", text))
    )


def check_file(kernel, path, entered, programs):
    assert (ROOT / path).is_file(), f"{kernel}: {path} is no file"
    if path.startswith("csrc/"):
        names = {kernel, IN_C.get(kernel), DEPTHWISE.get(kernel)}
        names |= {"matmul"} if path == "csrc/matmul.c" else set()
        assert names & defined_in(path), f"{path} does not hold {kernel}"
        assert kernel not in entered, f"{kernel} was the reference's, not that of {path}"
    elif path.startswith("kernels_cl/"):
        assert Path(path).stem in programs, f"{kernel}: {path} was not asked, but {programs}"
    elif "reference" in path:
        assert kernel in defined_in(path) and kernel in entered, f"{kernel}: not that of {path}"
    else:
        assert kernel in defined_in(path)  # a view, or a copy


@pytest.fixture
def programs(backend, monkeypatch):
    """Programs of OpenCL as kernels of them are asked for."""
    names = []
    if backend.name.startswith("opencl"):
        ask = type(backend.runtime).kernel

        def asked(self, program, *rest):
            names.append(program)
            return ask(self, program, *rest)

        monkeypatch.setattr(type(backend.runtime), "kernel", asked)
    return names


def watched_row(case, backend, dtype, watcher):
    for seed in range(EXAMPLES):
        example = case.draw(Draw(seed))
        arrays = [x.astype(dtype) if x.dtype == np.float64 else x for x in example.inputs]
        if any(x.size == 0 for x in arrays):
            continue
        leaves = [Tensor(x, backend=backend, requires_grad=x.dtype.kind == "f") for x in arrays]
        with instruments.watching(instruments.trace_line), instruments.watching(watcher):
            y = case.function(*leaves, **example.options)
            wanted = [leaf for leaf in leaves if leaf.requires_grad]
            if y.requires_grad and y.size and wanted:
                grad(
                    y,
                    wanted,
                    tinydl.ones(y.shape, dtype=y.dtype, backend=backend),
                    allow_unused=True,
                )


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no sources of kernels")
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_the_trace_names_the_file_of_the_kernel_that_ran(case, backend, entered, programs, capsys):
    """Every operation of the row, forward and backward, in float32."""

    def check(function, inputs, array, seconds):
        arrays = [t.data for t in inputs]
        path = instruments._kernel_file(function, arrays, array)
        asked = [n.removesuffix("_packed") for n in instruments._asked]
        kernels = [n for n in asked if STEM_OF.get(n, "shape") != "shape"] or asked
        kernels = [n for n in kernels if n in STEM_OF]
        copies = kernels[:1] in (["sum"], ["max"], ["min"]) and arrays[0].size == array.size
        if all(a.size for a in [*arrays, array]) and kernels and not copies:
            check_file(kernels[0], path, entered, programs)
        entered.clear()
        programs.clear()

    watched_row(case, backend, np.float32, check)
    assert all(len(line.split()) > 4 for line in capsys.readouterr().err.splitlines())


INTEGERS = [c for c in ROWS if c.kernel is not None and "int32" in c.kernel.dtypes]


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no sources of kernels")
@pytest.mark.parametrize("case", INTEGERS, ids=lambda case: case.name)
def test_integers_on_the_processor_are_numpys(case, capsys):
    leaves = [Tensor(np.full((2, 3), 4, np.int32), backend="cpu") for _ in case.kernel.kinds]
    with instruments.watching(instruments.trace_line), no_grad():
        case.function(*leaves)
    files = {line.split()[2] for line in capsys.readouterr().err.splitlines()}
    assert files == {"tinydl/backend/reference/elementwise.py"}


@pytest.mark.parametrize(
    ("groups", "size", "file"),
    [(1, 3, "conv.c"), (1, 1, "matmul.c"), (1, 5, "matmul.c"), (4, 3, "conv_depthwise.c")],
)
def test_convolutions_name_the_kernel_of_their_kind(groups, size, file, capsys):
    x, weight = tinydl.ones((1, 5, 5, 4)), tinydl.ones((size, size, 4 // groups, 4))
    with instruments.watching(instruments.trace_line):
        tinydl.conv2d(x, weight, groups=groups)
    assert capsys.readouterr().err.split()[2] == f"csrc/{file}"
