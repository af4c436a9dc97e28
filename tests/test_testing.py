"""tinydl.testing: it finds wrong gradients, says where, and draws what it promises."""

import doctest

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

import tinydl
from tinydl import Function, Tensor, ops
from tinydl.errors import ConfigError, DTypeError, TinydlError
from tinydl.geometry import conv2d_geometry, pool2d_geometry
from tinydl.testing import (
    CASES,
    Draw,
    GradientError,
    OpCase,
    check_grads,
    gradcheck_op,
    gradients,
    numerical_gradient,
)
from tinydl.testing import strategies as ts
from tinydl.testing.cases import Example

pytestmark = pytest.mark.usefixtures("on_numpy")


class Softplus(Function):
    """log(1 + e^x), an operation as a user would write it."""

    saves = (0,)

    def forward(self, x):
        k = self.backend
        return k.log(k.add(k.exp(x), k.scalar(1, x.dtype)))

    def backward(self, grad):
        return grad * ops.sigmoid(self.saved[0])


class WrongSign(Softplus):
    def backward(self, grad):
        return -grad * ops.sigmoid(self.saved[0])


class WrongEntry(Function):
    """x * w, whose gradient of w loses its last element."""

    saves = (0, 1)

    def forward(self, x, w):
        return self.backend.multiply(x, w)

    def backward(self, grad):
        x, w = self.saved
        mask = Tensor(np.array([1.0, 1.0, 0.0]), backend=grad.backend)
        return grad * w, grad * x * mask


class WrongSecond(Function):
    """x^3 whose backward returns a constant: right at first order, wrong at second."""

    saves = (0,)

    def forward(self, x):
        return self.backend.multiply(x, self.backend.multiply(x, x))

    def backward(self, grad):
        (x,) = self.saved
        return grad * (x.detach() * x * 3.0)


class ForgetsCotangent(Function):
    """2 x whose backward cuts the incoming gradient out of the graph."""

    def forward(self, x):
        return self.backend.add(x, x)

    def backward(self, grad):
        return grad.detach() * 2.0


def call(function):
    """A fresh node for each call."""
    return lambda *inputs: function().apply(*inputs)


def points(*shape):
    return Tensor(np.random.default_rng(0).normal(size=shape))


def test_a_users_operation_passes():
    assert check_grads(call(Softplus), points(3, 2)) < 1e-7
    assert check_grads(lambda x: Softplus().apply(x), [points(4)], order=3) < 1e-5


def test_a_wrong_sign_is_found():
    with pytest.raises(GradientError, match=r"order 1, input 0 of shape \(3,\): .* backward gives"):
        check_grads(call(WrongSign), points(3))


def test_the_worst_entry_is_located():
    with pytest.raises(GradientError) as caught:
        check_grads(call(WrongEntry), [points(3), points(3)])
    text = str(caught.value)
    assert "input 1 of shape (3,)" in text and "central differences" in text
    assert "d output 0[2] / d input 1[2]: backward 0, differences 0.64" in text


def test_a_wrong_second_derivative_is_found():
    check_grads(call(WrongSecond), points(3), order=1)
    with pytest.raises(GradientError, match="order 2, input 0"):
        check_grads(call(WrongSecond), points(3))


def test_a_lost_dependence_on_the_incoming_gradient_is_found():
    check_grads(call(ForgetsCotangent), points(3), order=1)
    with pytest.raises(GradientError, match="order 2, the order-1 cotangent"):
        check_grads(call(ForgetsCotangent), points(3))


def test_large_failures_are_not_located():
    with pytest.raises(GradientError, match="too large to look for the worst entry"):
        check_grads(call(WrongSign), points(200))


def test_a_nan_is_a_failure():
    with pytest.raises(GradientError):
        check_grads(lambda x: ops.log(x), Tensor(np.array([-1.0])))


def test_the_error_is_an_assertion_and_one_of_ours():
    assert issubclass(GradientError, AssertionError) and issubclass(GradientError, TinydlError)


def test_float32_is_refused():
    with pytest.raises(DTypeError, match="input 0 is float32, whose rounding hides"):
        check_grads(ops.exp, Tensor([1.0]))
    with pytest.raises(DTypeError, match="a result is float32"):
        check_grads(lambda x: x.astype("float32"), points(2))
    with pytest.raises(DTypeError, match="no input is float64"):
        check_grads(lambda x: x, Tensor([1]))
    with pytest.raises(DTypeError, match="input 0 is a list"):
        check_grads(ops.exp, [[1.0]])


def test_integer_inputs_are_constants():
    check_grads(ops.gather, [points(3, 2), Tensor(np.array([0, 2, 0]))])


def test_several_outputs():
    check_grads(lambda x: (x * x, ops.exp(x)), points(3))
    with pytest.raises(GradientError):
        check_grads(lambda x: (x * x, WrongSign().apply(x)), points(3))


def test_outputs_that_depend_on_nothing():
    assert check_grads(lambda x: ops.sign(x), Tensor(np.array([1.0, -2.0]))) == 0
    with pytest.raises(GradientError, match="backward gives 0,"):
        check_grads(lambda x: x.detach() * 2.0, points(2))


def test_numbers_and_empty_tensors():
    check_grads(ops.exp, points())
    check_grads(ops.exp, Tensor(np.zeros((0, 3))))


def test_it_leaves_gradients_and_recording_alone():
    x = Tensor(np.ones(2), requires_grad=True)
    with tinydl.no_grad():
        check_grads(ops.exp, x)
        assert not tinydl.is_recording()
    assert x.grad is None


def test_numerical_gradient():
    x, i = points(2, 2), Tensor(np.array([0, 0]))
    f = lambda x, i: (ops.gather(x, i) * ops.gather(x, i)).sum()  # noqa: E731
    g, nothing = numerical_gradient(f, [x, i])
    want = x.numpy() * np.array([[4.0], [0.0]])
    assert nothing is None
    assert_close(g, want, 1e-5, atol=1e-9)


def test_docstring_examples():
    failed, tried = doctest.testmod(gradients)
    assert tried > 3 and failed == 0


# -- gradcheck_op ----------------------------------------------------------------------------------


def test_gradcheck_op_reports():
    report = gradcheck_op("tanh", examples=3, backend="numpy")
    assert (report.name, report.order, report.examples) == ("tanh", 2, 3) and report.largest < 1e-6
    assert str(report).startswith("tanh: 3 examples, derivatives up to order 2 agree")
    assert "forward only" in str(gradcheck_op("sign", examples=2, backend="numpy"))


def test_gradcheck_op_of_an_unknown_name():
    with pytest.raises(ConfigError, match=r"no operation 'tanhh'; there are tanh"):
        gradcheck_op("tanhh")
    with pytest.raises(ConfigError, match=r"no operation '#'; there are abs, acos, "):
        gradcheck_op("#")


def test_gradcheck_op_fails_with_the_seed(monkeypatch):
    wrong = OpCase("wrong", lambda x: WrongSign().apply(x), lambda d: Example((d.normal((2,)),)))
    monkeypatch.setitem(CASES, "wrong", wrong)
    with pytest.raises(GradientError, match=r"wrong, seed 7, shapes \(2,\)"):
        gradcheck_op("wrong", seed=7)


# -- draws and strategies --------------------------------------------------------------------------


@given(ts.seeds(), ts.shapes(0, 3, 0, 5))
def test_distinct_values_are_far_apart(seed, shape):
    values = np.sort(Draw(seed).distinct(shape, gap=0.02).ravel())
    assert np.all(np.diff(values) >= 0.02)


@given(ts.arrays(kind="away_from_zero"), ts.arrays(kind="positive"), ts.arrays(dtype=np.float32))
def test_kinds(away, positive, single):
    assert np.all(np.abs(away) >= 0.1) and np.all(positive > 0) and single.dtype == np.float32


@given(ts.broadcastable_pairs())
def test_pairs_broadcast(pair):
    a, b = pair
    assert (a + b).dtype == np.float64


@given(ts.conv2d_geometries())
def test_conv_geometries_are_legal(drawn):
    g = conv2d_geometry(drawn["x_shape"], drawn["weight_shape"], **drawn["options"])
    assert min(g.OH, g.OW) >= 1


@given(ts.pool2d_geometries())
def test_pool_geometries_are_legal(drawn):
    g = pool2d_geometry(drawn["x_shape"], **drawn["options"])
    assert min(g.OH, g.OW) >= 1


def test_geometries_reach_the_hard_cases():
    """Dropped tail rows, one-sided padding, gaps, groups, 'same' with a stride: all are drawn."""
    seen = set()
    for seed in range(400):
        drawn = Draw(seed).conv2d()
        g = conv2d_geometry(drawn["x_shape"], drawn["weight_shape"], **drawn["options"])
        top, bottom, left, right = g.padding
        span = g.dilation[0] * (g.KH - 1) + 1
        seen |= {
            "tail" if (g.H + top + bottom - span) % g.stride[0] else "",
            "one-sided" if top != bottom or left != right else "",
            "dilated" if max(g.dilation) > 1 and max(g.KH, g.KW) > 1 else "",
            "grouped" if g.groups > 1 and g.C // g.groups > 1 else "",
            "same" if drawn["options"]["padding"] == "same" and g.stride[0] > 1 else "",
            "kernel above image" if g.KH > g.H else "",
            "stride above kernel" if g.stride[0] > g.KH else "",
        }
    assert len(seen - {""}) == 7, seen


@given(ts.tensors(st.just((2, 3)), backend="numpy", requires_grad=True))
def test_tensors(t):
    assert t.shape == (2, 3) and t.requires_grad and t.dtype == np.float64
