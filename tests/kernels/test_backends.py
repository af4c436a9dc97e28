"""Every kernel on every backend and level against the reference, on sizes around vector widths."""

import inspect
from math import sqrt

import numpy as np
import pytest
from cases.kernels import FLOATS, KERNELS, REFERENCE, ROOMS, ROWS
from cases.layouts import NAMES, REPEATED, host_values, is_contiguous, place, share_memory
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.backend.reference import STEMS
from tinydl.testing import CASES, Draw
from tinydl.testing.strategies import seeds

STEM = {case.name: stem for stem, rows in ROOMS.items() for case in rows}
#: `-k recurrent` takes the kernels of that stem.
PAIRS = [
    pytest.param(case, dtype, id=f"{STEM[case.name]}.{case.name}-{dtype}")
    for case in ROWS
    for dtype in case.dtypes
]


class Call:
    """Drawn arguments and the layout of each array among them; printed as shapes."""

    def __init__(self, args, layouts):
        self.args, self.layouts = args, layouts

    def __repr__(self):
        words = []
        for arg, layout in zip(self.args, self.layouts, strict=True):
            if isinstance(arg, np.ndarray):
                words.append(f"{NAMES[layout]} {arg.dtype} {arg.shape}")
            elif isinstance(arg, list):
                words.append(f"{NAMES[layout]} {[a.shape for a in arg]}")
            else:
                words.append(repr(arg))
        return f"Call({', '.join(words)})"


@st.composite
def calls(draw, case, dtype, layouts=True):
    d = Draw(draw(seeds()), lambda low, high: draw(st.integers(low, high)))
    args, kinds = [], []
    for arg in case.draw(d, np.dtype(dtype)):
        arrays = isinstance(arg, np.ndarray | list)
        kind = d.integer(0, REPEATED) if layouts and arrays and not case.writes else 0
        kinds.append(kind)
        if isinstance(arg, np.ndarray):
            arg = host_values(arg, kind)
        elif isinstance(arg, list):
            arg = [host_values(a, kind) for a in arg]
        args.append(arg)
    return Call(args, kinds)


def on_device(target, call):
    """The arguments as arrays of the backend."""
    args = []
    for arg, layout in zip(call.args, call.layouts, strict=True):
        if isinstance(arg, np.ndarray):
            args.append(place(target, arg, layout))
        elif isinstance(arg, list):
            args.append([place(target, a, layout) for a in arg])
        else:
            args.append(arg)
    return args


def arrays_in(args):
    for arg in args:
        if isinstance(arg, list):
            yield from arg
        elif hasattr(arg, "strides"):
            yield arg


def precise(case, args):
    """Arguments of the reference: float64 where rounding is compared, copies always."""
    widen = case.ulps > 0 or case.terms is not None

    def wide(a):
        if isinstance(a, list):
            return [wide(x) for x in a]
        if not isinstance(a, np.ndarray):
            return a
        return a.astype(np.float64 if widen and a.dtype == np.float32 else a.dtype)

    return [wide(a) for a in args]


def check_close(case, args, got, want, dtype):
    """got (of the kernel) against want (of the reference)."""
    assert got.shape == want.shape
    if got.dtype.kind != "f" or (case.ulps == 0 and case.terms is None):
        assert got.dtype == want.dtype
        assert np.array_equal(got, want, equal_nan=got.dtype.kind == "f")
        return
    assert got.dtype == np.dtype(dtype)
    eps, got, want = np.finfo(dtype).eps, got.astype(np.float64), want.astype(np.float64)
    if case.terms is None:
        allowed = case.ulps * eps * np.maximum(np.abs(want), 0.5 if case.ulps > 4 else 0.0)
    else:
        root = sqrt(max(1, case.terms(*args)))
        scale = max(root, np.abs(want).max(initial=0.0, where=np.isfinite(want)))
        allowed = np.full(want.shape, 2 * eps * root * scale)
    with np.errstate(invalid="ignore"):  # -inf of both
        close = (np.abs(got - want) <= allowed) | (got == want)
    assert np.all(close), worst_element(case, args, got, want, allowed)


def worst_element(case, args, got, want, allowed):
    """The element that is farthest beyond what is allowed there, with what went in."""
    beyond = np.nan_to_num(np.abs(got - want) / np.maximum(allowed, 1e-300), nan=np.inf)
    where = np.unravel_index(np.argmax(beyond), want.shape)
    inputs = [a for a in args if isinstance(a, np.ndarray)]
    same = [
        f"{a[where] if a.shape == want.shape else a}" for a in inputs if a.ndim in (0, want.ndim)
    ]
    return (
        f"{case.name}: element {tuple(map(int, where))} of {want.shape} is {got[where]!r}, wanted "
        f"{want[where]!r} +- {allowed[where]:.3g}; inputs there: {', '.join(same)[:300]}"
    )


def run_and_compare(target, case, call, dtype):
    device = on_device(target, call)
    result = getattr(target, case.name)(*device)
    reference = precise(case, call.args)
    expected = getattr(REFERENCE, case.name)(*reference)
    if case.writes:
        for i in case.writes:
            for mine, hers in zip(listed(device[i]), listed(reference[i]), strict=True):
                check_close(case, call.args, target.to_numpy(mine), hers, dtype)
        return
    results = result if isinstance(result, tuple) else (result,)
    wanted = expected if isinstance(expected, tuple) else (expected,)
    assert len(results) == len(wanted)
    for got, want in zip(results, wanted, strict=True):
        assert got.shape == want.shape
        if not case.view:
            assert is_contiguous(got), "the result is not C-contiguous"
            for given_array in arrays_in(device):
                assert not share_memory(got, given_array), "the result shares an input's memory"
        check_close(case, call.args, target.to_numpy(got), want, dtype)


def listed(arg):
    """The arrays of an argument: of a list, one, or none."""
    return arg if isinstance(arg, list) else [] if arg is None else [arg]


def check_unmodified(target, case, call, device):
    for i, (arg, used) in enumerate(zip(call.args, device, strict=True)):
        if isinstance(arg, np.ndarray | list) and i not in case.writes:
            for before, after in zip(listed(arg), listed(used), strict=True):
                equal_nan = before.dtype.kind == "f"
                after = target.to_numpy(after)
                assert np.array_equal(after, before, equal_nan=equal_nan), f"argument {i}"


def some_examples(target):
    """Launches on an OpenCL device are slow: fewer examples."""
    n = settings.default.max_examples
    return settings(max_examples=max(6, n // 2) if target.name.startswith("opencl") else n)


@pytest.mark.parametrize("case, dtype", PAIRS)
def test_matches_reference(target, case, dtype):
    @some_examples(target)
    @given(call=calls(case, dtype))
    def check(call):
        run_and_compare(target, case, call, dtype)

    check()


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_inputs_are_unmodified(target, case):
    @settings(max_examples=4)
    @given(call=calls(case, case.dtypes[0]))
    def check(call):
        device = on_device(target, call)
        getattr(target, case.name)(*device)
        check_unmodified(target, case, call, device)

    check()


# -- the list of kernels ---------------------------------------------------------------------------


def kernels_of(mixin):
    return [n for n, v in vars(mixin).items() if callable(v) and not n.startswith("_")]


def test_every_kernel_has_a_row():
    for stem, mixin in STEMS.items():
        rows, kernels = {case.name for case in ROOMS[stem]}, set(kernels_of(mixin))
        where = f"tests/cases/kernels.py, {stem.upper()}"
        if stem == "elementwise":
            where = "tinydl/testing/cases_elementwise.py (`kernel=` of the row)"
        assert rows == kernels, f"{where}: {sorted(kernels - rows)} missing, not {rows - kernels}"
    print(f"{len(ROWS)} kernels")


@pytest.mark.parametrize("name", [*KERNELS, "asarray", "to_numpy", "empty", "zeros", "full"])
def test_signatures_agree(backend, name):
    def parameters(room):
        found = inspect.signature(getattr(type(room), name)).parameters.values()
        return [(p.name, p.default) for p in found]

    assert parameters(backend) == parameters(REFERENCE)


# -- special values and errors ---------------------------------------------------------------------

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 200.0, -200.0, 0.5, 3.0])
ARITY = {case.name: len(case.kernel.kinds) for case in CASES.values() if case.kernel is not None}
FLOAT_KERNELS = {
    n for n in ARITY if "float32" in CASES[n].kernel.dtypes and not n.endswith("_grad")
}
UNARY = sorted(n for n in FLOAT_KERNELS if ARITY[n] == 1)
BINARY = sorted(n for n in FLOAT_KERNELS if ARITY[n] == 2)


def check_special(target, name, *operands):
    dtype = operands[0].dtype
    got = target.to_numpy(getattr(target, name)(*[target.asarray(x) for x in operands]))
    want = getattr(REFERENCE, name)(*operands)
    assert got.dtype == want.dtype
    eps = np.finfo(dtype).eps
    smallest = eps if name == "sigmoid" else 1e-38  # of (1 + tanh) / 2, where tanh is near -1
    close = np.isclose(got, want, rtol=32 * eps, atol=smallest, equal_nan=True)
    if want.dtype.kind == "b":
        close = got == want
    wrong = [tuple(float(x[i]) for x in operands) for i in np.flatnonzero(~close)]
    assert not wrong, f"{name}{wrong[0]}: {got[~close][0]}, reference {want[~close][0]}"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", UNARY)
def test_special_values_of_one_operand(target, name, dtype):
    check_special(target, name, np.tile(SPECIAL, 4).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", BINARY)
def test_special_values_of_two_operands(target, name, dtype):
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    check_special(target, name, a.ravel().astype(dtype), b.ravel().astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_wins_every_maximum(target, dtype):
    from tinydl.geometry import pool2d_geometry

    x = np.zeros((1, 3, 40, 5), dtype)
    x[0, 1, 20, 2] = np.nan
    device = target.asarray(x)
    assert np.isnan(target.to_numpy(target.max(device, (0, 1, 2, 3), False)))
    flat = target.asarray(x.reshape(-1).copy())
    assert target.to_numpy(target.argmax(flat, 0, False)) == x[0, 0].size + 20 * 5 + 2
    g = pool2d_geometry(x.shape, (3, 4))
    for got, want in zip(target.max_pool2d(device, g), REFERENCE.max_pool2d(x, g), strict=True):
        assert np.array_equal(target.to_numpy(got), want, equal_nan=want.dtype.kind == "f")
    y, place = target.max_pool2d(device, g, places=False)
    assert place is None
    assert np.array_equal(target.to_numpy(y), REFERENCE.max_pool2d(x, g)[0], equal_nan=True)


def test_softmax_never_overflows(target):
    x = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -1000.0]], np.float32)
    device = target.asarray(x)
    assert_close(target.to_numpy(target.softmax(device)), [[1, 0, 0], [1 / 3] * 3], 1e-5)
    got = target.to_numpy(target.log_softmax(device))
    assert_close(got, [[0, -1000, -2000], [-np.log(3)] * 3], 1e-5)


@pytest.mark.parametrize("bad", [-1, 5, 2**31 - 1])
@pytest.mark.parametrize("name", ["gather", "scatter_add", "one_hot", "cross_entropy"])
def test_an_index_out_of_range_raises(target, name, bad):
    """At once on the host; on a device when a result is next read."""
    from tinydl.errors import IndexRangeError

    x, indices = target.asarray(np.ones((5, 5))), target.asarray(np.array([0, bad, 1, 2, 3]))
    arguments = {
        "gather": (x, indices),
        "scatter_add": (x, indices, 5),
        "one_hot": (indices, 5, np.dtype("float32")),
        "cross_entropy": (x, indices),
    }[name]
    with pytest.raises(IndexRangeError, match=f"{name}.*{bad}|{bad}.*{name}|{name}"):
        result = getattr(target, name)(*arguments)
        target.to_numpy(result[0] if isinstance(result, tuple) else result)
    # and the error is gone afterwards
    target.to_numpy(target.gather(x, target.asarray(np.array([4]))))


# -- moving arrays ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool", "uint8"])
def test_arrays_make_the_round_trip(target, dtype):
    dtype = np.dtype(dtype)
    for shape in ((), (0,), (3,), (2, 0, 3), (5, 7)):
        x = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
        device = target.asarray(x.copy())
        assert (device.shape, device.dtype) == (shape, dtype)
        assert device.size == x.size and device.ndim == x.ndim
        assert np.array_equal(target.to_numpy(device), x)
        copied = target.copy(device)
        assert np.array_equal(target.to_numpy(copied), x) and not share_memory(copied, device)
        assert np.array_equal(target.to_numpy(target.zeros(shape, dtype)), np.zeros(shape, dtype))
        full = target.to_numpy(target.full(shape, 1, dtype))
        assert np.array_equal(full, np.ones(shape, dtype)) and full.dtype == dtype
        empty = target.empty(shape, dtype)
        assert (empty.shape, empty.dtype) == (shape, dtype)
        target.copy_into(empty, device)
        assert np.array_equal(target.to_numpy(empty), x)
    number = target.to_numpy(target.scalar(1, dtype))
    assert number.shape == () and number.dtype == dtype and number == 1
    target.synchronize()


@pytest.mark.parametrize("layout", range(1, REPEATED + 1), ids=NAMES[1:])
def test_copies_of_views_are_contiguous(target, layout):
    x = host_values(np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5), layout)
    view = place(target, x, layout)
    copied = target.copy(view)
    assert is_contiguous(copied) and not share_memory(copied, view)
    assert np.array_equal(target.to_numpy(copied), x)
    assert np.array_equal(target.to_numpy(view), x)
