"""The CPU backend: Cython modules over C kernels for float32 and float64, else the reference."""

from __future__ import annotations

import os
from typing import ClassVar

from ...errors import REBUILD
from .. import reference

try:
    from . import _runtime, compiled  # before the others, which ask it for kernels
    from .attention import Attention
    from .conv import Conv
    from .ctc import Ctc
    from .elementwise import Elementwise
    from .index import Index
    from .matmul import Matmul
    from .norm import Norm
    from .optim import Optim
    from .pool import Pool
    from .random import Random
    from .recurrent import Recurrent
    from .reduce import Reduce
    from .roi import Roi
    from .shape import Shape
    from .softmax import Softmax
except AttributeError as error:  # compiled.py says which module lacks what, and how to rebuild
    raise ImportError(str(error)) from error
except ImportError as error:
    if str(error).startswith("tinydl"):  # of _runtime: another processor
        raise
    raise ImportError(f"{error}; {REBUILD}") from error

_VIEW = "a view: no memory is touched"

#: Kernels which are deliberately NumPy's for every type, and why. All others are C for float32 and
#: float64 and NumPy's for the remaining types, where they only count, mask or index.
uses_numpy: dict[str, str] = {
    "reshape": _VIEW + " (NumPy copies where strides do not allow it)",
    "transpose": _VIEW,
    "broadcast_to": _VIEW,
    "slice": _VIEW,
    "logical_not": "bool only; masks are small beside the floats they select",
    "argsort": "NumPy's stable sort is compiled already, and ranking is no part of a training step",
}


class CpuBackend(
    Elementwise,
    Shape,
    Index,
    Recurrent,
    Matmul,
    Reduce,
    Conv,
    Pool,
    Roi,
    Random,
    Softmax,
    Attention,
    Ctc,
    Norm,
    Optim,
    reference.Complete,
    reference.Backend,
):
    """The mixin classes of this folder over the reference backend."""

    name = "cpu"
    folder, excused = "cpu", "uses_numpy"
    files: ClassVar[dict[str, str]] = {"elementwise": "csrc/elementwise_rows.h"}
    uses_numpy = uses_numpy

    packs = os.environ.get("TINYDL_PACKED") != "drop"
    level = staticmethod(_runtime.level)  # a packed weight is as wide as its registers


__all__ = ["CpuBackend", "compiled", "uses_numpy"]
