"""Layer 3: what each operation computes (kernels) and its derivative (other operations)."""

from .activations import elu, gelu, hard_sigmoid, leaky_relu, relu6, selu, softplus, softsign, swish
from .arrange import (
    depth_to_space,
    diagonal,
    flip,
    pad,
    repeat,
    roll,
    space_to_depth,
    split,
    stack,
    tile,
    trace,
    tril,
    triu,
)
from .attention import (
    attention_weights,
    causal_mask,
    masked_softmax,
    scaled_dot_product_attention,
)
from .broadcast import broadcast_to, sum
from .compare import equal, greater, greater_equal, less, less_equal, logical_not, not_equal
from .conv import col2im, conv2d, im2col
from .conv_forms import conv1d, conv_transpose2d, depthwise_conv2d, separable_conv2d
from .einsum import einsum, gram_matrix
from .elementwise import (
    abs,
    add,
    astype,
    divide,
    exp,
    log,
    maximum,
    multiply,
    negative,
    power,
    relu,
    sigmoid,
    sign,
    sqrt,
    subtract,
    tanh,
    where,
)
from .getitem import getitem
from .index import (
    embedding,
    gather,
    one_hot,
    scatter_add,
    scatter_add_along_axis,
    take,
    take_along_axis,
)
from .matmul import linear, matmul
from .norm import (
    batch_norm,
    batch_norm_with_statistics,
    batch_statistics,
    group_norm,
    instance_norm,
    l2_normalize,
    layer_norm,
    local_response_norm,
)
from .order import argsort, cumsum, sort, topk
from .pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    global_avg_pool,
    global_max_pool,
    max_pool1d,
    max_pool2d,
    max_unpool2d,
)
from .random import dropout
from .recurrent import (
    gru_cell,
    gru_sequence,
    gru_sequence_by_cells,
    lstm_cell,
    lstm_sequence,
    lstm_sequence_by_cells,
    rnn_cell,
    rnn_sequence,
    rnn_sequence_by_cells,
)
from .reduce import all, any, argmax, argmin, logsumexp, max, mean, min, norm, prod, std, var
from .resize import resize
from .roi import roi_align, roi_pool
from .shape import concat, expand_dims, reshape, squeeze, transpose
from .softmax import cross_entropy_per_row, log_softmax, mean_cross_entropy, softmax
from .special import (
    atan2,
    clip,
    cos,
    erf,
    expm1,
    floor,
    log1p,
    logical_and,
    logical_or,
    logical_xor,
    masked_fill,
    minimum,
    round,
    sin,
)

__all__ = [
    "abs", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "add", "all", "any", "argmax", "argmin",
    "argsort", "astype", "atan2", "attention_weights", "avg_pool1d", "avg_pool2d", "batch_norm",
    "batch_norm_with_statistics", "batch_statistics", "broadcast_to", "causal_mask", "clip",
    "col2im", "concat", "conv1d",
    "conv2d", "conv_transpose2d", "cos", "cross_entropy_per_row", "cumsum", "depth_to_space",
    "depthwise_conv2d", "diagonal", "divide", "dropout", "einsum", "elu", "embedding", "equal",
    "erf", "exp", "expand_dims", "expm1", "flip", "floor", "gather", "gelu", "getitem",
    "global_avg_pool", "global_max_pool", "gram_matrix", "greater", "greater_equal", "group_norm",
    "gru_cell", "gru_sequence", "gru_sequence_by_cells", "hard_sigmoid", "im2col", "instance_norm",
    "l2_normalize", "layer_norm", "leaky_relu", "less", "less_equal", "linear",
    "local_response_norm", "log", "log1p", "log_softmax", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logsumexp", "lstm_cell", "lstm_sequence",
    "lstm_sequence_by_cells", "masked_fill", "masked_softmax", "matmul", "max", "max_pool1d",
    "max_pool2d", "max_unpool2d", "maximum", "mean", "mean_cross_entropy", "min", "minimum",
    "multiply", "negative", "norm", "not_equal", "one_hot", "pad", "power", "prod", "relu", "relu6",
    "repeat", "reshape", "resize", "rnn_cell", "rnn_sequence", "rnn_sequence_by_cells", "roi_align",
    "roi_pool", "roll", "round", "scaled_dot_product_attention", "scatter_add",
    "scatter_add_along_axis", "selu", "separable_conv2d", "sigmoid", "sign", "sin", "softmax",
    "softplus", "softsign", "sort", "space_to_depth", "split", "sqrt", "squeeze", "stack", "std",
    "subtract", "sum", "swish", "take", "take_along_axis", "tanh", "tile", "topk", "trace",
    "transpose", "tril", "triu", "var", "where",
]  # fmt: skip
