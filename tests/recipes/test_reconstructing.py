"""Autoencoders by their tasks: what is judged, what stands beside, what is seen of which part."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor
from tinydl.baselines import (
    Components,
    grey_alone,
    mean_chroma,
    mean_picture,
    principal_components,
    ridge_filter,
    row_norm,
)
from tinydl.baselines import (
    beside as beside_of,
)
from tinydl.data import random_payments
from tinydl.errors import ConfigError
from tinydl.experiment.card import Recipe
from tinydl.metrics import average_precision
from tinydl.models import ColouringAutoencoder, ConvAutoencoder
from tinydl.models.autoencoders.colouring import chroma
from tinydl.programs.anomalies import ALL, SHARED, Anomalies, beyond, errors, norm
from tinydl.programs.reconstructing import Reconstructing
from tinydl.programs.restoring import (
    Colouring,
    Compression,
    Denoising,
    Pictures,
    decibels,
)
from tinydl.recipes import RECIPES
from tinydl.runs.reproduce import reproduce
from tinydl.runs.run import Settings, begin, claim, train_into
from tinydl.runs.told import page

FRAUDS = [name for name in RECIPES if name.startswith("fraud-")]


def payments(name="fraud-autoencoder", **changes):
    return RECIPES[name].replaced(dataset="drawn_payments", **{"epochs": 3, **changes})


# -- anomalies -------------------------------------------------------------------------------------


def test_the_two_protocols_share_the_honest_rows_and_differ_in_frauds():
    table = random_payments(1000, Generator(0), fraud=0.1).drop("Time")
    data = Anomalies().divided(table, 3, "float64")
    shared, every = data.tests[SHARED], data.tests[ALL]
    assert (len(data.train), len(shared.y), shared.y.sum(), every.y.sum()) == (720, 200, 20, 100)
    assert (every.y == 0).sum() == 180 and np.array_equal(every.x[:200], shared.x)
    rows = {row.tobytes() for row in data.train}
    assert not rows & {row.tobytes() for row in every.x}
    other = Anomalies().divided(table, 4, "float64")
    assert not np.array_equal(other.train, data.train)


def test_no_row_of_the_test_part_moves_the_scale():
    table = random_payments(500, Generator(0), fraud=0.1).drop("Time")
    data = Anomalies().divided(table, 0, "float64")
    assert_close(data.train.mean(axis=0), np.zeros(29), 0, atol=1e-9)
    assert_close(data.train.std(axis=0), np.ones(29), 1e-9)
    assert abs(data.tests[SHARED].x.mean(axis=0)).max() > 0.05


def test_what_stands_beside_a_detector():
    training = begin(payments())
    data = training.data
    (x, y), found = data.tests[SHARED], row_norm(training, "test")
    assert_close(norm(x), (x.astype(float) ** 2).mean(axis=1), 1e-12)
    assert found["average_precision"] == average_precision(y, norm(x))
    assert found["all_frauds_average_precision"] > found["average_precision"]
    assert_close(beyond(data.train, 29)(x), np.zeros(len(x)), 0, atol=1e-9)
    assert set(Components(5)(training, "test")) == set(found) == set(training.measure())
    assert str(Components(5)) == "5 components"


@pytest.mark.oracle
def test_components_are_scikit_learns():
    pca = oracle_module("sklearn.decomposition").PCA(5)
    data = begin(payments()).data
    x = data.tests[SHARED].x.astype(np.float64)
    pca.fit(data.train.astype(np.float64))
    back = pca.inverse_transform(pca.transform(x))
    assert_close(beyond(data.train, 5)(x), ((x - back) ** 2).mean(axis=1), 1e-6)


def test_the_threshold_is_that_of_the_training_rows():
    training = begin(payments(task=Anomalies(alarms=0.1)))
    data, found = training.data, training.measure()
    limit = np.sort(errors(training.model, data.train))[int(0.9 * len(data.train))]
    (x, y) = data.tests[SHARED]
    above = errors(training.model, x) >= limit
    assert_close(found["recall"], np.mean(above[y == 1]), 1e-12)
    assert_close(found["precision"], np.mean(y[above]), 1e-12)


@pytest.mark.parametrize("name", FRAUDS)
def test_every_detector_learns_payments(name):
    """The loss falls, and a fraud is farther from what comes back than an honest row."""
    training = begin(payments(name))
    loss = [row["loss"] for row in training.fit().rows]
    assert loss[-1] < loss[0]
    assert training.measure()["auroc"] > 0.9


def test_pictures_of_a_detector_are_in_its_run_folder(tmp_path):
    with claim(tmp_path / "run", "frauds") as lock:
        train_into(lock, begin(payments()), False)
    names = {path.name for path in (tmp_path / "run" / "pictures").iterdir()}
    assert names == {"roc.png", "precision_recall.png", "thresholds.png", "confusion.png"}


def test_every_seed_is_a_split_and_margins_are_on_the_same_ones():
    recipe = payments(epochs=1)
    result = reproduce(recipe, 3)
    score, beside = recipe.program.score, [beside_of(begin(recipe, Settings(k))) for k in range(3)]
    assert result.beside == tuple(beside) and len({b["row norm"][score] for b in beside}) == 3
    more = [
        o.test[score] - b["row norm"][score] for o, b in zip(result.outcomes, beside, strict=True)
    ]
    row = result.measured()
    assert_close(row["margins"]["row norm"]["mean"], np.mean(more), 0, atol=1e-6)
    assert_close(row["margins"]["row norm"]["error"], np.std(more, ddof=1) / 3**0.5, 0, atol=1e-6)
    told = " ".join(str(page(recipe, {recipe.name: row})).split())
    assert f"± {100 * row['margins']['row norm']['error']:.2f} above it): How far" in told
    area = np.mean([o.test["auroc"] for o in result.outcomes])
    assert_close(row["measures"]["auroc"], area, 0, atol=1e-6)
    mean = np.mean([b["row norm"][score] for b in beside])
    assert_close(row["baselines"]["row norm"][score], mean, 0, atol=1e-6)


def test_seeds_of_one_split_have_no_margins():
    recipe = RECIPES["synthetic-digits"].replaced(epochs=1)
    result = reproduce(recipe, 2)
    assert len(result.beside) == 1 and "margins" not in result.measured()


def test_there_is_only_a_test_part():
    with pytest.raises(ConfigError, match="an autoencoder, it has no train part"):
        begin(payments()).measure("train")


# -- pictures --------------------------------------------------------------------------------------


def digits(task, model=ConvAutoencoder, channels=1, **changes):
    """A recipe on drawn digits of 8x8."""
    program = Reconstructing(
        model=model, architecture={"image": (8, 8), "channels": (8, 8), "code": 12}, task=task,
        input_shape=(8, 8, channels), lr=0.005, scale=1.0, batch_size=50,
        split=RECIPES["synthetic-digits"].program.split,
    )  # fmt: skip
    return Recipe(
        name="pictures", title="drawn digits", book="tinydl", chapter="tests",
        dataset="synthetic_digits", parameters=0, program=program, epochs=2, time_budget=10,
    ).replaced(**changes)  # fmt: skip


def test_compression_beside_its_linear_twin():
    training = begin(digits(Compression()))
    before = training.measure()["mse"]
    training.fit()
    assert training.measure()["mse"] < 0.8 * before
    x, twin = training.data, principal_components(training, "test")["mse"]
    rows = x.train.reshape(len(x.train), -1).astype(np.float64)
    axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:12]
    away = x.test.reshape(len(x.test), -1) - rows.mean(axis=0)
    assert_close(twin, ((away - away @ axes.T @ axes) ** 2).mean(), 1e-6)
    assert twin < mean_picture(training, "test")["mse"]


def test_denoising_is_measured_in_decibels_with_one_noise():
    training = begin(digits(Denoising(0.4)))
    task, x = training.program.task, training.data.test
    noisy = task.damaged(x, 0)
    assert noisy.min() == 0 and noisy.max() == 1 and np.array_equal(noisy, task.damaged(x, 0))
    found = training.measure()
    assert_close(found["noisy_psnr"], -10 * np.log10(((noisy - x) ** 2).mean()), 1e-6)
    assert found["noisy_psnr"] > 20 * np.log10(1 / 0.4)  # clipping takes noise off
    training.fit()
    assert training.measure()["psnr"] > found["psnr"] + 1
    assert training.measure() == training.measure()


def test_the_ridge_filter_solves_its_equations():
    """The gradient of the penalised squared error is 0: no other linear map is better."""
    training = begin(digits(Denoising(0.4)))
    data, task = training.data, training.program.task
    found = ridge_filter(training, "test")["psnr"]
    assert found > training.measure()["noisy_psnr"] + 1
    assert found > mean_picture(training, "test")["psnr"]
    x = task.damaged(data.train, 1).reshape(len(data.train), -1).astype(np.float64)
    y = data.train.reshape(len(x), -1).astype(np.float64)
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    penalty = 1e-3 * np.trace(a.T @ a) / 64
    whole = np.vstack([a, np.sqrt(penalty) * np.eye(64)])
    weight = np.linalg.lstsq(whole, np.vstack([b, np.zeros((64, 64))]), rcond=None)[0]
    noisy = task.damaged(data.test, 0).reshape(len(data.test), -1)
    guess = (noisy - x.mean(axis=0)) @ weight + y.mean(axis=0)
    assert_close(found, decibels(guess, data.test.reshape(len(noisy), -1)), 1e-6)


def test_colours_are_compared_by_their_chroma():
    training = begin(digits(Colouring(), picture_shape=()))
    rng = np.random.default_rng(0)
    grey = rng.uniform(0.2, 0.8, (60, 8, 8, 1))
    tint = np.array([0.1, 0.0, -0.1])
    pictures = np.clip(grey + tint * grey, 0, 1).astype(np.float32)  # the lighter, the redder
    training.data = Pictures(pictures[:40], pictures[40:])
    training.model = ColouringAutoencoder((8, 8), (8, 8), 12)
    alone, mean = grey_alone(training, "test"), mean_chroma(training, "test")
    assert_close(alone["chroma"], (chroma(pictures[40:]) ** 2).mean(), 1e-12)
    assert mean["chroma"] < 0.2 * alone["chroma"]
    found = training.program.task.measure(training.model, training.data)
    guess = training.model(Tensor((pictures[40:] @ np.array([0.299, 0.587, 0.114])).astype(
        np.float32)[..., None])).numpy()  # fmt: skip
    assert_close(found["mse"], ((guess - pictures[40:]) ** 2).mean(), 1e-5)


@pytest.mark.parametrize(
    "task, name",
    [(Compression(), "reconstructions"), (Denoising(0.5), "denoised")],
)
def test_pages_of_pictures(task, name, tmp_path):
    with claim(tmp_path / "run", name) as lock:
        train_into(lock, begin(digits(task, epochs=1)), False)
    assert (tmp_path / "run" / "pictures" / f"{name}.png").stat().st_size > 2000


def test_a_page_of_colours(tmp_path):
    x = np.random.default_rng(0).uniform(0, 1, (12, 8, 8, 3)).astype(np.float32)
    model = ColouringAutoencoder((8, 8), (4, 4), 5)
    Colouring().draw(model, Pictures(x, x), tmp_path)
    assert (tmp_path / "colours.png").stat().st_size > 2000
