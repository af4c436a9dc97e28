"""Rows of the convolutional and mobile classifiers, and published counts of their larger forms."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import (
    VGG,
    AlexNet,
    BottleneckResNet,
    CifarCNN,
    DenseNet,
    DenseNetBC,
    DenseNetCifar,
    DigitsCNN,
    FaceDetector,
    GoogLeNet,
    KeypointCNN,
    LeNet5,
    MobileNetV1,
    MobileNetV2,
    PilotNet,
    PlainCifar,
    PlainNet,
    ResNet,
    ResNetCifar,
    ResNetV2Cifar,
    SmallVGG,
    auxiliary_cross_entropy,
)
from tinydl.models.convolutional.resnet import RESNET18, RESNET101, RESNET152
from tinydl.models.convolutional.vgg import VGG19
from tinydl.nn import bce_with_logits, cross_entropy, mse

CLASSES = 3


def images(side, channels=3):
    """n images of `side` pixels with the labels 0, 1, 2, 0, ..."""

    def batch(rng, n):
        labels = (rng.permutation(n) % CLASSES).astype(np.int64)
        return rng.uniform(-1, 1, (n, side, side, channels)), labels

    return batch


def awake(model):
    """Biases away from 0: where all inputs of a relu are 0, its kink would be met exactly."""
    rng = np.random.default_rng(0)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.assign(rng.normal(0, 0.1, parameter.shape).astype(np.float32))
    return model


def classifier(full, parameters, small, side, channels=3, loss=cross_entropy, **others):
    return ModelCase(
        name=full.__name__,
        small=small,
        batch=images(side, channels),
        loss=lambda model, x, labels: loss(model(x), labels),
        full=full,
        parameters=parameters,
        **others,
    )


CLASSIFIERS = [
    classifier(
        LeNet5, 61_706, lambda: LeNet5(16, 1, CLASSES, (3, 4, 8, 8), padding=1), 16, channels=1
    ),
    classifier(DigitsCNN, 80_266, lambda: DigitsCNN(18, 1, (3, 4, 5), CLASSES, 0.0), 18, 1),
    classifier(
        CifarCNN, 9_312_202, lambda: CifarCNN(16, 3, CLASSES, (4, 4, 5, 6, 8), (8, 8, 8), 0.0), 16
    ),
    classifier(
        AlexNet, 60_965_224, lambda: AlexNet(67, 3, CLASSES, (4, 6, 6, 6, 4), 8, dropout=0.0), 67
    ),
    classifier(VGG, 138_357_544, lambda: VGG((1, 2), (4, 6), 8, 8, 3, CLASSES, 0.0), 8),
    classifier(SmallVGG, 288_298, lambda: SmallVGG((4, 6), CLASSES), 8),
    classifier(
        GoogLeNet,
        6_998_552 + 3_188_840 + 3_190_888,  # the network, then its two auxiliary classifiers
        lambda: awake(GoogLeNet(65, 3, CLASSES, 1 / 32, 0.0, 0.0)),
        65,
        loss=auxiliary_cross_entropy,
        overfit=0.5,
    ),
    classifier(ResNetCifar, 269_722, lambda: ResNetCifar(8, 3, CLASSES, (3, 4, 5)), 8),
    classifier(PlainCifar, 269_722, lambda: PlainCifar(8, 3, CLASSES, (3, 4, 5)), 8),
    classifier(ResNetV2Cifar, 269_722, lambda: ResNetV2Cifar(8, 3, CLASSES, (3, 4, 5)), 8),
    classifier(ResNet, 21_797_672, lambda: ResNet((1, 2), (3, 4), 3, CLASSES), 16),
    classifier(PlainNet, 21_623_848, lambda: PlainNet((1, 2), (3, 4), 3, CLASSES), 16),
    classifier(
        BottleneckResNet, 25_557_032, lambda: BottleneckResNet((1, 2), (2, 3), 3, CLASSES), 16
    ),
    classifier(DenseNetCifar, 1_019_722, lambda: DenseNetCifar(10, 3, 3, CLASSES), 8),
    classifier(DenseNetBC, 769_162, lambda: DenseNetBC(16, 3, 3, CLASSES), 8),
    classifier(DenseNet, 7_978_856, lambda: DenseNet((1, 2), 3, 3, CLASSES), 16),
    classifier(
        MobileNetV1,
        4_231_976,
        lambda: MobileNetV1(0.25, 3, CLASSES, ((16, 1), (32, 2), (32, 1)), 1, 0.0),
        8,
        steps=120,
    ),
    classifier(
        MobileNetV2,
        3_504_872,
        lambda: MobileNetV2(0.5, 3, CLASSES, ((1, 8, 1, 1), (2, 16, 2, 2)), 1, 16, 0.0),
        8,
        steps=120,
    ),
]


def numbers(shape, *targets):
    """Pictures in 0..1 with targets between -1 and 1."""

    def batch(rng, n):
        return rng.uniform(size=(n, *shape)), rng.uniform(-1, 1, (n, *targets))

    return batch


def faces_or_not(side):
    def batch(rng, n):
        t = (np.arange(n) % 2).astype(np.float64)[:, None, None]
        return rng.uniform(size=(n, side, side, 1)), t

    return batch


REGRESSORS = [
    ModelCase(
        name="PilotNet",
        small=lambda: awake(PilotNet(20, 24, 3, ((4, 5, 2), (5, 3, 1), (6, 3, 2)), (8, 6))),
        batch=numbers((20, 24, 3)),
        loss=lambda model, x, t: mse(model(x), t),
        full=PilotNet,
        parameters=252_219,
        steps=150,
    ),
    ModelCase(
        name="KeypointCNN",
        small=lambda: awake(KeypointCNN(8, 1, 2, (4, 6), 8)),
        batch=numbers((8, 8, 1), 4),
        loss=lambda model, x, t: mse(model(x), t),
        full=KeypointCNN,
        parameters=155_786,
        steps=150,
    ),
    ModelCase(
        name="FaceDetector",
        small=lambda: awake(FaceDetector(14, 1, (4, 5), 6)),
        batch=faces_or_not(14),
        loss=lambda model, x, t: bce_with_logits(model(x), t),
        full=FaceDetector,
        parameters=15_169,
        steps=150,
    ),
]

#: (what, how it is made, parameters as published or as they follow from the paper's table)
LARGER = [
    ("VGG19", lambda: VGG(VGG19), 143_667_240),
    ("AlexNet without groups", lambda: AlexNet(groups=1), 62_378_344),
    ("ResNet-18", lambda: ResNet(RESNET18), 11_689_512),
    ("ResNet-101", lambda: BottleneckResNet(RESNET101), 44_549_160),
    ("ResNet-152", lambda: BottleneckResNet(RESNET152), 60_192_808),
    ("ResNet-32", lambda: ResNetCifar(32), 464_154),
    ("ResNet-56", lambda: ResNetCifar(56), 853_018),
    ("ResNet-56 v2", lambda: ResNetV2Cifar(56), 853_018),
    ("MobileNet 0.75", lambda: MobileNetV1(0.75), 2_585_560),
    ("MobileNet 0.5", lambda: MobileNetV1(0.5), 1_331_592),
    ("MobileNet 0.25", lambda: MobileNetV1(0.25), 470_072),
]
