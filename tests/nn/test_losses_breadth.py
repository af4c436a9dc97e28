"""The wider set of losses: against PyTorch in float64 or the formula in NumPy, derivatives of both
orders, conventions and errors."""

import numpy as np
import pytest
from cases.losses import ALL, CONSTANTS, FORMULAS, ORACLES, P, X, reduced
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor, nn, uniform
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.random import Generator
from tinydl.testing import check_grads

REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.oracle
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_against_pytorch(name, reduction):
    """Values and gradients, with PyTorch's loss of that name, or the formula in PyTorch."""
    torch = oracle_module("torch")
    mine, arrays = ALL[name]
    ours = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    fixed = 1 if name in CONSTANTS else len(arrays)
    others = [
        torch.tensor(a, requires_grad=a.dtype.kind == "f" and i < fixed)
        for i, a in enumerate(arrays)
    ]
    y1 = mine(*ours, reduction=reduction)
    if name in ORACLES:
        y2 = ORACLES[name][2](torch, reduction)(*others)
    else:
        y2 = reduced(FORMULAS[name][2](*others), reduction)
    assert y1.shape == tuple(y2.shape)
    y1.sum().backward()
    y2.sum().backward()
    pairs = [(y1.numpy(), y2.detach().numpy())]
    pairs += [(a.grad.numpy(), b.grad.numpy()) for a, b in zip(ours, others, strict=True)
              if b.requires_grad]  # fmt: skip
    for a, b in pairs:
        assert_close(a, b, 1e-9)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FORMULAS)
def test_against_the_formula(name, reduction):
    mine, arrays, formula = FORMULAS[name]
    y = mine(*[Tensor(a) for a in arrays], reduction=reduction).numpy()
    expected = reduced(formula(*arrays), reduction)
    assert y.shape == np.shape(expected)
    assert_close(y, expected, 1e-12)


@pytest.mark.parametrize("name", ALL)
def test_gradients_of_first_and_second_order(name):
    mine, arrays = ALL[name]
    check_grads(lambda *a: mine(*a, reduction="sum"), [Tensor(a) for a in arrays], 2)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32(name):
    mine, arrays = ALL[name]
    narrow = [Tensor(a.astype(np.float32) if a.dtype.kind == "f" else a) for a in arrays]
    assert mine(*narrow, reduction="mean").dtype == np.float32


@pytest.mark.parametrize("name", ALL)
def test_arrays_take_the_type_of_the_tensor_beside_them(name):
    """float32 arrays beside a float64 tensor, and the other way; labels stay integers."""
    mine, arrays = ALL[name]
    narrow = [a.astype(np.float32) if a.dtype.kind == "f" else a.astype(np.int16) for a in arrays]
    for first, rest in ((arrays[0], narrow[1:]), (narrow[0], arrays[1:])):
        found = mine(Tensor(first), *rest, reduction="mean")
        alike = [Tensor(a.astype(first.dtype if a.dtype.kind == "f" else int)) for a in rest]
        wanted = mine(Tensor(first), *alike, reduction="mean")
        assert found.dtype == first.dtype and found.item() == wanted.item()
    alone = mine(*narrow, reduction="mean")
    assert alone.dtype == np.float32
    assert alone.item() == mine(Tensor(narrow[0]), *narrow[1:], reduction="mean").item()


@pytest.mark.parametrize("name", ALL)
def test_bad_arguments_are_refused(name):
    mine, arrays = ALL[name]
    tensors = [Tensor(a) for a in arrays]
    with pytest.raises(ConfigError, match="reduction must be"):
        mine(*tensors, reduction="avg")
    with pytest.raises(DTypeError):
        mine(Tensor(arrays[0].astype(np.int64)), *tensors[1:], reduction="mean")
    if len(tensors) > 1 or name == "total_variation":
        with pytest.raises(ShapeError):
            mine(tensors[0][:1].reshape(-1), *tensors[1:], reduction="mean")


def critic_of(weight, out):
    return lambda x: (x.reshape(x.shape[0], -1) @ weight).tanh() @ out


def test_gradient_penalty_value_and_double_backward():
    r = np.random.default_rng(5)
    weight, out = r.standard_normal((6, 3)), r.standard_normal((3, 1))
    real, fake = r.standard_normal((4, 2, 3)), r.standard_normal((4, 2, 3))

    def penalty(w, v, reduction="none"):
        return nn.gradient_penalty(
            critic_of(w, v), Tensor(real), Tensor(fake), reduction, rng=Generator(3)
        )

    # The gradient of tanh(x W) v with respect to x is ((1 - tanh^2) v^T) W^T; x from two ends.
    e = uniform((4, 1, 1), dtype=np.float64, rng=Generator(3)).numpy()
    x = (e * real + (1 - e) * fake).reshape(4, 6)
    slope = ((1 - np.tanh(x @ weight) ** 2) * out.T) @ weight.T
    expected = (np.sqrt((slope**2).sum(1)) - 1) ** 2
    found = penalty(Tensor(weight), Tensor(out)).numpy()
    assert_close(found, expected, 1e-12)
    check_grads(lambda w, v: penalty(w, v, "mean"), [Tensor(weight), Tensor(out)], 2)


@pytest.mark.oracle
def test_gradient_penalty_against_pytorch():
    """Its value, and the gradient of its value for the critic's weights: a second derivative."""
    torch = oracle_module("torch")
    r = np.random.default_rng(6)
    arrays = r.standard_normal((6, 3)), r.standard_normal((3, 1))
    real, fake = r.standard_normal((4, 2, 3)), r.standard_normal((4, 2, 3))
    e = uniform((4, 1, 1), dtype=np.float64, rng=Generator(3)).numpy()
    ours = [Tensor(a, requires_grad=True) for a in arrays]
    mine = nn.gradient_penalty(critic_of(*ours), Tensor(real), Tensor(fake), rng=Generator(3))
    mine.backward()
    others = [torch.tensor(a, requires_grad=True) for a in arrays]
    x = torch.tensor(e * real + (1 - e) * fake, requires_grad=True)
    (slope,) = torch.autograd.grad(critic_of(*others)(x).sum(), x, create_graph=True)
    theirs = ((slope.reshape(4, -1).norm(dim=1) - 1) ** 2).mean()
    theirs.backward()
    pairs = [(mine.item(), theirs.item())]
    pairs += [(a.grad.numpy(), b.grad.numpy()) for a, b in zip(ours, others, strict=True)]
    for a, b in pairs:
        assert_close(a, b, 1e-9)


def test_nothing_left_after_ignoring_is_zero():
    x = Tensor(X, requires_grad=True)
    loss = nn.cross_entropy(x, Tensor(np.full(6, -100)), ignore_index=-100)
    loss.backward()
    assert loss.item() == 0
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_extreme_inputs_stay_finite():
    x = Tensor(np.array([[-1e4, 0.0, 1e4]], np.float32), requires_grad=True)
    for t in (0.0, 1.0):
        targets = Tensor(np.full((1, 3), t, np.float32))
        for loss in (nn.focal, nn.huber, nn.soft_cross_entropy, nn.kl_categorical):
            x.grad = None
            value = loss(x, targets)
            value.backward()
            assert np.isfinite(value.item()) and np.isfinite(x.grad.numpy()).all(), loss.__name__
    p = Tensor(np.array([0.0, 1.0], np.float32), requires_grad=True)
    value = nn.bce(p, Tensor(np.array([0.0, 0.0], np.float32)), "none")
    value.sum().backward()
    assert value.numpy()[0] == 0 and 87 < value.numpy()[1] < 88
    assert np.isfinite(p.grad.numpy()).all()
    zero = Tensor(np.zeros((1, 3)), requires_grad=True)
    value = nn.cosine(zero, Tensor(np.ones((1, 3))))
    value.backward()
    assert value.item() == 1 and np.isfinite(zero.grad.numpy()).all()
    small = Tensor(np.full((1, 1), 1e-5, np.float32))
    kl = nn.kl_gaussian(Tensor(np.zeros((1, 1), np.float32)), small).item()
    assert kl >= 0


def test_a_weight_of_one_changes_no_binary_loss_and_no_logit_overflows():
    x, t = Tensor(np.array([-800.0, 0.0, 800.0])), Tensor(np.array([1.0, 0.5, 0.0]))
    plain, weighed = (
        nn.bce_with_logits(x, t, "none"),
        nn.bce_with_logits(x, t, "none", pos_weight=1),
    )
    assert_close(weighed.numpy(), plain.numpy(), 1e-12)
    assert nn.bce_with_logits(x, t, "none", pos_weight=3.0).tolist()[0] == 2400
    p = Tensor(P)
    assert nn.bce(p, p, pos_weight=1).item() == nn.bce(p, p).item()


@pytest.mark.parametrize("loss", [nn.bce, nn.bce_with_logits])
@pytest.mark.parametrize(
    "weight, error, words",
    [
        (np.inf, ConfigError, "pos_weight must be a finite number"),
        (np.ones(4), ShapeError, "cannot broadcast|do not broadcast|must broadcast"),
        (np.ones((2, 6, 5)), ShapeError, r"pos_weight \(2, 6, 5\) must broadcast to the shape"),
        (Tensor(np.ones(5, np.float32)), DTypeError, "pos_weight is float32, not float64"),
        ("heavy", DTypeError, "pos_weight must be a tensor or an ndarray"),
    ],
)
def test_what_weighs_no_positive_answer(loss, weight, error, words):
    with pytest.raises(error, match=words):
        loss(Tensor(P), Tensor(P), pos_weight=weight)


def test_margins_and_signs_of_pairs():
    """At the kink nothing moves; a target that is neither 1 nor -1 counts nothing."""
    a, b = Tensor(np.array([1.0, 2.0, 5.0]), requires_grad=True), Tensor(np.zeros(3))
    losses = nn.margin_ranking(a, b, Tensor(np.array([1.0, 1.0, -1.0])), "none", margin=1.0)
    assert losses.tolist() == [0.0, 0.0, 6.0]
    losses.sum().backward()
    assert a.grad.tolist() == [0.0, 0.0, 1.0]
    pairs = Tensor(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]]), requires_grad=True)
    signs = Tensor(np.array([-1.0, 1.0, 0.0]))
    found = nn.cosine_embedding(pairs, Tensor(np.full((3, 2), 1.0)), signs, "none")
    assert_close(found.numpy(), np.array([0.5**0.5, 1.0, 0.0]), 1e-12)
    found.sum().backward()
    assert np.isfinite(pairs.grad.numpy()).all() and not pairs.grad.numpy()[2].any()
    with pytest.raises(ConfigError, match=r"cosine_embedding: margin must be in \[-1, 1\], got 2"):
        nn.cosine_embedding(pairs, pairs, signs, margin=2)
    with pytest.raises(ConfigError, match="margin_ranking: margin must be a finite number"):
        nn.margin_ranking(a, b, b, margin=np.nan)


def test_a_rate_of_zero_has_no_infinite_loss():
    rate = Tensor(np.array([0.0, 2.0], np.float32), requires_grad=True)
    losses = nn.poisson_nll(rate, Tensor(np.ones(2, np.float32)), "none", log_input=False)
    losses.sum().backward()
    assert 87 < losses.tolist()[0] < 88 and np.isfinite(rate.grad.numpy()).all()
    counts = Tensor(np.array([0.0, 1.0, 2.0, 30.0]))
    found = nn.poisson_nll(counts, counts, "none", full=True) - nn.poisson_nll(
        counts, counts, "none"
    )
    assert found.tolist()[:2] == [0, 0]  # log 0! and log 1!
    factorials = np.log([2.0, float(np.prod(np.arange(1.0, 31.0)))])
    assert_close(found.numpy()[2:], factorials, 1e-3)  # Stirling: 1 / (12 t) short
