"""A module and a loss that are called with ndarrays make tensors of them, of their own type."""

import numpy as np
import pytest
from fuzz.public_rows import LAYERS

import tinydl as td
from tinydl import nn
from tinydl.errors import DTypeError
from tinydl.nn.watch import tensors_in

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float64"])
def test_floats_take_the_models_type(kind, given):
    layer = nn.Linear(3, 2).astype(kind)
    found = layer(X.astype(given))
    assert found.dtype == kind
    expected = layer(td.tensor(X.astype(given), dtype=kind))
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_integers_stay_and_arrays_go_where_the_model_is():
    rows = nn.Embedding(5, 3).to("numpy")
    found = rows(np.array([[0, 4], [1, 1]]))
    assert found.shape == (2, 2, 3) and found.backend.name == "numpy"


def test_a_module_without_parameters_takes_float32():
    assert nn.ReLU()(X).dtype == np.float32
    assert nn.Sequential(nn.Flatten(), nn.Linear(6, 2))(np.zeros((2, 3, 2))).shape == (2, 2)


CALLED = [name for name, row in LAYERS.items() if [m for m, *_ in row(0).then] == ["__call__"]]
PENALTIES = {"L1", "L2", "L1L2"}  # functions of a weight


@pytest.mark.parametrize("name", sorted(set(CALLED) - PENALTIES))
def test_every_layer_takes_arrays(name):
    td.seed(0)
    call = LAYERS[name](0)
    layer, inputs = call.function(*call.args, **call.options), call.then[0][1]
    td.seed(1)
    wanted = tensors_in(layer(*inputs))
    td.seed(1)
    if getattr(layer, "stateful", False):
        layer.reset_state()
    arrays = [t.numpy().astype(np.float64 if t.dtype.kind == "f" else t.dtype)
              if isinstance(t, td.Tensor) else t for t in inputs]  # fmt: skip
    for a, b in zip(tensors_in(layer(*arrays)), wanted, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


class Two(nn.Module):
    def __init__(self):
        self.inner = nn.Linear(3, 2)

    def forward(self, x, mask=None):
        return self.inner(x) * mask


class OnTheHost(nn.Module):
    def forward(self, x: np.ndarray, rows: list | np.ndarray, y) -> tuple:
        return type(x), type(rows), type(y)


def test_every_array_of_the_call_by_place_and_by_name():
    model, mask = Two(), np.ones((4, 2))
    by_place, by_name = model(X, mask), model(x=X, mask=mask)
    np.testing.assert_array_equal(by_place.numpy(), by_name.numpy())
    assert model(X, mask=mask).dtype == np.float32


def test_a_forward_that_asks_for_arrays_gets_them():
    assert OnTheHost()(X, X, X) == (np.ndarray, np.ndarray, td.Tensor)
    boxes, index = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([0])
    assert nn.RoiAlign(2)(np.ones((1, 4, 4, 1)), boxes, index).shape == (1, 2, 2, 1)


def test_operations_do_not_lift_but_say_how():
    tensor, sentence = td.ones((4, 3)), r"td\.tensor\(x, dtype='float32'\)"
    calls = (
        lambda: tensor + X,
        lambda: td.linear(X, tensor),
        lambda: td.relu(X),
        lambda: td.sum(X),
        lambda: td.concat([X, X]),
        lambda: td.conv2d(np.ones((1, 3, 3, 1)), td.ones((2, 2, 1, 1))),
    )
    for call in calls:
        with pytest.raises(DTypeError, match=sentence):
            call()


def test_gradients_go_to_the_parameters():
    layer = nn.Linear(3, 2)
    nn.mse(layer(X), T).backward()
    assert layer.weight.grad.shape == (3, 2)


def test_a_loss_gives_arrays_the_type_of_the_tensor_beside_them():
    y = td.tensor(T)
    assert nn.mse(y, T.astype(np.float32)).dtype == np.float64
    assert nn.mse(T, y.astype("float32")).dtype == np.float32
    bits = np.array([[0, 1]] * 4)
    assert nn.bce_with_logits(y, bits).item() == nn.bce_with_logits(y, td.tensor(bits * 1.0)).item()
    assert nn.mae(T, T * 2).dtype == np.float32
    assert nn.cross_entropy(T, np.array([0, 1, 1, 0], np.int16)).shape == ()


@pytest.mark.parametrize("wrong", [[1.0], "y", None, np.array(["a"])])
def test_a_loss_refuses_what_is_no_array(wrong):
    with pytest.raises(DTypeError, match="mse: target must be a tensor or an ndarray of numbers"):
        nn.mse(td.tensor(T), wrong)
    with pytest.raises(DTypeError, match="cross_entropy: labels must be a tensor or an ndarray"):
        nn.cross_entropy(td.tensor(T), wrong)
