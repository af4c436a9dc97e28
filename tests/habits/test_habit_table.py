"""Every row of the table: what is typed fails with the row's words, what it says instead runs."""

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from words import run, words

import tinydl as td
from tinydl import data, habits, nn, optim
from tinydl.errors import ArgumentsError, ConfigError
from tinydl.train.forms import LOSSES
from tinydl.train.metrics import KNOWN

NAMES = list(habits.names().values())
CALLED = [row for rows in habits.keywords().values() for row in rows]
PLACES = [row for row in CALLED if row.typed.endswith("(*)") and row.typed != "fit(*)"]
KEYWORDS = [row for row in CALLED if not row.typed.endswith("(*)")]
MODULES = {
    "td": "tinydl", "nn": "tinydl.nn", "init": "tinydl.nn.init", "optim": "tinydl.optim",
    "train": "tinydl.train", "data": "tinydl.data",
}  # fmt: skip
MEMBERS = ("x", "model", "optimizer", "schedule", "history")
PACKAGE = str(Path(td.__file__).parents[1])
FIT = {"loss": "{}", "metric": "nn.mse, metrics=[{}]"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return words(tmp_path_factory.mktemp("habits"))


@pytest.fixture
def names(made):
    yield dict(made)
    made["model"].unfreeze().train().astype("float32")  # what rows do to it


def ids(row):
    return row.typed


def test_there_are_enough_rows_and_none_twice():
    assert len(NAMES) + len(KEYWORDS) >= 200
    text = habits.rows_of(importlib.import_module("tinydl.habits.modules").NAMES)
    text += habits.rows_of(importlib.import_module("tinydl.habits.members").MEMBERS)
    assert len({row.typed for row in text}) == len(text)
    assert len({(row.typed, row.here) for row in CALLED}) == len(CALLED)


def test_every_row_says_something():
    for row in [*NAMES, *CALLED]:
        assert row.whose.rstrip("=") in ("P", "K", "N"), row
        assert row.here or row.remark, row


@pytest.mark.parametrize("row", [r for r in NAMES if r.typed.split(".")[0] in MODULES], ids=ids)
def test_a_name_of_a_module(row):
    place, name = row.typed.split(".")
    module = importlib.import_module(MODULES[place])
    if inspect.ismodule(vars(module).get(name)):
        pytest.skip(f"{row.typed} was imported meanwhile")  # td.data, by this test
    assert not hasattr(module, name)
    with pytest.raises(AttributeError) as error:
        getattr(module, name)
    assert row.advice() in str(error.value)
    if row.here.startswith("from "):  # a module that is not there before it is imported
        return
    with pytest.raises(ImportError) as error:
        exec(f"from {module.__name__} import {name}", {})
    assert row.advice() in str(error.value)


@pytest.mark.parametrize("row", [r for r in NAMES if r.typed.split(".")[0] in FIT], ids=ids)
def test_a_name_that_fit_takes(row, names):
    place, name = row.typed.split(".")
    call = f"train.fit(model, batches, {FIT[place]}, optimizer=optimizer, progress=False)"
    with pytest.raises(ConfigError) as error:
        run(call.format(repr(name)), names)
    assert row.advice() in str(error.value)
    known = {"loss": LOSSES, "metric": KNOWN}[place]
    assert run(row.here, names) in known


@pytest.mark.parametrize("row", [r for r in NAMES if r.typed.split(".")[0] in MEMBERS], ids=ids)
def test_a_name_after_a_dot(row, names):
    place, name = row.typed.split(".")
    assert not hasattr(names[place], name)
    assert name not in dir(names[place])
    with pytest.raises(AttributeError) as error:
        getattr(names[place], name)
    assert row.advice() in str(error.value)
    if row.whose.endswith("="):
        with pytest.raises(AttributeError) as error:
            setattr(names[place], name, 0)
        assert row.advice() in str(error.value)


@pytest.mark.parametrize("row", [r for r in NAMES if r.here], ids=ids)
def test_what_is_written_instead_of_a_name_runs(row, names):
    run(row.here, names)


#: Calls that take one more keyword; the first that has the right one and lacks the other is tried.
CALLS = """\
td.sum(x, {})
td.argmax(x, {})
leaf.sum().backward({})
td.clip(x, {})
td.resize(images, {})
x.flatten({})
td.std(x, {})
td.flip(x, {})
td.roll(x, {})
td.roll(x, axis=1, {})
td.repeat(x, {})
td.full((2, 3), {})
td.zeros((2, 3), {})
td.tensor(array, {})
td.split(x, axis=0, {})
td.one_hot(labels, {})
data.one_hot(labels, {})
td.triu(x, {})
td.diagonal(x, {})
td.adaptive_max_pool2d(images, 2, {})
td.leaky_relu(x, {})
td.scaled_dot_product_attention(x, x, x, {})
td.normal((2, 3), {})
td.pad(x, ((1, 1), (0, 0)), {})
nn.ReLU({})
nn.HardTanh({})
nn.PReLU({})
nn.Softmax({})
nn.LeakyReLU({})
nn.Dropout({})
nn.Linear(out_features=5, {})
nn.Linear(in_features=10, {})
nn.Linear(10, 5, {})
nn.Embedding(embedding_dim=8, {})
nn.Embedding(num_embeddings=8, {})
nn.Embedding(20, 8, {})
nn.Conv2d(in_channels=3, kernel_size=3, {})
nn.Conv2d(out_channels=3, kernel_size=3, {})
nn.Conv2d(4, 8, 3, {})
nn.Conv2d(3, 8, {})
nn.Conv1d(3, 8, 3, {})
nn.MaxPool2d({})
nn.MaxPool2d(2, {})
nn.LSTM(input_size=3, {})
nn.LSTM(hidden_size=3, {})
nn.LSTM(3, 4, {})
nn.SimpleRNN(3, 4, {})
nn.GRU(3, 4, {})
nn.Bidirectional(nn.LSTM(3, 4), nn.LSTM(3, 4), {})
nn.RepeatVector({})
nn.Apply({})
nn.BatchNorm({})
nn.BatchNorm(8, {})
nn.InstanceNorm({})
nn.GroupNorm(channels=8, {})
nn.GroupNorm(groups=4, {})
nn.GroupNorm(4, 8, {})
nn.LayerNorm({})
nn.LayerNorm((8,), {})
nn.MultiHeadAttention(heads=2, {})
nn.MultiHeadAttention(features=8, {})
nn.MultiHeadAttention(8, 2, {})
nn.bce(probabilities, {})
nn.bce(probabilities, targets, {})
nn.mse(prediction, target, {})
nn.nll(td.log_softmax(logits), {})
nn.cross_entropy(logits, {})
nn.cross_entropy(logits, labels, {})
nn.huber(target=target, {})
nn.soft_cross_entropy(targets=probabilities, {})
optim.Adam({})
optim.Adam(model.parameters(), {})
optim.SGD(model.parameters(), {})
optim.RMSprop(model.parameters(), {})
optim.Rprop(model.parameters(), {})
train.predict(model, xs, {})
optim.clip_by_value(model.parameters(), {})
optim.StepDecay(0.1, {})
optim.StepDecay(0.1, every=10, {})
optim.Exponential(0.1, {})
optim.Exponential(0.1, 0.9, {})
optim.Exponential(factor=0.9, {})
optim.Piecewise(values=[0.1, 0.01, 0.001], {})
optim.Cosine(0.1, {})
optim.Cosine(0.1, 50, {})
optim.Polynomial(0.1, 50, {})
train.fit(model, batches, optimizer=optimizer, epochs=1, progress=False, {})
train.fit(model, (xs, ys), nn.mse, optimizer, progress=False, {})
train.fit(model, batches, nn.mse, optimizer, 1, {})
train.BestCheckpoint({})
train.BestCheckpoint(path, {})
train.WriteHistory({})
train.EarlyStopping({})
train.ReduceOnPlateau({})
train.TensorBoard({})
train.TensorBoard(path, {})
data.Batches((xs, ys), batch_size=2, {})
data.pad_sequences([[1, 2], [3]], {})
data.random_split(10, rng=rng, {})
data.windows(series, {})
data.mnist({})
data.imdb_keras({})
data.Rotate({})
data.Flip({})
nn.Parameter(array, {})
optimizer.zero_grad({})
""".splitlines()
#: What is not run: it would need files.
NOT_RUN = ("data.mnist", "data.imdb_keras", "train.TensorBoard")


def called(call, names):
    """(the function or class, the keywords that the call gives, the number of its other
    arguments)."""
    import ast

    tree = ast.parse(call.replace(", {}", "").replace("{}", ""), mode="eval").body
    return eval(ast.unparse(tree.func), names), {k.arg for k in tree.keywords}, len(tree.args)


def parameters(function):
    made = function.__init__ if inspect.isclass(function) else function
    from tinydl.doors import parameters_of

    return list(parameters_of(made, (object.__new__(function),) if made is not function else ()))


def required(function):
    return {
        name
        for name, p in inspect.signature(function).parameters.items()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    }


def example_for(row, names):
    """The first call whose function has the row's arguments, free, and lacks the typed one."""
    scope, keyword = row.typed.removesuffix("=)").split("(")
    for call in CALLS:
        function, given, places = called(call, names)
        there = parameters(function)
        taken = given | set(there[:places])
        wanted = set() if scope else habits.arguments_of(row)
        if (
            function.__name__ == (scope or function.__name__)
            and keyword not in there
            and wanted <= set(there)
            and not wanted & taken
            and required(function) - taken <= wanted
            and (scope or first_choice(row, function, there))
        ):
            return call
    raise AssertionError(f"no call in CALLS for {row}")


def first_choice(row, function, there):
    """Whether this row, and no other of the same keyword, speaks for the function."""
    keyword = row.typed.removesuffix("=)").partition("(")[2]
    return row.advice() in habits._unknown(function.__name__, keyword, None, there)


@pytest.mark.parametrize("row", KEYWORDS, ids=lambda row: f"{row.typed} {row.here}")
def test_a_keyword(row, names):
    call = example_for(row, names)
    keyword = row.typed.removesuffix("=)").partition("(")[2]
    with pytest.raises(ArgumentsError) as error:
        run(call.format(f"{keyword}=None"), names)
    assert row.advice() in str(error.value)
    assert str(error.value).startswith(called(call, names)[0].__name__)
    if row.typed.startswith("(") and row.here and not call.startswith(NOT_RUN):
        run(call.format(row.here), names)
    elif row.here and not row.typed.startswith("("):
        run(row.here, names)


@pytest.mark.parametrize("row", PLACES, ids=ids)
def test_too_many_arguments_without_keywords(row, names):
    name = row.typed.removesuffix("(*)")
    function = next(vars(m)[name] for m in (nn, data) if name in vars(m))
    with pytest.raises(ArgumentsError) as error:
        function(3, 4, 2)
    assert str(error.value).startswith(f"{name}: too many positional arguments; {row.advice()}")
    if row.here:
        run(row.here, names)


def test_a_call_of_fit_with_x_and_y_apart_is_told_that_they_are_a_pair(names):
    with pytest.raises(
        ArgumentsError, match=r"fit\(model, \(xs, ys\), .* \(x and y are one pair\)"
    ):
        run('train.fit(model, xs, ys, loss="bce")', names)


@pytest.mark.parametrize(
    "call, said",
    [
        ("td.softmax(x, dim=-1)", "write axis=-1"),
        ("td.sum(x, axis=0, keepdim=False)", "write keepdims=False"),
        ("optim.Adam(model.parameters(), learning_rate=1e-3)", "write lr=0.001"),
        ("nn.Linear(10, 5, use_bias=True)", "write bias=True"),
        ("train.fit(model, batches, nn.mse, verbose=1)", "write progress=True"),
        ("train.fit(model, batches, nn.mse, verbose=0)", "write progress=False"),
        ("train.fit(model, (xs, ys), nn.mse, validation_split=0.2)", "write validation=0.2"),
        ("nn.LayerNorm(10, epsilon=1e-6)", "write eps=1e-06"),
    ],
)
def test_the_advice_has_the_value_that_was_typed(call, said, names):
    with pytest.raises(ArgumentsError) as error:
        run(call, names)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "line, said",
    [
        ("import tinydl.datasets", "write from tinydl.data import mnist"),
        ("from tinydl.datasets import mnist", "write from tinydl.data import mnist"),
        ("from tinydl.callbacks import TensorBoard", "from tinydl.train import"),
        ("import tinydl.nonsense", "No module named 'tinydl.nonsense'"),
    ],
)
def test_a_module_that_others_have(line, said):
    with pytest.raises(ImportError) as error:
        exec(line, {})
    assert said in str(error.value)


def test_names_of_the_rooms_are_found_from_the_house():
    for name, said in {
        "Linear": "nn.Linear", "Adam": "optim.Adam", "fit": "train.fit", "Input": "nn.Linear",
        "EarlyStopping": "train.EarlyStopping", "DataLoader": "data.Batches",
    }.items():  # fmt: skip
        with pytest.raises(AttributeError, match=said):
            getattr(td, name)


def test_the_larger_rooms_are_imported_when_asked_for():
    code = (
        "import sys, tinydl as td; late = {'tinydl.train', 'tinydl.data', 'tinydl.viz'};"
        "assert not late & {*sys.modules}; td.train.fit, td.data.Batches, td.viz.image_grid"
    )
    child = [sys.executable, "-P", "-c", code]
    subprocess.run(child, env=os.environ | {"PYTHONPATH": PACKAGE}, check=True)


def test_an_unknown_keyword_gets_the_nearest():
    with pytest.raises(ArgumentsError, match="Linear: there is no argument 'in_feature': did you"):
        nn.Linear(in_feature=3, out_features=4)
    with pytest.raises(ArgumentsError, match="Adam: there is no argument 'foo'; there are param"):
        optim.Adam([], foo=1)


def test_missing_and_superfluous_arguments_name_the_class_and_what_it_takes():
    with pytest.raises(ArgumentsError, match=r"LSTM: missing .* 'hidden_size'; it takes \(input_s"):
        nn.LSTM(3)
    with pytest.raises(ArgumentsError, match=r"ReLU: too many .*; it takes \(\)"):
        nn.ReLU(3)
    with pytest.raises(ArgumentsError, match=r"Linear: too many positional .*; it takes \(x\)"):
        nn.Linear(3, 4)(1, 2)
