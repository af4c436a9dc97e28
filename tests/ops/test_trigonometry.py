"""Inverse and hyperbolic functions: their digits near 0 and far out, ends of domains; running
products, quantiles, and what is no number."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
PAIRS = {
    "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
    "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip
NEAR_AND_FAR = [
    0.0,
    1e-30,
    1e-12,
    3e-5,
    0.2,
    0.999,
    1.0,
    1.0001,
    1.7,
    2.0,
    3.5,
    20.0,
    89.0,
    1e15,
    1e30,
]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_number_by_itself_is_numpys(name, dtype):
    """Each to some units of its own last place: nothing cancels, nothing overflows early."""
    x = np.array([*NEAR_AND_FAR, *(-np.array(NEAR_AND_FAR))], dtype)
    if name == "tan":
        x = x[np.abs(x) < 1.5]
    found = getattr(td, name)(Tensor(x)).numpy().astype(np.float64)
    wanted = PAIRS[name](x.astype(np.float64)).astype(dtype).astype(np.float64)
    assert np.array_equal(np.isfinite(found), np.isfinite(wanted))
    there = np.isfinite(wanted) & (wanted != 0)
    error = np.abs(found[there] / wanted[there] - 1).max()
    assert error <= 32 * np.finfo(dtype).eps
    assert np.array_equal(np.isnan(found), np.isnan(wanted))


def test_slopes_at_zero_and_at_the_ends():
    def slope(function, at):
        x = Tensor(np.array([at]), requires_grad=True)
        function(x).sum().backward()
        return x.grad.item()

    for name in ("asin", "atan", "sinh", "asinh", "atanh", "tan"):
        assert slope(getattr(td, name), 0.0) == 1.0
    assert slope(td.cosh, 0.0) == 0.0 and slope(td.acos, 0.0) == -1.0
    assert slope(td.asin, 1.0) == np.inf and slope(td.atanh, 1.0) == np.inf
    assert slope(td.acosh, 1.0) == np.inf


def test_logaddexp_of_the_least_and_the_largest():
    a, b = np.array([-np.inf, -np.inf, 1e4, -1e4]), np.array([-np.inf, 2.0, 1e4, -1e4])
    found = td.logaddexp(Tensor(a), Tensor(b)).numpy()
    assert np.array_equal(found[:2], [-np.inf, 2.0])
    assert_close(found[2:], np.array([1e4, -1e4]) + np.log(2), 1e-15)
    assert td.logaddexp(Tensor(a), 0.0).shape == (4,)


def test_products_have_gradients_beside_zeros():
    x = Tensor(np.array([2.0, 0.0, 3.0, 0.0]), requires_grad=True)
    y = td.cumprod(x, axis=0)
    assert np.array_equal(y.numpy(), [2, 0, 0, 0])
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), [1, 8, 0, 0])  # 1 + x_2 + x_2 x_3; 2 + 2 x_3; 0; 0
    with pytest.raises(ConfigError, match="cumprod: needs an axis"):
        td.cumprod(x)
    with pytest.raises(DTypeError, match="cumprod: needs a float"):
        td.cumprod(Tensor([1, 2]), axis=0)


def test_quantiles_of_no_number_and_what_they_refuse():
    x = Tensor(np.array([[3.0, 1.0, np.nan], [4.0, 1.0, 2.0]]))
    assert np.array_equal(td.median(x, axis=1).numpy(), [np.nan, 2.0], equal_nan=True)
    assert td.quantile(x[1], 0.25).item() == 1.5 and td.median(x[1:], keepdims=True).shape == (1, 1)
    with pytest.raises(ConfigError, match=r"q must be in \[0, 1\], got 1.5"):
        td.quantile(x, 1.5)
    with pytest.raises(ShapeError, match="has no elements"):
        td.median(Tensor(np.zeros((2, 0))), axis=1)
    with pytest.raises(DTypeError, match="quantile: needs a float"):
        td.median(Tensor([1, 2]))


def test_what_is_no_number():
    x = Tensor(np.array([1.0, np.nan, np.inf, -np.inf]), requires_grad=True)
    assert td.isnan(x).numpy().tolist() == [False, True, False, False]
    assert td.isinf(x).numpy().tolist() == [False, False, True, True]
    assert td.isfinite(x).numpy().tolist() == [True, False, False, False]
    whole = Tensor([1, 2])
    assert td.isfinite(whole).numpy().all() and not td.isnan(whole).numpy().any()
    assert not td.isinf(whole).numpy().any()
    replaced = ops.nan_to_num(x, nan=7.0, neginf=-5.0)
    most = np.finfo(np.float64).max
    assert replaced.numpy().tolist() == [1.0, 7.0, most, -5.0]
    replaced.sum().backward()
    assert x.grad.numpy().tolist() == [1, 0, 0, 0]
