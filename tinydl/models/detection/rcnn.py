"""R-CNN: regions that may be things, each cut out, stretched to a square, and classified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from ...metrics import Found
from ...nn import Flatten, Linear, Module, ReLU, Sequential, looking
from ...random import Generator
from ...tensor import Tensor
from .boxes import check_boxes
from .fast_rcnn import fast_rcnn_loss, read_regions, sample_proposals
from .selective_search import selective_search
from .ssd_small import block
from .warp import warp

Proposer = Callable[[np.ndarray], np.ndarray]


class RCNN(Module):
    """A small network that looks at one region at a time.

    | layer | output for side 32, widths 16, 32, 64, hidden 128, 3 classes | parameters |
    |---|---|---|
    | 3x3 stride 2, batch norm., ReLU | (R, 16, 16, 16) | 464 |
    | the same | (R, 8, 8, 32) | 4,672 |
    | the same | (R, 4, 4, 64) | 18,560 |
    | Linear, ReLU | (R, 128) | 131,200 |
    | Linear: scores of background and classes | (R, 4) | 516 |
    | Linear: four offsets for each class | (R, 12) | 1,548 |
    | all | | 156,960 |

    crops (R, side, side, 3) of `cut` -> (R, 1 + 5 classes), for `fast_rcnn.fast_rcnn_loss`. side: a
    multiple of 2^len(widths). context: how many of the side's pixels lie around the region, at each
    edge (the paper: 16 of 227). Girshick et al. 2014 (arXiv 1311.2524) fine-tune AlexNet, then fit
    a support vector machine for each class and a ridge regression of its offsets; here one softmax
    and smooth L1 serve for both, as in Fast R-CNN. Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        classes: int = 3,
        side: int = 32,
        widths: Sequence[int] = (16, 32, 64),
        hidden: int = 128,
        context: int = 2,
    ) -> None:
        factor = 2 ** len(widths)
        if side < factor or side % factor or not 0 <= 2 * context < side or classes < 1:
            raise ConfigError(
                f"RCNN: side must be a multiple of {factor}, larger than twice the context, with "
                f"classes >= 1, got side {side}, context {context}, classes {classes}"
            )
        self.classes, self.side, self.context = classes, side, context
        layers = [layer for a, b in pairwise((3, *widths)) for layer in block(a, b, 2)]
        cells = (side // factor) ** 2
        linear = Linear(cells * widths[-1], hidden, weight_init="he_normal")
        self.features = Sequential(*layers, Flatten(), linear, ReLU())
        self.score = Linear(hidden, 1 + classes)
        self.offset = Linear(hidden, 4 * classes)

    def forward(self, crops: Tensor) -> Tensor:
        if crops.ndim != 4 or crops.shape[1:] != (self.side, self.side, 3):
            raise ShapeError(
                f"RCNN: crops must be (R, {self.side}, {self.side}, 3), got {crops.shape}"
            )
        hidden = self.features(crops)
        return ops.concat([self.score(hidden), self.offset(hidden)], axis=1)

    def cut(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(R, side, side, 3): the boxes (R, 4) of one picture, each with its context, whatever its
        form; what lies off the picture is the picture's mean. Appendix A of the paper."""
        inner = self.side - 2 * self.context
        margin = (boxes[:, 2:] - boxes[:, :2]) * (self.context / inner)
        wide = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
        return warp(image, wide, (self.side, self.side), image.mean(axis=(0, 1)))

    def sample(
        self,
        image: np.ndarray,
        proposals: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        count: int,
        rng: Generator,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(crops (S, side, side, 3), labels (S,), offsets (S, 4)) to learn from, S <= count: a
        quarter things at most. ConfigError for a true box without area or outside the picture."""
        check_boxes("RCNN", boxes, *image.shape[:2])
        regions, classes, offsets = sample_proposals(proposals, boxes, labels, count, rng)
        return self.cut(image, regions), classes, offsets

    def detect(
        self, x: np.ndarray, score: float = 0.05, overlap: float = 0.3,
        proposer: Proposer = selective_search,
    ) -> list[Found]:  # fmt: skip
        """What is on pictures x (N, H, W, 3) in 0 ... 1: corners in pixels."""
        found = []
        for image in x:
            regions = proposer(image)
            with looking(self):
                outputs = self(Tensor(self.cut(image, regions), backend=self.backend)).numpy()
            size = (image.shape[0], image.shape[1])
            found.append(read_regions(outputs, regions, size, score, overlap))
        return found


def rcnn_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """`fast_rcnn_loss` of targets (R, 5): 0 or 1 + class, then four offsets."""
    host = targets.numpy()
    return fast_rcnn_loss(outputs, host[:, 0].astype(np.int64), host[:, 1:])
