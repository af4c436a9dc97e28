from numpy import ndarray

def rnn_run(
    h0: ndarray,
    weight_h: ndarray,
    mask: ndarray | None,
    drop: ndarray | None,
    states: ndarray,
    relu: bool,
) -> None: ...
def rnn_back(
    grad: ndarray,
    states: ndarray,
    weight_h: ndarray,
    mask: ndarray | None,
    drop: ndarray | None,
    delta: ndarray,
    grad_h0: ndarray,
    relu: bool,
) -> None: ...
def lstm_run(
    h0: ndarray,
    c0: ndarray,
    weight_h: ndarray,
    mask: ndarray | None,
    drop: ndarray | None,
    gates: ndarray,
    rows: ndarray,
    cells: ndarray,
    hard: bool,
) -> None: ...
def lstm_back(
    grad: ndarray,
    cells: ndarray,
    gates: ndarray,
    c0: ndarray,
    weight_h: ndarray,
    mask: ndarray | None,
    drop: ndarray | None,
    delta: ndarray,
    grad_h0: ndarray,
    grad_c0: ndarray,
    hard: bool,
) -> None: ...
def gru_run(
    h0: ndarray,
    weight_h: ndarray,
    bias_n: ndarray | None,
    mask: ndarray | None,
    drop: ndarray | None,
    gates: ndarray,
    states: ndarray,
    inner: ndarray,
    hard: bool,
) -> None: ...
def gru_back(
    grad: ndarray,
    states: ndarray,
    gates: ndarray,
    inner: ndarray,
    h0: ndarray,
    weight_h: ndarray,
    mask: ndarray | None,
    drop: ndarray | None,
    delta: ndarray,
    grad_inner: ndarray,
    grad_h0: ndarray,
    reset_after: bool,
    hard: bool,
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
