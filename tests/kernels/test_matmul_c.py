"""What is particular to the C matrix product: tile edges, strides, threads, levels, the loops."""

import numpy as np
import pytest

from tinydl.backend.cpu import _matmul, _runtime
from tinydl.backend.cpu.matmul import Matmul

# Around the tile sizes (6 or 14 rows; 4 to 32 columns), the copied rows and the block of K.
EDGES = [1, 2, 3, 7, 8, 9, 13, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65]
KERNELS = {"f4": _matmul.matmul_f32, "f8": _matmul.matmul_f64}
LOOPS = {"f4": _matmul.matmul_loops_f32, "f8": _matmul.matmul_loops_f64}


@pytest.fixture
def runtime():
    level, threads = _runtime.level(), _runtime.threads()
    yield _runtime
    _runtime.set_level(level)
    _runtime.set_threads(threads)


@pytest.fixture(params=_runtime.available_levels())
def level(request, runtime):
    runtime.set_level(request.param)
    return request.param


def operand(rng, rows, columns, dtype, layout):
    """A (rows, columns) array with the strides that `layout` names."""
    if layout == "transposed":
        return rng.standard_normal((columns, rows)).astype(dtype).T
    if layout == "strided":
        return rng.standard_normal((2 * rows, 3 * columns)).astype(dtype)[::2, ::3]
    if layout == "reversed":
        return rng.standard_normal((rows, columns)).astype(dtype)[::-1, ::-1]
    if layout == "one row":
        return np.broadcast_to(rng.standard_normal((1, columns)).astype(dtype), (rows, columns))
    if layout == "one column":
        return np.broadcast_to(rng.standard_normal((rows, 1)).astype(dtype), (rows, columns))
    return rng.standard_normal((rows, columns)).astype(dtype)


LAYOUTS = ["contiguous", "transposed", "strided", "reversed", "one row", "one column"]


def assert_product(y, a, b, bias=None, relu=False):
    """Within the rounding of K additions, measured by the sum of absolute values."""
    expected = a.astype("f8") @ b.astype("f8")
    scale = np.abs(a).astype("f8") @ np.abs(b).astype("f8") + 1
    if bias is not None:
        expected = expected + bias
        scale = scale + np.abs(bias)
    if relu:
        expected = np.maximum(expected, 0)
    bound = (a.shape[-1] + 4) * np.finfo(y.dtype).eps
    assert y.shape == expected.shape
    assert np.max(np.abs(y - expected) / scale, initial=0) <= bound


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("M", EDGES)
def test_every_edge_of_the_tile(level, M, dtype):
    rng = np.random.default_rng(M)
    for N in EDGES:
        K = int(rng.choice(EDGES))
        a, b = operand(rng, M, K, dtype, "contiguous"), operand(rng, K, N, dtype, "contiguous")
        bias = rng.standard_normal(N).astype(dtype)
        y = np.full((M, N), np.nan, dtype)
        KERNELS[dtype](a, b, bias, y, True)
        assert_product(y, a, b, bias, relu=True)


@pytest.mark.parametrize("b_layout", LAYOUTS)
@pytest.mark.parametrize("a_layout", LAYOUTS)
def test_any_strides_and_no_write_outside(level, a_layout, b_layout):
    rng = np.random.default_rng(0)
    for dtype in ("f4", "f8"):
        for M, N, K in [
            (1, 33, 65),
            (33, 1, 65),
            (1, 1, 7),
            (17, 15, 9),
            (30, 130, 70),
            (5, 67, 800),
        ]:
            a, b = operand(rng, M, K, dtype, a_layout), operand(rng, K, N, dtype, b_layout)
            guarded = np.full(M * N + 128, 7, dtype)
            y = guarded[64:-64].reshape(M, N)
            before = a.copy(), b.copy()
            KERNELS[dtype](a, b, None, y, False)
            assert_product(y, a, b)
            assert np.all(guarded[:64] == 7)
            assert np.all(guarded[-64:] == 7)
            assert np.array_equal(a, before[0])
            assert np.array_equal(b, before[1])


@pytest.mark.parametrize(
    "shapes",
    [
        ((4, 5, 6), (6, 7)),
        ((4, 1, 6), (6, 7)),
        ((3, 4, 5, 6), (4, 6, 7)),
        ((3, 1, 5, 6), (1, 4, 6, 7)),
        ((5, 6), (2, 3, 6, 7)),
        ((40, 50, 30), (40, 30, 60)),
        ((2, 300, 40), (2, 40, 300)),
        ((0, 5, 6), (6, 7)),
        ((2, 0, 6), (6, 7)),
        ((2, 5, 0), (0, 7)),
    ],
)
def test_batches(level, runtime, shapes):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape) for shape in shapes)
    results = []
    for threads in (1, 2, 3):
        runtime.set_threads(threads)
        results.append(Matmul().matmul(a, b))
    assert_product(results[0], a, b)
    assert all(np.array_equal(results[0], other) for other in results[1:])
    swapped = np.swapaxes(np.ascontiguousarray(np.swapaxes(a, -1, -2)), -1, -2)
    assert_product(Matmul().matmul(swapped, b), a, b)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "sizes", [(200, 150, 900), (7, 2000, 300), (2000, 10, 300), (1, 3000, 500), (3000, 1, 500)]
)
def test_the_number_of_threads_changes_no_bit(level, runtime, sizes, dtype):
    M, N, K = sizes
    rng = np.random.default_rng(0)
    a, b = operand(rng, M, K, dtype, "contiguous"), operand(rng, K, N, dtype, "contiguous")
    results = []
    for threads in (1, 2, 3, 5):
        runtime.set_threads(threads)
        results.append(Matmul().matmul(a, b))
    assert_product(results[0], a, b)
    assert all(np.array_equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("N", [10, 84, 120, 272, 1000, 1104])
def test_a_vector_times_columns_wherever_they_lie(level, N, dtype):
    """The rows of b begin anywhere in a cache line: the same bits, and no write outside y."""
    rng = np.random.default_rng(N)
    for K in (0, 1, 7, 41):
        a, b = operand(rng, 1, K, dtype, "contiguous"), operand(rng, K, N, dtype, "contiguous")
        results = []
        for place in (0, 1, 4, 13):
            memory = np.full(K * N + 16, np.nan, dtype)
            moved = memory[place : place + K * N].reshape(K, N)
            moved[...] = b
            guarded = np.full(N + 128, 7, dtype)
            KERNELS[dtype](a, moved, None, guarded[64:-64].reshape(1, N), False)
            assert np.all(guarded[:64] == 7)
            assert np.all(guarded[-64:] == 7)
            results.append(guarded[64:-64].reshape(1, N))
        assert_product(results[0], a, b)
        assert all(np.array_equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_loops_equal_the_kernel(level, dtype):
    rng = np.random.default_rng(0)
    for M, N, K in [(1, 1, 1), (5, 9, 17), (33, 31, 65), (3, 4, 0)]:
        a, b = operand(rng, M, K, dtype, "strided"), operand(rng, K, N, dtype, "transposed")
        fast, slow = np.empty((M, N), dtype), np.empty((M, N), dtype)
        KERNELS[dtype](a, b, None, fast, False)
        LOOPS[dtype](a, b, slow)
        assert_product(slow, a, b)
        assert_product(fast, a, b)


def test_nan_and_infinity_stay_in_their_rows(level):
    a, b = np.ones((20, 40), "f4"), np.ones((40, 35), "f4")
    a[3, 5], a[4, 6], b[7, 2] = np.nan, np.inf, np.inf
    y = Matmul().matmul(a, b, relu=True)
    with np.errstate(invalid="ignore"):
        assert np.array_equal(y, a @ b, equal_nan=True)


@pytest.mark.parametrize("column", [0, 15, 16, 33])
def test_relu_keeps_nan_and_drops_negatives(level, column):
    bias = np.zeros(34, "f4")
    bias[column] = np.nan
    y = Matmul().matmul(-np.ones((3, 2), "f4"), np.ones((2, 34), "f4"), bias, relu=True)
    assert np.all(np.isnan(y[:, column]))
    assert np.all(np.delete(y, column, axis=1) == 0)


def test_buffers_are_checked():
    a, b = np.ones((2, 3), "f4"), np.ones((3, 4), "f4")
    y = np.empty((2, 4), "f4")
    with pytest.raises(TypeError, match="expected elements of type 'f'"):
        _matmul.matmul_f32(a, b.astype("f8"), None, y, False)
    with pytest.raises(ValueError, match=r"\(\.\.\., M, N\)"):
        _matmul.matmul_f32(a, b, None, np.empty((2, 5), "f4"), False)
    with pytest.raises(ValueError, match="bias"):
        _matmul.matmul_f32(a, b, np.ones(3, "f4"), y, False)
    with pytest.raises(ValueError, match="read-only"):
        _matmul.matmul_f32(a, b, None, np.broadcast_to(y, (2, 4)), False)
