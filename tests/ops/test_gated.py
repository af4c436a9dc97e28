"""LSTM and GRU against PyTorch, Keras' conventions from their formulas, masks, errors."""

import numpy as np
import pytest
from support import oracle_module

from tinydl import Tensor, ops
from tinydl.errors import ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
rng = np.random.default_rng(8)
N, T, D, H = 3, 5, 4, 2


def arrays(*shapes):
    return [Tensor(rng.normal(size=s), requires_grad=True) for s in shapes]


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_against_pytorch(kind):
    torch = oracle_module("torch")
    theirs = getattr(torch.nn, kind)(D, H, batch_first=True).double()
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = [getattr(theirs, n) for n in names]
    wx, wh, b, bh = [Tensor(w.detach().numpy().T.copy(), requires_grad=True) for w in weights]
    x, h, c = arrays((N, T, D), (N, H), (N, H))
    tx, th, tc = [torch.tensor(t.numpy(), requires_grad=True) for t in (x, h, c)]
    if kind == "LSTM":
        y, last = ops.lstm_sequence(x, h, c, wx, wh, b + bh)
        want, (_, want_c) = theirs(tx, (th[None], tc[None]))
        np.testing.assert_allclose(last.numpy(), want_c[0].detach().numpy(), rtol=0, atol=1e-10)
    else:
        y, want = ops.gru_sequence(x, h, wx, wh, b, bh), theirs(tx, th[None])[0]
    g = rng.normal(size=y.shape)
    (y * Tensor(g)).sum().backward()
    (want * torch.from_numpy(g)).sum().backward()
    pairs = [(y.numpy(), want.detach().numpy()), (x.grad.numpy(), tx.grad.numpy())]
    pairs += [(h.grad.numpy(), th.grad.numpy())]
    mine = zip((wx, wh, b, bh), weights, strict=True)
    pairs += [(a.grad.numpy(), w.grad.numpy().T) for a, w in mine]
    for a, w in pairs:
        np.testing.assert_allclose(a, w, rtol=0, atol=1e-9 * abs(w).max())


def test_keras_conventions_from_their_formulas():
    def hard(v):
        return np.clip(0.2 * v + 0.5, 0, 1)

    x, h, wx, wh, b = [t.numpy() for t in arrays((N, D), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,))]
    s = x @ wx + b
    r, z = hard(s[:, :H] + h @ wh[:, :H]), hard(s[:, H : 2 * H] + h @ wh[:, H : 2 * H])
    want = z * h + (1 - z) * np.tanh(s[:, 2 * H :] + (r * h) @ wh[:, 2 * H :])
    t = [Tensor(v) for v in (x, h, wx, wh, b)]
    got = ops.gru_cell(*t, reset_after=False, gate=ops.hard_sigmoid)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_mask_equals_the_unpadded_run(kind):
    k = 4 if kind == "LSTM" else 3
    x, h, c, wx, wh, b = arrays((N, T, D), (N, H), (N, H), (D, k * H), (H, k * H), (k * H,))

    def run(x, h, c, mask=None):
        if kind == "LSTM":
            return ops.lstm_sequence(x, h, c, wx, wh, b, mask)[0]
        return ops.gru_sequence(x, h, wx, wh, b, mask=mask)

    lengths = np.array([5, 2, 3])
    mask = Tensor(np.arange(T) < lengths[:, None])
    y = run(x, h, c, mask).numpy()
    for n, length in enumerate(lengths):
        one = run(x[n : n + 1, : int(length)], h[n : n + 1], c[n : n + 1]).numpy()[0]
        np.testing.assert_allclose(y[n, :length], one, rtol=1e-12, atol=1e-14)
        assert (y[n, length:] == y[n, length - 1]).all()


def test_errors():
    x, h, wx, wh = arrays((N, T, D), (N, H), (D, 4 * H), (H, 4 * H))
    with pytest.raises(ShapeError, match=r"lstm_sequence: c must be \(3, 2\), got \(3, 5, 4\)"):
        ops.lstm_sequence(x, h, x, wx, wh)
    with pytest.raises(ShapeError, match=r"gru_sequence: weight_x must be \(4, 6\)"):
        ops.gru_sequence(x, h, wx, wh[:, :6])
    with pytest.raises(ShapeError, match=r"mask must be bool \(3, 5\)"):
        ops.lstm_sequence(x, h, h, wx, wh, mask=h)
