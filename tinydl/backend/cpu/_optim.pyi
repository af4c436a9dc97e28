from numpy import ndarray

def sgd_step(
    params: list[ndarray],
    grads: list[ndarray],
    velocities: list[ndarray] | None,
    double_: bool,
    lr: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> bool: ...
def rmsprop_step(
    params: list[ndarray],
    grads: list[ndarray],
    squares: list[ndarray],
    double_: bool,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> bool: ...
def adam_step(
    params: list[ndarray],
    grads: list[ndarray],
    means: list[ndarray],
    squares: list[ndarray],
    largest: list[ndarray] | None,
    double_: bool,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    steps: tuple[int, ...],
) -> bool: ...
def adagrad_step(
    params: list[ndarray],
    grads: list[ndarray],
    squares: list[ndarray],
    double_: bool,
    lr: float,
    eps: float,
    weight_decay: float,
) -> bool: ...
def adadelta_step(
    params: list[ndarray],
    grads: list[ndarray],
    squares: list[ndarray],
    deltas: list[ndarray],
    double_: bool,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> bool: ...
def centred_rmsprop_step(
    params: list[ndarray],
    grads: list[ndarray],
    squares: list[ndarray],
    means: list[ndarray] | None,
    velocities: list[ndarray] | None,
    double_: bool,
    lr: float,
    rho: float,
    momentum: float,
    eps: float,
    weight_decay: float,
) -> bool: ...
def adamax_step(
    params: list[ndarray],
    grads: list[ndarray],
    means: list[ndarray],
    largest: list[ndarray],
    double_: bool,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    steps: tuple[int, ...],
) -> bool: ...
def nadam_step(
    params: list[ndarray],
    grads: list[ndarray],
    means: list[ndarray],
    squares: list[ndarray],
    double_: bool,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    steps: tuple[int, ...],
    weights: tuple[tuple[float, float], ...],
) -> bool: ...
def norms(arrays: list[ndarray], double_: bool, out: ndarray) -> bool: ...
