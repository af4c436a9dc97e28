"""YOLO v1: the picture is a grid, and each cell says in one go what is in it and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from ...metrics import Found
from ...nn import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, Sequential
from ...tensor import Tensor
from .boxes import check_boxes, clip_boxes, to_centre, to_corners
from .nms import nms_per_class

POOL = (0, 0, 0)  # in a list of layers: a 2x2 pooling
Layer = tuple[int, int, int]  # kernel size, channels, stride

#: The 24 convolutions of the paper, figure 3.
PAPER: tuple[Layer, ...] = (
    *((7, 64, 2), POOL, (3, 192, 1), POOL),
    *((1, 128, 1), (3, 256, 1), (1, 256, 1), (3, 512, 1), POOL),
    *(((1, 256, 1), (3, 512, 1)) * 4),
    *((1, 512, 1), (3, 1024, 1), POOL),
    *(((1, 512, 1), (3, 1024, 1)) * 2),
    *((3, 1024, 1), (3, 1024, 2), (3, 1024, 1), (3, 1024, 1)),
)


class Leaky(Module):
    """x where x > 0, else 0.1 x."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.leaky_relu(x, 0.1)


class YOLO(Module):
    """Convolutions with leaky ReLU, two linear layers, and the numbers of a grid.

    | layer | output for the paper's layers |
    |---|---|
    | 24 convolutions, 4 poolings, one further stride of 2 | 7x7x1024 |
    | Linear, leaky ReLU, dropout | 4096 |
    | Linear | 1470, as (7, 7, 30) |

    image: height and width; grid S: cells per side; boxes B of each cell, classes C. Output
    (N, S, S, 5 B + C): B times x, y (of the centre, in cells from the cell's corner), the *square
    roots* of width and height (fractions of the picture; so the paper's sqrt needs none of a
    negative number), confidence; then C class scores. The last layer is linear, nothing is
    squashed. 271,703,550 parameters as published. Redmon et al. 2016 (arXiv 1506.02640). Raises
    ConfigError; the call ShapeError for another size.
    """

    def __init__(
        self,
        image: tuple[int, int] = (448, 448),
        classes: int = 20,
        grid: int = 7,
        boxes: int = 2,
        layers: Sequence[Sequence[int]] = PAPER,
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        if min(classes, grid, boxes) < 1:
            raise ConfigError(
                f"YOLO: classes, grid and boxes must be >= 1, got {classes}, {grid}, {boxes}"
            )
        self.image = (int(image[0]), int(image[1]))
        self.classes, self.grid, self.boxes = classes, grid, boxes
        modules: list[Module] = []
        channels, side = 3, self.image
        for kernel, width, stride in layers:
            if kernel == 0:
                modules.append(MaxPool2d(2))
                side = (side[0] // 2, side[1] // 2)
            else:
                modules += self.block(channels, width, kernel, stride)
                channels = width
                side = (-(-side[0] // stride), -(-side[1] // stride))
        self.features = Sequential(*modules)
        size = 5 * boxes + classes
        self.head = Sequential(
            Flatten(), Linear(side[0] * side[1] * channels, hidden, weight_init="he_normal"),
            Leaky(), Dropout(dropout), Linear(hidden, grid * grid * size),
        )  # fmt: skip

    def block(self, c_in: int, c_out: int, kernel: int, stride: int) -> list[Module]:
        """A convolution and its activation."""
        conv = Conv2d(c_in, c_out, kernel, stride, padding="same", weight_init="he_normal")
        return [conv, Leaky()]

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1:3] != self.image:
            raise ShapeError(
                f"YOLO: x must be (N, {self.image[0]}, {self.image[1]}, 3), got {x.shape}"
            )
        y = self.head(self.features(x))
        return y.reshape(len(x), self.grid, self.grid, 5 * self.boxes + self.classes)

    def targets(self, boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What `yolo_loss` compares with: (S, S, 6) float32, 1 in the cell with the centre of a
        box, x and y in cells from its corner, width and height as fractions, class.

        boxes (G, 4): corners in pixels. A cell holds one box, the first: the others are lost (the
        paper names it as a weakness). ConfigError for a box without area or outside.
        """
        height, width = self.image
        check_boxes("YOLO", boxes, height, width)
        cells = np.zeros((self.grid, self.grid, 6), np.float32)
        centre = to_centre(boxes.astype(np.float64)) / (width, height, width, height)
        for (x, y, w, h), label in zip(centre, labels, strict=True):
            column, row = (min(int(v * self.grid), self.grid - 1) for v in (x, y))
            if cells[row, column, 0] == 0:
                place = x * self.grid - column, y * self.grid - row
                cells[row, column] = (1, *place, w, h, label)
        return cells

    def found(self, outputs: np.ndarray, score: float = 0.1, overlap: float = 0.5) -> list[Found]:
        """Per picture the boxes (corners in pixels, cut at the edges) whose confidence x class
        score is at least `score`, after suppression per class."""
        height, width = self.image
        n, S, B = len(outputs), self.grid, self.boxes
        boxes = outputs[..., : 5 * B].astype(np.float64).reshape(n, S, S, B, 5)
        row, column = np.meshgrid(np.arange(S), np.arange(S), indexing="ij")
        corner = np.stack([column, row], axis=-1)[:, :, None]
        middle = (boxes[..., :2] + corner) / S
        corners = to_corners(np.concatenate([middle, boxes[..., 2:4] ** 2], axis=-1))
        corners = clip_boxes(corners * (width, height, width, height), height, width)
        scores = boxes[..., 4:] * outputs[..., None, 5 * B :]
        flat = zip(corners.reshape(n, -1, 4), scores.reshape(n, -1, self.classes), strict=True)
        return [nms_per_class(b, s, score, overlap) for b, s in flat]


class SmallYOLO(YOLO):
    """YOLO with batch normalisation after every convolution, to be trained from nothing on small
    pictures: 3x3 convolutions, each halving the sides but the last.

    layers: as in YOLO. Other arguments and the output as there.
    """

    def __init__(
        self,
        image: tuple[int, int] = (64, 64),
        classes: int = 3,
        grid: int = 8,
        boxes: int = 2,
        layers: Sequence[Sequence[int]] = ((3, 16, 2), (3, 32, 2), (3, 64, 2), (3, 64, 1)),
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(image, classes, grid, boxes, layers, hidden, dropout)

    def block(self, c_in: int, c_out: int, kernel: int, stride: int) -> list[Module]:
        conv = Conv2d(
            c_in, c_out, kernel, stride, padding="same", bias=False, weight_init="he_normal"
        )
        return [conv, BatchNorm(c_out, momentum=0.9), Leaky()]


def yolo_loss(
    outputs: Tensor,
    targets: Tensor,
    boxes: int = 2,
    coord: float = 5.0,
    noobj: float = 0.5,
    rescore: bool = True,
) -> Tensor:
    """The five terms of equation 3, summed over cells, as the mean over pictures:

        coord sum_ij R [(x - x')^2 + (y - y')^2] + coord sum_ij R [(sqrt w - sqrt w')^2 + (sqrt h -
        sqrt h')^2] + sum_ij R (c - IoU)^2 + noobj sum_ij (1 - R) c^2 + sum_i O sum_k (p_k - p'_k)^2

    over cells i = 1 ... S^2 and boxes j = 1 ... B. O: a box has its centre in the cell; R: and
    predictor j is responsible, the one whose box has the largest IoU with it (the first of equal
    ones). outputs (N, S, S, 5 B + C) of `YOLO`, targets (N, S, S, 6) of `YOLO.targets`. rescore:
    False compares confidences with 1 in place of the IoU, which is held constant in any case.
    """
    n, S, _, size = outputs.shape
    classes = size - 5 * boxes
    if targets.shape != (n, S, S, 6) or classes < 1:
        raise ShapeError(
            f"yolo_loss: targets must be {(n, S, S, 6)} and outputs have more than {5 * boxes} "
            f"numbers per cell, got {targets.shape} and {outputs.shape}"
        )
    told = outputs[..., : 5 * boxes].reshape(n, S, S, boxes, 5)
    there = targets[..., :1]
    place, root = targets[..., None, 1:3], ops.sqrt(targets[..., None, 3:5])
    overlap = cell_iou(told.detach(), targets, S)
    best = ops.one_hot(ops.argmax(overlap, axis=3), boxes, outputs.dtype)
    mine = best * there
    confidence = told[..., 4]
    wanted = overlap if rescore else overlap * 0.0 + 1.0
    label = ops.one_hot(ops.astype(targets[..., 5], np.int64), classes, outputs.dtype)
    where = ops.sum(mine * ops.sum((told[..., :2] - place) ** 2.0, axis=4))
    how_large = ops.sum(mine * ops.sum((told[..., 2:4] - root) ** 2.0, axis=4))
    sure = ops.sum(mine * (confidence - wanted) ** 2.0)
    unsure = ops.sum((1.0 - mine) * confidence**2.0)
    what = ops.sum(there * (outputs[..., 5 * boxes :] - label) ** 2.0)
    return (coord * (where + how_large) + sure + noobj * unsure + what) / float(n)


def cell_iou(told: Tensor, targets: Tensor, grid: int) -> Tensor:
    """(N, S, S, B): IoU of every box of a cell with the true box of that cell (0 without one)."""
    middle, size = told[..., :2] / float(grid), told[..., 2:4] ** 2.0
    true_middle, true_size = targets[..., None, 1:3] / float(grid), targets[..., None, 3:5]
    low = ops.maximum(middle - size * 0.5, true_middle - true_size * 0.5)
    high = ops.minimum(middle + size * 0.5, true_middle + true_size * 0.5)
    sides = ops.relu(high - low)
    inside = sides[..., 0] * sides[..., 1]
    union = size[..., 0] * size[..., 1] + true_size[..., 0] * true_size[..., 1] - inside
    return inside / ops.maximum(union, union * 0.0 + 1e-12)
