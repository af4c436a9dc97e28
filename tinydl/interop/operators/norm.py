"""Normalisation, and the dropout that inference passes through."""

from __future__ import annotations

from math import prod

import numpy as np

from ... import ops
from ...errors import ConfigError
from .table import LAST, RAW, Image, axis_in, beside, converted, row, scalar


def batch_norm(node, x, scale, shift, mean, variance):
    """With the stored moments, whatever the mode: a net that is fine-tuned keeps them."""
    eps = float(node.get("epsilon", 1e-5))
    if x.ndim < 2:
        return (x - mean) / ops.sqrt(variance + eps) * scale + shift
    return ops.batch_norm(x, scale, shift, mean=mean, variance=variance, eps=eps)


def refuses_training(node):
    if node.get("training_mode", 0) or (node.opset < 7 and not node.get("is_test", 0)):
        return "in training mode"
    if not node.get("spatial", 1):
        return "spatial=0"
    return "its outputs beside Y" if any(map(node.wants, range(1, 5))) else None


def layer_norm(node, x, scale, shift=None):
    """Over all axes from `axis` on; also the mean and 1 / standard deviation where asked for."""
    axis, eps = axis_in(node.kind, node.get("axis", -1), x.ndim), float(node.get("epsilon", 1e-5))
    axes = x.ndim - axis
    if scale.shape == x.shape[axis:] and (shift is None or shift.shape == scale.shape):
        y = ops.layer_norm(x, scale, shift, axes, eps)
    else:
        y = ops.layer_norm(x, None, None, axes, eps) * scale
        y = y if shift is None else y + shift
    if not node.wants(1) and not node.wants(2):
        return y
    along = tuple(range(axis, x.ndim))
    mean = ops.mean(x, along, True)
    return y, mean, beside(x, 1.0) / ops.sqrt(ops.var(x, along, True) + eps)


def rms_norm(node, x, scale):
    axis, eps = axis_in(node.kind, node.get("axis", -1), x.ndim), float(node.get("epsilon", 1e-5))
    return x / ops.sqrt(ops.mean(x * x, tuple(range(axis, x.ndim)), True) + eps) * scale


def instance_norm(node, x, scale, shift):
    return ops.instance_norm(x, scale, shift, float(node.get("epsilon", 1e-5)))


def group_norm(node, x, scale, shift):
    """scale and shift are of the groups in opset 18, of the channels from 21 on."""
    groups, eps = node.get("num_groups"), float(node.get("epsilon", 1e-5))
    if node.opset < 21 and scale.shape[0] == groups:
        each = x.shape[-1] // groups
        scale, shift = (ops.repeat(v, repeats=each, axis=0) for v in (scale, shift))
    return ops.group_norm(x, groups, scale, shift, eps)


def local_response_norm(node, x):
    """ONNX divides alpha by the size; an even window reaches further up than down."""
    size = node.get("size")
    alpha, beta = node.get("alpha", 1e-4) / size, node.get("beta", 0.75)
    even = size % 2 == 0
    x = ops.flip(x, -1) if even else x
    y = ops.local_response_norm(x, size, float(alpha), float(beta), float(node.get("bias", 1.0)))
    return ops.flip(y, -1) if even else y


def lp_norm(node, x):
    """x / |x|, the norm of order p along one axis; 0 stays 0."""
    axis, p = axis_in(node.kind, node.get("axis", -1), x.ndim), node.get("p", 2)
    length = ops.sum(ops.abs(x), axis, True) if p == 1 else ops.sqrt(ops.sum(x * x, axis, True))
    return x / ops.where(ops.equal(length, beside(length, 0)), beside(length, 1), length)


def mean_variance(node, x):
    axes = tuple(axis_in(node.kind, a, x.ndim) for a in node.get("axes", [0, 2, 3]))
    centred = x - ops.mean(x, axes, True)
    return centred / (ops.sqrt(ops.mean(centred * centred, axes, True)) + 1e-9)


def dropout(node, x, ratio=None, training=None):
    """Inference: everything passes, and the mask is all true."""
    if training is not None and scalar(training):
        raise ConfigError("training mode is not imported")
    plain = x.last if isinstance(x, Image) else x
    if not node.wants(1):
        return x
    if prod(plain.shape) == 0:
        mask = ops.equal(plain, plain)
    else:
        mask = beside(ops.equal(plain, plain), np.ones(plain.shape, bool))
    mask = mask if node.opset >= 10 else converted(mask, x.dtype)
    return x, Image(mask) if isinstance(x, Image) else mask


OPERATORS = {
    "BatchNormalization": row(
        batch_norm, LAST, weights=(1, 2), buffers=(3, 4), refuses=refuses_training
    ),
    "LayerNormalization": row(layer_norm, weights=(1, 2)),
    "RMSNormalization": row(rms_norm, weights=(1,)),
    "InstanceNormalization": row(instance_norm, LAST, weights=(1, 2)),
    "GroupNormalization": row(group_norm, LAST, weights=(1, 2)),
    "LRN": row(local_response_norm, LAST),
    "LpNormalization": row(lp_norm),
    "MeanVarianceNormalization": row(mean_variance),
    "Dropout": row(dropout, RAW, host=(1, 2)),
}
