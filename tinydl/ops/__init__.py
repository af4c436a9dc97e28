"""Layer 3: what each operation computes (kernels) and its derivative (other operations)."""

from .conv import col2im, conv2d, im2col
from .elementwise import (
    abs,
    add,
    astype,
    divide,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logical_not,
    maximum,
    multiply,
    negative,
    not_equal,
    power,
    relu,
    sigmoid,
    sign,
    sqrt,
    subtract,
    tanh,
    where,
)
from .index import embedding, gather, one_hot, scatter_add
from .matmul import linear, matmul
from .pool import avg_pool2d, max_pool2d
from .random import dropout
from .recurrent import rnn_cell, rnn_sequence, rnn_sequence_by_cells
from .reduce import argmax, logsumexp, max, mean, sum, var
from .shape import (
    broadcast_to,
    concat,
    expand_dims,
    getitem,
    pad,
    reshape,
    squeeze,
    transpose,
)
from .softmax import cross_entropy_per_row, log_softmax, softmax

__all__ = [
    "abs", "add", "argmax", "astype", "avg_pool2d", "broadcast_to", "col2im", "concat", "conv2d",
    "cross_entropy_per_row", "divide", "dropout", "embedding", "equal", "exp", "expand_dims",
    "gather", "getitem", "greater", "greater_equal", "im2col", "less", "less_equal", "linear",
    "log", "log_softmax", "logical_not", "logsumexp", "matmul", "max", "max_pool2d", "maximum",
    "mean", "multiply", "negative", "not_equal", "one_hot", "pad", "power", "relu", "reshape",
    "rnn_cell", "rnn_sequence", "rnn_sequence_by_cells", "scatter_add", "sigmoid", "sign",
    "softmax", "sqrt", "squeeze", "subtract", "sum", "tanh", "transpose", "var", "where",
]  # fmt: skip
