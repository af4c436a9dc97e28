"""Layer 8: the books' models, one file per model, by family."""

from .convolutional.digits_cnn import DigitsCNN
from .detection.ssd300 import SSD300
from .detection.ssd_small import SmallSSD
from .feedforward.mlp import MLP
from .feedforward.softmax_regression import SoftmaxRegression
from .recurrent.row_rnn import RowRNN
from .segmentation.fcn import FCN8s, FCN16s, FCN32s
from .segmentation.unet import UNet

__all__ = [
    "MLP",
    "SSD300",
    "DigitsCNN",
    "FCN8s",
    "FCN16s",
    "FCN32s",
    "RowRNN",
    "SmallSSD",
    "SoftmaxRegression",
    "UNet",
]  # fmt: skip
