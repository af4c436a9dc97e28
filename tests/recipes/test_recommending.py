"""Recommenders: the baselines are what they are called, and nothing known is proposed."""

import json

import numpy as np
import pytest
from closeness import assert_close

from tinydl.baselines import biases, mean_of_the_film, mean_stars
from tinydl.baselines.films import DAMPING, bias_model
from tinydl.command.main import main
from tinydl.errors import ConfigError, ShapeError
from tinydl.experiment.datasets import drawn_ratings, load_dataset
from tinydl.models import MaskedRBM, RatingsAutoencoder, RatingsRBM
from tinydl.programs.recommending import errors_of
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, train

SIZES = {
    RatingsRBM: {"items": 80, "hidden": 8},
    MaskedRBM: {"visible": 80, "hidden": 8},
    RatingsAutoencoder: {"users": 120, "hidden": 8},
}


def small(model, **changes):
    """A recipe on made-up ratings."""
    name = "autoencoder-films" if model is RatingsAutoencoder else "rbm-films"
    settings = {"dataset": "drawn_ratings", "model": model, "architecture": SIZES[model]}
    return RECIPES[name].replaced(**settings, least=5, **changes)


def test_the_bias_model_is_the_least_squares_solution():
    train_half = drawn_ratings().train
    users, films = len(train_half.user_ids), len(train_half.item_ids)
    rows = np.zeros((len(train_half), users + films))
    rows[np.arange(len(rows)), train_half.users] = 1
    rows[np.arange(len(rows)), users + train_half.items] = 1
    left = train_half.stars - train_half.stars.mean()
    damped = rows.T @ rows + DAMPING * np.eye(users + films)
    solution = np.linalg.solve(damped, rows.T @ left)
    assert_close(np.concatenate(bias_model(train_half)), solution, 1e-6)


def test_baselines_are_means():
    training = begin(small(RatingsRBM))
    halves = training.halves
    stars = halves.train.matrix()
    mean = halves.train.stars.mean()
    films = [stars[:, k][stars[:, k] > 0].mean() for k in range(80)]
    users, items = bias_model(halves.train)
    for baseline, table in (
        (mean_stars, np.full((120, 80), mean)),
        (mean_of_the_film, np.tile(films, (120, 1))),
        (biases, np.clip(mean + users[:, None] + items, 1, 5)),
    ):
        away = table[halves.test.users, halves.test.items] - halves.test.stars
        found = baseline(training, "test")
        assert_close(found["mae"], np.abs(away).mean(), 1e-6)
        assert_close(found["rmse"], np.sqrt((away**2).mean()), 1e-6)
        assert set(baseline(training, "train")) == set(errors_of(table, halves.train))


def test_every_rating_is_in_one_half():
    train_half, test_half = drawn_ratings()
    cells = [{*zip(h.users, h.items, strict=True)} for h in (train_half, test_half)]
    assert len(cells[0]) == len(train_half) and len(cells[1]) == len(test_half)
    assert not cells[0] & cells[1]
    assert abs(len(test_half) / (len(train_half) + len(test_half)) - 0.2) < 0.001


@pytest.mark.parametrize("model", SIZES)
def test_it_begins_at_the_films_means(model):
    """Before any step a machine guesses near what each film got, and within the stars."""
    training = begin(small(model, epochs=1))
    found = training.measure()
    films = mean_of_the_film(training, "test")["rmse"]
    assert found["rmse"] < 1.02 * films or model is RatingsAutoencoder
    guesses = training.model.guess(training.stars)
    assert guesses.shape == (120, 80) and guesses.min() >= 0 and guesses.max() <= 5


def test_the_autoencoder_learns_the_factors():
    recipe = small(RatingsAutoencoder, epochs=40, optimizer_settings={"lr": 0.01})
    found, beside = train(recipe).test["rmse"], biases(begin(recipe), "test")["rmse"]
    assert found < 0.95 * beside


@pytest.mark.parametrize("model", SIZES)
def test_no_film_is_proposed_that_the_user_knows(model):
    recipe = small(model)
    program, (train_half, test_half) = recipe.program, load_dataset("drawn_ratings")
    machine = begin(recipe).model
    seen = np.maximum(train_half.matrix(), test_half.matrix()) > 0
    counts = (train_half.matrix() > 0).sum(axis=0)
    for row in range(0, 120, 17):
        user = int(train_half.user_ids[row])
        found = program.recommend(machine, user, 1000, recipe)
        places = [int(np.flatnonzero(train_half.item_ids == f.item)[0]) for f in found]
        assert set(places) == set(np.flatnonzero(~seen[row] & (counts >= program.least)))
        stars = [f.stars for f in found]
        assert stars == sorted(stars, reverse=True)
        assert len(program.rated(user, recipe)) == seen[row].sum()
        assert program.recommend(machine, user, 3, recipe) == found[:3]
    with pytest.raises(ConfigError, match="has no user 99999; its users are"):
        program.recommend(machine, 99999, 3, recipe)


def test_a_table_of_another_size_is_refused():
    recipe = small(RatingsAutoencoder).replaced(architecture={"users": 7, "hidden": 2})
    with pytest.raises(ShapeError, match="RatingsAutoencoder: stars must be"):
        begin(recipe)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    text = OWN.format(users=120)
    (folder / "films.py").write_text(text)
    out = str(folder / "run")
    assert main(["train", str(folder / "films.py"), "--quiet", "--out", out]) == 0
    return out, str(folder / "films.py")


OWN = """
from tinydl.recipes import RECIPES

FILMS = RECIPES["autoencoder-films"].replaced(
    name="my-films", dataset="drawn_ratings", epochs=1, least=5,
    architecture={{"users": {users}, "hidden": 4}},
)
"""


def test_the_command_prints_titles(run, capsys):
    folder, file = run
    arguments = ["recommend", folder, "--user", "3", "--count", "4", "--recipe", file]
    assert main([*arguments, "--json"]) == 0
    told = capsys.readouterr()
    films = json.loads(told.out)["films"]
    assert len(films) == 4 and all(f["title"] in told.err for f in films)
    assert main(arguments) == 0 and films[0]["title"] in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, words",
    [
        (["--user", "5000"], "has no user 5000"),
        (["--user", "3", "--count", "0"], "--count must be >= 1"),
    ],
)
def test_what_cannot_be_recommended_is_one_sentence(run, more, words, capsys):
    folder, file = run
    assert main(["recommend", folder, *more, "--recipe", file]) == 2
    assert words in capsys.readouterr().err
