"""The reference backend: every kernel in plain NumPy, written to be read. Slow, exact, the oracle
of all tests."""

from .arrays import Arrays
from .conv import Conv
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
    "norm": Norm,
    "optim": Optim,
}
