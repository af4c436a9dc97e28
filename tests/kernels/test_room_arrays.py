"""What memory.pxd accepts as an array: NumPy's fields are read directly, so nobody else checks."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import backend as backends
from tinydl.backend.cpu import _matmul, _optim, _softmax

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


def misaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    memory[...] = x
    assert not memory.flags.aligned
    return memory


@pytest.mark.parametrize(
    "wrong, found",
    [
        (ROWS.astype("f8"), "'d'"),
        (ROWS.astype("i4"), "'i'"),
        (ROWS.astype(ROWS.dtype.newbyteorder()), "'[<>]f'"),
        (misaligned(ROWS), "'=f'"),
        (np.float64(1), "'d'"),
        ([[1.0, 2.0]], "list"),
        (memoryview(ROWS), "memoryview"),
        (None, "NoneType"),
    ],
)
def test_elements_of_another_kind_are_refused(wrong, found):
    with pytest.raises(TypeError, match=found):
        _matmul.matmul_f32(wrong, ROWS.T, None, np.empty((2, 2), np.float32), False)
    with pytest.raises((TypeError, ValueError)):
        _matmul.matmul_f32(ROWS, ROWS.T, None, wrong, False)


def test_outputs_are_writable_arrays():
    fixed = np.empty_like(ROWS)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        _softmax.softmax(ROWS, fixed)
    with pytest.raises(TypeError, match="not into float32"):
        _softmax.softmax(ROWS, np.float32(0))


def test_too_many_axes_and_broken_strides_are_refused():
    deep = np.ones((1,) * 17 + (3,), np.float32)
    with pytest.raises(ValueError, match="18 axes"):
        _softmax.softmax(deep, np.empty_like(deep))
    records = np.zeros(4, [("a", "u1"), ("b", "f4")])["b"]  # 5 bytes apart
    with pytest.raises(ValueError, match="no whole elements"):
        _softmax.softmax(records, np.empty(4, np.float32))
    cpu = backends.get("cpu")
    np.testing.assert_array_equal(cpu.add(deep, deep), 2 * deep)  # the reference's work
    np.testing.assert_array_equal(cpu.exp(records), np.ones(4))


def test_numbers_and_axes_of_size_one():
    """np.float32(2) counts as an array of shape (); NumPy may leave any stride on an axis of 1."""
    cpu = backends.get("cpu")
    three = np.add(np.float32(1), np.float32(2))
    assert not isinstance(three, np.ndarray)
    for result in (cpu.add(three, ROWS), cpu.exp(three), cpu.where(np.bool_(True), three, three)):
        assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(cpu.multiply(ROWS, three), 3 * ROWS)
    found = np.zeros(1)
    assert _optim.norms([three], False, found) and found[0] == 3
    odd = np.lib.stride_tricks.as_strided(ROWS, (1, 3), (4 * 12345, 4))
    y = np.empty((1, 3), np.float32)
    _softmax.softmax(odd, y)
    assert_close(y.sum(), 1, 1e-6)


def test_results_are_plain_arrays():
    """Also of np.matrix, whose own results would be matrices."""
    cpu = backends.get("cpu")
    matrix = ROWS.view(np.matrix)
    for result in (cpu.add(matrix, matrix), cpu.relu(matrix), cpu.matmul(matrix, ROWS.T)):
        assert type(result) is np.ndarray
