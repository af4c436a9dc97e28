"""Weights packed once for many calls, while nothing is recorded.

A backend may multiply from a copy of the weight in an order of its own (`csrc/shared/tile.h`:
panels as wide as two registers), which it has to write at every call, because training changes the
weight in between. In inference the weight stays: there the copy is kept beside the tensor. It is
dropped by an update in place (`Tensor.bump_version`), by the next recorded `linear` or convolution
with that weight (a recorded `@` leaves it, unused), and with the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..function import is_recording

#: A weight is read once by packing and once for every row it is multiplied with (an output pixel, a
#: sample): the gain is about 10 / rows, and beyond this number not worth the memory.
MOST_ROWS = 2048

#: Smaller matrices lie in the caches and are read in place by few rows, packed in no time for many.
LEAST_MATRIX = 1 << 17

#: From so many numbers on, packing a recurrent weight for a single row takes longer than the row's
#: product by the weight as it lies.
LEAST_RECURRENT = 1 << 19


class Packed:
    """What `Tensor._packed` holds: the copy, and what it was made from and for."""

    __slots__ = ("array", "form", "source", "version")

    def __init__(self, array: Any, form: tuple, source: Any, version: int) -> None:
        self.array, self.form, self.source, self.version = array, form, source, version

    def __reduce__(self) -> tuple:
        return type(None), ()  # a copied or stored tensor packs for itself


def keeps_packed(x: Any, weight: Any, bias: Any = None) -> bool:
    """Whether the operation may multiply by a kept copy of `weight`: its backend has such products
    (`packs`) and nothing is recorded. A recorded use drops the copy."""
    try:
        if not weight.backend.packs:
            return False
        tracked = weight._requires_grad or x._requires_grad
        if bias is not None:
            tracked = tracked or bias._requires_grad
    except AttributeError:  # no tensors: `apply` says so
        return False
    if tracked and is_recording():
        weight._packed = None
        return False
    return True


def packed_weight(weight: Any, form: tuple, pack: Callable[..., Any], *how: Any) -> Any:
    """`pack(weight.data, *how)`, kept from call to call; None where `pack` says that the weight is
    multiplied as it is.

    form: what the copy depends on beside the weight and the level. A copy of an earlier version, of
    exchanged storage or of another form is replaced.
    """
    source, version, form = weight.data, weight._version[0], (weight.backend.level(), *form)
    kept = getattr(weight, "_packed", None)
    if (
        kept is None
        or kept.version != version
        or kept.source is not source
        or kept.form != form
    ):  # fmt: skip
        kept = weight._packed = Packed(pack(source, *how), form, source, version)
    return kept.array


def one_row_in_place(x: Any, weight_h: Any) -> bool:
    """Whether x (N, T, D) is one step of one sequence, unrecorded, by a large weight (H, G*H): a
    text that is being written. The kernel of whole sequences packs the weight at every call, the
    product of one row reads it in place."""
    return (
        x.shape[0] == x.shape[1] == 1
        and weight_h.size >= LEAST_RECURRENT
        and getattr(weight_h.backend, "packs", False)
        and not is_recording()
    )
