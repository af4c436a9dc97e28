"""summary: the books' parameter counts, shapes, multiply-adds; the model is left as it was."""

import numpy as np
import pytest

from tinydl import Tensor, concat, instruments, relu
from tinydl.backend import use_backend
from tinydl.errors import ConfigError, ShapeError
from tinydl.nn import (
    GRU,
    LSTM,
    AvgPool2d,
    BatchNorm,
    Bidirectional,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    Parameter,
    ReLU,
    Sequential,
    SimpleRNN,
    StackedRNN,
    activations,
    summary,
)


def mlp():
    return Sequential(
        Linear(784, 256), ReLU(), Dropout(0.45), Linear(256, 256), ReLU(), Dropout(0.45),
        Linear(256, 10)
    )  # fmt: skip


def cnn():
    return Sequential(
        Conv2d(1, 64, 3), ReLU(), MaxPool2d(2), Conv2d(64, 64, 3), ReLU(), MaxPool2d(2),
        Conv2d(64, 64, 3), ReLU(), Flatten(), Dropout(0.2), Linear(576, 10),
    )  # fmt: skip


def rnn():
    return Sequential(SimpleRNN(28, 256), Linear(256, 10))


@pytest.mark.parametrize(
    ("make", "shape", "parameters", "multiply_adds"),
    [
        (mlp, (784,), 269_322, 784 * 256 + 256 * 256 + 256 * 10),
        (cnn, (28, 28, 1), 80_266, 26 * 26 * 9 * 64 + (11 * 11 + 3 * 3) * 9 * 64 * 64 + 576 * 10),
        (rnn, (28, 28), 75_530, 28 * (28 * 256 + 256 * 256) + 256 * 10),
    ],
)
def test_the_nets_of_the_books(make, shape, parameters, multiply_adds):
    result = summary(make(), shape)
    assert result.parameters == result.trainable_parameters == parameters
    assert sum(row.parameters for row in result.rows) == parameters
    assert result.multiply_adds == multiply_adds
    assert f"Total params: {parameters:,}" in str(result)


def test_rows_of_the_cnn():
    rows = summary(cnn(), (28, 28, 1)).rows
    assert [row.output_shape for row in rows] == [
        (26, 26, 64), (26, 26, 64), (13, 13, 64), (11, 11, 64), (11, 11, 64), (5, 5, 64),
        (3, 3, 64), (3, 3, 64), (576,), (576,), (10,),
    ]  # fmt: skip
    assert [row.parameters for row in rows] == [640, 0, 0, 36928, 0, 0, 36928, 0, 0, 0, 5770]
    assert rows[0].name == "layers.0" and rows[0].layer == "Conv2d"


class Shared(Module):
    def __init__(self):
        self.scale = Parameter(np.ones(3, np.float32))
        self.linear = Linear(3, 3)

    def forward(self, x):
        return self.linear(self.linear(x)) * self.scale


def test_shared_layers_count_once_and_own_parameters_have_a_row():
    result = summary(Shared(), 3)
    assert result.parameters == 15
    assert [(r.name, r.parameters, r.multiply_adds) for r in result.rows] == [
        ("linear", 12, 9), ("linear", 0, 9), ("", 3, 0),
    ]  # fmt: skip


class Joins(Module):
    """A dense layer: what comes in and what is made of it, side by side."""

    def __init__(self):
        self.linear = Linear(3, 2)
        self.shared = Shared()

    def forward(self, x):
        y = relu(self.linear(x))
        joined = concat([x, y], axis=1)
        return self.shared(joined.reshape(-1, 5)[:, :3]) + 1.0


def test_operations_between_layers_have_rows_and_views_have_none(backend):
    with use_backend(backend.name):
        model = Sequential(Joins())
    result = summary(model, 3)
    assert [(r.name, r.layer, r.output_shape, r.activation_bytes) for r in result.rows] == [
        ("layers.0.linear", "Linear", (2,), 8),
        ("layers.0", "relu", (2,), 8),
        ("layers.0", "concat", (5,), 20),
        ("layers.0.shared.linear", "Linear", (3,), 12),
        ("layers.0.shared.linear", "Linear", (3,), 12),
        ("layers.0.shared", "Shared", (3,), 12),
        ("layers.0", "add", (3,), 12),
    ]
    assert result.parameters == sum(r.parameters for r in result.rows) == 8 + 15
    assert result.activation_bytes == 84 and result.multiply_adds == 6 + 18 + 0
    assert "layers.0                concat  (None, 5)" in str(result) and not instruments.active


def test_memory_and_the_frozen_part():
    model = Sequential(Linear(4, 3), BatchNorm(3), Linear(3, 2)).astype(np.float64)
    result = summary(model, 4)
    assert [row.activation_bytes for row in result.rows] == [24, 24, 16]
    assert result.activation_bytes == 64 and "Bytes of all results per sample: 64" in str(result)
    assert result.buffers == 6 and "Running statistics" in str(result)
    assert "Trainable\n" not in str(result) and result.trainable_parameters == 29
    model[0].freeze()
    model[2].bias.requires_grad = False
    result = summary(model, 4)
    assert [row.trainable_parameters for row in result.rows] == [0, 6, 6]
    lines = str(result).splitlines()
    assert [lines[i].split()[-1] for i in (0, 2, 3, 4)] == ["Trainable", "N", "Y", "part"]
    assert "Trainable params: 12" in lines and "Non-trainable params: 17" in lines


def test_activations_are_the_layers_results():
    model = Sequential(Linear(2, 3), Dropout(0.5), Sequential(Linear(3, 1), ReLU()))
    x = np.ones((4, 2), np.float32)
    found = activations(model, x)
    assert list(found) == [
        "layers.0",
        "layers.1",
        "layers.2.layers.0",
        "layers.2.layers.1",
        "layers.2",
    ]
    np.testing.assert_array_equal(found["layers.1"], found["layers.0"])  # dropout is off
    np.testing.assert_array_equal(found["layers.0"], model[0](Tensor(x)).numpy())
    assert list(activations(model, x, "layers.0")) == ["layers.0"] and model.training
    with pytest.raises(ConfigError, match=r"no module 'conv', there are layers.0, layers.1"):
        activations(model, x, "conv")
    assert activations(LSTM(2, 3), np.ones((4, 5, 2), np.float32)) == {}
    model.extra = Linear(1, 1)
    with pytest.raises(ConfigError, match="does not call 'extra'"):
        activations(model, x, "extra")


def test_the_model_is_left_as_it_was():
    model = Sequential(Dropout(0.5), Sequential(Linear(2, 2)))
    model[1].eval()
    model[1][0].bias.requires_grad = False
    result = summary(model, (2,))
    assert result.trainable_parameters == 4 and "Non-trainable params: 2" in str(result)
    assert model.training and model[0].training and not model[1].training
    assert all("forward" not in vars(m) for _, m in model.named_modules())
    with pytest.raises(ShapeError, match="x has 3 features"):
        summary(model, (3,))
    assert model.training and all("forward" not in vars(m) for _, m in model.named_modules())


def test_arguments():
    with pytest.raises(ConfigError, match="sizes >= 1 without batch"):
        summary(mlp(), (None, 784))
    assert summary(AvgPool2d(2), (4, 4, 3)).rows[0].output_shape == (2, 2, 3)
    text = str(summary(Linear(2, 3), (2,)))
    assert text.splitlines()[2].split() == ["Linear", "(None,", "3)", "9", "6", "12"]


def test_pairs_and_stacks_of_recurrent_layers_are_a_row_with_all_they_hold():
    """Their layers are driven by `run`, so no forward of theirs is seen."""
    one = summary(LSTM(4, 6, return_sequences=True), (5, 4)).rows[0]
    pair = Sequential(Bidirectional(LSTM(4, 6, return_sequences=True)), Linear(12, 2))
    first, last = summary(pair, (5, 4)).rows
    assert (first.layer, first.output_shape) == ("Bidirectional", (5, 12))
    assert first.parameters == 2 * one.parameters and last.parameters == 26
    assert first.multiply_adds == 2 * one.multiply_adds
    stack = StackedRNN.of(GRU, 4, 6, 3, bidirectional="concat", return_sequences=True)
    found = summary(Sequential(stack, Linear(12, 2)), (5, 4))
    assert [row.layer for row in found.rows] == ["StackedRNN", "Linear"]
    assert sum(row.parameters for row in found.rows) == found.parameters
    single = [summary(GRU(size, 6), (5, size)).rows[0].multiply_adds for size in (4, 12)]
    assert found.rows[0].multiply_adds == 2 * (single[0] + 2 * single[1])
