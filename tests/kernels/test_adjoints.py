"""<K x, y> == <x, K^T y> for the linear kernels that are each other's derivatives."""

import numpy as np
import pytest
from cases.kernels import (
    REFERENCE,
    convolution,
    region_places,
    region_weights,
    shape,
    size,
    strides_of,
    values,
    windows,
)
from hypothesis import given, settings

F64 = np.dtype("float64")
settings_few = settings(max_examples=10)


def check(target, forward, adjoint, x, y):
    kx = target.to_numpy(forward(target.asarray(x)))
    kty = target.to_numpy(adjoint(target.asarray(y)))
    assert kx.shape == y.shape and kty.shape == x.shape
    scale = np.linalg.norm(kx) * np.linalg.norm(y) + np.linalg.norm(x) * np.linalg.norm(kty)
    assert abs(np.vdot(kx, y) - np.vdot(x, kty)) <= 1e-13 * (scale + 1)


def im2col(k, d):
    g = convolution(d)
    x, y = values(d, g.x_shape, F64), values(d, g.columns_shape, F64)
    return lambda a: k.im2col(a, g), lambda b: k.col2im(b, g), x, y


def conv2d_input(k, d):
    g = convolution(d)
    w = k.asarray(values(d, g.weight_shape, F64))
    x, y = values(d, g.x_shape, F64), values(d, g.y_shape, F64)
    return lambda a: k.conv2d(a, w, None, g), lambda b: k.conv2d_input_grad(b, w, g), x, y


def conv2d_weight(k, d):
    g = convolution(d)
    x = k.asarray(values(d, g.x_shape, F64))
    w, y = values(d, g.weight_shape, F64), values(d, g.y_shape, F64)
    return lambda a: k.conv2d(x, a, None, g), lambda b: k.conv2d_weight_grad(x, b, g), w, y


def conv2d_gradients(k, d):
    """The two gradients are adjoint in what they share: <grad_x, x'> = <grad_w, w>."""
    g = convolution(d)
    grad = k.asarray(values(d, g.y_shape, F64))
    w, x = values(d, g.weight_shape, F64), values(d, g.x_shape, F64)
    forward = lambda a: k.conv2d_input_grad(grad, a, g)  # noqa: E731
    return forward, lambda b: k.conv2d_weight_grad(b, grad, g), w, x


def max_pool2d(k, d):
    g = windows(d)
    place = k.asarray(REFERENCE.max_pool2d(values(d, g.x_shape, F64), g)[1])
    x, y = values(d, g.x_shape, F64), values(d, g.y_shape, F64)
    gather = lambda a: k.max_pool2d_gather(a, place, g)  # noqa: E731
    return gather, lambda b: k.max_pool2d_scatter(b, place, g), x, y


def avg_pool2d(k, d):
    g = windows(d)
    x, y = values(d, g.x_shape, F64), values(d, g.y_shape, F64)
    return lambda a: k.avg_pool2d(a, g), lambda b: k.avg_pool2d_grad(b, g), x, y


def roi_pool(k, d):
    y, place, image, x_shape = region_places("scatter")(d, F64)
    place, image = k.asarray(place), k.asarray(image)
    x, y = values(d, x_shape, F64), values(d, y.shape, F64)
    gather = lambda a: k.roi_pool_gather(a, place, image)  # noqa: E731
    return gather, lambda b: k.roi_pool_scatter(b, place, image, x_shape), x, y


def roi_align(k, d):
    x_shape, y_shape, tables = region_weights(d, F64)
    tables = [k.asarray(t) for t in tables]
    x, y = values(d, x_shape, F64), values(d, y_shape, F64)
    mean = lambda a: k.roi_align(a, *tables)  # noqa: E731
    return mean, lambda b: k.roi_align_grad(b, *tables, x_shape), x, y


def slice_pad(k, d):
    where = shape(d)
    starts, steps, counts = strides_of(d, where)
    x, y = values(d, where, F64), values(d, counts, F64)
    cut = lambda a: k.slice(a, starts, steps, counts)  # noqa: E731
    return cut, lambda b: k.pad(b, starts, steps, where, 0), x, y


def gather(k, d):
    rows, rest = size(d, 1), (size(d),)
    indices = d.indices((size(d),), rows)
    where = k.asarray(indices)
    x, y = values(d, (rows, *rest), F64), values(d, (*indices.shape, *rest), F64)
    return lambda a: k.gather(a, where), lambda b: k.scatter_add(b, where, rows), x, y


def sum_broadcast(k, d):
    where = shape(d)
    axes = tuple([i for i in range(len(where)) if d.flag()])
    kept = tuple([1 if i in axes else n for i, n in enumerate(where)])
    x, y = values(d, where, F64), values(d, kept, F64)
    return lambda a: k.sum(a, axes, True), lambda b: k.broadcast_to(b, where), x, y


def cumsum(k, d):
    where = shape(d) or (3,)
    axis = d.integer(0, len(where) - 1)
    x, y = values(d, where, F64), values(d, where, F64)
    return lambda a: k.cumsum(a, axis, False), lambda b: k.cumsum(b, axis, True), x, y


def dropout(k, d):
    where = shape(d)
    mask = lambda a: k.dropout(a, 3, 7, 0.4)  # noqa: E731
    return mask, mask, values(d, where, F64), values(d, where, F64)


PAIRS = (
    *(im2col, conv2d_input, conv2d_weight, conv2d_gradients, max_pool2d, avg_pool2d),
    *(roi_pool, roi_align),
    *(slice_pad, gather, sum_broadcast, cumsum, dropout),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
def test_adjoint(target, pair):
    @settings_few
    @given(d=draws_of(pair, target))
    def run(d):
        check(target, *d)

    run()


def draws_of(pair, target):
    """Draw inside the strategy, where hypothesis hands out integers."""
    from hypothesis import strategies as st

    from tinydl.testing import Draw
    from tinydl.testing.strategies import seeds

    @st.composite
    def strategy(draw):
        d = Draw(draw(seeds()), lambda low, high: draw(st.integers(low, high)))
        return pair(target, d)

    return strategy()
