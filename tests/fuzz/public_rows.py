"""One right call for every public function and class: `ROWS[name]` draws (callable, arguments).

Operations, losses, metrics and update rules come from the case rows that the other tests use; what
these wrap or leave out stands here. A test fails when a public name has no row.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from cases.archives import png
from cases.losses import ALL as LOSSES
from cases.metrics import METRICS

import tinydl as td
from tinydl import attribution, data, environments, metrics, nn, ops, optim
from tinydl.data.byte_pairs import BYTES
from tinydl.data.formats.wav import encode_wav
from tinydl.nn import init
from tinydl.testing import CASES
from tinydl.testing.draws import Draw


@dataclass
class Call:
    """function(*args, **options), and what is then asked of the result."""

    function: Any
    args: list
    options: dict = field(default_factory=dict)
    then: list = field(default_factory=list)  # (method, args, options) of the result


def _t(*shape, dtype=np.float32):
    return td.tensor(np.linspace(0.1, 0.9, int(np.prod(shape)), dtype=dtype).reshape(shape))


def _weights():
    p = nn.Parameter(np.ones((2, 3), np.float32))
    p.grad = td.ones((2, 3))
    return [p]


def _rng():
    return td.Generator(3)


# -- operations ------------------------------------------------------------------------------------


def _from_case(case):
    def draw(seed):
        example = case.draw(Draw(seed))
        return Call(case.function, [td.tensor(np.asarray(a)) for a in example.inputs],
                    dict(example.options))  # fmt: skip

    return draw


def _of(function, *args, then=(), **options):
    """A row; callables among the arguments make theirs anew for every call."""

    def draw(seed):
        made = [a() if inspect.isfunction(a) and a.__name__ == "<lambda>" else a for a in args]
        kept = {k: a() if inspect.isfunction(a) and a.__name__ == "<lambda>" else a
                for k, a in options.items()}  # fmt: skip
        return Call(function, made, kept, list(then))

    return draw


_X, _IMAGE, _STEPS = (lambda: _t(2, 3)), (lambda: _t(2, 5, 4, 3)), (lambda: _t(2, 4, 3))
_VOLUME = lambda: _t(2, 3, 4, 3, 2)  # noqa: E731
_INDICES = lambda: td.tensor([1, 0])  # noqa: E731
_L = (lambda: _t(2, 4, 3), lambda: _t(2, 2))
_GRU = (*_L, lambda: _t(3, 6), lambda: _t(2, 6), lambda: _t(6))
_LSTM = (*_L, lambda: _t(2, 2), lambda: _t(3, 8), lambda: _t(2, 8), lambda: _t(8))

OWN_OPERATIONS = {
    "topk": _of(ops.topk, _X, 2),
    "einsum": _of(ops.einsum, "ij,kj->ik", _X, _X),
    "nonzero": _of(ops.nonzero, _X, as_tuple=True),
    "cummax": _of(ops.cummax, _X, 1),
    "cummin": _of(ops.cummin, _X, 1),
    "index_put": _of(ops.index_put, _X, [1, 0], 0.5),
    "meshgrid": _of(ops.meshgrid, _INDICES, _INDICES, indexing="ij"),
    "reshape": _of(ops.reshape, _X, (3, 2)),
    "transpose": _of(ops.transpose, _X, (1, 0)),
    "broadcast_to": _of(ops.broadcast_to, _X, (2, 2, 3)),
    "concat": _of(ops.concat, lambda: [_t(2, 3), _t(1, 3)], 0),
    "stack": _of(ops.stack, lambda: [_t(2, 3), _t(2, 3)], 0),
    "split": _of(ops.split, lambda: _t(4, 3), sections=2, axis=0),
    "lstm_cell": _of(
        ops.lstm_cell, _X, lambda: _t(2, 2), lambda: _t(2, 2), lambda: _t(3, 8), lambda: _t(2, 8)
    ),
    "lstm_sequence": _of(ops.lstm_sequence, *_LSTM),
    "lstm_sequence_by_cells": _of(ops.lstm_sequence_by_cells, *_LSTM),
    "gru_sequence": _of(ops.gru_sequence, *_GRU),
    "gru_sequence_by_cells": _of(ops.gru_sequence_by_cells, *_GRU),
    "dropout": _of(ops.dropout, _X, 0.5),
    "batch_norm_with_statistics": _of(
        ops.batch_norm_with_statistics, _IMAGE, lambda: _t(3), lambda: _t(3)
    ),
    "batch_statistics": _of(ops.batch_statistics, _IMAGE),
    "grid_sample": _of(ops.grid_sample, _IMAGE, lambda: _t(2, 4, 4, 2)),
    "group_norm": _of(ops.group_norm, lambda: _t(2, 5, 4), 2),
}
OPERATIONS = {
    f"ops.{name}": OWN_OPERATIONS.get(name) or _from_case(CASES[name]) for name in ops.__all__
}

# -- the top level, random numbers -----------------------------------------------------------------

_ROW = lambda: td.tensor([1.0, 2.0], requires_grad=True)  # noqa: E731
TOP = {
    "zeros": _of(td.zeros, (2, 3)),
    "ones": _of(td.ones, (2, 3)),
    "full": _of(td.full, (2, 3), 1.5),
    "arange": _of(td.arange, 0, 5, 2),
    "zeros_like": _of(td.zeros_like, _X),
    "ones_like": _of(td.ones_like, _X),
    "eye": _of(td.eye, 2, 3),
    "linspace": _of(td.linspace, 0.0, 1.0, 5),
    "rand": _of(td.rand, 2, 3),
    "randn": _of(td.randn, (2, 3)),
    "cat": _of(td.cat, lambda: [_t(2, 3), _t(1, 3)], 0),
    "unsqueeze": _of(td.unsqueeze, _X, 1),
    "clamp": _of(td.clamp, _X, 0.2, 0.5),
    "allclose": _of(td.allclose, _X, _X),
    "manual_seed": _of(td.manual_seed, 0),
    "uniform": _of(td.uniform, (2, 3)),
    "normal": _of(td.normal, (2, 3)),
    "bernoulli": _of(td.bernoulli, (2, 3), 0.5),
    "multinomial": _of(td.multinomial, td.tensor([[0.2, 0.8]]), 1),
    "tensor": _of(td.tensor, lambda: [1.0, 2.0]),
    "Tensor": _of(td.Tensor, lambda: [1.0, 2.0]),
    "grad": _of(td.grad, lambda: (_ROW() * 2.0).sum(), _ROW, allow_unused=True),
    "seed": _of(td.seed, 0),
    "save": _of(td.save, lambda: {"a": np.ones(3)}, str(Path(gettempdir()) / "t.safetensors")),
    "save_onnx": _of(td.save_onnx, lambda: nn.Linear(3, 2), str(Path(gettempdir()) / "t.onnx"), _X),
    "compile": _of(td.compile, lambda: nn.Linear(3, 2), _X),
    "use_backend": _of(td.use_backend, "numpy"),
    "set_default_backend": _of(td.set_default_backend, "cpu"),
    "jacobian": _of(td.jacobian, lambda: ops.tanh, _X),
    "hessian": _of(td.hessian, lambda: ops.logsumexp, _X),
    "jvp": _of(td.jvp, lambda: ops.tanh, _X, _X),
    "hvp": _of(td.hvp, lambda: ops.logsumexp, _X, _X),
    "per_sample_gradients": _of(td.per_sample_gradients, lambda: ops.sum, lambda: [_t(2)], _X),
    "recompute": _of(td.recompute, lambda: nn.Linear(3, 2), _X),
    "Generator": _of(td.Generator, 5, then=[("words", [3], {})]),
}
METHODS = {
    "Generator.uniform": (td.Generator, (2, 3)),
    "Generator.normal": (td.Generator, (2, 3)),
    "Generator.integers": (td.Generator, 0, 5, (2,)),
    "Generator.permutation": (td.Generator, 5),
    "Generator.words": (td.Generator, 3),
    "Generator.take": (td.Generator, 3),
    "Generator.spawn": (td.Generator,),
}


def _method(cls, method, *args):
    return lambda seed: Call(getattr(cls(seed), method), list(args))


TOP |= {name: _method(cls, name.split(".")[1], *args) for name, (cls, *args) in METHODS.items()}
TOP |= {
    f"nn.init.{name}": (lambda seed, f=function: Call(f, [(3, 4), _rng(), np.float32]))
    for name, function in init.BY_NAME.items()
}
TOP["nn.init.draw"] = lambda seed: Call(init.draw, ["zeros", (2, 3), _rng()])
TOP["nn.init.initializer"] = _of(init.initializer, "zeros")
_W = lambda: nn.Parameter(np.ones((3, 4), np.float32))  # noqa: E731
TOP |= {
    f"nn.init.{name}": _of(getattr(init, name), _W)
    for name in (
        *("normal_", "uniform_", "truncated_normal_", "zeros_", "ones_", "orthogonal_"),
        *("glorot_uniform_", "glorot_normal_", "he_uniform_", "he_normal_"),
    )
}
TOP["nn.init.fill_"] = _of(init.fill_, _W, "he_normal")
TOP["nn.init.constant_"] = _of(init.constant_, _W, 0.5)
TOP["nn.init.fans"] = _of(init.fans, (2, 3))

# -- layers ----------------------------------------------------------------------------------------


def _layer(cls, *args, inputs=(_X,), **options):
    def draw(seed):
        made = [a() if inspect.isfunction(a) and a.__name__ == "<lambda>" else a for a in args]
        return Call(cls, made, dict(options), [("__call__", [x() for x in inputs], {})])

    return draw


_ROIS = (
    _IMAGE, lambda: np.array([[0.3, 0.2, 2.9, 3.1]]), lambda: np.array([0])
)  # fmt: skip


def _look(model):
    with nn.looking(model):
        return model(_X())


LAYERS = {
    "AdaptiveAvgPool1d": _layer(nn.AdaptiveAvgPool1d, 3, inputs=(_STEPS,)),
    "AdaptiveMaxPool1d": _layer(nn.AdaptiveMaxPool1d, 3, inputs=(_STEPS,)),
    "AdaptiveAvgPool2d": _layer(nn.AdaptiveAvgPool2d, 2, inputs=(_IMAGE,)),
    "AdaptiveMaxPool2d": _layer(nn.AdaptiveMaxPool2d, 2, inputs=(_IMAGE,)),
    "AdditiveAttention": _layer(
        nn.AdditiveAttention, 3, 2, 5, inputs=(_STEPS, lambda: _t(2, 5, 2))
    ),
    "Apply": _layer(nn.Apply, ops.leaky_relu),
    "AvgPool1d": _layer(nn.AvgPool1d, 2, inputs=(_STEPS,)),
    "AvgPool2d": _layer(nn.AvgPool2d, 2, inputs=(_IMAGE,)),
    "AvgPool3d": _layer(nn.AvgPool3d, 2, inputs=(_VOLUME,)),
    "BatchNorm": _layer(nn.BatchNorm, 3, inputs=(_IMAGE,)),
    "Bidirectional": _layer(
        nn.Bidirectional, lambda: nn.GRU(3, 2), lambda: nn.GRU(3, 2), inputs=(_STEPS,)
    ),
    "Conv1d": _layer(nn.Conv1d, 3, 2, 3, inputs=(_STEPS,)),
    "Conv2d": _layer(nn.Conv2d, 3, 4, 3, inputs=(_IMAGE,)),
    "Conv3d": _layer(nn.Conv3d, 2, 3, 2, inputs=(_VOLUME,)),
    "ConvTranspose1d": _layer(nn.ConvTranspose1d, 3, 2, 3, 2, inputs=(_STEPS,)),
    "ConvTranspose2d": _layer(nn.ConvTranspose2d, 3, 2, 2, 2, inputs=(_IMAGE,)),
    "DepthwiseConv2d": _layer(nn.DepthwiseConv2d, 3, 3, inputs=(_IMAGE,)),
    "DotAttention": _layer(nn.DotAttention, 3, inputs=(_STEPS, lambda: _t(2, 5, 3))),
    "Dropout": _layer(nn.Dropout, 0.5),
    "ELU": _layer(nn.ELU),
    "Embedding": _layer(nn.Embedding, 4, 3, inputs=(_INDICES,)),
    "Flatten": _layer(nn.Flatten, inputs=(_IMAGE,)),
    "GELU": _layer(nn.GELU),
    "GRU": _layer(nn.GRU, 3, 2, inputs=(_STEPS,)),
    "GeneralAttention": _layer(nn.GeneralAttention, 3, 2, inputs=(_STEPS, lambda: _t(2, 5, 2))),
    "GLU": _layer(nn.GLU, inputs=(lambda: _t(2, 4),)),
    "GlobalAvgPool": _layer(nn.GlobalAvgPool, inputs=(_IMAGE,)),
    "GlobalMaxPool": _layer(nn.GlobalMaxPool, inputs=(_IMAGE,)),
    "GroupNorm": _layer(nn.GroupNorm, 2, 4, inputs=(lambda: _t(2, 3, 4),)),
    "HardSigmoid": _layer(nn.HardSigmoid),
    "HardSwish": _layer(nn.HardSwish),
    "HardTanh": _layer(nn.HardTanh, -0.5, 2.0),
    "Identity": _layer(nn.Identity),
    "InstanceNorm": _layer(nn.InstanceNorm, 3, inputs=(_IMAGE,)),
    "L2Normalize": _layer(nn.L2Normalize, 3, inputs=(_IMAGE,)),
    "LSTM": _layer(nn.LSTM, 3, 2, inputs=(_STEPS,)),
    "LayerNorm": _layer(nn.LayerNorm, 3, inputs=(_IMAGE,)),
    "LeakyReLU": _layer(nn.LeakyReLU),
    "Linear": _layer(nn.Linear, 3, 2),
    "LogSigmoid": _layer(nn.LogSigmoid),
    "LogSoftmax": _layer(nn.LogSoftmax),
    "LocalResponseNorm": _layer(nn.LocalResponseNorm, 3, inputs=(_IMAGE,)),
    "MaxPool1d": _layer(nn.MaxPool1d, 2, inputs=(_STEPS,)),
    "MaxPool2d": _layer(nn.MaxPool2d, 2, inputs=(_IMAGE,)),
    "Mish": _layer(nn.Mish),
    "MaxPool3d": _layer(nn.MaxPool3d, 2, inputs=(_VOLUME,)),
    "Module": _of(nn.Module),
    "MultiHeadAttention": _layer(nn.MultiHeadAttention, 4, 2, inputs=(lambda: _t(2, 3, 4),)),
    "KeyValueCache": _of(nn.KeyValueCache),
    "LearnedPositions": _layer(nn.LearnedPositions, 6, 3, inputs=(_STEPS,)),
    "RMSNorm": _layer(nn.RMSNorm, 3, inputs=(_IMAGE,)),
    "RotaryPositions": _layer(nn.RotaryPositions, inputs=(lambda: _t(2, 3, 2, 4),)),
    "SwiGLU": _layer(nn.SwiGLU, 3, 4, inputs=(_STEPS,)),
    "TransformerEncoderLayer": _layer(
        nn.TransformerEncoderLayer, 4, 2, 5, inputs=(lambda: _t(2, 3, 4),)
    ),
    "TransformerDecoderLayer": _layer(
        nn.TransformerDecoderLayer, 4, 2, 5, inputs=(lambda: _t(2, 3, 4), lambda: _t(2, 2, 4))
    ),
    "PositionalEncoding": _layer(nn.PositionalEncoding, 3, inputs=(_STEPS,)),
    "PReLU": _layer(nn.PReLU, 3),
    "ReLU": _layer(nn.ReLU),
    "ReLU6": _layer(nn.ReLU6),
    "RepeatVector": _layer(nn.RepeatVector, 4),
    "RoiAlign": _layer(nn.RoiAlign, 2, inputs=_ROIS),
    "RoiPool": _layer(nn.RoiPool, 2, inputs=_ROIS),
    "SELU": _layer(nn.SELU),
    "SeparableConv2d": _layer(nn.SeparableConv2d, 3, 4, 3, inputs=(_IMAGE,)),
    "Sequential": _layer(nn.Sequential, lambda: nn.Linear(3, 4), lambda: nn.Tanh()),
    "Sigmoid": _layer(nn.Sigmoid),
    "SimpleRNN": _layer(nn.SimpleRNN, 3, 2, inputs=(_STEPS,)),
    "Softmax": _layer(nn.Softmax),
    "Softplus": _layer(nn.Softplus),
    "Softsign": _layer(nn.Softsign),
    "EqualizedRate": _layer(nn.EqualizedRate, lambda: nn.Linear(3, 2)),
    "MinibatchStd": _layer(nn.MinibatchStd),
    "SpectralNorm": _layer(nn.SpectralNorm, lambda: nn.Linear(3, 2)),
    "StackedRNN": _layer(nn.StackedRNN, lambda: nn.GRU(3, 2), inputs=(_STEPS,)),
    "SiLU": _layer(nn.SiLU),
    "Swish": _layer(nn.Swish),
    "Reshape": _layer(nn.Reshape, 3, -1),
    "Upsample": _layer(nn.Upsample, None, 2.0, inputs=(_IMAGE,)),
    "ZeroPad2d": _layer(nn.ZeroPad2d, 1, inputs=(_IMAGE,)),
    "Tanh": _layer(nn.Tanh),
    "WeightNorm": _layer(nn.WeightNorm, lambda: nn.Linear(3, 2)),
    "L1": _layer(nn.L1, 0.1),
    "L2": _layer(nn.L2, 0.1),
    "L1L2": _layer(nn.L1L2, 0.1, 0.2),
    "Parameter": _of(nn.Parameter, lambda: np.ones((2, 2), np.float32)),
    "Buffer": _of(nn.Buffer, lambda: np.ones((2, 2), np.float32)),
    "activations": _of(nn.activations, lambda: nn.Sequential(nn.Linear(3, 2)), _X),
    "detached": _of(nn.detached, _X),
    "sinusoidal_positions": _of(nn.sinusoidal_positions, 4, 6),
    "looking": lambda seed: Call(_look, [nn.Linear(3, 2)]),
    "summary": _of(nn.summary, lambda: nn.Linear(3, 2), (3,)),
    "truncated_bptt": _of(nn.truncated_bptt, lambda: nn.GRU(3, 2), _STEPS, 2),
    "gradient_penalty": _of(nn.gradient_penalty, lambda: nn.Linear(3, 1), _X, _X),
    "ctc_greedy": _of(nn.ctc_greedy, _STEPS),
    "ctc_beam": _of(nn.ctc_beam, _STEPS),
}


def _loss(name):
    _, arrays = LOSSES[name]
    given = [[6, 5, 6], [3, 2, 3]] if name == "ctc" else []
    return lambda seed: Call(
        getattr(nn, name), [*[td.tensor(np.array(a)) for a in arrays], *given]
    )  # fmt: skip


LAYERS |= {name: _loss(name) for name in LOSSES if "-" not in name}

# -- metrics, update rules -------------------------------------------------------------------------


def _metric(name):
    _, draw, _ = METRICS[name]
    return lambda seed: Call(getattr(metrics, name), list(draw(np.random.default_rng(seed))))


_BOXES = lambda: np.array([[0.0, 0.0, 2.0, 2.0]])  # noqa: E731
_CLASSES = lambda: np.array([0])  # noqa: E731
METRIC_ROWS = {name: _metric(name) for name in METRICS if "-" not in name} | {
    "Found": _of(metrics.Found, _BOXES, _CLASSES, lambda: np.array([0.5])),
    "edit_distance": _of(metrics.edit_distance, lambda: [1, 2], lambda: [2]),
    "label_error_rate": _of(metrics.label_error_rate, lambda: [[1, 2]], lambda: [[2]]),
    "mask_iou": _of(
        metrics.mask_iou, lambda: np.ones((2, 3, 3), bool), lambda: np.ones((1, 3, 3), bool)
    ),
    "mean_average_precision": _of(
        metrics.mean_average_precision,
        lambda: [metrics.Found(_BOXES(), _CLASSES(), np.array([0.5]))],
        lambda: [metrics.Truth(_BOXES(), _CLASSES())],
        1,
    ),
    "Truth": _of(metrics.Truth, _BOXES, _CLASSES),
}


def _rule(cls):
    def draw(seed):
        options = {"momentum": 0.5} if cls is optim.SGD else {}
        return Call(cls, [_weights(), 0.1], options, [("step", [], {})])

    return draw


RULES = ("AMSGrad", "AdaDelta", "AdaGrad", "Adam", "AdamW", "Adamax", "CentredRMSprop", "Nadam",
         "RAdam", "RMSprop", "Rprop", "SGD")  # fmt: skip
_NEXT = ("__call__", [3], {})
OPTIM = {name: _rule(getattr(optim, name)) for name in RULES} | {
    "StepDecay": _of(optim.StepDecay, 0.1, 3, then=[_NEXT]),
    "Exponential": _of(optim.Exponential, 0.1, 0.5, then=[_NEXT]),
    "Polynomial": _of(optim.Polynomial, 0.1, 5, then=[_NEXT]),
    "Cosine": _of(optim.Cosine, 0.1, 5, then=[_NEXT]),
    "WarmUp": _of(optim.WarmUp, 3, 0.1, then=[_NEXT]),
    "Piecewise": _of(optim.Piecewise, lambda: [2, 3], lambda: [1.0, 0.5, 0.1], then=[_NEXT]),
    "Plateau": _of(optim.Plateau, then=[("update", [0.5, 0.1], {})]),
    "WeightAverage": _of(optim.WeightAverage, lambda: _weights(), then=[("update", [], {})]),
    "Groups": _of(optim.Groups, lambda: optim.SGD(_weights()), then=[("step", [], {})]),
    **{
        name: _of(getattr(optim, name), lambda: _weights(), 0.5)
        for name in ("clip_by_global_norm", "clip_by_norm", "clip_by_value", "clip_weights")
    },
}

# -- data ------------------------------------------------------------------------------------------

_UINT8 = lambda: np.arange(216, dtype=np.uint8).reshape(8, 9, 3)  # noqa: E731
_COLOUR = lambda: np.linspace(0, 1, 144, dtype=np.float32).reshape(6, 8, 3)  # noqa: E731
_Y = lambda: np.array([0, 1] * 6)  # noqa: E731
_R = lambda: td.Generator(3)  # noqa: E731


def _sample():
    return data.Sample(_COLOUR(), np.array([[1.0, 1.0, 4.0, 4.0]]), np.array([1]))


def _corpus():
    return data.word_corpus(["a b a", "b a"], 1)


def _pieces():
    return data.Pieces((np.ones((2, 1)),), np.array([0]), np.array([0]), np.ones((1, 2)))


def _people():
    x = np.arange(40 * 112 * 92).reshape(40, 112, 92).astype(np.uint8)
    return data.Samples("faces", x, np.arange(40), ())


def _augmentation(cls, *args, on=None):
    given = on or (lambda: _sample())
    return lambda seed: Call(cls, list(args), {}, [("__call__", [given(), _R()], {})])


_BATCH = lambda: (np.ones((4, 6, 6, 1), np.float32), np.eye(4, dtype=np.float32))  # noqa: E731
_made = lambda: data.synthetic_digits(12, td.Generator(0)).split(0.25, td.Generator(0))  # noqa: E731


def _folder():
    """Two pictures of two classes in files."""
    root = Path(gettempdir()) / "tinydl-public-rows"
    for k, name in enumerate(("even", "odd")):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "1.png").write_bytes(png(np.full((4, 5, 3), k, np.uint8)))
    return str(root)


def _files_folder(kind, content):
    """A file of each of two classes."""
    root = Path(gettempdir()) / f"tinydl-public-rows-{kind}"
    for name in ("even", "odd"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / f"1.{kind}").write_bytes(content)
    return str(root)


_SOUND = encode_wav(np.zeros(9), 8_000)
_FORM = lambda: data.PictureForm((3, 4))  # noqa: E731
_FILES = lambda: ["even/1.png", "odd/1.png"]  # noqa: E731
DATA = {
    "PictureForm": _of(
        data.PictureForm,
        (3, 4),
        "pad",
        1,
        then=[("of", [np.ones((5, 6), np.uint8)], {}), ("to_json", [], {})],
    ),
    "Pictures": _of(
        data.Pictures,
        lambda: _folder(),
        _FILES,
        _FORM,
        100,
        1,
        then=[("take", [[1]], {}), ("scaled", [2.0], {}), ("path", [1], {})],
    ),
    "audio_folder": _of(data.audio_folder, lambda: _files_folder("wav", _SOUND)),
    "text_folder": _of(data.text_folder, lambda: _files_folder("txt", b"a word")),
    "look": _of(data.look, lambda: _folder()),
    "image_folder": _of(data.image_folder, lambda: _folder(), (3, 4), "crop", 3),
    "Batches": _of(
        data.Batches,
        lambda: (np.ones((5, 2), np.float32), np.arange(5)),
        2,
        shuffle=False,
        then=[("__iter__", [], {})],
    ),
    "take": _of(data.take, _COLOUR, lambda: np.array([1, 0])),
    "random_split": _of(data.random_split, 12, 0.25, _R),
    "stratified_split": _of(data.stratified_split, _Y, 0.25, _R),
    "three_way_split": _of(data.three_way_split, _Y, 0.25, 0.25, _R),
    "group_split": _of(data.group_split, lambda: np.arange(12) // 3, _Y, 0.25, _R),
    "last_fraction": _of(data.last_fraction, 12, 0.25),
    "windows": _of(data.windows, lambda: np.arange(9.0), 3),
    "scaled_windows": _of(data.scaled_windows, lambda: np.arange(1.0, 40.0), 3),
    "stateful_batches": _of(data.stateful_batches, lambda: np.arange(20.0), 2, 3),
    "one_hot": _of(data.one_hot, lambda: np.array([0, 2]), 3),
    "to_bits": _of(data.to_bits, lambda: np.array([1, 2]), 4),
    "from_bits": _of(data.from_bits, lambda: np.ones((2, 3))),
    "noisy_sine": _of(data.noisy_sine, 3, 8, _R),
    "uneven_waves": _of(data.uneven_waves, 3, _R, 9, 4),
    "Sentences": _of(
        data.Sentences, lambda: np.eye(2, dtype=int), lambda: np.eye(2, dtype=int), ("a",), ("b",)
    ),
    "tagged_sentences": _of(data.tagged_sentences, 3, _R),
    "opinions": _of(data.opinions, 3, _R),
    "number_name": _of(data.number_name, 342),
    "spelled_numbers": _of(data.spelled_numbers),
    "copy_task": _of(data.copy_task, 3, _R),
    "counting_ones": _of(data.counting_ones, 3, 5, _R),
    "dates": _of(data.dates, 5, _R),
    "Pairs": _of(data.Pairs, "p", ("a", "b"), ("c", "d"), then=[("turned", [], {})]),
    "PairParts": _of(data.PairParts, "p", ("a",), ("b",), ("c",), (("d",),)),
    "held_out_targets": _of(
        data.held_out_targets, lambda: data.Pairs("p", ("a", "b"), ("c", "d")), 1, _R
    ),
    "captioned_scenes": _of(data.captioned_scenes, 2, _R),
    "CaptionedScenes": _of(
        data.CaptionedScenes, lambda: np.zeros((1, 2, 2, 3)), ("a",), lambda: np.zeros((1, 2, 4))
    ),
    "CaptionParts": _of(data.CaptionParts, "p", ("a",), ("b",), ("c",), (("d",),)),
    "moving_digits": _of(data.moving_digits, 2, _R),
    "stories": _of(data.stories, 2, _R),
    "Stories": _of(
        data.Stories,
        lambda: np.zeros((1, 2, 5), int),
        lambda: np.zeros(1, int),
        then=[("told", [0], {})],
    ),
    "random_text": _of(data.random_text, 50, _R),
    "random_ratings": _of(data.random_ratings, 5, 6, _R),
    "random_payments": _of(data.random_payments, 50, _R, 0.1),
    "random_reviews": _of(data.random_reviews, 5, _R),
    "spirals": _of(data.spirals, 9, 3, _R),
    "gaussian_ring": _of(data.gaussian_ring, 9, _R),
    "ring_modes": _of(data.ring_modes, 8),
    "sinusoids": _of(data.sinusoids, 3, _R, then=[("points", [4, _rng()], {})]),
    "Sinusoids": _of(data.Sinusoids, lambda: np.ones(2), lambda: np.zeros(2)),
    "CorrelatedGaussians": _of(data.CorrelatedGaussians, 2, 0.5, then=[("draw", [3, _rng()], {})]),
    "covered_modes": _of(data.covered_modes, np.zeros((3, 2)), np.ones((2, 2)), 0.1),
    "blobs": _of(data.blobs, 9, 3, _R),
    "synthetic_digits": _of(data.synthetic_digits, 12, _R),
    "xor_points": _of(data.xor_points),
    "drawn_faces": _of(data.drawn_faces, 2, _R),
    "shapes": _of(data.shapes, 2, _R),
    "roads": _of(data.roads, 2, _R),
    "sobel_edges": _of(data.sobel_edges, lambda: np.ones((2, 6, 6))),
    "cropped_to_ink": _of(data.cropped_to_ink, lambda: np.ones((2, 6, 6)), 4),
    "TwoKinds": _of(data.TwoKinds, _made, _made),
    "factor_pictures": _of(data.factor_pictures, 8, 2, 2),
    "FactorPictures": _of(
        data.FactorPictures, lambda: np.zeros((2, 8, 8, 1), np.float32), lambda: np.eye(2, 4)
    ),
    "Pieces": _of(data.Pieces, lambda: (np.ones((2, 1)),), *[lambda: np.array([0])] * 3),
    "PieceSets": _of(data.PieceSets, "p", _pieces, _pieces, lambda: lambda p, rng: p[0], ("a",)),
    "Strings": _of(data.Strings, lambda: np.ones((1, 2, 1)), *[lambda: np.array([0])] * 4),
    "joined_strings": _of(
        data.joined_strings,
        lambda: data.PieceSets("p", _pieces(), _pieces(), lambda p, rng: p[0], ("a",)),
        "train",
        3,
        _R,
    ),
    "joined_tracks": _of(data.joined_tracks, lambda: [np.ones((3, 2)), np.ones((2, 2))], _R),
    "joined_spectra": _of(data.joined_spectra, lambda: [np.ones((3, 2)), np.ones((2, 2))], _R),
    "Waves": _of(data.Waves, "w", *[lambda: (np.array([0, 1]),)] * 2, 8_000),
    "Tree": _of(data.Tree, 0, "F"),
    "Forest": _of(data.Forest, lambda: np.array([0]), (), *[lambda: np.array([0])] * 2),
    "logic_tree": _of(data.logic_tree, 2, _R),
    "parse_tree": _of(data.parse_tree, "(3 (2 It) (4 works))"),
    "pack_trees": _of(data.pack_trees, lambda: [data.Tree(0, "F")], lambda: data.LOGIC_WORDS),
    "WordCorpus": _of(data.WordCorpus, *[lambda: np.array([0])] * 2, ("a",), lambda: np.array([1])),
    "word_corpus": _of(data.word_corpus, lambda: ["a b a", "b a"], 1),
    "subsampled": _of(data.subsampled, lambda: _corpus(), 0.1, _R),
    "neighbours": _of(data.neighbours, *[lambda: np.array([0, 1, 0])] * 2, 2, _R),
    "surroundings": _of(data.surroundings, *[lambda: np.array([0, 1, 0])] * 2, 2),
    "near_counts": _of(data.near_counts, *[lambda: np.array([0, 1, 0])] * 2, 2),
    "frames": _of(data.frames, lambda: np.arange(9.0), 4, 2),
    "mel_filters": _of(data.mel_filters, 4, 32, 8_000),
    "log_mel": _of(data.log_mel, lambda: np.linspace(-1, 1, 300)),
    "resample": _of(data.resample, lambda: np.arange(9, dtype=np.int16), 8, 12),
    "mu_law": _of(data.mu_law, lambda: np.linspace(-1, 1, 9)),
    "mu_law_inverse": _of(data.mu_law_inverse, lambda: np.arange(9)),
    "MovedSpectra": lambda seed: Call(
        data.MovedSpectra, [2, 1, 2], {}, [("__call__", [(np.ones((2, 6, 5, 1)),), _R()], {})]
    ),
    "Recordings": _of(
        data.Recordings,
        lambda: (np.ones(3, np.int16),),
        *[lambda: np.array([0])] * 3,
        ("ann",),
    ),
    "grid_world": _of(data.grid_world),
    "chain_world": _of(data.chain_world),
    "random_mdp": _of(data.random_mdp, 3, 2, _R),
    "pad_sequences": _of(data.pad_sequences, lambda: [[1, 2, 3], [4]], 2),
    "sequence_mask": _of(data.sequence_mask, lambda: [1, 2], 3),
    "split_words": _of(data.split_words, "a cat."),
    "standardize": _of(data.standardize, lambda: np.arange(6.0).reshape(3, 2)),
    "face_patches": _of(data.face_patches, lambda: _people(), 4, 4, _R, 16),
    "pad_rows": _of(data.pad_rows, lambda: [np.ones((2, 4))], lambda: [np.array([0, 1])]),
    "unpad_rows": _of(data.unpad_rows, lambda: np.ones((2, 5))),
    "pad_planes": _of(
        data.pad_planes, lambda: [np.ones((2, 4, 4), bool)], lambda: [np.array([0, 1])]
    ),
    "rows_of_planes": _of(data.rows_of_planes, lambda: np.ones((1, 2, 4, 4), np.int64)),
    "boxes_of_masks": _of(data.boxes_of_masks, lambda: np.ones((1, 4, 4), bool)),
    "prepare_digit": _of(data.prepare_digit, lambda: np.eye(9, dtype=np.uint8) * 255, 28),
    "prepare_image": _of(data.prepare_image, _UINT8, 8, 8),
    "prepare_colour_image": _of(data.prepare_colour_image, _UINT8, 8, 8),
    "fit_image": _of(data.fit_image, _UINT8, 8, 8),
    "transformed": _of(data.transformed, lambda: _sample(), lambda: np.eye(2)),
    "Sample": _of(data.Sample, _COLOUR),
    "Compose": _augmentation(data.Compose, data.Flip()),
    "Each": _augmentation(data.Each, data.Flip(), on=lambda: (np.ones((2, 4, 4, 3)),)),
    "Flip": _augmentation(data.Flip),
    "Pad": _augmentation(data.Pad, 2),
    "Crop": _augmentation(data.Crop, 4, 4),
    "Rotate": _augmentation(data.Rotate, 10.0),
    "Shift": _augmentation(data.Shift, 0.1, 0.1),
    "Zoom": _augmentation(data.Zoom, 0.9, 1.1),
    "Brightness": _augmentation(data.Brightness, 0.2),
    "Contrast": _augmentation(data.Contrast, 0.2),
    "Saturation": _augmentation(data.Saturation, 0.2),
    "CutOut": _augmentation(data.CutOut, 2),
    "MixUp": _augmentation(data.MixUp, 0.2, on=_BATCH),
    "ShiftFlip": _augmentation(data.ShiftFlip, 2, on=_BATCH),
    "CharacterTokenizer": _of(
        data.CharacterTokenizer, lambda: ["a", "b"], then=[("encode", ["ab"], {})]
    ),
    "BytePairTokenizer": _of(
        data.BytePairTokenizer,
        lambda: list(BYTES),
        then=[("encode", ["a b"], {}), ("decode", [[0, 1]], {})],
    ),
    "WordTokenizer": _of(data.WordTokenizer, lambda: ["a", "b"], then=[("decode", [[0, 1]], {})]),
    "AugmentBoxes": _augmentation(
        data.AugmentBoxes, data.Flip(), on=lambda: (np.ones((2, 4, 4, 3)), np.ones((2, 1, 5)))
    ),
    "AugmentMasks": _augmentation(
        data.AugmentMasks,
        data.Flip(),
        on=lambda: (np.ones((2, 4, 4, 3)), np.ones((2, 1, 4, 4), np.int64)),
    ),
    "lookup": _of(data.lookup, "mnist"),
}

# -- environments ----------------------------------------------------------------------------------

_BOX = lambda: environments.Box(-1.0, 1.0, (2,))  # noqa: E731
_CAR = lambda: environments.MountainCar(5)  # noqa: E731
_EPISODE = (("reset", [], {"seed": 1}), ("step", [1], {}), ("render", [], {}))
_DRIVE = (("reset", [], {"seed": 1}), ("step", [[0.5]], {}))
ENVIRONMENTS = {
    "Box": _of(environments.Box, -1.0, 1.0, (2,), then=[("contains", [[0.5, 0.5]], {})]),
    "Discrete": _of(environments.Discrete, 3, then=[("contains", [1], {})]),
    "Environment": _of(environments.Environment, 3),
    "CartPole": _of(environments.CartPole, 5, then=_EPISODE),
    "Catch": _of(environments.Catch, 6, then=_EPISODE),
    "GridWorld": _of(environments.GridWorld, then=_EPISODE),
    "Walk": _of(environments.Walk, lambda: data.chain_world(), 5, then=_EPISODE),
    "TicTacToe": _of(environments.TicTacToe, 0.5, then=_EPISODE),
    "MountainCar": _of(environments.MountainCar, 5, then=_DRIVE),
    "WidthSearch": _of(environments.WidthSearch, _made, 1, then=_EPISODE),
    "Held": _of(environments.Held, _CAR, 2, then=_DRIVE),
    "Scaled": _of(environments.Scaled, _CAR, then=_DRIVE),
    "Clipped": _of(environments.Clipped, _CAR, then=_DRIVE),
    "drawn": _of(environments.drawn, _BOX, _R),
    "features": _of(environments.features, _BOX, lambda: np.zeros(2)),
    "width": _of(environments.width, _BOX),
    "play_together": _of(
        environments.play_together,
        lambda: [environments.CartPole(3)],
        lambda: lambda states: [1] * len(states),
        lambda: [4],
    ),
}

# -- attribution -----------------------------------------------------------------------------------

_NET = lambda: nn.Sequential(nn.Conv2d(3, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3))  # noqa: E731
_PICTURES = lambda: np.linspace(0, 1, 120, dtype=np.float32).reshape(2, 5, 4, 3)  # noqa: E731
_MAPS = lambda: [np.full((1, 2, 3, 3), 1 / 3)] * 2  # noqa: E731
ATTRIBUTION = {
    "saliency": _of(attribution.saliency, _NET, _PICTURES, 1),
    "integrated_gradients": _of(attribution.integrated_gradients, _NET, _PICTURES, 1, 0.0, 3),
    "grad_cam": _of(attribution.grad_cam, _NET, _PICTURES, 1),
    "last_convolution": _of(attribution.last_convolution, _NET, _PICTURES),
    "box_occlusion": _of(
        attribution.box_occlusion,
        lambda: lambda x: [metrics.Found(np.ones((1, 4)), np.zeros(1, int), np.ones(1))] * len(x),
        lambda: np.ones((6, 5, 3)),
        lambda: np.array([0.0, 0.0, 4.0, 4.0]),
        0,
        2,
    ),
    "occlusion": _of(attribution.occlusion, _NET, _PICTURES, 1, 2),
    "guided_backpropagation": _of(attribution.guided_backpropagation, _NET, _PICTURES, 1),
    "activation_maximization": _of(attribution.activation_maximization, _NET, _PICTURES, 1, 3),
    "fgsm": _of(attribution.fgsm, _NET, _PICTURES, 1, 0.1),
    "pgd": _of(attribution.pgd, _NET, _PICTURES, 1, 0.1, steps=2, rng=_R),
    "attention_rollout": _of(attribution.attention_rollout, _MAPS),
    "cascading_randomization": _of(
        attribution.cascading_randomization,
        _NET,
        _PICTURES,
        lambda: lambda model, x: attribution.saliency(model, x, 1),
        _R,
    ),
    "rank_correlation": _of(
        attribution.rank_correlation, lambda: np.arange(3.0), lambda: np.ones(3)
    ),
}

ROWS = {
    **OPERATIONS,
    **{f"td.{name}": row for name, row in TOP.items()},
    **{f"nn.{name}": row for name, row in LAYERS.items()},
    **{f"metrics.{name}": row for name, row in METRIC_ROWS.items()},
    **{f"optim.{name}": row for name, row in OPTIM.items()},
    **{f"data.{name}": row for name, row in DATA.items()},
    **{f"environments.{name}": row for name, row in ENVIRONMENTS.items()},
    **{f"attribution.{name}": row for name, row in ATTRIBUTION.items()},
}
