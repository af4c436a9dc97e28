"""Frozen layers: bitwise the same weights and statistics, no work for them, a new head learns."""

import numpy as np
import pytest

import tinydl as td
from tinydl.data import Batches
from tinydl.instruments import watching
from tinydl.nn import (
    L2,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    cross_entropy,
)
from tinydl.optim import Adam
from tinydl.train import fit


def base(rng):
    return Sequential(
        Conv2d(1, 3, 3, rng=rng, weight_penalty=L2(0.1)), BatchNorm(3), ReLU(), Dropout(0.3),
        Flatten(),
    )  # fmt: skip


def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 5, 5, 1)).astype(np.float32)
    return x, (x.mean((1, 2, 3)) > 0).astype(np.int64)


@pytest.mark.parametrize("everything_to_the_optimiser", [False, True])
def test_only_the_new_head_learns(everything_to_the_optimiser):
    td.seed(0)
    generator = td.Generator(1)
    model = Sequential(base(generator), Linear(27, 7, rng=generator))
    model.freeze()
    model.layers[-1] = Linear(27, 2, rng=generator)
    named = model.trainable_parameters()
    assert [name for name, _ in named] == ["layers.1.weight", "layers.1.bias"]
    before = model.state_dict()
    optimizer = Adam(model.parameters() if everything_to_the_optimiser else named, lr=0.05)
    batches = Batches(problem(), 8, rng=td.Generator(2))
    history = fit(model, batches, cross_entropy, optimizer, 12, progress=False)
    after = model.state_dict()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"layers.1.weight", "layers.1.bias"}
    assert history["loss"][-1] < 0.9 * history["loss"][0]


def works(model, x):
    """Names of the operations that the backward pass runs."""
    loss = (model(x) ** 2.0).sum()
    names = []
    with watching(lambda function, *rest: names.append(function.name)):
        loss.backward()
    return names


def test_no_gradient_work_is_done_for_frozen_weights():
    rng = td.Generator(0)
    model = Sequential(Conv2d(1, 3, 3, rng=rng), Conv2d(3, 2, 3, rng=rng))
    x = td.ones((2, 6, 6, 1))
    assert works(model, x).count("conv2d_weight_grad") == 2
    model[1].freeze()  # above a layer that learns: the gradient only passes
    assert works(model, x).count("conv2d_weight_grad") == 1
    assert works(model, x).count("conv2d_input_grad") == 1
    assert model[1].weight.grad is None and model[0].weight.grad is not None
    model.unfreeze()
    model[0].freeze()  # below: the walk ends before it
    assert works(model, x).count("conv2d_weight_grad") == 1
    assert works(model, x).count("conv2d_input_grad") == 0
    assert model[0].weight.grad is None


def test_frozen_batch_norm_uses_and_keeps_its_statistics():
    layer = BatchNorm(2)
    x = td.tensor(np.random.default_rng(0).normal(3, 2, (8, 2)).astype(np.float32))
    layer(x)
    kept = layer.state_dict()
    expected = layer.eval()(x).numpy()
    layer.train().freeze()
    np.testing.assert_array_equal(layer(x).numpy(), expected)
    assert all(np.array_equal(kept[k], v) for k, v in layer.state_dict().items())
    layer.unfreeze()
    assert not np.array_equal(layer(x).numpy(), expected)
    assert not np.array_equal(layer.running_mean.numpy(), kept["running_mean"])
    assert layer.scale.requires_grad


def test_freezing_drops_gradients_and_unfreezing_brings_them_back():
    model = Sequential(Linear(2, 2), Linear(2, 2))
    model(td.ones((1, 2))).sum().backward()
    assert model.freeze() is model and all(p.grad is None for p in model.parameters())
    assert not model(td.ones((1, 2))).requires_grad and model.trainable_parameters() == []
    model.unfreeze()(td.ones((1, 2))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
