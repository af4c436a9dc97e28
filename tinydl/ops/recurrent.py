"""Recurrent networks: cells, their sequences as compositions, and the fused sequences.

Weights hold their gates side by side, D the input and H the state size. Orders of gates are
PyTorch's: LSTM (input, forget, candidate, output), as in Keras; GRU (reset, update, candidate),
where Keras has (update, reset, candidate). `gate` is the function of the gates (sigmoid; old Keras:
hard_sigmoid), `activation` that of candidate and output.

A `..._sequence_by_cells`, one step after the other, is what the fused `..._sequence` is tested
against. Fused: one product for the inputs of all steps, then a kernel for the loop over time, and
in the backward pass one product per weight for all steps. It knows sigmoid and hard_sigmoid, tanh
(vanilla: also relu); else, and for `one_row_in_place`, the sequence is composed. Two options of
all: `mask` (N, T) bool, where False the state stays what it was; `drop` (N, H), what h_{t-1} is
multiplied with before weight_h, a constant, the same at every step (Gal and Ghahramani 2016).

A masked step is absent: x is replaced by 0 there before anything is multiplied (a pass over x each
way), because 0 * NaN is NaN, and what pads a sequence may be anything.
"""

from __future__ import annotations

from ..doors import door
from ..errors import ConfigError, DeviceError, DTypeError, ShapeError
from ..function import Function, composed_gradients, is_recording
from ..geometry import recurrent_multiply_adds
from ..quoting import quoted
from .activations import hard_sigmoid, relu, sigmoid, tanh
from .arrange import stack
from .broadcast import sum
from .elementwise import where
from .matmul import linear, matmul
from .operands import _constant
from .packed import one_row_in_place
from .shape import concat, expand_dims, reshape, transpose

# -- cells -----------------------------------------------------------------------------------------


@door
def rnn_cell(x, h, weight_x, weight_h, bias, activation=tanh):
    """One step h' = tanh(x @ weight_x + h @ weight_h + bias): x (N, D), h (N, H) -> (N, H). Elman
    1990."""
    _check_functions("rnn_cell", activation=activation)
    return activation(linear(x, weight_x, bias) + matmul(h, weight_h))


def _lstm_step(projected, h, c, weight_h, gate, activation):
    H = h.shape[1]
    sums = projected + matmul(h, weight_h)
    i, f, o = [gate(sums[:, k * H : (k + 1) * H]) for k in (0, 1, 3)]
    c = f * c + i * activation(sums[:, 2 * H : 3 * H])
    return o * activation(c), c


@door
def lstm_cell(x, h, c, weight_x, weight_h, bias=None, gate=sigmoid, activation=tanh):
    """One step: (i, f, g, o) = x @ weight_x + h @ weight_h + bias; c' = f*c + i*g,
    h' = o * tanh(c'), with sigmoid on i, f, o and tanh on g.

    x (N, D), h and c (N, H), weight_x (D, 4H), weight_h (H, 4H), bias (4H,) -> (h', c'). Raises
    ShapeError and DTypeError. Hochreiter and Schmidhuber 1997; Gers et al. 2000 (the forget gate).
    """
    _check_functions("lstm_cell", gate=gate, activation=activation)
    _check("lstm_cell", x, weight_x, weight_h, 4, h=h, c=c, bias=bias)
    return _lstm_step(linear(x, weight_x, bias), h, c, weight_h, gate, activation)


def _gru_step(projected, h, drop, weight_h, bias_h, reset_after, gate, activation):
    H = h.shape[1]
    seen = h if drop is None else h * drop
    if reset_after:
        inner = linear(seen, weight_h, bias_h)
        r, z = [gate((projected + inner)[:, k * H : (k + 1) * H]) for k in (0, 1)]
        n = activation(projected[:, 2 * H :] + r * inner[:, 2 * H :])
    else:
        gates = projected[:, : 2 * H] + matmul(seen, weight_h[:, : 2 * H])
        r, z = gate(gates[:, :H]), gate(gates[:, H:])
        n = activation(projected[:, 2 * H :] + matmul(r * seen, weight_h[:, 2 * H :]))
    return n + z * (h - n)


@door
def gru_cell(
    x, h, weight_x, weight_h, bias=None, bias_h=None, reset_after=True, gate=sigmoid,
    activation=tanh,
):  # fmt: skip
    """One step h' = (1 - z) * n + z * h with gates r, z and candidate n.

    reset_after (PyTorch, Keras 2.1+): n = tanh(x W_n + b_n + r * (h U_n + b_hn)); else (Cho et al.
    2014): n = tanh(x W_n + b_n + (r * h) U_n), without bias_h. x (N, D), h (N, H), weight_x
    (D, 3H), weight_h (H, 3H), bias and bias_h (3H,) or None -> h'. Raises ShapeError, DTypeError.
    """
    _check_functions("gru_cell", gate=gate, activation=activation)
    _check("gru_cell", x, weight_x, weight_h, 3, h=h, bias=bias, bias_h=bias_h)
    _check_reset("gru_cell", reset_after, bias_h)
    projected = linear(x, weight_x, bias)
    return _gru_step(projected, h, None, weight_h, bias_h, reset_after, gate, activation)


# -- checks ----------------------------------------------------------------------------------------


def _check(op, x, weight_x, weight_h, gates, bias=None, bias_h=None, **states):
    if x.ndim < 2 or weight_x.ndim != 2 or weight_h.ndim != 2:
        raise ShapeError(f"{op}: x needs axes (N, ..., D) and weights two, got x {x.shape}")
    H = weight_h.shape[0]
    width = gates * H
    expected: dict[str, tuple[int, ...]] = {"bias": (width,), "bias_h": (width,)}
    expected |= {"weight_x": (x.shape[-1], width), "weight_h": (H, width)}
    given = {"weight_x": weight_x, "weight_h": weight_h, "bias": bias, "bias_h": bias_h, **states}
    for name, tensor in given.items():
        if tensor is None:
            continue
        shape = expected.get(name, (x.shape[0], H))
        if tensor.shape != shape:
            how = "; x is (N, T, D)" if name in states and x.ndim == 3 else ""
            raise ShapeError(f"{op}: {name} must be {shape}, got {tensor.shape} (x {x.shape}{how})")
        if tensor.dtype != x.dtype or x.dtype.kind != "f":
            raise DTypeError(f"{op}: x is {x.dtype} but {name} is {tensor.dtype}")
        _check_home(op, x, name, tensor)


def _check_home(op, x, name, tensor):
    """mask and drop are no inputs of the Function that compares backends."""
    if tensor is not None and tensor.backend is not x.backend:
        raise DeviceError(
            f"{op}: x is on {x.backend.name!r} but {name} on {tensor.backend.name!r}; move one "
            "with .to(backend)"
        )


def _check_functions(op, **functions):
    for name, function in functions.items():
        if not callable(function) or isinstance(function, type):
            raise ConfigError(f"{op}: {name} must be a function, got {quoted(function)}")


def _check_reset(op, reset_after, bias_h):
    if bias_h is not None and not reset_after:
        raise ShapeError(f"{op}: bias_h exists only with reset_after=True")


def _check_steps(op, x, mask):
    if x.ndim != 3 or x.shape[1] < 1:
        raise ShapeError(f"{op}: x must be (N, T, D) with T >= 1, got {x.shape}")
    if mask is not None and (mask.shape != x.shape[:2] or mask.dtype.kind != "b"):
        got = f"got {mask.dtype} {mask.shape} (a state goes to layer.run(x, state))"
        raise ShapeError(f"{op}: mask must be bool {x.shape[:2]} for x {x.shape}, {got}")
    _check_home(op, x, "mask", mask)


# -- sequences as compositions ---------------------------------------------------------------------


def _present(x, mask):
    """x (N, T, D), 0 at the steps that `mask` takes away."""
    return x if mask is None else where(expand_dims(mask, 2), x, _constant(x, 0))


def _kept(mask, t, new, old):
    return new if mask is None else where(expand_dims(mask[:, t], 1), new, old)


@door
def rnn_sequence_by_cells(
    x, h0, weight_x, weight_h, bias=None, mask=None, drop=None, activation=tanh
):
    """rnn_sequence as a composition of steps."""
    _check_functions("rnn_sequence", activation=activation)
    _check_steps("rnn_sequence", x, mask)
    _check("rnn_sequence", x, weight_x, weight_h, 1, h0=h0, bias=bias, drop=drop)
    projected, h, states = linear(_present(x, mask), weight_x, bias), h0, []
    for t in range(x.shape[1]):
        seen = h if drop is None else h * drop
        h = _kept(mask, t, activation(projected[:, t] + matmul(seen, weight_h)), h)
        states.append(h)
    return stack(states, 1)


@door
def lstm_sequence_by_cells(
    x, h, c, weight_x, weight_h, bias=None, mask=None, drop=None, gate=sigmoid, activation=tanh
):
    """lstm_sequence as a composition of steps."""
    _check_functions("lstm_sequence", gate=gate, activation=activation)
    _check_steps("lstm_sequence", x, mask)
    _check("lstm_sequence", x, weight_x, weight_h, 4, h=h, c=c, bias=bias, drop=drop)
    projected, states = linear(_present(x, mask), weight_x, bias), []
    for t in range(x.shape[1]):
        seen = h if drop is None else h * drop
        new_h, new_c = _lstm_step(projected[:, t], seen, c, weight_h, gate, activation)
        h, c = _kept(mask, t, new_h, h), _kept(mask, t, new_c, c)
        states.append(h)
    return stack(states, 1), c


@door
def gru_sequence_by_cells(
    x, h, weight_x, weight_h, bias=None, bias_h=None, mask=None, drop=None, reset_after=True,
    gate=sigmoid, activation=tanh,
):  # fmt: skip
    """gru_sequence as a composition of steps."""
    biases = {"bias": bias, "bias_h": bias_h}
    _check_functions("gru_sequence", gate=gate, activation=activation)
    _check_steps("gru_sequence", x, mask)
    _check("gru_sequence", x, weight_x, weight_h, 3, h=h, drop=drop, **biases)
    projected, states = linear(_present(x, mask), weight_x, bias), []
    for t in range(x.shape[1]):
        step = (weight_h, bias_h, reset_after, gate, activation)
        h = _kept(mask, t, _gru_step(projected[:, t], h, drop, *step), h)
        states.append(h)
    return stack(states, 1)


# -- fused sequences -------------------------------------------------------------------------------


class Sequence(Function):
    """What the three share: constants of one call, and the products over all steps."""

    gates = 1

    def __init__(self, mask, drop, kind):
        self.mask, self.kind = mask, kind  # kind: which function, see below
        self.drop = None if drop is None else drop.detach()
        self.watch(*[t for t in (mask, drop) if t is not None])

    def flops(self, arrays, y):
        return 2 * recurrent_multiply_adds(arrays[0].shape, arrays[1].shape[1], self.gates)

    def backward_flops(self):
        """Of the kernel: the products over all steps count themselves."""
        (N, T, _), H = self.saved[0].shape, self.saved[1].shape[1]
        return 2 * recurrent_multiply_adds((N, T, 0), H, self.gates)

    def options(self):
        return [None if t is None else t.data for t in (self.mask, self.drop)]

    def input_gradients(self, x, weight_x, delta):
        """Gradients of x, weight_x and bias from delta = dL/d(x @ weight_x + bias) (N, T, G*H)."""
        N, T, D = x.shape
        flat = reshape(delta, (N * T, delta.shape[2]))
        # [N*T x G*H] @ [G*H x D]; [D x N*T] @ [N*T x G*H]; one column sum
        first = matmul(flat, transpose(weight_x)) if self.needed[0] else None
        return (
            None if first is None else reshape(first, x.shape),
            matmul(transpose(reshape(x, (N * T, D))), flat),
            sum(flat, 0),
        )

    def previous(self, states, h0):
        """What weight_h was multiplied with: h_0 ... h_{T-1}, dropped, (N, T, H)."""
        before = concat([expand_dims(h0, 1), states[:, :-1]], 1)
        return before if self.drop is None else before * expand_dims(self.drop, 1)

    def wrap(self, like, arrays):
        return [like._new(a, self.backend) for a in arrays]


def _over_steps(before, delta):
    """Sum over n and t of before (N, T, H), delta (N, T, W).  [H x N*T] @ [N*T x W]"""
    H, W = before.shape[2], delta.shape[2]
    return matmul(transpose(reshape(before, (-1, H))), reshape(delta, (-1, W)))


class RnnSequence(Sequence):
    name = "rnn_sequence"
    saves = (0, 1, 2, 3, 4)
    saves_output = True

    def forward(self, x, h0, weight_x, weight_h, bias):
        weights = (weight_x, weight_h, bias)
        return self.backend.rnn_forward(x, h0, *weights, *self.options(), self.kind is relu)

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        x, h0, weight_x, weight_h, _ = self.saved
        states = self.output(grad)
        found = self.backend.rnn_backward(
            grad.data, states.data, h0.data, weight_h.data, *self.options(), self.kind is relu
        )
        delta, grad_h0 = self.wrap(grad, found)
        grad_x, grad_weight_x, grad_bias = self.input_gradients(x, weight_x, delta)
        before = self.previous(states, h0)
        return grad_x, grad_h0, grad_weight_x, _over_steps(before, delta), grad_bias

    def composition(self, x, h0, weight_x, weight_h, bias):
        return rnn_sequence_by_cells(
            x, h0, weight_x, weight_h, bias, self.mask, self.drop, self.kind
        )


class LstmSequence(Sequence):
    """One output (N*T + N, H): the rows of all states (N, T, H), then those of the last cell."""

    name = "lstm_sequence"
    gates = 4
    saves = (0, 1, 2, 3, 4, 5)
    saves_output = True

    def forward(self, x, h0, c0, weight_x, weight_h, bias):
        rows, self.cells, self.opened = self.backend.lstm_forward(
            x, h0, c0, weight_x, weight_h, bias, *self.options(), self.kind is hard_sigmoid
        )
        return rows

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        x, h0, c0, weight_x, weight_h, _ = self.saved
        N, T, H = self.cells.shape
        states = reshape(self.output(grad)[: N * T], (N, T, H))
        found = self.backend.lstm_backward(
            grad.data, self.cells, self.opened, c0.data, weight_h.data, *self.options(),
            self.kind is hard_sigmoid,
        )  # fmt: skip
        delta, grad_h0, grad_c0 = self.wrap(grad, found)
        grad_x, grad_weight_x, grad_bias = self.input_gradients(x, weight_x, delta)
        grad_weight_h = _over_steps(self.previous(states, h0), delta)
        return grad_x, grad_h0, grad_c0, grad_weight_x, grad_weight_h, grad_bias

    def composition(self, x, h0, c0, weight_x, weight_h, bias):
        inputs = (x, h0, c0, weight_x, weight_h, bias)
        states, c = lstm_sequence_by_cells(*inputs, self.mask, self.drop, self.kind)
        return concat([reshape(states, (-1, c.shape[1])), c], 0)

    def release(self):
        super().release()
        self.cells = self.opened = None


class GruSequence(Sequence):
    """The input bias_h is there with reset_after only."""

    name = "gru_sequence"
    gates = 3
    saves_output = True

    def __init__(self, mask, drop, kind, reset_after):
        super().__init__(mask, drop, kind)
        self.saves = tuple(range(6 if reset_after else 5))

    def forward(self, x, h0, weight_x, weight_h, bias, bias_h=None):
        states, self.opened, self.inner = self.backend.gru_forward(
            x, h0, weight_x, weight_h, bias, bias_h, *self.options(), self.kind is hard_sigmoid
        )
        return states

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        x, h0, weight_x, weight_h, _, *bias_h = self.saved
        states, H = self.output(grad), h0.shape[1]
        found = self.backend.gru_backward(
            grad.data, states.data, self.opened, self.inner, h0.data, weight_h.data,
            *self.options(), bool(bias_h), self.kind is hard_sigmoid,
        )  # fmt: skip
        delta, grad_inner, grad_h0 = self.wrap(grad, found)
        grad_x, grad_weight_x, grad_bias = self.input_gradients(x, weight_x, delta)
        before = self.previous(states, h0)
        if bias_h:
            candidate = _over_steps(before, grad_inner)
        else:
            candidate = _over_steps(grad._new(self.inner, self.backend), delta[:, :, 2 * H :])
        grad_weight_h = concat([_over_steps(before, delta[:, :, : 2 * H]), candidate], 1)
        grads = (grad_x, grad_h0, grad_weight_x, grad_weight_h, grad_bias)
        if not bias_h:
            return grads
        return (*grads, concat([grad_bias[: 2 * H], sum(grad_inner, (0, 1))], 0))

    def composition(self, x, h0, weight_x, weight_h, bias, bias_h=None):
        options = (self.mask, self.drop, bias_h is not None, self.kind)
        return gru_sequence_by_cells(x, h0, weight_x, weight_h, bias, bias_h, *options)

    def release(self):
        super().release()
        self.opened = self.inner = None


def _zeros(like, size):
    return like._new(like.backend.zeros((size,), like.dtype), like.backend)


@door
def rnn_sequence(x, h0, weight_x, weight_h, bias=None, mask=None, drop=None, activation=tanh):
    """All states of a vanilla recurrent network: h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h +
    bias).

    x (N, T, D), h0 (N, H), weight_x (D, H), weight_h (H, H), bias (H,) or None -> states (N, T, H),
    T >= 1. `mask` and `drop`: see the head of this file. Gradients by back-propagation through time
    (Werbos 1990). Raises ShapeError and DTypeError.
    """
    _check_steps("rnn_sequence", x, mask)
    _check("rnn_sequence", x, weight_x, weight_h, 1, h0=h0, bias=bias, drop=drop)
    if (activation is not tanh and activation is not relu) or one_row_in_place(x, weight_h):
        return rnn_sequence_by_cells(x, h0, weight_x, weight_h, bias, mask, drop, activation)
    bias = _zeros(x, weight_h.shape[1]) if bias is None else bias
    x = _present(x, mask)
    return RnnSequence(mask, drop, activation).apply(x, h0, weight_x, weight_h, bias)


@door
def lstm_sequence(
    x, h, c, weight_x, weight_h, bias=None, mask=None, drop=None, gate=sigmoid, activation=tanh
):
    """All states of an LSTM: x (N, T, D) -> (states (N, T, H), last c (N, H)); see lstm_cell.

    mask (N, T) bool or None: where False, h and c stay what they were. drop (N, H) or None: factors
    of h_{t-1} in its product. gate=hard_sigmoid has the gradient 0 at its two kinks. Raises
    ShapeError and DTypeError.
    """
    _check_steps("lstm_sequence", x, mask)
    _check("lstm_sequence", x, weight_x, weight_h, 4, h=h, c=c, bias=bias, drop=drop)
    fused = (gate is sigmoid or gate is hard_sigmoid) and activation is tanh
    if not fused or one_row_in_place(x, weight_h):
        weights = (weight_x, weight_h, bias)
        return lstm_sequence_by_cells(x, h, c, *weights, mask, drop, gate, activation)
    bias = _zeros(x, weight_h.shape[1]) if bias is None else bias
    inputs = (_present(x, mask), h, c, weight_x, weight_h, bias)
    rows = LstmSequence(mask, drop, gate).apply(*inputs)
    (N, T, _), H = x.shape, h.shape[1]
    return reshape(rows[: N * T], (N, T, H)), rows[N * T :]


@door
def gru_sequence(
    x, h, weight_x, weight_h, bias=None, bias_h=None, mask=None, drop=None, reset_after=True,
    gate=sigmoid, activation=tanh,
):  # fmt: skip
    """All states of a GRU: x (N, T, D) -> (N, T, H); see gru_cell.

    mask (N, T) bool or None: where False, the state stays what it was. drop (N, H) or None: factors
    of h_{t-1} in its products. gate=hard_sigmoid has the gradient 0 at its two kinks. Raises
    ShapeError and DTypeError.
    """
    _check_steps("gru_sequence", x, mask)
    biases = {"bias": bias, "bias_h": bias_h}
    _check("gru_sequence", x, weight_x, weight_h, 3, h=h, drop=drop, **biases)
    _check_reset("gru_sequence", reset_after, bias_h)
    fused = gate is sigmoid or gate is hard_sigmoid
    if not fused or activation is not tanh or (reset_after and one_row_in_place(x, weight_h)):
        return gru_sequence_by_cells(
            x, h, weight_x, weight_h, bias, bias_h, mask, drop, reset_after, gate, activation
        )
    weights = [weight_x, weight_h, _zeros(x, weight_h.shape[1]) if bias is None else bias]
    if reset_after:
        weights.append(_zeros(x, weight_h.shape[1]) if bias_h is None else bias_h)
    node = GruSequence(mask, drop, gate, reset_after)
    return node.apply(_present(x, mask), h, *weights)
