"""Fast R-CNN: one set of feature maps for the picture, one small classifier for every proposal."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...metrics import Found, box_iou
from ...nn import Flatten, Linear, Module, ReLU, Sequential, smooth_l1
from ...random import Generator
from ...tensor import Tensor
from .boxes import clip_boxes, decode, encode, to_centre
from .nms import nms_per_class

#: Targets of a class's offsets are divided by these: Girshick's code, not in the paper.
VARIANCES = (0.1, 0.1, 0.2, 0.2)


class FastHead(Module):
    """Regions cut from a feature map to bins x bins, two linear layers, scores and offsets.

    | layer | output for VGG16, 7 bins and 20 classes | parameters |
    |---|---|---|
    | RoI pooling | (R, 7, 7, 512) | |
    | Linear, ReLU; Linear, ReLU | (R, 4096) | 119,545,856 |
    | Linear: scores of background and classes | (R, 21) | 86,037 |
    | Linear: four offsets for each class | (R, 80) | 327,760 |

    forward(maps (N, H, W, C), boxes (R, 4) corners in pixels, index (R,) of their pictures) ->
    (R, 1 + 5 classes). stride: pixels per cell of the maps. Girshick 2015 (arXiv 1504.08083).
    """

    def __init__(
        self, channels: int, classes: int, stride: int, bins: int = 7, hidden: int = 4096
    ) -> None:
        self.classes, self.stride, self.bins = classes, stride, bins
        self.layers = Sequential(
            Flatten(), Linear(bins * bins * channels, hidden, weight_init="he_normal"), ReLU(),
            Linear(hidden, hidden, weight_init="he_normal"), ReLU(),
        )  # fmt: skip
        self.score = Linear(hidden, 1 + classes)
        self.offset = Linear(hidden, 4 * classes)

    def forward(self, maps: Tensor, boxes: np.ndarray, index: np.ndarray) -> Tensor:
        hidden = self.layers(self.cut(maps, boxes, index))
        return ops.concat([self.score(hidden), self.offset(hidden)], axis=1)

    def cut(self, maps: Tensor, boxes: np.ndarray, index: np.ndarray) -> Tensor:
        """The regions of the maps: (R, bins, bins, C)."""
        return ops.roi_pool(maps, boxes, index, self.bins, 1 / self.stride)

    def found(
        self, outputs: np.ndarray, boxes: np.ndarray, image: tuple[int, int], score: float,
        overlap: float,
    ) -> Found:  # fmt: skip
        """What outputs (R, 1 + 5 classes) say of the proposals (R, 4) of one picture."""
        return read_regions(outputs, boxes, image, score, overlap)


class AlignedHead(FastHead):
    """`FastHead` on RoIAlign: means of interpolated samples, nothing rounded to whole cells.

    He et al. 2017 (arXiv 1703.06870), section 3. Arguments and parameters as there.
    """

    def cut(self, maps: Tensor, boxes: np.ndarray, index: np.ndarray) -> Tensor:
        return ops.roi_align(maps, boxes, index, self.bins, 1 / self.stride)


def read_regions(
    outputs: np.ndarray, boxes: np.ndarray, image: tuple[int, int], score: float, overlap: float
) -> Found:
    """Boxes of each class, moved by their offsets, suppressed: outputs (R, 1 + 5 classes) of the
    proposals (R, 4) of one picture (height, width)."""
    K = (outputs.shape[1] - 1) // 5
    outputs = outputs.astype(np.float64)
    powers = np.exp(outputs[:, : K + 1] - outputs[:, : K + 1].max(axis=1, keepdims=True))
    shares = powers[:, 1:] / powers.sum(axis=1, keepdims=True)
    offsets = outputs[:, K + 1 :].reshape(-1, K, 4)
    own = decode(offsets, to_centre(boxes.astype(np.float64))[:, None], VARIANCES)
    return nms_per_class(clip_boxes(own, *image), shares, score, overlap)


def sample_proposals(
    proposals: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    count: int,
    rng: Generator,
    share: float = 0.25,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(regions (S, 4), labels (S,): 0 or 1 + class, offsets (S, 4)) to learn from, S <= count.

    At most the fraction `share` overlap a true box by IoU >= 0.5; the rest are background, with
    less. (The paper wants at least 0.1 of those, as hard examples; proposals of an untrained
    network would leave too few.) The true boxes are proposals too. Section 2.3.
    """
    regions = np.concatenate([boxes, proposals]).astype(np.float64)
    if len(boxes) == 0:
        kept = rng.permutation(len(regions))[:count]
        return regions[kept], np.zeros(len(kept), np.int64), np.zeros((len(kept), 4))
    overlap = box_iou(regions, boxes)
    owner, best = overlap.argmax(axis=1), overlap.max(axis=1)
    things, rest = np.flatnonzero(best >= 0.5), np.flatnonzero(best < 0.5)
    things = things[rng.permutation(len(things))[: int(count * share)]]
    rest = rest[rng.permutation(len(rest))[: count - len(things)]]
    kept = np.concatenate([things, rest])
    wanted = np.zeros((len(kept), 4))
    true = boxes[owner[things]].astype(np.float64)
    wanted[: len(things)] = encode(true, to_centre(regions[things]), VARIANCES)
    classes = np.concatenate([labels[owner[things]] + 1, np.zeros(len(rest), np.int64)])
    return regions[kept], classes, wanted


def fast_rcnn_loss(outputs: Tensor, labels: np.ndarray, offsets: np.ndarray) -> Tensor:
    """Mean over regions of -log p(label) + [label > 0] smooth L1 of the label's four offsets.

    outputs (R, 1 + 5 C); labels (R,), offsets (R, 4) host arrays of `sample_proposals`. Equations
    1-3 of Girshick 2015 with lambda = 1.
    """
    R, size = outputs.shape
    K = (size - 1) // 5
    told, true = outputs[:, : K + 1], Tensor(labels.astype(np.int64), backend=outputs.backend)
    loss = ops.sum(ops.cross_entropy_per_row(told, true))
    on = np.flatnonzero(labels)
    if on.size:
        own = ops.take(outputs[:, K + 1 :].reshape(R * K, 4), on * K + labels[on] - 1, 0)
        wanted = Tensor(offsets[on].astype(outputs.dtype), backend=outputs.backend)
        loss = loss + smooth_l1(own, wanted, "sum")
    return loss / float(max(R, 1))
