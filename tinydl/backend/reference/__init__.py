"""The reference backend: every kernel in plain NumPy, written to be read. Slow, exact, the oracle
of all tests."""

from typing import ClassVar

from .arrays import Arrays
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


class Backend(
    Arrays,
    Elementwise,
    Reduce,
    Shape,
    Index,
    Matmul,
    Conv,
    Pool,
    Roi,
    Recurrent,
    Random,
    Softmax,
    Attention,
    Ctc,
    Norm,
    Optim,
):
    """The list of kernels, one mixin class per stem; the other backends override them."""

    name = "numpy"
    #: Whether inference keeps weights in an order of the backend's own (`ops/packed.py`). One that
    #: says so (`CpuBackend`) has pack_matmul, matmul_packed, pack_conv2d, conv2d_packed and level.
    packs = False

    def __repr__(self) -> str:
        return f"<tinydl backend {self.name!r}>"

    def __reduce__(self) -> tuple:
        """A copied or stored tensor belongs to the process's own backend of this name."""
        from .. import get

        return get, (self.name,)


class Complete:
    """Base of the other backends: a class that lacks a kernel cannot be defined.

    excused: the list of kernels that are the reference's on purpose. files: where a kernel of a
    stem is written, if not in backend/<folder>/<stem>.py. own_arrays: arrays are no ndarrays, so
    that arrays.py is to be overridden too.
    """

    folder: ClassVar[str]
    excused: ClassVar[str]
    files: ClassVar[dict[str, str]] = {}
    own_arrays: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        missing = missing_kernels(cls)
        if missing:
            places = {cls.files.get(s, f"backend/{cls.folder}/{s}.py") for s in missing.values()}
            raise TypeError(
                f"{cls.__name__} lacks the kernels {', '.join(missing)}: write them in "
                f"{' and '.join(sorted(places))} (and rebuild what is compiled), or list them in "
                f"{cls.excused} with a reason"
            )


def missing_kernels(backend: type) -> dict[str, str]:
    """Kernels that `backend` takes from the reference without saying so, with their stem."""
    excused = getattr(backend, getattr(backend, "excused", ""), {})
    rooms = STEMS | ({"arrays": Arrays} if getattr(backend, "own_arrays", False) else {})
    return {
        name: stem
        for stem, room in rooms.items()
        for name in vars(room)
        if not name.startswith("_")
        and name not in excused
        and getattr(backend, name) is getattr(room, name)
    }


#: Stem -> mixin class: the rooms of a backend, in the order of the class statement above.
STEMS = {
    "elementwise": Elementwise,
    "reduce": Reduce,
    "shape": Shape,
    "index": Index,
    "matmul": Matmul,
    "conv": Conv,
    "pool": Pool,
    "roi": Roi,
    "recurrent": Recurrent,
    "random": Random,
    "softmax": Softmax,
    "attention": Attention,
    "ctc": Ctc,
    "norm": Norm,
    "optim": Optim,
}
