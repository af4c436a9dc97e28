"""Other forms of convolution, composed from the family of conv.py: 1-D, transposed, depthwise and
separable. They have no kernels of their own (fused ones come later)."""

from __future__ import annotations

from ..arguments import is_whole, whole
from ..doors import door
from ..errors import ShapeError
from ..geometry import MOST_CELLS, conv2d_geometry, output_size, pair, resolve_padding
from ..quoting import quoted
from .arrange import pad
from .conv import Conv2dInputGrad, _check_types, _plain, convolve
from .shape import reshape


def time_padding(op, padding, kernel, dilation):
    """The padding of conv1d as that of a conv2d of height 1."""
    if isinstance(padding, str) and padding == "causal":
        return ((0, 0), (dilation * (kernel - 1), 0))
    if isinstance(padding, str) and padding in ("valid", "same"):
        return padding
    padding = _plain(padding)
    sides = (padding, padding) if is_whole(padding) else padding
    two = isinstance(sides, tuple) and len(sides) == 2
    if not two or not all(is_whole(v) and 0 <= v <= MOST_CELLS for v in sides):
        raise ShapeError(
            f"{op}: padding must be 'valid', 'same', 'causal', an integer >= 0 or (before, after), "
            f"got {quoted(padding)}"
        )
    return ((0, 0), sides)


@door
def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation along time y[n,o,f] = bias[f] + sum_{k,c} xpad[n, o*stride + k*dilation, c]
    weight[k,c,f].

    x (N, T, C), weight (K, C/groups, F), bias (F,) or None -> (N, O, F) with
    O = floor((T + before + after - dilation*(K-1) - 1) / stride) + 1. padding: integer, (before,
    after), 'valid' (none), 'same' (O = ceil(T / stride)) or 'causal' (dilation*(K-1) zeros before:
    y[t] sees nothing after x[t]; van den Oord et al. 2016). Runs as a conv2d of height 1.
    Raises ShapeError and DTypeError. Waibel et al. 1989.
    """
    if x.ndim != 3 or weight.ndim != 3:
        raise ShapeError(
            "conv1d: x must be (N, T, C) and weight (K, C/groups, F), got shapes "
            f"{x.shape} and {weight.shape}"
        )
    stride, dilation = _plain(stride), _plain(dilation)
    for name, value in (("stride", stride), ("dilation", dilation)):
        whole("conv1d", name, value, 1, MOST_CELLS, ShapeError)
    (N, T, C), (K, _, F) = x.shape, weight.shape
    wide, kernel = (N, 1, T, C), (1, *weight.shape)
    pads = time_padding("conv1d", padding, K, dilation)
    y = convolve(
        "conv1d", reshape(x, wide), reshape(weight, kernel), bias, (1, stride), pads, (1, dilation),
        groups,
    )  # fmt: skip
    return reshape(y, (N, y.shape[2], F))


def _transposed_geometry(
    x_shape, weight_shape, stride, padding, output_padding, dilation, groups, op="conv_transpose2d"
):
    """The geometry of the convolution of which conv_transpose2d is the adjoint, and by how many
    rows and columns of zeros x must be longer for it: an output_padding of a stride or more (below
    the dilation) is a size that the convolution maps to a longer x."""
    if len(x_shape) != 4 or len(weight_shape) != 4:
        raise ShapeError(
            f"{op}: x must be (N, H, W, C) and weight (KH, KW, F/groups, C), got shapes "
            f"{x_shape} and {weight_shape}"
        )
    if x_shape[3] != weight_shape[3]:
        raise ShapeError(
            f"{op}: x has {x_shape[3]} channels but weight expects {weight_shape[3]} (x {x_shape}, "
            f"weight {weight_shape})"
        )
    stride, dilation = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1)
    extra = pair(op, "output_padding", output_padding, 0)
    groups = whole(op, "groups", groups, 1, error=ShapeError)
    if x_shape[3] % groups:
        raise ShapeError(f"{op}: groups {groups} must divide the {x_shape[3]} channels of x")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(
            f"{op}: output_padding {extra} must be smaller than the stride {stride} or the "
            f"dilation {dilation}"
        )
    kernel, given = weight_shape[:2], x_shape[1:3]
    if padding == "same":
        if any(extra):
            raise ShapeError(f"{op}: output_padding {extra} has no meaning with padding 'same'")
        size = (given[0] * stride[0], given[1] * stride[1])
        pads = resolve_padding(op, padding, size, kernel, stride, dilation)
    else:
        pads = resolve_padding(op, padding, given, kernel, stride, dilation)
        sides = (pads[0] + pads[1], pads[2] + pads[3])
        size = tuple(
            [
                (n - 1) * s - p + d * (k - 1) + 1 + e
                for n, s, p, d, k, e in zip(
                    given, stride, sides, dilation, kernel, extra, strict=True
                )
            ]
        )
    if min(size) < 1:
        raise ShapeError(f"{op}: the output would be {size[0]}x{size[1]} (x {x_shape})")
    for axis in (0, 1):
        before, after = pads[2 * axis : 2 * axis + 2]
        back = output_size(size[axis], kernel[axis], stride[axis], before, after, dilation[axis])
        if back != given[axis] + extra[axis] // stride[axis]:
            raise ShapeError(
                f"{op}: no {weight_shape[:2]} convolution with padding {pads} gives {given} from "
                f"{size}"
            )
    image = (x_shape[0], *size, weight_shape[2] * groups)
    both = pads[:2], pads[2:]
    geometry = conv2d_geometry(image, weight_shape, stride, both, dilation, groups, op)
    return geometry, [e // s for e, s in zip(extra, stride, strict=True)]


@door
def conv_transpose2d(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1
):
    """Adjoint of conv2d: y[n, h*sh + kh*dh - top, w*sw + kw*dw - left, f] += x[n,h,w,c]
    weight[kh,kw,f,c], plus bias[f].

    x (N, H, W, C), weight (KH, KW, F/groups, C): that of the convolution that goes back, bias (F,)
    or None -> (N, OH, OW, F) with OH = (H-1)*sh - top - bottom + dh*(KH-1) + 1 + output_padding.
    padding as in conv2d, taken off the output; 'same' gives OH = H*sh. output_padding, integer or
    (height, width), is below the stride, where it chooses among the sizes that conv2d maps to H, or
    below the dilation (PyTorch's rule).
    Raises ShapeError and DTypeError. Zeiler et al. 2010.
    """
    numbers = [_plain(v) for v in (stride, padding, output_padding, dilation, groups)]
    return _transposed("conv_transpose2d", x, weight, bias, *numbers)


def _transposed(op, x, weight, bias, stride, padding, output_padding, dilation, groups):
    """conv_transpose2d whose errors speak of `op`."""
    geometry, longer = _transposed_geometry(
        x.shape, weight.shape, stride, padding, output_padding, dilation, groups, op
    )
    _check_types(op, *([x, weight] if bias is None else [x, weight, bias]))
    if bias is not None and bias.shape != (geometry.C,):
        raise ShapeError(
            f"{op}: bias must be ({geometry.C},) for weight {weight.shape} and groups "
            f"{groups}, got {bias.shape}"
        )
    if any(longer):
        x = pad(x, ((0, 0), (0, longer[0]), (0, longer[1]), (0, 0)))
    y = Conv2dInputGrad(geometry).apply(x, weight)
    return y if bias is None else y + bias


@door
def conv_transpose1d(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1
):
    """Adjoint of conv1d: y[n, t*stride + k*dilation - before, f] += x[n,t,c] weight[k,f,c], plus
    bias[f].

    x (N, T, C), weight (K, F/groups, C), bias (F,) or None -> (N, O, F) with
    O = (T-1)*stride - before - after + dilation*(K-1) + 1 + output_padding. padding: integer,
    (before, after), 'valid' or 'same' (O = T*stride). Runs as a conv_transpose2d of height 1, whose
    rules hold. Raises ShapeError and DTypeError.
    """
    op = "conv_transpose1d"
    if x.ndim != 3 or weight.ndim != 3:
        raise ShapeError(
            f"{op}: x must be (N, T, C) and weight (K, F/groups, C), got shapes {x.shape} and "
            f"{weight.shape}"
        )
    steps, gaps, extra = [
        (least, whole(op, name, _plain(value), least, MOST_CELLS, ShapeError))
        for name, value, least in (
            ("stride", stride, 1), ("dilation", dilation, 1), ("output_padding", output_padding, 0)
        )
    ]  # fmt: skip
    if isinstance(padding, str) and padding == "causal":
        raise ShapeError(f"{op}: padding 'causal' is conv1d's alone")
    pads = time_padding(op, padding, weight.shape[0], dilation)
    (N, T, C), kernel = x.shape, (1, *weight.shape)
    y = _transposed(
        op, reshape(x, (N, 1, T, C)), reshape(weight, kernel), bias, steps, pads, extra, gaps,
        _plain(groups),
    )  # fmt: skip
    return reshape(y, (N, *y.shape[2:]))


@door
def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Every channel convolved with its own M filters: y[..., c*M + m] is conv2d of x[..., c] with
    weight[:, :, c, m].

    x (N, H, W, C), weight (KH, KW, C, M), bias (C*M,) or None -> (N, OH, OW, C*M); M is Keras'
    depth multiplier. Runs as a conv2d with C groups. Raises ShapeError and DTypeError. Howard et
    al. 2017.
    """
    return _depthwise("depthwise_conv2d", x, weight, bias, stride, padding, dilation)


def _depthwise(op, x, weight, bias, stride, padding, dilation):
    if x.ndim != 4 or weight.ndim != 4 or x.shape[3] != weight.shape[2]:
        raise ShapeError(
            f"{op}: x must be (N, H, W, C) and weight (KH, KW, C, M), got shapes {x.shape} and "
            f"{weight.shape}"
        )
    KH, KW, C, M = weight.shape
    if C < 1:
        raise ShapeError(f"{op}: needs at least one channel, got x {x.shape}")
    grouped = reshape(weight, (KH, KW, 1, C * M))
    return convolve(op, x, grouped, bias, stride, padding, dilation, C)


@door
def separable_conv2d(x, depthwise, pointwise, bias=None, stride=1, padding=0, dilation=1):
    """depthwise_conv2d followed by a 1x1 conv2d that mixes the channels.

    x (N, H, W, C), depthwise (KH, KW, C, M), pointwise (1, 1, C*M, F), bias (F,) or None ->
    (N, OH, OW, F). Raises ShapeError and DTypeError. Chollet 2017 (arXiv 1610.02357).
    """
    middle = _depthwise("separable_conv2d", x, depthwise, None, stride, padding, dilation)
    if pointwise.ndim != 4 or pointwise.shape[:3] != (1, 1, middle.shape[3]):
        raise ShapeError(
            f"separable_conv2d: pointwise must be (1, 1, {middle.shape[3]}, F) for depthwise "
            f"{depthwise.shape}, got {pointwise.shape}"
        )
    return convolve("separable_conv2d", middle, pointwise, bias, 1, 0, 1, 1)
