"""Recurrent layers: against PyTorch, dropout, states, stacks, truncation, errors."""

import numpy as np
import pytest
from closeness import assert_close, is_close
from support import oracle_module

from tinydl import Generator, Tensor, ops
from tinydl.errors import ArgumentsError, ConfigError, DTypeError, ShapeError
from tinydl.nn import (
    GRU,
    L2,
    LSTM,
    Bidirectional,
    RepeatVector,
    SimpleRNN,
    StackedRNN,
    detached,
    truncated_bptt,
)

rng = np.random.default_rng(2)


def test_defaults():
    layer = SimpleRNN(28, 16, rng=Generator(0))
    limit = np.sqrt(6 / 44)
    assert np.abs(layer.weight_x.numpy()).max() <= limit
    square = layer.weight_h.numpy().astype(np.float64)
    assert_close(square.T @ square, np.eye(16), 1e-7, atol=1e-6)
    assert (layer.bias.numpy() == 0).all() and layer.count_parameters() == 16 * (28 + 16 + 1)
    assert layer.multiply_adds((2, 7, 28)) == 2 * 7 * (28 * 16 + 16 * 16)


def test_last_state_sequences_and_first_state():
    layer = SimpleRNN(3, 4, return_sequences=True, rng=Generator(0))
    x = Tensor(rng.standard_normal((2, 5, 3)).astype(np.float32))
    states = layer(x)
    layer.return_sequences = False
    assert states.shape == (2, 5, 4) and layer(x).shape == (2, 4)
    np.testing.assert_array_equal(layer(x).numpy(), states.numpy()[:, -1])
    rest = layer(x[:, 2:], states[:, 1])
    assert_close(rest.numpy(), states.numpy()[:, -1], 1e-5)


@pytest.mark.oracle
def test_agrees_with_pytorch_forward_and_backward():
    torch = oracle_module("torch")
    theirs = torch.nn.RNN(5, 7, batch_first=True).double()
    mine = SimpleRNN(5, 7, return_sequences=True).astype(np.float64)
    with torch.no_grad():
        theirs.bias_hh_l0.zero_()  # two biases there, whose sum matters; one here
    mine.load_state_dict(
        {
            "weight_x": theirs.weight_ih_l0.detach().numpy().T,
            "weight_h": theirs.weight_hh_l0.detach().numpy().T,
            "bias": theirs.bias_ih_l0.detach().numpy(),
        }
    )
    x, cotangent = rng.standard_normal((3, 6, 5)), rng.standard_normal((3, 6, 7))
    x1 = Tensor(x, requires_grad=True)
    x2 = torch.tensor(x, requires_grad=True)
    y1, (y2, last) = mine(x1), theirs(x2)
    (y1 * Tensor(cotangent)).sum().backward()
    (y2 * torch.from_numpy(cotangent)).sum().backward()
    pairs = [
        (y1.numpy(), y2.detach().numpy()),
        (x1.grad.numpy(), x2.grad.numpy()),
        (mine.weight_x.grad.numpy(), theirs.weight_ih_l0.grad.numpy().T),
        (mine.weight_h.grad.numpy(), theirs.weight_hh_l0.grad.numpy().T),
        (mine.bias.grad.numpy(), theirs.bias_ih_l0.grad.numpy()),
    ]
    mine.return_sequences = False
    pairs.append((mine(Tensor(x)).numpy(), last[0].detach().numpy()))
    for a, b in pairs:
        assert_close(a, b, 1e-9)


def test_input_dropout_is_one_mask_per_sequence():
    layer = SimpleRNN(6, 4, input_dropout=0.5, rng=Generator(3))
    x = Tensor(np.ones((50, 5, 6), np.float32), requires_grad=True)
    dropped = (x * layer._factors(x, 1, 6)).numpy()
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(2)}
    assert (dropped == dropped[:, :1]).all(), "one mask for all time steps"
    assert (dropped[0] != dropped[1:, :]).any(), "another one for each sample"
    assert abs((dropped[:, 0] == 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(300)
    layer(x).sum().backward()
    zero = (x.grad.numpy() == 0).all(axis=1)
    assert 0.3 < zero.mean() < 0.7, "a dropped feature gets no gradient at any step"
    layer.eval()
    assert layer._factors(x, 1, 6) is None
    np.testing.assert_array_equal(layer(x).numpy(), layer(x).numpy())


def test_errors_name_rule_and_values():
    layer = SimpleRNN(3, 4)
    with pytest.raises(ShapeError, match="SimpleRNN: x has 2 features but input_size is 3"):
        layer(Tensor(np.zeros((1, 5, 2), np.float32)))
    with pytest.raises(ShapeError, match=r"x has 2 axes, not \(N, T, D\)"):
        layer(Tensor(np.zeros((5, 3), np.float32)))
    with pytest.raises(ShapeError, match="T >= 1"):
        layer(Tensor(np.zeros((1, 0, 3), np.float32)))
    with pytest.raises(ShapeError, match=r"h0 must be \(1, 4\), got \(2, 4\)"):
        layer(Tensor(np.zeros((1, 5, 3), np.float32)), Tensor(np.zeros((2, 4), np.float32)))
    with pytest.raises(DTypeError, match="x is float64 but the weights are float32"):
        layer(Tensor(np.zeros((1, 5, 3))))
    with pytest.raises(ConfigError, match="hidden_size must be an integer >= 1, got 0"):
        SimpleRNN(3, 0)
    with pytest.raises(ConfigError, match=r"input_dropout must be in \[0, 1\], got 2"):
        SimpleRNN(3, 4, input_dropout=2)


# -- LSTM, GRU and what all share ------------------------------------------------------------------

KINDS = [SimpleRNN, LSTM, GRU]


def single(x):
    return np.asarray(x, np.float32)


@pytest.mark.oracle
@pytest.mark.parametrize("bidirectional", [None, "concat"])
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_stacks_against_pytorch(kind, bidirectional):
    torch = oracle_module("torch")
    two = bidirectional is not None
    options = {"batch_first": True, "bidirectional": two, "num_layers": 2}
    theirs = getattr(torch.nn, kind.__name__)(3, 4, **options).double()
    stack = StackedRNN.of(kind, 3, 4, 2, bidirectional=bidirectional, return_sequences=True)
    stack.astype(np.float64)
    flat = [
        one for layer in stack.layers for one in ((layer.ahead, layer.back) if two else [layer])
    ]
    ends = [f"_l{k}{e}" for k in (0, 1) for e in (("", "_reverse") if two else ("",))]
    for layer, end in zip(flat, ends, strict=True):
        w = {n: p.detach().numpy() for n, p in theirs.named_parameters()}
        wx, wh, b, bh = [w[f"{n}{end}"].T for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        split = {"bias": b + bh} if kind is LSTM else {"bias": b, "bias_h": bh}
        layer.load_state_dict({"weight_x": wx, "weight_h": wh, **split})
    x = rng.normal(size=(2, 5, 3))
    want, last = theirs(torch.tensor(x))
    assert_close(stack(Tensor(x)).numpy(), want.detach().numpy(), 0, atol=1e-10)
    states, state = stack.run(Tensor(x))
    assert_close(states.numpy(), want.detach().numpy(), 0, atol=1e-10)
    if kind is LSTM and not two:
        for layer in (0, 1):
            for k in (0, 1):  # h, c
                expected = last[k][layer].detach().numpy()
                assert_close(state[layer][k].numpy(), expected, 0, atol=1e-10)


def test_defaults_of_gated_layers():
    layer = LSTM(3, 4, rng=Generator(0))
    np.testing.assert_array_equal(layer.bias.numpy(), np.repeat([0, 1, 0, 0], 4))
    assert not LSTM(3, 4, unit_forget_bias=False).bias.numpy().any()
    assert GRU(3, 4).count_parameters() == 12 * 9 and GRU(3, 4, reset_after=False).bias_h is None
    assert list(GRU(3, 4).state_dict()) == ["weight_x", "weight_h", "bias", "bias_h"]
    assert LSTM(3, 4).multiply_adds((2, 5, 3)) == 2 * 5 * (3 + 4) * 16
    assert "recurrent_dropout=0.2" in repr(GRU(3, 4, recurrent_dropout=0.2))


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_a_mask_in_both_directions_equals_the_unpadded_run(merge):
    x = Tensor(single(rng.normal(size=(1, 5, 3))))
    mask = Tensor(np.array([[True, True, True, False, False]]))
    for sequences in (False, True):
        pair = [k(3, 4, return_sequences=sequences, rng=Generator(1)) for k in (LSTM, SimpleRNN)]
        both = Bidirectional(*pair, merge=merge)
        got, want = both(x, mask).numpy(), both(x[:, :3]).numpy()
        got = got[:, :3] if sequences else got
        assert got.shape == want.shape
        assert_close(got, want, 1e-5)


def test_a_stack_passes_masks_and_states_on():
    stack = StackedRNN.of(GRU, 3, 4, 3, bidirectional="sum", return_sequences=True)
    x = Tensor(single(rng.normal(size=(2, 6, 3))))
    mask = Tensor(np.arange(6) < np.array([[4], [4]]))
    states, _ = stack.run(x[:, :4])
    assert_close(stack(x, mask).numpy()[:, :4], states.numpy(), 1e-5)
    one_way = StackedRNN.of(LSTM, 3, 4, 2, rng=Generator(0))
    all_states, _ = one_way.run(x)
    _, state = one_way.run(x[:, :2])
    rest, _ = one_way.run(x[:, 2:], state)
    assert_close(rest.numpy(), all_states.numpy()[:, 2:], 1e-5)
    np.testing.assert_array_equal(one_way(x).numpy(), all_states.numpy()[:, -1])
    dropped = StackedRNN.of(SimpleRNN, 3, 4, 2, dropout=0.5)
    assert (dropped(x).numpy() != dropped(x).numpy()).any()
    dropped.eval()
    assert (dropped(x).numpy() == dropped(x).numpy()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers_go_on_where_they_stopped(kind):
    layer = kind(3, 4, stateful=True, return_sequences=True, rng=Generator(0))
    x = Tensor(single(rng.normal(size=(2, 6, 3))))
    whole = layer(x).numpy()
    layer.reset_state()
    layer(x[:, :2]).sum().backward()
    layer.reset_state()
    parts = [layer(x[:, :2]).numpy()]
    second = layer(x[:, 2:])
    second.sum().backward()  # through this call only: the state kept has no history
    parts.append(second.numpy())
    assert layer.state is not None and not any(
        t.requires_grad for t in (layer.state if kind is LSTM else [layer.state])
    )
    assert_close(np.concatenate(parts, 1), whole, 1e-5)
    with pytest.raises(ShapeError, match=f"{kind.__name__}: the state kept is of 2 sequences"):
        layer(x[:1])
    layer.reset_state()
    np.testing.assert_array_equal(layer(x).numpy(), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_bptt(kind):
    """One window as long as the sequence is full back-propagation through time; shorter ones give
    the gradients of runs whose first states are constants."""
    layer = kind(3, 4, return_sequences=True, rng=Generator(0)).astype(np.float64)
    x = Tensor(rng.normal(size=(2, 6, 3)))

    def gradients(losses):
        layer.zero_grad()
        for loss in losses:
            loss.backward()
        return [p.grad.numpy() for p in layer.parameters()]

    full = gradients([(layer(x) ** 2).sum()])
    one = gradients((s**2).sum() for s, _ in truncated_bptt(layer, x, 6))
    for a, b in zip(full, one, strict=True):
        np.testing.assert_array_equal(a, b)
    short = gradients((s**2).sum() for s, _ in truncated_bptt(layer, x, 2))
    starts = [None, *(detached(layer.run(x[:, :t])[1]) for t in (2, 4))]
    cut = zip((0, 2, 4), starts, strict=True)
    want = gradients((layer.run(x[:, t : t + 2], s)[0] ** 2).sum() for t, s in cut)
    for a, b in zip(short, want, strict=True):
        assert_close(a, b, 1e-9)
    assert not is_close(short[1], full[1], 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_is_one_mask_for_all_steps(kind):
    layer = kind(3, 8, recurrent_dropout=0.5, return_sequences=True, rng=Generator(0))
    x = Tensor(single(rng.normal(size=(5, 4, 3))))
    factors = layer._factors(x, 8, rate=0.5)
    layer._factors = lambda *_, rate=None: factors if rate else None
    got = layer(x).numpy()
    layer.recurrent_dropout = 0.0  # the same layer without
    assert (got[:, 1:] != layer(x).numpy()[:, 1:]).any()
    np.testing.assert_array_equal(got[:, 0], layer(x).numpy()[:, 0])
    if kind is SimpleRNN:
        h, w = np.zeros((5, 8)), [p.numpy() for p in layer.parameters()]
        for t in range(4):
            h = np.tanh(x.numpy()[:, t] @ w[0] + (h * factors.numpy()) @ w[1] + w[2])
            assert_close(got[:, t], h, 1e-4)


def test_penalties_cover_every_weight():
    layer = GRU(
        2, 3, weight_penalty=L2(1), recurrent_penalty=L2(10), bias_penalty=L2(100),
        activity_penalty=L2(1000), bias_init="ones", rng=Generator(0),
    )  # fmt: skip
    y = layer(Tensor(np.ones((2, 3, 2), np.float32)))
    total = sum(float(p.item()) for p in layer.own_penalties())
    squares = [float((p.numpy() ** 2).sum()) for p in (layer.weight_x, layer.weight_h, layer.bias)]
    want = squares[0] + 10 * squares[1] + 100 * squares[2] + 1000 * (y.numpy() ** 2).sum() / 2
    assert_close(total, want, 1e-5)


def test_repeat_vector_and_relu():
    x = Tensor(single(rng.normal(size=(2, 3))))
    repeated = RepeatVector(4)(x).numpy()
    assert repeated.shape == (2, 4, 3) and (repeated == x.numpy()[:, None]).all()
    layer = SimpleRNN(3, 4, activation=ops.relu, return_sequences=True)
    assert layer(RepeatVector(4)(x)).numpy().min() == 0


def test_more_errors():
    with pytest.raises(
        ShapeError, match=r"LSTM: x has 2 axes, not \(N, T, D\) but input_size is 3"
    ):
        LSTM(3, 4)(Tensor(np.ones((2, 3), np.float32)))
    with pytest.raises(ConfigError, match="merge must be"):
        Bidirectional(GRU(3, 4), GRU(3, 4), "mean")
    with pytest.raises(ConfigError, match="GRU: recurrent_dropout must be in"):
        GRU(3, 4, recurrent_dropout=1.5)
    with pytest.raises(ConfigError, match="StackedRNN: needs at least one layer"):
        StackedRNN()
    with pytest.raises(ConfigError, match="num_layers must be an integer >= 1"):
        StackedRNN.of(GRU, 3, 4, 0)
    with pytest.raises(ShapeError, match=r"RepeatVector: x must be \(N, D\), got \(2,\)"):
        RepeatVector(3)(Tensor(np.ones(2)))


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_an_unknown_argument_is_told_with_the_name_of_the_layer(kind):
    message = (
        rf"^{kind.__name__}: .*'dropuot'; there are .*activation, .*stateful.*; .*'units': write"
    )
    with pytest.raises(ArgumentsError, match=message):
        kind(3, 4, dropuot=0.1, units=4)
