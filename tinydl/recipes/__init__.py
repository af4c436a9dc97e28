"""Layer 9: the books' experiments as data, and what trains them.

`RECIPES` is the list; `find("mlp-mnist")` and `find("mlp-mnist/row06-sgd-0.1")` look things up in
it.
"""

from __future__ import annotations

from difflib import get_close_matches

from ..errors import ConfigError
from .atienza2020 import CNN_MNIST, MLP_MNIST, RNN_MNIST
from .beginnings import IRIS, XOR_MLP
from .convolutional import (
    CNN_CIFAR,
    DENSENET_CIFAR,
    LENET_MNIST,
    MOBILENET_CIFAR,
    RESNET20_CIFAR,
    VGG_CIFAR,
)
from .detection import (
    FASTER_RCNN_SHAPES,
    MASK_RCNN_SHAPES,
    RCNN_SHAPES,
    SSD_BCCD,
    SSD_SHAPES,
    YOLO_SHAPES,
)
from .estimates import FACE_DETECTOR, KEYPOINTS_FACES, PILOTNET
from .gulli2017 import V1, V2, V3A, V3B, V4, V5, V6
from .liu2019 import FASHION_DFN, FASHION_MLP_512
from .own import MLP_DIGITS, SYNTHETIC_DIGITS
from .recipe import Recipe, Split, Target, Variant
from .segmentation import FCN8S_SHAPES, PSPNET_SHAPES, UNET_SHAPES
from .sewak2018 import MLP_MNIST_512, SOFTMAX_MNIST

RECIPES: dict[str, Recipe] = {
    "mlp-digits": MLP_DIGITS,
    "synthetic-digits": SYNTHETIC_DIGITS,
    "xor-mlp": XOR_MLP,
    "iris-softmax": IRIS,
    "softmax-mnist": SOFTMAX_MNIST,
    "mnist-v1": V1,
    "mnist-v2": V2,
    "mnist-v3a": V3A,
    "mnist-v3b": V3B,
    "mnist-v4": V4,
    "mnist-v5": V5,
    "mnist-v6": V6,
    "mlp-mnist": MLP_MNIST,
    "cnn-mnist": CNN_MNIST,
    "rnn-mnist": RNN_MNIST,
    "mlp-mnist-512": MLP_MNIST_512,
    "fashion-dfn": FASHION_DFN,
    "fashion-mlp-512": FASHION_MLP_512,
    "lenet-mnist": LENET_MNIST,
    "cnn-cifar": CNN_CIFAR,
    "resnet20-cifar": RESNET20_CIFAR,
    "densenet-cifar": DENSENET_CIFAR,
    "mobilenet-cifar": MOBILENET_CIFAR,
    "vgg-cifar": VGG_CIFAR,
    "ssd-bccd": SSD_BCCD,
    "ssd-shapes": SSD_SHAPES,
    "yolo-shapes": YOLO_SHAPES,
    "rcnn-shapes": RCNN_SHAPES,
    "faster-rcnn-shapes": FASTER_RCNN_SHAPES,
    "mask-rcnn-shapes": MASK_RCNN_SHAPES,
    "unet-shapes": UNET_SHAPES,
    "fcn8s-shapes": FCN8S_SHAPES,
    "pspnet-shapes": PSPNET_SHAPES,
    "pilotnet-roads": PILOTNET,
    "keypoints-faces": KEYPOINTS_FACES,
    "face-detector": FACE_DETECTOR,
}
DEFAULT = "mlp-digits"


def find(name: str) -> Recipe:
    """The recipe `name`, or "recipe/variant"; ConfigError suggests the closest names."""
    base, _, variant = name.partition("/")
    if base not in RECIPES:
        close = get_close_matches(base, RECIPES, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(RECIPES)}"
        raise ConfigError(f"unknown recipe {name!r}; {hint} (`tinydl recipes` lists them all)")
    return RECIPES[base].variant(variant) if variant else RECIPES[base]


__all__ = ["DEFAULT", "RECIPES", "Recipe", "Split", "Target", "Variant", "find"]
