"""Nodes with weights as layers: convolutions, products, normalisation, embedding, pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operators.convolution import pads_of, spatial
from ..operators.table import axis_in
from ..tracing import Traced
from .builder import BATCH, IMAGE, PLAIN, Builder
from .calls import Layer


def _pair(values: list[int]) -> Any:
    """(3, 3) as 3."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def _padding(pads: list[tuple[int, int]], same: bool) -> Any:
    if all(a == b for a, b in pads):
        return _pair([a for a, _ in pads])
    if same:
        return "same"
    return tuple(pads) if len(pads) > 1 else pads[0]


def _geometry(step: Traced, weight: np.ndarray) -> dict[str, Any] | None:
    """Kernel, stride, padding and dilation as arguments; None for what the layers have not."""
    node, count = step.node, weight.ndim - 2
    if not 1 <= count <= 2:
        return None
    kernel = list(weight.shape[:count])
    stride, dilation = spatial(node, "strides", count, 1), spatial(node, "dilations", count, 1)
    return {"kernel_size": kernel, "stride": stride, "dilation": dilation}


def _upper(step: Traced, found: dict[str, Any], pads: list[tuple[int, int]]) -> bool:
    """Whether the padding is that of "same": the size divided by the stride, rounded up."""
    if all(k == 1 for k in found["kernel_size"]):
        return False
    if step.node.get("auto_pad") == "SAME_UPPER":
        return True
    reach = [d * (k - 1) for d, k in zip(found["dilation"], found["kernel_size"], strict=True)]
    wide = [(n // 2, n - n // 2) for n in reach]
    return all(s == 1 for s in found["stride"]) and pads == wide


def conv(b: Builder, step: Traced) -> bool:
    weight, places = b.array(step, 1), b.shape(step.node.inputs[0])[2:]
    found = None if weight is None or weight.ndim != len(places) + 2 else _geometry(step, weight)
    if found is None or weight is None:
        return False
    node, groups = step.node, step.node.get("group", 1)
    pads = pads_of(node, places, found["kernel_size"], found["stride"], found["dilation"])
    if node.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID", "SAME_UPPER", "") and any(
        any(p) for p in pads
    ):
        b.remarks["its padding is that of the sizes named above"] = None
    args: dict[str, Any] = {k: v[0] if weight.ndim == 3 else _pair(v) for k, v in found.items()}
    args["padding"] = _padding(pads, _upper(step, found, pads))
    bias = b.array(step, 2) if node.has(2) else None
    layer = _conv_layer(weight, bias, groups, args, node.inputs[1])
    (y,) = b.layer(layer, [b.get(node.inputs[0], IMAGE)])
    b.put(node.outputs[0], IMAGE, y)
    return True


def _conv_layer(
    weight: np.ndarray, bias: np.ndarray | None, groups: int, args: dict[str, Any], origin: str
) -> Layer:
    """Conv1d, Conv2d, or DepthwiseConv2d where every channel is its own group."""
    C, F, one = weight.shape[-2] * groups, weight.shape[-1], weight.ndim == 3
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias.reshape(-1)})
    depthwise = not one and groups == C > 1
    if depthwise:
        KH, KW, _, _ = weight.shape
        arrays["weight"] = weight.reshape(KH, KW, C, F // C)
        shape: dict[str, Any] = {"channels": C}
        rest: dict[str, Any] = {"multiplier": F // C}
    else:
        shape, rest = {"in_channels": C, "out_channels": F}, {"groups": groups}
    names = ("kernel_size", "stride", "padding", "dilation")
    ordered = {**shape, **{k: args[k] for k in names}, **rest, "bias": bias is not None}
    defaults = {
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "groups": 1,
        "multiplier": 1,
        "bias": True,
    }
    cls = "nn.DepthwiseConv2d" if depthwise else "nn.Conv1d" if one else "nn.Conv2d"
    return Layer("depthwise" if depthwise else "conv", cls, ordered, defaults, arrays, origin, 3)


def conv_transpose(b: Builder, step: Traced) -> bool:
    weight, node = b.array(step, 1), step.node
    if weight is None or weight.ndim != 4 or "output_shape" in node.attributes:
        return False
    found, places = _geometry(step, weight), b.shape(node.inputs[0])[2:]
    if found is None or node.get("auto_pad", "NOTSET").startswith("SAME"):
        return False
    pads = pads_of(node, places, found["kernel_size"], found["stride"], found["dilation"])
    extra, groups = spatial(node, "output_padding", 2, 0), node.get("group", 1)
    reach = [d * (k - 1) + 1 for d, k in zip(found["dilation"], found["kernel_size"], strict=True)]
    if any(max(p) >= k for p, k in zip(pads, reach, strict=True)) or any(
        e >= max(s, d) for e, s, d in zip(extra, found["stride"], found["dilation"], strict=True)
    ):
        return False
    bias = b.array(step, 2) if node.has(2) else None
    args = {
        "in_channels": weight.shape[-1], "out_channels": weight.shape[-2] * groups,
        "kernel_size": _pair(found["kernel_size"]), "stride": _pair(found["stride"]),
        "padding": _padding(pads, False), "output_padding": _pair(extra),
        "dilation": _pair(found["dilation"]), "groups": groups, "bias": bias is not None,
    }  # fmt: skip
    defaults = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1,
                "bias": True}  # fmt: skip
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias.reshape(-1)})
    layer = Layer("up", "nn.ConvTranspose2d", args, defaults, arrays, node.inputs[1], 3)
    (y,) = b.layer(layer, [b.get(node.inputs[0], IMAGE)])
    b.put(node.outputs[0], IMAGE, y)
    return True


def gemm(b: Builder, step: Traced) -> bool:
    """alpha x w + beta c with a stored matrix: a Linear."""
    node, weight = step.node, b.array(step, 1)
    bias = b.array(step, 2) if node.has(2) else None
    if weight is None or weight.ndim != 2 or weight.dtype.kind != "f" or node.get("transA", 0):
        return False
    if node.has(2) and (bias is None or bias.size != bias.shape[-1]):
        return False
    weight = weight.T if node.get("transB", 0) else weight
    weight = weight * np.asarray(node.get("alpha", 1.0), weight.dtype)
    if bias is not None:
        if bias.size not in (1, weight.shape[1]):
            return False
        bias = np.broadcast_to(bias.reshape(-1), weight.shape[1:])
        bias = bias * np.asarray(node.get("beta", 1.0), bias.dtype)
    return _linear(b, step, weight, bias)


def matmul(b: Builder, step: Traced) -> bool:
    weight, node = b.array(step, 1), step.node
    x = node.inputs[0]
    linear = weight is not None and weight.ndim == 2 and weight.dtype.kind == "f"
    if linear and weight is not None and b.known(x) and len(b.shape(x)) >= 2:
        return _linear(b, step, weight, None)
    if not (b.known(x) and b.known(node.inputs[1])):
        return False
    if min(len(b.shape(n)) for n in node.inputs) < 2:
        return False
    y = b.expression("{0} @ {1}", [b.get(n) for n in node.inputs], 2)
    b.put(node.outputs[0], PLAIN, y)
    return True


def _linear(b: Builder, step: Traced, weight: np.ndarray, bias: np.ndarray | None) -> bool:
    node, x = step.node, step.node.inputs[0]
    if not b.known(x) or len(b.shape(x)) < 2:
        return False
    form = BATCH if b.has(x, BATCH) and not b.has(x, PLAIN) else PLAIN
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias})
    args = {"in_features": weight.shape[0], "out_features": weight.shape[1],
            "bias": bias is not None}  # fmt: skip
    flat = b.flattened.get(x)
    if flat is not None and form == PLAIN:
        number, order = flat
        arrays["weight"] = weight[order]
    else:
        number = b.get(x, form)
    layer = Layer("fc", "nn.Linear", args, {"bias": True}, arrays, node.inputs[1], 2)
    (y,) = b.layer(layer, [number])
    b.put(node.outputs[0], form, y)
    return True


def batch_norm(b: Builder, step: Traced) -> bool:
    node, vectors = step.node, [b.array(step, i) for i in range(1, 5)]
    ndim = len(b.shape(node.inputs[0]))
    if any(v is None for v in vectors) or ndim < 2:
        return False
    names = ("scale", "shift", "running_mean", "running_variance")
    arrays: Any = dict(zip(names, vectors, strict=True))
    args = {"features": arrays["scale"].size, "eps": float(node.get("epsilon", 1e-5))}
    form = IMAGE if ndim > 2 else PLAIN
    layer = Layer("norm", "nn.BatchNorm", args, {"eps": 1e-3}, arrays, node.inputs[1], 1)
    (y,) = b.layer(layer, [b.get(node.inputs[0], form)], light=True)
    b.put(node.outputs[0], form, y)
    return True


def layer_norm(b: Builder, step: Traced) -> bool:
    node, x = step.node, step.node.inputs[0]
    shape = b.shape(x)
    axis = axis_in(node.kind, node.get("axis", -1), len(shape))
    scale, shift = b.array(step, 1), b.array(step, 2) if node.has(2) else None
    rest = shape[axis:]
    if scale is None or scale.shape != rest or node.wants(1) or node.wants(2):
        return False
    shift = np.zeros_like(scale) if shift is None else shift
    if shift.shape != rest:
        return False
    size = rest[0] if len(rest) == 1 else rest
    args = {"shape": size, "eps": float(node.get("epsilon", 1e-5))}
    layer = Layer("norm", "nn.LayerNorm", args, {"eps": 1e-3}, {"scale": scale, "shift": shift},
                  node.inputs[1], 1)  # fmt: skip
    form = BATCH if b.has(x, BATCH) and not b.has(x, PLAIN) and axis >= 2 else PLAIN
    (y,) = b.layer(layer, [b.get(x, form)], light=True)
    b.put(node.outputs[0], form, y)
    return True


def channel_norm(b: Builder, step: Traced) -> bool:
    """InstanceNormalization and GroupNormalization."""
    node, scale, shift = step.node, b.array(step, 1), b.array(step, 2)
    if scale is None or shift is None or len(b.shape(node.inputs[0])) < 3:
        return False
    groups, C = node.get("num_groups"), b.shape(node.inputs[0])[1]
    if node.kind == "GroupNormalization" and scale.size != C:
        scale, shift = (np.repeat(v, C // groups) for v in (scale, shift))
    arrays, eps = {"scale": scale, "shift": shift}, float(node.get("epsilon", 1e-5))
    own = {"groups": groups} if groups else {}
    cls = "nn.GroupNorm" if groups else "nn.InstanceNorm"
    args = {**own, "channels": C, "eps": eps}
    layer = Layer("norm", cls, args, {"eps": 1e-3}, arrays, node.inputs[1], 2)
    (y,) = b.layer(layer, [b.get(node.inputs[0], IMAGE)], light=True)
    b.put(node.outputs[0], IMAGE, y)
    return True


def pool(b: Builder, step: Traced) -> bool:
    """Windows of one or two axes as tinydl has them."""
    node, places = step.node, b.shape(step.node.inputs[0])[2:]
    kernel = spatial(node, "kernel_shape", len(places), 1)
    stride = spatial(node, "strides", len(places), 1)
    dilation = spatial(node, "dilations", len(places), 1)
    if len(places) != 2 or set(dilation) != {1} or node.wants(1):
        return False
    pads = pads_of(node, places, kernel, stride, dilation)
    if any(max(p) >= k for p, k in zip(pads, kernel, strict=True)):
        return False
    same = node.get("auto_pad") == "SAME_UPPER" and any(any(p) for p in pads)
    args: dict[str, Any] = {
        "kernel_size": _pair(kernel), "stride": _pair(stride), "padding": _padding(pads, same),
        "ceil_mode": bool(node.get("ceil_mode", 0)),
    }  # fmt: skip
    defaults: dict[str, Any] = {"stride": args["kernel_size"], "padding": 0, "ceil_mode": False}
    if node.kind == "AveragePool":
        args["count_include_pad"] = bool(node.get("count_include_pad", 0))
        defaults["count_include_pad"] = False
    cls = "nn.MaxPool2d" if node.kind == "MaxPool" else "nn.AvgPool2d"
    layer = Layer("pool", cls, args, defaults, {}, "", 1)
    (y,) = b.layer(layer, [b.get(node.inputs[0], IMAGE)], light=True)
    b.put(node.outputs[0], IMAGE, y)
    return True


def gather(b: Builder, step: Traced) -> bool:
    """Rows of a stored table: an Embedding."""
    node, table = step.node, b.array(step, 0)
    embedding = table is not None and table.ndim == 2 and node.get("axis", 0) == 0
    if table is None or not embedding or not b.known(node.inputs[1]) or table.dtype.kind != "f":
        return False
    args = {"num_embeddings": table.shape[0], "embedding_dim": table.shape[1]}
    layer = Layer("embed", "nn.Embedding", args, {}, {"weight": table}, node.inputs[0], 2)
    index = node.inputs[1]
    form = BATCH if b.has(index, BATCH) and not b.has(index, PLAIN) else PLAIN
    (y,) = b.layer(layer, [b.get(index, form)], light=True)
    b.put(node.outputs[0], form, y)
    return True


LAYERS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "InstanceNormalization": channel_norm,
    "GroupNormalization": channel_norm,
    "MaxPool": pool,
    "AveragePool": pool,
    "Gather": gather,
}
