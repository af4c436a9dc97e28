from numpy import ndarray

def attention(
    q: ndarray,
    k: ndarray,
    v: ndarray,
    mask: ndarray | None,
    bias: ndarray | None,
    first: int,
    scale: float,
    stream: tuple[int, int, int, float],
    y: ndarray,
    logs: ndarray,
) -> None: ...
def attention_grad(
    grad: ndarray,
    y: ndarray,
    logs: ndarray,
    q: ndarray,
    k: ndarray,
    v: ndarray,
    mask: ndarray | None,
    bias: ndarray | None,
    first: int,
    scale: float,
    stream: tuple[int, int, int, float],
    grad_q: ndarray,
    grad_k: ndarray,
    grad_v: ndarray,
) -> None: ...
