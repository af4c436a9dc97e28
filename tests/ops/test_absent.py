"""Masked means absent: whatever stands there, no value and no gradient depends on it.

One row per public function and layer that takes a mask (a test finds those without one). What the
mask takes away is filled with NaN, infinities and the largest number; results and the gradients of
all inputs and weights must be bitwise those with zeros there, and 0 at the places themselves.
"""

import inspect

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, grad, nn, ops

N, T, D, H = 2, 4, 3, 2
rng = np.random.default_rng(6)
STEPS = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)
X, Q = rng.normal(size=(N, T, D)), rng.normal(size=(N, T, D))
ANY = [np.nan, np.inf, -np.inf, float(np.finfo(np.float32).max)]
PAIRS = STEPS[:, :, None] & STEPS[:, None, :]  # padded queries, too, look nowhere


def weights(*shapes):
    return [rng.normal(size=s) * 0.5 for s in shapes]


class Row:
    """call(*floats, mask): what to compute; gone: where (bool, like the input) each input is
    absent, by its position."""

    def __init__(self, call, inputs, mask, gone):
        self.call, self.inputs, self.mask, self.gone = call, inputs, mask, gone


def sequence(kind, gates, states, **options):
    W = gates * H
    inputs = [X, *weights(*[(N, H)] * states, (D, W), (H, W), (W,))]
    factors = rng.uniform(0.5, 1.5, (N, H))

    def call(*tensors):
        *given, mask = tensors
        drop = Tensor(factors.astype(given[0].dtype), backend=given[0].backend)
        found = kind(*given, mask=mask, drop=drop, **options)
        return found if isinstance(found, Tensor) else ops.concat([*map(flat, found)], 0)

    return Row(call, inputs, STEPS, {0: ~STEPS})


def flat(t):
    return t.reshape(-1)


def layer(make, inputs, gone, mask, option="mask"):
    """A layer whose weights are among what is differentiated."""

    def call(*tensors):
        *given, mask = tensors
        module = make(Generator(1)).to(given[0].backend.name)
        call.parameters = list(module.parameters())
        return module(*given, **{option: mask})

    return Row(call, inputs, mask, gone)


def attention(call, mask, gone):
    return Row(call, [Q, X, rng.normal(size=(N, T, 5))], mask, gone)


KEYS = {1: ~STEPS, 2: ~STEPS}
LOGITS, LABELS = rng.normal(size=(5, 3)), np.array([0, 2, 1, 2, 0])
CTC = rng.normal(size=(N, T, 4))
ROWS = {
    "rnn_sequence": sequence(ops.rnn_sequence, 1, 1),
    "rnn_sequence, relu": sequence(ops.rnn_sequence, 1, 1, activation=ops.relu),
    "rnn_sequence, composed": sequence(ops.rnn_sequence, 1, 1, activation=ops.sigmoid),
    "lstm_sequence": sequence(ops.lstm_sequence, 4, 2),
    "lstm_sequence, hard": sequence(ops.lstm_sequence, 4, 2, gate=ops.hard_sigmoid),
    "gru_sequence": sequence(ops.gru_sequence, 3, 1),
    "gru_sequence, reset before": sequence(ops.gru_sequence, 3, 1, reset_after=False),
    "rnn_sequence_by_cells": sequence(ops.rnn_sequence_by_cells, 1, 1),
    "lstm_sequence_by_cells": sequence(ops.lstm_sequence_by_cells, 4, 2),
    "gru_sequence_by_cells": sequence(ops.gru_sequence_by_cells, 3, 1),
    "SimpleRNN": layer(lambda g: nn.SimpleRNN(D, H, rng=g), [X], {0: ~STEPS}, STEPS),
    "LSTM": layer(lambda g: nn.LSTM(D, H, rng=g), [X], {0: ~STEPS}, STEPS),
    "LSTM, dropout": layer(
        lambda g: nn.LSTM(D, H, rng=g, input_dropout=0.5, recurrent_dropout=0.5),
        [X], {0: ~STEPS}, STEPS,
    ),
    "GRU": layer(lambda g: nn.GRU(D, H, rng=g), [X], {0: ~STEPS}, STEPS),
    "Bidirectional": layer(
        lambda g: nn.Bidirectional(
            nn.LSTM(D, H, rng=g, return_sequences=True), nn.LSTM(D, H, rng=g, return_sequences=True)
        ),
        [X], {0: ~STEPS}, STEPS,
    ),
    "StackedRNN": layer(
        lambda g: nn.StackedRNN.of(nn.GRU, D, H, 2, bidirectional="concat", rng=g),
        [X], {0: ~STEPS}, STEPS,
    ),
    "scaled_dot_product_attention": attention(
        ops.scaled_dot_product_attention, STEPS[:, None], KEYS
    ),
    "scaled_dot_product_attention, pairs": attention(
        ops.scaled_dot_product_attention, PAIRS, {0: ~STEPS, **KEYS}
    ),
    "scaled_dot_product_attention, causal and mask": attention(
        lambda q, k, v, m: ops.scaled_dot_product_attention(q, k, v, m, causal=True),
        STEPS[:, None], KEYS,
    ),
    "scaled_dot_product_attention, causal, more keys": Row(
        lambda q, k, v, m: ops.scaled_dot_product_attention(q, k, v, causal=True),
        [Q[:, :2], X, X * 2], STEPS, {1: np.array([[0, 0, 1, 1]] * 2, bool),
                                      2: np.array([[0, 0, 1, 1]] * 2, bool)},
    ),
    "attention_weights": Row(
        ops.attention_weights, [Q, X], PAIRS, {0: ~STEPS, 1: ~STEPS}
    ),
    "masked_softmax": Row(ops.masked_softmax, [X[:, :, 0]], STEPS, {0: ~STEPS}),
    "masked_softmax, nothing left": Row(
        ops.masked_softmax, [X[:, :, 0]], STEPS & np.array([[True], [False]]),
        {0: ~STEPS | np.array([[False], [True]])},
    ),
    "masked_fill": Row(
        lambda x, m: ops.masked_fill(x, ~m, 2.0), [X[:, :, 0]], STEPS, {0: ~STEPS}
    ),
    "DotAttention": layer(lambda g: nn.DotAttention(D), [Q, X], {1: ~STEPS}, STEPS, "key_mask"),
    "GeneralAttention": layer(
        lambda g: nn.GeneralAttention(D, D, rng=g), [Q, X], {1: ~STEPS}, STEPS, "key_mask"
    ),
    "GeneralAttention, pairs": layer(
        lambda g: nn.GeneralAttention(D, D, rng=g), [Q, X, X + 1],
        {0: ~STEPS, 1: ~STEPS, 2: ~STEPS}, PAIRS,
    ),
    "AdditiveAttention": layer(
        lambda g: nn.AdditiveAttention(D, D, 4, rng=g), [Q, X], {1: ~STEPS}, STEPS, "key_mask"
    ),
    "MultiHeadAttention": layer(
        lambda g: nn.MultiHeadAttention(4, 2, key_size=D, value_size=D, rng=g),
        [rng.normal(size=(N, T, 4)), X], {1: ~STEPS}, STEPS, "key_mask",
    ),
    "MultiHeadAttention, self, pairs": layer(
        lambda g: nn.MultiHeadAttention(4, 2, rng=g),
        [rng.normal(size=(N, T, 4))], {0: ~STEPS}, PAIRS,
    ),
    "TransformerEncoderLayer": layer(
        lambda g: nn.TransformerEncoderLayer(4, 2, 5, rng=g),
        [rng.normal(size=(N, T, 4))], {0: ~STEPS}, STEPS, "key_mask",
    ),
    "TransformerDecoderLayer": layer(
        lambda g: nn.TransformerDecoderLayer(4, 2, 5, rng=g),
        [rng.normal(size=(N, T, 4)), rng.normal(size=(N, T, 4))], {0: ~STEPS}, STEPS, "key_mask",
    ),
    "cross_entropy": Row(
        lambda x, m: nn.cross_entropy(x, Tensor(LABELS, backend=x.backend), ignore_index=2),
        [LOGITS], LABELS == 2, {0: LABELS == 2},
    ),
    "cross_entropy, smoothed": Row(
        lambda x, m: nn.cross_entropy(
            x, Tensor(LABELS, backend=x.backend), label_smoothing=0.2, ignore_index=2
        ),
        [LOGITS], LABELS == 2, {0: LABELS == 2},
    ),
    "ctc": Row(
        lambda x, m: nn.ctc(x, x._lift(np.array([[1, 2], [3, 0]])), [3, 2], [2, 1]),
        [CTC], STEPS, {0: ~STEPS},
    ),
    "ctc_log_likelihood": Row(
        lambda x, m: ops.ctc_log_likelihood(
            x, Tensor(np.array([[1, 2], [3, 0]]), backend=x.backend), [3, 2], [2, 1]
        ),
        [CTC], STEPS, {0: ~STEPS},
    ),
}  # fmt: skip
#: Without a gradient (decoders, which read the steps that exist), or the base of rows above.
WITHOUT = {"ctc_greedy", "ctc_beam", "Attention", "Recurrent"}
NAMES = {"mask", "key_mask", "ignore_index", "input_lengths"}


def test_everything_that_takes_a_mask_has_a_row():
    takers = set()
    for module in (ops, nn):
        for name in module.__all__:
            thing = getattr(module, name)
            call = (
                thing.forward if inspect.isclass(thing) and issubclass(thing, nn.Module) else thing
            )
            if callable(call) and NAMES & set(inspect.signature(call).parameters):
                takers.add(name)
    assert takers - WITHOUT == {name.split(",")[0] for name in ROWS}


def results(row, backend, fill, dtype):
    """Values and gradients, the absent filled with `fill`."""
    leaves = []
    for i, a in enumerate(row.inputs):
        a = np.array(a)
        if i in row.gone:
            a[row.gone[i]] = fill
        leaves.append(Tensor(a.astype(dtype), backend=backend, requires_grad=True))
    y = row.call(*leaves, Tensor(row.mask, backend=backend))
    incoming = np.random.default_rng(2).normal(size=y.shape).astype(dtype)
    wanted = [*leaves, *getattr(row.call, "parameters", [])]
    found = grad(y, wanted, Tensor(incoming, backend=backend), allow_unused=True)
    return [y.numpy(), *[np.zeros(1) if g is None else g.numpy() for g in found]]


@pytest.mark.parametrize("name", ROWS)
def test_what_is_masked_is_absent(backend, name):
    row = ROWS[name]
    want = results(row, backend, 0.0, np.float32)
    assert all(np.isfinite(a).all() for a in want)
    fills = ANY[:2] if backend.name == "opencl" else ANY
    for fill in fills:
        for a, b in zip(results(row, backend, fill, np.float32), want, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{fill}")
    for i, gone in row.gone.items():
        assert not want[1 + i][gone].any(), f"input {i} has a gradient where it is absent"


@pytest.mark.parametrize("name", [n for n in ROWS if "sequence" in n or "attention" in n])
def test_second_derivatives_do_not_see_it_either(name):
    row = ROWS[name]

    def second(fill):
        leaves = [np.array(a) for a in row.inputs]
        for i, gone in row.gone.items():
            leaves[i][gone] = fill
        leaves = [Tensor(a, backend="numpy", requires_grad=True) for a in leaves]
        y = row.call(*leaves, Tensor(row.mask, backend="numpy"))
        first = grad((y * y).sum(), leaves, create_graph=True)
        total = sum((g * g).sum() for g in first)
        return [g.numpy() for g in grad(total, leaves)]

    for a, b in zip(second(np.nan), second(0.0), strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("loss", [nn.soft_cross_entropy, nn.kl_categorical])
def test_a_class_switched_off_is_no_class(backend, loss):
    """A logit of -inf with the target 0: value and gradients of the classes that are left."""
    x = np.array([[0.3, 1.0, 2.0], [0.1, -1.0, 0.5]])
    t = np.array([[0.0, 0.5, 0.5], [0.2, 0.8, 0.0]])
    off = np.array([[-np.inf, 1.0, 2.0], [0.1, -1.0, -np.inf]])
    logits, targets = Tensor(off, backend=backend, requires_grad=True), Tensor(t, backend=backend)
    losses = loss(logits, targets, reduction="none")
    (found,) = grad(losses.sum(), logits)
    assert np.isfinite(found.numpy()).all()
    for n, left in enumerate(([1, 2], [0, 1])):
        few = Tensor(x[n : n + 1, left], backend=backend, requires_grad=True)
        want = loss(few, Tensor(t[n : n + 1, left], backend=backend), reduction="sum")
        assert_close(losses.numpy()[n], want.item(), 1e-12)
        assert_close(found.numpy()[n, left], grad(want, few)[0].numpy()[0], 0.0, 1e-15)
    # a class that is off but wanted is an infinite loss, as before
    wanted = loss(
        Tensor(off, backend=backend),
        Tensor(np.full((2, 3), 1 / 3), backend=backend),
        reduction="none",
    )
    assert (wanted.numpy() == np.inf).all()


def test_the_gradient_of_soft_targets_stays():
    """d/dt = -log softmax, also at t = 0 of a class that exists."""
    x = Tensor(np.array([[0.0, 1.0, 2.0]]), backend="numpy")
    t = Tensor(np.array([[0.0, 0.5, 0.5]]), backend="numpy", requires_grad=True)
    (found,) = grad(nn.soft_cross_entropy(x, t), t)
    assert_close(found.numpy(), -x.log_softmax().numpy(), 1e-12)
