"""Layer 5: modules, layers, initialisers, losses, penalties and the summary of a model."""

from typing import TYPE_CHECKING

from ..habits import asked as _asked
from . import init
from .activation import (
    ELU,
    GELU,
    SELU,
    Apply,
    HardSigmoid,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Swish,
    Tanh,
)
from .attention import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    KeyValueCache,
    MultiHeadAttention,
    PositionalEncoding,
    sinusoidal_positions,
)
from .conv import Conv2d
from .conv_forms import Conv1d, ConvTranspose2d, DepthwiseConv2d, SeparableConv2d
from .dropout import Dropout
from .embedding import Embedding
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
)
from .losses_distance import contrastive, cosine, cosine_embedding, margin_ranking, triplet
from .losses_gan import (
    gradient_penalty,
    least_squares_discriminator,
    least_squares_generator,
    wasserstein_critic,
    wasserstein_generator,
)
from .losses_regression import (
    gaussian_nll,
    huber,
    kl_gaussian,
    mae,
    poisson_nll,
    smooth_l1,
    total_variation,
)
from .losses_sequence import ctc, ctc_beam, ctc_greedy
from .module import Buffer, Module, Parameter
from .norm import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
    MinibatchStd,
    RMSNorm,
)
from .penalties import L1, L1L2, L2
from .pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
)
from .recurrent import GRU, LSTM, SimpleRNN, detached
from .recurrent_stacks import Bidirectional, RepeatVector, StackedRNN, truncated_bptt
from .roi import RoiAlign, RoiPool
from .sequential import Sequential
from .shape import Flatten, Reshape, Upsample, ZeroPad2d
from .summary import Summary, summary
from .transformer import (
    GLU,
    LearnedPositions,
    RotaryPositions,
    SwiGLU,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from .watch import activations, looking
from .weight_norms import EqualizedRate, SpectralNorm, WeightNorm

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "L1",
    "L1L2",
    "L2",
    "LSTM",
    "SELU",
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
    "Embedding",
    "EqualizedRate",
    "Flatten",
    "GeneralAttention",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "HardSigmoid",
    "Identity",
    "InstanceNorm",
    "KeyValueCache",
    "L2Normalize",
    "LayerNorm",
    "LeakyReLU",
    "LearnedPositions",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "MinibatchStd",
    "Module",
    "MultiHeadAttention",
    "Parameter",
    "PositionalEncoding",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "RepeatVector",
    "Reshape",
    "RoiAlign",
    "RoiPool",
    "RotaryPositions",
    "SeparableConv2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpectralNorm",
    "StackedRNN",
    "Summary",
    "SwiGLU",
    "Swish",
    "Tanh",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
    "Upsample",
    "WeightNorm",
    "ZeroPad2d",
    "activations",
    "bce",
    "bce_with_logits",
    "contrastive",
    "cosine",
    "cosine_embedding",
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
    "looking",
    "mae",
    "margin",
    "margin_ranking",
    "mse",
    "nll",
    "poisson_nll",
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
]

if not TYPE_CHECKING:  # for a checker every name would exist
    __getattr__ = _asked(__name__, "nn")
