from numpy import ndarray

def sgd_step(
    grad: ndarray,
    param: ndarray,
    velocity: ndarray | None,
    lr: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None: ...
def rmsprop_step(
    grad: ndarray,
    param: ndarray,
    square: ndarray,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> None: ...
def adam_step(
    grad: ndarray,
    param: ndarray,
    mean: ndarray,
    square: ndarray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    mean_scale: float,
    square_scale: float,
) -> None: ...
