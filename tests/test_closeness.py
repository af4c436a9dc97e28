"""The one comparison of the suite: what it allows, and that nothing else compares arrays."""

import re
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close, is_close

TESTS = Path(__file__).resolve().parent
#: The kernels' own comparison counts units in the last place, per element, above a floor.
OTHERS = {"closeness.py", "test_closeness.py", "test_backends.py", "test_numpy_calls.py"}


def test_the_tolerance_is_of_the_largest_element():
    want = np.array([1.0, 1e-9])
    assert_close(want + [0, 5e-13], want, 1e-12)  # far off for itself, near for the tensor
    with pytest.raises(AssertionError, match=r"\(1,\): got .* they differ by .*, allowed is 1e-12"):
        assert_close(want + [0, 2e-12], want, 1e-12)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ([1.0, 2.0], [1.0, 2.1]),
        ([1.0], [1.0, 1.0]),
        ([[1.0]], [1.0]),
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.nan]),
        ([np.inf], [-np.inf]),
        ([np.inf, 1.0], [1.0, np.inf]),
        ([1e-30], [0.0]),
        ([True, False], [True, True]),
    ],
)
def test_what_is_not_close(got, want):
    assert not is_close(np.array(got), np.array(want), 1e-3)


@pytest.mark.parametrize("want, place", [(1.0, "()"), (np.array([0.5, 1.0]), "(1,)")])
def test_the_worst_element_is_named(want, place):
    with pytest.raises(AssertionError, match=rf"{re.escape(place)}: got .*2\.0.*, want .*1\.0"):
        assert_close(np.array(want) + (np.array(want) == 1.0), want, 1e-6)


def test_what_is_close():
    assert is_close(np.array([np.nan, np.inf, 1]), np.array([np.nan, np.inf, 1 + 1e-4]), 1e-3)
    assert is_close(np.full((2, 3), 1.0001), 1, 1e-3) and is_close([], [], 0)
    assert is_close([1e-30], [0.0], 1e-3, atol=1e-20) and is_close(3.0, np.float32(3), 0)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.stem)
def test_arrays_are_compared_in_one_way(path):
    """No tolerance per element, which has no floor: NumPy's comparisons are left to the helper.
    `td.allclose` is a function to be tested."""
    found = re.findall(
        r"(?<!\btd\.)\b(?:allclose|isclose|assert_allclose|assert_almost_\w+)\(", path.read_text()
    )
    assert path.name in OTHERS or found == []
