"""Weights that inference keeps packed: the same bits, never an old weight, no memory left over."""

import copy
import os
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest

import tinydl
from tinydl import Tensor, no_grad, ops
from tinydl.backend import Backend
from tinydl.backend.cpu import CpuBackend, _runtime
from tinydl.nn import Conv2d, Linear, Parameter, Sequential
from tinydl.ops.packed import MOST_ROWS
from tinydl.optim import SGD


@pytest.fixture
def runtime():
    before = _runtime.level(), _runtime.threads()
    yield _runtime
    _runtime.set_level(before[0])
    _runtime.set_threads(before[1])


@pytest.fixture(params=_runtime.available_levels())
def level(request, runtime):
    runtime.set_level(request.param)
    return request.param


@pytest.fixture
def unpacked(monkeypatch):
    """unpacked(call): its result where nothing is kept."""

    def run(call):
        with monkeypatch.context() as patch:
            patch.setattr(CpuBackend, "packs", False)
            return call().numpy()

    return run


def normal(shape, dtype="f4", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def is_kept(weight):
    return getattr(weight, "_packed", None) is not None and weight._packed.array is not None


# -- the same bits ---------------------------------------------------------------------------------

CONVOLUTIONS = {
    "3x3": ((2, 9, 11, 5), (3, 3, 5, 20), {"padding": 1}),
    "3x3, as many channels as a vector": ((1, 30, 33, 16), (3, 3, 16, 32), {"padding": "same"}),
    "gathered": ((3, 4, 4, 33), (3, 3, 33, 40), {"padding": 1}),
    "strided": ((2, 17, 19, 3), (3, 2, 3, 18), {"stride": (2, 3), "dilation": (1, 2)}),
    "groups": ((2, 7, 9, 12), (3, 3, 4, 15), {"groups": 3, "padding": 1}),
    "one channel": ((2, 9, 9, 1), (3, 3, 1, 8), {}),
    "whole window": ((2, 5, 5, 80), (5, 5, 80, 170), {}),
    "one pixel": ((1, 4, 4, 8), (3, 3, 8, 9), {"stride": 2}),
    "1x1, as wide as a panel": ((2, 5, 6, 384), (1, 1, 384, 352), {}),
    "1x1, several runs and blocks": ((1, 7, 7, 800), (1, 1, 800, 530), {}),
    "1x1 strided": ((2, 5, 6, 7), (1, 1, 7, 9), {"stride": 2}),
    "1x1 padded, one channel": ((2, 5, 6, 7), (1, 1, 7, 1), {"padding": 1}),
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_has_the_same_bits(level, runtime, unpacked, name, dtype):
    x_shape, w_shape, options = CONVOLUTIONS[name]
    x, w = Tensor(normal(x_shape, dtype)), Tensor(normal(w_shape, dtype, 1))
    b = Tensor(normal(w_shape[3:], dtype, 2))
    for bias in (None, b):
        expected = unpacked(lambda bias=bias: ops.conv2d(x, w, bias, **options))
        for threads in (1, 2, 3):
            runtime.set_threads(threads)
            for _ in range(2):
                assert np.array_equal(ops.conv2d(x, w, bias, **options).numpy(), expected)
                assert is_kept(w)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("M", "K", "N"),
    [(2, 70_000, 2), (5, 9000, 17), (15, 800, 165), (64, 130, 1050), (43, 513, 520)],
)
def test_a_linear_layer_has_the_same_bits(level, runtime, unpacked, M, K, N, dtype):
    x, w = Tensor(normal((M, K), dtype)), Tensor(normal((K, N), dtype, 1))
    b, deep = Tensor(normal(N, dtype, 2)), Tensor(normal((2, M, K), dtype))
    for rows, bias in ((x, b), (x, None), (deep, b)):
        expected = unpacked(lambda rows=rows, bias=bias: ops.linear(rows, w, bias))
        for threads in (1, 2, 3):
            runtime.set_threads(threads)
            assert np.array_equal(ops.linear(rows, w, bias).numpy(), expected)
            assert is_kept(w)


@pytest.mark.parametrize(
    "call",
    [
        lambda w: ops.linear(tinydl.ones((1, 400)), w((400, 400))),
        lambda w: ops.linear(tinydl.ones((3, 140_000)), w((140_000, 1))),
        lambda w: ops.linear(tinydl.ones((3, 511)), w((511, 256))),
        lambda w: ops.linear(tinydl.ones((MOST_ROWS + 1, 512)), w((512, 256))),
        lambda w: ops.conv2d(tinydl.ones((1, 1, 1, 400)), w((1, 1, 400, 400))),
        lambda w: ops.conv2d(tinydl.ones((1, 5, 5, 80)), w((5, 5, 80, 170))),
        lambda w: ops.conv2d(tinydl.ones((2, 4, 4, 8)), w((1, 1, 8, 9))),
        lambda w: ops.conv2d(tinydl.ones((2, 1, 1, 140_000)), w((1, 1, 140_000, 1))),
        lambda w: ops.conv2d(tinydl.ones((2, 5, 5, 8)), w((3, 3, 1, 8)), groups=8),
        lambda w: ops.conv2d(tinydl.ones((1, 64, 64, 2)), w((3, 3, 2, 2))),
    ],
    ids=[
        "row",
        "column",
        "small",
        "many rows",
        "a pixel",
        "an image",
        "small pixels",
        "one filter",
        "depthwise",
        "many pixels",
    ],
)
def test_what_reads_the_weight_as_it_is_keeps_nothing(unpacked, call):
    """Also because a vector's sums have another order: packed, the last bits would differ."""
    weights = []

    def weight(shape):
        weights.append(Tensor(normal(shape)))
        return weights[-1]

    expected = unpacked(lambda: call(weight))
    assert np.array_equal(call(weight).numpy(), expected)
    assert not is_kept(weights[-1])


# -- never an old weight ---------------------------------------------------------------------------


def step(layer):
    layer(tinydl.ones((2, 5, 5, 4))).sum().backward()
    SGD(layer.parameters(), lr=0.5).step()


CHANGES = {
    "assign": lambda layer: layer.weight.assign(normal((3, 3, 4, 6), seed=5)),
    "an optimiser's step": step,
    "load_state_dict": lambda layer: layer.load_state_dict(Conv2d(4, 6, 3).state_dict()),
    "replace": lambda layer: layer.weight.replace(normal((3, 3, 4, 6), seed=6)),
    "assign of an alias": lambda layer: layer.weight.detach().assign(normal((3, 3, 4, 6), seed=7)),
    "storage exchanged": lambda layer: setattr(layer.weight, "data", normal((3, 3, 4, 6), seed=8)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(unpacked, name):
    layer, x = Conv2d(4, 6, 3), Tensor(normal((2, 5, 5, 4)))
    with no_grad():
        before = layer(x).numpy()
        assert is_kept(layer.weight)
    CHANGES[name](layer)
    with no_grad():
        after = layer(x).numpy()
        assert np.array_equal(after, unpacked(lambda: layer(x)))
    assert not np.array_equal(after, before)


def test_another_form_packs_anew(unpacked):
    """1x1 as a product (in runs of at most 384 channels), as a strided convolution, in groups."""
    w = Tensor(normal((1, 1, 400, 400)))
    for channels, options in ((400, {}), (400, {"stride": 2}), (800, {"stride": 2, "groups": 2})):
        x = Tensor(normal((2, 3, 3, channels)))
        call = lambda x=x, options=options: ops.conv2d(x, w, **options)  # noqa: E731
        assert np.array_equal(call().numpy(), unpacked(call))
        assert is_kept(w)


def test_another_level_packs_anew(runtime, unpacked):
    x, w = Tensor(normal((2, 6, 6, 4))), Tensor(normal((3, 3, 4, 40)))
    for level in _runtime.available_levels():
        runtime.set_level(level)
        assert np.array_equal(ops.conv2d(x, w).numpy(), unpacked(lambda: ops.conv2d(x, w)))


# -- no memory left over ---------------------------------------------------------------------------


def kept_layer():
    layer, x = Linear(400, 500), Tensor(normal((4, 400)))
    with no_grad():
        layer(x)
    return layer, x, weakref.ref(layer.weight._packed.array)


def test_the_copy_is_made_once():
    layer, x, packed = kept_layer()
    with no_grad():
        layer(x)
        layer(Tensor(normal((9, 400))))
    assert layer.weight._packed.array is packed()


def test_the_copy_goes_with_its_tensor_a_change_or_a_recorded_use():
    layer, _, packed = kept_layer()
    layer(tinydl.ones((MOST_ROWS + 1, 400)))
    assert packed() is None
    layer, _, packed = kept_layer()
    layer.weight.assign(normal((400, 500)))
    assert packed() is None
    layer, _, packed = kept_layer()
    del layer
    assert packed() is None


@pytest.mark.parametrize("which", ["x", "weight", "bias"])
def test_recording_keeps_nothing(which):
    tensors = {"x": Tensor(normal((2, 400))), "weight": Tensor(normal((400, 500)))}
    tensors["bias"] = Tensor(normal(500))
    tensors[which].requires_grad = True
    ops.linear(**tensors)
    assert not is_kept(tensors["weight"])
    with no_grad():
        ops.linear(**tensors)
    assert is_kept(tensors["weight"])


def test_a_copied_or_stored_weight_packs_for_itself():
    layer, _, _ = kept_layer()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert not is_kept(other.weight)
        assert np.array_equal(other.weight.numpy(), layer.weight.numpy())


def test_it_can_be_switched_off(tmp_path):
    code = """
import numpy as np, tinydl
from tinydl import ops
from tinydl.measure import machine
w = tinydl.ones((3, 3, 2, 2))
ops.conv2d(tinydl.ones((1, 5, 5, 2)), w)
print(hasattr(w, "_packed"), machine.facts()["packed weights"].split()[0])
"""
    for value, expected in (("drop", ["False", "packed"]), ("", ["True", "kept"])):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"TINYDL_PACKED": value},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.stdout.split() == expected, done.stderr


def test_the_other_backends_know_nothing_of_it():
    assert not Backend.packs
    with tinydl.use_backend("numpy"), no_grad():
        layer = Sequential(Conv2d(3, 4, 3), Conv2d(4, 5, 1))
        layer(Tensor(normal((2, 5, 5, 3))))
    assert not any(is_kept(p) for p in layer.parameters() if isinstance(p, Parameter))
