"""Losses in which every class weighs the same, however many samples it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..nn import bce_with_logits, cross_entropy
from ..tensor import Tensor


@dataclass(frozen=True, slots=True)
class WeightedCrossEntropy:
    """sum_n w[l_n] l(x_n, l_n) / sum_n w[l_n], the cross-entropy with a weight for each class."""

    weights: tuple[float, ...]

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        weight = np.array(self.weights, logits.dtype)
        return cross_entropy(logits, labels, weight=Tensor(weight, backend=logits.backend))


@dataclass(frozen=True, slots=True)
class WeightedLogits:
    """The same of one logit for two classes: targets (N, 1) of 0 and 1."""

    weights: tuple[float, float]

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        first, second = self.weights
        weight = targets * (second - first) + first
        losses = bce_with_logits(logits, targets, reduction="none") * weight
        return losses.sum() / weight.sum()
