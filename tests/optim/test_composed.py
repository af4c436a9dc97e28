"""Composed update rules against PyTorch in float64; groups, clipping, averages of weights."""

import numpy as np
import pytest

from tinydl import Tensor, nn, optim
from tinydl.backend import get
from tinydl.errors import ConfigError, DeviceError, FormatError

ADAM = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-5}
TORCH_ADAM = {"betas": (0.8, 0.95), "eps": 1e-5}
RULES = {
    "adagrad": (optim.AdaGrad, {"lr": 0.1, "eps": 1e-7}, "Adagrad", {"lr": 0.1, "eps": 1e-7}),
    "adadelta": (
        optim.AdaDelta,
        {"rho": 0.9, "eps": 1e-4},
        "Adadelta",
        {"lr": 1.0, "rho": 0.9, "eps": 1e-4},
    ),
    "rmsprop": (
        optim.CentredRMSprop,
        {"lr": 0.01, "momentum": 0.9},
        "RMSprop",
        {"lr": 0.01, "momentum": 0.9, "alpha": 0.9, "centered": True, "eps": 1e-7},
    ),
    "rmsprop-not-centred": (
        optim.CentredRMSprop,
        {"lr": 0.01, "momentum": 0.9, "centred": False},
        "RMSprop",
        {"lr": 0.01, "momentum": 0.9, "alpha": 0.9, "eps": 1e-7},
    ),
    "adamw": (
        optim.AdamW,
        {"lr": 0.02, "weight_decay": 0.1, **ADAM},
        "AdamW",
        {"lr": 0.02, "weight_decay": 0.1, **TORCH_ADAM},
    ),
    "amsgrad": (
        optim.AMSGrad,
        {"lr": 0.02, "weight_decay": 0.1, **ADAM},
        "Adam",
        {"lr": 0.02, "weight_decay": 0.1, "amsgrad": True, **TORCH_ADAM},
    ),
    "adamax": (optim.Adamax, {"lr": 0.02, **ADAM}, "Adamax", {"lr": 0.02, **TORCH_ADAM}),
    "nadam": (optim.Nadam, {"lr": 0.02, **ADAM}, "NAdam", {"lr": 0.02, **TORCH_ADAM}),
}
MINE = [pytest.param(row[0], row[1], id=name) for name, row in RULES.items()]


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


@pytest.mark.oracle
@pytest.mark.parametrize("name", RULES)
def test_ten_steps_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'tinydl[oracle]'")
    rule, options, theirs, their_options = RULES[name]
    start, x = problem()
    mine = [nn.Parameter(p) for p in start]
    other = [torch.tensor(p, requires_grad=True) for p in start]
    a, b = rule(mine, **options), getattr(torch.optim, theirs)(other, **their_options)
    for _ in range(10):
        advance(a, mine, x, 1)
        b.zero_grad()
        loss_of(*other, torch.from_numpy(x), torch.tanh).backward()
        b.step()
        for p, q in zip(mine, other, strict=True):
            q = q.detach().numpy()
            np.testing.assert_allclose(p.numpy(), q, rtol=0, atol=1e-9 * abs(q).max())
    assert all(np.abs(p.numpy() - s).max() > 1e-3 for p, s in zip(mine, start, strict=True))


@pytest.mark.parametrize(("rule", "options"), MINE)
def test_saving_and_going_on(rule, options):
    start, x = problem()
    straight = [nn.Parameter(p) for p in start]
    advance(rule(straight, **options), straight, x, 5)
    first = [nn.Parameter(p) for p in start]
    a = rule(first, **options)
    advance(a, first, x, 2)
    second = [nn.Parameter(p.numpy().copy()) for p in first]
    b = rule(second, **options)
    b.load_state_dict(a.state_dict())
    advance(b, second, x, 3)
    for p, q in zip(straight, second, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
    with pytest.raises(FormatError, match="eps"):
        rule(second, **{**options, "eps": 0.5}).load_state_dict(a.state_dict())


@pytest.mark.parametrize(("rule", "options"), MINE)
def test_float32_and_skipped_parameters(rule, options):
    p, q = (nn.Parameter(np.ones(3, np.float32)) for _ in range(2))
    optimizer = rule([p, q], **options)
    p.grad = Tensor(np.ones(3, np.float32))
    optimizer.step()
    assert p.dtype == np.float32 and optimizer.steps == [1, 0]
    assert (p.numpy() != 1).all() and (q.numpy() == 1).all()
    with pytest.raises(ConfigError, match="eps"):
        rule([p], eps=-1.0)


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
    np.testing.assert_allclose(rates, [0.05, 0.005])
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
            np.testing.assert_allclose(p.grad.numpy(), e, rtol=1e-15)
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
    np.testing.assert_allclose(p.numpy(), [0.15, 0.05, 0.1])
    average.swap()
    np.testing.assert_array_equal(p.numpy(), [0.9, 0.05, 0.1])


@pytest.mark.parametrize("room", ["numpy", "opencl"])
@pytest.mark.parametrize(("rule", "options"), MINE)
def test_every_backend_takes_the_same_steps(rule, options, room):
    try:
        get(room)
    except DeviceError as error:
        pytest.skip(str(error))
    start, _ = problem()
    here = [nn.Parameter(p) for p in start]
    there = [nn.Parameter(p, room) for p in start]
    a, b = rule(here, **options), rule(there, **options)
    for _ in range(3):
        for p, q in zip(here, there, strict=True):
            g = np.sin(p.numpy() * 3)
            p.grad, q.grad = Tensor(g), Tensor(g, room)
        a.step()
        b.step()
    optim.clip_by_norm(there, 0.5)
    optim.clip_weights(there, 100.0)
    for p, q in zip(here, there, strict=True):
        np.testing.assert_allclose(q.numpy(), p.numpy(), rtol=1e-9, atol=1e-12)
