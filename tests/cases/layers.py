"""One row per public layer: how to make it, shapes of its inputs, shape of its result.

`make(rng)` draws its first weights from rng; after a dash of the name stands a setting. Rows run in
tests/nn/test_layer_rows.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinydl import Tensor, nn, ops


@dataclass(frozen=True)
class LayerCase:
    make: Callable
    inputs: tuple[tuple[int, ...], ...]
    result: tuple[int, ...]
    count: int = 0  # parameters
    training: bool = True
    rest: tuple = ()  # further arguments, which have no gradient


IMAGE, SEQUENCE, VOLUME = (2, 5, 4, 3), (2, 4, 3), (2, 3, 4, 3, 2)
#: Corners of three boxes, and the image that each lies in.
BOXES = (
    np.array([[0.3, 0.2, 2.9, 3.1], [0.4, 1.3, 3.2, 4.4], [0.6, 0.1, 3.1, 2.7]]),
    np.array([0, 1, 1]),
)


#: Rows of a table of seven.
WORDS = Tensor(np.array([[0, 6, 2], [2, 2, 5]]))


def _both(rng):
    return nn.Bidirectional(nn.GRU(3, 2, rng=rng), nn.GRU(3, 2, rng=rng))


LAYERS = {
    "AdaptiveAvgPool1d": LayerCase(lambda r: nn.AdaptiveAvgPool1d(3), (SEQUENCE,), (2, 3, 3)),
    "AdaptiveMaxPool1d": LayerCase(lambda r: nn.AdaptiveMaxPool1d(3), (SEQUENCE,), (2, 3, 3)),
    "Apply": LayerCase(lambda r: nn.Apply(ops.leaky_relu, slope=0.1), (IMAGE,), IMAGE),
    "AdaptiveAvgPool2d": LayerCase(lambda r: nn.AdaptiveAvgPool2d(2), (IMAGE,), (2, 2, 2, 3)),
    "AdaptiveMaxPool2d": LayerCase(lambda r: nn.AdaptiveMaxPool2d(2), (IMAGE,), (2, 2, 2, 3)),
    "AdditiveAttention": LayerCase(
        lambda r: nn.AdditiveAttention(3, 2, 5, rng=r), (SEQUENCE, (2, 5, 2)), (2, 4, 2), 30
    ),
    "AvgPool1d": LayerCase(lambda r: nn.AvgPool1d(2), (SEQUENCE,), (2, 2, 3)),
    "AvgPool2d": LayerCase(lambda r: nn.AvgPool2d(2, 1, "same"), (IMAGE,), IMAGE),
    "AvgPool3d": LayerCase(lambda r: nn.AvgPool3d(2, 1, "same"), (VOLUME,), VOLUME),
    "BatchNorm": LayerCase(lambda r: nn.BatchNorm(3), (IMAGE,), IMAGE, 6),
    "BatchNorm-cumulative": LayerCase(lambda r: nn.BatchNorm(3, None), (IMAGE,), IMAGE, 6),
    "Bidirectional": LayerCase(_both, (SEQUENCE,), (2, 4), 84),
    "Conv1d": LayerCase(lambda r: nn.Conv1d(3, 2, 3, rng=r), (SEQUENCE,), (2, 2, 2), 20),
    "Conv2d": LayerCase(
        lambda r: nn.Conv2d(3, 4, 3, 2, padding="same", rng=r), (IMAGE,), (2, 3, 2, 4), 112
    ),
    "Conv3d": LayerCase(
        lambda r: nn.Conv3d(2, 3, 2, (1, 2, 1), padding="same", rng=r),
        (VOLUME,),
        (2, 3, 2, 3, 3),
        51,
    ),
    "ConvTranspose1d": LayerCase(
        lambda r: nn.ConvTranspose1d(3, 2, 3, 2, rng=r), (SEQUENCE,), (2, 9, 2), 20
    ),
    "ConvTranspose2d": LayerCase(
        lambda r: nn.ConvTranspose2d(3, 2, 2, 2, rng=r), (IMAGE,), (2, 10, 8, 2), 26
    ),
    "DepthwiseConv2d": LayerCase(
        lambda r: nn.DepthwiseConv2d(3, 3, multiplier=2, rng=r), (IMAGE,), (2, 3, 2, 6), 60
    ),
    "DotAttention": LayerCase(lambda r: nn.DotAttention(3), (SEQUENCE, (2, 5, 3)), SEQUENCE),
    "Dropout": LayerCase(lambda r: nn.Dropout(0.5, r), (IMAGE,), IMAGE, training=False),
    "Dropout-all": LayerCase(lambda r: nn.Dropout(1.0, r), (IMAGE,), IMAGE),
    "ELU": LayerCase(lambda r: nn.ELU(0.7), (IMAGE,), IMAGE),
    "Embedding": LayerCase(lambda r: nn.Embedding(7, 2, rng=r), (), (2, 3, 2), 14, rest=(WORDS,)),
    "Embedding-padded": LayerCase(
        lambda r: nn.Embedding(7, 2, 1, rng=r), (), (2, 3, 2), 14, rest=(WORDS,)
    ),
    "Flatten": LayerCase(lambda r: nn.Flatten(), (IMAGE,), (2, 60)),
    "GELU": LayerCase(lambda r: nn.GELU(), (IMAGE,), IMAGE),
    "GELU-tanh": LayerCase(lambda r: nn.GELU("tanh"), (IMAGE,), IMAGE),
    "GRU": LayerCase(lambda r: nn.GRU(3, 2, rng=r), (SEQUENCE,), (2, 2), 42),
    "GeneralAttention": LayerCase(
        lambda r: nn.GeneralAttention(3, 2, rng=r), (SEQUENCE, (2, 5, 2)), (2, 4, 2), 6
    ),
    "GLU": LayerCase(lambda r: nn.GLU(), ((2, 5, 4),), (2, 5, 2)),
    "GlobalAvgPool": LayerCase(lambda r: nn.GlobalAvgPool(), (IMAGE,), (2, 3)),
    "GlobalMaxPool": LayerCase(lambda r: nn.GlobalMaxPool(), (IMAGE,), (2, 3)),
    "GroupNorm": LayerCase(lambda r: nn.GroupNorm(2, 4), ((2, 3, 4),), (2, 3, 4), 8),
    "HardSigmoid": LayerCase(lambda r: nn.HardSigmoid(), (IMAGE,), IMAGE),
    "HardSwish": LayerCase(lambda r: nn.HardSwish(), (IMAGE,), IMAGE),
    "HardTanh": LayerCase(lambda r: nn.HardTanh(-0.4, 0.6), (IMAGE,), IMAGE),
    "Identity": LayerCase(lambda r: nn.Identity(), (IMAGE,), IMAGE),
    "InstanceNorm": LayerCase(lambda r: nn.InstanceNorm(3), (IMAGE,), IMAGE, 6),
    "L2Normalize": LayerCase(lambda r: nn.L2Normalize(3), (IMAGE,), IMAGE, 3),
    "LSTM": LayerCase(
        lambda r: nn.LSTM(3, 2, return_sequences=True, rng=r), (SEQUENCE,), (2, 4, 2), 48
    ),
    "LayerNorm": LayerCase(lambda r: nn.LayerNorm(3), (IMAGE,), IMAGE, 6),
    "LeakyReLU": LayerCase(lambda r: nn.LeakyReLU(0.3), (IMAGE,), IMAGE),
    "Linear": LayerCase(lambda r: nn.Linear(3, 2, rng=r), (SEQUENCE,), (2, 4, 2), 8),
    "LocalResponseNorm": LayerCase(lambda r: nn.LocalResponseNorm(3), (IMAGE,), IMAGE),
    "LogSigmoid": LayerCase(lambda r: nn.LogSigmoid(), (IMAGE,), IMAGE),
    "LogSoftmax": LayerCase(lambda r: nn.LogSoftmax(1), (IMAGE,), IMAGE),
    "MaxPool1d": LayerCase(lambda r: nn.MaxPool1d(2), (SEQUENCE,), (2, 2, 3)),
    "MaxPool2d": LayerCase(lambda r: nn.MaxPool2d(2), (IMAGE,), (2, 2, 2, 3)),
    "Mish": LayerCase(lambda r: nn.Mish(), (IMAGE,), IMAGE),
    "MaxPool2d-dilated": LayerCase(lambda r: nn.MaxPool2d(2, dilation=2), (IMAGE,), (2, 2, 1, 3)),
    "MaxPool3d": LayerCase(lambda r: nn.MaxPool3d((1, 2, 2)), (VOLUME,), (2, 3, 2, 1, 2)),
    "MultiHeadAttention": LayerCase(
        lambda r: nn.MultiHeadAttention(4, 2, rng=r), ((2, 3, 4),), (2, 3, 4), 80
    ),
    "MultiHeadAttention-shared": LayerCase(
        lambda r: nn.MultiHeadAttention(
            8, 4, kv_heads=2, bias=False, positions=nn.RotaryPositions(), rng=r
        ),
        ((2, 3, 8),),
        (2, 3, 8),
        64 + 2 * 32 + 64,
    ),
    "LearnedPositions": LayerCase(
        lambda r: nn.LearnedPositions(6, 3, rng=r), (SEQUENCE,), SEQUENCE, 18
    ),
    "RMSNorm": LayerCase(lambda r: nn.RMSNorm(3), (IMAGE,), IMAGE, 3),
    "RotaryPositions": LayerCase(lambda r: nn.RotaryPositions(), ((2, 4, 3, 6),), (2, 4, 3, 6)),
    "SwiGLU": LayerCase(lambda r: nn.SwiGLU(3, 5, rng=r), (SEQUENCE,), SEQUENCE, 45),
    "TransformerEncoderLayer": LayerCase(
        lambda r: nn.TransformerEncoderLayer(4, 2, 5, activation=ops.gelu, eps=0.1, rng=r),
        ((2, 3, 4),),
        (2, 3, 4),
        80 + 16 + 2 * 4 * 5 + 9,
    ),
    "TransformerDecoderLayer": LayerCase(
        lambda r: nn.TransformerDecoderLayer(4, 2, 5, activation=ops.gelu, norm_first=True, rng=r),
        ((2, 3, 4), (2, 5, 4)),
        (2, 3, 4),
        160 + 24 + 2 * 4 * 5 + 9,
    ),
    "PositionalEncoding": LayerCase(lambda r: nn.PositionalEncoding(3), (SEQUENCE,), SEQUENCE),
    "PReLU": LayerCase(lambda r: nn.PReLU(3), (IMAGE,), IMAGE, 3),
    "ReLU": LayerCase(lambda r: nn.ReLU(), (IMAGE,), IMAGE),
    "ReLU6": LayerCase(lambda r: nn.ReLU6(), (IMAGE,), IMAGE),
    "RepeatVector": LayerCase(lambda r: nn.RepeatVector(4), ((2, 3),), SEQUENCE),
    "Reshape": LayerCase(lambda r: nn.Reshape(5, -1), (IMAGE,), (2, 5, 12)),
    "RoiAlign": LayerCase(lambda r: nn.RoiAlign(2), (IMAGE,), (3, 2, 2, 3), rest=BOXES),
    "RoiPool": LayerCase(lambda r: nn.RoiPool(2), (IMAGE,), (3, 2, 2, 3), rest=BOXES),
    "SELU": LayerCase(lambda r: nn.SELU(), (IMAGE,), IMAGE),
    "SeparableConv2d": LayerCase(
        lambda r: nn.SeparableConv2d(3, 4, 3, rng=r), (IMAGE,), (2, 3, 2, 4), 43
    ),
    "Sequential": LayerCase(
        lambda r: nn.Sequential(nn.Linear(3, 4, rng=r), nn.Tanh(), nn.Linear(4, 2, rng=r)),
        (SEQUENCE,),
        (2, 4, 2),
        26,
    ),
    "Sigmoid": LayerCase(lambda r: nn.Sigmoid(), (IMAGE,), IMAGE),
    "SimpleRNN": LayerCase(lambda r: nn.SimpleRNN(3, 2, rng=r), (SEQUENCE,), (2, 2), 12),
    "Softmax": LayerCase(lambda r: nn.Softmax(), (IMAGE,), IMAGE),
    "Softplus": LayerCase(lambda r: nn.Softplus(), (IMAGE,), IMAGE),
    "Softsign": LayerCase(lambda r: nn.Softsign(), (IMAGE,), IMAGE),
    "EqualizedRate": LayerCase(
        lambda r: nn.EqualizedRate(nn.Conv2d(3, 2, 3, padding="same", rng=r), rng=r),
        (IMAGE,),
        (2, 5, 4, 2),
        56,
    ),
    "MinibatchStd": LayerCase(lambda r: nn.MinibatchStd(), (IMAGE,), (2, 5, 4, 4)),
    "SpectralNorm": LayerCase(
        lambda r: nn.SpectralNorm(nn.Linear(3, 2, rng=r)), (SEQUENCE,), (2, 4, 2), 8, training=False
    ),
    "StackedRNN": LayerCase(
        lambda r: nn.StackedRNN(
            nn.GRU(3, 2, return_sequences=True, rng=r), nn.SimpleRNN(2, 2, rng=r)
        ),
        (SEQUENCE,),
        (2, 2),
        52,
    ),
    "SiLU": LayerCase(lambda r: nn.SiLU(), (IMAGE,), IMAGE),
    "Swish": LayerCase(lambda r: nn.Swish(), (IMAGE,), IMAGE),
    "Swish-beta": LayerCase(lambda r: nn.Swish(1.7), (IMAGE,), IMAGE),
    "Tanh": LayerCase(lambda r: nn.Tanh(), (IMAGE,), IMAGE),
    "Upsample": LayerCase(lambda r: nn.Upsample(scale_factor=2), (IMAGE,), (2, 10, 8, 3)),
    "Upsample-bilinear": LayerCase(
        lambda r: nn.Upsample((3, 6), mode="bilinear"), (IMAGE,), (2, 3, 6, 3)
    ),
    "Upsample-bicubic": LayerCase(
        lambda r: nn.Upsample((3, 6), mode="bicubic", antialias=True), (IMAGE,), (2, 3, 6, 3)
    ),
    "ZeroPad2d": LayerCase(lambda r: nn.ZeroPad2d(((1, 0), (2, 3))), (IMAGE,), (2, 6, 9, 3)),
    "WeightNorm": LayerCase(
        lambda r: nn.WeightNorm(nn.Linear(3, 2, rng=r)), (SEQUENCE,), (2, 4, 2), 10
    ),
}
