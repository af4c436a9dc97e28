"""Variational training: the bound on the test part, its terms, its baselines, its pictures."""

import json

import numpy as np
import pytest
from cases.generators import PICTURES, codes
from closeness import assert_close

from tinydl import Generator, Tensor, random
from tinydl.baselines import components_as_code, independent_bits, untrained_encoder
from tinydl.errors import ConfigError
from tinydl.metrics import mutual_information_gap
from tinydl.models import VAE
from tinydl.programs.variational import GREY, STOCHASTIC, THRESHOLD
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, train


@pytest.fixture(scope="module")
def trained():
    training = begin(codes(VAE, lr=0.01).replaced(epochs=40))
    training.fit()
    return training


def test_the_bound_is_above_independent_pixels_and_rises_with_the_draws(trained):
    found = trained.measure()
    assert found["elbo"] > independent_bits(trained, "test")["elbo"] + 2.5
    assert_close(np.array(found["elbo"]), np.array(-found["missed"] - found["divergence"]), 1e-6)
    assert found["bound_1"] < found["bound_5"] < found["bound_50"] < 0
    assert abs(found["bound_1"] - found["elbo"]) < 1
    rows = trained.state.history.rows
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert_close(
        np.array(rows[0]["loss"]), np.array(rows[0]["missed"] + rows[0]["divergence"]), 1e-6
    )
    assert trained.measure() == found, "the test part is drawn once and for all"


def test_a_small_model_of_many_pictures_is_opened_again(trained):
    """A folder's model may draw about as many numbers as it has weights, and its data theirs."""
    most = trained.model.count_parameters()
    assert trained.test[0].size > most // 4
    with random.drawing_at_most(most):
        begin(codes(VAE))


def test_the_baseline_is_the_likelihood_of_independent_pixels(trained):
    """Drawn bits have the grey values' means, fixed ones their own."""
    other = begin(codes(VAE, binarise=THRESHOLD))
    for training, fixed in ((trained, False), (other, True)):
        x, train = training.test[0], training.parts.train[0].astype(np.float64)
        mean = ((train > 0.5 if fixed else train).sum(axis=0) + 1) / (len(train) + 2)
        exact = np.log(np.where(x > 0, mean, 1 - mean)).sum(axis=(1, 2, 3)).mean()
        assert_close(np.array(independent_bits(training, "test")["elbo"]), np.array(exact), 1e-9)


def test_codes_of_factors_stand_beside_components_and_the_network_before():
    recipe = RECIPES["beta-vae"].replaced(epochs=1)
    training = begin(recipe)
    untrained = untrained_encoder(training, "test")["mig"]
    random.seed(0)
    model = recipe.program.build()
    x, factors = training.test
    means = model.encode(Tensor(x))[0].numpy()
    assert untrained == mutual_information_gap(means, factors) < 0.1
    found = components_as_code(training, "test")["mig"]
    rows = (x - x.mean(axis=0)).reshape(len(x), -1)
    projected = rows @ np.linalg.svd(rows, full_matrices=False)[2][:6].T
    assert_close(np.array(found), np.array(mutual_information_gap(projected, factors)), 0.02)
    training.fit()
    assert training.measure()["mig"] != untrained


@pytest.mark.parametrize("how", [STOCHASTIC, THRESHOLD, GREY])
def test_pixels_become_bits_as_is_said(how):
    training = begin(codes(VAE, binarise=how))
    x, made = training.parts.test[0], training.test[0]
    assert made.dtype == x.dtype
    if how == GREY:
        assert np.array_equal(made, x)
        return
    assert set(np.unique(made)) == {0.0, 1.0}
    if how == THRESHOLD:
        assert np.array_equal(made > 0, x > 0.5)
    else:
        assert_close(made.mean(), x.mean(), 0.02)
        assert not np.array_equal(made > 0, x > 0.5)
        other = training.program.bits(x, Generator(9))
        assert not np.array_equal(other, made)


def test_samples_are_pictures_and_a_page_of_them(trained, tmp_path):
    program = trained.program
    drawn = program.sample(trained.model, 7, Generator(0))
    assert drawn.shape == (7, 8, 8, 1) and 0 <= drawn.min() < drawn.max() <= 1
    assert np.array_equal(drawn, program.sample(trained.model, 7, Generator(0)))
    program.draw(trained.model, tmp_path / "page.png", Generator(0))
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_one_that_is_told_the_class_is_judged():
    outcome = train(PICTURES["codes-of-classes"]().replaced(epochs=15, lr=0.01))
    assert outcome.test["agreement"] > 0.5 > outcome.history.rows[0]["agreement"]
    assert {"variety", "class_frechet", "floor_class_frechet"} <= set(outcome.test)
    assert outcome.test["way"] < outcome.history.rows[0]["way"]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"binarise": "grey"}, "not those of VAE"),
        ({"more": 1}, "not those of VAE"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"lr": "x"}, "lr must be a number"),
    ],
)
def test_only_batches_and_rate_may_differ(change, words):
    program = RECIPES["vae-mnist"].program
    with pytest.raises(ConfigError, match=words):
        program.restored({**program.stored(), **change})
    other = program.changed("vae-mnist", 7, 0.5)
    assert program.restored(json.loads(json.dumps(other.stored()))) == other
    with pytest.raises(ConfigError, match="binarise must be stochastic, threshold or grey"):
        program.replaced(binarise="no")
