"""What is particular to the compiled kernels: accuracy, special values, threads, strides, loops.

That every kernel equals the reference on every backend is test_backends.py's business.
"""

import math

import numpy as np
import pytest
from closeness import assert_close

from tinydl import backend as backends
from tinydl.backend import reference
from tinydl.backend.cpu import CpuBackend, _pool, _recurrent, _runtime, uses_numpy
from tinydl.backend.reference.random import bernoulli_threshold
from tinydl.errors import IndexRangeError
from tinydl.geometry import pool2d_geometry
from tinydl.ops.roi import bin_cells, bin_weights
from tinydl.testing import CASES

DTYPES = [np.float32, np.float64]
SUFFIX = {np.float32: "f32", np.float64: "f64"}


@pytest.fixture
def cpu():
    before = _runtime.level(), _runtime.threads()
    yield backends.get("cpu")
    _runtime.set_level(before[0])
    _runtime.set_threads(before[1])


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def level(request, cpu):
    """Each level of this processor in turn."""
    if request.param not in _runtime.available_levels():
        pytest.skip(f"this processor offers only {', '.join(_runtime.available_levels())}")
    _runtime.set_level(request.param)
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def read_only(x):
    x.flags.writeable = False
    return x


# -- accuracy of the vector functions --------------------------------------------------------------


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def erf(x):
    """Of doubles, which the C library gets right to one unit of the last place."""
    return np.array([math.erf(v) for v in x], np.longdouble)


#: Those that NumPy has no long double version of.
LONG_DOUBLE = {"sigmoid": sigmoid, "erf": erf}
#: Units of the last place that each function may be off, against long double.
ACCURACY = {
    c.name: (LONG_DOUBLE.get(c.name) or getattr(np, c.name), c.kernel.accurate)
    for c in CASES.values()
    if c.kernel is not None and c.kernel.accurate is not None
}


def arguments(rng, dtype, name):
    """All magnitudes by random bit patterns, the interesting range, and values near 0 and 1."""
    bits = rng.integers(0, 2**63, 40_000, dtype=np.uint64)
    anything = bits.view(np.float64) if dtype == np.float64 else bits.astype(np.uint32).view(dtype)
    reach = 90 if dtype == np.float32 else 710
    near = [rng.uniform(-1, 1, 40_000), rng.uniform(-reach, reach, 40_000)]
    near = np.concatenate([*near, rng.normal(1, 0.2, 40_000)]).astype(dtype)
    anything = anything[np.isfinite(anything)]
    x = np.concatenate([anything, -anything, near])
    return np.abs(x) if name == "log" else x


@pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double"
)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACCURACY)
def test_ulps(cpu, level, rng, name, dtype):
    function, bound = ACCURACY[name]
    x = arguments(rng, dtype, name)
    with np.errstate(all="ignore"):
        exact = function(x.astype(np.longdouble))
        rounded = exact.astype(dtype)
        got = getattr(cpu, name)(x)
        finite = np.isfinite(rounded)
        np.testing.assert_array_equal(got[~finite], rounded[~finite])
        unit = np.spacing(np.abs(rounded[finite])).astype(np.longdouble)
        error = np.abs(got[finite].astype(np.longdouble) - exact[finite]) / unit
    worst = np.argmax(error)
    assert error[worst] <= bound, f"{name}({x[finite][worst]!r}) is {error[worst]:.2f} ulp off"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log1p", "expm1"])
def test_tiny_arguments_come_back_bit_for_bit(cpu, level, name, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, 3 * tiny, 5 * tiny, 1e-30], dtype)
    y = getattr(cpu, name)(x)
    assert np.array_equal(y, x) and np.array_equal(np.signbit(y), np.signbit(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [1, 7, 40])
def test_special_values(cpu, level, dtype, length):
    """Infinities, NaN, signed zeros, overflow and denormals, in vector bodies and in tails."""
    tiny = np.finfo(dtype).smallest_subnormal
    large = np.finfo(dtype).max
    expected = {
        "exp": [(np.inf, np.inf), (-np.inf, 0), (np.nan, np.nan), (0, 1), (large, np.inf)],
        "log": [(np.inf, np.inf), (0, -np.inf), (-0.0, -np.inf), (-1, np.nan), (np.nan, np.nan)],
        "tanh": [(np.inf, 1), (-np.inf, -1), (np.nan, np.nan), (-0.0, -0.0), (tiny, tiny)],
        "sigmoid": [(np.inf, 1), (-np.inf, 0), (np.nan, np.nan), (0, 0.5), (-large, 0)],
        "relu": [(np.inf, np.inf), (-np.inf, 0), (np.nan, np.nan), (-1, 0), (tiny, tiny)],
        "sign": [(-np.inf, -1), (np.nan, np.nan), (0, 0), (-tiny, -1), (3, 1)],
    }
    for name, pairs in expected.items():
        for argument, value in pairs:
            got = getattr(cpu, name)(np.full(length, argument, dtype))
            want = np.full(length, value, dtype)
            np.testing.assert_array_equal(got, want, err_msg=f"{name}({argument})")
            if not np.isnan(value):
                np.testing.assert_array_equal(np.signbit(got), np.signbit(want), err_msg=name)
    for name, x in (("exp", np.log(tiny, dtype=np.longdouble) + 1), ("log", tiny)):
        x = np.full(length, x, dtype)
        want = getattr(np, name)(x.astype(np.longdouble)).astype(dtype)
        assert np.all(want != 0)
        np.testing.assert_array_max_ulp(getattr(cpu, name)(x), want, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_special_exponents(cpu, level, rng, dtype):
    """A single exponent 2, 3, -1 or 1/2 is exact multiplication, division or square root."""
    x = rng.standard_normal(37).astype(dtype)
    np.testing.assert_array_equal(cpu.power(x, np.array(2, dtype)), x * x)
    np.testing.assert_array_equal(cpu.power(x, np.array(3, dtype)), x * x * x)
    np.testing.assert_array_equal(cpu.power(x, np.array(-1, dtype)), 1 / x)
    half = np.broadcast_to(np.array(0.5, dtype), x.shape)
    np.testing.assert_array_equal(cpu.power(np.abs(x), half), np.sqrt(np.abs(x)))
    edge = np.array([-np.inf, -0.0, 0.0, np.inf], dtype)
    got = cpu.power(edge, np.array(0.5, dtype))
    np.testing.assert_array_equal(got, np.array([np.inf, 0, 0, np.inf], dtype))
    assert not np.signbit(got).any()


def test_maximum_and_max_let_nan_win(cpu, level):
    a = np.tile(np.array([1, np.nan, 1, np.nan], np.float32), 20)
    b = np.tile(np.array([2, 1, np.nan, np.nan], np.float32), 20)
    np.testing.assert_array_equal(cpu.maximum(a, b), np.maximum(a, b))
    x = np.zeros((5, 300), np.float32)
    x[1, 7] = x[3, 299] = np.nan
    for view in (x, x.T.copy().T):
        np.testing.assert_array_equal(cpu.max(view, (1,), False), view.max(axis=1))
        np.testing.assert_array_equal(cpu.max(view, (0,), False), view.max(axis=0))
        np.testing.assert_array_equal(cpu.argmax(view, 1, False), view.argmax(axis=1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_is_at_least_as_exact_as_numpy(cpu, level, rng, dtype):
    """Rounding errors of long sums stay those of pairwise summation, along every axis."""
    unit = np.finfo(dtype).eps
    x = (rng.random((1 << 11, 1 << 7)) + 1).astype(dtype)
    for view, axes in ((x, (0, 1)), (x, (0,)), (x.T, (1,)), (x.ravel()[::2], (0,))):
        exact = view.sum(axis=axes, dtype=np.longdouble)
        ours = np.abs(cpu.sum(view, axes, False) - exact) / exact
        numpys = np.abs(view.sum(axis=axes) - exact) / exact
        assert np.max(ours) <= max(np.max(numpys), 2 * unit)


# -- any number of threads gives the same bits -----------------------------------------------------


def image(rng, g):
    return rng.standard_normal(g.x_shape).astype(np.float32)


WINDOWS = pool2d_geometry((5, 40, 40, 24), 3, 2, 1)


def regions(rng):
    """Tables of 64 boxes on 2 images of WINDOWS' size, for both kinds of pooling."""
    image = rng.integers(0, 2, 64).astype(np.int32)
    start, length = rng.uniform(-2, 30, (2, 64)), rng.uniform(1, 20, (2, 64))
    cells = [bin_cells(start[i], start[i] + length[i], 7, 40) for i in (0, 1)]
    two = np.full(64, 2)
    weights = [t for i in (0, 1) for t in bin_weights(start[i], length[i], 7, 40, two)]
    return image, cells, [w.astype(np.float32) if w.dtype == np.float64 else w for w in weights]


def recurrent_calls(rng, x, weight):
    """Vanilla, LSTM and GRU, forward and backward, for 80 sequences of 4 steps."""
    mask, drop = rng.random(x.shape[:2]) < 0.8, (rng.random((len(x), 40)) < 0.5).astype(x.dtype)
    state, bias, reference_backend = x[:, 0, :40].copy(), weight[0], reference.Backend()
    found = []
    for kind, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
        W = 40 * gates
        weights = [weight[:, :W].copy(), weight[:40, :W].copy(), bias[:W].copy()]
        first = [state, state] if kind == "lstm" else [state]
        more = [bias[:W].copy()] if kind == "gru" else []
        args = [x, *first, *weights, *more, mask, drop, False]
        found.append((f"{kind}_forward", *args))
        made = getattr(reference_backend, f"{kind}_forward")(*args)
        made = made if isinstance(made, tuple) else (made,)
        after = [True] if kind == "gru" else []
        saved = made[1:] if kind == "lstm" else made
        rest = [state, weights[1], mask, drop, *after, False]
        found.append((f"{kind}_backward", np.ones_like(made[0]), *saved, *rest))
    return found


def calls(rng):
    """Large enough for several threads; sizes that do not divide."""
    x = rng.standard_normal((301, 1003)).astype(np.float32)
    narrow = rng.standard_normal((70_001, 3)).astype(np.float32)
    rows, labels = rng.integers(0, 50, 4001), rng.integers(0, 1003, 301)
    wide = rng.standard_normal((4001, 150)).astype(np.float32)
    thin = rng.standard_normal((4001, 33)).astype(np.float32)
    pooled = rng.standard_normal(WINDOWS.y_shape).astype(np.float32)
    _, place = reference.Backend().max_pool2d(image(rng, WINDOWS), WINDOWS)
    steps = rng.standard_normal((80, 4, 500)).astype(np.float32)
    matrix = (rng.standard_normal((500, 500)) / 50).astype(np.float32)
    single = np.dtype(np.float32)
    region, cells, weights = regions(rng)
    bins = rng.standard_normal((64, 7, 7, 70)).astype(np.float32)
    two = rng.standard_normal((2, 40, 40, 70)).astype(np.float32)
    _, spots = reference.Backend().roi_pool(two, region, *cells)
    vector, ones = x[0], np.ones((1, 1003), np.float32)
    samples, few = x[:300].reshape(20, 15, 1003), np.ones((20, 17), np.float32)
    three, one3 = narrow[None], np.ones((1, 3), np.float32)
    return [
        ("exp", x),
        ("add", x, x[::-1, ::-1]),
        ("multiply", x, np.broadcast_to(x[:1], x.shape)),
        ("where", x > 0, x, x[::-1]),
        ("sum", x, (0, 1), False),
        ("sum", x, (0,), False),
        ("sum", x, (1,), True),
        ("sum", narrow, (0,), False),
        ("sum", narrow.T, (1,), False),
        ("max", x, (0,), False),
        ("argmax", x, 1, False),
        ("copy", x.T),
        ("pad", x.T, (1, 2), (2, 1), (2007, 305), 1.0),
        ("concat", [x.T, x.T], 1),
        ("gather", wide, rows),
        ("scatter_add", wide, rows, 50),
        ("scatter_add", thin, rows, 50),
        ("max_pool2d", image(rng, WINDOWS), WINDOWS),
        ("max_pool2d_scatter", pooled, place, WINDOWS),
        ("max_pool2d_gather", image(rng, WINDOWS), place, WINDOWS),
        ("avg_pool2d", image(rng, WINDOWS), WINDOWS),
        ("avg_pool2d_grad", pooled, WINDOWS),
        ("roi_pool", two, region, *cells),
        ("roi_pool_scatter", bins, spots, region, two.shape),
        ("roi_pool_gather", two, spots, region),
        ("roi_align", two, region, *weights),
        ("roi_align_grad", bins, region, *weights, two.shape),
        *recurrent_calls(rng, steps, matrix),
        ("uniform", 5, 2**64 - 9, (301, 1003), single),
        ("normal", 5, 6, (301, 1003), single),
        ("bernoulli", 5, 6, 0.3, (301, 1003)),
        ("dropout", x, 5, 6, 0.3),
        ("softmax", x),
        ("log_softmax", x),
        ("cross_entropy", x, labels),
        ("cross_entropy_grad", x, x[:, :2], labels, x[:, 0]),
        ("channel_norm", x[None], vector, vector, 1003, 1e-3),
        ("channel_norm", three, one3[0], one3[0], 3, 1e-3),
        ("channel_norm", samples, vector, vector, 17, 1e-3),
        ("channel_norm_apply", three, one3[0], one3[0], one3, one3, 1e-3),
        ("channel_norm_sums", three, three, one3, one3, 1e-3),
        ("channel_norm_sums", samples, samples, few, few, 1e-3),
        ("channel_norm_grad", three, three, one3[0], one3, one3, one3, one3, 1e-3),
        ("channel_norm_grad", x[None], x[None], vector, ones, ones, ones, ones, 1e-3),
        ("row_norm", x, vector, vector, 1e-3),
        ("row_norm_grad", x, x, vector, x[:, 0], few[:1, :1].repeat(301, 1)[0], 1e-3),
    ]


def bits_of(result):
    return [r.tobytes() for r in (result if isinstance(result, tuple) else (result,))]


def test_threads_do_not_change_a_bit(cpu, level, rng):
    for name, *args in calls(rng):
        for a in args:
            if isinstance(a, np.ndarray):
                read_only(a)  # inputs are never opened for writing
        _runtime.set_threads(1)
        one = bits_of(getattr(cpu, name)(*args))
        for threads in (2, 3):
            _runtime.set_threads(threads)
            assert bits_of(getattr(cpu, name)(*args)) == one, f"{name} with {threads} threads"


UPDATES = [
    ("sgd_step", 0, (0.1, 0.0, False, 0.01)),
    ("sgd_step", 1, (0.1, 0.9, True, 0.01)),
    ("rmsprop_step", 1, (0.1, 0.9, 1e-7, 0.01)),
    ("adam_step", 2, (0.1, 0.9, 0.999, 1e-8, 0.01, False)),
    ("adam_step", 3, (0.1, 0.9, 0.999, 1e-8, 0.01, True)),
    ("adagrad_step", 1, (0.1, 1e-7, 0.01)),
    ("adadelta_step", 2, (1.0, 0.9, 1e-6, 0.01)),
    ("centred_rmsprop_step", 1, (0.1, 0.9, 0.0, 1e-7, 0.01)),
    ("centred_rmsprop_step", 3, (0.1, 0.9, 0.9, 1e-7, 0.01)),
    ("adamax_step", 2, (0.1, 0.9, 0.999, 1e-8, 0.01)),
    ("nadam_step", 2, (0.1, 0.9, 0.999, 1e-8, 0.01)),
    ("rprop_step", 2, (0.1, 0.5, 1.2, 1e-6, 50.0, 0.0)),
]


@pytest.mark.parametrize(("name", "states", "rates"), UPDATES)
def test_threads_and_company_do_not_change_an_update(cpu, level, rng, name, states, rates):
    """Bitwise: any number of threads, and all parameters in one call or each in its own."""
    sizes = (7, 100_003, 0, 16_384, 1, 33_000)
    start = [
        [np.abs(rng.standard_normal(n)).astype(np.float32) for n in sizes]
        for _ in range(1 + states)
    ]
    grads = [read_only(rng.standard_normal(n).astype(np.float32)) for n in sizes]
    least = {"sgd_step": 1, "adam_step": 3, "centred_rmsprop_step": 3}.get(name, 0)
    counts = tuple(range(1, len(sizes) + 1))

    def update(params, grads, rest, counts, backend=cpu):
        rest = rest + [None] * (least - len(rest))
        more = (counts,) if name in ("adam_step", "adamax_step", "nadam_step") else ()
        if name == "nadam_step":
            more = (*more, tuple([(0.9, 0.2 / count) for count in counts]))
        getattr(backend, name)(params, grads, *rest, *rates, *more)

    results = []
    for threads in (1, 2, 3):
        _runtime.set_threads(threads)
        lists = [[a.copy() for a in kind] for kind in start]
        update(lists[0], grads, lists[1:], counts)
        results.append([a.tobytes() for kind in lists for a in kind])
    alone = [[a.copy() for a in kind] for kind in start]
    for i in range(len(sizes)):
        one = [[kind[i]] for kind in alone]
        update(one[0], [grads[i]], one[1:], counts[i : i + 1])
    results.append([a.tobytes() for kind in alone for a in kind])
    assert results[0] == results[1] == results[2] == results[3]
    wide = [[a.astype(np.float64) for a in kind] for kind in start]
    update(wide[0], grads, wide[1:], counts, reference.Backend())
    for one, wanted in zip(alone[0], wide[0], strict=True):
        assert_close(one, wanted, 1e-4)


def test_norms_of_long_arrays(cpu, level, rng):
    arrays = [rng.standard_normal(n).astype(np.float32) for n in (7, 100_003, 0, 16_384, 33_001)]
    wanted = [np.sqrt((x.astype(np.float64) ** 2).sum()) for x in arrays]
    for threads in (1, 3):
        _runtime.set_threads(threads)
        np.testing.assert_array_equal(cpu.norms(arrays), np.float32(wanted))
    huge = [np.full(3, 1e300), np.array([3.0, 4.0])]
    assert_close(cpu.norms(huge), [1e300 * np.sqrt(3), 5.0], 1e-14)


def test_what_the_update_room_refuses(cpu):
    """Strided arrays go to the reference; lists that do not fit together are an error."""
    wide = np.ones((4, 6), np.float32)
    strided, flat, grad = wide[:, ::2], np.ones((4, 3), np.float32), np.ones((4, 3), np.float32)
    cpu.rmsprop_step([strided], [grad], [flat], 0.1, 0.9, 1e-7, 0.0)
    assert (strided < 1).all() and (wide[:, 1::2] == 1).all()
    with pytest.raises(ValueError, match="parameter 0 has 12 numbers, not 6"):
        cpu.sgd_step([grad], [grad[:2]], None, 0.1, 0.0, False, 0.0)
    with pytest.raises(TypeError, match="expected elements of type 'f', got 'd'"):
        cpu.sgd_step([grad], [grad.astype(np.float64)], None, 0.1, 0.0, False, 0.0)
    with pytest.raises(ValueError, match="1 parameters but 0 gradients"):
        cpu.sgd_step([grad], [], None, 0.1, 0.0, False, 0.0)


# -- normalisation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_of_every_awkward_size(cpu, level, rng, dtype):
    """Rows joined or not, with and without left-over rows, blocks and lanes cut short."""
    oracle = reference.Backend()
    tolerance = 2e-5 if dtype == np.float32 else 1e-13
    for P in (1, 2, 3, 7, 8, 9, 15, 17, 31, 33, 63, 65):
        for C in (1, 2, 3, 7, 8, 9, 15, 17, 31, 33, 63, 65):
            x, grad = rng.standard_normal((2, 2, P, C)).astype(dtype)
            vector = rng.standard_normal(C).astype(dtype)
            groups = 3 if C % 3 == 0 else 1
            given = oracle.channel_norm(x, vector, vector, groups, 0.1)
            got = cpu.channel_norm(x, vector, vector, groups, 0.1)
            given += oracle.channel_norm_sums(grad, x, *given[1:], 0.1)
            got += cpu.channel_norm_sums(grad, x, *given[1:3], 0.1)
            given += (oracle.channel_norm_grad(grad, x, vector, *given[1:], 0.1),)
            got += (cpu.channel_norm_grad(grad, x, vector, *given[1:5], 0.1),)
            for a, b in zip(got, given, strict=True):
                assert_close(a, b, 0, atol=tolerance * max(1, abs(b).max()))


@pytest.mark.parametrize("shape, groups", [((1, 4000, 3), 3), ((1, 500, 70), 70), ((3, 50, 40), 4)])
def test_moments_far_from_zero(cpu, level, rng, shape, groups):
    """Around 10000 a float32 variance of 1 must keep its digits: no mean of squares is taken."""
    x = (1e4 + rng.standard_normal(shape)).astype(np.float32)
    one = np.ones(shape[2], np.float32)
    _, mean, variance = cpu.channel_norm(x, one, one, groups, 1e-3)
    parts = x.astype(np.float64).reshape(*shape[:2], groups, -1)
    assert_close(mean, parts.mean((1, 3)), 5e-7)
    assert_close(variance, parts.var((1, 3)), 1e-5)
    rows = x.reshape(-1, shape[2] * 10)
    one = np.ones(rows.shape[1], np.float32)
    _, _, variance = cpu.row_norm(rows, one, one, 1e-3)
    assert_close(variance, rows.astype(np.float64).var(1), 1e-5)


# -- layouts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows, columns", [(3, 70), (70, 5), (100, 16), (83, 39), (16, 12)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed_copies(cpu, level, rng, dtype, rows, columns):
    """Whole tiles and what is left beside them, from a part of an array into a part of another."""
    x = rng.standard_normal((2, rows, columns + 1)).astype(dtype)
    view = x[..., 1:].swapaxes(1, 2)
    np.testing.assert_array_equal(cpu.copy(view), view)
    y, wanted = np.zeros((2, 2, columns, rows + 2), dtype)
    wanted[..., 1:-1] = view
    cpu.copy_into(y[..., 1:-1], view)
    np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_stride(cpu, level, rng, dtype):
    """Negative, zero, permuted and stepped strides of read-only arrays, against the reference."""
    oracle = reference.Backend()
    x = rng.standard_normal((6, 5, 7)).astype(dtype)
    views = [
        *(x[::-1], x[:, ::-2], x[..., ::3], x.transpose(2, 0, 1)[::-1], x[2:3, :, 4:5], x[:0]),
        *(
            np.broadcast_to(x[:1, :, :1], x.shape),
            np.broadcast_to(x[0, 0, 0], (3, 4)),
            x[0, 0, 0:1],
        ),
    ]
    for view in views:
        read_only(view)
        before = view.copy()
        for result, wanted in (
            (cpu.copy(view), view),
            (cpu.exp(view), oracle.exp(view)),
            (cpu.subtract(view, view[::-1]), view - view[::-1]),
            (cpu.multiply(view, np.array(2, dtype)), 2 * view),
            (cpu.subtract(np.array(2, dtype), view), 2 - view),
            (cpu.less(view, view[::-1]), view < view[::-1]),
            (cpu.sum(view, (0,), True), view.sum(axis=0, keepdims=True)),
            (cpu.sum(view, tuple(range(view.ndim)), False), view.sum()),
        ):
            assert result.flags.c_contiguous and result.flags.writeable
            assert not np.shares_memory(result, view)
            assert_close(result, wanted, 1e-5 if dtype == np.float32 else 1e-13)
        np.testing.assert_array_equal(view, before)


def test_a_zero_dimensional_result_is_an_array(cpu):
    zero = np.array(2.0, np.float32)
    for result in (cpu.add(zero, zero), cpu.exp(zero), cpu.less(zero, zero), cpu.copy(zero)):
        assert isinstance(result, np.ndarray) and result.shape == ()
    assert cpu.sum(np.ones(3, np.float32), (0,), False).shape == ()


def test_unpickled_and_swapped_types(cpu):
    """dtype objects that are equal but not identical, and the other byte order."""
    own = np.ones(3, np.dtype("f4", copy=True))
    assert own.dtype is not np.dtype("f4")
    np.testing.assert_array_equal(cpu.add(own, own), np.full(3, 2, np.float32))
    swapped = np.arange(3, dtype=np.dtype("f4").newbyteorder())
    np.testing.assert_array_equal(cpu.add(swapped, swapped), [0, 2, 4])


# -- indices ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [-1, 3, 2**31 - 1])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_bad_index_says_what_the_reference_says(cpu, kind, bad):
    x, indices = np.ones((3, 4), np.float32), np.array([0, bad, 1], kind)
    oracle = reference.Backend()
    for name, args in (
        ("gather", (x, indices)),
        ("scatter_add", (x, indices, 3)),
        ("one_hot", (indices, 3, np.dtype(np.float32))),
        ("cross_entropy", (x.T[:3, :3].copy(), indices)),
    ):
        messages = []
        for backend in (cpu, oracle):
            with pytest.raises(IndexRangeError) as caught:
                getattr(backend, name)(*args)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


# -- the loops which the kernels replace -----------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("C", [1, 5, 20, 75])
@pytest.mark.parametrize("padding", [0, 1, "same"])
def test_max_pool2d_loops(cpu, level, rng, dtype, C, padding):
    g = pool2d_geometry((2, 9, 8, C), (3, 2), (2, 1), padding if C > 1 else 0)
    x = np.round(2 * rng.standard_normal(g.x_shape)).astype(dtype)  # many ties
    x[rng.random(x.shape) < 0.1] = np.nan
    y, place = np.empty(g.y_shape, dtype), np.empty(g.y_shape, np.int32)
    getattr(_pool, f"max_pool2d_loops_{SUFFIX[dtype]}")(read_only(x), y, place, g)
    fast, fast_place = cpu.max_pool2d(x, g)
    np.testing.assert_array_equal(fast, y)
    np.testing.assert_array_equal(fast_place, place)
    np.testing.assert_array_equal(cpu.max_pool2d(x, g, places=False)[0], y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rnn_loops(cpu, level, rng, dtype):
    shapes = [(3, 5, 4), (3, 6), (4, 6), (6, 6), (6,)]
    args = [read_only((rng.standard_normal(s) / 2).astype(dtype)) for s in shapes]
    states = np.empty((3, 5, 6), dtype)
    getattr(_recurrent, f"rnn_forward_loops_{SUFFIX[dtype]}")(*args, states)
    tolerance, fast = 64 * np.finfo(dtype).eps, cpu.rnn_forward(*args, None, None, False)
    assert_close(fast, states, tolerance, atol=tolerance)


# -- the table -------------------------------------------------------------------------------------


def test_uses_numpy_is_the_truth():
    """Exactly the listed kernels are inherited from the reference backend."""
    inherited = {
        name
        for stem in reference.STEMS.values()
        for name, kernel in vars(stem).items()
        if not name.startswith("_") and getattr(CpuBackend, name) is kernel
    }
    assert inherited == set(uses_numpy)


def test_a_backend_without_a_kernel_cannot_be_defined():
    """The sentence names the file: for an operation, the table of its rows."""
    with pytest.raises(
        TypeError, match=r"kernels exp: write .* csrc/elementwise_rows\.h \(and rebuild"
    ):
        type("Broken", (CpuBackend,), {"exp": reference.Elementwise.exp})
    with pytest.raises(TypeError, match=r"kernels max_pool2d: write .* backend/cpu/pool\.py"):
        type("Broken", (CpuBackend,), {"max_pool2d": reference.Pool.max_pool2d})


def test_dropout_keeps_what_bernoulli_says(cpu, level):
    x = np.arange(1, 1001, dtype=np.float64)
    keep = cpu.bernoulli(7, 3, 1 - 0.25, x.shape)
    np.testing.assert_array_equal(cpu.dropout(x, 7, 3, 0.25), np.where(keep, x * (1 / 0.75), 0))
    assert bernoulli_threshold(0.75) == 3 * 2**22
