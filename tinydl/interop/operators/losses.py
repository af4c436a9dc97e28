"""Losses that a file may hold, as numbers to look at."""

from __future__ import annotations

import numpy as np

from ... import ops
from .table import beside, converted, row


def negative_log_likelihood(node, log_p, labels, weight=None):
    """-w[label] log_p[label] over the classes on axis 1; rows of ignore_index count nothing."""
    ignored = node.get("ignore_index")
    labels = converted(labels, np.int64)
    kept = ops.equal(labels, labels)
    if ignored is not None:
        kept = ops.not_equal(labels, beside(labels, ignored))
    safe = ops.where(kept, labels, beside(labels, 0))
    loss = -ops.squeeze(ops.take_along_axis(log_p, ops.expand_dims(safe, 1), 1), 1)
    share = converted(kept, log_p.dtype)
    if weight is not None:
        share = share * ops.take(weight, safe, 0)
    reduction = node.get("reduction", "mean")
    if reduction == "mean" and (weight is not None or ignored is not None):
        return ops.sum(loss * share) / ops.sum(share)
    return {"none": lambda x: x, "sum": ops.sum, "mean": ops.mean}[reduction](loss * share)


def softmax_cross_entropy(node, scores, labels, weight=None):
    """The loss and, where asked for, log softmax."""
    log_p = ops.log_softmax(scores, 1)
    loss = negative_log_likelihood(node, log_p, labels, weight)
    return (loss, log_p) if node.wants(1) else loss


OPERATORS = {
    "NegativeLogLikelihoodLoss": row(negative_log_likelihood),
    "SoftmaxCrossEntropyLoss": row(softmax_cross_entropy),
}
