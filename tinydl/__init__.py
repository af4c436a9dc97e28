"""tinydl: deep learning from scratch, from the user's `a @ b` down to the SIMD loop and the OpenCL
work-item."""

from ._version import __version__
from .backend import default_backend, set_default_backend, use_backend
from .creation import arange, bernoulli, full, normal, ones, uniform, zeros
from .errors import TinydlError
from .function import Function, enable_grad, grad, is_recording, no_grad
from .instruments import detect_anomaly
from .ops import (
    abs,
    avg_pool2d,
    broadcast_to,
    col2im,
    concat,
    conv2d,
    dropout,
    embedding,
    exp,
    gather,
    im2col,
    linear,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max_pool2d,
    maximum,
    one_hot,
    pad,
    relu,
    rnn_cell,
    rnn_sequence,
    scatter_add,
    sigmoid,
    sign,
    softmax,
    sqrt,
    tanh,
    where,
)
from .random import Generator, seed
from .tensor import Tensor, tensor

__all__ = [
    "Function", "Generator", "Tensor", "TinydlError", "__version__", "abs", "arange",
    "avg_pool2d", "bernoulli", "broadcast_to", "col2im", "concat", "conv2d", "default_backend",
    "detect_anomaly", "dropout", "embedding", "enable_grad", "exp", "full", "gather", "grad",
    "im2col", "is_recording", "linear", "log", "log_softmax", "logsumexp", "matmul", "max_pool2d",
    "maximum", "no_grad", "normal", "one_hot", "ones", "pad", "relu", "rnn_cell", "rnn_sequence",
    "scatter_add", "seed", "set_default_backend", "sigmoid", "sign", "softmax", "sqrt", "tanh",
    "tensor", "uniform", "use_backend", "where", "zeros",
]  # fmt: skip

from . import nn, optim

__all__ += ["nn", "optim"]
