"""LSTM, GRU and Bidirectional as layers."""

import numpy as np
import pytest
from support import oracle_module

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.nn import GRU, LSTM, Bidirectional

rng = np.random.default_rng(9)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_bidirectional_against_pytorch(kind):
    torch = oracle_module("torch")
    theirs = getattr(torch.nn, kind.__name__)(3, 4, batch_first=True, bidirectional=True).double()
    layers = [kind(3, 4, return_sequences=True).astype(np.float64) for _ in range(2)]
    for layer, end in zip(layers, ("_l0", "_l0_reverse"), strict=True):
        w = {n: p.detach().numpy() for n, p in theirs.named_parameters() if n.endswith(end)}
        wx, wh, b, bh = [w[f"{n}{end}"].T for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        split = {"bias": b + bh} if kind is LSTM else {"bias": b, "bias_h": bh}
        layer.load_state_dict({"weight_x": wx, "weight_h": wh, **split})
    x = rng.normal(size=(2, 5, 3))
    y = Bidirectional(*layers)(Tensor(x)).numpy()
    np.testing.assert_allclose(y, theirs(torch.tensor(x))[0].detach().numpy(), rtol=0, atol=1e-10)


def test_defaults_and_masks_in_both_directions():
    layer = LSTM(3, 4, rng=Generator(0))
    np.testing.assert_array_equal(layer.bias.numpy(), np.repeat([0, 1, 0, 0], 4))
    assert GRU(3, 4).count_parameters() == 12 * 9 and GRU(3, 4, reset_after=False).bias_h is None
    x = Tensor(rng.normal(size=(1, 5, 3)).astype(np.float32))
    mask = Tensor(np.array([[True, True, True, False, False]]))
    both = Bidirectional(layer, LSTM(3, 4, rng=Generator(1)), "sum")
    np.testing.assert_allclose(both(x, mask).numpy(), both(x[:, :3]).numpy(), rtol=1e-5, atol=1e-6)


def test_errors():
    with pytest.raises(ShapeError, match=r"LSTM: x must be \(N, T, 3\), got \(2, 3\)"):
        LSTM(3, 4)(Tensor(np.ones((2, 3), np.float32)))
    with pytest.raises(ConfigError, match="merge must be"):
        Bidirectional(GRU(3, 4), GRU(3, 4), "mean")
