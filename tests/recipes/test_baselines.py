"""What figures stand beside: each baseline against its definition, and what is said of them."""

import json

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, baselines
from tinydl.baselines import beaten, beside, name_of, problem_of_fast
from tinydl.command.main import main
from tinydl.experiment.sounds import quarters
from tinydl.metrics import box_iou
from tinydl.programs.parts import Parts
from tinydl.recipes import RECIPES, find
from tinydl.runs.report import told_beside
from tinydl.runs.reproduce import load_measured
from tinydl.runs.run import begin
from tinydl.runs.told import page

RNG = np.random.default_rng(0)


class Made:
    """What a baseline reads of a training, made of arrays."""

    def __init__(self, recipe, x, y, test_x, test_y, classes=()):
        self.recipe, self.program = RECIPES[recipe], RECIPES[recipe].program
        self.parts = Parts((x, y), (test_x, test_y), (test_x, test_y), classes)


def labelled(n=400):
    """Three clouds, of which two lie beside each other in x and the third is twice as frequent."""
    y = RNG.choice(3, n, p=[0.25, 0.25, 0.5])
    x = RNG.normal(size=(n, 5)).astype(np.float32)
    x[:, 0] += 3 * (y == 0) - 3 * (y == 1)
    x[:, 1] += 4 * (y == 2)
    return x, y


@pytest.fixture(scope="module")
def clouds():
    return Made("iris-softmax", *labelled(), *labelled(200))


def test_the_majority_class_and_the_nearest_mean(clouds):
    (x, y), (other, truth) = clouds.parts.train, clouds.parts.test
    found = baselines.majority_class(clouds, "test")["accuracy"]
    assert found == np.mean(truth == np.bincount(y).argmax())
    means = np.stack([x[y == k].mean(axis=0) for k in range(3)])
    nearest = ((other[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert baselines.nearest_mean(clouds, "test")["accuracy"] == np.mean(nearest == truth)


@pytest.mark.oracle
def test_logistic_regression_is_as_good_as_scikit_learns(clouds):
    linear = oracle_module("sklearn.linear_model")
    (x, y), (other, truth) = clouds.parts.train, clouds.parts.test
    right = linear.LogisticRegression(C=1e6, max_iter=2_000).fit(x, y).predict(other) == truth
    found = baselines.logistic_regression(clouds, "test")["accuracy"]
    assert abs(found - right.mean()) <= 0.01
    assert found > baselines.majority_class(clouds, "test")["accuracy"] + 0.2
    assert found == baselines.logistic_regression(clouds, "test")["accuracy"]


def test_two_classes_of_one_logit():
    """y is 0 or 1 as a float: the difference of two scores is the logit."""
    x, y = labelled()
    y = (y[:, None] == 2).astype(np.float32)
    made = Made("face-detector", x, y, x, y)
    assert baselines.majority_class(made, "test")["accuracy"] == max((y == 0).mean(), y.mean())
    assert baselines.logistic_regression(made, "test")["accuracy"] > 0.95


def test_a_ridge_regression_and_the_mean():
    """Targets that are linear in the means of 2x2 pixels, to 0.01."""
    x = RNG.normal(size=(300, 8, 8, 1))
    cells = x.reshape(300, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(300, 16)
    y = cells @ RNG.normal(size=(16, 2)) * 0.2
    made = Made("keypoints-faces", x[:200], y[:200], x[200:], y[200:])  # within 0.05
    near = np.abs(y[200:] - y[:200].mean(axis=0)) <= 0.05
    assert baselines.mean_target(made, "test")["accuracy"] == pytest.approx(near.mean())
    assert baselines.ridge_regression(made, "test")["accuracy"] > 0.95


def test_pictures_for_a_ridge_regression_become_small_enough():
    x = np.arange(2 * 66 * 200 * 3).reshape(2, 66, 200, 3)
    small = baselines.estimates._small(x)
    assert (
        small.shape == (2, 13 * 40 * 3 // 4 * 4 // 1) or small.shape[1] <= baselines.estimates.MOST
    )
    assert small.shape == (2, 11 * 33 * 3)  # k = 6: at 5 there are 13 * 40 * 3
    assert_close(small[1, :3], x[1, :6, :6].mean(axis=(0, 1)), 1e-12)


def test_colours_tell_classes_apart_where_they_do():
    planes = RNG.choice(3, (20, 6, 6), p=[0.6, 0.3, 0.1])
    x = np.eye(3, dtype=np.float32)[planes] + RNG.normal(size=(20, 6, 6, 3)) * 0.05
    made = Made("unet-shapes", x, planes, x, planes, ("none", "a", "b"))
    share = (planes == 0).mean()
    assert baselines.majority_of_pixels(made, "test")["mean_iou"] == pytest.approx(share / 3)
    assert baselines.nearest_mean_colour(made, "test")["mean_iou"] == 1.0


def test_the_mean_box_finds_what_is_always_in_one_place():
    """Class 0 within a pixel of one place on every picture, class 1 anywhere on half of them."""
    rows = np.full((40, 2, 5), -1.0, np.float32)
    rows[:, 0] = [10, 12, 30, 32, 0]
    rows[:, 0, :4] += RNG.uniform(-1, 1, (40, 1))
    away = RNG.uniform(0, 50, (20, 2))
    rows[:20, 1] = np.concatenate([away, away + 9, np.ones((20, 1))], axis=1)
    x = np.zeros((40, 64, 64, 3), np.float32)
    made = Made("ssd-shapes", x, rows, x, rows, ("thing", "other"))
    mean = rows[:, 0, :4].mean(axis=0)
    assert box_iou(mean[None], rows[:, 0, :4]).min() > 0.5
    assert 0.5 <= baselines.mean_box(made, "test")["map"] < 0.75


def drawn(count):
    """Squares on the left, disks on the right, on a grey ground: pictures and rows of boxes."""
    x, rows = np.full((count, 32, 48, 3), 0.2), np.zeros((count, 2, 5))
    rng, (row, column) = np.random.default_rng(count), np.indices((32, 48))
    for picture, boxes in zip(x, rows, strict=True):
        half = rng.integers(4, 8)
        y, left, right = rng.integers(9, 22), rng.integers(9, 15), rng.integers(33, 38)
        square = (np.abs(row - y) <= half) & (np.abs(column - left) <= half)
        disk = (row - y) ** 2 + (column - right) ** 2 <= half**2
        picture[square], picture[disk] = rng.uniform(0.6, 1, 3), rng.uniform(0.6, 1, 3)
        for box, middle, label in zip(boxes, (left, right), (0, 1), strict=True):
            box[:] = middle - half, y - half, middle + half + 1, y + half + 1, label
    return x.astype(np.float32), rows.astype(np.float32)


def test_regions_are_found_in_their_places_and_named_by_their_outlines():
    x, rows = drawn(60)
    boxes, masks = baselines.regions.regions(x[0])
    assert (masks.sum(axis=0) == 1).all()
    assert box_iou(rows[0, :, :4], boxes).max(axis=1).min() > 0.8
    for box, mask in zip(boxes.astype(int), masks, strict=True):
        inside = np.zeros_like(mask)
        inside[box[1] : box[3], box[0] : box[2]] = True
        assert mask[inside].sum() == mask.sum()
        assert mask[box[1]].any() and mask[:, box[2] - 1].any()
    made = Made("ssd-shapes", *drawn(60), *drawn(30), ("square", "disk"))
    found = baselines.even_regions(made, "test")["map"]
    assert found > 0.9 > 0.5 > baselines.mean_box(made, "test")["map"]


def test_filled_boxes_hold_the_pixels_whose_centres_are_inside():
    (mask,) = baselines.pictures._filled(np.array([[1.0, 2.0, 3.4, 4.6]]), 6, 5)
    assert np.argwhere(mask).min(axis=0).tolist() == [2, 1] and mask.sum() == 3 * 2


# -- what is said of them --------------------------------------------------------------------------


def test_equal_is_not_better_and_some_scores_should_be_small():
    found = {"a": {"accuracy": 0.5}, "b": {"accuracy": 0.7}, "c": {"loss": 1.0}}
    program = RECIPES["iris-softmax"].program
    assert beaten(program, 0.7, found) == {"a": True, "b": False}
    assert beaten(program, float("nan"), found) == {"a": False, "b": False}
    agent = RECIPES["chain-q"].program
    assert beaten(agent, 0.1, {"a": {"error": 0.2}, "b": {"error": 0.1}}) == {"a": True, "b": False}


def test_a_fast_form_does_what_its_card_says():
    iris = RECIPES["iris-softmax"]
    majority, nearest = map(name_of, iris.baselines)
    found = {majority: {"accuracy": 0.3}, nearest: {"accuracy": 0.9}}
    assert problem_of_fast(iris, 0.5, found) == ""
    assert problem_of_fast(iris, 0.3, found) == "iris-softmax does not beat majority class"
    loser = iris.replaced(not_beaten=iris.baselines[:1])
    assert problem_of_fast(loser, 0.5, found) == "iris-softmax does not beat nearest mean"
    loser = iris.replaced(not_beaten=iris.baselines)
    assert problem_of_fast(loser, 0.5, found) == ""
    assert "its card says no" in problem_of_fast(loser, 0.95, found)
    assert "names no baseline" in problem_of_fast(iris, 0.5, {})


def test_baselines_depend_on_the_data_alone():
    recipe = find("synthetic-digits")
    first = beside(begin(recipe))
    Generator(3).normal((7,))
    assert beside(begin(recipe)) == first and list(first) == ["nearest mean", "logistic regression"]


def test_the_page_of_a_recipe_says_what_each_does_and_reached():
    recipe = RECIPES["synthetic-digits"]
    row = load_measured()[recipe.name] | {"test": 0.9, "test_spread": 0.01, "seeds": [0, 1]}
    row["baselines"] = {"nearest mean": {"accuracy": 0.9}}
    told = " ".join(str(page(recipe, {recipe.name: row})).split())
    assert "nearest mean 90.00 (not beaten): The class whose mean sample" in told
    assert "logistic regression: Linear scores of the classes" in told
    assert "the mean of 2 training seeds (± 0.01, the standard deviation of one)" in told
    assert told_beside(RECIPES["chain-q"], {"even chance": {"reward": 3.0}}) == "even chance"


def test_a_fast_form_is_trained_kept_and_checked(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    fast = {"samples": (300, 100), "epochs": 8}
    recipe = RECIPES["synthetic-digits"].replaced(fast=fast)
    monkeypatch.setitem(RECIPES, recipe.name, recipe)
    assert main(["train", recipe.name, "--fast", "--quiet", "--out", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recipe"] == "synthetic-digits/fast" and told["epochs"] == 8
    assert "only the first, 300 to train and 100 to test" in told["split"]
    assert told["beaten"]["nearest mean"]
    assert main(["train", "--resume", str(run), "--epochs", "9", "--quiet"]) == 0
    assert main(["evaluate", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] == 100 and set(told["baselines"]) == set(told["beaten"])
    bad = tmp_path / "bad"
    code = main(["train", recipe.name, "--fast", "--lr", "1e-9", "--quiet", "--out", str(bad)])
    assert code == 1
    assert "synthetic-digits/fast does not beat nearest mean" in capsys.readouterr().err
    assert main(["train", "--resume", str(run), "--fast"]) == 2
    said = capsys.readouterr().err
    assert "only --epochs may be new (and --on, where its data lie now); got fast" in said


def test_only_the_baselines_are_computed_where_that_is_asked_for(capsys, tmp_path, monkeypatch):
    kept = tmp_path / "measured.json"
    kept.write_text(json.dumps({"synthetic-digits": {"test": 0.9, "seeds": [0]}}))
    monkeypatch.setattr("tinydl.runs.reproduce.MEASURED", kept)
    monkeypatch.setattr("tinydl.runs.reproduce.train", lambda *_: pytest.fail("it trained"))
    assert main(["reproduce", "synthetic-digits", "--baselines"]) == 0
    told = capsys.readouterr().out
    assert "synthetic-digits: nearest mean 89.75, logistic regression 100.00" in told


def test_four_parts_of_a_word_are_its_own_without_the_silence():
    x = np.zeros((40, 12, 3, 1), np.float32)
    y = np.arange(40) % 2
    for k in range(40):  # the word is 8 steps long; its second quarter tells
        x[k, :8] = 1 + RNG.normal(0, 0.1, (8, 3, 1))
        x[k, 2:4, 1] += 3 * y[k]
    parts = quarters(x)
    assert parts.shape == (40, 12)
    assert_close(parts[5, 3:6], x[5, 2:4, :, 0].mean(axis=0), 1e-6)
    made = Made("spoken-digits", x[:30], y[:30], x[30:], y[30:])
    assert baselines.four_parts_of_the_word(made, "test") == {"accuracy": 1.0}
