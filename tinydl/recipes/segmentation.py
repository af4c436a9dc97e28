"""Segmentation networks, trained from nothing on made-up pictures at a size for two CPU cores.

The books name FCN, PSPNet and U-Net without a number; settings are customary ones.
"""

from __future__ import annotations

from ..baselines import majority_of_pixels, nearest_mean_colour
from ..experiment.card import Recipe, Target, Variant
from ..models import FCN8s, FCN16s, FCN32s, PSPNet, UNet
from ..nn import cross_entropy
from ..optim import Adam
from ..programs.scores import MEAN_IOU
from ..programs.supervised import Supervised, warmed_cosine
from .atienza2020 import BOOK

SMALL_VGG = {
    "classes": 4,
    "widths": (16, 32, 64, 96, 128),
    "counts": (2, 2, 2, 2, 2),
    "hidden": 128,
    "dropout": 0.0,
}

UNET_SHAPES = Recipe(
    name="unet-shapes",
    title="a small U-Net gives every pixel its shape",
    book=BOOK,
    chapter="beside FCN and PSPNet, which it names",
    dataset="shapes",
    parameters=120_852,
    program=Supervised(
        model=UNet,
        architecture={"in_channels": 3, "classes": 4, "widths": (8, 16, 32, 64)},
        input_shape=(64, 64, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=16,
        scale=1.0,
        schedule=warmed_cosine,
        loss=cross_entropy,
        score=MEAN_IOU,
    ),
    epochs=30,
    time_budget=1_200,
    notes=("Mean IoU of background, square, disk and triangle over all pixels of 300 pictures.",),
    targets={"mean_iou": Target(at_least=0.85)},
    baselines=(majority_of_pixels, nearest_mean_colour),
    fast={"samples": (200, 50), "batch_size": 8, "epochs": 10},
)
FCN8S_SHAPES = UNET_SHAPES.replaced(
    name="fcn8s-shapes",
    title="FCN-8s, its scores joined from three depths",
    model=FCN8s,
    architecture=SMALL_VGG,
    parameters=1_294_044,
    optimizer_settings={"lr": 0.001},
    epochs=25,
    variants=(
        Variant("16s", {"model": FCN16s, "targets": {}}, parameters=1_305_816),
        Variant("32s", {"model": FCN32s, "targets": {}}, parameters=1_354_324),
    ),
)
PSPNET_SHAPES = UNET_SHAPES.replaced(
    name="pspnet-shapes",
    title="PSPNet: a dilated residual network and the means of large parts",
    model=PSPNet,
    architecture={"classes": 4, "counts": (1, 1, 2, 1), "widths": (16, 16, 24, 32)},
    parameters=161_684,
)
