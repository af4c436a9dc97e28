"""Rows of the detectors."""

import numpy as np

from cases.models import ModelCase
from tinydl import Generator
from tinydl.data import pad_rows
from tinydl.models import (
    RCNN,
    SSD300,
    SVMRCNN,
    YOLO,
    FasterRCNN,
    MaskRCNN,
    SmallFasterRCNN,
    SmallSSD,
    SmallYOLO,
    SSDLite,
)
from tinydl.models.detection.fast_rcnn import fast_rcnn_loss
from tinydl.models.detection.faster_rcnn import faster_rcnn_loss
from tinydl.models.detection.mask_rcnn import mask_rcnn_loss
from tinydl.models.detection.ssd import multibox_loss
from tinydl.models.detection.yolo import yolo_loss


def pictures(rng, n, height, width):
    return rng.uniform(size=(n, height, width, 3))


def some_boxes(rng, count, height, width, smallest=0.2, largest=0.7):
    """(count, 4) corners within the picture."""
    size = rng.uniform(smallest, largest, (count, 2)) * (width, height)
    low = rng.uniform(size=(count, 2)) * ((width, height) - size)
    return np.concatenate([low, low + size], axis=1)


def encoded_batch(model):
    """Pictures with one or two boxes of two classes, encoded for `model`."""

    def batch(rng, n):
        height, width = model.image
        rows = [
            model.targets(some_boxes(rng, 1 + k % 2, height, width), rng.integers(0, 2, 1 + k % 2))
            for k in range(n)
        ]
        return pictures(rng, n, height, width), np.stack(rows).astype(np.float64)

    return batch


def small_ssd():
    return SmallSSD((24, 32), 2, (4, 6, 8, 8), (8, 16, 24, 32))


def tiny_ssdlite():
    blocks = ((1, 16, 1, 1), (2, 8, 1, 2), (2, 8, 1, 2))
    return SSDLite((40, 48), 2, 0.25, blocks, 8, (8, 6))


def tiny_ssd300():
    return SSD300(2, (2, 2, 3, 4), 4)


def tiny_yolo():
    return YOLO((24, 32), 2, 4, 2, ((3, 4, 2), (0, 0, 0), (3, 6, 1)), 16, 0.0)


def tiny_small_yolo():
    return SmallYOLO((24, 32), 2, 4, 2, ((3, 4, 2), (3, 6, 2)), 16)


def yolo_case(name, small, full, parameters):
    return ModelCase(
        name=name,
        small=small,
        batch=encoded_batch(small()),
        # The overlap that a confidence is compared with is a constant for backward, but not for
        # differences: here it is 1.
        loss=lambda model, x, t: yolo_loss(model(x), t, rescore=False),
        full=full,
        parameters=parameters,
        overfit=0.05,
        steps=120,
    )


def tiny_faster_rcnn(kind):
    return kind((24, 32), 2, (4, 6, 6), (1, 1, 1), (8, 14), (1.0,), 3, 16, 10)


def rows_batch(rng, n):
    boxes = [some_boxes(rng, 1 + k % 2, 24, 32) for k in range(n)]
    labels = [rng.integers(0, 2, len(b)) for b in boxes]
    return pictures(rng, n, 24, 32), pad_rows(boxes, labels, 4).astype(np.float64)


def two_stage_loss(model, x, rows):
    """The same sample at every call; proposals are given: they would move with the weights."""
    model.rng = Generator(1)
    given = [some_boxes(np.random.default_rng(k), 6, 24, 32) for k in range(len(x))]
    return faster_rcnn_loss(model(x), rows, given)


def two_stage_outputs(model, x):
    seen = model(x)
    boxes = np.array([[2.0, 3, 20, 18], [0, 0, 31, 23]])
    return seen.regions, model.head(seen.maps, boxes, np.array([0, 1]))


def two_stage_case(kind, parameters):
    return ModelCase(
        name=kind.__name__,
        small=lambda: tiny_faster_rcnn(kind),
        batch=rows_batch,
        loss=two_stage_loss,
        full=kind,
        parameters=parameters,
        outputs=two_stage_outputs,
        overfit=0.3,
        steps=120,
    )


def regions_batch(rng, n):
    """Crops of regions, what they show, offsets."""
    return pictures(rng, n, 8, 8), np.arange(n) % 3, rng.normal(size=(n, 4))


def masks_batch(rng, n):
    """As `rows_batch`, and in each box an ellipse that fills it."""
    x, rows = rows_batch(rng, n)
    masks = np.zeros((n, 4, 24, 32))
    vy, vx = np.mgrid[:24, :32] + 0.5
    for i, k in zip(*np.nonzero(rows[:, :, 4] >= 0), strict=True):
        x1, y1, x2, y2, _ = rows[i, k]
        far = ((vx - (x1 + x2) / 2) / (x2 - x1)) ** 2 + ((vy - (y1 + y2) / 2) / (y2 - y1)) ** 2
        masks[i, k] = far <= 1 / 4
    return x, rows, masks


def tiny_mask_rcnn():
    return MaskRCNN(
        (24, 32), 2, (4, 6, 6), (1, 1, 1), (8, 14), (1.0,), 3, 16, 10,
        mask_bins=3, mask_hidden=5, mask_depth=1,
    )  # fmt: skip


def mask_model_loss(model, x, rows, masks):
    model.rng = Generator(1)
    given = [some_boxes(np.random.default_rng(k), 6, 24, 32) for k in range(len(x))]
    return mask_rcnn_loss(model(x), rows, masks, given)


def mask_outputs(model, x):
    maps = model(x).maps
    boxes = np.array([[2.0, 3, 20, 18], [0, 0, 31, 23]])
    return (*two_stage_outputs(model, x), model.mask(maps, boxes, np.array([0, 1])))


DETECTION = [
    ModelCase(
        name="RCNN",
        small=lambda: RCNN(2, 8, (4, 6), 12, 1),
        batch=regions_batch,
        loss=lambda model, x, labels, t: fast_rcnn_loss(model(x), labels.numpy(), t.numpy()),
        full=RCNN,
        parameters=156_960,
    ),
    ModelCase(
        name="SVMRCNN",
        small=lambda: SVMRCNN(2, 8, (4, 6), 12, 1),
        batch=regions_batch,
        loss=lambda model, x, labels, t: fast_rcnn_loss(model(x), labels.numpy(), t.numpy()),
        full=SVMRCNN,
        parameters=156_960,
    ),
    ModelCase(
        name="MaskRCNN",
        small=tiny_mask_rcnn,
        batch=masks_batch,
        loss=mask_model_loss,
        full=MaskRCNN,
        parameters=422_069,  # 331,570 of SmallFasterRCNN, 90,499 for the masks
        outputs=mask_outputs,
        overfit=0.3,
        steps=120,
    ),
    two_stage_case(FasterRCNN, 137_061_851),
    two_stage_case(SmallFasterRCNN, 331_570),
    ModelCase(
        name="SmallSSD",
        small=small_ssd,
        batch=encoded_batch(small_ssd()),
        loss=lambda model, x, t: multibox_loss(model(x), t),
        full=SmallSSD,
        parameters=670_112,
        overfit=0.1,
    ),
    ModelCase(
        name="SSD300",
        small=tiny_ssd300,
        batch=encoded_batch(tiny_ssd300()),
        loss=lambda model, x, t: multibox_loss(model(x), t),
        full=SSD300,
        parameters=26_285_486,  # 22,943,936 for the base, 3,341,550 for the heads
        overfit=0.3,
        steps=30,
        samples=2,
    ),
    yolo_case("YOLO", tiny_yolo, YOLO, 271_703_550),
    yolo_case("SmallYOLO", tiny_small_yolo, SmallYOLO, 1_323_344),
    ModelCase(
        name="SSDLite",
        small=tiny_ssdlite,
        batch=encoded_batch(tiny_ssdlite()),
        loss=lambda model, x, t: multibox_loss(model(x), t),
        full=SSDLite,
        parameters=4_303_925,
        overfit=0.3,
    ),
]
