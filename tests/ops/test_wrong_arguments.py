"""Arguments of the wrong kind are refused by the operation, with its name, the rule and the value:
nothing from NumPy or from the depths reaches the user, and nothing is rounded in silence."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl import ops
from tinydl.errors import ConfigError, DeviceError, DTypeError, ShapeError

NAN = float("nan")


def x(*shape, dtype=np.float32):
    return td.zeros(shape or (2, 3, 4), dtype=dtype)


def indices():
    return td.tensor(np.zeros((2, 3, 4), np.int64))


SHAPES = {
    "softmax: axis must be one integer, got None": lambda: ops.softmax(x(), None),
    "argmax: axis must be one integer, got (0, 1)": lambda: ops.argmax(x(), (0, 1)),
    "cumsum: axis must be one integer, got (0, 1)": lambda: ops.cumsum(x(), (0, 1)),
    "concat: axis must be one integer, got None": lambda: ops.concat([x(), x()], None),
    "stack: axis must be one integer, got None": lambda: ops.stack([x(), x()], None),
    "split: axis must be one integer, got 1.0": lambda: ops.split(x(), sections=1, axis=1.0),
    "take: axis must be one integer, got 0.5": lambda: ops.take(x(), [0], 0.5),
    "reshape: sizes and axes must be integers, got (2.5, 4)": lambda: ops.reshape(x(), 2.5, 4),
    "transpose: axes must be integers, got 'a'": lambda: ops.transpose(x(), "a"),
    "broadcast_to: sizes and axes must be integers": lambda: ops.broadcast_to(x(), None),
    "split: sections must be integers, got (1.5, 1.5)": lambda: ops.split(
        x(), sections=(1.5, 1.5), axis=1
    ),
    "tile: repetitions must be integers, got 1.5": lambda: ops.tile(x(), 1.5),
    "roll: shift must be integers, got 1.5": lambda: ops.roll(x(), 1.5, 0),
    "roll: axis must be integers, got 0.5": lambda: ops.roll(x(), 1, 0.5),
    "pad: needs one (before, after) >= 0 for each of the 3 axes, got 0": lambda: ops.pad(x(), 0),
    "pad: widths must be integers, got (0.5, 1)": lambda: ops.pad(x(3), ((0.5, 1),)),
    "triu: diagonal k must be an integer, got nan": lambda: ops.triu(x(), NAN),
    "topk: k must be in 0 ... 4": lambda: ops.topk(x(), 1.5),
    "one_hot: depth must be an integer >= 1, got nan": lambda: ops.one_hot(indices(), NAN),
    "scatter_add: rows must be an integer >= 0, got -1": lambda: ops.scatter_add(
        x(), indices(), -1
    ),
    "scatter_add_along_axis: size must be an integer >= 0, got nan": (
        lambda: ops.scatter_add_along_axis(x(), indices(), 1, NAN)
    ),
}
CONSTANTS = {
    "clip: a bound must be a number, got (1, 2)": lambda: ops.clip(x(), (1, 2)),
    "layer_norm: eps must be a number >= 0, got -1": lambda: ops.layer_norm(x(), eps=-1),
    "batch_norm: eps must be a number >= 0, got nan": lambda: ops.batch_norm(x(), eps=NAN),
    "group_norm: eps must be a number >= 0, got None": lambda: ops.group_norm(x(), 2, eps=None),
    "instance_norm: eps must be a number >= 0": lambda: ops.instance_norm(x(), eps="a"),
    "l2_normalize: eps must be a number >= 0, got -1": lambda: ops.l2_normalize(x(), eps=-1),
    "local_response_norm: alpha must be finite >= 0, got -1": lambda: ops.local_response_norm(
        x(), alpha=-1
    ),
    "local_response_norm: beta must be finite, got nan": lambda: ops.local_response_norm(
        x(), beta=NAN
    ),
}
TYPES = {
    "subtract: has no meaning for a bool tensor (2,)": lambda: x(2, dtype=bool) - x(2, dtype=bool),
    "negative: has no meaning for a bool tensor (2,)": lambda: -x(2, dtype=bool),
    "sign: has no meaning for a bool tensor (2,)": lambda: ops.sign(x(2, dtype=bool)),
    "logsumexp: needs a float tensor, got bool": lambda: ops.logsumexp(x(2, dtype=bool)),
    "elu: expects a tensor, got ndarray": lambda: ops.elu(np.zeros(3)),
    "relu: expects a tensor, got float": lambda: ops.relu(1.0),
    "any: expects a tensor, got ndarray": lambda: ops.any(np.zeros(3)),
    "sort: expects a tensor, got list": lambda: ops.sort([2.0, 1.0]),
    "take: expects a tensor, got ndarray": lambda: ops.take(np.zeros(3), [1]),
    "tril: expects a tensor, got ndarray": lambda: ops.tril(np.zeros((3, 3))),
    "masked_fill: expects a tensor, got ndarray": lambda: ops.masked_fill(
        np.zeros(3), x(3, dtype=bool), 1.0
    ),
    "attention: expects a tensor, got ndarray": lambda: ops.attention_weights(
        np.zeros((2, 3)), x(2, 3)
    ),
    "batch_norm: x must be a tensor, got ndarray": lambda: ops.batch_norm(np.zeros((2, 3))),
    "gather: indices must be an integer tensor, got ndarray": lambda: ops.gather(
        x(4, 2), np.zeros(3, int)
    ),
}


@pytest.mark.parametrize("message", SHAPES)
def test_sizes_and_axes_are_integers(message):
    with pytest.raises(ShapeError) as caught:
        SHAPES[message]()
    assert message in str(caught.value)


@pytest.mark.parametrize("message", CONSTANTS)
def test_constants_are_numbers_in_their_range(message):
    with pytest.raises(ConfigError) as caught:
        CONSTANTS[message]()
    assert message in str(caught.value)


@pytest.mark.parametrize("message", TYPES)
def test_operands_are_tensors_of_a_fitting_type(message):
    with pytest.raises(DTypeError) as caught:
        TYPES[message]()
    assert message in str(caught.value)


def test_integers_of_numpy_are_integers():
    one = np.int64(1)
    assert ops.reshape(x(), (one * 6, 4)).shape == (6, 4)
    assert [t.shape for t in ops.split(x(), sections=(one, one * 2), axis=1)] == [
        (2, 1, 4),
        (2, 2, 4),
    ]
    assert ops.pad(x(3), ((one, 0),)).shape == (4,)


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_no_channels_are_no_crash(backend):
    image = td.zeros((2, 3, 4, 0), backend=backend).detach()
    for norm in (ops.batch_norm, ops.instance_norm, ops.layer_norm):
        assert norm(image).shape == image.shape
    weight = td.zeros((2, 2, 3, 0), backend=backend)
    assert not ops.conv_transpose2d(image, weight).numpy().any()
    weights = ops.attention_weights(image, image).numpy()
    assert_close(weights, 1 / 4, 1e-5)  # nothing to tell the keys apart by


def test_mask_and_drop_of_a_sequence_live_where_it_does():
    def here(*shape, dtype=np.float32, backend="cpu"):
        return td.zeros(shape, dtype=dtype, backend=backend)

    inputs = here(2, 3, 1), here(2, 2), here(1, 6), here(2, 6)
    for name, tensor in {
        "mask": here(2, 3, dtype=bool, backend="numpy"),
        "drop": here(2, 2, backend="numpy"),
    }.items():
        with pytest.raises(DeviceError, match=f"gru_sequence: x is on 'cpu' but {name} on 'numpy'"):
            ops.gru_sequence(*inputs, **{name: tensor})
