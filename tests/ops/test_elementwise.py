"""Conventions of elementwise operations at kinks, ties and poles, and their errors."""

import numpy as np
import pytest

from tinydl import Tensor, grad, ops
from tinydl.errors import ConfigError, DTypeError
from tinydl.testing import check_grads

pytestmark = pytest.mark.usefixtures("on_numpy")


def gradient(function, *values):
    leaves = [Tensor(np.array(v, np.float64), requires_grad=True) for v in values]
    function(*leaves).sum().backward()
    return [None if t.grad is None else t.grad.tolist() for t in leaves]


def test_relu_at_zero():
    assert gradient(ops.relu, [-1.0, -0.0, 0.0, 1.0]) == [[0, 0, 0, 1]]


def test_abs_at_zero():
    assert gradient(ops.abs, [-2.0, -0.0, 0.0, 2.0]) == [[-1, 0, 0, 1]]


def test_maximum_shares_ties_in_halves():
    assert gradient(ops.maximum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == [[0, 0.5, 1], [1, 0.5, 0]]


def test_maximum_with_one_number_shares_ties_too():
    (g,) = gradient(lambda x: ops.maximum(x, x._lift(0.0)), [-1.0, 0.0, 1.0])
    assert g == [0, 0.5, 1]


def test_power_of_zero():
    """d/da a^b at 0: 0 for b = 0, 1 for b = 1, 0 for b > 1; d/db 0^b = 0."""
    a, b = gradient(ops.power, [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 2.5])
    assert a == [0, 1, 0, 0] and b == [0, 0, 0, 0]


def test_integer_powers_of_negative_numbers():
    (g,) = gradient(lambda x: x**3.0, [-2.0, -1.0, 0.0])
    assert g == [12, 3, 0]


def test_second_derivative_of_a_square_at_zero():
    x = Tensor(np.zeros(2), requires_grad=True)
    (first,) = grad((x**2.0).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert second.tolist() == [2, 2]


def test_a_negative_base_with_a_constant_exponent():
    x = Tensor(np.array([-1.5, 2.0]))
    check_grads(lambda t: t**3.0, x)
    check_grads(lambda t: t**-2.0, x)


def test_sqrt_at_zero_is_infinite():
    (g,) = gradient(ops.sqrt, [0.0, 4.0])
    assert g == [np.inf, 0.25]


def test_log_at_zero_and_below():
    assert ops.log(Tensor([0.0])).item() == -np.inf and np.isnan(ops.log(Tensor([-1.0])).item())


def test_division_by_zero_follows_ieee():
    got = (Tensor([1.0, -1.0, 0.0]) / Tensor([0.0, 0.0, 0.0])).numpy()
    assert got[0] == np.inf and got[1] == -np.inf and np.isnan(got[2])


def test_sigmoid_and_tanh_saturate_without_nan():
    x = [-1000.0, 0.0, 1000.0]
    assert gradient(ops.sigmoid, x) == [[0, 0.25, 0]] and gradient(ops.tanh, x) == [[0, 1, 0]]


def test_where_sends_each_gradient_to_its_branch():
    condition = Tensor(np.array([True, False]))
    a, b = gradient(lambda a, b: ops.where(condition, a, b), [1.0, 2.0], [3.0, 4.0])
    assert a == [1, 0] and b == [0, 1]


def test_where_does_not_leak_the_other_branch():
    """A NaN of the branch not taken stays out of the value, and out of its own input's gradient."""
    x = Tensor(np.array([0.0, 4.0]), requires_grad=True)
    safe = ops.where(x > 0.0, x, x._lift(1.0))
    ops.where(x > 0.0, ops.log(safe), x._lift(0.0)).sum().backward()
    assert x.grad.tolist() == [0, 0.25]


def test_gradients_of_broadcast_operands_are_summed():
    a, b = gradient(ops.multiply, [[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])
    assert a == [[10, 20], [10, 20]] and b == [4, 6]


def test_astype_passes_gradients_between_floats_only():
    x = Tensor(np.array([1.5, 2.5], np.float32), requires_grad=True)
    wide = x.astype("float64")
    (wide * wide).sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [3, 5]
    assert not x.astype("int64").requires_grad


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_empty_tensors(shape):
    x = Tensor(np.zeros(shape), requires_grad=True)
    y = ops.relu(ops.exp(x) * x + 1.0)
    assert y.shape == shape
    y.sum().backward()
    assert x.grad.shape == shape


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "sigmoid", "relu"])
def test_integers_are_refused(name):
    with pytest.raises(DTypeError, match=rf"{name}: needs a float tensor, got int64 \(2,\)"):
        getattr(ops, name)(Tensor([1, 2]))


def test_conditions_are_bool():
    with pytest.raises(DTypeError, match="where: condition must be bool"):
        ops.where(Tensor([1.0]), Tensor([1.0]), Tensor([1.0]))
    with pytest.raises(DTypeError, match="where: branches are"):
        ops.where(Tensor([True]), Tensor([1.0]), Tensor([1]))
    with pytest.raises(DTypeError, match="logical_not: needs a bool tensor"):
        ~Tensor([1.0])


@pytest.mark.parametrize("asked", ["t * 1", "t * 2", "1 + t", "t + 0", "t == 2"])
def test_truth_values_are_no_integers(asked):
    """NumPy and PyTorch count on in int64; a type that stayed bool would lose every count."""
    with pytest.raises(DTypeError, match=r"bool tensor with the integer .*use .astype\('int64'\)"):
        eval(asked, {"t": Tensor([True, False])})


def test_truth_values_compare_with_0_and_1():
    t = Tensor([True, False])
    assert (t == 1).tolist() == (t != 0).tolist() == (t > 0).tolist() == [True, False]
    assert (t & True).tolist() == (t + True).tolist()[:1] + [False]
    with pytest.raises(DTypeError, match="masked_fill: bool does not hold 2"):
        ops.masked_fill(t, t, 2)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_powers_of_integers(backend, dtype):
    """As NumPy's, wrapping too; of negative exponents what is left of 1 / a^n."""
    a, b = np.arange(-4, 5).astype(dtype)[:, None], np.array([0, 1, 2, 3, 63, 70], dtype)
    x, n = (Tensor(t, backend=backend) for t in (a, b))
    got = x**n
    assert got.dtype == dtype and np.array_equal(got.numpy(), a**b)
    assert np.array_equal((x**3).numpy(), a**3) and np.array_equal((2**n).numpy(), 2**b)
    if dtype != "uint8":
        inverse = (x[2:7] ** Tensor(np.array([-1, -2], dtype), backend=backend)).tolist()
        assert inverse == [[0, 0], [-1, 1], [0, 0], [1, 1], [0, 0]]
        with pytest.raises(ConfigError, match=f"power: {dtype} tensor to the negative power -1"):
            x**-1
    with pytest.raises(DTypeError, match="power: needs a float tensor, got bool"):
        (x > 0) ** (x > 0)
