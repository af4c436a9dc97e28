"""Images in another size. Every mode is a matrix for each axis: row i holds the shares of the old
places in the new place i."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from .arrange import axes_of
from .table import axis_in, beside, bounded, integers, row


def places(node, old, new, scale, roi):
    """Where the new places lie among the old ones."""
    i = np.arange(new, dtype=np.float64)
    how = node.get("coordinate_transformation_mode", "half_pixel")
    if how == "half_pixel":
        return (i + 0.5) / scale - 0.5
    if how == "half_pixel_symmetric":
        adjusted = new / (scale * old)
        return old / 2 * (1 - adjusted) + (i + 0.5) / scale - 0.5
    if how == "pytorch_half_pixel":
        return (i + 0.5) / scale - 0.5 if new > 1 else np.zeros(new)
    if how == "align_corners":
        length = old * scale  # as a number, not rounded down
        return i * (old - 1) / (length - 1) if length != 1 else np.zeros(new)
    if how == "asymmetric":
        return i / scale
    if how == "tf_crop_and_resize":
        start, end = roi
        if new > 1:
            return start * (old - 1) + i * (end - start) * (old - 1) / (new - 1)
        return np.full(new, 0.5 * (start + end) * (old - 1))
    raise ConfigError(f"Resize: coordinate_transformation_mode {how!r} is not known")


def nearest(node, x):
    how = node.get("nearest_mode", "round_prefer_floor")
    rules: dict[str, Any] = {
        "round_prefer_floor": lambda x: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda x: np.floor(x + 0.5),
        "floor": np.floor,
        "ceil": np.ceil,
    }
    if how not in rules:
        raise ConfigError(f"Resize: nearest_mode {how!r} is not known")
    return rules[how](np.round(x, 9))


def _hat(t):
    return np.maximum(1 - np.abs(t), 0)


def _cubic(a):
    """Keys' kernel of width 4."""

    def kernel(t):
        t = np.abs(t)
        inner = ((a + 2) * t - (a + 3)) * t * t + 1
        outer = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
        return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))

    return kernel


def shares(node, old, new, scale, roi):
    """(new, old): how much of every old place is in every new one."""
    mode, x = node.get("mode", "nearest"), places(node, old, new, scale, roi)
    rows = np.zeros((new, old))
    if mode == "nearest":
        rows[np.arange(new), nearest(node, x).clip(0, old - 1).astype(int)] = 1
    elif mode in ("linear", "cubic"):
        width = 1 if mode == "linear" else 2
        kernel = _hat if mode == "linear" else _cubic(node.get("cubic_coeff_a", -0.75))
        narrow = min(scale, 1.0) if node.get("antialias", 0) else 1.0
        reach = int(np.ceil(width / narrow))
        for step in range(-reach, reach + 2):
            at = np.floor(x).astype(int) + step
            share = kernel((x - at) * narrow)
            if node.get("exclude_outside", 0):
                share = np.where((at >= 0) & (at < old), share, 0)
            np.add.at(rows, (np.arange(new), at.clip(0, old - 1)), share)
        if node.get("exclude_outside", 0) or narrow < 1:
            rows /= rows.sum(1, keepdims=True)
    else:
        raise ConfigError(f"Resize: mode {mode!r} is not known")
    outside = (x < 0) | (x > old - 1)
    return rows, outside


def resize(node, x, roi=None, scales=None, sizes=None):
    if node.opset < 11:  # Upsample, and Resize of opset 10: (x, scales)
        roi, scales = None, node.get("scales") if roi is None else roi
    axes = [axis_in("Resize", a, x.ndim) for a in axes_of(node, None, list(range(x.ndim)))]
    targets, factors = _targets(node, x, axes, scales, sizes)
    bounded(node, targets.values())
    crop = node.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    for i, axis in enumerate(axes):
        old, new = x.shape[axis], targets[axis]
        if old == new and factors[axis] == 1 and not crop:
            continue
        part = (roi[i], roi[i + len(axes)]) if crop and roi is not None and len(roi) else (0, 1)
        rows, outside = shares(node, old, new, factors[axis], part)
        x = _mixed(x, axis, rows)
        if crop and outside.any():
            fill = beside(x, node.get("extrapolation_value", 0.0))
            mask = outside.reshape([-1 if j == axis else 1 for j in range(x.ndim)])
            x = ops.where(beside(ops.equal(x, x), np.broadcast_to(mask, x.shape)), fill, x)
    return x


def _targets(node, x, axes, scales, sizes):
    """{axis: new size} and {axis: factor}."""
    if sizes is not None and len(sizes):
        wanted = dict(zip(axes, integers(sizes), strict=True))
        policy = node.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            pick = min if policy == "not_larger" else max
            scale = pick(n / x.shape[a] for a, n in wanted.items())
            return {a: int(np.floor(x.shape[a] * scale + 0.5)) for a in axes}, dict.fromkeys(
                axes, scale
            )
        return wanted, {a: n / x.shape[a] for a, n in wanted.items()}
    if scales is None or len(scales) != len(axes):
        raise ShapeError(f"{node.kind}: neither sizes nor one scale for each of {len(axes)} axes")
    factors = {a: float(s) for a, s in zip(axes, np.asarray(scales), strict=True)}
    if not all(0 < f < 1e6 for f in factors.values()):
        raise ShapeError(f"{node.kind}: scales {list(factors.values())}")
    return {a: int(np.floor(x.shape[a] * f)) for a, f in factors.items()}, factors


def _mixed(x, axis, rows):
    """x along one axis replaced by rows @ x; whole places are only read."""
    if ((rows == 0) | (rows == 1)).all() and (rows.sum(1) == 1).all():
        return ops.take(x, rows.argmax(1), axis)
    moved = ops.swapaxes(x, axis, x.ndim - 1)
    flat = ops.matmul(ops.reshape(moved, (-1, x.shape[axis])), beside(x, rows.T))
    return ops.swapaxes(ops.reshape(flat, (*moved.shape[:-1], rows.shape[0])), axis, x.ndim - 1)


def upsample(node, x, scales=None):
    """Resize of opset 9, in the convention of its time."""
    old = type(node)(
        "Resize", node.name, node.inputs, node.outputs,
        {**node.attributes, "coordinate_transformation_mode": "asymmetric",
         "nearest_mode": "floor"}, 10,
    )  # fmt: skip
    if scales is None and "scales" not in node.attributes:
        scales = [1.0, 1.0, node.get("height_scale", 1.0), node.get("width_scale", 1.0)]
    return resize(old, x, scales)


def old_resize(node, x, *given):
    """Opset 10 had no attribute for it."""
    return upsample(node, x, *given) if node.opset < 11 else resize(node, x, *given)


OPERATORS = {
    "Resize": row(old_resize, host=(1, 2, 3)),
    "Upsample": row(upsample, host=(1,)),
}
