"""tinydl: deep learning from scratch, from the user's `a @ b` down to the SIMD loop and the OpenCL
work-item."""

from typing import TYPE_CHECKING

from . import _start as _start  # first: it answers for the command while the rest is imported
from ._version import __version__
from .aliases import allclose, cat, clamp, manual_seed, rand, randn, unsqueeze
from .backend import default_backend, set_default_backend, use_backend
from .creation import (
    arange,
    bernoulli,
    eye,
    full,
    linspace,
    multinomial,
    normal,
    ones,
    ones_like,
    tensor,
    uniform,
    zeros,
    zeros_like,
)
from .derivatives import hessian, hvp, jacobian, jvp, per_sample_gradients
from .errors import TinydlError
from .function import Function, enable_grad, grad, is_recording, no_grad
from .habits import asked as _asked
from .inference import compile
from .instruments import detect_anomaly
from .interop import load_keras, load_llama, load_onnx, load_torch, save_onnx
from .measure.profiler import profile
from .ops import *  # noqa: F403  every public operation: ops/__init__.py lists them
from .random import Generator, seed
from .recompute import recompute
from .saving import load, save
from .tensor import Tensor

from . import nn, ops, optim  # isort: skip

__all__ = [
    "Function",
    "Generator",
    "Tensor",
    "TinydlError",
    "__version__",
    "allclose",
    "arange",
    "bernoulli",
    "cat",
    "clamp",
    "compile",
    "default_backend",
    "detect_anomaly",
    "enable_grad",
    "eye",
    "full",
    "grad",
    "hessian",
    "hvp",
    "is_recording",
    "jacobian",
    "jvp",
    "linspace",
    "load",
    "load_keras",
    "load_llama",
    "load_onnx",
    "load_torch",
    "manual_seed",
    "multinomial",
    "nn",
    "no_grad",
    "normal",
    "ones",
    "ones_like",
    "optim",
    "per_sample_gradients",
    "profile",
    "rand",
    "randn",
    "recompute",
    "save",
    "save_onnx",
    "seed",
    "set_default_backend",
    "tensor",
    "uniform",
    "unsqueeze",
    "use_backend",
    "zeros",
    "zeros_like",
]
__all__ += ops.__all__

if TYPE_CHECKING:
    from . import attribution as attribution
    from . import data as data
    from . import metrics as metrics
    from . import models as models
    from . import train as train
    from . import viz as viz
    from . import zoo as zoo
else:  # for a checker every name would exist
    __getattr__ = _asked(
        __name__, "td", ("attribution", "data", "metrics", "models", "train", "viz", "zoo")
    )
