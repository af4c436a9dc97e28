from numpy import ndarray

def channel_norm(
    x: ndarray,
    scale: ndarray,
    shift: ndarray,
    y: ndarray,
    mean: ndarray,
    variance: ndarray,
    eps: float,
) -> None: ...
def channel_norm_apply(
    x: ndarray,
    scale: ndarray,
    shift: ndarray,
    mean: ndarray,
    variance: ndarray,
    y: ndarray,
    eps: float,
) -> None: ...
def channel_norm_sums(
    grad: ndarray,
    x: ndarray,
    mean: ndarray,
    variance: ndarray,
    shifts: ndarray,
    scales: ndarray,
    eps: float,
) -> None: ...
def channel_norm_grad(
    grad: ndarray,
    x: ndarray,
    scale: ndarray,
    mean: ndarray,
    variance: ndarray,
    shifts: ndarray,
    scales: ndarray,
    grad_x: ndarray,
    eps: float,
) -> None: ...
def row_norm(
    x: ndarray,
    scale: ndarray,
    shift: ndarray,
    y: ndarray,
    mean: ndarray,
    variance: ndarray,
    eps: float,
) -> None: ...
def row_norm_grad(
    grad: ndarray,
    x: ndarray,
    scale: ndarray,
    mean: ndarray,
    variance: ndarray,
    grad_x: ndarray,
    grad_scale: ndarray,
    grad_shift: ndarray,
    eps: float,
) -> None: ...
