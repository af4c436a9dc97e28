"""Mutual information: bounds against closed forms, clusters against what is known of them."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import CorrelatedGaussians
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import assignment, clustering_accuracy
from tinydl.models import IIC, MINE, SeparableMINE
from tinydl.models.information.iic import shared_information
from tinydl.models.information.k_means import k_means, nearest
from tinydl.models.information.mine import Bounding, donsker_varadhan, infonce


def scores(n=5):
    return np.random.default_rng(0).normal(size=(n, n))


def test_the_bounds_are_their_formulas(on_numpy):
    s = scores()
    own, others = np.diag(s), s[~np.eye(5, dtype=bool)]
    dv = own.mean() - np.log(np.exp(others).mean())
    assert_close(donsker_varadhan(Tensor(s)).numpy(), np.array(dv), 1e-12)
    nce = np.mean([s[i, i] - np.log(np.exp(s[i]).mean()) for i in range(5)])
    assert_close(infonce(Tensor(s)).numpy(), np.array(nce), 1e-12)
    sure = Tensor(np.eye(5) * 100)
    assert_close(infonce(sure).numpy(), np.array(np.log(5)), 1e-9)  # the ceiling
    assert donsker_varadhan(sure).item() > 99, "this one has none"


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_with_the_best_function_the_bound_is_the_information(rho, on_numpy):
    """T = log p(x, y) / p(x) p(y) of one correlated pair, 2,000 rows."""
    pairs = CorrelatedGaussians(1, rho)
    x, y = (a.astype(np.float64)[:, 0] for a in pairs.draw(2_000, Generator(0)))
    a, b = x[:, None], y[None]
    q = 1 - rho**2
    t = -0.5 * np.log(q) - (rho**2 * (a**2 + b**2) - 2 * rho * a * b) / (2 * q)
    assert abs(donsker_varadhan(Tensor(t)).item() - pairs.information) < 0.05
    assert abs(infonce(Tensor(t)).item() - pairs.information) < 0.05


def test_scores_are_of_every_pair(on_numpy):
    tinydl.seed(0)
    r = np.random.default_rng(1)
    x, y = r.normal(size=(4, 2)), r.normal(size=(4, 3))
    model = MINE((2, 3), (5,)).astype("float64")
    got = model(Tensor(x), Tensor(y)).numpy()
    for i in range(4):
        for j in range(4):
            row = Tensor(np.concatenate([x[i], y[j]])[None])
            assert_close(got[i, j], model.statistic(row).numpy()[0, 0], 1e-12)
    apart = SeparableMINE((2, 3), (5,), 4).astype("float64")
    got = apart(Tensor(x), Tensor(y)).numpy()
    assert_close(got, apart.f(Tensor(x)).numpy() @ apart.g(Tensor(y)).numpy().T, 1e-12)
    for wrong in (x[:3], x[:, :1]):
        with pytest.raises(ShapeError, match="needs x"):
            model(Tensor(wrong), Tensor(y))
    for kind in (MINE, SeparableMINE):
        with pytest.raises(ConfigError, match="sizes"):
            kind((2,))
    assert issubclass(MINE, Bounding)


def test_pairs_have_their_correlation_and_information():
    pairs = CorrelatedGaussians(3, 0.6)
    x, y = pairs.draw(20_000, Generator(0))
    table = np.corrcoef(np.concatenate([x, y], axis=1).T)
    expected = np.eye(6) + 0.6 * (np.eye(6, k=3) + np.eye(6, k=-3))
    assert abs(table - expected).max() < 0.04
    assert_close(pairs.information, -1.5 * np.log(1 - 0.36), 1e-12)
    assert np.array_equal(pairs.draw(5, Generator(1))[1], pairs.draw(5, Generator(1))[1])
    for wrong in ({"dimension": 0}, {"rho": 1.0}):
        with pytest.raises(ConfigError, match="CorrelatedGaussians"):
            CorrelatedGaussians(**wrong)
    with pytest.raises(ConfigError, match="n >= 1"):
        pairs.draw(0, Generator(0))


def test_shared_information_is_the_tables_and_has_its_ends(on_numpy):
    r = np.random.default_rng(0)
    p, q = r.dirichlet(np.ones(4), 9), r.dirichlet(np.ones(4), 9)
    joint = np.zeros((4, 4))
    for a, b in zip(p, q, strict=True):
        joint += (np.outer(a, b) + np.outer(b, a)) / 18
    own = joint.sum(axis=0)
    exact = (joint * np.log(joint / np.outer(own, own))).sum()
    assert_close(shared_information(Tensor(p), Tensor(q)).numpy(), np.array(exact), 1e-4)
    even = Tensor(np.tile(np.eye(4), (5, 1)))
    assert_close(shared_information(even, even).numpy(), np.array(np.log(4)), 1e-5)
    alone = Tensor(np.tile(np.eye(4)[:1], (8, 1)))
    assert abs(shared_information(alone, alone).item()) < 1e-5
    with pytest.raises(ShapeError, match="shared_information"):
        shared_information(Tensor(p), Tensor(q[:, :3]))


def test_heads_are_probabilities_and_settings_are_checked():
    model = IIC((8, 8, 1), (4,), clusters=3, more=5, heads=2)
    x = tinydl.uniform((4, 8, 8, 1))
    with no_grad():
        p = model(x).numpy()
        assert p.shape == (2, 4, 3) and model.losses(x, x).shape == (2,)
        assert model.losses(x, x, more=True).shape == (2,)
    assert_close(p.sum(axis=2), np.ones((2, 4)), 1e-5)
    for wrong in ({"widths": ()}, {"clusters": 1}, {"heads": 0}):
        with pytest.raises(ConfigError, match="IIC: needs"):
            IIC(**wrong)


@pytest.mark.oracle
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (30, 45)])
def test_an_assignment_costs_what_scipys_does(size):
    optimize = oracle_module("scipy.optimize")
    r = np.random.default_rng(0)
    for k in range(20):
        cost = r.integers(-9, 9, size) if k % 2 else r.normal(size=size)
        rows, columns = optimize.linear_sum_assignment(cost)
        ours = assignment(cost)
        assert len(set(ours.tolist())) == size[0]
        assert_close(cost[rows, ours].sum(), cost[rows, columns].sum(), 1e-9, atol=1e-9)


def test_assignments_that_there_are_not():
    with pytest.raises(ShapeError, match="N <= M"):
        assignment(np.ones((3, 2)))
    with pytest.raises(ConfigError, match="finite"):
        assignment(np.array([[np.nan]]))
    with pytest.raises(ShapeError, match="at most 256"):
        clustering_accuracy(np.zeros(3, int), np.zeros(3, int), 300)
    renamed = np.random.default_rng(0).permutation(40)
    labels = np.arange(400) % 40
    assert clustering_accuracy(labels, renamed[labels], 40) == 1.0


def test_k_means_finds_the_clouds_and_never_raises_the_sum_of_squares():
    r = np.random.default_rng(0)
    middles = np.array([[0.0, 0], [6, 0], [0, 6]])
    rows = np.repeat(middles, 50, axis=0) + r.normal(size=(150, 2)) * 0.5
    sums = []
    for steps in (1, 2, 5, 20):
        centres, near = k_means(rows, rows[::51][:3], steps)
        sums.append(((rows - centres[near]) ** 2).sum())
    assert sums == sorted(sums, reverse=True)
    assert clustering_accuracy(np.repeat(np.arange(3), 50), near, 3) == 1.0
    distances = ((rows[:, None] - centres) ** 2).sum(axis=2)
    assert np.array_equal(nearest(rows, centres), distances.argmin(axis=1))
    far = np.array([[0.0, 0], [3, 3], [99, 99]])
    assert np.array_equal(k_means(rows, far, 3)[0][2], far[2]), "a centre without rows stays"
    with pytest.raises(ShapeError, match="k_means"):
        k_means(rows, rows[:3, :1], 3)
    with pytest.raises(ConfigError, match="k_means"):
        k_means(rows, rows[:3], 0)


@pytest.mark.oracle
def test_k_means_is_scikit_learns():
    cluster = oracle_module("sklearn.cluster")
    rows = np.random.default_rng(1).normal(size=(80, 3))
    ours, _ = k_means(rows, rows[:4], 50)
    theirs = cluster.KMeans(4, init=rows[:4], n_init=1, max_iter=50, tol=0).fit(rows)
    assert_close(ours, theirs.cluster_centers_, 1e-6)
