from numpy import ndarray

def rnn_gate(recurrent: ndarray, states: ndarray, t: int) -> None: ...
def rnn_gate_grad(
    grad: ndarray, carried: ndarray, states: ndarray, delta: ndarray, t: int
) -> None: ...
def rnn_forward_loops_f32(
    x: ndarray,
    h0: ndarray,
    weight_x: ndarray,
    weight_h: ndarray,
    bias: ndarray,
    states: ndarray,
) -> None: ...
def rnn_forward_loops_f64(
    x: ndarray,
    h0: ndarray,
    weight_x: ndarray,
    weight_h: ndarray,
    bias: ndarray,
    states: ndarray,
) -> None: ...
