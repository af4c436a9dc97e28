"""Faster R-CNN: a region proposal network on the maps that Fast R-CNN's head reads too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ops
from ...data import pad_rows, unpad_rows
from ...errors import ShapeError
from ...metrics import Found
from ...nn import Conv2d, MaxPool2d, Module, ReLU, Sequential, looking, smooth_l1
from ...random import Generator, default_generator
from ...tensor import Tensor
from .anchors import grid_anchors
from .boxes import check_boxes, clip_boxes, decode, encode, to_corners
from .fast_rcnn import FastHead, fast_rcnn_loss, sample_proposals
from .matching import label_anchors, sample_labels
from .nms import nms
from .ssd_small import block

MOST = 64  # boxes of one picture in an array of targets


class RPN(Module):
    """A 3x3 convolution slid over the maps, and for each of k anchors two scores, four offsets.

    maps (N, H, W, C) -> (N, H W k, 6): logits of background and object, then offsets of
    `boxes.encode`. The 3x3 convolution keeps the size of the map. Ren et al. 2015 (arXiv
    1506.01497), section 3.1.
    """

    def __init__(self, channels: int, hidden: int, anchors: int) -> None:
        self.window = Sequential(
            Conv2d(channels, hidden, 3, padding=1, weight_init="he_normal"), ReLU()
        )
        self.score = Conv2d(hidden, 2 * anchors, 1)
        self.offset = Conv2d(hidden, 4 * anchors, 1)

    def forward(self, maps: Tensor) -> Tensor:
        n, hidden = len(maps), self.window(maps)
        parts = (self.score(hidden).reshape(n, -1, 2), self.offset(hidden).reshape(n, -1, 4))
        return ops.concat(parts, axis=2)


def rpn_loss(outputs: Tensor, labels: np.ndarray, offsets: np.ndarray, cells: int) -> Tensor:
    """1/N_cls sum -log p + 10/N_reg sum over objects of smooth L1, the mean over pictures.

    outputs (N, A, 6); labels (N, A): 1, 0, or -1 for anchors that do not count; offsets (N, A, 4),
    host arrays. N_cls: anchors that count; N_reg = `cells`, the places of the map. Equation 1.
    """
    n, A, _ = outputs.shape
    flat = labels.reshape(-1)
    used, on = np.flatnonzero(flat >= 0), np.flatnonzero(flat == 1)
    rows = outputs.reshape(n * A, 6)
    loss = ops.sum(rows) * 0.0
    if used.size:
        true = Tensor(flat[used].astype(np.int64), backend=outputs.backend)
        losses = ops.cross_entropy_per_row(ops.take(rows, used, 0)[:, :2], true)
        loss = loss + ops.sum(losses) / float(used.size)
    if on.size:
        wanted = Tensor(offsets.reshape(-1, 4)[on].astype(outputs.dtype), backend=outputs.backend)
        told = ops.take(rows, on, 0)[:, 2:]
        loss = loss + 10.0 / (n * cells) * smooth_l1(told, wanted, "sum")
    return loss


def proposals(
    outputs: np.ndarray, anchors: np.ndarray, image: tuple[int, int], limit: int,
    candidates: int = 1000, overlap: float = 0.7, smallest: float = 4.0,
) -> np.ndarray:  # fmt: skip
    """(P, 4) corners: the `limit` surest boxes of one picture's outputs (A, 6), suppressed."""
    boxes = clip_boxes(decode(outputs[:, 2:].astype(np.float64), anchors), *image)
    scores = (outputs[:, 1] - outputs[:, 0]).astype(np.float64)
    kept = np.flatnonzero((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= smallest)
    kept = kept[np.argsort(-scores[kept], kind="stable")[:candidates]]
    return boxes[kept][nms(boxes[kept], scores[kept], overlap, limit)]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the network made of a batch, before the head: maps, and the RPN's outputs."""

    model: Any
    maps: Tensor
    regions: Tensor


class FasterRCNN(Module):
    """Features, region proposal network, Fast R-CNN's head: 137,061,851 parameters with VGG16.

    image: height and width; stride: pixels per cell of the maps; sizes, ratios: of the anchors;
    proposals: how many regions the head looks at when it is asked (2000 of the paper's training are
    as many here). model(x) gives a `Seen`, `faster_rcnn_loss(seen, rows)` the sum of the two losses
    (the paper's approximate joint training: boxes of proposals are constants), `detect(x)` what is
    found. Ren et al. 2015 (arXiv 1506.01497).
    """

    kind: type[FastHead] = FastHead

    def __init__(
        self,
        image: tuple[int, int] = (600, 800),
        classes: int = 20,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        counts: Sequence[int] = (2, 2, 3, 3, 3),
        sizes: Sequence[float] = (128, 256, 512),
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        bins: int = 7,
        hidden: int = 4096,
        limit: int = 300,
    ) -> None:
        self.image, self.classes, self.limit = (int(image[0]), int(image[1])), classes, limit
        self.channels = widths[-1]
        self.features, self.stride = self.base(widths, counts)
        self.rpn = RPN(widths[-1], widths[-1], len(sizes) * len(ratios))
        self.head = self.kind(widths[-1], classes, self.stride, bins, hidden)
        self.cells = (-(-self.image[0] // self.stride), -(-self.image[1] // self.stride))
        self.anchors = grid_anchors(*self.cells, self.stride, sizes, ratios)
        self.rng: Generator | None = None  # of the samples in the loss; None: the default one

    def base(self, widths: Sequence[int], counts: Sequence[int]) -> tuple[Module, int]:
        """VGG16 up to conv5_3, without its last pooling, and its stride."""
        layers: list[Module] = []
        channels = 3
        for k, (width, count) in enumerate(zip(widths, counts, strict=True)):
            layers += [MaxPool2d(2, padding="same")] * (k > 0)
            for _ in range(count):
                conv = Conv2d(channels, width, 3, padding=1, weight_init="he_normal")
                layers += [conv, ReLU()]
                channels = width
        return Sequential(*layers), 2 ** (len(widths) - 1)

    def forward(self, x: Tensor) -> Seen:
        if x.ndim != 4 or x.shape[1:3] != self.image:
            raise ShapeError(
                f"{type(self).__name__}: x must be (N, {self.image[0]}, {self.image[1]}, 3), got "
                f"{x.shape}"
            )
        maps = self.features(x)
        return Seen(self, maps, self.rpn(maps))

    def targets(self, boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Rows (64, 5) of the boxes, checked: ConfigError for one without area or outside."""
        check_boxes(type(self).__name__, boxes, *self.image)
        return pad_rows([boxes], [labels], MOST)[0]

    def rpn_targets(self, boxes: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """(labels (A,) with 256 anchors that count, half of them objects at most; offsets)."""
        labels, matched = label_anchors(to_corners(self.anchors), boxes, image=self.image)
        chosen = sample_labels(labels, 256, 0.5, rng)
        used = np.full(len(labels), -1, np.int64)
        used[chosen] = labels[chosen]
        offsets = np.zeros((len(labels), 4))
        on = used == 1
        offsets[on] = encode(boxes[matched[on]].astype(np.float64), self.anchors[on])
        return used, offsets

    def detect(self, x: np.ndarray, score: float = 0.05, overlap: float = 0.3) -> list[Found]:
        """What is on pictures x (N, H, W, 3), scaled as in training: corners in pixels."""
        return [found for found, _ in self.look(x, score, overlap)]

    def look(self, x: np.ndarray, score: float, overlap: float) -> list[tuple[Found, Tensor]]:
        """Per picture what is found, and its feature maps (1, H, W, C), both in evaluation mode."""
        results = []
        for one in x:
            with looking(self):
                seen = self(Tensor(one[None], backend=self.backend))
                regions = proposals(seen.regions.numpy()[0], self.anchors, self.image, self.limit)
                index = np.zeros(len(regions), np.int64)
                outputs = self.head(seen.maps, regions, index).numpy()
            found = self.head.found(outputs, regions, self.image, score, overlap)
            results.append((found, seen.maps))
        return results


class SmallFasterRCNN(FasterRCNN):
    """Faster R-CNN on strided 3x3 convolutions with batch normalisation, trained from nothing.

    widths: of the stem and of each stage; each halves the sides. Other arguments as there.
    """

    def __init__(
        self,
        image: tuple[int, int] = (64, 64),
        classes: int = 3,
        widths: Sequence[int] = (16, 32, 64),
        counts: Sequence[int] = (1, 2, 2),
        sizes: Sequence[float] = (14, 22, 32),
        ratios: Sequence[float] = (1.0,),
        bins: int = 5,
        hidden: int = 128,
        limit: int = 50,
    ) -> None:
        super().__init__(image, classes, widths, counts, sizes, ratios, bins, hidden, limit)

    def base(self, widths: Sequence[int], counts: Sequence[int]) -> tuple[Module, int]:
        layers: list[Module] = []
        channels = 3
        for width, count in zip(widths, counts, strict=True):
            for k in range(count):
                layers += block(channels, width, 2 if k == 0 else 1)
                channels = width
        return Sequential(*layers), 2 ** len(widths)


def faster_rcnn_loss(seen: Seen, rows: Any, given: list[np.ndarray] | None = None) -> Tensor:
    """`rpn_loss` + `fast_rcnn_loss` of a batch with true boxes rows (N, K, 5), tensor or array.

    The head learns from 64 regions of each picture, a quarter of them objects at most, sampled from
    the network's own proposals, or from `given` (N times (P, 4)).
    """
    return two_stage_loss(seen, rows, given)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The regions that a head learns from: corners (S, 4), pictures index (S,), labels (S,): 0 or
    1 + class; offsets (S, 4)."""

    regions: np.ndarray
    index: np.ndarray
    labels: np.ndarray
    offsets: np.ndarray


def two_stage_loss(
    seen: Seen, rows: Any, given: list[np.ndarray] | None = None
) -> tuple[Tensor, Samples]:
    """`faster_rcnn_loss`, and the regions that it sampled."""
    model: FasterRCNN = seen.model
    rng = default_generator() if model.rng is None else model.rng
    host = rows.numpy() if isinstance(rows, Tensor) else rows
    true = [unpad_rows(row) for row in host]
    columns = [model.rpn_targets(boxes, rng) for boxes, _ in true]
    labels, offsets = (np.stack(column) for column in zip(*columns, strict=True))
    loss = rpn_loss(seen.regions, labels, offsets, model.cells[0] * model.cells[1])
    told = seen.regions.numpy() if given is None else None
    parts = []
    for k, (boxes, classes) in enumerate(true):
        if told is None:
            regions = given[k]  # type: ignore[index]
        else:
            regions = proposals(told[k], model.anchors, model.image, model.limit)
        parts.append((*sample_proposals(regions, boxes, classes, 64, rng), k))
    index = np.concatenate([np.full(len(p[0]), p[3]) for p in parts])
    regions, classes, wanted = (np.concatenate([p[i] for p in parts]) for i in range(3))
    outputs = seen.model.head(seen.maps, regions, index)
    loss = loss + fast_rcnn_loss(outputs, classes, wanted)
    return loss, Samples(regions, index, classes, wanted)
