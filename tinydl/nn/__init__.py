"""Layer 5: modules, layers, initialisers, losses, penalties and the summary of a model."""

from . import init
from .activation import ReLU, Sigmoid, Softmax, Tanh
from .conv import Conv2d
from .conv_forms import Conv1d, ConvTranspose2d, DepthwiseConv2d, SeparableConv2d
from .dropout import Dropout
from .gated import GRU, LSTM, Bidirectional
from .linear import Linear
from .losses import bce_with_logits, cross_entropy, mse
from .module import Buffer, Module, Parameter, Sequential
from .norm import BatchNorm, GroupNorm, InstanceNorm, L2Normalize, LayerNorm, LocalResponseNorm
from .penalties import L1, L1L2, L2
from .pool import AvgPool2d, Flatten, GlobalAvgPool, GlobalMaxPool, MaxPool2d
from .recurrent import SimpleRNN
from .summary import Summary, summary

__all__ = [
    "GRU",
    "L1",
    "L1L2",
    "L2",
    "LSTM",
    "AvgPool2d",
    "BatchNorm",
    "Bidirectional",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "InstanceNorm",
    "L2Normalize",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "SeparableConv2d",
    "Sequential",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "Summary",
    "Tanh",
    "bce_with_logits",
    "cross_entropy",
    "init",
    "mse",
    "summary",
]
