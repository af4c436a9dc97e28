"""Convolution and its transpose, on images with the channels last."""

from __future__ import annotations

from ... import ops
from ...errors import ConfigError, ShapeError
from .table import LAST, integers, row, same


def kernel_last(weight):
    """(F, C, *kernel) -> (*kernel, C, F), and the same for the transposed one."""
    return weight.transpose((*range(2, weight.ndim), 1, 0))


def spatial(node, name, count, default):
    """One integer for each of the `count` axes of places."""
    found = integers(node.get(name, [default] * count))
    if len(found) != count:
        raise ShapeError(f"{node.kind}: {name} {found} for {count} axes of places")
    return found


def pads_of(node, places, kernel, stride, dilation):
    """(before, after) for each axis, from `pads` or `auto_pad`."""
    count, auto = len(places), node.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return [(0, 0)] * count
    if auto == "NOTSET" or auto == "":
        pads = integers(node.get("pads", [0] * (2 * count)))
        if len(pads) != 2 * count:
            raise ShapeError(f"{node.kind}: pads {pads} for {count} axes of places")
        return list(zip(pads[:count], pads[count:], strict=True))
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise ConfigError(f"{node.kind}: auto_pad {auto!r} is not known")
    found = []
    for n, k, s, d in zip(places, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        less, more = total // 2, total - total // 2
        found.append((less, more) if auto == "SAME_UPPER" else (more, less))
    return found


def as_image(x, count):
    """One axis of places as two, of height 1."""
    return x if count == 2 else ops.reshape(x, (x.shape[0], 1, *x.shape[1:]))


def conv(node, x, weight, bias=None):
    places, kernel = x.shape[1:-1], weight.shape[:-2]
    if len(kernel) != len(places) or not 1 <= len(places) <= 2:
        raise ConfigError(f"Conv: {len(places)} axes of places; tinydl convolves along one or two")
    count = len(places)
    stride, dilation = spatial(node, "strides", count, 1), spatial(node, "dilations", count, 1)
    pads = pads_of(node, places, kernel, stride, dilation)
    if count == 1:
        x, weight = as_image(x, 1), ops.reshape(weight, (1, *weight.shape))
        stride, dilation, pads = [1, *stride], [1, *dilation], [(0, 0), *pads]
    y = ops.conv2d(
        x, weight, bias, tuple(stride), tuple(pads), tuple(dilation), node.get("group", 1)
    )
    return y if count == 2 else ops.reshape(y, (y.shape[0], *y.shape[2:]))


def conv_transpose(node, x, weight, bias=None):
    places, kernel = x.shape[1:-1], weight.shape[:-2]
    if len(kernel) != len(places) or not 1 <= len(places) <= 2:
        raise ConfigError(
            f"ConvTranspose: {len(places)} axes of places; tinydl convolves along one or two"
        )
    count = len(places)
    stride, dilation = spatial(node, "strides", count, 1), spatial(node, "dilations", count, 1)
    extra = spatial(node, "output_padding", count, 0)
    full = [
        (n - 1) * s + d * (k - 1) + 1 + e
        for n, s, d, k, e in zip(places, stride, dilation, kernel, extra, strict=True)
    ]
    if "output_shape" in node.attributes:
        wanted = integers(node.get("output_shape"))[-count:]
        pads = _shares(node, [f - w for f, w in zip(full, wanted, strict=True)])
    elif node.get("auto_pad", "NOTSET").startswith("SAME"):
        wanted = [n * s for n, s in zip(places, stride, strict=True)]
        pads = _shares(node, [f - w for f, w in zip(full, wanted, strict=True)])
    else:
        pads = pads_of(node, places, kernel, stride, dilation)
    return _transposed(node, x, weight, bias, count, stride, dilation, extra, full, pads)


def _shares(node, totals):
    upper = node.get("auto_pad", "NOTSET") == "SAME_UPPER"
    return [(t // 2, t - t // 2) if upper else (t - t // 2, t // 2) for t in totals]


def _transposed(node, x, weight, bias, count, stride, dilation, extra, full, pads):
    """All that the kernel reaches, then `pads` cut off: also where tinydl's own padding would be
    larger than the window."""
    if count == 1:
        x, weight = as_image(x, 1), ops.reshape(weight, (1, *weight.shape))
        stride, dilation, extra = [1, *stride], [1, *dilation], [0, *extra]
        full, pads = [1, *full], [(0, 0), *pads]
    y = ops.conv_transpose2d(
        x, weight, bias, tuple(stride), 0, 0, tuple(dilation), node.get("group", 1)
    )
    grown = [max(f - a - n, 0) for f, (_, a), n in zip(full, pads, y.shape[1:3], strict=True)]
    if any(grown):  # output_padding beyond what the kernel reaches holds the bias alone
        zero = ops.pad(y if bias is None else y - bias, ((0, 0), *[(0, g) for g in grown], (0, 0)))
        y = zero if bias is None else zero + bias
    ends = [f - a for f, (_, a) in zip(full, pads, strict=True)]
    if any(b < 0 or e <= b for (b, _), e in zip(pads, ends, strict=True)):
        raise ShapeError(f"ConvTranspose: pads {pads} leave nothing of {full}")
    y = y[:, pads[0][0] : ends[0], pads[1][0] : ends[1]]
    return y if count == 2 else ops.reshape(y, (y.shape[0], *y.shape[2:]))


def refuses(node):
    count = len(node.get("kernel_shape", []))
    return f"{count} axes of places" if count > 2 else None


OPERATORS = {
    "Conv": row(conv, LAST, weights={1: kernel_last, 2: same}, refuses=refuses),
    "ConvTranspose": row(conv_transpose, LAST, weights={1: kernel_last, 2: same}, refuses=refuses),
}
