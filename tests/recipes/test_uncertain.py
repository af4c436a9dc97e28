"""Training of networks that doubt: what is measured, its baselines, its pictures."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.baselines import one_logistic_regression, one_mean_a_class, one_settled_network
from tinydl.experiment.datasets import DATASETS
from tinydl.metrics import accuracy, calibration_error, rejection_auc, roc_auc
from tinydl.models import BayesianSoftmax
from tinydl.models.bayesian.predictive import entropy
from tinydl.recipes import RECIPES
from tinydl.recipes.uncertain import edwards
from tinydl.runs.run import begin

DATASETS["drawn digits upside down"] = lambda: _turned()


def _turned():
    made = DATASETS["synthetic_digits"]()
    made.x[:] = 1 - made.x
    return made


def drawn(name, **settings):
    """A recipe of 8x8 digits that are drawn; their negatives are the other things."""
    split = RECIPES["synthetic-digits"].program.split
    architecture = {"in_features": 64} if name == "bayes-softmax" else {"sizes": (64, 24, 10)}
    made = {
        "dataset": "synthetic_digits", "scale": 1.0, "input_shape": (64,), "samples_drawn": 5,
        "split": split, "outside": ("drawn digits upside down",),
        "architecture": architecture, "epochs": 6, "lr": 0.01,
    }  # fmt: skip
    return RECIPES[name].replaced(**{**made, **settings})


@pytest.fixture(scope="module")
def trained():
    training = begin(drawn("dropout-mlp"))
    training.fit()
    return training


def test_what_is_measured_is_what_is_said(trained):
    found, (x, y) = trained.measure(), trained.parts.test
    said, point = trained.said(x)
    assert said.shape == (5, len(x), 10) and np.array_equal(said, trained.said(x)[0])
    mean = said.mean(axis=0)
    each = [accuracy(y, p.argmax(axis=1)) for p in said]
    assert found["accuracy"] == accuracy(y, mean.argmax(axis=1)) > 0.7
    assert_close(found["sample_accuracy"], np.mean(each), 1e-12)
    assert found["sample_least"] == min(each) <= max(each) == found["sample_most"]
    for name, p in (("", mean), ("point_", point)):
        right = (p.argmax(axis=1) == y).astype(int)
        assert found[f"{name}calibration_error"] == calibration_error(y, p)
        assert found[f"{name}rejection_auc"] == rejection_auc(right, entropy(p))
        assert_close(found[f"{name}nll"], -np.log(p[np.arange(len(y)), y]).mean(), 1e-6)
    (others,) = trained.seen.outside.values()
    there = entropy(trained.said(others)[0].mean(axis=0))
    labels = np.repeat([0, 1], [len(x), len(others)])
    auroc = roc_auc(labels, np.concatenate([entropy(mean), there]))
    assert abs(found["ood_drawn digits upside down"] - auroc) < 1e-3
    assert {f"ood_{k}drawn digits upside down" for k in ("apart_", "point_")} <= set(found)


def test_what_stands_beside_it_is_measured_alike(trained):
    found = [f(trained, "test") for f in (one_mean_a_class, one_logistic_regression)]
    network = one_settled_network(trained, "test")
    assert found[0]["accuracy"] > 0.3 and min(found[1]["accuracy"], network["accuracy"]) > 0.8
    for row in (*found, network):
        assert row["sample_accuracy"] == row["accuracy"]
        assert {"nll", "calibration_error", "ood_drawn digits upside down"} <= set(row)
    assert network == one_settled_network(trained, "test"), "its chance is its own"


def test_doubt_is_drawn(trained, tmp_path):
    trained.watchers(tmp_path)[0].draw()
    assert {p.name for p in tmp_path.glob("*.png")} == {
        "reliability.png", "rejection.png", "doubt.png",
    }  # fmt: skip


def test_edwards_rate_is_spent_after_fifteen_epochs():
    rate = edwards(0.1, 59_900)
    assert rate(99) == 0.1 and abs(rate(100) - 0.09) < 1e-12
    assert rate(9_000) < 1e-5 and rate(59_899) < 1e-27
    training = begin(drawn("bayes-softmax", epochs=2, lr=0.1, batch_size=10))
    training.fit()
    assert training.optimizer.lr == pytest.approx(0.1 * 0.9 ** (319 // 100))
    assert isinstance(training.model, BayesianSoftmax)


def test_ten_digits_need_ten_bins():
    """The book's edges 0 ... 9 put 8 and 9 into one bin."""
    votes = Generator(0).permutation(10)
    assert np.histogram(votes, np.arange(10))[0].tolist() == [1] * 8 + [2]
    assert np.histogram(votes, np.arange(11) - 0.5)[0].tolist() == [1] * 10
