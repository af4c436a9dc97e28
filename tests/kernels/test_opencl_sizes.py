"""Arrays and sizes beyond 32-bit indices on OpenCL: one clear error before anything is launched."""

import numpy as np
import pytest
from cases.kernels import REFERENCE
from closeness import assert_close
from support import load_backend

from tinydl import Tensor
from tinydl.errors import DeviceError
from tinydl.geometry import adaptive_pool2d_geometry


@pytest.fixture(scope="module")
def opencl():
    return load_backend("opencl")


#: Results of more than 2^31 - 1 elements from operands that take no memory.
TOO_LARGE = {
    "a view": lambda x: x.broadcast_to((2**16, 2**15)),
    "a sum of a view": lambda x: x.broadcast_to((2**16, 2**16)).sum(),
    "a broadcast sum": lambda x: x.broadcast_to((2**16, 1)) + x.broadcast_to((1, 2**16)),
    "a product": lambda x: x.broadcast_to((2**16, 1)) @ x.broadcast_to((1, 2**16)),
    "a batch of products": lambda x: (
        x.broadcast_to((2**12, 2**10, 1)) @ x.broadcast_to((2**12, 1, 2**10))
    ),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_more_elements_than_indices_reach(opencl, what):
    x = Tensor(np.ones((1, 1), np.float32), backend="opencl")
    before = opencl.runtime.counters.launches
    with pytest.raises(DeviceError, match=r"opencl: an array of shape .* takes|has .* elements"):
        TOO_LARGE[what](x)
    assert opencl.runtime.counters.launches == before


def test_the_largest_view_is_one(opencl):
    x = Tensor(np.ones((1,), np.uint8), backend="opencl")
    assert x.broadcast_to((2**31 - 1,)).size == 2**31 - 1


def test_a_size_that_is_no_argument(opencl):
    """Whatever a kernel is given: the name of the kernel and the numbers, no struct.error."""
    kernel = opencl.runtime.kernel("shape", np.dtype(np.float32), "fill")
    y = opencl.empty((4,), np.dtype(np.float32))
    with pytest.raises(DeviceError, match=r"shape.cl: fill got .* beyond 32 bits: \[2147483648\]"):
        opencl.runtime.light(kernel, 1, y.buffer, 2**31, opencl._pack_value(0, y.dtype))


def test_adaptive_windows_of_long_rows(opencl):
    """Position times size leaves 32 bits long before an array does."""
    x = np.random.default_rng(0).random((1, 1, 10**6, 1), np.float32)
    g = adaptive_pool2d_geometry(x.shape, (1, 4000))
    got = opencl.to_numpy(opencl.avg_pool2d(opencl.asarray(x), g))
    assert_close(got, REFERENCE.avg_pool2d(x, g), 1e-5)
    y = np.ones(g.y_shape, np.float32)
    got = opencl.to_numpy(opencl.avg_pool2d_grad(opencl.asarray(y), g))
    assert_close(got.sum(), 4000, 1e-5)
    assert (got > 0).all()
