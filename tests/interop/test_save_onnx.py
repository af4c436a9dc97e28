"""`save_onnx`: what is written computes the same, read by onnx's own evaluator and by ourselves,
for batches of any length."""

from __future__ import annotations

import importlib
import pkgutil

import cases
import numpy as np
import pytest
from cases.models import ModelCase
from closeness import assert_close
from support import oracle_module

import tinydl as td
from tinydl import nn, ops
from tinydl.errors import ConfigError

pytestmark = pytest.mark.oracle
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def onnx():
    oracle_module("onnx.reference")
    return oracle_module("onnx")


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


class Attention(nn.Module):
    def __init__(self):
        self.attention = nn.MultiHeadAttention(8, 2)

    def forward(self, x):
        found = self.attention(x, x, x)
        return found[0] if isinstance(found, tuple) else found


class Formula(nn.Module):
    """Operations that no layer has."""

    def __init__(self, function):
        self.function, self.scale = function, nn.Parameter(normal(3))

    def forward(self, x):
        return self.function(x * self.scale)


def residual():
    class Block(nn.Module):
        def __init__(self):
            self.first, self.norm = nn.Conv2d(3, 3, 3, padding="same"), nn.BatchNorm(3)

        def forward(self, x):
            return ops.relu(x + self.norm(self.first(x)))

    return nn.Sequential(Block(), Block(), nn.GlobalAvgPool(), nn.Linear(3, 4))


MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), (2, 4)),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, padding="same"),
            nn.BatchNorm(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 4, 3, stride=2),
            nn.Flatten(),
            nn.Linear(4, 5),
            nn.Softmax(),
        ),
        (2, 8, 8, 3),
    ),
    "separable": (
        lambda: nn.Sequential(
            nn.SeparableConv2d(3, 6, 3, padding="same"),
            nn.ELU(),
            nn.AvgPool2d(2),
            nn.DepthwiseConv2d(6, 3, dilation=2),
            nn.Sigmoid(),
        ),
        (2, 12, 12, 3),
    ),
    "residual": (residual, (2, 6, 6, 3)),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1), nn.Tanh()),
        (2, 5, 5, 3),
    ),
    "group norm": (lambda: nn.GroupNorm(2, 4), (2, 5, 3, 4)),
    "layer norm": (lambda: nn.Sequential(nn.LayerNorm(4), nn.GELU()), (2, 3, 4)),
    "lstm": (lambda: nn.LSTM(4, 6), (2, 5, 4)),
    "gru": (lambda: nn.GRU(4, 6), (2, 5, 4)),
    "gru before": (lambda: nn.GRU(4, 6, reset_after=False), (2, 5, 4)),
    "rnn": (lambda: nn.SimpleRNN(4, 6), (2, 5, 4)),
    "bidirectional": (lambda: nn.Bidirectional(nn.LSTM(4, 6)), (2, 5, 4)),
    "attention": (Attention, (2, 5, 8)),
    "reductions": (
        lambda: Formula(lambda x: ops.max(x, 1) - ops.min(x, 1) + ops.std(x, 1, True)[:, 0]),
        (2, 3),
    ),
    "pieces": (
        lambda: Formula(
            lambda x: ops.concat(
                [x[:, ::-1], ops.pad(x, ((0, 0), (1, 0))), ops.clip(x, -0.5, 0.5)], 1
            )
        ),
        (2, 3),
    ),
    "flattened batch": (lambda: Formula(lambda x: ops.reshape(x, (-1,))[1:-1]), (2, 4, 3)),
    "choices": (
        lambda: Formula(lambda x: ops.where(x > 0.1, ops.log1p(ops.abs(x)), ops.expm1(x))),
        (2, 3),
    ),
}


def same(onnx, model, inputs, path, tol=1e-5, opset=17):
    """The file computes what the model does, on another number of samples too."""
    td.save_onnx(model, path, inputs, opset)
    model.eval()
    session, net = onnx.reference.ReferenceEvaluator(str(path)), td.load_onnx(path)
    for batch in (inputs, tuple(np.concatenate([x[::-1], x, x]) for x in inputs)):
        with td.no_grad():
            want, again = model(*batch), net(*batch)
        feeds = dict(zip(session.input_names, batch, strict=True))
        want = want if isinstance(want, tuple) else (want,)
        again = again if isinstance(again, tuple) else (again,)
        for ours, theirs, imported in zip(want, session.run(None, feeds), again, strict=True):
            assert_close(theirs, ours, tol)
            assert_close(imported, ours, tol)
    return net


@pytest.mark.parametrize("name", MODELS)
def test_layers(onnx, name, tmp_path):
    make, shape = MODELS[name]
    same(onnx, make(), (normal(*shape),), tmp_path / "m.onnx")


@pytest.mark.parametrize("opset", [18, 21])
def test_newer_opsets(onnx, opset, tmp_path):
    make, shape = MODELS["reductions"]
    same(onnx, make(), (normal(*shape),), tmp_path / "m.onnx", opset=opset)


def rows():
    """Every row of the books' models that is called with arrays."""
    found = {}
    for module in pkgutil.iter_modules(cases.__path__):
        if module.name.startswith("models_"):
            for value in vars(importlib.import_module(f"cases.{module.name}")).values():
                if isinstance(value, list):
                    found |= {c.name: c for c in value if isinstance(c, ModelCase)}
    return [case for name, case in found.items() if name not in WITHOUT_A_CALL]


#: Rows whose model is not called with the arrays of its batch, and so has no graph of its own.
WITHOUT_A_CALL = {
    "ColouringAutoencoder": "its batch is of coloured pictures, it takes the grey ones",
    "SiameseNet": "takes examples (W, S, ...) of W classes beside the queries",
    "ConvSiamese": "takes examples (W, S, ...) of W classes beside the queries",
    "MAML": "has no forward: it is trained from task to task",
    "LearnedOptimizer": "has no forward: it is an update rule",
    "RecursiveNet": "takes a forest of trees",
    "RecursiveTensorNet": "takes a forest of trees",
}
#: What ONNX cannot say, because a part of the way is chosen on the host.
NOT_IN_ONNX = {
    "FasterRCNN": "the model returns Seen",  # which regions are looked at, suppression decides
    "SmallFasterRCNN": "the model returns Seen",
    "MaskRCNN": "the model returns Seen",
    "RecurrentAttention": "outside of tinydl's operations",  # glimpses are cut out by NumPy
}


@pytest.mark.parametrize("case", rows(), ids=str)
def test_models_of_the_books_round_trip(onnx, case, tmp_path):
    """By way of the file and back: the same numbers to 1e-5."""
    model = case.small().eval()
    batch = case.batch(np.random.default_rng(1), 2)[: case.inputs]
    inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in batch]
    tensors = [td.tensor(x) for x in inputs]
    if case.name in NOT_IN_ONNX:
        with pytest.raises(ConfigError, match=NOT_IN_ONNX[case.name]):
            td.save_onnx(model, tmp_path / "m.onnx", tuple(inputs))
        return
    with td.no_grad():
        want = model(*tensors)
    td.save_onnx(model, tmp_path / "m.onnx", tuple(inputs))
    with td.no_grad():
        found = td.load_onnx(tmp_path / "m.onnx")(*tensors)
    want = list(want.values()) if isinstance(want, dict) else want
    pairs = [(found, want)] if isinstance(want, td.Tensor) else zip(found, want, strict=True)
    for got, ours in pairs:
        assert_close(got, ours, 1e-5, atol=1e-5)


def test_states_under_a_mask(onnx, tmp_path):
    """A step that is absent leaves the state alone, also in the middle, also backwards."""

    class Masked(nn.Module):
        def __init__(self, layer):
            self.layer = layer

        def forward(self, x):
            return self.layer(x, mask=x[:, :, 0] > 0)

    x = normal(3, 5, 4)
    for layer in (nn.GRU(4, 3), nn.SimpleRNN(4, 3), nn.LSTM(4, 3, return_sequences=True),
                  nn.Bidirectional(nn.LSTM(4, 3, return_sequences=True))):  # fmt: skip
        same(onnx, Masked(layer), (x,), tmp_path / "m.onnx")


def test_places_in_order(onnx, tmp_path):
    model = Formula(lambda x: ops.argsort(x, 1, descending=True))
    same(onnx, model, (normal(2, 3),), tmp_path / "m.onnx")
    model = Formula(lambda x: ops.take(x, [2, 0], 1))
    same(onnx, model, (normal(2, 3),), tmp_path / "m.onnx")


def test_names_are_kept_and_the_mode_too(onnx, tmp_path):
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.BatchNorm(3))
    net = same(onnx, model.train(), (normal(4, 4),), tmp_path / "m.onnx")
    td.save_onnx(model.train(), tmp_path / "m.onnx", normal(4, 4))
    assert model.training and model.layers[1].training
    assert dict(net.named_parameters()).keys() == dict(model.named_parameters()).keys()


def test_several_inputs_and_outputs(onnx, tmp_path):
    class Two(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(normal(3, 3))

        def forward(self, a, b):
            return a @ self.weight + b, ops.argmax(b, 1)

    net = same(onnx, Two(), (normal(2, 3), normal(2, 3)), tmp_path / "m.onnx")
    assert list(net.inputs) == ["input0", "input1"] and list(net.outputs) == ["output0", "output1"]


def test_what_cannot_be_written(onnx, tmp_path):
    path = tmp_path / "m.onnx"

    def refused(function, what, x=None):
        with pytest.raises(ConfigError, match=what):
            td.save_onnx(Formula(function), path, normal(2, 3) if x is None else x)
        assert not path.exists()

    refused(lambda x: ops.atan2(x, x), r"what is not exported: atan2 x 1")
    refused(lambda x: x * td.tensor(x.numpy()[:1]), "outside of tinydl's operations")
    refused(lambda x: x if x.shape[0] > 2 else x + 1.0, "other operations on 3 samples than on 2")
    refused(lambda x: {"a": 1}, "the model returns")
    refused(lambda x: x, "the example has no sample", normal(0, 3))
    with pytest.raises(ConfigError, match="opset must be an integer"):
        td.save_onnx(nn.Linear(3, 2), path, normal(2, 3), opset=3)
