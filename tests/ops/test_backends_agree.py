"""Every row of `tinydl.testing` on "cpu" and "opencl" as on "numpy": forward and first gradient.

The kernels are compared on their own in tests/kernels; this finds the operations that call one in a
way which only NumPy forgives: an array of another type, layout or place, a host array in between.
"""

import numpy as np
import pytest
from closeness import assert_close
from support import load_backend

from tinydl import Tensor, grad
from tinydl import backend as backends
from tinydl.testing import Draw
from tinydl.testing.cases import ROWS

SEEDS = (1, 2)
#: Rounding errors of a composition, in units of eps * max(1, |largest value|).
ROUNDING = 2000


def result_and_gradients(case, example, backend, dtype):
    """The result of a row and its gradients by the float inputs (None: not differentiated)."""
    inputs = [x.astype(dtype) if x.dtype == np.float64 else x for x in example.inputs]
    with backends.use_backend(backend):
        leaves = [Tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
        y = case.function(*leaves, **example.options)
        assert y.backend.name == backend, f"the result lives on {y.backend.name!r}"
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        if not y.requires_grad or not wanted:
            return [y.numpy()]
        ones = np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)
        found = grad(y, wanted, Tensor(ones), allow_unused=True)
        return [y.numpy(), *[None if g is None else g.numpy() for g in found]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["cpu", "opencl"])
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_as_on_numpy(case, name, dtype):
    load_backend(name)
    for seed in SEEDS:
        example = case.draw(Draw(seed))
        got = result_and_gradients(case, example, name, dtype)
        want = result_and_gradients(case, example, "numpy", dtype)
        assert [g is None for g in got] == [w is None for w in want]
        for a, b in zip(got, want, strict=True):
            if b is None:
                continue
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            if b.dtype.kind == "f":
                scale = max(1.0, np.abs(b).max(initial=0.0, where=np.isfinite(b)))
                atol = ROUNDING * np.finfo(dtype).eps * scale
                assert_close(a, b, 0, atol=atol)
            else:
                np.testing.assert_array_equal(a, b)
