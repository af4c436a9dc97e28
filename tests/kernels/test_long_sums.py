"""Sums of up to a million float32 numbers against float64: no accumulator runs over all of them."""

import numpy as np
import pytest
from cases.kernels import REFERENCE, ROWS
from cases.long_sums import LONG_SUMS, SHORT_SUMS, numbers

#: Of the largest number of a result. One running sum of a million equal numbers is off by 1e-2; one
#: over 512 of them, and another over the results, by 3e-5 at most.
ALLOWED = 3e-5


def wide(argument):
    if isinstance(argument, list):
        return [wide(a) for a in argument]
    floats = isinstance(argument, np.ndarray) and argument.dtype == np.float32
    return argument.astype(np.float64) if floats else argument


def on(target, argument):
    if isinstance(argument, list):
        return [on(target, a) for a in argument]
    return target.asarray(argument) if isinstance(argument, np.ndarray) else argument


def laid_out(target, argument):
    """As `on`, with the strides of a transposed array or of a slice."""
    if isinstance(argument, np.ndarray) and argument.ndim == 2 and argument.T.flags.c_contiguous:
        return target.transpose(target.asarray(np.ascontiguousarray(argument.T)), (1, 0))
    return on(target, argument)


def error_of(target, case, n, fill):
    arguments = case.arguments(n, numbers(fill))
    got = getattr(target, case.kernel)(*[laid_out(target, a) for a in arguments])
    exact = case.want or getattr(REFERENCE, case.kernel)
    want = exact(*[wide(a) for a in arguments])
    pairs = zip(*[r if isinstance(r, tuple) else (r,) for r in (got, want)], strict=True)
    worst = 0.0
    for mine, hers in pairs:
        mine = target.to_numpy(mine)
        assert mine.dtype == np.float32
        worst = max(worst, float(np.abs(mine - hers).max() / np.abs(hers).max()))
    return worst


@pytest.mark.parametrize("case", LONG_SUMS, ids=lambda case: f"{case.kernel}: {case.what}")
def test_a_long_sum_keeps_its_digits(target, case):
    if target.name == "numpy":
        pytest.skip("the reference is NumPy, and adds as NumPy does")
    errors = {
        (n, fill): error_of(target, case, n, fill)
        for n in (10**4, case.most)
        for fill in case.fills
    }
    assert max(errors.values()) <= ALLOWED, errors


def test_every_kernel_with_a_sum_is_in_a_table():
    adding = {row.name for row in ROWS if row.terms is not None} | {"scatter_add"}
    measured = {case.kernel for case in LONG_SUMS}
    assert adding == measured | set(SHORT_SUMS) and not measured & set(SHORT_SUMS)
