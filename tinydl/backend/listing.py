"""For which element types a kernel is written, and in which file: what `python -m tinydl.backend`
and the trace say. tests/backend/test_listing.py checks both by running every kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .reference import STEMS

FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ALL = (*NUMBERS, "uint8", "bool")

#: The stem of each kernel.
STEM_OF = {n: stem for stem, room in STEMS.items() for n in vars(room) if not n.startswith("_")}

#: Element types of a kernel where they are not FLOATS.
TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "floor_divide", "remainder"), NUMBERS),
    **dict.fromkeys(("negative", "abs", "sign"), NUMBERS),
    **dict.fromkeys(("maximum", "minimum"), (*NUMBERS, "bool")),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), ALL),
    **dict.fromkeys(("astype", "where", "sum", "cumsum", "argsort", "pad", "concat"), ALL),
    **dict.fromkeys(("reshape", "transpose", "broadcast_to", "slice", "one_hot"), ALL),
    **dict.fromkeys(("max", "min", "argmax", "argmin", "gather"), NUMBERS),
    **dict.fromkeys(("logical_not", "bernoulli"), ("bool",)),
}

#: Those of them that the C kernels take, where they are not FLOATS; the others are NumPy's.
IN_C = {"pad": NUMBERS, "concat": NUMBERS, "bernoulli": ("bool",)}

#: Kernels whose element type is that of the result.
BY_RESULT = frozenset(("astype", "one_hot", "uniform", "normal", "bernoulli"))

#: The C file of a kernel where it is not csrc/<stem>.c.
C_FILES = {
    **dict.fromkeys(("im2col", "col2im"), "conv_columns.c"),
    "conv2d_weight_grad": "conv_weight.c",
    **dict.fromkeys(("rnn_forward", "rnn_backward"), "recurrent.c"),
    **dict.fromkeys(("lstm_forward", "lstm_backward"), "recurrent_lstm.c"),
    **dict.fromkeys(("gru_forward", "gru_backward"), "recurrent_gru.c"),
    "attention_grad": "attention_grad.c",
    "cumsum": "reduce_scan.c",
    **dict.fromkeys(("row_norm", "row_norm_grad"), "norm_rows.c"),
    **dict.fromkeys(("power", "where"), "elementwise.c"),
}


def types(kernel: str) -> tuple[str, ...]:
    """The element types that a kernel is specified for."""
    return TYPES.get(kernel, FLOATS)


def types_in_c(kernel: str, uses_numpy: dict[str, str]) -> tuple[str, ...]:
    """Those that the cpu backend computes in C."""
    if kernel in uses_numpy:
        return ()
    return tuple([t for t in types(kernel) if t in IN_C.get(kernel, FLOATS)])


def kernel_file(backend: Any, kernel: str, arrays: Sequence[Any], y: Any, geometry: Any) -> str:
    """Where the kernel that makes y of the arrays is written. Arrays without elements, which the
    reference may take, count as others do."""
    stem = STEM_OF[kernel]
    if hasattr(backend, "uses_numpy"):
        dtype = _element_type(kernel, arrays, y)
        number = kernel == "pad" and arrays[0].shape == ()  # which NumPy places
        if dtype in types_in_c(kernel, backend.uses_numpy) and not number:
            return f"csrc/{_c_file(kernel, stem, geometry)}"
    elif hasattr(backend, "host_round_trip") and kernel not in backend.host_round_trip:
        if kernel in ("reshape", "transpose", "broadcast_to", "slice"):
            return "tinydl/backend/opencl/shape.py"  # a view: nothing runs on the device
        product = kernel in ("conv2d", "conv2d_input_grad") and geometry.product
        return f"kernels_cl/{'matmul' if product else stem}.cl"
    return f"tinydl/backend/reference/{stem}.py"


def _element_type(kernel: str, arrays: Sequence[Any], y: Any) -> str:
    if kernel in BY_RESULT or not arrays:
        return y.dtype.name
    floats = [a.dtype.name for a in arrays if a.dtype.kind == "f"]
    return floats[0] if floats else arrays[0].dtype.name


def _c_file(kernel: str, stem: str, geometry: Any) -> str:
    """A convolution is a product of single pixels or whole images, and has kernels of its own where
    every channel is a group. (conv.c hands the gradient of few channels on to conv_narrow.c, and
    few filters of long rows to conv_few.c.)"""
    if stem == "conv" and kernel.startswith("conv2d"):
        if geometry.product:
            return "matmul.c"
        if geometry.groups == geometry.C == geometry.F:
            weight = kernel == "conv2d_weight_grad"
            return "conv_depthwise_weight.c" if weight else "conv_depthwise.c"
    return C_FILES.get(kernel, "elementwise_rows.h" if stem == "elementwise" else f"{stem}.c")
