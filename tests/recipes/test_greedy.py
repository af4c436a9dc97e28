"""Deep belief networks: which machine learns when, and what their figures stand beside."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor
from tinydl.baselines import pixels_alone, random_features
from tinydl.programs.greedy import (
    largest_variance,
    logistic_regression,
)
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, train

SIZES = {"sizes": (64, 24, 16)}


def small(**changes):
    split = RECIPES["synthetic-digits"].program.split
    settings = {"dataset": "synthetic_digits", "scale": 1.0, "split": split, "batch_size": 50}
    return RECIPES["dbn-digits"].replaced(architecture=SIZES, **settings, **changes)


def test_each_machine_learns_in_its_turn_and_then_all_by_labels():
    """What changes in an epoch is one machine; at the end all but the visible biases."""
    training = begin(small(epochs=3, pretraining=1))
    moved = []

    class Watch:
        def __init__(self):
            self.before = training.model.state_dict()

        def on_epoch_end(self, state):
            now = training.model.state_dict()
            moved.append({n for n in now if not np.array_equal(now[n], self.before[n])})
            self.before = now

    rows = training.fit([Watch()]).rows
    names = [f"machines.{k}.{n}" for k in (0, 1) for n in ("weight", "visible_bias", "hidden_bias")]
    assert moved[0] == set(names[:3]) and moved[1] == set(names[3:])
    assert moved[2] == {n for n in training.model.state_dict() if not n.endswith("visible_bias")}
    assert [row["stage"] for row in rows] == [0, 1, 2]


def test_a_machine_gives_back_better_what_it_has_seen_longer():
    rows = begin(small(epochs=6, pretraining=3)).fit().rows
    assert rows[2]["loss"] < rows[0]["loss"] and rows[5]["loss"] < rows[3]["loss"]


def test_without_labels_the_score_is_that_of_a_regression_on_features():
    found = train(small(epochs=4, pretraining=2)).test
    assert found["accuracy"] == found["features"] > 0.3


def test_with_labels_it_is_the_networks():
    training = begin(small(epochs=10, pretraining=1, lr=0.01))
    training.fit()
    (x, y), found = training.parts.test, training.measure()
    logits = training.model.logits(Tensor(x)).numpy()
    assert found["accuracy"] == np.mean(logits.argmax(axis=1) == y) > 0.4


def test_what_stands_beside_is_better_than_chance_and_always_the_same():
    training = begin(small(epochs=1))
    for baseline in (pixels_alone, random_features):
        found = baseline(training, "test")
        assert found["accuracy"] > 0.6 and found == baseline(training, "test")


def test_the_largest_variance():
    x = np.random.default_rng(0).normal(size=(50, 6)) * [3, 1, 1, 1, 1, 1]
    assert_close(largest_variance(x), np.linalg.eigvalsh(x.T @ x / 50)[-1], 1e-3)


@pytest.mark.oracle
def test_logistic_regression_is_scikit_learns():
    linear = oracle_module("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 10)), rng.integers(0, 4, 600)
    x[np.arange(600), y] += 1.5
    asked, truth = x[400:], y[400:]
    mine = logistic_regression(x[:400], y[:400], 4)(asked)
    theirs = linear.LogisticRegression(C=1e4, max_iter=2000).fit(x[:400], y[:400]).predict(asked)
    assert np.mean(mine == theirs) > 0.98 and np.mean(mine == truth) > 0.6
