"""Embedding: rows, padding, PyTorch, errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, DTypeError, IndexRangeError
from tinydl.nn import Embedding, Flatten, Linear, Sequential, cross_entropy
from tinydl.optim import SGD

WORDS = np.array([[0, 6, 2, 2], [5, 2, 0, 6]])


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_rows_of_any_integers(dtype):
    layer = Embedding(7, 3, rng=Generator(1))
    y = layer(Tensor(WORDS.astype(dtype)))
    assert np.array_equal(y.numpy(), layer.weight.numpy()[WORDS])
    assert abs(layer.weight.numpy()).max() <= 0.05
    assert layer(Tensor(np.array(3))).shape == (3,)


@pytest.mark.oracle
@pytest.mark.parametrize("padding", [None, 2, -1, 0])
def test_against_pytorch(padding):
    torch = oracle_module("torch")
    layer = Embedding(7, 3, padding, weight_init="normal", rng=Generator(1)).astype(np.float64)
    weight = torch.tensor(layer.weight.numpy(), requires_grad=True)
    place = padding if padding is None else padding % 7
    theirs = torch.nn.functional.embedding(torch.tensor(WORDS), weight, place)
    mine = layer(Tensor(WORDS))
    factors = np.random.default_rng(0).normal(size=mine.shape)
    (mine * Tensor(factors)).sum().backward()
    (theirs * torch.tensor(factors)).sum().backward()
    assert np.array_equal(mine.numpy(), theirs.detach().numpy())
    assert_close(layer.weight.grad.numpy(), weight.grad.numpy(), 0.0, 1e-12)


def test_a_padding_row_stays_zero_while_the_others_learn():
    model = Sequential(Embedding(7, 4, -1, rng=Generator(1)), Flatten(), Linear(16, 2))
    optimizer = SGD(model.parameters(), 0.5, momentum=0.9)
    before = model[0].weight.numpy().copy()
    assert model[0].padding_idx == 6 and (before[6] == 0).all() and (before[:6] != 0).all()
    for _ in range(3):
        model.zero_grad()
        cross_entropy(model(Tensor(WORDS)), Tensor(np.array([0, 1]))).backward()
        optimizer.step()
    after = model[0].weight.numpy()
    assert (after[6] == 0).all() and (after[[0, 2, 5]] != before[[0, 2, 5]]).any(1).all()
    assert np.array_equal(after[[1, 3, 4]], before[[1, 3, 4]])
    assert repr(model[0]).startswith("Embedding(7, 4, padding_idx=6), weight (7, 4): 28 parameters")


def test_what_it_refuses():
    for wrong in ((0, 3), (3, -1), (2.5, 3), (True, 3)):
        with pytest.raises(ConfigError, match=r"Embedding: .* must be an integer"):
            Embedding(*wrong)
    for padding in (7, -8, 1.0, "2", True):
        with pytest.raises(ConfigError, match="padding_idx must be an integer"):
            Embedding(7, 3, padding)
    assert Embedding(7, 3, np.int64(2)).padding_idx == 2
    with pytest.raises(
        DTypeError, match=r"Embedding: x must be int32 or int64, got float32 \(2,\)"
    ):
        Embedding(7, 3)(Tensor([1.0, 2.0]))
    with pytest.raises(IndexRangeError):
        Embedding(7, 3)(Tensor(np.array([7])))
