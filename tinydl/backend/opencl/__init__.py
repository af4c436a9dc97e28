"""The OpenCL backend: every kernel of the reference on a device. Importing it touches no OpenCL."""

from __future__ import annotations

from typing import ClassVar

from .. import reference
from .arrays import Arrays
from .conv import Conv
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


def missing_kernels(backend: type) -> list[str]:
    """Kernels that `backend` takes from the reference unchanged, which cannot work: it has no NumPy
    arrays."""
    rooms = (reference.Arrays, *reference.STEMS.values())
    return [
        name
        for room in rooms
        for name in vars(room)
        if not name.startswith("_") and getattr(backend, name) is getattr(room, name)
    ]


class _Complete:
    """Base of OpenCLBackend: a backend class that lacks kernels cannot be defined."""

    host_round_trip: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls) -> None:
        missing = [k for k in missing_kernels(cls) if k not in cls.host_round_trip]
        if missing:
            raise TypeError(
                f"{cls.__name__} lacks the kernels {', '.join(missing)}: write them in "
                "backend/opencl/, or list them in host_round_trip with a reason"
            )


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
    Norm,
    Optim,
    Arrays,
    _Complete,
    reference.Backend,
):
    """Backend "opencl", or "opencl:1" for the second-best device; "opencl:pocl:0" selects by name
    as well.

    Raises DeviceError if pyopencl or a driver is missing; the message says how to install one.
    """

    #: Kernels that copy their arrays to the host and back, with the reason.
    host_round_trip: ClassVar[dict[str, str]] = {
        "argsort": "ranking is no part of a training step, and a device sort is a study of its own",
    }

    def __init__(self, name: str = "opencl") -> None:
        self.name = name
        self.runtime = runtime_for(name.partition(":")[2] or None)
        self._scalars = {}
