"""Normalisation. Batch, group, instance and layer norm are fused kernels; the compositions that
they replace stand beside them, say what they compute and give their second derivatives.

Channels are the last axis. `scale` and `shift` (gamma and beta) may be None: 1 and 0. eps defaults
to 1e-3 as in Keras; PyTorch has 1e-5. Variances are divided by the number of values. What has no
values has mean and variance 0.

Group norm needs no transposition in (N, ..., C): the kernel takes moments of single channels, as
for batch norm, and joins those of neighbours.
"""

from __future__ import annotations

from math import inf, prod
from typing import Never

from ..arguments import is_number, made_of, rank, whole
from ..doors import door
from ..errors import ConfigError, DTypeError, ShapeError
from ..function import Function, composed_gradients, is_recording
from ..quoting import quoted
from .arrange import pad
from .broadcast import broadcast_to, sum
from .elementwise import abs, maximum, sqrt
from .operands import _require_float
from .reduce import max, mean, norm, var
from .shape import reshape


class ChannelNorm(Function):
    """Batch, group and instance norm of x (..., C) seen as (samples, places, C).

    `composition(x, scale, shift)`: the same in operations. After `apply`, `mean` and `variance` are
    the moments as arrays (samples, groups).
    """

    name = "channel_norm"
    flops_per_output = 7  # moments 4: x - K, two sums, a square; then - mean, * factor, + shift
    saves = (0, 1, 2)

    def __init__(self, shape, groups, eps, composition):
        self.seen_as, self.groups, self.eps = shape, groups, float(eps)
        self.composition = composition

    def _parts(self, x):
        return self.backend.reshape(x, self.seen_as)

    def forward(self, x, scale, shift):
        y, self.mean, self.variance = self.backend.channel_norm(
            self._parts(x), scale, shift, self.groups, self.eps
        )
        return self.backend.reshape(y, x.shape)

    def backward_flops(self):
        return 9 * self.saved[0].size

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        x, scale, _ = self.saved
        given = self._parts(grad.data), self._parts(x.data)
        moments = self.mean, self.variance
        sums = self.backend.channel_norm_sums(*given, *moments, self.eps)
        grads = [None, *[self.backend.sum(s, (0,), False) for s in (sums[1], sums[0])]]
        if self.needed[0]:
            grad_x = self.backend.channel_norm_grad(*given, scale.data, *moments, *sums, self.eps)
            grads[0] = self.backend.reshape(grad_x, x.shape)
        return tuple([None if g is None else grad._new(g, self.backend) for g in grads])


class FixedNorm(Function):
    """Batch norm of x (..., C) with given moments (C,)."""

    name = "fixed_norm"
    flops_per_output = 3
    saves = (0, 1, 2, 3, 4)

    def __init__(self, eps):
        self.eps = float(eps)

    def _apply(self, x, scale, shift, mean, variance):
        C = x.shape[-1]
        moments = [self.backend.reshape(m, (1, C)) for m in (mean, variance)]
        parts = self.backend.reshape(x, (1, prod(x.shape[:-1]), C))
        y = self.backend.channel_norm_apply(parts, scale, shift, *moments, self.eps)
        return self.backend.reshape(y, x.shape)

    def forward(self, x, scale, shift, mean, variance):
        return self._apply(x, scale, shift, mean, variance)

    def backward_flops(self):
        return 7 * self.saved[0].size

    def _composed(self, x, scale, shift, mean, variance):
        return fixed_norm_composed(x, scale, shift, mean, variance, self.eps)

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self._composed, self.saved, grad)
        x, scale, _, mean, variance = self.saved
        grads = [None] * 5
        if self.needed[0]:
            zero = self.backend.zeros(mean.shape, mean.dtype)
            array = self._apply(grad.data, scale.data, zero, zero, variance.data)
            grads[0] = grad._new(array, self.backend)
        if any(self.needed[1:]):
            C = x.shape[-1]
            shape = (1, prod(x.shape[:-1]), C)
            parts = [self.backend.reshape(t.data, shape) for t in (grad, x)]
            moments = [self.backend.reshape(t.data, (1, C)) for t in (mean, variance)]
            sums = self.backend.channel_norm_sums(*parts, *moments, self.eps)
            grad_shift, grad_scale = [
                grad._new(self.backend.reshape(s, (C,)), self.backend) for s in sums
            ]
            grads[1:3] = grad_scale, grad_shift
            root = sqrt(variance + self.eps)
            grads[3] = -(grad_shift * scale) / root if self.needed[3] else None
            grads[4] = grad_scale * scale / (root * root) * -0.5 if self.needed[4] else None
        return tuple(grads)


class RowNorm(Function):
    """Layer norm of x (..., *shape), scale and shift of that shape."""

    name = "row_norm"
    flops_per_output = 9  # mean 2, variance 3; then - mean, * factor, * scale, + shift
    saves = (0, 1, 2)

    def __init__(self, eps):
        self.eps = float(eps)

    def _rows(self, x, D):
        return self.backend.reshape(x, (x.size // D if D else 0, D))

    def forward(self, x, scale, shift):
        D = scale.size
        vectors = [self.backend.reshape(v, (D,)) for v in (scale, shift)]
        y, self.mean, self.variance = self.backend.row_norm(self._rows(x, D), *vectors, self.eps)
        return self.backend.reshape(y, x.shape)

    def backward_flops(self):
        return 14 * self.saved[0].size

    def _composed(self, x, scale, shift):
        return layer_norm_composed(x, scale, shift, scale.ndim, self.eps)

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self._composed, self.saved, grad)
        x, scale, _ = self.saved
        if not self.needed[0]:
            return self._vector_gradients(grad, x, scale)
        D = scale.size
        grads = self.backend.row_norm_grad(
            self._rows(grad.data, D),
            self._rows(x.data, D),
            self.backend.reshape(scale.data, (D,)),
            *(self.mean, self.variance, self.eps),
        )
        shapes = (x.shape, scale.shape, scale.shape)
        arrays = [self.backend.reshape(g, s) for g, s in zip(grads, shapes, strict=True)]
        return tuple([grad._new(array, self.backend) for array in arrays])

    def _vector_gradients(self, grad, x, scale):
        """Those of scale and shift alone, where x is data."""
        axes = tuple(range(x.ndim - scale.ndim))
        normal = _standardized(x.detach(), tuple(range(len(axes), x.ndim)), self.eps)
        return None, sum(grad * normal, axes), sum(grad, axes)


def _check(op, x, shape, **given):
    """`given` tensors (or None) have this shape and x's float type."""
    _require_float(op, x)
    dtype = x.dtype
    for name, tensor in given.items():
        if tensor is None:
            continue
        try:
            found, kind = tensor.data.shape, tensor.data.dtype
        except (AttributeError, ValueError):
            raise DTypeError(
                f"{op}: {name} must be a tensor, got {quoted(tensor)}{made_of(tensor)}"
            ) from None
        if found != shape:
            raise ShapeError(f"{op}: {name} must be {shape}, got {found} (x {x.shape})")
        if kind != dtype:
            raise DTypeError(f"{op}: x is {dtype} but {name} is {kind}")


def _check_eps(op, eps):
    if not ((type(eps) is float or is_number(eps)) and 0 <= eps < inf):
        raise ConfigError(f"{op}: eps must be a number >= 0, got {quoted(eps)}")


def _need_axes(op, x, least, letters):
    if rank(op, x) < least:
        raise ShapeError(f"{op}: x must be {letters}, got {x.shape}")


def _affine(x, scale, shift):
    x = x if scale is None else x * scale
    return x if shift is None else x + shift


def _standardized(x, axes, eps):
    """(x - mean) / sqrt(variance + eps), the variance being the mean square."""
    centred = x - mean(x, axes, True)
    return centred / sqrt(mean(centred * centred, axes, True) + eps)


# -- compositions ----------------------------------------------------------------------------------


def batch_norm_composed(x, scale, shift, eps):
    """`batch_norm` with the batch's moments, as operations."""
    return _affine(_standardized(x, tuple(range(x.ndim - 1)), eps), scale, shift)


def fixed_norm_composed(x, scale, shift, mean, variance, eps):
    """`batch_norm` with given moments, as operations."""
    return _affine((x - mean) / sqrt(variance + eps), scale, shift)


def layer_norm_composed(x, scale, shift, axes, eps):
    """`layer_norm` as operations."""
    return _affine(_standardized(x, tuple(range(x.ndim - axes, x.ndim)), eps), scale, shift)


def group_norm_composed(x, scale, shift, groups, eps):
    """`group_norm` as operations."""
    parts = reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups))
    normal = _standardized(parts, (*range(1, x.ndim - 1), x.ndim), eps)
    return _affine(reshape(normal, x.shape), scale, shift)


# -- operations ------------------------------------------------------------------------------------


def _vectors(x, shape, scale, shift):
    """scale and shift, or 1 and 0 of `shape`."""
    one = broadcast_to(x._lift(1.0), shape) if scale is None else scale
    return one, broadcast_to(x._lift(0.0), shape) if shift is None else shift


def batch_norm(x, scale=None, shift=None, *positional: Never, mean=None, variance=None, eps=1e-3):
    """y = (x - mean) / sqrt(variance + eps) * scale + shift, for each channel.

    x (N, ..., C); scale, shift, mean, variance (C,) or None -> like x. Without mean and variance,
    both are those of the batch (all axes but the last; divided by their number) and take part in
    the gradient; given ones are the running statistics of evaluation, by keyword, since PyTorch
    has them first. Raises ShapeError, DTypeError, and ConfigError if only one of mean and variance
    is given. Ioffe and Szegedy 2015 (arXiv 1502.03167).
    """
    if positional:
        raise ConfigError(
            "batch_norm: takes mean, variance and eps by keyword; PyTorch's "
            "batch_norm(x, mean, variance, scale, shift) is "
            "batch_norm(x, scale, shift, mean=mean, variance=variance)"
        )
    if mean is None and variance is None:
        return _batch_norm(x, scale, shift, eps)[0]
    _check_eps("batch_norm", eps)
    _need_axes("batch_norm", x, 2, "(N, ..., C)")
    given = {"scale": scale, "shift": shift, "mean": mean, "variance": variance}
    _check("batch_norm", x, x.shape[-1:], **given)
    if mean is None or variance is None:
        raise ConfigError("batch_norm: give both mean and variance, or neither")
    vectors = _vectors(x, x.shape[-1:], scale, shift)
    return FixedNorm(eps).apply(x, *vectors, mean, variance)


def batch_norm_with_statistics(x, scale=None, shift=None, eps=1e-3):
    """(y, mean, variance): `batch_norm` of a training batch, and the moments (C,) that it used.

    x (N, ..., C); scale, shift (C,) or None. One kernel finds all three; the moments are not
    differentiated (for that there is `batch_statistics`). Raises ShapeError and DTypeError.
    """
    y, node = _batch_norm(x, scale, shift, eps)
    moments = [node.backend.reshape(m, y.shape[-1:]) for m in (node.mean, node.variance)]
    tensors = [x._new(m, node.backend) for m in moments]
    node.watch(*tensors)  # they share the storage of what backward reads
    return y, *tensors


def _batch_norm(x, scale, shift, eps):
    """The result, and the node which has the moments."""
    _check_eps("batch_norm", eps)
    _need_axes("batch_norm", x, 2, "(N, ..., C)")
    *positions, C = x.shape
    _check("batch_norm", x, (C,), scale=scale, shift=shift)

    def composition(x, scale, shift):
        return batch_norm_composed(x, scale, shift, eps)

    node = ChannelNorm((1, prod(positions), C), C, eps, composition)
    return node.apply(x, *_vectors(x, (C,), scale, shift)), node


@door
def batch_statistics(x):
    """(mean, variance), each (C,), of x (N, ..., C) over all axes but the last, variance divided by
    their number. Raises ShapeError and DTypeError."""
    _need_axes("batch_statistics", x, 2, "(N, ..., C)")
    _check("batch_statistics", x, ())
    axes = tuple(range(x.ndim - 1))
    return mean(x, axes), var(x, axes)


def layer_norm(x, scale=None, shift=None, axes=1, eps=1e-3):
    """y = (x - m) / sqrt(v + eps) * scale + shift, m and v those of each sample's last `axes` axes.

    x (..., D) -> like x; scale, shift (D,), or x.shape[-axes:], or None. Raises ShapeError,
    DTypeError and ConfigError. Ba et al. 2016 (arXiv 1607.06450).
    """
    most = rank("layer_norm", x) or 1
    if type(axes) is not int or not 1 <= axes <= most:
        axes = whole("layer_norm", f"axes for x {x.shape}", axes, 1, most)
    _check_eps("layer_norm", eps)
    _need_axes("layer_norm", x, 1, "(..., D)")
    shape = x.shape[-axes:]
    _check("layer_norm", x, shape, scale=scale, shift=shift)
    return RowNorm(eps).apply(x, *_vectors(x, shape, scale, shift))


@door
def rms_norm(x, scale=None, eps=1e-6):
    """y = x / sqrt(mean of x^2 over the last axis + eps) * scale: layer norm without the mean.

    x (..., D), D >= 1 -> like x; scale (D,) or None. Raises ShapeError, DTypeError and ConfigError.
    Zhang and Sennrich 2019 (arXiv:1910.07467), equation 4.
    """
    _check_eps("rms_norm", eps)
    _need_axes("rms_norm", x, 1, "(..., D)")
    _check("rms_norm", x, x.shape[-1:], scale=scale)
    if x.shape[-1] == 0:
        raise ShapeError(f"rms_norm: the last axis of x {x.shape} is empty")
    # By a number of its own size, so that no square overflows; it cancels, and is no variable.
    unit = maximum(max(abs(x.detach()), -1, True), x._lift(1.0))
    share = x / unit
    root = sqrt(mean(share * share, -1, True) + x._lift(float(eps)) / (unit * unit))
    return _affine(share / root, scale, None)


@door
def instance_norm(x, scale=None, shift=None, eps=1e-3):
    """Every channel of every sample standardised over its places, times scale, plus shift.

    x (N, ..., C) with at least one axis of places; scale, shift (C,) or None -> like x. Raises
    ShapeError and DTypeError. Ulyanov et al. 2016 (arXiv 1607.08022).
    """
    _check_eps("instance_norm", eps)
    _need_axes("instance_norm", x, 3, "(N, T, C) or (N, H, W, C)")
    _check("instance_norm", x, x.shape[-1:], scale=scale, shift=shift)
    return _grouped(x, x.shape[-1], scale, shift, eps)


@door
def group_norm(x, groups, scale=None, shift=None, eps=1e-3):
    """Each group of C/groups neighbouring channels of a sample standardised together over all
    places, times scale, plus shift.

    x (N, ..., C); scale, shift (C,) or None -> like x. Raises ShapeError (groups must divide C) and
    DTypeError. Wu and He 2018 (arXiv 1803.08494).
    """
    _check_eps("group_norm", eps)
    _need_axes("group_norm", x, 2, "(N, ..., C)")
    _check("group_norm", x, x.shape[-1:], scale=scale, shift=shift)
    C = x.shape[-1]
    groups = whole("group_norm", "groups", groups, 1, error=ShapeError)
    if C % groups:
        raise ShapeError(f"group_norm: groups must divide the {C} channels, got {groups}")
    return _grouped(x, groups, scale, shift, eps)


def _grouped(x, groups, scale, shift, eps):
    def composition(x, scale, shift):
        return group_norm_composed(x, scale, shift, groups, eps)

    shape = (x.shape[0], prod(x.shape[1:-1]), x.shape[-1])
    node = ChannelNorm(shape, groups, eps, composition)
    return node.apply(x, *_vectors(x, x.shape[-1:], scale, shift))


@door
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """y_c = x_c / (k + alpha * sum_j x_j^2)^beta over the `size` channels j around c.

    x (..., C) -> like x; j runs from c - size//2 to c + (size-1)//2, cut off at the ends. As in
    the paper, alpha is not divided by size (PyTorch divides). Raises ConfigError and DTypeError.
    Krizhevsky et al. 2012, section 3.3.
    """
    whole("local_response_norm", "size", size, 1)
    for name, value, least in (("alpha", alpha, 0), ("beta", beta, -inf), ("k", k, 0)):
        if not isinstance(value, int | float) or not least <= value < inf:
            bound = "" if least else " >= 0"
            raise ConfigError(f"local_response_norm: {name} must be finite{bound}, got {value!r}")
    _need_axes("local_response_norm", x, 1, "(..., C)")
    _check("local_response_norm", x, ())
    C = x.shape[-1]
    size = min(size, 2 * C + 1)  # wider than that, all channels are around each
    widths = ((0, 0),) * (x.ndim - 1) + ((size // 2, (size - 1) // 2),)
    squares = pad(x * x, widths)
    total = squares[..., 0:C]
    for j in range(1, size):
        total = total + squares[..., j : j + C]
    return x / (total * float(alpha) + float(k)) ** float(beta)


@door
def l2_normalize(x, scale=None, axis=-1, eps=1e-12):
    """y = scale * x / max(|x|, eps), |x| the Euclidean norm along `axis`.

    x of any shape -> like x; scale: what broadcasts, (C,) for learned factors of channels as in SSD
    (Liu et al. 2016, arXiv 1512.02325), or None. A vector shorter than eps has gradient
    1/eps through x alone, so 0 is no special case. Raises ShapeError and DTypeError.
    """
    _check_eps("l2_normalize", eps)
    _check("l2_normalize", x, ())
    length = maximum(norm(x, 2, axis, True), x._lift(float(eps)))
    return _affine(x / length, scale, None)
