"""The OpenCL backend around its kernels: builds, copies, memory, views, late errors."""

import gc

import numpy as np
import pytest
from support import load_backend

from tinydl.backend.opencl import OpenCLBackend
from tinydl.backend.opencl import runtime as runtimes
from tinydl.backend.opencl.array import merge_axes, reshaped_strides, row_tile
from tinydl.errors import DeviceError, DTypeError, IndexRangeError, KernelBuildError, ShapeError
from tinydl.geometry import conv2d_geometry, pool2d_geometry

pytestmark = pytest.mark.opencl
F32 = np.dtype(np.float32)


@pytest.fixture(scope="module")
def cl():
    return load_backend("opencl")


@pytest.fixture
def fresh(cl, monkeypatch):
    """A runtime of its own on the same device, so that nothing has been built or counted yet."""
    backend = OpenCLBackend("opencl")
    monkeypatch.setattr(backend, "runtime", runtimes.Runtime(cl.runtime.device))
    return backend


def uploaded(backend, *shape):
    rng = np.random.default_rng(sum(shape))
    return backend.asarray(rng.standard_normal(shape, dtype=np.float32))


# -- programs --------------------------------------------------------------------------------------


def test_two_shapes_build_one_program(fresh):
    a, b = uploaded(fresh, 4, 5), uploaded(fresh, 70, 33)
    fresh.exp(a)
    builds = fresh.runtime.counters.builds
    fresh.exp(b)
    fresh.add(fresh.transpose(b, (1, 0)), fresh.transpose(b, (1, 0)))
    assert (builds, fresh.runtime.counters.builds) == (1, 1)
    for size in (6, 9):
        x, w = uploaded(fresh, 2, size, size, 3), uploaded(fresh, 3, 3, 3, 4)
        fresh.conv2d(x, w, None, conv2d_geometry(x.shape, w.shape))
    assert fresh.runtime.counters.builds == 2
    fresh.exp(fresh.asarray(np.ones(3)))  # another dtype is another program
    assert fresh.runtime.counters.builds == 3
    fresh.synchronize()


def test_a_build_error_names_file_options_and_log(fresh, monkeypatch):
    broken = {"prelude.cl": "", "reduce.cl": "kernel void f() { nonsense }"}
    monkeypatch.setattr(runtimes, "kernel_source", broken.__getitem__)
    with pytest.raises(KernelBuildError, match=r"reduce\.cl") as error:
        fresh.runtime.kernel("reduce", F32, "f")
    assert "REAL=float" in str(error.value) and "nonsense" in str(error.value)


def test_a_failing_launch_names_its_kernel(fresh):
    kernel = fresh.runtime.kernel("shape", F32, "fill")
    y = fresh.empty((4,), F32)
    with pytest.raises(DeviceError, match=r"shape\.cl: fill"):
        fresh.runtime.groups(kernel, (1,), (10**6,), y.buffer, 4, 1.0)


# -- copies and memory -----------------------------------------------------------------------------


def training_step(backend, x, labels, weights, states, step):
    """Forward, backward and update of conv - relu - pool - linear - cross-entropy."""
    w, b, v = weights
    conv = conv2d_geometry(x.shape, w.shape, padding="same")
    pool = pool2d_geometry(conv.y_shape, 2)
    h = backend.relu(backend.conv2d(x, w, b, conv))
    p, place = backend.max_pool2d(h, pool)
    flat = backend.reshape(p, (x.shape[0], p.size // x.shape[0]))
    logits = backend.matmul(flat, v)
    losses, shifts = backend.cross_entropy(logits, labels)
    loss = backend.sum(losses, (0,), False)
    ones = backend.broadcast_to(backend.scalar(1.0, F32), losses.shape)
    grad = backend.cross_entropy_grad(logits, shifts, labels, ones)
    grad_v = backend.matmul(backend.transpose(flat, (1, 0)), grad)
    grad_p = backend.reshape(backend.matmul(grad, backend.transpose(v, (1, 0))), p.shape)
    grad_h = backend.relu_grad(h, backend.max_pool2d_scatter(grad_p, place, pool))
    grads = [
        backend.conv2d_weight_grad(x, grad_h, conv),
        backend.sum(grad_h, (0, 1, 2), False),
        grad_v,
    ]
    means, squares = [list(kind) for kind in zip(*states, strict=True)]
    numbers = 1e-2, 0.9, 0.999, 1e-8, 0.0, False, (step,) * len(weights)
    backend.adam_step(weights, grads, means, squares, None, *numbers)
    return loss


def test_a_training_step_copies_nothing_but_its_loss(fresh):
    x = uploaded(fresh, 8, 10, 10, 3)
    labels = fresh.asarray(np.arange(8) % 5)
    weights = [uploaded(fresh, 3, 3, 3, 6), fresh.zeros((6,), F32), uploaded(fresh, 150, 5)]
    states = [(fresh.zeros(w.shape, F32), fresh.zeros(w.shape, F32)) for w in weights]
    first = float(fresh.to_numpy(training_step(fresh, x, labels, weights, states, 1)))
    counters, held = fresh.runtime.counters, None
    for step in range(2, 12):
        uploads, downloads, builds = counters.uploads, counters.downloads, counters.builds
        launches = counters.launches
        loss = training_step(fresh, x, labels, weights, states, step)
        assert (counters.uploads, counters.downloads, counters.builds) == (
            *(uploads, downloads, builds),
        )
        assert counters.launches - launches < 30
        last = float(fresh.to_numpy(loss))
        gc.collect()
        if step > 3:
            assert held in (None, fresh.runtime.pool.managed_bytes)  # memory is reused
            held = fresh.runtime.pool.managed_bytes
    assert last < first


def test_temporaries_outlive_the_queue(cl):
    """Thousands of queued kernels whose arrays are dropped at once: no buffer may be lost."""
    x = cl.asarray(np.zeros(1000, np.float32))
    one = cl.scalar(1.0, F32)
    for _ in range(5000):
        x = cl.add(x, one)
    assert np.array_equal(cl.to_numpy(x), np.full(1000, 5000, np.float32))


def test_upload_sources_outlive_the_queue(cl):
    arrays = [cl.asarray(np.full(10_000, i, np.float32)) for i in range(200)]
    gc.collect()
    sums = [cl.max(a, (0,), False) for a in arrays]
    assert [float(cl.to_numpy(s)) for s in sums] == list(range(200))


def test_an_array_that_is_too_large_is_refused_before_it_is_made(cl):
    before = cl.runtime.counters.allocations
    with pytest.raises(DeviceError, match=r"takes \d+ bytes.*at most \d+ bytes"):
        cl.empty((1 << 20, 1 << 20), F32)
    assert cl.runtime.counters.allocations == before


def test_results_are_equal_from_run_to_run(cl):
    a, b = uploaded(cl, 3000, 40), uploaded(cl, 3000, 70)
    runs = [
        cl.to_numpy(cl.sum(cl.matmul(cl.transpose(a, (1, 0)), b), (0,), False)) for _ in range(3)
    ]
    assert all(np.array_equal(runs[0], r) for r in runs)


def test_scalars_are_remembered_by_their_bits(cl):
    assert cl.scalar(2.5, F32) is cl.scalar(2.5, F32)
    assert cl.scalar(2, F32) is not cl.scalar(2, np.dtype(np.float64))
    assert np.signbit(cl.to_numpy(cl.scalar(-0.0, F32)))
    assert not np.signbit(cl.to_numpy(cl.scalar(0.0, F32)))
    assert np.isnan(cl.to_numpy(cl.scalar(float("nan"), F32)))
    for i in range(2000):
        cl.scalar(float(i), F32)
    assert len(cl._scalars) <= 256


# -- dtypes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "?"])
def test_every_dtype_comes_back(cl, dtype):
    host = np.arange(7).astype(dtype)
    assert np.array_equal(cl.to_numpy(cl.asarray(host)), host)
    assert cl.to_numpy(cl.asarray(host[::-1])).tolist() == host[::-1].tolist()
    full = cl.to_numpy(cl.full((2, 3), 1, np.dtype(dtype)))
    assert full.dtype == np.dtype(dtype) and full.tolist() == np.ones((2, 3), dtype).tolist()


def test_other_dtypes_are_refused(cl):
    with pytest.raises(DTypeError, match="float16"):
        cl.asarray(np.ones(3, np.float16))


def test_a_device_without_float64_says_so(fresh, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(fresh.runtime, "device", replace(fresh.runtime.device, has_double=False))
    with pytest.raises(DTypeError, match="float64"):
        fresh.asarray(np.ones(3))


def test_integers_have_no_exponential(cl):
    with pytest.raises(DTypeError, match="exp"):
        cl.exp(cl.asarray(np.arange(3)))


# -- index errors arrive with the next value that is read ------------------------------------------


def wrong_gather(b, bad):
    return b.gather(uploaded(b, 5, 3), b.asarray(np.array([0, bad, 1])))


def wrong_scatter(b, bad):
    return b.scatter_add(uploaded(b, 3, 2), b.asarray(np.array([0, bad, 1], np.int32)), 5)


def wrong_one_hot(b, bad):
    return b.one_hot(b.asarray(np.array([0, bad])), 5, F32)


def wrong_labels(b, bad):
    return b.cross_entropy(uploaded(b, 2, 5), b.asarray(np.array([0, bad])))[0]


@pytest.mark.parametrize("bad", [5, -1, 10**6])
@pytest.mark.parametrize(
    ("op", "call"),
    [
        ("gather", wrong_gather),
        ("scatter_add", wrong_scatter),
        ("one_hot", wrong_one_hot),
        ("cross_entropy", wrong_labels),
    ],
)
def test_a_wrong_index_is_reported_once(cl, op, call, bad):
    call(cl, bad)
    other = cl.asarray(np.ones(2, np.float32))
    with pytest.raises(IndexRangeError, match=rf"^{op}: index {bad} .* for 5 rows"):
        cl.to_numpy(other)
    assert cl.to_numpy(other).tolist() == [1, 1]


def test_synchronize_reports_it_too(cl):
    wrong_gather(cl, 7)
    with pytest.raises(IndexRangeError, match="index 7"):
        cl.synchronize()


def test_indices_into_nothing(cl):
    empty = cl.empty((0, 3), F32)
    with pytest.raises(IndexRangeError):
        cl.gather(empty, cl.asarray(np.array([0])))
    assert cl.gather(empty, cl.asarray(np.zeros(0, np.int64))).shape == (0, 3)


# -- views -----------------------------------------------------------------------------------------


def test_views_share_the_buffer(cl):
    x = uploaded(cl, 4, 5, 6)
    views = [
        cl.transpose(x, (2, 0, 1)),
        cl.slice(x, (1, 4, 0), (2, -1, 1), (2, 3, 6)),
        cl.broadcast_to(x, (2, 4, 5, 6)),
        cl.reshape(x, (20, 6)),
        cl.reshape(cl.slice(x, (0, 0, 0), (1, 1, 2), (4, 5, 3)), (20, 3)),
    ]
    assert all(v.buffer is x.buffer for v in views)
    # rows of 5 cells, 6 apart: as one axis they have no common stride
    apart = cl.reshape(cl.slice(x, (0, 0, 0), (1, 1, 1), (4, 5, 5)), (100,))
    assert apart.buffer is not x.buffer


@pytest.mark.parametrize(
    ("shape", "strides", "new", "expected"),
    [
        ((4, 6), (6, 1), (2, 2, 3, 2), (12, 6, 2, 1)),
        ((4, 6), (1, 4), (2, 2, 6), (2, 1, 4)),
        ((4, 6), (1, 4), (24,), None),
        ((3, 4), (0, 1), (3, 2, 2), (0, 2, 1)),
        ((3, 4), (0, 1), (12,), None),
        ((3, 4), (0, 0), (12,), (0,)),
        ((1, 4, 1), (99, 2, 5), (2, 2), (4, 2)),
        ((5,), (-1,), (5, 1), (-1, 0)),
    ],
)
def test_strides_of_a_reshaped_view(shape, strides, new, expected):
    assert reshaped_strides(shape, strides, new) == expected


def test_merging_axes():
    assert merge_axes((2, 3, 4), (12, 4, 1)) == ((24,), ((1,),))
    assert merge_axes((2, 3, 4), (12, 4, 1), (0, 4, 1)) == ((2, 12), ((12, 1), (0, 1)))
    assert merge_axes((1, 1), (7, 7)) == ((), ((),))


def test_nine_separate_axes_are_refused(cl):
    x = cl.zeros((2,) * 18, np.dtype(np.uint8))
    eight = cl.slice(x, (0,) * 18, (1,) * 18, (2, 1) * 7 + (1, 1, 2, 2))
    assert cl.copy(eight).shape == eight.shape
    with pytest.raises(ShapeError, match="9 separate axes"):
        cl.copy(cl.slice(x, (0,) * 18, (1,) * 18, (2, 1) * 9))


@pytest.mark.parametrize("limit", [6, 10])
def test_row_tiles_waste_few_rows(limit):
    for rows in range(1, 300):
        tile = row_tile(rows, limit)
        assert 1 <= tile <= limit
        assert tile == rows if rows <= limit else -(-rows // tile) * tile - rows <= limit // 2 + 1


# -- completeness ----------------------------------------------------------------------------------


def test_a_backend_without_a_kernel_cannot_be_defined(cl):
    from tinydl.backend import reference

    assert reference.missing_kernels(OpenCLBackend) == {}
    with pytest.raises(
        TypeError, match=r"lacks the kernels exp: write .* kernels_cl/elementwise\.cl"
    ):

        class Broken(OpenCLBackend):
            exp = reference.Elementwise.exp

    class Excused(OpenCLBackend):
        exp = reference.Elementwise.exp
        host_round_trip = {"exp": "a test"}  # noqa: RUF012
