"""The wider set of losses: against PyTorch in float64 or the formula in NumPy, derivatives of both
orders, conventions and errors."""

import numpy as np
import pytest

from tinydl import Tensor, nn, uniform
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.random import Generator
from tinydl.testing import check_grads

rng = np.random.default_rng(11)
X, T = rng.standard_normal((6, 5)) * 2, rng.standard_normal((6, 5)) * 2
Z = rng.standard_normal((6, 5))
P, SOFT = rng.uniform(0.05, 0.95, (6, 5)), rng.dirichlet(np.ones(5), 6)
LABELS, W = np.array([0, 3, 1, 4, 3, 2]), rng.uniform(0.5, 2, 5)
SIGNS, BITS = rng.choice([-1.0, 1.0], (6, 5)), rng.integers(0, 2, (6, 5)).astype(float)
SAME = np.array([1.0, 0, 1, 0, 0, 1])
A, B, C = (rng.standard_normal((6, 4)) * 0.4 for _ in range(3))
IMAGES = rng.standard_normal((2, 4, 3, 2))


def reduced(losses, reduction):
    return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[reduction]


def torch_weighted(torch, reduction):
    def theirs(x, labels, weights):
        return torch.nn.functional.cross_entropy(
            x, labels, weights, ignore_index=3, reduction=reduction
        )

    return theirs


def functional(name, **options):
    """A loss of torch.nn.functional under the same arguments."""
    return lambda torch, r: (
        lambda *a: getattr(torch.nn.functional, name)(*a, reduction=r, **options)
    )


def torch_kl(torch, r):
    def theirs(x, t):
        losses = torch.nn.functional.kl_div(x.log_softmax(-1), t, reduction="none").sum(-1)
        return reduced(losses, r)

    return theirs


def torch_kl_gaussian(torch, r):
    normal, kl = torch.distributions.Normal, torch.distributions.kl_divergence

    def theirs(m, s, m0, s0):
        return reduced(kl(normal(m, (s / 2).exp()), normal(m0, (s0 / 2).exp())).sum(-1), r)

    return theirs


def torch_soft(torch, r):
    return lambda x, t: torch.nn.functional.cross_entropy(x, t, reduction=r)


def torch_gaussian(torch, r):
    return lambda m, s, t: torch.nn.functional.gaussian_nll_loss(
        m, t, s.exp(), full=True, reduction=r
    )


def torch_cosine(torch, r):
    return lambda a, b: reduced(1 - torch.nn.functional.cosine_similarity(a, b), r)


ORACLES = {
    "mae": (nn.mae, (X, T), functional("l1_loss")),
    "huber": (nn.huber, (X, T), functional("huber_loss")),
    "huber-delta": (
        lambda x, t, reduction: nn.huber(x, t, reduction, delta=0.7),
        (X, T),
        functional("huber_loss", delta=0.7),
    ),
    "smooth_l1": (
        lambda x, t, reduction: nn.smooth_l1(x, t, reduction, beta=0.6),
        (X, T),
        functional("smooth_l1_loss", beta=0.6),
    ),
    "gaussian_nll": (nn.gaussian_nll, (X, Z, T), torch_gaussian),
    "kl_gaussian": (nn.kl_gaussian, (X, Z, T, Z[::-1].copy()), torch_kl_gaussian),
    "soft_cross_entropy": (nn.soft_cross_entropy, (X, SOFT), torch_soft),
    "weighted_cross_entropy": (
        lambda x, t, w, reduction: nn.weighted_cross_entropy(x, t, w, 3, reduction),
        (X, LABELS, W),
        torch_weighted,
    ),
    "nll": (nn.nll, (X, LABELS), functional("nll_loss")),
    "bce": (nn.bce, (P, SOFT), functional("binary_cross_entropy")),
    "kl_categorical": (nn.kl_categorical, (X, SOFT), torch_kl),
    "triplet": (nn.triplet, (A, B, C), functional("triplet_margin_loss", eps=0.0)),
    "cosine": (nn.cosine, (A, B), torch_cosine),
}


def relu(x):
    return np.maximum(x, 0)


def length(x):
    return np.sqrt((x * x).sum(-1))


def focal_formula(x, t, alpha=0.25, gamma=2.0):
    p = 1 / (1 + np.exp(-x))
    q, a = np.where(t == 1, p, 1 - p), np.where(t == 1, alpha, 1 - alpha)
    return -a * (1 - q) ** gamma * np.log(q)


FORMULAS = {
    "hinge": (nn.hinge, (X, SIGNS), lambda s, t: relu(1 - t * s)),
    "squared_hinge": (nn.squared_hinge, (X, SIGNS), lambda s, t: relu(1 - t * s) ** 2),
    "margin": (
        nn.margin,
        (P, BITS),
        lambda v, t: (t * relu(0.9 - v) ** 2 + 0.5 * (1 - t) * relu(v - 0.1) ** 2).sum(-1),
    ),
    "contrastive": (
        nn.contrastive,
        (A, B, SAME),
        lambda a, b, s: s * length(a - b) ** 2 / 2 + (1 - s) * relu(1 - length(a - b)) ** 2 / 2,
    ),
    "triplet-squared": (
        lambda a, p, n, reduction: nn.triplet(a, p, n, reduction, 0.2, squared=True),
        (A, B, C),
        lambda a, p, n: relu(length(a - p) ** 2 - length(a - n) ** 2 + 0.2),
    ),
    "focal": (nn.focal, (X, BITS), focal_formula),
    "dice": (
        nn.dice,
        (P, BITS),
        lambda p, t: 1 - (2 * (p * t).sum(1) + 1) / ((p * p).sum(1) + (t * t).sum(1) + 1),
    ),
    "least_squares_discriminator": (
        nn.least_squares_discriminator,
        (X, T),
        lambda r, f: (r - 1) ** 2 / 2 + f**2 / 2,
    ),
    "least_squares_generator": (
        nn.least_squares_generator,
        (X,),
        lambda f: (f - 1) ** 2 / 2,
    ),
    "wasserstein_critic": (nn.wasserstein_critic, (X, T), lambda r, f: f - r),
    "wasserstein_generator": (nn.wasserstein_generator, (X,), lambda f: -f),
    "total_variation": (
        nn.total_variation,
        (IMAGES,),
        lambda x: abs(np.diff(x, axis=1)).sum((1, 2, 3)) + abs(np.diff(x, axis=2)).sum((1, 2, 3)),
    ),
}
ALL = {name: row[:2] for name, row in (ORACLES | FORMULAS).items()}
REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.oracle
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ORACLES)
def test_against_pytorch(name, reduction):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'tinydl[oracle]'")
    mine, arrays, theirs = ORACLES[name]
    ours = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    # Only what PyTorch differentiates: bce's targets and class weights are constants there.
    fixed = 1 if name in ("bce", "weighted_cross_entropy") else len(arrays)
    others = [
        torch.tensor(a, requires_grad=a.dtype.kind == "f" and i < fixed)
        for i, a in enumerate(arrays)
    ]
    y1, y2 = mine(*ours, reduction=reduction), theirs(torch, reduction)(*others)
    assert y1.shape == tuple(y2.shape)
    y1.sum().backward()
    y2.sum().backward()
    pairs = [(y1.numpy(), y2.detach().numpy())]
    pairs += [(a.grad.numpy(), b.grad.numpy()) for a, b in zip(ours, others, strict=True)
              if b.requires_grad]  # fmt: skip
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * abs(b).max())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FORMULAS)
def test_against_the_formula(name, reduction):
    mine, arrays, formula = FORMULAS[name]
    y = mine(*[Tensor(a) for a in arrays], reduction=reduction).numpy()
    expected = reduced(formula(*arrays), reduction)
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


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
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    check_grads(lambda w, v: penalty(w, v, "mean"), [Tensor(weight), Tensor(out)], 1)


def test_nothing_left_after_ignoring_is_zero():
    x = Tensor(X, requires_grad=True)
    loss = nn.weighted_cross_entropy(x, Tensor(np.full(6, -100)), ignore_index=-100)
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
