"""OpenCL kernels on paths that the small shapes of the generic kernel tests do not reach.

The generic tests run here once more, each in a child process, on pip's PoCL (which may abort the
process) and with the kernels meant for a GPU.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import load_backend

from tinydl.backend.opencl import conv, device
from tinydl.backend.reference import Backend
from tinydl.geometry import conv2d_geometry

pytestmark = pytest.mark.opencl
REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = Backend()


@pytest.fixture(scope="module")
def cl():
    return load_backend("opencl")


def draw(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check(cl, name, *arguments, tolerance=1e-4):
    """Compare one kernel with the reference: |a - b| <= tolerance * max|b|; arrays are uploaded."""
    on_device = [cl.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    got = cl.to_numpy(getattr(cl, name)(*on_device))
    want = getattr(REFERENCE, name)(*arguments)
    assert got.shape == want.shape and got.dtype == want.dtype
    assert np.abs(got - want).max() <= tolerance * np.abs(want).max()


# rows, columns and their strided form, with R long enough to be cut into chunks
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((100_003,), (0,)),
        ((3, 50_001), (1,)),
        ((5000, 70), (0,)),
        ((5000, 3), (0,)),
        ((2, 4100, 33), (1,)),
        ((3000, 200), (0,)),
        ((16, 30, 30, 17), (0, 1, 2)),
        ((40, 50, 60), (0, 2)),
    ],
)
@pytest.mark.parametrize("op", ["sum", "max"])
def test_long_reductions(cl, op, shape, axes):
    check(cl, op, draw(*shape), axes, False)


# [M x K] @ [K x N]: K in pieces, b in panels, a in panels, one column, one row
@pytest.mark.parametrize(
    ("M", "K", "N"),
    [(203, 1201, 701), (530, 600, 530), (64, 3000, 10), (7, 900, 400), (900, 70, 1)],
)
@pytest.mark.parametrize("transposed", ["", "a", "b", "ab"])
def test_large_products(cl, M, K, N, transposed):
    a, b, bias = draw(M, K), draw(K, N, seed=1), draw(N, seed=2)
    on_device = [cl.asarray(a), cl.asarray(b)]
    if "a" in transposed:
        on_device[0] = cl.transpose(cl.asarray(a.T), (1, 0))
    if "b" in transposed:
        on_device[1] = cl.transpose(cl.asarray(b.T), (1, 0))
    got = cl.to_numpy(cl.matmul(*on_device, cl.asarray(bias), True))
    want = np.maximum(a @ b + bias, 0)
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def test_products_over_three_broadcast_batch_axes(cl):
    check(cl, "matmul", draw(2, 1, 3, 11, 5), draw(1, 4, 3, 5, 19))
    check(cl, "matmul", draw(2, 4, 1, 11, 5), draw(3, 5, 19))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_gradients_over_many_images(cl, stride, dilation):
    """More images than one chunk of a weight gradient holds, more channels than one panel."""
    g = conv2d_geometry((40, 14, 14, 40), (3, 3, 40, 70), stride, 1, dilation)
    x, w, grad = draw(*g.x_shape), draw(*g.weight_shape, seed=1), draw(*g.y_shape, seed=2)
    check(cl, "conv2d", x, w, draw(70), g)
    check(cl, "conv2d_input_grad", grad, w, g)
    check(cl, "conv2d_weight_grad", x, grad, g)


def test_patches_of_a_few_images_at_a_time(cl, monkeypatch):
    monkeypatch.setattr(conv, "COLUMN_BYTES", 20_000)
    g = conv2d_geometry((7, 12, 12, 6), (3, 3, 6, 8), stride=2)
    assert cl._images_at_once(g, 4) < 7
    check(cl, "conv2d_input_grad", draw(*g.y_shape), draw(*g.weight_shape), g)


def test_depthwise_over_many_images(cl):
    g = conv2d_geometry((70, 9, 9, 37), (3, 3, 1, 37), padding=1, groups=37)
    check(cl, "conv2d_weight_grad", draw(*g.x_shape), draw(*g.y_shape), g)


@pytest.mark.parametrize("columns", [1, 5, 300])
def test_scatter_adds_in_the_order_of_the_indices(cl, columns):
    indices = np.random.default_rng(0).integers(0, 50, 4000)
    x = draw(4000, columns)
    got = cl.to_numpy(cl.scatter_add(cl.asarray(x), cl.asarray(indices), 50))
    assert np.array_equal(got, REFERENCE.scatter_add(x, indices, 50))  # bitwise: the same order


def test_long_strided_rows(cl):
    """Rows longer than one span, and a transposed copy."""
    x = draw(3, 10_001)
    b = cl.asarray(x)
    wide = cl.broadcast_to(cl.asarray(x[0]), (3, 10_001))
    assert np.array_equal(cl.to_numpy(cl.add(b, wide)), x + x[0])
    assert np.array_equal(cl.to_numpy(cl.copy(cl.transpose(b, (1, 0)))), x.T)
    every_third = cl.slice(b, (0, 1), (1, 3), (3, 3000))
    assert np.array_equal(cl.to_numpy(cl.negative(every_third)), -x[:, 1:9001:3])


# -- other devices and kinds -----------------------------------------------------------------------


def run_generic_tests(which, **environment):
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
    child = subprocess.run(
        [*command, "tests/kernels/test_backends.py", "-k", which],
        env={**os.environ, "PYTHONSAFEPATH": "1", **environment},  # the installed package
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert child.returncode == 0, child.stdout[-3000:] + child.stderr[-1000:]
    assert " passed" in child.stdout


@pytest.mark.slow
def test_generic_kernels_on_the_older_pocl(cl):
    other = [d for d in device.find_devices() if d != cl.runtime.device and d.kind == "cpu"]
    if not other:
        pytest.skip("only one OpenCL driver here (pip's PoCL is the second one)")
    run_generic_tests("opencl and float32", TINYDL_CL_DEVICE=other[-1].driver)


@pytest.mark.slow
def test_generic_kernels_as_on_a_gpu(cl):
    run_generic_tests("opencl and float32", TINYDL_CL_KIND="gpu")
