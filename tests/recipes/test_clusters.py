"""Training of estimates and clusterings: what is measured, what stands beside it."""

import numpy as np
from closeness import assert_close

from tinydl import Generator
from tinydl.baselines import clusters_of_pixels, gaussian_formula, nothing_shared, one_cluster
from tinydl.metrics import clustering_accuracy
from tinydl.programs.clustering import warped
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin


def test_an_estimate_comes_near_the_closed_form():
    training = begin(RECIPES["mine-line"].variant("close").replaced(epochs=2, lr=0.005, looks=4))
    training.fit()
    found = training.measure()
    truth = training.data.information
    assert found["truth"] == truth and abs(truth - 0.8304) < 1e-4
    assert_close(found["error"], abs(found["information"] - truth), 1e-12)
    assert found["error"] < 0.25 and found["infonce"] < found["ceiling"] == np.log(512)
    assert nothing_shared(training, "test") == {"error": truth, "information": 0.0}
    assert gaussian_formula(training, "test")["error"] < 0.01


def clusters(**settings):
    made = {
        "dataset": "synthetic_digits", "scale": 1.0, "input_shape": (8, 8, 1), "batch_size": 100,
        "split": RECIPES["synthetic-digits"].program.split, "samples": (600, 200), "epochs": 4,
        "architecture": {"picture": (8, 8, 1), "widths": (8, 12), "more": 20, "heads": 2},
        "shift": 1.0, "turn": 10.0,
    }  # fmt: skip
    return RECIPES["iic-mnist"].replaced(**{**made, **settings})


def test_clusters_are_judged_by_the_best_naming():
    training = begin(clusters())
    rows = training.fit().rows
    assert rows[-1]["loss"] < rows[0]["loss"] < 0
    found, (x, y) = training.measure(), training.parts.test
    shares = [clustering_accuracy(y, own, 10) for own in training.clusters(x)]
    assert found["mean_head"] == np.mean(shares) and found["best_head"] == max(shares)
    losses = [rows[-1][f"head_{k}"] for k in range(2)]
    assert found["chosen_head"] == shares[int(np.argmin(losses))]
    pixels, one = clusters_of_pixels(training, "test"), one_cluster(training, "test")
    assert pixels["mean_head"] > one["mean_head"] == np.bincount(y).max() / len(y)


def test_changed_copies_are_the_same_where_nothing_is_changed():
    x = Generator(0).uniform((3, 9, 7, 2))
    assert_close(warped(x, Generator(1), 0.0, 0.0, 0.0), x, 1e-6)
    moved = warped(x, Generator(1), 20.0, 0.2, 2.0)
    assert moved.shape == x.shape and moved.dtype == x.dtype
    assert moved.min() >= 0 and moved.max() <= x.max() + 1e-6 and abs(moved - x).max() > 0.1
    half = warped(x, Generator(1), 0.0, 0.0, 40.0)
    assert (half == 0).mean() > 0.3, "0 from outside"
