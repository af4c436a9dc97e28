from numpy import ndarray

def roi_pool(
    x: ndarray, image: ndarray, rows: ndarray, columns: ndarray, y: ndarray, place: ndarray
) -> None: ...
def roi_pool_scatter(grad: ndarray, place: ndarray, image: ndarray, y: ndarray) -> None: ...
def roi_pool_gather(x: ndarray, place: ndarray, image: ndarray, y: ndarray) -> None: ...
def roi_align(
    x: ndarray,
    image: ndarray,
    top: ndarray,
    weight_h: ndarray,
    left: ndarray,
    weight_w: ndarray,
    y: ndarray,
) -> None: ...
def roi_align_grad(
    grad: ndarray,
    image: ndarray,
    top: ndarray,
    weight_h: ndarray,
    left: ndarray,
    weight_w: ndarray,
    y: ndarray,
) -> None: ...
