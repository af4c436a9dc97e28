"""RoiPool and RoiAlign as layers."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ShapeError
from tinydl.nn import RoiAlign, RoiPool


def test_every_argument_reaches_the_operation():
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(2, 6, 7, 3)), requires_grad=True)
    boxes, images = np.array([[2.0, 3, 11, 12], [0, 0, 5, 4]]), [1, 0]
    y = RoiPool((2, 3), 0.5)(x, boxes, images)
    assert np.array_equal(y.numpy(), ops.roi_pool(x, boxes, images, (2, 3), 0.5).numpy())
    options = {"scale": 0.5, "sampling_ratio": 3, "aligned": False}
    y = RoiAlign(2, **options)(x, boxes, images)
    assert np.array_equal(y.numpy(), ops.roi_align(x, boxes, images, 2, **options).numpy())
    assert not np.array_equal(y.numpy(), RoiAlign(2, 0.5)(x, boxes, images).numpy())
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert repr(RoiAlign(7, 0.25)) == "RoiAlign((7, 7), scale=0.25)"
    with pytest.raises(ShapeError, match="RoiPool: size must be an integer >= 1"):
        RoiPool(0)
