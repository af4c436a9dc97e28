"""The vanilla recurrent cell and its fused sequence."""

from __future__ import annotations

from ..errors import DTypeError, ShapeError
from ..function import Function, composed_gradients, is_recording
from ..geometry import recurrent_multiply_adds
from .elementwise import tanh
from .matmul import linear, matmul
from .shape import concat, reshape


class RnnSequence(Function):
    name = "rnn_sequence"
    saves = (0, 1, 2, 3, 4)
    saves_output = True

    def forward(self, x, h0, weight_x, weight_h, bias):
        return self.backend.rnn_forward(x, h0, weight_x, weight_h, bias)

    def flops(self, arrays, y):
        return 2 * recurrent_multiply_adds(arrays[0].shape, y.shape[2])

    def backward_flops(self):
        return 4 * recurrent_multiply_adds(self.saved[0].shape, self.shape[2])

    def backward(self, grad):
        if is_recording():
            return composed_gradients(rnn_sequence_by_cells, self.saved, grad)
        x, h0, weight_x, weight_h, _ = [t.data for t in self.saved]
        states = self._output[0]
        grads = self.backend.rnn_backward(grad.data, states, x, h0, weight_x, weight_h)
        return tuple([grad._new(g, self.backend) for g in grads])


def rnn_cell(x, h, weight_x, weight_h, bias):
    """One step h' = tanh(x @ weight_x + h @ weight_h + bias): x (N, D), h (N, H) -> (N, H). Elman
    1990."""
    return tanh(linear(x, weight_x, bias) + matmul(h, weight_h))


def rnn_sequence_by_cells(x, h0, weight_x, weight_h, bias):
    """rnn_sequence as a composition of cells: what the fused kernel is tested against."""
    h, states = h0, []
    for t in range(x.shape[1]):
        h = rnn_cell(x[:, t], h, weight_x, weight_h, bias)
        states.append(reshape(h, (h.shape[0], 1, h.shape[1])))
    return concat(states, axis=1)


def rnn_sequence(x, h0, weight_x, weight_h, bias):
    """All states of a vanilla recurrent network: h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h +
    bias).

    x (N, T, D), h0 (N, H), weight_x (D, H), weight_h (H, H), bias (H,) -> states (N, T, H), T >= 1.
    Gradients by back-propagation through time (Werbos 1990). Raises ShapeError and DTypeError.
    """
    if x.ndim != 3 or x.shape[1] < 1:
        raise ShapeError(f"rnn_sequence: x must be (N, T, D) with T >= 1, got {x.shape}")
    N, _, D = x.shape
    H = weight_h.shape[-1]
    expected = {"h0": (N, H), "weight_x": (D, H), "weight_h": (H, H), "bias": (H,)}
    given = {"h0": h0, "weight_x": weight_x, "weight_h": weight_h, "bias": bias}
    for name, shape in expected.items():
        if given[name].shape != shape:
            raise ShapeError(
                f"rnn_sequence: {name} must be {shape}, got {given[name].shape} (x {x.shape})"
            )
        if given[name].dtype != x.dtype or x.dtype.kind != "f":
            raise DTypeError(f"rnn_sequence: x is {x.dtype} but {name} is {given[name].dtype}")
    return RnnSequence().apply(x, h0, weight_x, weight_h, bias)
