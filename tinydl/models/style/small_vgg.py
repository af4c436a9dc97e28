"""The features of style transfer, trained as a classifier of small photographs, and balanced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...function import no_grad
from ...nn import Conv2d, GlobalAvgPool, Linear, Module
from ...ops import relu
from ...tensor import Tensor
from .transfer import StyleFeatures


class SmallVGG(Module):
    """`StyleFeatures`, the mean over all places of its last map, and a linear layer.

    | layer | output for 32x32x3, widths 32, 64, 128 | parameters |
    |---|---|---|
    | two 3x3 convolutions, each with ReLU | (N, 32, 32, 32) | 10,144 |
    | pooling, two 3x3 convolutions | (N, 16, 16, 64) | 55,424 |
    | pooling, two 3x3 convolutions | (N, 8, 8, 128) | 221,440 |
    | GlobalAvgPool, Linear | (N, 10) | 1,290 |
    | all | | 288,298 |

    x (N, H, W, 3) -> logits (N, classes). VGG's 3x3 stacks (Simonyan and Zisserman 2014, arXiv
    1409.1556), with a mean in place of its large linear layers (Lin et al. 2013, arXiv 1312.4400).
    Raises ConfigError without a width.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 128), classes: int = 10) -> None:
        self.features = StyleFeatures(widths)
        self.pool = GlobalAvgPool()
        self.linear = Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.pool(self.features(x)[-1]))


def balance(features: StyleFeatures, x: np.ndarray) -> None:
    """Rescale the weights so that the answers of every channel of every map to pictures x
    (N, H, W, 3) have the root mean square 1: the diagonal of their Gram matrices.

    Channels of a trained network differ in loudness by orders of magnitude, and the loud ones alone
    would make up the style. For s > 0 relu(s h) = s relu(h), and a pooling keeps s too: so what a
    convolution divides its channel by, the next one multiplies its input by, and no map changes but
    by its factors. A channel that answers nothing stays. Gatys et al. 2015 (arXiv 1508.06576),
    section "Methods", scale the mean to 1; then a channel that answers rarely, but loudly, would
    rule the Gram matrices.
    """
    with no_grad():
        h, loud = Tensor(x, backend=features.backend), np.ones(3, x.dtype)
        for k, stage in enumerate(features.stages):
            h = features.pool(h) if k else h
            for conv in stage:
                if isinstance(conv, Conv2d):
                    conv.weight.assign(conv.weight.numpy() * loud[:, None])
                    loud = np.sqrt((relu(conv(h)).numpy() ** 2).mean(axis=(0, 1, 2)))
                    loud = np.where(loud > 0, loud, 1).astype(x.dtype)
                    for parameter in conv.parameters():  # weight and bias: (..., F)
                        parameter.assign(parameter.numpy() / loud)
                    h = relu(conv(h))
