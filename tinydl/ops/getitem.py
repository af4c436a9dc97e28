"""x[key]: slices as views, arrays of positions and masks as gathers. No kernels of its own."""

from __future__ import annotations

from math import prod

import numpy as np

from ..arguments import MOST_AXES, is_whole, out_of_memory, rank
from ..arguments import array as host_array
from ..errors import IndexRangeError, ShapeError
from ..quoting import quoted
from .elementwise import astype
from .index import Gather, _checked_host, _host_indices, _out_of_range_kept, check_indices, gather
from .operands import _constant
from .shape import Slice, reshape, transpose

_ALL = (slice(None),) * MOST_AXES


def getitem(x, key):
    """x[key] as in NumPy: integers, slices, None, Ellipsis, and arrays of integers or masks among
    them."""
    ndim = rank("getitem", x)
    keys = key if isinstance(key, tuple) else (key,)
    given, ellipses, place = 0, 0, len(keys)
    for i, k in enumerate(keys):
        if k is Ellipsis:
            ellipses, place = ellipses + 1, i
        elif k is not None:
            given += 1
            if is_index_array(k):
                try:
                    return getitem_arrays(x, keys)
                except MemoryError as error:
                    raise out_of_memory("getitem", error) from None
    if ellipses > 1 or given > ndim:
        raise ShapeError(f"getitem: {quoted(key)} has too many indices for shape {x.shape}")
    return _basic_slice(x, (*keys[:place], *_ALL[: ndim - given], *keys[place + 1 :]))


def _basic_slice(x, keys):
    starts, steps, counts, shape = [], [], [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(k, slice):
            try:
                start, stop, step = k.indices(n)
            except (TypeError, ValueError):
                raise ShapeError(
                    f"getitem: a slice has integers and a step that is not 0, got {quoted(k)}"
                ) from None
            count = len(range(start, stop, step))
            shape.append(count)
        elif is_whole(k):
            if not -n <= k < n:
                raise IndexRangeError(
                    f"getitem: index {k} is out of range for axis {axis} of size {n}"
                )
            start, step, count = int(k) % n, 1, 1
        else:
            raise ShapeError(
                f"getitem: cannot index with {type(k).__name__}; integers, slices, None, Ellipsis, "
                "integer arrays and bool masks work; a bool is no index (x[None] adds an axis)"
            )
        starts.append(start if count else 0)
        steps.append(step)
        counts.append(count)
        axis += 1
    if tuple(counts) != x.shape or any(s != 1 for s in steps):
        x = Slice(tuple(starts), tuple(steps), tuple(counts)).apply(x)
    return reshape(x, tuple(shape))


def is_index_array(key):
    """Whether a part of x[...] is an array of positions or a mask."""
    return isinstance(key, np.ndarray | list) or hasattr(key, "_new")


def _is_mask(key):
    return getattr(key, "dtype", None) == np.bool_


def _complete_keys(x, keys):
    """One key per axis of x, plus the Nones: Ellipsis filled in, each bool mask replaced by its
    positions."""
    keys = [host_array("getitem", "an index", k) if isinstance(k, list) else k for k in keys]
    # A mask decides the shape of the result, so it has to be read on the host.
    keys = [k.numpy() if _is_mask(k) and hasattr(k, "_new") else k for k in keys]
    ellipses = [i for i, k in enumerate(keys) if k is Ellipsis]
    used = [k.ndim if _is_mask(k) else 1 for k in keys if k is not None and k is not Ellipsis]
    if len(ellipses) > 1 or sum(used) > x.ndim:
        raise ShapeError(f"getitem: {sum(used)} indices for {x.ndim} axes of shape {x.shape}")
    if any(k.ndim == 0 for k in keys if _is_mask(k)):
        raise ShapeError("getitem: a mask without axes stands alone, as in x[mask]")
    place = ellipses[0] if ellipses else len(keys)
    keys[place : place + 1] = [slice(None)] * (x.ndim - sum(used))
    complete, axis = [], 0
    for key in keys:
        if not _is_mask(key):
            complete.append(key)
            axis += key is not None
            continue
        if key.shape != x.shape[axis : axis + key.ndim]:
            raise ShapeError(
                f"getitem: mask {key.shape} at axis {axis} does not fit the shape {x.shape}"
            )
        complete += key.nonzero()
        axis += key.ndim
    return complete


def getitem_arrays(x, keys):
    """x[keys] with integer arrays, tensors or masks among slices, None and integers: NumPy's
    advanced indexing.

    The index arrays broadcast to one shape S. S takes their place in the result if they stand next
    to each other, else it comes first. Entries of lists and ndarrays may be negative, those of
    tensors may not.
    """
    if len(keys) == 1 and _is_mask(keys[0]) and not keys[0].shape:
        kept = int(bool(keys[0]))  # all of x or nothing, along a new axis
        return _basic_slice(reshape(x, (1, *x.shape)), [slice(kept), *[slice(None)] * x.ndim])
    apart = _parted_by_ellipsis(keys)
    basic: list = []
    arrays, places, axis = [], [], 0
    for key in _complete_keys(x, keys):
        if key is not None and not isinstance(key, slice):
            arrays.append((axis, key))
            places.append(len(basic))
            key = slice(None)
        basic.append(key)
        axis += key is not None
    y = _basic_slice(x, basic)
    others = [i for i in range(y.ndim) if i not in places]
    sizes, rest = [y.shape[p] for p in places], tuple([y.shape[i] for i in others])
    order = [*places, *others]
    y = y if order == sorted(order) else transpose(y, order)
    rows = reshape(y, (prod(sizes), *rest))
    found = _gather_at(rows, arrays, sizes)
    if apart or places != list(range(places[0], places[0] + len(places))) or places[0] == 0:
        return found
    lead = found.ndim - len(rest)
    at = lead + places[0]
    return transpose(found, (*range(lead, at), *range(lead), *range(at, found.ndim)))


def _parted_by_ellipsis(keys):
    """Whether an Ellipsis stands between indices: it parts them, also where it stands for no
    axis, as in NumPy."""
    kinds = [
        "" if k is None or isinstance(k, slice) else "e" if k is Ellipsis else "i" for k in keys
    ]
    before, parted, after = "".join(kinds).partition("e")
    return bool(before and parted and after)


def _gather_at(rows, arrays, sizes):
    """Rows at the combined position of several (axis, indices) over axes of `sizes`, the last one
    fastest."""
    steps = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    host, tensors = np.zeros((), np.int64), []
    for (axis, key), size, step in zip(arrays, sizes, steps, strict=True):
        if hasattr(key, "_new"):
            check_indices("getitem", key)
            tensors.append((key, size, step))
            continue
        values = _checked_host("getitem", key, axis, size) * step
        try:
            host = host + values
        except ValueError:
            raise ShapeError(
                f"getitem: index arrays {host.shape} and {values.shape} do not broadcast"
            ) from None
    if len(arrays) == 1 and tensors:
        return gather(rows, arrays[0][1])
    flat = _host_indices(rows, host)
    for key, _, step in tensors:
        flat = flat + astype(key, np.int64) * _constant(flat, step)
    for key, size, _ in tensors:
        flat = _out_of_range_kept(key, flat, size, prod(sizes))
    return Gather().apply(rows, flat)
