"""SSD: one look, and at every cell of several feature maps a few boxes with class scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from ...metrics import Found
from ...nn import Conv2d, Module, smooth_l1
from ...tensor import Tensor
from .boxes import VARIANCES, check_boxes, clip_boxes, decode, encode, to_corners
from .matching import match
from .nms import nms_per_class

NEGATIVES = 3  # background boxes per matched one in the loss


def conv_head(in_channels: int, out_channels: int) -> Module:
    """SSD's predictor: a 3x3 convolution."""
    return Conv2d(in_channels, out_channels, 3, padding=1)


class SSD(Module):
    """Offsets and class scores of all default boxes from the feature maps of a base network.

    | step | output |
    |---|---|
    | features | maps (N, H_k, W_k, C_k), k = 1 ... m |
    | head k: 3x3 convolution | (N, H_k, W_k, B_k (4 + 1 + classes)) |
    | reshape, concatenate | (N, A, 5 + classes), A = sum H_k W_k B_k |

    features: a Module that returns the list of maps; channels, per_cell: C_k and B_k; defaults
    (A, 4): the default boxes, centre-size as fractions, in the order of the output; image: height
    and width it takes. Output [..., :4]: offsets of `boxes.encode` with VARIANCES; [..., 4:]:
    logits, 0 for background, 1 + c for class c. Liu et al. 2016 (arXiv 1512.02325). Raises
    ConfigError if the numbers do not fit; the call ShapeError for another image size.
    """

    def __init__(
        self,
        features: Module,
        channels: Sequence[int],
        per_cell: Sequence[int],
        defaults: np.ndarray,
        classes: int,
        image: tuple[int, int],
        head: Callable[[int, int], Module] = conv_head,
    ) -> None:
        if classes < 1 or len(channels) != len(per_cell):
            raise ConfigError(
                f"SSD: needs classes >= 1 and as many channels as boxes per cell, got {classes}, "
                f"{tuple(channels)}, {tuple(per_cell)}"
            )
        self.features, self.image, self.classes = features, tuple(image), classes
        self.heads = [head(c, k * (5 + classes)) for c, k in zip(channels, per_cell, strict=True)]
        self.defaults = defaults

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1:3] != self.image:
            raise ShapeError(
                f"SSD: x must be (N, {self.image[0]}, {self.image[1]}, C), got {x.shape}"
            )
        maps = self.features(x)
        rows = [
            ops.reshape(head(m), (len(x), -1, 5 + self.classes))
            for head, m in zip(self.heads, maps, strict=True)
        ]
        return ops.concat(rows, axis=1)

    def targets(self, boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What `multibox_loss` compares with: (A, 5) float32, first 0 for background or 1 + class,
        then the offsets of the matched box (0 for background).

        boxes (G, 4): corners in pixels; labels (G,). ConfigError for a box without area or outside
        of the picture.
        """
        height, width = self.image
        check_boxes("SSD", boxes, height, width)
        true = boxes.astype(np.float64) / (width, height, width, height)
        matched = match(to_corners(self.defaults), true)
        rows = np.zeros((len(self.defaults), 5), np.float32)
        on = matched >= 0
        rows[on, 0] = labels[matched[on]] + 1
        rows[on, 1:] = encode(true[matched[on]], self.defaults[on], VARIANCES)
        return rows

    def found(self, outputs: np.ndarray, score: float = 0.01, overlap: float = 0.45) -> list[Found]:
        """Per picture the boxes (corners in pixels, cut at the edges) that outputs (N, A, 5 +
        classes) say are there with at least `score`, after suppression per class."""
        height, width = self.image
        outputs = outputs.astype(np.float64)
        boxes = decode(outputs[..., :4], self.defaults, VARIANCES)
        boxes = clip_boxes(boxes * (width, height, width, height), height, width)
        powers = np.exp(outputs[..., 4:] - outputs[..., 4:].max(axis=-1, keepdims=True))
        shares = powers[..., 1:] / powers.sum(axis=-1, keepdims=True)
        return [nms_per_class(b, s, score, overlap) for b, s in zip(boxes, shares, strict=True)]


def multibox_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """(sum of smooth L1 over matched boxes + sum of -log p over matched and hard background boxes)
    / number of matched boxes.

    outputs (N, A, 5 + C), targets (N, A, 5) as of `SSD.targets`; one number, 0 without any matched
    box. Of the unmatched boxes of a picture only the three times as many as it has matched ones
    count, those with the largest loss (of equal ones the first). Equations 1-3 of Liu et al. 2016
    with the factor alpha = 1; smooth L1 breaks at |d| = 1.
    """
    N, A, K = outputs.shape
    if targets.shape != (N, A, 5):
        raise ShapeError(
            f"multibox_loss: targets must be {(N, A, 5)} for outputs {outputs.shape}, got "
            f"{targets.shape}"
        )
    labels = ops.astype(targets[..., 0], np.int64)
    matched = labels > 0
    logits = ops.reshape(outputs[..., 4:], (N * A, K - 4))
    losses = ops.reshape(ops.cross_entropy_per_row(logits, ops.reshape(labels, (N * A,))), (N, A))
    ones = ops.astype(matched, outputs.dtype)
    count = ops.sum(ones, axis=1, keepdims=True)
    # The rank of each background box by its loss; matched ones come last.
    hardness = ops.masked_fill(losses.detach(), matched, -1.0)
    rank = ops.argsort(ops.argsort(hardness, axis=1, descending=True), axis=1)
    hard = ops.astype(ops.astype(rank, outputs.dtype) < NEGATIVES * count, outputs.dtype)
    distance = smooth_l1(outputs[..., :4], targets[..., 1:], "none")
    localisation = ops.sum(distance * ops.expand_dims(ones, 2))
    confidence = ops.sum(losses * ops.maximum(ones, hard))
    total = ops.maximum(ops.sum(count), ops.sum(count) * 0.0 + 1.0)
    return (localisation + confidence) / total


multibox_loss.mean_over = lambda targets: (targets[..., 0] > 0).sum()  # type: ignore[attr-defined]
