"""Whose an array is: gradients are handed out with arrays that nobody else can see."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from .recording import enable_grad


def give_own_arrays(found: dict[Any, Any], create_graph: bool) -> None:
    """Copy those gradients, in place of `found`, whose array somebody else can see: another leaf's
    gradient, the caller's incoming one, what a hook kept, a tensor that an operation saved and
    returned, views.

    Whoever overwrites a gradient then changes only that one. Most are fresh results which only
    `found` refers to, and stay as they are; those that create_graph recorded cannot be overwritten.
    """
    for place in found:
        if found[place].node is not None:
            if create_graph:
                continue
        # One reference is the dictionary's, one that of the question itself.
        elif getrefcount(found[place]) == 2 and not _is_shared(found[place]):
            continue
        if create_graph and found[place].requires_grad:  # an incoming gradient that is a leaf
            with enable_grad():
                found[place] = found[place].copy()
        else:
            backend = found[place].backend
            found[place] = found[place]._new(backend.copy(found[place].data), backend)


def _is_shared(t: Any) -> bool:
    """Whether the array of `t`, or its memory, is in other hands too, or one number in memory
    stands for several elements (a broadcast)."""
    if getrefcount(t.data) > 2:
        return True
    if hasattr(t.data, "buffer"):  # of OpenCL
        return getrefcount(t.data.buffer) > 2 or not t.data.contiguous
    if t.data.base is None:
        return False
    return getrefcount(t.data.base) > 2 or not t.data.flags.forc or not t.data.flags.writeable
