"""What is particular to the C reductions: short runs that are joined, their rest, chunks, views."""

import numpy as np
import pytest

from tinydl.backend.cpu import _runtime
from tinydl.backend.cpu.reduce import Reduce


@pytest.fixture
def runtime():
    level, threads = _runtime.level(), _runtime.threads()
    yield _runtime
    _runtime.set_level(level)
    _runtime.set_threads(threads)


@pytest.fixture(params=_runtime.available_levels())
def level(request, runtime):
    runtime.set_level(request.param)
    return request.param


# Joined runs hold at most 256 elements: some axes are shorter, some leave a rest, some are cut into
# chunks; a view whose axes do not lie side by side keeps several reduced axes.
SHAPES = [
    (2, 3, 4, 3),
    (3, 7, 5, 1),
    (2, 9, 31, 5),
    (1, 13, 13, 64),
    (2, 5, 200, 3),
    (3, 300, 70, 2),
]
AXES = [(1, 2), (0, 1, 2), (2,), (0, 2)]


def views(x):
    return {
        "whole": x,
        "cropped": x[:, 1:, 1:],
        "every second": x[:, :, ::2],
        "backwards": x[:, ::-1, ::-1, ::-1],
        "repeated": np.broadcast_to(x[:1, :, :1], x.shape),
    }


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("shape", SHAPES)
def test_few_channels(level, runtime, shape, axes, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for name, view in views(x).items():
        exact = view.sum(axis=axes, dtype=np.longdouble)
        bound = 16 * np.finfo(dtype).eps * np.abs(view).sum(axis=axes, dtype=np.longdouble)
        results = []
        for threads in (1, 2, 3):
            runtime.set_threads(threads)
            results.append(Reduce().sum(view, axes, False))
            assert np.array_equal(Reduce().max(view, axes, False), view.max(axis=axes)), name
        assert np.all(np.abs(results[0] - exact) <= bound), name
        assert all(np.array_equal(results[0], other) for other in results[1:]), name


def test_nan_anywhere_in_joined_runs_wins(level):
    for at in (0, 84, 85, 100):  # in the joined runs of 85 times 3, and in their rest
        x = np.zeros((1, 101, 3), "f4")
        x[0, at, 1] = np.nan
        assert np.array_equal(Reduce().max(x, (1,), False), [[0, np.nan, 0]], equal_nan=True)


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 0, 3), (4, 5, 0)])
def test_empty_axes(level, shape):
    assert np.array_equal(Reduce().sum(np.ones(shape), (1,), False), np.ones(shape).sum(axis=1))
