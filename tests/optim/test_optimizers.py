"""Optimisers: ten steps against PyTorch in float64, what is skipped, refused, saved and loaded."""

import json

import numpy as np
import pytest
from cases.optimizers import RULES
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor, nn
from tinydl.backend import Backend
from tinydl.errors import (
    ConfigError,
    DeviceError,
    DTypeError,
    FormatError,
    GraphError,
    ShapeError,
)
from tinydl.optim import SGD, Adam, Optimizer, RAdam, RMSprop, Rprop

IDS = list(RULES)
MINE = [row[:2] for row in RULES.values()]


def problem(seed=0):
    """Two parameters and the gradient of a bumpy function of them."""
    rng = np.random.default_rng(seed)
    start = [rng.standard_normal((4, 3)), rng.standard_normal(3)]
    x = rng.standard_normal((6, 4))
    return start, x


def loss_of(weight, bias, x, tanh):
    y = tanh(x @ weight + bias)
    return (y * y).sum() + (y * 0.3).sum()


@pytest.mark.oracle
@pytest.mark.parametrize(("rule", "options", "name", "theirs"), RULES.values(), ids=IDS)
def test_ten_steps_agree_with_pytorch(rule, options, name, theirs):
    torch = oracle_module("torch")
    start, x = problem()
    mine = [nn.Parameter(p) for p in start]
    other = [torch.tensor(p, requires_grad=True) for p in start]
    a, b = rule(mine, **options), getattr(torch.optim, name)(other, **theirs)
    for _ in range(10):
        a.zero_grad()
        b.zero_grad()
        loss_of(*mine, Tensor(x), Tensor.tanh).backward()
        loss_of(*other, torch.from_numpy(x), torch.tanh).backward()
        a.step()
        b.step()
        for p, q in zip(mine, other, strict=True):
            q = q.detach().numpy()
            assert_close(p.numpy(), q, 1e-9)
    assert all(np.abs(p.numpy() - s).max() > 1e-3 for p, s in zip(mine, start, strict=True))


@pytest.mark.parametrize(("rule", "options"), MINE, ids=IDS)
def test_parameters_without_gradient_are_skipped(rule, options):
    p, q = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
    optimizer = rule([p, q], **options)
    for _ in range(2):
        p.grad = Tensor(np.ones(3))
        optimizer.step()
    assert optimizer.steps == [2, 0]
    np.testing.assert_array_equal(q.numpy(), 1)
    for states in optimizer.state.values():
        assert np.abs(optimizer.parameters[0].backend.to_numpy(states[0])).max() > 0
        np.testing.assert_array_equal(q.backend.to_numpy(states[1]), 0)
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.step()
    assert optimizer.steps == [2, 0]


@pytest.mark.parametrize(("rule", "options"), MINE, ids=IDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strided_gradients_are_taken_as_they_are(rule, options, dtype):
    rng = np.random.default_rng(1)
    values = rng.standard_normal((3, 4)).astype(dtype)
    for strided in (
        lambda g: Tensor(g).T,
        lambda g: Tensor(g[:, :1]).broadcast_to(3, 4).T,
    ):
        g = rng.standard_normal((3, 4)).astype(dtype)
        p, q = nn.Parameter(values.T.copy()), nn.Parameter(values.T.copy())
        a, b = rule([p], **options), rule([q], **options)
        for _ in range(3):
            p.grad = strided(g)
            q.grad = Tensor(p.grad.numpy().copy())
            a.step()
            b.step()
        np.testing.assert_array_equal(p.numpy(), q.numpy())
        assert p.dtype == dtype


class Strict(Backend):
    """Looks at the layout of what its kernel gets, as the compiled backends have to."""

    layouts: list

    def sgd_step(self, params, grads, *rest):
        self.layouts += [(grad.flags.c_contiguous, grad) for grad in grads]
        super().sgd_step(params, grads, *rest)


def test_kernels_get_contiguous_gradients_and_no_needless_copies():
    backend = Strict()
    backend.layouts = []
    p = nn.Parameter(np.ones((3, 4)), backend=backend)
    optimizer = SGD([p])
    plain = Tensor(np.ones((3, 4)), backend=backend)
    row, one = Tensor(np.ones((1, 4)), backend=backend), Tensor(np.ones((4, 3)), backend=backend)
    for g in (plain, row.broadcast_to(3, 4), one.T, one.T[:, ::-1]):
        p.grad = g
        optimizer.step()
    assert [layout for layout, _ in backend.layouts] == [True] * 4
    assert backend.layouts[0][1] is plain.data


def test_a_step_tells_the_graph():
    p = nn.Parameter(np.ones(3))
    x = Tensor(np.ones(3), requires_grad=True)
    y = (p * x).sum()
    p.grad = Tensor(np.ones(3))
    SGD([p]).step()
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_lr_can_be_set():
    p = nn.Parameter(np.ones(1))
    optimizer = SGD([p], lr=0.1)
    for lr, expected in ((0.1, 0.9), (0.5, 0.4)):
        optimizer.lr = lr
        p.grad = Tensor(np.ones(1))
        optimizer.step()
        assert abs(p.item() - expected) < 1e-15


@pytest.mark.parametrize(("rule", "options"), MINE, ids=IDS)
def test_a_saved_state_continues_exactly(rule, options):
    rng = np.random.default_rng(2)
    gradients = [rng.standard_normal((2, 3)).astype(np.float32) for _ in range(6)]

    def run(parameter, optimizer, part):
        for g in part:
            parameter.grad = Tensor(g)
            optimizer.step()

    p = nn.Parameter(np.ones((2, 3), np.float32))
    straight = rule([("w", p)], **options)
    run(p, straight, gradients[:3])
    straight.lr = 0.123
    state = straight.state_dict()
    values = p.numpy().copy()
    run(p, straight, gradients[3:])

    q = nn.Parameter(values)
    resumed = rule([("w", q)], **options)
    scalars = json.loads(json.dumps(state["scalars"]))  # as a checkpoint file would hold them
    resumed.load_state_dict({"scalars": scalars, "arrays": state["arrays"]})
    assert resumed.lr == 0.123 and resumed.steps == [3]
    for name, array in resumed.state_dict()["arrays"].items():
        np.testing.assert_array_equal(array, state["arrays"][name])
    run(q, resumed, gradients[3:])
    np.testing.assert_array_equal(p.numpy(), q.numpy())
    assert state["arrays"]["steps"].tolist() == [3], "the saved state is a copy"


def test_a_misfitting_state_lists_everything_and_changes_nothing():
    p = nn.Parameter(np.ones((2, 3), np.float32))
    optimizer = Adam([("w", p)])
    state = optimizer.state_dict()
    state["scalars"]["beta1"] = 0.5
    state["scalars"]["lr"] = 7.0
    state["arrays"]["w.mean"] = np.ones((3, 2), np.float32)
    del state["arrays"]["w.square"]
    state["arrays"]["v.square"] = np.ones((2, 3), np.float32)
    with pytest.raises(FormatError) as error:
        optimizer.load_state_dict(state)
    for part in (
        "missing w.square",
        "unexpected v.square",
        "beta1 is 0.5 but the optimiser has 0.9",
        "w.mean is float32 (3, 2), expected float32 (2, 3)",
    ):
        assert part in str(error.value)
    assert optimizer.lr == 0.001
    with pytest.raises(FormatError, match="missing lr"):
        optimizer.load_state_dict({})


def test_gradients_that_do_not_fit_change_nothing():
    p, q = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
    optimizer = Adam([("first", p), ("second", q)])
    p.grad = Tensor(np.ones(3))
    q.grad = Tensor(np.ones(2))
    with pytest.raises(
        ShapeError, match=r"Adam: parameter second \(3,\) has a gradient of shape \(2,\)"
    ):
        optimizer.step()
    q.grad = Tensor(np.ones(3, np.float32))
    with pytest.raises(DTypeError, match=r"second .* is float64 but its gradient is float32"):
        optimizer.step()
    q.grad = Tensor(np.ones(3), backend=Backend())
    with pytest.raises(DeviceError, match="its gradient on 'numpy'"):
        optimizer.step()
    np.testing.assert_array_equal(p.numpy(), 1)
    assert optimizer.steps == [0, 0]


def test_a_parameter_moved_or_converted_later_is_refused():
    model = nn.Linear(2, 3)
    optimizer = Adam(model.named_parameters())
    other = Backend()
    model.to(other)
    model(Tensor(np.ones((1, 2), np.float32), backend=other)).sum().backward()
    with pytest.raises(DeviceError, match=r"parameter weight \(2, 3\) was moved to 'numpy'"):
        optimizer.step()
    model = nn.Linear(2, 3)
    optimizer = Adam(model.parameters())
    model.astype(np.float64)(Tensor(np.ones((1, 2)))).sum().backward()
    with pytest.raises(DTypeError, match=r"parameter 0 \(2, 3\) became float64"):
        optimizer.step()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD([p], lr=-1), r"SGD: lr must be in \[0, inf\), got -1"),
        (lambda p: SGD([p], lr=float("nan")), "got nan"),
        (lambda p: SGD([p], momentum=1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda p: SGD([p], nesterov=True), "nesterov needs a momentum"),
        (lambda p: SGD([p], dampening=0.5), "dampening needs a momentum above 0"),
        (lambda p: SGD([p], 0.1, 0.9, True, dampening=0.5), "and not Nesterov's"),
        (lambda p: SGD([p], 0.1, 0.9, dampening=1), r"dampening must be in \[0, 1\), got 1"),
        (lambda p: SGD([p], maximize=None), "maximize must be True or False, got None"),
        (lambda p: Rprop([p], shrink=1.5), r"Rprop: shrink must be in \[0, 1\), got 1.5"),
        (lambda p: Rprop([p], grow=0.5), r"grow must be in \[1, inf\), got 0.5"),
        (lambda p: Rprop([p], smallest=0), "needs 0 < smallest <= largest, got 0 and 50.0"),
        (lambda p: Rprop([p], smallest=2, largest=1), "got 2 and 1"),
        (lambda p: SGD([p], weight_decay=-0.1), "weight_decay must be"),
        (lambda p: RMSprop([p], rho=1.5), "RMSprop: rho must be"),
        (lambda p: RMSprop([p], eps=-1), "eps must be"),
        (lambda p: Adam([p], beta2=1.0), "Adam: beta2 must be"),
        (lambda p: Adam([]), "no parameters"),
        (lambda p: Adam([p, p]), "parameter 1 is given twice"),
        (lambda p: Adam([("a", p), ("a", nn.Parameter([1.0]))]), "parameter a is given twice"),
        (lambda p: Adam([p * 2.0]), "without history"),
        (lambda p: Adam([Tensor([1])]), "float tensor"),
        (lambda p: Adam(nn.Sequential(nn.ReLU())), r"item 0 is a ReLU, .* pass model.parameters"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(ConfigError, match=message):
        make(nn.Parameter([1.0]))


def test_a_state_that_climbs_is_no_state_that_descends():
    """And a state from before there was `maximize` is one that descends."""
    up, down = SGD([nn.Parameter([1.0])], maximize=True), SGD([nn.Parameter([1.0])])
    assert "maximize" not in down.state_dict()["scalars"]
    assert repr(up).startswith("SGD(lr=0.01, momentum=0.0, nesterov=False, weight_decay=0.0, maxi")
    with pytest.raises(FormatError, match="unexpected maximize"):
        down.load_state_dict(up.state_dict())
    with pytest.raises(FormatError, match="missing maximize"):
        up.load_state_dict(down.state_dict())


def test_parameters_of_different_ages_are_damped_and_rectified_by_their_own():
    """One that joins later begins as all begin: its first velocity is the gradient itself."""
    for rule, options in ((SGD, {"momentum": 0.9, "dampening": 0.5}), (RAdam, {"beta2": 0.9})):
        old, young = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
        together = rule([old, young], lr=0.1, **options)
        alone = [nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))]
        single = [rule([p], lr=0.1, **options) for p in alone]
        for step in range(12):
            for k, (p, q) in enumerate(zip((old, young), alone, strict=True)):
                p.grad = q.grad = Tensor(np.sin(p.numpy() + step)) if step >= 3 * k else None
            together.step()
            for one in single:
                one.step()
        np.testing.assert_array_equal(old.numpy(), alone[0].numpy())
        np.testing.assert_array_equal(young.numpy(), alone[1].numpy())


def test_repr_and_base():
    p = nn.Parameter([1.0])
    assert repr(SGD([p], lr=0.1)) == (
        "SGD(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0; 1 parameters)"
    )
    p.grad = Tensor([1.0])
    with pytest.raises(NotImplementedError):
        Optimizer([p], 0.1, ()).step()


@pytest.mark.parametrize(("rule", "options"), MINE, ids=IDS)
def test_a_small_net_learns(rule, options):
    from tinydl import Generator

    rng = Generator(0)
    model = nn.Sequential(nn.Linear(2, 16, rng=rng), nn.Tanh(), nn.Linear(16, 2, rng=rng))
    upwards = options.get("maximize", False)
    optimizer = rule(model.parameters(), **{**options, "lr": 0.05, "weight_decay": 0.0})
    x = Tensor(rng.normal((64, 2)))
    labels = Tensor((x.numpy()[:, 0] * x.numpy()[:, 1] > 0).astype(np.int64))
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        (-loss if upwards else loss).backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]
