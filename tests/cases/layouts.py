"""The same values in other places: strided, transposed, reversed, offset and stride-0 arrays."""

import numpy as np

PLAIN, TRANSPOSED, STRIDED, REVERSED, OFFSET, REPEATED = range(6)
NAMES = ("plain", "transposed", "strided", "reversed", "offset", "repeated")


def host_values(x, layout):
    """What `place` will hold: x itself, or with REPEATED its first row everywhere."""
    if layout == REPEATED and x.ndim and x.shape[0]:
        return np.broadcast_to(x[:1], x.shape).copy()
    return x


def place(backend, x, layout):
    """A backend array equal to the host array x (made by host_values) in that layout."""
    if x.ndim == 0 or x.size == 0 or layout == PLAIN:
        return backend.asarray(x.copy())
    if layout == TRANSPOSED:
        order = tuple(reversed(range(x.ndim)))
        return backend.transpose(backend.asarray(x.transpose(order).copy(order="C")), order)
    if layout == REPEATED:
        return backend.broadcast_to(backend.asarray(x[:1].copy()), x.shape)
    return _sliced(backend, x, layout)


def _sliced(backend, x, layout):
    """Cells of a larger array whose other cells hold a value that would show."""
    step = {STRIDED: 2, REVERSED: -1, OFFSET: 1}[layout]
    starts, steps, shape = [0] * x.ndim, [1] * x.ndim, list(x.shape)
    n = x.shape[-1]
    starts[-1] = {STRIDED: 1, REVERSED: n - 1, OFFSET: 3}[layout]
    steps[-1] = step
    shape[-1] = {STRIDED: 2 * n + 1, REVERSED: n, OFFSET: n + 3}[layout]
    base = np.full(shape, 77, x.dtype)
    cells = [slice(None)] * (x.ndim - 1)
    last = {STRIDED: slice(1, 2 * n, 2), REVERSED: slice(None, None, -1), OFFSET: slice(3, None)}
    base[(*cells, last[layout])] = x
    return backend.slice(backend.asarray(base), tuple(starts), tuple(steps), x.shape)


def is_contiguous(x):
    """C order without gaps, for an ndarray or a device array (strides in bytes or in elements)."""
    if isinstance(x, np.ndarray):
        return x.flags.c_contiguous
    contiguous = getattr(x, "contiguous", getattr(x, "is_contiguous", None))
    return contiguous() if callable(contiguous) else bool(contiguous)


def share_memory(a, b):
    if isinstance(a, np.ndarray):
        return np.shares_memory(a, b)
    return a.buffer is b.buffer
