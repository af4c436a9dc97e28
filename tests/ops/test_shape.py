"""Views, padding and concatenation: sharing, adjoints, errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_views_share_storage():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    for view in (x.reshape(3, 2), x.T, x[:, 1:], ops.broadcast_to(x, (4, 2, 3))):
        assert np.shares_memory(view.data, x.data)


def test_padding_with_a_value():
    x = Tensor(np.array([[1.0]]), requires_grad=True)
    y = ops.pad(x, ((1, 0), (0, 2)), value=7.0)
    assert y.tolist() == [[7, 7, 7], [1, 7, 7]]
    (y * y).sum().backward()
    assert x.grad.tolist() == [[2]]


def test_slices_read_and_write_back_the_same_cells():
    x = Tensor(np.arange(7.0), requires_grad=True)
    y = x[6:0:-2]
    assert y.tolist() == [6, 4, 2]
    (y * Tensor(np.array([1.0, 10.0, 100.0]))).sum().backward()
    assert x.grad.tolist() == [0, 0, 100, 0, 10, 0, 1]


def test_concatenation_of_empty_parts():
    a, b = Tensor(np.zeros((0, 2)), requires_grad=True), Tensor(np.ones((1, 2)), requires_grad=True)
    y = ops.concat([a, b, a])
    y.sum().backward()
    assert y.tolist() == [[1, 1]] and a.grad.shape == (0, 2) and b.grad.tolist() == [[1, 1]]


def test_reshape_infers_one_size():
    x = Tensor(np.arange(6.0))
    assert x.reshape(2, -1).shape == (2, 3) and x.reshape((3, 2)).shape == (3, 2)
    assert x.reshape(6) is x


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: x.reshape(4), r"\(2, 3\) has 6 elements but \(4,\) needs 4"),
        (lambda x: x.reshape(-1, -1), "one -1"),
        (lambda x: x.reshape(4, -1), r"cannot turn \(2, 3\)"),
        (lambda x: x.transpose((0, 0)), "no permutation"),
        (lambda x: x.permute(0), "no permutation"),
        (lambda x: x.broadcast_to(3, 3), r"\(2, 3\) does not broadcast to \(3, 3\)"),
        (lambda x: x.broadcast_to(3), "does not broadcast"),
        (lambda x: x.squeeze(0), "not of size 1"),
        (lambda x: x.expand_dims(3), "out of range"),
        (lambda x: ops.pad(x, ((1, 1),)), "one .before, after. >= 0 for each of the 2 axes"),
        (lambda x: ops.pad(x, ((1, 1), (-1, 0))), ">= 0"),
        (lambda x: ops.concat([]), "at least one tensor"),
        (lambda x: ops.concat([x, x.T]), r"tensor 1 has shape \(3, 2\)"),
        (lambda x: ops.concat([x, x], 2), "axis 2 is out of range"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ShapeError, match=words):
        call(Tensor(np.zeros((2, 3))))


def test_concatenation_of_two_dtypes():
    with pytest.raises(DTypeError, match="tensor 1 is float64 but tensor 0 is float32"):
        ops.concat([Tensor([1.0]), Tensor(np.ones(1))])
