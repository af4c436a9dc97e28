"""LSTM and GRU, cells and sequences, composed from products and elementwise operations: one big
product for the inputs of all steps, one per step for the state. Fused kernels come later.

Weights hold their gates side by side, D the input and H the state size. Orders of gates are
PyTorch's: LSTM (input, forget, candidate, output), as in Keras; GRU (reset, update, candidate),
where Keras has (update, reset, candidate). `gate` is the function of the gates (sigmoid; old Keras:
hard_sigmoid), `activation` that of candidate and output.
"""

from __future__ import annotations

from ..errors import DTypeError, ShapeError
from .arrange import stack
from .elementwise import sigmoid, tanh, where
from .matmul import linear, matmul
from .shape import expand_dims


def _check(op, x, weight_x, weight_h, gates, **states):
    if x.ndim < 2 or weight_x.ndim != 2 or weight_h.ndim != 2:
        raise ShapeError(f"{op}: x needs axes (N, ..., D) and weights two, got x {x.shape}")
    H = weight_h.shape[0]
    expected = {"weight_x": (x.shape[-1], gates * H), "weight_h": (H, gates * H)}
    given = {"weight_x": weight_x, "weight_h": weight_h, **states}
    for name, tensor in given.items():
        shape = expected.get(name, (x.shape[0], H))
        if tensor.shape != shape:
            raise ShapeError(f"{op}: {name} must be {shape}, got {tensor.shape} (x {x.shape})")
        if tensor.dtype != x.dtype or x.dtype.kind != "f":
            raise DTypeError(f"{op}: x is {x.dtype} but {name} is {tensor.dtype}")


def _lstm_step(projected, h, c, weight_h, gate, activation):
    H = h.shape[1]
    sums = projected + matmul(h, weight_h)
    i, f, o = [gate(sums[:, k * H : (k + 1) * H]) for k in (0, 1, 3)]
    c = f * c + i * activation(sums[:, 2 * H : 3 * H])
    return o * activation(c), c


def lstm_cell(x, h, c, weight_x, weight_h, bias=None, gate=sigmoid, activation=tanh):
    """One step: (i, f, g, o) = x @ weight_x + h @ weight_h + bias; c' = f*c + i*g,
    h' = o * tanh(c'), with sigmoid on i, f, o and tanh on g.

    x (N, D), h and c (N, H), weight_x (D, 4H), weight_h (H, 4H), bias (4H,) -> (h', c'). Raises
    ShapeError and DTypeError. Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """
    _check("lstm_cell", x, weight_x, weight_h, 4, h=h, c=c)
    return _lstm_step(linear(x, weight_x, bias), h, c, weight_h, gate, activation)


def _gru_step(projected, h, weight_h, bias_h, reset_after, gate, activation):
    H = h.shape[1]
    if reset_after:
        inner = linear(h, weight_h, bias_h)
        r, z = [gate((projected + inner)[:, k * H : (k + 1) * H]) for k in (0, 1)]
        n = activation(projected[:, 2 * H :] + r * inner[:, 2 * H :])
    else:
        gates = projected[:, : 2 * H] + matmul(h, weight_h[:, : 2 * H])
        r, z = gate(gates[:, :H]), gate(gates[:, H:])
        n = activation(projected[:, 2 * H :] + matmul(r * h, weight_h[:, 2 * H :]))
    return n + z * (h - n)


def gru_cell(
    x, h, weight_x, weight_h, bias=None, bias_h=None, reset_after=True, gate=sigmoid,
    activation=tanh,
):  # fmt: skip
    """One step h' = (1 - z) * n + z * h with gates r, z and candidate n.

    reset_after (PyTorch, Keras 2.1+): n = tanh(x W_n + b_n + r * (h U_n + b_hn)); else (Cho et al.
    2014): n = tanh(x W_n + b_n + (r * h) U_n), without bias_h. x (N, D), h (N, H), weight_x
    (D, 3H), weight_h (H, 3H), bias and bias_h (3H,) or None -> h'. Raises ShapeError, DTypeError.
    """
    _check("gru_cell", x, weight_x, weight_h, 3, h=h)
    _check_reset(reset_after, bias_h)
    return _gru_step(linear(x, weight_x, bias), h, weight_h, bias_h, reset_after, gate, activation)


def _check_reset(reset_after, bias_h):
    if bias_h is not None and not reset_after:
        raise ShapeError("gru: bias_h exists only with reset_after=True")


def _steps(op, x, mask):
    """The mask as columns (N, 1), one per time step, or None each."""
    if x.ndim != 3 or x.shape[1] < 1:
        raise ShapeError(f"{op}: x must be (N, T, D) with T >= 1, got {x.shape}")
    if mask is None:
        return [None] * x.shape[1]
    if mask.shape != x.shape[:2] or mask.dtype.kind != "b":
        raise ShapeError(
            f"{op}: mask must be bool {x.shape[:2]}, got {mask.dtype} {mask.shape} (x {x.shape})"
        )
    return [expand_dims(mask[:, t], 1) for t in range(x.shape[1])]


def _kept(keep, new, old):
    return new if keep is None else where(keep, new, old)


def lstm_sequence(x, h, c, weight_x, weight_h, bias=None, mask=None, gate=sigmoid, activation=tanh):
    """All states of an LSTM: x (N, T, D) -> (states (N, T, H), last c (N, H)); see lstm_cell.

    mask (N, T) bool or None: where False, h and c stay what they were. Raises ShapeError and
    DTypeError.
    """
    columns = _steps("lstm_sequence", x, mask)
    _check("lstm_sequence", x, weight_x, weight_h, 4, h=h, c=c)
    projected, states = linear(x, weight_x, bias), []
    for t, keep in enumerate(columns):
        new_h, new_c = _lstm_step(projected[:, t], h, c, weight_h, gate, activation)
        h, c = _kept(keep, new_h, h), _kept(keep, new_c, c)
        states.append(h)
    return stack(states, 1), c


def gru_sequence(
    x, h, weight_x, weight_h, bias=None, bias_h=None, mask=None, reset_after=True, gate=sigmoid,
    activation=tanh,
):  # fmt: skip
    """All states of a GRU: x (N, T, D) -> (N, T, H); see gru_cell.

    mask (N, T) bool or None: where False, the state stays what it was. Raises ShapeError and
    DTypeError.
    """
    columns = _steps("gru_sequence", x, mask)
    _check("gru_sequence", x, weight_x, weight_h, 3, h=h)
    _check_reset(reset_after, bias_h)
    projected, states = linear(x, weight_x, bias), []
    for t, keep in enumerate(columns):
        new = _gru_step(projected[:, t], h, weight_h, bias_h, reset_after, gate, activation)
        h = _kept(keep, new, h)
        states.append(h)
    return stack(states, 1)
