"""The four patterns of recurrent networks: what each may see, beside loops written out."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, no_grad
from tinydl.models import Forecaster, SentimentLSTM, Speller, StockGRU, Tagger


def made(make):
    tinydl.seed(0)
    return make().astype("float64").eval()


def arrays(module):
    return {name: value.astype(np.float64) for name, value in module.state_dict().items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, w, u, b):
    """All states of one sequence x (T, D), step by step."""
    h = c = np.zeros(len(u))
    states = []
    for row in x:
        i, f, g, o = np.split(row @ w + h @ u + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def gru(x, h, w, u, b, b_h=None):
    """The last state; b_h: the reset gate acts behind the product, else before it (the book's)."""
    for row in x:
        H = len(h)
        a = row @ w + b
        inner = h @ u + (0 if b_h is None else b_h)
        r, z = sigmoid(a[:H] + inner[:H]), sigmoid(a[H : 2 * H] + inner[H : 2 * H])
        seen = r * inner[2 * H :] if b_h is not None else (r * h) @ u[:, 2 * H :]
        h = (1 - z) * np.tanh(a[2 * H :] + seen) + z * h
    return h


def weights(module, name):
    found = arrays(module)
    return [found[f"{name}.{part}"] for part in ("weight_x", "weight_h", "bias")]


def test_one_to_many_shows_the_same_vector_at_every_step(on_numpy):
    model = made(lambda: Speller(4, 6, 5, 3))
    x = np.random.default_rng(0).normal(size=(2, 4))
    own = arrays(model)
    for row, logits in zip(x, model(Tensor(x)).numpy(), strict=True):
        states = lstm(np.tile(row, (5, 1)), *weights(model, "lstm"))
        assert_close(logits, states @ own["linear.weight"] + own["linear.bias"], 1e-12)


def test_many_to_one_joins_the_last_state_of_each_direction(on_numpy):
    model = made(lambda: SentimentLSTM(9, 4, 5))
    words = np.array([[3, 1, 8, 0], [2, 2, 7, 5]])
    own = arrays(model)
    for row, logit in zip(words, model(Tensor(words)).numpy(), strict=True):
        seen = own["embedding.weight"][row]
        ahead = lstm(seen, *weights(model, "lstm.ahead"))[-1]
        back = lstm(seen[::-1], *weights(model, "lstm.back"))[-1]
        both = np.concatenate([ahead, back])
        assert_close(logit, both @ own["linear.weight"] + own["linear.bias"], 1e-12)


def test_the_books_gate_acts_before_the_product(on_numpy):
    model = made(lambda: StockGRU(1, 6))
    x = np.random.default_rng(0).normal(size=(3, 7, 1))
    own = arrays(model)
    for row, y in zip(x, model(Tensor(x)).numpy(), strict=True):
        last = gru(row, np.zeros(6), *weights(model, "gru"))
        assert_close(y, last @ own["linear.weight"] + own["linear.bias"], 1e-12)


def test_synced_sees_both_sides_and_no_pads(on_numpy):
    model = made(lambda: Tagger(9, 3, 4, 5))
    short = np.array([[4, 2, 7]])
    padded = np.pad(short, ((0, 0), (0, 3)))
    with no_grad():
        alone, behind = (model(Tensor(x)).numpy() for x in (short, padded))
        for changed in (0, 2):  # before the word in the middle, and behind it
            other = short.copy()
            other[0, changed] = 8
            apart = np.abs(model(Tensor(other)).numpy()[0, 1] - alone[0, 1]).max()
            assert apart > 1e-4 * np.abs(alone).max()
    assert_close(behind[:, :3], alone, 1e-12)


def test_unsynced_reads_to_the_end_and_goes_on_from_its_own_values(on_numpy):
    model = made(lambda: Forecaster(4, 2, 5))
    x = np.random.default_rng(0).normal(size=(2, 6, 2))
    own = arrays(model)
    for row, told in zip(x, model(Tensor(x)).numpy(), strict=True):
        h = gru(row, np.zeros(5), *weights(model, "reader"), own["reader.bias_h"])
        value, values = row[-1], []
        for _ in range(4):
            h = gru(value[None], h, *weights(model, "writer"), own["writer.bias_h"])
            value = value + h @ own["linear.weight"] + own["linear.bias"]
            values.append(value)
        assert_close(told, np.array(values), 1e-12)


@pytest.mark.parametrize("length", [1, 7])
def test_any_number_of_steps(length, on_numpy):
    assert made(Forecaster)(tinydl.zeros((2, length, 1), dtype="float64")).shape == (2, 20, 1)
    assert made(lambda: Tagger(9, 3))(tinydl.ones((2, length), dtype="int64")).shape == (
        2,
        length,
        3,
    )
