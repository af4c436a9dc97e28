"""Recurrent sequences: fused against their cells, the formulas and PyTorch; masks, errors."""

from contextlib import nullcontext

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle_module

from tinydl import Tensor, grad, no_grad, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
FUSED = {"rnn": ops.rnn_sequence, "lstm": ops.lstm_sequence, "gru": ops.gru_sequence}
COMPOSED = {
    "rnn": ops.rnn_sequence_by_cells,
    "lstm": ops.lstm_sequence_by_cells,
    "gru": ops.gru_sequence_by_cells,
}


def arrays(kind, N=3, T=5, D=4, H=2, bias_h=False, seed=8, dtype=np.float64):
    """x, first states, weight_x, weight_h, bias and, for a GRU, bias_h."""
    rng, W = np.random.default_rng(seed), GATES[kind] * H
    shapes = [(N, T, D), *[(N, H)] * (2 if kind == "lstm" else 1), (D, W), (H, W), (W,)]
    shapes += [(W,)] if bias_h else []
    return [(rng.normal(size=s) * 0.7).astype(dtype) for s in shapes]


def leaves_of(values, backend="numpy"):
    return [Tensor(v, backend=backend, requires_grad=True) for v in values]


def joined(result):
    """(states, c) as one tensor; states as they are."""
    if not isinstance(result, tuple):
        return result
    states, c = result
    N, T, H = states.shape
    return ops.concat([ops.reshape(states, (N, T * H)), c], 1)


def values_and_gradients(function, values, backend="numpy", **options):
    leaves = leaves_of(values, backend)
    y = joined(function(*leaves, **options))
    cotangent = Tensor(np.random.default_rng(1).normal(size=y.shape), backend=backend)
    return [t.numpy() for t in (y, *grad(y, leaves, cotangent))]


def close(got, want, scale=1e-9):
    for a, b in zip(got, want, strict=True):
        assert_close(a, b, 0, atol=scale * max(1e-30, abs(b).max(initial=0)))


# -- formulas --------------------------------------------------------------------------------------


def test_the_vanilla_formula():
    x, h, weight_x, weight_h, bias = arrays("rnn")
    got = ops.rnn_sequence(*[Tensor(a) for a in (x, h, weight_x, weight_h, bias)]).numpy()
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_x + h @ weight_h + bias)
        assert_close(got[:, t], h, 1e-5)


def hard(v):
    return np.clip(0.2 * v + 0.5, 0, 1)


def test_the_gru_of_cho_2014_with_the_gates_of_old_keras():
    x, h, wx, wh, b = arrays("gru")
    t = [Tensor(v) for v in (x, h, wx, wh, b)]
    got = ops.gru_sequence(*t, reset_after=False, gate=ops.hard_sigmoid).numpy()
    for step in range(x.shape[1]):
        s = x[:, step] @ wx + b
        r, z = hard(s[:, :2] + h @ wh[:, :2]), hard(s[:, 2:4] + h @ wh[:, 2:4])
        h = z * h + (1 - z) * np.tanh(s[:, 4:] + (r * h) @ wh[:, 4:])
        assert_close(got[:, step], h, 1e-12)


def test_the_gru_of_keras_2_with_two_biases():
    """Keras with reset_after: hh = tanh(x_h + r * inner_h), inner = h U + b_h; z is first there."""
    x, h, wx, wh, b, bh = arrays("gru", bias_h=True)
    got = ops.gru_sequence(*[Tensor(v) for v in (x, h, wx, wh, b, bh)]).numpy()
    for step in range(x.shape[1]):
        s, inner = x[:, step] @ wx + b, h @ wh + bh
        r, z = 1 / (1 + np.exp(-(s + inner)[:, :2])), 1 / (1 + np.exp(-(s + inner)[:, 2:4]))
        h = z * h + (1 - z) * np.tanh(s[:, 4:] + r * inner[:, 4:])
        assert_close(got[:, step], h, 1e-12)


def test_the_lstm_with_the_gates_of_old_keras():
    x, h, c, wx, wh, b = arrays("lstm")
    t = [Tensor(v) for v in (x, h, c, wx, wh, b)]
    got, last = ops.lstm_sequence(*t, gate=ops.hard_sigmoid)
    for step in range(x.shape[1]):
        s = x[:, step] @ wx + h @ wh + b
        i, f, o = hard(s[:, :2]), hard(s[:, 2:4]), hard(s[:, 6:])
        c = f * c + i * np.tanh(s[:, 4:6])
        h = o * np.tanh(c)
        assert_close(got.numpy()[:, step], h, 1e-12)
    assert_close(last.numpy(), c, 1e-12)


# -- fused against composed ------------------------------------------------------------------------

VARIANTS = [
    pytest.param("rnn", {}, id="tanh"),
    pytest.param("rnn", {"activation": ops.relu}, id="relu"),
    pytest.param("lstm", {}, id="lstm"),
    pytest.param("lstm", {"gate": ops.hard_sigmoid}, id="lstm-hard"),
    pytest.param("gru", {}, id="gru"),
    pytest.param("gru", {"gate": ops.hard_sigmoid}, id="gru-hard"),
    pytest.param("gru", {"reset_after": False}, id="gru-before"),
    pytest.param("gru", {"reset_after": False, "gate": ops.hard_sigmoid}, id="gru-before-hard"),
]


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_fused_equals_composed(backend, kind, options):
    @settings(max_examples=2 if backend.name.startswith("opencl") else 12)
    @given(seed=st.integers(0, 2**32 - 1), masked=st.booleans(), dropped=st.booleans())
    def check(seed, masked, dropped):
        rng = np.random.default_rng(seed)
        N, T, D, H = (int(n) for n in rng.integers(1, (6, 6, 5, 19)))
        two = kind == "gru" and options.get("reset_after", True)
        values = arrays(kind, N, T, D, H, two, seed)
        mask = Tensor(rng.random((N, T)) < 0.6, backend=backend) if masked else None
        drop = Tensor((rng.random((N, H)) < 0.5) / 0.5, backend=backend) if dropped else None
        found = [
            values_and_gradients(function, values, backend, mask=mask, drop=drop, **options)
            for function in (FUSED[kind], COMPOSED[kind])
        ]
        close(*found)

    check()


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_second_derivatives_of_fused_and_composed_are_equal(kind, options):
    two = kind == "gru" and options.get("reset_after", True)
    values, mask = arrays(kind, 2, 3, 2, 3, two), Tensor(np.array([[1, 1, 0], [1, 1, 1]], bool))
    found = []
    for function in (FUSED[kind], COMPOSED[kind]):
        leaves = leaves_of(values)
        y = joined(function(*leaves, mask=mask, **options))
        firsts = grad((y * y * y).sum(), leaves, create_graph=True)
        squared = ops.concat([ops.reshape(g * g, -1) for g in firsts]).sum()
        found.append([g.numpy() for g in (y, *firsts, *grad(squared, leaves))])
    close(*found)


def test_other_functions_are_composed():
    values = arrays("lstm")
    found = ops.lstm_sequence(*leaves_of(values), gate=ops.relu, activation=ops.softsign)
    want = ops.lstm_sequence_by_cells(*leaves_of(values), gate=ops.relu, activation=ops.softsign)
    np.testing.assert_array_equal(joined(found).numpy(), joined(want).numpy())


def test_a_graph_can_be_walked_twice():
    leaves = leaves_of(arrays("lstm"))
    states, c = ops.lstm_sequence(*leaves)
    total = states.sum() + c.sum()
    first, second = (grad(total, leaves, retain_graph=True) for _ in range(2))
    close([g.numpy() for g in first], [g.numpy() for g in second], 0)


def test_one_step_an_empty_batch_and_no_bias():
    for kind, function in FUSED.items():
        one = joined(function(*leaves_of(arrays(kind, T=1))))
        assert one.shape == ((3, 4) if kind == "lstm" else (3, 1, 2))
        leaves = leaves_of(arrays(kind, N=0))
        joined(function(*leaves)).sum().backward()
        assert not leaves[-1].grad.numpy().any()
        *values, bias = arrays(kind)
        without = joined(function(*leaves_of(values)))
        close([without.numpy()], [joined(function(*leaves_of([*values, 0 * bias]))).numpy()], 0)


@pytest.mark.parametrize("kind", GATES)
def test_a_mask_equals_the_unpadded_run(kind):
    function, values = FUSED[kind], arrays(kind)
    first = 3 if kind == "lstm" else 2  # x and states have the batch axis
    x, *others = [Tensor(v) for v in values]
    lengths = np.array([5, 2, 3])
    y = function(x, *others, mask=Tensor(np.arange(5) < lengths[:, None]))
    y = y[0] if kind == "lstm" else y
    for n, length in enumerate(lengths):
        rows = [t[n : n + 1] for t in others[: first - 1]]
        one = function(x[n : n + 1, : int(length)], *rows, *others[first - 1 :])
        one = one[0] if kind == "lstm" else one
        assert_close(y.numpy()[n, :length], one.numpy()[0], 1e-12)
        assert (y.numpy()[n, length:] == y.numpy()[n, length - 1]).all()


# -- PyTorch ---------------------------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize("kind", GATES)
def test_against_pytorch(kind):
    torch = oracle_module("torch")

    @settings(max_examples=8)
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed):
        N, T, D, H = (int(n) for n in np.random.default_rng(seed).integers(1, (5, 6, 5, 9)))
        values = arrays(kind, N, T, D, H, kind == "gru", seed)
        theirs = getattr(torch.nn, kind.upper())(D, H, batch_first=True).double()
        first = 3 if kind == "lstm" else 2
        inputs = [torch.tensor(v, requires_grad=True) for v in values[:first]]
        bias_h = values[-1] if kind == "gru" else np.zeros_like(values[-1])
        weights = [values[first].T, values[first + 1].T, values[first + 2], bias_h]
        with torch.no_grad():
            for p, w in zip(theirs.parameters(), weights, strict=True):
                p.copy_(torch.tensor(w.copy()))
        x, *states = inputs
        last = tuple([s[None] for s in states])
        want, end = theirs(x, last if kind == "lstm" else last[0])
        if kind == "lstm":
            want = torch.cat([want.reshape(N, -1), end[1][0]], 1)
        cotangent = torch.from_numpy(np.random.default_rng(1).normal(size=want.shape))
        parameters = list(theirs.parameters())[: 4 if kind == "gru" else 3]
        grads = torch.autograd.grad(want, [*inputs, *parameters], cotangent)
        expected = [want, *grads[:first], grads[first].T, grads[first + 1].T, *grads[first + 2 :]]
        got = values_and_gradients(FUSED[kind], values)
        close(got, [t.detach().numpy() for t in expected])

    check()


# -- errors ----------------------------------------------------------------------------------------


def test_errors_of_the_vanilla_sequence():
    x, h0, weight_x, weight_h, bias = [Tensor(a) for a in arrays("rnn", D=3, H=5)]
    with pytest.raises(ShapeError, match=r"x must be \(N, T, D\) with T >= 1"):
        ops.rnn_sequence(x[:, :0], h0, weight_x, weight_h, bias)
    with pytest.raises(ShapeError, match=r"weight_x must be \(3, 5\), got \(5, 5\)"):
        ops.rnn_sequence(x, h0, weight_h, weight_h, bias)
    with pytest.raises(ShapeError, match="h0 must be"):
        ops.rnn_sequence(x, bias, weight_x, weight_h, bias)
    with pytest.raises(DTypeError, match="x is float64 but bias is float32"):
        ops.rnn_sequence(x, h0, weight_x, weight_h, bias.astype("float32"))
    with pytest.raises(ShapeError, match=r"rnn_sequence: drop must be \(3, 5\), got \(5,\)"):
        ops.rnn_sequence(x, h0, weight_x, weight_h, bias, drop=bias)


def test_errors_of_gated_sequences():
    x, h, c, wx, wh, b = leaves_of(arrays("lstm"))
    with pytest.raises(ShapeError, match=r"lstm_sequence: c must be \(3, 2\), got \(3, 5, 4\)"):
        ops.lstm_sequence(x, h, x, wx, wh)
    with pytest.raises(ShapeError, match=r"lstm_sequence: bias must be \(8,\), got \(3, 2\)"):
        ops.lstm_sequence(x, h, c, wx, wh, h)
    with pytest.raises(ShapeError, match=r"gru_sequence: weight_x must be \(4, 6\)"):
        ops.gru_sequence(x, h, wx, wh[:, :6])
    with pytest.raises(ShapeError, match=r"mask must be bool \(3, 5\)"):
        ops.lstm_sequence(x, h, c, wx, wh, b, mask=h)
    weights = (wx[:, :6], wh[:, :6], b[:6])
    with pytest.raises(ShapeError, match="bias_h exists only with reset_after=True"):
        ops.gru_sequence(x, h, *weights, b[:6], reset_after=False)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("recorded", [False, True])
def test_one_step_of_one_sequence_by_a_large_weight_reads_it_in_place(kind, recorded, monkeypatch):
    """Whole text or step by step: the same states, and no kernel of sequences where it packs."""
    H = 512 if kind != "rnn" else 768
    values = arrays(kind, 1, 3, 4, H, bias_h=kind == "gru", dtype=np.float32)
    values = [v * (0.05 if v.shape[0] == H else 1) for v in values]
    x, *rest = (Tensor(v.astype(np.float32), backend="cpu") for v in values)
    width = 2 if kind == "lstm" else 1
    state, weights = rest[:width], rest[width:]
    whole = FUSED[kind](x, *state, *weights)
    called = []
    room, name = type(x.backend), f"{kind}_forward"
    kernel = getattr(room, name)
    monkeypatch.setattr(room, name, lambda *given: called.append(name) or kernel(*given))
    states = []
    with nullcontext() if recorded else no_grad():
        for t in range(3):
            found = FUSED[kind](x[:, t : t + 1], *state, *weights)
            states.append(found[0] if kind == "lstm" else found)
            state = [states[-1][:, -1]] + ([found[1]] if kind == "lstm" else [])
    wanted = whole[0] if kind == "lstm" else whole
    assert_close(np.concatenate([s.numpy() for s in states], axis=1), wanted.numpy(), 1e-5)
    assert len(called) == (3 if recorded else 0)
