"""Normalisation layers: running statistics, buffers in state, moves and repr, errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor
from tinydl.backend import Backend
from tinydl.errors import ConfigError, FormatError, ShapeError
from tinydl.nn import (
    BatchNorm,
    Buffer,
    GroupNorm,
    InstanceNorm,
    L2Normalize,
    LayerNorm,
    Linear,
    LocalResponseNorm,
    MinibatchStd,
    Sequential,
    summary,
)

rng = np.random.default_rng(7)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(6, 4), (3, 5, 2, 4)])
def test_batch_norm_follows_pytorch_through_training_and_eval(shape):
    torch = oracle_module("torch")
    theirs = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(4).double()
    mine = BatchNorm(4, momentum=0.9, eps=1e-5, correction=1).astype(np.float64)
    for training in (True, True, False, True, False):
        mine.train(training)
        theirs.train(training)
        x = rng.normal(size=shape) * 2 + 1
        y = mine(Tensor(x)).numpy()
        want = theirs(torch.tensor(x).movedim(-1, 1)).movedim(1, -1).detach().numpy()
        assert_close(y, want, 1e-9)
    assert_close(mine.running_mean.numpy(), theirs.running_mean, 1e-9)
    assert_close(mine.running_variance.numpy(), theirs.running_var, 1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("correction", [1, 0])
def test_without_momentum_the_running_statistics_are_means_over_all_batches(correction):
    torch = oracle_module("torch")
    theirs = torch.nn.BatchNorm1d(4, momentum=None).double()
    mine = BatchNorm(4, momentum=None, correction=correction).astype(np.float64)
    batches = [rng.normal(size=(n, 4)) * 2 + 1 for n in (5, 9, 3)]
    for done, x in enumerate(batches, 1):
        mine(Tensor(x))
        theirs(torch.tensor(x))
        assert_close(mine.running_mean.numpy(), theirs.running_mean, 1e-12)
        variances = [x.var(0, ddof=correction) for x in batches[:done]]
        found = mine.running_variance.numpy()
        assert_close(found, np.mean(variances, 0), 1e-12)
        if correction:
            assert_close(found, theirs.running_var, 1e-12)
    state = mine.state_dict()
    assert state["batches"] == 3 and "batches" not in BatchNorm(4).state_dict()
    again = BatchNorm(4, momentum=None, correction=correction).astype(np.float64)
    again.load_state_dict(state)
    for layer in (mine, again):
        layer(Tensor(batches[0]))
    assert np.array_equal(again.running_mean.numpy(), mine.running_mean.numpy())


def test_buffers_are_saved_loaded_moved_and_not_trained():
    model = Sequential(Linear(3, 4), BatchNorm(4))
    model(Tensor(rng.normal(size=(5, 3)).astype(np.float32))).sum().backward()
    names = ["layers.1.running_mean", "layers.1.running_variance"]
    assert [n for n, _ in model.named_buffers()] == names
    assert len(model.parameters()) == 4 and model.count_parameters() == 16 + 8
    state = model.state_dict()
    assert list(state)[-2:] == names and (state[names[1]] != 1).all()
    fresh = Sequential(Linear(3, 4), BatchNorm(4))
    fresh.load_state_dict(state)
    np.testing.assert_array_equal(fresh[1].running_mean.numpy(), state[names[0]])
    assert "running_mean" not in repr(fresh[1]) and "8 parameters" in repr(fresh[1])
    other = Backend()
    assert fresh.to(other)[1].running_mean.backend is other
    assert fresh.astype(np.float64)[1].running_variance.dtype == np.float64
    assert not fresh[1].running_mean.requires_grad
    with pytest.raises(ShapeError, match=r"Buffer.update: the value must be \(2,\) float32"):
        Buffer(np.zeros(2, np.float32)).update(Tensor(np.zeros(3, np.float32)))
    del state[names[0]]
    with pytest.raises(FormatError, match=r"missing layers.1.running_mean \(4,\)"):
        fresh.load_state_dict(state)


def test_a_summary_leaves_running_statistics_alone():
    model = Sequential(Linear(3, 4), BatchNorm(4))
    before = model.state_dict()
    summary(model, (3,))
    for name, values in model.state_dict().items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize("layer, count", [
    (BatchNorm(4), 8), (BatchNorm(4, affine=False), 0), (LayerNorm(4), 8), (LayerNorm((3, 4)), 24),
    (GroupNorm(2, 4), 8), (InstanceNorm(4), 8), (LocalResponseNorm(), 0), (L2Normalize(4), 4),
])  # fmt: skip
def test_shapes_and_parameters(layer, count):
    x = Tensor(rng.normal(size=(2, 3, 3, 4)).astype(np.float32))
    y = layer(x)
    assert y.shape == x.shape and y.dtype == np.float32 and layer.count_parameters() == count


def test_errors():
    with pytest.raises(ShapeError, match=r"BatchNorm: x must be \(N, ..., 4\), got \(2, 3\)"):
        BatchNorm(4)(Tensor(np.ones((2, 3), np.float32)))
    with pytest.raises(ShapeError, match="needs more than 1 values per channel"):
        BatchNorm(4, correction=1)(Tensor(np.ones((1, 4), np.float32)))
    with pytest.raises(ConfigError, match=r"momentum must be in \[0.5, 1\]"):
        BatchNorm(4, momentum=2)
    with pytest.raises(ConfigError, match="groups 3 must divide channels 4"):
        GroupNorm(3, 4)
    with pytest.raises(ConfigError, match="eps must be > 0"):
        LayerNorm(4, eps=0)
    with pytest.raises(ShapeError, match=r"LayerNorm: x must end in \(4,\)"):
        LayerNorm(4)(Tensor(np.ones((2, 3), np.float32)))


def test_minibatch_std_is_its_formula_and_sees_sameness():
    x = np.random.default_rng(0).normal(size=(4, 3, 2, 5))
    found = MinibatchStd()(Tensor(x)).numpy()
    np.testing.assert_array_equal(found[..., :5], x)
    assert_close(found[..., 5], np.full((4, 3, 2), x.std(axis=0).mean()), 1e-7)
    same = MinibatchStd()(Tensor(np.repeat(x[:1], 4, axis=0))).numpy()
    assert_close(same[..., 5], np.full((4, 3, 2), 1e-4), 1e-9)
    assert MinibatchStd()(Tensor(x[:, 0, 0])).shape == (4, 6)
    for shape in ((3,), (0, 3)):
        with pytest.raises(ShapeError, match=r"MinibatchStd: x must be \(N, ..., C\)"):
            MinibatchStd()(Tensor(np.zeros(shape)))
    with pytest.raises(ConfigError, match="MinibatchStd: eps must be > 0"):
        MinibatchStd(0)
