"""R-CNN as it was published: a support vector machine for each class, a ridge regression of boxes.

The network of `RCNN` is trained first; then both are fitted to what its last hidden layer says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError
from ...metrics import Found, box_iou
from ...nn import Buffer, looking
from ...random import Generator
from ...tensor import Tensor
from .boxes import clip_boxes, decode, encode, to_centre
from .nms import nms_per_class
from .rcnn import RCNN, Proposer
from .selective_search import selective_search

LENGTH = 20.0  # of a mean feature, as in the paper's code: for it the two constants are made
NEAR, FAR = 0.6, 0.3  # IoU of regions whose boxes are learnt; of those that are no thing


class SVMRCNN(RCNN):
    """RCNN whose scores are the margins of one linear support vector machine per class.

    With phi (R, hidden) of the regions, scaled to a mean length of 20 (the paper's code):

        class k            w_k of `linear_svm`: true boxes of k against regions that overlap none of
                           them by more than 0.3; score w_k . phi + b_k
        offsets of class k W_k = (X^T X + ridge I)^-1 X^T T, centred, over the regions that overlap
                           a true box of k by 0.6 or more; equations 6 to 9, T = `encode`

    `settle` fits both, once, after the network was trained by `rcnn_loss`, whose softmax layer is
    then thrown away, as its offsets are; until then `detect` uses them. The paper seeks the hard
    among millions of negatives; here all take part. It takes its ridge from the last maps, this
    from the hidden layer too. cost: C of the machines. Girshick et al. 2014 (arXiv 1311.2524),
    sections 2.3 and C. The other arguments, layers and errors are those of `RCNN`.
    """

    def __init__(
        self,
        classes: int = 3,
        side: int = 32,
        widths: Sequence[int] = (16, 32, 64),
        hidden: int = 128,
        context: int = 2,
        cost: float = 0.001,
        ridge: float = 1_000.0,
    ) -> None:
        super().__init__(classes, side, widths, hidden, context)
        if not cost > 0 or not ridge > 0:
            raise ConfigError(f"SVMRCNN: cost and ridge must be > 0, got {cost}, {ridge}")
        self.cost, self.ridge = cost, ridge
        self.scaling = Buffer(np.zeros(1, np.float32))  # 0: not settled
        self.machines = Buffer(np.zeros((hidden + 1, classes), np.float32))
        self.moves = Buffer(np.zeros((hidden + 1, 4 * classes), np.float32))

    def described(self, image: np.ndarray, regions: np.ndarray) -> np.ndarray:
        """What the hidden layer says of each region, (R, hidden) float64."""
        with looking(self):
            crops = Tensor(self.cut(image, regions), backend=self.backend)
            return self.features(crops).numpy().astype(np.float64)

    def settle(
        self,
        x: np.ndarray,
        things: Sequence[tuple[np.ndarray, np.ndarray]],
        proposer: Proposer = selective_search,
    ) -> None:
        """Fit machines and ridge to pictures x (N, H, W, 3) and their (boxes (K, 4), labels)."""
        columns = []
        for image, (boxes, labels) in zip(x, things, strict=True):
            regions = np.concatenate([boxes, proposer(image)]).astype(np.float64)
            phi = self.described(image, regions)
            columns.append((phi, *_truth(regions, boxes, labels, self.classes)))
        phi, true, overlap, offsets = (np.concatenate(c) for c in zip(*columns, strict=True))
        scaling = LENGTH / max(np.linalg.norm(phi, axis=1).mean(), 1e-9)
        phi = phi * scaling
        machines = np.zeros(self.machines.shape)
        moves = np.zeros((self.machines.shape[0], self.classes, 4))
        for k in range(self.classes):
            sides = np.concatenate(
                [np.flatnonzero(true[:, k]), np.flatnonzero(overlap[:, k] < FAR)]
            )
            signs = np.where(true[sides, k], 1.0, -1.0)
            machines[:, k] = linear_svm(phi[sides], signs, self.cost)
            near = overlap[:, k] >= NEAR
            moves[:, k] = ridge_regression(phi[near], offsets[near, k], self.ridge)
        for kept, values in (
            (self.scaling, scaling), (self.machines, machines), (self.moves, moves)
        ):  # fmt: skip
            kept.assign(np.reshape(values, kept.shape).astype(kept.dtype))

    def detect(
        self, x: np.ndarray, score: float = 0.05, overlap: float = 0.3,
        proposer: Proposer = selective_search,
    ) -> list[Found]:  # fmt: skip
        """As `RCNN.detect`; a score is 1 / (1 + exp(-margin)): in the order of the margins."""
        scaling = float(self.scaling.numpy()[0])
        if scaling == 0:
            return super().detect(x, score, overlap, proposer)
        machines, moves = (b.numpy().astype(np.float64) for b in (self.machines, self.moves))
        found = []
        for image in x:
            regions = proposer(image).astype(np.float64)
            phi = np.pad(scaling * self.described(image, regions), ((0, 0), (0, 1)),
                         constant_values=1)  # fmt: skip
            offsets = (phi @ moves).reshape(-1, self.classes, 4)
            boxes = clip_boxes(decode(offsets, to_centre(regions)[:, None]), *image.shape[:2])
            shares = 1 / (1 + np.exp(-(phi @ machines)))
            found.append(nms_per_class(boxes, shares, score, overlap))
        return found


def _truth(
    regions: np.ndarray, boxes: np.ndarray, labels: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For regions (R, 4) that begin with the true boxes and each class k: whether it is a true box
    of k, (R, classes); the largest IoU with one, 0 where there is none; the offsets to that one,
    (R, classes, 4)."""
    R = len(regions)
    true, overlap = np.zeros((R, classes), bool), np.zeros((R, classes))
    offsets = np.zeros((R, classes, 4))
    true[np.arange(len(boxes)), labels] = True
    for k in np.unique(labels).tolist():
        own = boxes[labels == k].astype(np.float64)
        every = box_iou(regions, own)
        overlap[:, k] = every.max(axis=1)
        offsets[:, k] = encode(own[every.argmax(axis=1)], to_centre(regions))
    return true, overlap, offsets


def linear_svm(x: np.ndarray, signs: np.ndarray, penalty: float, passes: int = 20) -> np.ndarray:
    """(D + 1,): w and b of min |w|^2 / 2 + b^2 / 2 + C sum_i max(0, 1 - y_i (w . x_i + b)).

    x (N, D), signs y (N,) of -1 and 1, penalty C. By coordinates of the dual, one sample after the
    other in an order of chance, in each pass those that may move: Hsieh et al. 2008 (A dual
    coordinate descent method for large-scale linear SVM, ICML), algorithm 1; the bias is a feature
    that is 1. Ends earlier where no coordinate moves by more than C / 1,000.
    """
    rows = np.pad(x.astype(np.float64), ((0, 0), (0, 1)), constant_values=1) * signs[:, None]
    squares, alpha = (rows * rows).sum(axis=1), np.zeros(len(rows))
    w, rng = np.zeros(rows.shape[1]), Generator(0)
    for _ in range(passes):
        most = 0.0
        for i in rng.permutation(len(rows)).tolist():
            before, row = alpha[i], rows[i]
            after = min(max(before - (row @ w - 1) / squares[i], 0.0), penalty)
            if after != before:
                w += (after - before) * row
                alpha[i] = after
                most = max(most, abs(after - before))
        if most <= penalty / 1_000:
            break
    return w


def ridge_regression(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """(D + 1, K): W and b of min sum_i |x_i W + b - y_i|^2 + ridge |W|^2 for x (N, D), y (N, K); 0
    for no samples. Hoerl and Kennard 1970 (Technometrics 12)."""
    if not len(x):
        return np.zeros((x.shape[1] + 1, y.shape[1]))
    middle, mean = x.mean(axis=0), y.mean(axis=0)
    away = x - middle
    W = np.linalg.solve(away.T @ away + ridge * np.eye(x.shape[1]), away.T @ (y - mean))
    return np.concatenate([W, (mean - middle @ W)[None]])
