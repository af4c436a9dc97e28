"""Every update rule on every backend; groups, clipping, averages of weights."""

import numpy as np
import pytest
from cases.optimizers import RULES
from closeness import assert_close

from tinydl import Tensor, nn, optim
from tinydl.backend import get
from tinydl.errors import ConfigError, DeviceError, FormatError, GraphError

MINE = [pytest.param(*row[:2], id=name) for name, row in RULES.items()]


def problem():
    rng = np.random.default_rng(0)
    start = [rng.standard_normal((4, 3)), rng.standard_normal(3)]
    return start, rng.standard_normal((6, 4))


def loss_of(weight, bias, x, tanh):
    y = tanh(x @ weight + bias)
    return (y * y).sum() + (y * 0.3).sum()


def advance(optimizer, parameters, x, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(*parameters, Tensor(x), Tensor.tanh).backward()
        optimizer.step()


@pytest.mark.parametrize(("rule", "options"), MINE)
def test_a_state_of_other_arguments_is_refused(rule, options):
    p = nn.Parameter(np.ones(3))
    state = rule([p], **options).state_dict()
    with pytest.raises(FormatError, match=r"weight_decay is .* but the optimiser has 0.625"):
        rule([p], **{**options, "weight_decay": 0.625}).load_state_dict(state)
    with pytest.raises(ConfigError, match="lr must be"):
        rule([p], **{**options, "lr": -1.0})


def test_groups_step_scale_and_save():
    start, x = problem()
    w, b = (nn.Parameter(p) for p in start)
    groups = optim.Groups(optim.SGD([w], lr=0.1), optim.AdaGrad([b], lr=0.01))
    alone = [nn.Parameter(p) for p in start]
    advance(groups, [w, b], x, 1)
    advance(optim.SGD(alone, lr=0.1), alone, x, 1)
    np.testing.assert_array_equal(w.numpy(), alone[0].numpy())
    groups.lr = 0.05
    rates = [o.lr for o in groups.optimizers]
    assert_close(rates, [0.05, 0.005], 1e-7)
    other = optim.Groups(optim.SGD([w], lr=0.3), optim.AdaGrad([b], lr=0.3))
    other.load_state_dict(groups.state_dict())
    assert [o.lr for o in other.optimizers] == rates and other.steps == [1, 1]
    for wrong in (
        optim.Groups(optim.SGD([w], lr=0.7)),
        optim.Groups(optim.SGD([b]), optim.SGD([w])),
    ):
        before = [o.lr for o in wrong.optimizers]
        with pytest.raises(FormatError, match="unexpected"):
            wrong.load_state_dict(groups.state_dict())
        assert [o.lr for o in wrong.optimizers] == before
    with pytest.raises(ConfigError, match="two groups"):
        optim.Groups(optim.SGD([w]), optim.SGD([w]))


def with_gradients(*gradients):
    parameters = [nn.Parameter(np.zeros(len(g))) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = Tensor(np.array(g))
    return [*parameters, nn.Parameter(np.zeros(2))]


def test_clipping_assigns_new_gradients():
    clips = [
        (optim.clip_by_value, 2.0, [[2.0, -2.0], [0.5]]),
        (optim.clip_by_norm, 2.5, [[1.5, -2.0], [0.5]]),
        (optim.clip_by_global_norm, 100.0, [[3.0, -4.0], [0.5]]),
        (optim.clip_by_global_norm, np.sqrt(25.25) / 2, [[1.5, -2.0], [0.25]]),
    ]
    for clip, limit, expected in clips:
        parameters = with_gradients([3.0, -4.0], [0.5])
        before = parameters[0].grad
        clip(parameters, limit)
        for p, e in zip(parameters[:2], expected, strict=True):
            assert_close(p.grad.numpy(), e, 1e-15)
        np.testing.assert_array_equal(before.numpy(), [3.0, -4.0])
        assert parameters[2].grad is None
        with pytest.raises(ConfigError, match="above 0"):
            clip(parameters, 0.0)
    assert optim.clip_by_global_norm(with_gradients([3.0], [4.0]), 1.0) == 5.0


def test_weights_clipped_and_averaged():
    p = nn.Parameter(np.array([-1.0, 0.05, 2.0]))
    optim.clip_weights([p], 0.1)
    np.testing.assert_array_equal(p.numpy(), [-0.1, 0.05, 0.1])
    average = optim.WeightAverage([p], 0.75)
    p.assign(np.array([0.9, 0.05, 0.1]))
    average.update()
    average.swap()
    assert_close(p.numpy(), [0.15, 0.05, 0.1], 1e-7)
    average.swap()
    np.testing.assert_array_equal(p.numpy(), [0.9, 0.05, 0.1])
    resumed = optim.WeightAverage([p], 0.75)
    resumed.load_state_dict(average.state_dict())
    np.testing.assert_array_equal(resumed.averages[0].numpy(), average.averages[0].numpy())
    other = nn.Parameter(np.zeros(3))
    optim.WeightAverage([p], 0.75, into=[other]).update()
    assert_close(other.numpy(), 0.25 * p.numpy(), 1e-7)
    with pytest.raises(ConfigError, match=r"into has shapes \[\(2,\)\], needs \[\(3,\)\]"):
        optim.WeightAverage([p], into=[nn.Parameter(np.zeros(2))])
    # a graph that used the averages says so, as one that used the weights
    state = resumed.state_dict()
    for write in (resumed.update, resumed.swap, lambda: resumed.load_state_dict(state)):
        x = Tensor(np.ones(3), requires_grad=True)
        y = (x * resumed.averages[0]).sum()
        write()
        with pytest.raises(GraphError, match="changed in place"):
            y.backward()
    for wrong in ({}, {"0": np.zeros(2)}, {"0": np.zeros(3, np.float32)}):
        with pytest.raises(FormatError, match="WeightAverage"):
            resumed.load_state_dict(wrong)


@pytest.mark.parametrize("name", ["numpy", "opencl"])
@pytest.mark.parametrize(("rule", "options"), MINE)
def test_every_backend_takes_the_same_steps(rule, options, name):
    try:
        get(name)
    except DeviceError as error:
        pytest.skip(str(error))
    start, _ = problem()
    here = [nn.Parameter(p) for p in start]
    there = [nn.Parameter(p, backend=name) for p in start]
    a, b = rule(here, **options), rule(there, **options)
    for _ in range(3):
        for p, q in zip(here, there, strict=True):
            g = np.sin(p.numpy() * 3)
            p.grad, q.grad = Tensor(g), Tensor(g, backend=name)
        a.step()
        b.step()
    whole = np.sqrt(sum([(p.grad.numpy() ** 2).sum() for p in here]))
    assert abs(optim.clip_by_global_norm(there, 1e9) / whole - 1) < 1e-12
    optim.clip_by_norm(there, 0.5)
    optim.clip_weights(there, 100.0)
    for p, q in zip(here, there, strict=True):
        assert_close(q.numpy(), p.numpy(), 1e-9)
