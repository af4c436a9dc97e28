"""Recipes: complete, with the books' parameter counts; splits; measured results; backends agree."""

import dataclasses
import json

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl.baselines import beaten, name_of
from tinydl.data import CATALOG
from tinydl.errors import ConfigError, DataError
from tinydl.experiment.card import FAST
from tinydl.experiment.datasets import DATASETS, load_dataset
from tinydl.nn import summary
from tinydl.optim import SGD
from tinydl.programs.parts import load_parts
from tinydl.programs.scores import ACCURACY
from tinydl.programs.supervised import warmed_cosine
from tinydl.recipes import RECIPES, Split, Target, find
from tinydl.recipes.atienza2020 import TABLE
from tinydl.runs.report import entry, markdown, row_of
from tinydl.runs.reproduce import (
    is_recorded,
    load_measured,
    record,
    record_beside,
    reproduce,
    to_run,
)
from tinydl.runs.run import Settings, begin, train
from tinydl.runs.told import comparison, listing, page

#: The counts that the books print, or that follow from their layers.
BOOK_PARAMETERS = {
    "softmax-mnist": 7_850,
    "mnist-v1": 7_850,
    "mnist-v2": 118_282,
    "mnist-v3a": 118_282,
    "mnist-v3b": 118_282,
    "mnist-v4": 118_282,
    "mnist-v5": 118_282,
    "mnist-v6": 118_282,
    "mlp-mnist": 269_322,
    "cnn-mnist": 80_266,
    "rnn-mnist": 75_530,
    "mlp-mnist-512": 669_706,
    "fashion-dfn": 235_146,
    "fashion-mlp-512": 407_050,
    "rnn-mnist/sgd-512": 282_122,
}
ALL = [r if v is None else r.variant(v.name) for r in RECIPES.values() for v in (None, *r.variants)]
FORMS = [*ALL, *(r.variant(FAST) for r in ALL)]


def classes_of(dataset):
    """As far as they are known without a file and without drawing thousands of pictures."""
    if dataset in CATALOG:
        return CATALOG[dataset].classes
    load = DATASETS.get(dataset)
    if load is None or not load.__module__.startswith("tinydl.data."):
        return ()
    try:
        return getattr(load(), "classes", ())
    except DataError:  # without scikit-learn
        return ()


@pytest.mark.parametrize("recipe", ALL, ids=lambda r: r.name)
def test_the_model_has_the_stated_parameters_and_takes_the_stated_input(recipe, on_numpy):
    model = recipe.program.build()
    built = model.count_parameters()
    assert built == recipe.parameters, f"{recipe.name} states other parameters than its model has"
    if recipe.program.kind != "supervised":
        return  # their models have rows of their own in tests/cases
    table = summary(model, recipe.program.input_shape)
    assert table.parameters == recipe.parameters
    classes = classes_of(recipe.dataset)
    if recipe.program.score == ACCURACY and classes:
        last = table.rows[-1].output_shape
        assert last == (len(classes),), f"{recipe.dataset} has {len(classes)} classes"


def test_parameters_are_the_books():
    assert {name: find(name).parameters for name in BOOK_PARAMETERS} == BOOK_PARAMETERS


@pytest.mark.parametrize("recipe", FORMS, ids=lambda r: r.name)
def test_every_recipe_is_complete(recipe):
    assert find(recipe.name) == recipe, "its key in RECIPES is its name"
    assert recipe.book and recipe.chapter and recipe.title
    assert recipe.dataset in DATASETS, "no such row in tinydl/experiment/datasets.py"
    assert recipe.epochs > 0 and recipe.time_budget > 0
    stored = recipe.program.stored()
    again = recipe.program.restored(json.loads(json.dumps(stored)))
    assert json.dumps(again.stored()) == json.dumps(stored)
    assert set(recipe.reported) | set(recipe.checked) <= {"train", "val", "test"}
    if recipe.program.is_share(recipe.program.score):
        numbers = [*recipe.reported.values(), *recipe.checked.values()]
        assert all(0 < v <= 1 for v in numbers), "shares are fractions of 1, not percent"
    if recipe.program.kind == "supervised":
        assert recipe.program.batch_size > 0
        optimizer = recipe.program.optimizer(
            [tinydl.tensor([0.0], backend="numpy")], **recipe.program.optimizer_settings
        )
        assert optimizer.lr > 0
    json.dumps(entry(recipe, {}))
    assert recipe.name in str(page(recipe, {}))
    assert recipe.baselines and set(recipe.not_beaten) <= set(recipe.baselines)
    assert all(b.__doc__ for b in recipe.baselines), "a sentence says what a baseline does"


def test_learning_rates_are_the_frameworks_defaults_where_the_book_names_none():
    rates = {"SGD": 0.01, "Adam": 0.001, "RMSprop": 0.001}
    for name in BOOK_PARAMETERS:
        recipe = find(name)
        optimizer = recipe.program.optimizer(
            [tinydl.tensor([0.0], backend="numpy")], **recipe.program.optimizer_settings
        )
        expected = 0.5 if name == "softmax-mnist" else rates[recipe.program.optimizer.__name__]
        assert optimizer.lr == expected


def test_the_table_of_eighteen_rows():
    recipe = RECIPES["mlp-mnist"]
    assert len(TABLE) == 18 and len(recipe.variants) == 18 + 13
    rows = to_run(recipe, table=True)
    linear = rows[0]
    assert linear.program.architecture["activation"] is None
    assert linear.program.optimizer_settings == {"lr": 0.01}
    assert rows[1].program.optimizer_settings == {"lr": 0.1} and rows[1].reported == linear.reported
    l2 = recipe.variant("row02-sgd-0.1")
    assert l2.program.architecture["l2"] == 0.001 and l2.program.architecture["dropout"] == 0.0
    assert recipe.variant("row13-sgd-0.1").program.architecture["sizes"] == (784, 1024, 1024, 10)
    best = recipe.variant("row16-adam-0.001")
    assert best.program.architecture["sizes"] == recipe.program.architecture["sizes"]
    assert best.reported == {"train": 0.9939, "test": 0.985} and best.target is None
    assert max(r.reported["test"] for r in rows) == 0.985
    assert [len(RECIPES[n].variants) for n in ("cnn-mnist", "rnn-mnist")] == [4, 4]


@pytest.mark.parametrize("name", RECIPES)
def test_unknown_names_suggest_the_closest(name):
    wrong = name.replace("-", "_", 1) if "-" in name else name + "x"
    with pytest.raises(ConfigError, match=rf"unknown recipe '{wrong}'; did you mean .*{name}"):
        find(wrong)


def test_what_is_like_no_name_is_told_what_there_is():
    with pytest.raises(ConfigError, match=rf"there are {len(RECIPES)} "):
        find("?" * 40)
    with pytest.raises(ConfigError, match=r"no variant 'adamw', there are sgd, rmsprop, .*fast"):
        find("rnn-mnist/adamw")


def test_settings_are_checked_and_leave_the_recipe_alone():
    recipe = RECIPES["mnist-v2"]
    changed = recipe.changed(epochs=3, lr=0.5)
    assert changed.epochs == 3
    assert changed.program.batch_size == 128
    assert changed.program.optimizer_settings == {"lr": 0.5}
    assert recipe.epochs == 20 and not recipe.program.optimizer_settings
    for bad in ({"epochs": 0}, {"batch_size": -1}, {"lr": 0.0}):
        with pytest.raises(ConfigError, match="must be above 0"):
            recipe.changed(**bad)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 1


def test_a_schedule_sees_every_update_and_ends_at_zero():
    recipe = RECIPES["synthetic-digits"].replaced(
        epochs=2,
        schedule=warmed_cosine,
        optimizer_settings={"lr": 0.2},
    )
    rates = []

    class Rates:
        def on_batch_end(self, state):
            rates.append(state.optimizer.lr)

    session = begin(recipe, Settings(backend="numpy"))
    session.fit([Rates()])  # called after the schedule: the rate of the next update
    assert len(rates) == 2 * len(session.batches) == 64
    assert max(rates) == pytest.approx(0.2) and rates.index(max(rates)) < 8 and 0 < rates[0] < 0.1
    assert rates[-1] == pytest.approx(0, abs=1e-3) and session.lr == 0.2


def test_a_transform_sees_the_training_batches_only():
    seen = []

    def counted(batch, rng):
        seen.append(len(batch[0]))
        return batch

    recipe = RECIPES["synthetic-digits"].replaced(epochs=1, transform=counted)
    session = begin(recipe, Settings(backend="numpy"))
    session.fit()
    session.measure("test")
    assert sum(seen) == len(session.parts.train[1])


# -- splits ----------------------------------------------------------------------------------------


def test_digits_split_is_stratified_and_does_not_depend_on_the_training_seed():
    pytest.importorskip("sklearn")
    recipe = RECIPES["mlp-digits"]
    assert "stratified random 80/20 split, split seed 0" in str(recipe.program.split)
    parts = load_parts(recipe)
    (x, y), (x_test, y_test) = parts.train, parts.test
    assert x.shape[1:] == (64,) and x.dtype == np.float32 and x.min() == 0 and x.max() == 1
    assert len(y) + len(y_test) == 1797 and abs(len(y_test) - 0.2 * 1797) < 1
    assert np.bincount(y_test).min() >= 34
    tinydl.seed(123)
    assert np.array_equal(load_parts(recipe).test[0], x_test)
    rows = {row.tobytes() for row in x}
    assert not rows & {row.tobytes() for row in x_test}


def test_the_writer_disjoint_part_is_the_last_360_images():
    pytest.importorskip("sklearn")
    recipe = RECIPES["mlp-digits"].variant("writers")
    parts = load_parts(recipe)
    assert len(parts.test[1]) == 360 and len(parts.train[1]) == 1437
    images = load_dataset("digits").x
    assert np.array_equal(parts.test[0], images[-360:].reshape(360, 64) / 16)
    assert "writer" in recipe.notes[-1]


@pytest.mark.parametrize(
    ("name", "sizes", "steps"),
    [
        ("mnist-v2", (48_000, 12_000, 10_000), 375),
        ("softmax-mnist", (55_000, 5_000, 10_000), 429),
        ("mlp-mnist", (60_000, 0, 10_000), 469),
        ("cnn-mnist", (60_000, 0, 10_000), 469),
        ("fashion-dfn", (54_000, 6_000, 10_000), 843),
    ],
)
def test_sizes_and_steps_are_the_books(name, sizes, steps, data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    recipe = RECIPES[name]
    parts = load_parts(recipe)
    assert (
        len(parts.train[1]),
        len(parts.validation[1]) if parts.validation else 0,
        len(parts.test[1]),
    ) == sizes
    session = begin(recipe, Settings(backend="numpy"), parts)
    assert len(session.batches) == steps
    assert parts.train[0].shape[1:] == recipe.program.input_shape
    assert parts.train[0].min() >= 0 and parts.train[0].max() == 1


def test_a_validation_part_is_the_last_fifth(data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    parts, stored = load_parts(RECIPES["mnist-v2"]), load_dataset("mnist")
    assert np.array_equal(parts.validation[1], stored.y_train[48_000:])
    assert np.array_equal(parts.train[1], stored.y_train[:48_000])


def test_impossible_splits_are_refused():
    recipe = RECIPES["synthetic-digits"]
    with pytest.raises(ConfigError, match="no test part of its own"):
        load_parts(recipe.replaced(split=Split()))
    with pytest.raises(ConfigError, match="do not fit the input"):
        load_parts(recipe.replaced(input_shape=(65,)))


# -- training --------------------------------------------------------------------------------------


def test_synthetic_digits_reach_their_target():
    recipe = RECIPES["synthetic-digits"]
    outcome = train(recipe)
    assert recipe.target.met(outcome.test["accuracy"])
    assert outcome.seconds < 10


def test_mlp_digits_reach_97_percent_as_the_mean_of_five_seeds():
    pytest.importorskip("sklearn")
    recipe = RECIPES["mlp-digits"]
    result = reproduce(recipe)
    assert recipe.target == Target(at_least=0.97) and len(result.outcomes) == 5
    assert result.mean("test") >= 0.97
    strangers = train(recipe.variant("writers"))
    assert 0.88 < strangers.test["accuracy"] < result.mean("test")


def test_the_seed_decides_everything():
    recipe = RECIPES["synthetic-digits"].changed(epochs=2)
    first, again, other = (train(recipe, Settings(seed=s)) for s in (1, 1, 2))
    assert first.history["loss"] == again.history["loss"] != other.history["loss"]
    assert first.metrics().keys() == {"loss", "accuracy", "test_loss", "test_accuracy"}


class Losses:
    def __init__(self, steps):
        self.steps, self.losses = steps, []

    def on_batch_end(self, state):
        if len(self.losses) < self.steps:
            self.losses.append(state.loss.item())
        state.stop = len(self.losses) == self.steps


def losses_of(backend, dtype, epochs=2):
    recipe = RECIPES["synthetic-digits"].changed(epochs=epochs)
    session, losses = begin(recipe, Settings(0, backend, dtype)), Losses(50)
    session.fit([losses])
    return np.array(losses.losses)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-4), ("float64", 1e-9)])
def test_per_step_losses_agree_on_all_backends(backend, dtype, rtol):
    expected, found = losses_of("numpy", dtype), losses_of(backend.name, dtype)
    assert len(found) == 50 and found[-1] < found[0]
    assert_close(found, expected, rtol)


def test_a_whole_training_agrees_on_all_backends(backend):
    """SGD step by step; Adam, under which rounding grows, in its means."""
    recipe = RECIPES["synthetic-digits"].changed(epochs=3, lr=0.1)
    recipe = recipe.replaced(optimizer=SGD)
    found = []
    for name in ("numpy", backend.name):
        session, losses = begin(recipe, Settings(backend=name)), Losses(96)
        session.fit([losses])
        found.append(losses.losses)
    assert len(found[0]) == 96
    assert_close(found[1], found[0], 1e-4)
    adam = RECIPES["synthetic-digits"].changed(epochs=6)
    a, b = (train(adam, Settings(backend=name)) for name in ("numpy", backend.name))
    assert_close(b.history["loss"], a.history["loss"], 0.01)
    assert_close(b.history["accuracy"], a.history["accuracy"], 1e-7, atol=0.005)


# -- results ---------------------------------------------------------------------------------------


def test_recording_and_printing_results(tmp_path):
    recipe, lines = RECIPES["synthetic-digits"].changed(epochs=1), []
    result = reproduce(recipe, seeds=2, tell=lines.append)
    path = tmp_path / "measured.json"
    assert record([result], path) == [path]
    (row,) = load_measured(path).values()
    assert row["seeds"] == [0, 1] and len(row["test_by_seed"]) == 2
    assert row["test"] == pytest.approx(np.mean(row["test_by_seed"]), abs=1e-6)
    assert len(lines) == 3 and "seed 1" in lines[2]
    assert "beside nearest mean 89.75, logistic regression 100.00" in lines[0]
    cells = row_of(recipe, row)
    assert cells[0] == "synthetic-digits" and cells[-2] in ("yes", "NO")
    assert "synthetic-digits" in comparison([cells]).text()
    assert "| synthetic-digits |" in markdown({recipe.name: row})
    other = reproduce(RECIPES["synthetic-digits"].changed(epochs=1), seeds=1)
    assert {"test_spread", "command"} <= set(row) and " ± " in cells[7]
    assert "nearest mean 89.75" in cells[-1]
    record([other], path)
    again = load_measured(path)["synthetic-digits"]
    assert again["seeds"] == [0] and "test_spread" not in again
    assert row_of(recipe, again)[8] == "one" and again["command"].endswith("--seeds 1 --record")
    assert not is_recorded(RECIPES["synthetic-digits"], path=path)  # another number of epochs
    assert is_recorded(recipe, 1, path) and not is_recorded(recipe, 2, path)
    record_beside(recipe, {"half": {"accuracy": 0.5}}, path)
    row = load_measured(path)["synthetic-digits"]
    assert row["baselines"] == {"half": {"accuracy": 0.5}} and row["test"] == again["test"]
    assert row["baselines_by"] == "tinydl reproduce synthetic-digits --baselines --record"
    with pytest.raises(ConfigError, match="no figure of xor-mlp is recorded"):
        record_beside(RECIPES["xor-mlp"], {}, path)
    with pytest.raises(ConfigError, match="seeds must be >= 1"):
        reproduce(recipe, seeds=0)
    with pytest.raises(ConfigError, match="has no table"):
        to_run(recipe, table=True)


def test_targets():
    assert Target(at_least=0.97).met(0.97) and not Target(at_least=0.97).met(0.9699)
    near = Target(near=0.9455)
    assert near.met(0.9430) and not near.met(0.9420) and str(near) == "94.55 +- 0.3 %"


def test_what_was_measured_belongs_to_recipes():
    measured = load_measured()
    assert len(measured) > 20
    for name, row in measured.items():
        recipe = find(name)
        assert row["epochs"] == recipe.epochs
        if recipe.target is not None and len(row["seeds"]) >= recipe.seeds:
            assert recipe.target.met(row["test"]), name
        for measure, target in recipe.targets.items() if len(row["seeds"]) >= recipe.seeds else ():
            found = row.get("measures", {})
            assert measure not in found or target.met(found[measure]), (name, measure)
        better = beaten(recipe.program, row["test"], row["baselines"])
        assert set(row["baselines"]) == set(map(name_of, recipe.baselines)), name
        lost = {baseline for baseline, won in better.items() if not won}
        assert lost == set(map(name_of, recipe.not_beaten)), f"{name}: its card says otherwise"
    assert "mlp-digits" in str(listing(RECIPES.values(), measured))


def test_what_takes_less_than_ten_minutes_is_trained_with_three_seeds():
    quick = [recipe for recipe in RECIPES.values() if recipe.time_budget < 600]
    assert len(quick) > 20
    assert [recipe.name for recipe in quick if recipe.seeds < 3] == []
