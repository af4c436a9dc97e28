"""The OpenCL backend: every kernel of the reference on a device. Importing it touches no OpenCL."""

from __future__ import annotations

from typing import ClassVar

from .. import reference
from .arrays import Arrays
from .attention import Attention
from .conv import Conv
from .ctc import Ctc
from .device import HOW_TO_GET_A_DEVICE, describe_devices
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
from .runtime import runtime_for
from .shape import Shape
from .softmax import Softmax

__all__ = ["HOW_TO_GET_A_DEVICE", "OpenCLBackend", "describe_devices"]


class OpenCLBackend(
    Elementwise,
    Reduce,
    Shape,
    Index,
    Conv,
    Recurrent,
    Matmul,
    Pool,
    Roi,
    Random,
    Softmax,
    Attention,
    Ctc,
    Norm,
    Optim,
    Arrays,
    reference.Complete,
    reference.Backend,
):
    """Backend "opencl", or "opencl:1" for the second-best device; "opencl:pocl:0" selects by name
    as well.

    Raises DeviceError if pyopencl or a driver is missing; the message says how to install one.
    """

    folder, excused, own_arrays = "opencl", "host_round_trip", True
    files: ClassVar[dict[str, str]] = {"elementwise": "kernels_cl/elementwise.cl"}
    #: Kernels that copy their arrays to the host and back, with the reason.
    host_round_trip: ClassVar[dict[str, str]] = {
        "argsort": "ranking is no part of a training step, and a device sort is a study of its own",
    }

    def __init__(self, name: str = "opencl") -> None:
        self.name = name
        self.runtime = runtime_for(name.partition(":")[2] or None)
        self._scalars = {}
