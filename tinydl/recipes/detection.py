"""Detectors, trained from nothing at a size for two CPU cores.

The book describes R-CNN to SSD and runs a pre-trained SSD; it trains none, so there is no number of
its own to compare with. Settings were chosen on the validation part (blood cells: "val") or on
other made-up pictures, never on the test part.
"""

from __future__ import annotations

from ..baselines import even_regions, mean_box
from ..data import AugmentBoxes, AugmentMasks, Brightness, Compose, Contrast, Flip, Shift
from ..experiment.card import Recipe, Target, Variant
from ..models import RCNN, SVMRCNN, MaskRCNN, SmallFasterRCNN, SmallSSD, SmallYOLO
from ..models.detection.faster_rcnn import faster_rcnn_loss
from ..models.detection.mask_rcnn import mask_planes_loss
from ..models.detection.rcnn import rcnn_loss
from ..models.detection.ssd import multibox_loss
from ..models.detection.yolo import yolo_loss
from ..optim import Adam
from ..programs.parts import Split
from ..programs.scores import MAP, MASK_MAP
from ..programs.supervised import Supervised, warmed_cosine
from .liu2019 import BOOK
from .sewak2018 import BOOK as SEWAK

CHAPTER = "4, CNN Architecture"
SSD_ERRORS = (
    "Smooth L1 is printed with its break at |x| < 0.5; it is continuous only for |x| < 1.",
    "The localisation loss compares raw boxes; they must be encoded relative to the default box, "
    "and only matched boxes count.",
    "The confidence loss has two minus signs that cancel.",
    '"Six more layers of convolution": six is the number of maps that predict.',
)
YOLO_ERRORS = (
    '"Five values" of a box are listed as four: the fifth is the confidence.',
    "The third term of the loss is said to hold the confidence alone; the fourth does too.",
    "Sums run to S^2 and B from 0, one too many.",
)

SSD_BCCD = Recipe(
    name="ssd-bccd",
    title="a small SSD finds blood cells in pictures of half size",
    book=BOOK,
    chapter=CHAPTER,
    dataset="bccd_half",
    parameters=670_112,
    program=Supervised(
        model=SmallSSD,
        architecture={},
        input_shape=(240, 320, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=8,
        transform=AugmentBoxes(
            Compose(Flip(), Flip(horizontal=False), Brightness(0.1), Contrast(0.2))
        ),
        schedule=warmed_cosine,
        loss=multibox_loss,
        score=MAP,
    ),
    epochs=60,
    time_budget=5_400,
    errors=SSD_ERRORS,
    notes=(
        "Trained on the 292 pictures of train and val, tested on the 72 of test: mean average "
        "precision at IoU 0.5 by the rule of VOC 2007 over platelets, red and white cells.",
    ),
    variants=(Variant("val", {"split": Split(validation=87)}, notes=("For choosing settings.",)),),
    targets={"map": Target(at_least=0.60)},
    baselines=(mean_box,),
    fast={"samples": (24, 12), "epochs": 10},
)

SSD_SHAPES = Recipe(
    name="ssd-shapes",
    title="a small SSD finds squares, disks and triangles, in minutes and without data",
    book=BOOK,
    chapter=CHAPTER,
    dataset="shapes_boxes",
    parameters=167_040,
    program=Supervised(
        model=SmallSSD,
        architecture={
            "image": (64, 64),
            "widths": (16, 32, 64, 64),
            "sizes": (14, 22, 30, 40),
            "ratios": ((), (), ()),
        },
        input_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=32,
        scale=1.0,
        transform=AugmentBoxes(Flip()),
        schedule=warmed_cosine,
        loss=multibox_loss,
        score=MAP,
    ),
    epochs=20,
    time_budget=300,
    seeds=3,
    errors=SSD_ERRORS,
    targets={"map": Target(at_least=0.80)},
    baselines=(mean_box, even_regions),
    fast={"samples": (400, 100), "epochs": 12},
)

YOLO_SHAPES = Recipe(
    name="yolo-shapes",
    title="YOLO v1 with an 8x8 grid finds squares, disks and triangles",
    book=BOOK,
    chapter=CHAPTER,
    dataset="shapes_boxes",
    parameters=1_323_344,
    program=Supervised(
        model=SmallYOLO,
        architecture={},
        input_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=32,
        scale=1.0,
        transform=AugmentBoxes(Compose(Flip(), Shift(0.15, 0.15, fill="nearest", min_area=0.25))),
        schedule=warmed_cosine,
        loss=yolo_loss,
        score=MAP,
    ),
    epochs=80,
    time_budget=600,
    errors=YOLO_ERRORS,
    notes=(
        "The linear layers do not know that a place is like the place beside it: every picture is "
        "moved by up to 15 % of its sides.",
    ),
    variants=(
        Variant(
            "not-moved",
            {
                "transform": AugmentBoxes(Flip()),
                "optimizer_settings": {"lr": 0.001},
                "epochs": 40,
            },
            notes=("The first settings, of which the moves were missing.",),
        ),
    ),
    targets={"map": Target(at_least=0.60)},
    baselines=(mean_box, even_regions),
    not_beaten=(even_regions,),
    fast={"samples": (400, 100), "epochs": 20},
)

RCNN_SHAPES = Recipe(
    name="rcnn-shapes",
    title="R-CNN: selective search proposes regions, a small network says what each shows",
    book=BOOK,
    chapter=CHAPTER,
    dataset="shapes_boxes",
    parameters=156_960,
    program=Supervised(
        model=RCNN,
        architecture={},
        input_shape=(32, 32, 3),
        picture_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.001},
        batch_size=8,
        scale=1.0,
        schedule=warmed_cosine,
        loss=rcnn_loss,
        score=MAP,
    ),
    epochs=10,
    time_budget=600,
    notes=(
        "A batch is up to 16 regions of each of 8 pictures, a quarter of them things; searching "
        "takes most of the time. One softmax and smooth L1 stand for the book's support "
        "vector machines and regressors; these are the variant `machines`.",
    ),
    variants=(
        Variant(
            "machines",
            {
                "title": "R-CNN as the book has it: a support vector machine per class, and ridge",
                "model": SVMRCNN,
                "targets": {"map": Target(at_least=0.60)},
            },
            notes=(
                "The same network; after its last epoch one linear support vector machine for each "
                "class and a ridge regression of the offsets are fitted to its hidden layer.",
            ),
        ),
    ),
    targets={"map": Target(at_least=0.60)},
    baselines=(mean_box, even_regions),
    fast={"samples": (100, 30), "epochs": 6},
)

FASTER_RCNN_SHAPES = Recipe(
    name="faster-rcnn-shapes",
    title="Faster R-CNN with a small base finds squares, disks and triangles",
    book=BOOK,
    chapter=CHAPTER,
    dataset="shapes_boxes",
    parameters=331_570,
    program=Supervised(
        model=SmallFasterRCNN,
        architecture={},
        input_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.001},
        batch_size=16,
        scale=1.0,
        transform=AugmentBoxes(Flip()),
        schedule=warmed_cosine,
        loss=faster_rcnn_loss,
        score=MAP,
    ),
    epochs=20,
    time_budget=900,
    errors=(
        "The 3x3 convolution of the region proposal network does not resize the map to a fixed "
        "size: it slides over it, and two 1x1 convolutions follow.",
        'Suppression removes the lower scored of two boxes that overlap, not boxes "over a score".',
    ),
    targets={"map": Target(at_least=0.60)},
    baselines=(mean_box, even_regions),
    not_beaten=(even_regions,),
    fast={"samples": (400, 100), "epochs": 6},
)

MASK_RCNN_SHAPES = Recipe(
    name="mask-rcnn-shapes",
    title="Mask R-CNN with a small base outlines squares, disks and triangles",
    book=SEWAK,
    chapter="named only: instance segmentation",
    dataset="shapes_masks",
    parameters=422_069,
    program=Supervised(
        model=MaskRCNN,
        architecture={},
        input_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.001},
        batch_size=16,
        scale=1.0,
        transform=AugmentMasks(Flip()),
        schedule=warmed_cosine,
        loss=mask_planes_loss,
        score=MASK_MAP,
    ),
    epochs=20,
    time_budget=1_200,
    notes=("The score is the mean average precision by overlap of masks; `map` is that of boxes.",),
    targets={"mask_map": Target(at_least=0.60)},
    baselines=(mean_box, even_regions),
    not_beaten=(even_regions,),
    fast={"samples": (300, 60), "epochs": 6},
)
