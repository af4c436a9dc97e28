"""Layer 5: modules, layers, initialisers, losses, penalties and the summary of a model."""

from . import init
from .activation import Apply, ReLU, Sigmoid, Softmax, Tanh
from .attention import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    MultiHeadAttention,
    PositionalEncoding,
    sinusoidal_positions,
)
from .conv import Conv2d
from .conv_forms import Conv1d, ConvTranspose2d, DepthwiseConv2d, SeparableConv2d
from .dropout import Dropout
from .linear import Linear
from .losses import bce_with_logits, cross_entropy, mse
from .losses_classes import (
    bce,
    dice,
    focal,
    hinge,
    kl_categorical,
    margin,
    nll,
    soft_cross_entropy,
    squared_hinge,
    weighted_cross_entropy,
)
from .losses_distance import contrastive, cosine, triplet
from .losses_gan import (
    gradient_penalty,
    least_squares_discriminator,
    least_squares_generator,
    wasserstein_critic,
    wasserstein_generator,
)
from .losses_regression import gaussian_nll, huber, kl_gaussian, mae, smooth_l1, total_variation
from .losses_sequence import ctc, ctc_beam, ctc_greedy
from .module import Buffer, Module, Parameter, Sequential
from .norm import BatchNorm, GroupNorm, InstanceNorm, L2Normalize, LayerNorm, LocalResponseNorm
from .penalties import L1, L1L2, L2
from .pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
)
from .recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    RepeatVector,
    SimpleRNN,
    StackedRNN,
    detached,
    truncated_bptt,
)
from .roi import RoiAlign, RoiPool
from .summary import Summary, summary
from .watch import activations
from .weight_norms import SpectralNorm, WeightNorm

__all__ = [
    "GRU",
    "L1",
    "L1L2",
    "L2",
    "LSTM",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdditiveAttention",
    "Apply",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "Bidirectional",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "DepthwiseConv2d",
    "DotAttention",
    "Dropout",
    "Flatten",
    "GeneralAttention",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "InstanceNorm",
    "L2Normalize",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "MultiHeadAttention",
    "Parameter",
    "PositionalEncoding",
    "ReLU",
    "RepeatVector",
    "RoiAlign",
    "RoiPool",
    "SeparableConv2d",
    "Sequential",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "SpectralNorm",
    "StackedRNN",
    "Summary",
    "Tanh",
    "WeightNorm",
    "activations",
    "bce",
    "bce_with_logits",
    "contrastive",
    "cosine",
    "cross_entropy",
    "ctc",
    "ctc_beam",
    "ctc_greedy",
    "detached",
    "dice",
    "focal",
    "gaussian_nll",
    "gradient_penalty",
    "hinge",
    "huber",
    "init",
    "kl_categorical",
    "kl_gaussian",
    "least_squares_discriminator",
    "least_squares_generator",
    "mae",
    "margin",
    "mse",
    "nll",
    "sinusoidal_positions",
    "smooth_l1",
    "soft_cross_entropy",
    "squared_hinge",
    "summary",
    "total_variation",
    "triplet",
    "truncated_bptt",
    "wasserstein_critic",
    "wasserstein_generator",
    "weighted_cross_entropy",
]
