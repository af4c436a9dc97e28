"""SimpleRNN: against PyTorch, its input dropout, its errors."""

import numpy as np
import pytest

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import SimpleRNN

rng = np.random.default_rng(2)


def test_defaults():
    layer = SimpleRNN(28, 16, rng=Generator(0))
    limit = np.sqrt(6 / 44)
    assert np.abs(layer.weight_x.numpy()).max() <= limit
    square = layer.weight_h.numpy().astype(np.float64)
    np.testing.assert_allclose(square.T @ square, np.eye(16), atol=1e-6)
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
    np.testing.assert_allclose(rest.numpy(), states.numpy()[:, -1], rtol=1e-5, atol=1e-6)


@pytest.mark.oracle
def test_agrees_with_pytorch_forward_and_backward():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'tinydl[oracle]'")
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
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * abs(b).max())


def test_input_dropout_is_one_mask_per_sequence():
    layer = SimpleRNN(6, 4, input_dropout=0.5, rng=Generator(3))
    x = Tensor(np.ones((50, 5, 6), np.float32), requires_grad=True)
    dropped = layer._drop_inputs(x).numpy()
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(2)}
    assert (dropped == dropped[:, :1]).all(), "one mask for all time steps"
    assert (dropped[0] != dropped[1:, :]).any(), "another one for each sample"
    assert abs((dropped[:, 0] == 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(300)
    layer(x).sum().backward()
    zero = (x.grad.numpy() == 0).all(axis=1)
    assert 0.3 < zero.mean() < 0.7, "a dropped feature gets no gradient at any step"
    layer.eval()
    assert layer._drop_inputs(x) is x
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
    with pytest.raises(ConfigError, match=r"input_dropout must be in \[0, 1\), got 1"):
        SimpleRNN(3, 4, input_dropout=1)
