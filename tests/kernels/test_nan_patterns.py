"""NaN stays visible: in whatever place it enters a kernel, it leaves in the same places on all
backends and levels."""

import numpy as np
import pytest
from cases.kernels import REFERENCE, ROWS

from tinydl.testing import Draw

SPOILERS = (np.nan, np.inf, -np.inf)


def float_arrays(arguments):
    """(position, index in a list or None) of every array of floats that is not empty."""
    for i, argument in enumerate(arguments):
        parts = list(enumerate(argument)) if isinstance(argument, list) else [(None, argument)]
        for k, part in parts:
            if isinstance(part, np.ndarray) and part.dtype.kind == "f" and part.size:
                yield i, k


def fresh(x):
    return np.array(x, order="C") if isinstance(x, np.ndarray) else x


def spoiled(arguments, place, value, rng):
    """A copy of the arguments with one element of one array replaced."""
    copies = [[fresh(a) for a in x] if isinstance(x, list) else fresh(x) for x in arguments]
    i, k = place
    target = copies[i] if k is None else copies[i][k]
    target.reshape(-1)[rng.integers(target.size)] = value  # a view: the copies are contiguous
    return copies


def results_of(backend, case, arguments):
    device = [
        [backend.asarray(fresh(a)) for a in x]
        if isinstance(x, list)
        else backend.asarray(fresh(x))
        if isinstance(x, np.ndarray)
        else x
        for x in arguments
    ]
    result = getattr(backend, case.name)(*device)
    if case.writes:
        result = [a for i in case.writes for a in device[i] or []]
    several = result if isinstance(result, tuple | list) else (result,)
    return [backend.to_numpy(y) for y in several if y is not None]


def nowhere(y):
    return np.zeros(y.shape, bool)


def pattern(y, value):
    """Where y is NaN; if infinity went in, where y is not finite: with another order of additions
    it may become NaN or stay."""
    if y.dtype.kind != "f":
        return nowhere(y)
    return np.isnan(y) if np.isnan(value) else ~np.isfinite(y)


#: attention_grad: the logs among its arguments are those of the others, and one that is spoiled by
#: itself is a call that never happens; tests/ops/test_attention.py sends NaN through both kernels.
LEFT_OUT = ("astype", "attention_grad")
CASES = [case for case in ROWS if "float32" in case.dtypes and case.name not in LEFT_OUT]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_comes_out_where_the_reference_says(target, case):
    if target.name == "numpy":
        pytest.skip("this is the reference")
    tried = 0
    for seed in range(6 if target.name == "opencl" else 12):
        rng = np.random.default_rng(seed)
        d = Draw(seed, lambda low, high, rng=rng: int(rng.integers(low, high + 1)))
        arguments = case.draw(d, np.dtype("float32"))
        for place in float_arrays(arguments):
            for value in SPOILERS if target.name != "opencl" else (rng.choice(SPOILERS),):
                bad = spoiled(arguments, place, value, rng)
                got = results_of(target, case, bad)
                want = results_of(REFERENCE, case, bad)
                for mine, hers in zip(got, want, strict=True):
                    same = np.array_equal(pattern(mine, value), pattern(hers, value))
                    assert same, (seed, place, value, [getattr(a, "shape", a) for a in bad])
                tried += 1
    assert tried or not list(float_arrays(arguments))
