"""Every public layer: shape, parameters, repr, gradients of inputs and parameters, saving."""

import numpy as np
import pytest
from cases.layers import LAYERS
from support import check_module

from tinydl import Generator, Tensor
from tinydl.testing import Draw


def made(case, seed, dtype=np.float64):
    return case.make(Generator(seed)).astype(dtype).train(case.training)


def inputs(case, dtype=np.float64):
    """All values apart from each other and from 0, as kinks and maxima need them."""
    d = Draw(3)
    return [Tensor((d.distinct(shape, 0.01) + 0.003).astype(dtype)) for shape in case.inputs]


@pytest.mark.parametrize("name", LAYERS)
def test_shape_parameters_and_repr(name):
    case = LAYERS[name]
    layer = made(case, 0, np.float32)
    y = layer(*inputs(case, np.float32), *case.rest)
    assert y.shape == case.result and y.dtype == np.float32
    assert layer.count_parameters() == case.count
    assert repr(layer).startswith(f"{name.split('-')[0]}(")
    assert (f": {case.count:,} parameters" in repr(layer)) == (case.count > 0)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_first_and_second_order(name):
    case = LAYERS[name]
    layer = made(case, 1)
    check_module(layer, *inputs(case), order=2, call=lambda *t: layer(*t, *case.rest))


@pytest.mark.parametrize("name", LAYERS)
def test_saved_and_loaded_it_is_the_same(name):
    case = LAYERS[name]
    first, second, x = made(case, 1), made(case, 2), [*inputs(case), *case.rest]
    for p in first.parameters():
        p.assign(p.numpy() + 0.125)
    y = first(*x).numpy()
    assert not case.count or not np.array_equal(second(*x).numpy(), y)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(second(*x).numpy(), y)
