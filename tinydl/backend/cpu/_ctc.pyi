from numpy import ndarray

def work(T: int, L: int) -> int: ...
def ctc(
    log_p: ndarray,
    labels: ndarray,
    steps: ndarray,
    counts: ndarray,
    blank: int,
    total: ndarray,
    occupied: ndarray,
    room: ndarray,
) -> None: ...
