"""No formula leaves float32's range before its result does.

Every row of `cases` and every loss at scales from 1e-30 to 1e30: values, first and second
derivatives in float32 against the same in float64, wherever those are float32 numbers. The rule is
|a - b| <= tol * max|b| per tensor.
"""

import numpy as np
import pytest
from cases import losses as rows
from closeness import assert_close

from tinydl import Tensor, grad, nn, ops
from tinydl.backend import use_backend
from tinydl.nn import Linear, Parameter, WeightNorm
from tinydl.optim import clip_by_global_norm, clip_by_norm
from tinydl.testing import Draw
from tinydl.testing.cases import ROWS

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
SCALES = (1e-30, 1e-22, 1e-10, 1e10, 1e19, 1e22, 1e30)
LARGEST, SMALLEST = 1e37, 1e-35
TOLERANCE = 2e-4

#: Here a square leaves the range at 1e19: to bring x down would take a pass over x more, in the
#: layers that every training step runs. Values up to LARGEST_SQUARE are right.
SQUARES = {
    "batch_norm", "batch_norm_with_statistics", "layer_norm", "instance_norm", "group_norm",
    "local_response_norm",
}  # fmt: skip
LARGEST_SQUARE = 1e18
#: Only the first input is scaled: products of two large inputs are numbers of their own (scores,
#: sums before an activation, the exponent of a power), and places in an image are no amounts.
FIRST_ONLY = {case.name for case in ROWS if case.name.startswith(("rnn_", "lstm_", "gru_"))}
FIRST_ONLY |= {"power", "attention_weights", "scaled_dot_product_attention", "grid_sample"}
#: Their second derivative at 0 is a difference of equal numbers: rounding (1e-8), not range.
FIRST_ORDER = {"sigmoid", "masked_softmax", "attention_weights", "asin", "acos", "atanh", "sinh"}


@pytest.fixture(autouse=True)
def backend_of_the_test(request):
    """Operations run on the compiled backend, compositions of them on the reference."""
    name = "cpu" if "every_operation" in request.node.name else "numpy"
    with use_backend(name):
        yield


def derivatives(call, arrays, dtype, differentiable):
    """[values, gradients, second derivatives] as float64; the later ones None where there is no
    path."""
    leaves = [
        Tensor(a.astype(dtype) if a.dtype.kind == "f" else a, requires_grad=i in differentiable)
        for i, a in enumerate(arrays)
    ]
    y = call(*leaves)
    y = y if isinstance(y, Tensor) else y[0]
    levels = [[y]]
    wanted = [leaves[i] for i in differentiable]
    for seed in (1, 2):
        outputs = [t for t in levels[-1] if t is not None and t.requires_grad]
        if not outputs:
            break
        rng = np.random.default_rng(seed)
        incoming = [Tensor(rng.uniform(0.5, 1.5, t.shape).astype(dtype)) for t in outputs]
        levels.append(
            list(grad(outputs, wanted, incoming, create_graph=seed == 1, allow_unused=True))
        )
    return [[None if t is None else t.numpy().astype(np.float64) for t in ts] for ts in levels]


def fits(tensors):
    """Whether all are numbers that float32 has."""
    return all(t is None or (np.isfinite(t).all() and abs(t).max(initial=0) < LARGEST)
               for t in tensors)  # fmt: skip


def compare(call, arrays, differentiable, what, order=2):
    want = derivatives(call, arrays, np.float64, differentiable)
    got = derivatives(call, arrays, np.float32, differentiable)
    for level, (ours, exact) in enumerate(zip(got, want, strict=True)):
        if level > order or not fits(exact):
            return  # what comes later needs it
        for i, (a, b) in enumerate(zip(ours, exact, strict=True)):
            if b is None or b.size == 0:
                continue
            limit = TOLERANCE * abs(b).max() + SMALLEST
            worst = abs(a - b).max()
            assert worst <= limit, f"{what}: derivative {level} by input {i}: {a} but {b}"


@pytest.mark.parametrize("case", [c for c in ROWS if c.order == 2], ids=lambda c: c.name)
def test_every_operation_at_every_scale(case):
    example = case.draw(Draw(3))
    floats = [i for i, a in enumerate(example.inputs) if a.dtype == np.float64]
    scaled = floats[:1] if case.name in FIRST_ONLY else floats
    order = 1 if case.name in FIRST_ORDER else 2
    for scale in SCALES:
        if case.name in SQUARES and scale > LARGEST_SQUARE:
            continue
        arrays = [a * scale if i in scaled else a for i, a in enumerate(example.inputs)]
        arrays = [a.astype(np.float32).astype(a.dtype) for a in arrays]
        compare(lambda *t: case.function(*t, **example.options), arrays, floats, scale, order)


#: Inputs of the losses that may have any size; the others are targets, classes, probabilities.
FREE = [rows.X, rows.T, rows.A, rows.B, rows.C, rows.IMAGES, rows.STEPS]


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("name", rows.ALL)
def test_every_loss_at_every_scale(name, reduction):
    loss, arrays = rows.ALL[name]
    floats = [i for i, a in enumerate(arrays) if a.dtype == np.float64]
    floats = floats[:1] if name in rows.CONSTANTS else floats
    for scale in SCALES:
        scaled = [a * scale if any(a is f for f in FREE) else a for a in arrays]
        scaled = [a.astype(np.float32).astype(a.dtype) for a in scaled]
        compare(lambda *t: loss(*t, reduction=reduction), scaled, floats, scale)


@pytest.mark.parametrize("call", [ops.divide, ops.atan2, ops.multiply], ids=lambda f: f.__name__)
@pytest.mark.parametrize("first", SCALES)
def test_two_operands_of_any_two_scales(call, first):
    a, b = np.array([1.5, -0.7, 0.3]), np.array([-1.2, 0.4, 2.0])
    for second in SCALES:
        arrays = [x.astype(np.float32).astype(float) for x in (a * first, b * second)]
        compare(call, arrays, [0, 1], (first, second))


@pytest.mark.parametrize("size", [1e-25, 1e-20, 1e20, 1e30])
@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_norms_and_clipping_of_any_size(backend, size):
    x = Tensor(np.full(4, size, np.float32), backend=backend)
    for p in (1, 1.5, 2, 3, np.inf):
        want = size * (4 ** (1 / p) if p != np.inf else 1)
        assert_close(ops.norm(x, p).item(), want, 1e-6)
    assert ops.std(x * Tensor(np.array([1, -1, 1, -1], np.float32), backend=backend)).item() == (
        pytest.approx(size, rel=1e-6)
    )
    assert_close(ops.l2_normalize(x, eps=0.0).numpy(), 0.5, 1e-6)
    assert nn.cosine(x, x).item() == pytest.approx(0, abs=1e-6)
    for clip in (clip_by_norm, clip_by_global_norm):
        p = Parameter(np.zeros(4, np.float32), backend=backend)
        p.grad = x
        clip([p], size / 10)
        assert_close(p.grad.numpy(), size / 20, 1e-6)


def test_a_gradient_whose_norm_is_not_finite_is_left():
    p = Parameter(np.zeros(4, np.float32))
    for value in (3e38, np.inf, np.nan):
        p.grad = Tensor(np.full(4, value, np.float32))
        clip_by_norm([p], 1.0)
        np.testing.assert_array_equal(p.grad.numpy(), np.full(4, value, np.float32))


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_weight_norm_of_any_size(size):
    layer = Linear(3, 2, bias=False)
    layer.weight.assign(np.full((3, 2), size, np.float32))
    working = WeightNorm(layer)
    assert_close(working.gain.numpy(), size * 3**0.5, 1e-6)
    assert_close(working.normalized().numpy(), size, 1e-6)


@pytest.mark.parametrize("n", range(5))
def test_a_power_has_all_derivatives_at_zero(n):
    """Also beyond the n-th, which are 0; as a constant exponent and as a tensor of exponents."""
    for exponent in (float(n), Tensor(np.array([n, n], float))):
        y = x = Tensor(np.array([0.0, 2.0]), requires_grad=True)
        y, factor = x**exponent, 1.0
        for order in range(1, n + 4):
            (y,) = grad(y.sum(), x, create_graph=True)
            factor *= max(n - order + 1, 0)
            want = [factor * (1.0 if order == n else 0.0), factor * 2.0 ** max(n - order, 0)]
            assert_close(y.numpy(), want, 1e-12)


def test_a_power_by_both_operands():
    """d/da, d/db and the mixed derivative of a^b, also at b = 0 and at a = 0."""
    a = Tensor(np.array([2.0, 2.0, 0.0]), requires_grad=True)
    b = Tensor(np.array([3.0, 0.0, 2.0]), requires_grad=True)
    by_a, by_b = grad((a**b).sum(), [a, b], create_graph=True)
    assert_close(by_a.numpy(), [12, 0, 0], 1e-7)
    assert_close(by_b.numpy(), [8 * np.log(2), np.log(2), 0], 1e-7)
    mixed = grad(by_a.sum(), b)[0].numpy()
    assert_close(mixed, [4 + 12 * np.log(2), 0.5, 0], 1e-7)


def test_a_product_that_is_switched_off_is_zero_however_large():
    """0 times an overflowing square is no loss and no NaN."""
    a, b = (Tensor(np.full((1, 2), s, np.float32), requires_grad=True) for s in (1e25, -1e25))
    loss = nn.contrastive(a, b, Tensor(np.zeros(1, np.float32)))
    assert loss.item() == 0
    assert not grad(loss, a)[0].numpy().any()
    same = nn.triplet(a, b, b, squared=True)
    assert same.item() == 1


@pytest.mark.parametrize("beta, d", [(1e-30, 1e-10), (1e20, 1e30), (1e-30, 1e30), (1e20, 1e19)])
def test_smooth_l1_of_any_break(beta, d):
    def loss(x, t):
        return nn.smooth_l1(x, t, "sum", beta=beta)

    compare(loss, [np.array([d, -d * 2]), np.zeros(2)], [0, 1], (beta, d))


@pytest.mark.parametrize("log_variance, d", [(-180.0, 1e-30), (-180.0, 0.0), (170.0, 1e30)])
def test_gaussians_of_any_width(log_variance, d):
    """d^2 e^-log_variance is a number where e^(-log_variance / 2) is none."""
    mean, width = np.array([[d, -d]]), np.full((1, 2), log_variance)
    zero = np.zeros((1, 2))
    compare(lambda m, s, t: nn.gaussian_nll(m, s, t), [mean, width, zero], [0, 1], "nll")
    compare(
        lambda m, s, p: nn.kl_gaussian(m, p, p * 0.0, s),
        [mean, width, zero],
        [0, 1],
        "kl",
        order=0 if log_variance > 0 else 2,
    )
