"""`pytest -m recipes`: the fast form of every recipe, and that each goes on exactly.

In the plain suite the kinds of programs are proved once, by tests/recipes/test_programs.py. What
needs data that are not there is skipped, with the sentence of the loader.
"""

import numpy as np
import pytest

from tinydl.baselines import beside, problem_of_fast
from tinydl.errors import DataError
from tinydl.experiment.card import FAST, MINUTE
from tinydl.recipes import RECIPES
from tinydl.runs.run import DEFAULTS, begin, claim, resumed, train, train_into

pytestmark = pytest.mark.recipes
FEW, SOME = 40, 300  # samples to train and to test with, where a recipe has samples


def loaded(recipe):
    try:
        return recipe.program.load(recipe, DEFAULTS)
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def where_the_data_are(data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    monkeypatch.setenv("TINYDL_OFFLINE", "1")


@pytest.mark.parametrize("name", RECIPES)
def test_its_fast_form_beats_its_baseline_within_a_minute(name):
    recipe = RECIPES[name].variant(FAST)
    data = loaded(recipe)
    outcome = train(recipe, DEFAULTS, data)
    found, score = beside(begin(recipe, DEFAULTS, data)), outcome.test[recipe.program.score]
    assert problem_of_fast(recipe, score, found) == "", (score, found)
    assert outcome.cpu_seconds < MINUTE


@pytest.mark.parametrize("name", RECIPES)
def test_it_goes_on_bitwise_where_it_was_stopped(name, tmp_path, monkeypatch):
    """One epoch and one more, from the run folder, are two: weights, history, measures."""
    recipe = RECIPES[name].variant(FAST).replaced(epochs=2)
    if recipe.samples:
        turn = getattr(recipe.program, "critic_steps", 1)  # of the critic, then the generator's
        few = max(FEW, turn * getattr(recipe.program, "batch_size", 0))  # batches may be full ones
        trained, *tested = recipe.samples
        # Half of the test part: two of each class at least, where a judge compares classes.
        least = [min(max(few, SOME), n) for n in tested]
        recipe = recipe.replaced(samples=(min(few, trained), *least))
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    whole = begin(recipe, DEFAULTS, loaded(recipe))
    history = whole.fit()
    with claim(tmp_path / "run", name) as lock:
        broken = begin(recipe, DEFAULTS, loaded(recipe))
        monkeypatch.setattr(type(broken), "watchers", lambda *_: (Stop(),))
        with pytest.raises(KeyboardInterrupt):
            train_into(lock, broken, False)
    monkeypatch.undo()
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    again = resumed(tmp_path / "run")
    assert again.state.epoch == 1
    outcome = train_into(tmp_path / "run", again, False)
    assert without_seconds(outcome.history) == without_seconds(history)
    for key, value in whole.model.state_dict().items():
        assert np.array_equal(again.model.state_dict()[key], value), key
    assert outcome.test == whole.measure("test")


class Stop:
    def on_epoch_done(self, state):
        raise KeyboardInterrupt


def without_seconds(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
