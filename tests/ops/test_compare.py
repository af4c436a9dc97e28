"""Comparisons: NaN, ties, broadcasting, and that they stop gradients."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import DTypeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_comparisons_at_ties():
    x = Tensor([1.0, 2.0, np.nan])
    assert (x == x).tolist() == [True, True, False] and (x != x).tolist() == [False, False, True]
    assert (x <= x).tolist() == [True, True, False] and (x < x).tolist() == [False] * 3


def test_comparisons_broadcast_and_stop_gradients():
    x = Tensor(np.array([[1.0], [2.0]]), requires_grad=True)
    wins = x > Tensor(np.array([0.5, 1.5]))
    assert wins.tolist() == [[True, False], [True, True]] and not wins.requires_grad


def test_operands_of_two_dtypes_and_a_negated_float():
    with pytest.raises(DTypeError, match="less: operands are float32"):
        ops.less(Tensor([1.0]), Tensor(np.ones(1)))
    with pytest.raises(DTypeError, match="logical_not: needs a bool tensor"):
        ops.logical_not(Tensor([1.0]))
