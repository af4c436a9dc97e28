"""summary: the books' parameter counts, shapes, multiply-adds; the model is left as it was."""

import numpy as np
import pytest

from tinydl.errors import ConfigError, ShapeError
from tinydl.nn import (
    AvgPool2d,
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
    assert text.splitlines()[2].split() == ["Linear", "(None,", "3)", "9", "6"]
