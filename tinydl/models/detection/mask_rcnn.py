"""Mask R-CNN: Faster R-CNN, and for every region a small picture of which pixels are the thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ... import ops
from ...data import rows_of_planes
from ...errors import ShapeError
from ...metrics import Found, box_iou
from ...nn import Conv2d, ConvTranspose2d, Module, ReLU, Sequential, bce_with_logits, looking
from ...tensor import Tensor
from .fast_rcnn import AlignedHead
from .faster_rcnn import Seen, SmallFasterRCNN, two_stage_loss
from .warp import warp


class MaskHead(Module):
    """Regions of the maps by RoIAlign, 3x3 convolutions, twice the size, one mask for each class.

    | layer | output for 256 channels, 14 bins, hidden 256, depth 4, 80 classes | parameters |
    |---|---|---|
    | RoIAlign | (R, 14, 14, 256) | |
    | 3x3 convolution, ReLU: four times | (R, 14, 14, 256) | 2,360,320 |
    | transposed convolution 2x2 stride 2, ReLU | (R, 28, 28, 256) | 262,400 |
    | 1x1 convolution: logits | (R, 28, 28, 80) | 20,560 |

    forward(maps (N, H, W, C), boxes (R, 4) corners in pixels, index (R,)) -> (R, 2 bins, 2 bins,
    classes). He et al. 2017 (arXiv 1703.06870), figure 4 (right).
    """

    def __init__(
        self, channels: int, classes: int, stride: int, bins: int = 14, hidden: int = 256,
        depth: int = 4,
    ) -> None:  # fmt: skip
        self.stride, self.bins = stride, bins
        layers: list[Module] = []
        for k in range(depth):
            source = channels if k == 0 else hidden
            layers += [Conv2d(source, hidden, 3, padding=1, weight_init="he_normal"), ReLU()]
        grow = ConvTranspose2d(hidden if depth else channels, hidden, 2, stride=2)
        self.layers = Sequential(*layers, grow, ReLU(), Conv2d(hidden, classes, 1))

    def forward(self, maps: Tensor, boxes: np.ndarray, index: np.ndarray) -> Tensor:
        return self.layers(ops.roi_align(maps, boxes, index, self.bins, 1 / self.stride))


class MaskRCNN(SmallFasterRCNN):
    """`SmallFasterRCNN` with RoIAlign and a `MaskHead`: boxes, classes, and a mask of each thing.

    The paper's base is a ResNet with a feature pyramid; here it is a few strided convolutions,
    trained from nothing. Arguments as there; mask_bins, mask_hidden, mask_depth: of the mask head.
    `mask_rcnn_loss(model(x), rows, masks)` to learn, `detect_masks(x)` to look; 422,069
    parameters. He et al. 2017 (arXiv 1703.06870).
    """

    kind = AlignedHead

    def __init__(
        self, *arguments: Any, mask_bins: int = 7, mask_hidden: int = 64, mask_depth: int = 2,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(*arguments, **options)
        self.mask = MaskHead(
            self.channels, self.classes, self.stride, mask_bins, mask_hidden, mask_depth
        )

    def detect_masks(self, x: np.ndarray, score: float = 0.05, overlap: float = 0.3) -> list[Found]:
        """What is on pictures x (N, H, W, 3), with masks."""
        results = []
        for found, maps in self.look(x, score, overlap):
            index = np.zeros(len(found.boxes), np.int64)
            with looking(self.mask):
                logits = self.mask(maps, found.boxes, index).numpy()
            own = logits[np.arange(len(index)), :, :, found.labels]
            results.append(replace(found, masks=paste_masks(own, found.boxes, self.image)))
        return results


def mask_targets(masks: np.ndarray, regions: np.ndarray, bins: int) -> np.ndarray:
    """(R, bins, bins) bool: what of mask k (R, H, W) lies in region k (R, 4), stretched to a
    square; a point is the thing's if the interpolated mask there is at least 1/2."""
    cut = [
        warp(mask[..., None].astype(np.float64), box[None], (bins, bins), 0.0)[0, ..., 0]
        for mask, box in zip(masks, regions, strict=True)
    ]
    return np.array(cut).reshape(-1, bins, bins) >= 0.5


def paste_masks(logits: np.ndarray, boxes: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """(D, H, W) bool: logits (D, M, M) stretched over their boxes (D, 4) in a picture of height and
    width `image`; a pixel is the thing's if its centre is in the box and the interpolated
    probability at least 1/2."""
    height, width = image
    found = np.zeros((len(boxes), height, width), bool)
    for k, (x1, y1, x2, y2) in enumerate(boxes.astype(np.float64)):
        if not (x2 > x1 and y2 > y1):
            continue
        share = 1 / (1 + np.exp(-logits[k].astype(np.float64).clip(-50, 50)))
        M = len(share)
        picture = np.array([[-x1, -y1, width - x1, height - y1]])  # as seen from the box
        picture *= M / np.array([x2 - x1, y2 - y1, x2 - x1, y2 - y1])
        found[k] = warp(share[..., None], picture, image, 0.0)[0, ..., 0] >= 0.5
    return found


def mask_loss(logits: Tensor, labels: np.ndarray, targets: np.ndarray) -> Tensor:
    """The mean over regions and pixels of the binary cross-entropy of the mask of the true class.

    logits (R, M, M, C); labels (R,): the classes; targets (R, M, M) bool, host arrays. Masks of
    other classes do not compete. Section 3 of the paper.
    """
    R, M, _, C = logits.shape
    if labels.shape != (R,) or targets.shape != (R, M, M):
        raise ShapeError(
            f"mask_loss: logits {logits.shape} need labels ({R},) and targets ({R}, {M}, {M}), got "
            f"{labels.shape} and {targets.shape}"
        )
    rows = ops.transpose(logits, (0, 3, 1, 2)).reshape(R * C, M, M)
    own = ops.take(rows, np.arange(R) * C + labels, 0)
    return bce_with_logits(own, Tensor(targets.astype(logits.dtype), backend=logits.backend))


def mask_rcnn_loss(
    seen: Seen, rows: Any, masks: Any, given: list[np.ndarray] | None = None
) -> Tensor:
    """`faster_rcnn_loss` + `mask_loss` of the sampled regions that are things.

    rows (N, K, 5): true boxes; masks (N, K, H, W): theirs, tensors or arrays; a region's mask is
    that of the true box with which it overlaps most. Raises ShapeError.
    """
    host = [a.numpy() if isinstance(a, Tensor) else np.asarray(a) for a in (rows, masks)]
    if host[1].shape != (*host[0].shape[:2], *seen.model.image):
        raise ShapeError(
            f"mask_rcnn_loss: masks must be {(*host[0].shape[:2], *seen.model.image)} for rows "
            f"{host[0].shape}, got {host[1].shape}"
        )
    loss, samples = two_stage_loss(seen, rows, given)
    on = np.flatnonzero(samples.labels)
    if not on.size:
        return loss
    regions, index = samples.regions[on], samples.index[on]
    own = []
    for region, k in zip(regions, index, strict=True):
        # Rows without a box have no area: they overlap with nothing.
        own.append(host[1][k, int(box_iou(region[None], host[0][k, :, :4])[0].argmax())])
    targets = mask_targets(np.array(own), regions, 2 * seen.model.mask.bins)
    logits = seen.model.mask(seen.maps, regions, index)
    return loss + mask_loss(logits, samples.labels[on] - 1, targets)


def mask_planes_loss(seen: Seen, planes: Tensor) -> Tensor:
    """`mask_rcnn_loss` of planes (N, K, H, W), see `data.pad_planes`: boxes enclose the masks."""
    host = planes.numpy()
    return mask_rcnn_loss(seen, rows_of_planes(host), host > 0)
