"""fit, evaluate and predict with arrays and names, and what they say to anything else."""

from functools import partial

import numpy as np
import pytest
from cases.losses import ALL
from closeness import assert_close

import tinydl as td
from tinydl import nn, optim
from tinydl.data import Batches, blobs
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.train import EarlyStopping, evaluate, fit, predict
from tinydl.train.forms import LOSSES, OPTIMIZERS, whole_arrays

SAMPLES = blobs(90, 3, td.Generator(7), features=4, separation=2.0)
X, Y = SAMPLES.x, SAMPLES.y
SET = SAMPLES.split(0.2, td.Generator(0))
BITS, HEIGHTS = Y % 2, X[:, :1] * 2 + 1


def model(outputs=3):
    td.seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


def weights(trained):
    return [p.numpy() for p in trained.parameters()]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def test_arrays_are_batches_of_32_in_the_order_of_the_seed():
    fit(a := model(), (X, Y), "cross_entropy", "sgd", 2, progress=False)
    b = model()
    batches = Batches((X, Y), 32, rng=td.random.default_generator())
    fit(b, batches, nn.cross_entropy, optim.SGD(b.parameters()), 2, progress=False)
    assert same(a, b)


@pytest.mark.parametrize(
    "arrays",
    [
        [X, Y],
        (X.astype(np.float64), Y),
        (td.tensor(X), td.tensor(Y)),
        (X.tolist(), Y.tolist()),
        (X, Y.tolist()),
        (X, Y.astype(np.int16).astype(np.int32)),
    ],
    ids=["list", "float64", "tensors", "lists", "mixed", "int32"],
)
def test_the_forms_of_arrays_are_one(arrays):
    wanted = fit(a := model(), (X, Y), "cross_entropy", batch_size=16, progress=False)
    found = fit(b := model(), arrays, "cross_entropy", batch_size=16, progress=False)
    assert same(a, b) and wanted["loss"] == found["loss"]
    assert evaluate(a, arrays, "cross_entropy") == evaluate(a, (X, Y), nn.cross_entropy)
    assert_close(predict(a, arrays[0]), predict(a, X), 0)


def test_a_row_of_batches_is_no_array():
    batches = [(X[:5], Y[:5]), (X[5:], Y[5:])]
    assert whole_arrays("fit", batches) is None and whole_arrays("fit", tuple(batches)) is None
    assert whole_arrays("fit", [[X[:5], Y[:5]]]) is None
    assert len(whole_arrays("fit", ([[1.0], [2.0]], [0, 1]))) == 2


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_by_its_name(name):
    assert LOSSES[name] is getattr(nn, name)
    trained = model()
    if name in ("bce", "margin", "dice"):
        trained = nn.Sequential(trained, nn.Sigmoid())
    if name == "nll":
        trained = nn.Sequential(trained, nn.LogSoftmax())
    if name in ("soft_cross_entropy", "kl_categorical"):
        trained, target = nn.Sequential(trained), np.eye(3)[Y]
    elif name in ("cross_entropy", "nll"):
        target = Y
    else:
        target = np.eye(3, dtype=np.int64)[Y]
        target = 2 * target - 1 if "hinge" in name else target
    history = fit(trained, (X, target), name, "sgd", 3, progress=False)
    assert history["loss"][-1] < history["loss"][0]


#: Losses of nn that compare more, or less, than outputs and targets.
NO_TARGETS = {
    *("contrastive", "ctc", "gaussian_nll", "gradient_penalty", "kl_gaussian", "triplet"),
    *("least_squares_discriminator", "least_squares_generator", "wasserstein_critic"),
    *("wasserstein_generator", "total_variation", "cosine_embedding", "margin_ranking"),
}


def test_every_loss_and_optimiser_has_its_name():
    losses = {name.partition("-")[0] for name in ALL} | {"gradient_penalty"}
    assert set(LOSSES) == losses - NO_TARGETS
    rules = {n for n in optim.__all__ if isinstance(getattr(optim, n), type)}
    rules = {n for n in rules if issubclass(getattr(optim, n), optim.Optimizer)}
    assert set(OPTIMIZERS) == {n.lower() for n in rules - {"Optimizer"}}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_by_its_name(name):
    rule = {r.lower(): r for r in optim.__all__}[name]
    seen = []

    class Look:
        def on_fit_start(self, state):
            seen.append(state.optimizer)

    trained = model()
    trained.layers[0].freeze()
    fit(trained, (X, Y), "cross_entropy", name, 1, callbacks=[Look()], progress=False)
    assert type(seen[0]) is getattr(optim, rule) and len(seen[0].parameters) == 2
    assert seen[0].names == ["layers.2.weight", "layers.2.bias"]


def test_a_share_to_validate_with_is_the_last_samples():
    found = fit(model(), (X, Y), "cross_entropy", epochs=2, validation=0.2, progress=False)
    rest, last = (X[:72], Y[:72]), (X[72:], Y[72:])
    wanted = fit(model(), rest, "cross_entropy", epochs=2, validation=last, progress=False)
    assert found["val_loss"] == wanted["val_loss"] and found["loss"] == wanted["loss"]


def test_a_share_of_sorted_classes_is_refused():
    order = np.argsort(Y, kind="stable")
    with pytest.raises(ConfigError, match="are of class 2, which no other sample has; shuffle"):
        fit(model(), (X[order], Y[order]), "cross_entropy", validation=0.4, progress=False)
    for share in (0.0, 1.0, 1.5):
        with pytest.raises(ConfigError, match="validation is a share between 0 and 1"):
            fit(model(), (X, Y), "cross_entropy", validation=share, progress=False)


def test_metrics_by_name():
    logits = predict(model(1), X)
    right = np.mean((logits[:, 0] > 0) == (BITS > 0))
    found = evaluate(model(1), (X, BITS[:, None]), "bce_with_logits", ["binary_accuracy"])
    assert found["binary_accuracy"] == pytest.approx(right)
    sure = nn.Sequential(model(1), nn.Sigmoid())
    found = evaluate(sure, (X, BITS[:, None]), "bce", ["binary_accuracy"])
    assert found["binary_accuracy"] == pytest.approx(right)
    found = evaluate(model(1), (X, HEIGHTS), "mse", ["mae"])
    assert found["mae"] == pytest.approx(np.abs(logits - HEIGHTS).mean(), rel=1e-6)
    pixels = nn.Conv2d(2, 3, 1)
    x, y = np.ones((4, 5, 6, 2), np.float32), np.arange(120).reshape(4, 5, 6) % 3
    found = evaluate(pixels, (x, y), "cross_entropy", ["pixel_accuracy"])
    assert found["pixel_accuracy"] == pytest.approx(np.mean(predict(pixels, x).argmax(-1) == y))
    with pytest.raises(
        ConfigError, match="unknown 'acc', write \"accuracy\"; there are accuracy, b"
    ):
        evaluate(pixels, (x, y), "cross_entropy", ["acc"])
    for wrong in (True, np.ones(2), {"a": 1}):
        with pytest.raises(ConfigError, match="metrics: "):
            evaluate(pixels, (x, y), "cross_entropy", wrong)
    with pytest.raises(ConfigError, match="3 is neither a function of"):
        evaluate(pixels, (x, y), "cross_entropy", [3])


WRONG = {
    "the pair first": (((X, Y), model()), "the model comes first and is an nn.Module"),
    "a class": ((nn.Sequential, (X, Y), "mse"), "is the class Sequential: call it"),
    "keras": ((model(), X, Y), r"inputs and targets go together, as in fit\(model, \(x, y\)"),
    "one array": ((model(), X, "mse"), r"the data must be \(x, y\) or Batches\(x, y, batch_s"),
    "a tensor": ((model(), td.tensor(X), "mse"), r"got one array \(90, 4\)"),
    "samples": ((model(), SAMPLES, "mse"), r"got .*Samples.*; as in \(data.x, data.y\)"),
    "a word": ((model(), "mnist", "mse"), r"must be arrays \(x, y\) or an iterable of batches"),
    "only x": ((model(), (X,), "mse"), r"needs inputs and targets, \(x, y\), got one array"),
    "a data set": ((model(), SET, "mse"), r"got .*Dataset.*; as in \(data.x_train, data.y_tra"),
    "no such loss": ((model(), (X, Y), "crossentropy"), "did you mean 'cross_entropy'"),
    "no loss": ((model(), (X, Y), None), "the loss must be a function of"),
    "a class of loss": ((model(), (X, Y), dict), "the loss must be a function of"),
    "no such rule": ((model(), (X, Y), "mse", "adm"), "did you mean 'adam'"),
    "a class of rule": ((model(), (X, Y), "mse", optim.Adam), r"give optim.Adam\(model.param"),
    "a rate": ((model(), (X, Y), "mse", 0.1), "must be one of tinydl.optim or one of the names"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_none_gets_one_sentence(name):
    given, sentence = WRONG[name]
    if len(given) < 3:
        given = (*given, "mse")
    with pytest.raises(ConfigError, match=sentence) as caught:
        fit(*given, progress=False)
    assert str(caught.value).startswith("fit: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 1.5, np.ones(1), td.ones(3)], ids=str)
def test_a_loss_gives_one_number(value):
    for call in (fit, evaluate):
        with pytest.raises(ConfigError, match="the loss must give one number in a tensor, got"):
            call(model(), (X, Y), lambda outputs, targets: value)


def test_a_batch_size_belongs_to_arrays():
    batches = Batches(X, Y, batch_size=30)
    for call in (fit, evaluate):
        with pytest.raises(ConfigError, match="batch_size belongs to arrays"):
            call(model(), batches, "cross_entropy", batch_size=4)
    with pytest.raises(ConfigError, match="can be cut off arrays alone"):
        fit(model(), batches, "cross_entropy", validation=0.1)


def test_what_a_loss_would_take_for_something_else_is_told():
    with pytest.raises(
        ConfigError, match=r"takes probabilities, but the outputs go from -.*Sigmoid"
    ):
        fit(model(1), (X, BITS[:, None]), "bce", progress=False)
    with pytest.raises(ConfigError, match="one class, whose loss is always 0"):
        fit(model(1), (X, BITS), "cross_entropy", progress=False)
    with pytest.raises(ShapeError, match=r"got \(32, 1\) and \(32,\); targets\[..., None\]"):
        fit(model(1), (X, BITS), "bce_with_logits", progress=False)


def test_targets_that_a_loss_of_yes_and_no_does_not_know_are_told():
    signs, bits = 2 * BITS[:, None] - 1, BITS[:, None]
    for loss in ("hinge", "squared_hinge"):
        with pytest.raises(ConfigError, match=rf"{loss}: takes targets -1 or 1, .* 2 \* targets"):
            fit(model(1), (X, bits), loss, progress=False)
        with pytest.raises(ConfigError, match=f"{loss}: takes targets -1 or 1, but one is 0.5$"):
            evaluate(model(1), (X, bits / 2 + 0.5), loss)
        assert fit(model(1), (X, signs), loss, progress=False)["loss"]
    ends = nn.Sequential(model(1), nn.Sigmoid())
    with pytest.raises(ConfigError, match=r"poisson_nll: takes counts from 0 on, but one is -1$"):
        fit(model(1), (X, signs), "poisson_nll", progress=False)
    for net, loss in ((ends, "bce"), (model(1), "bce_with_logits"), (model(1), "focal")):
        with pytest.raises(ConfigError, match=rf"{loss}: takes targets in 0..1, .* -1 to 1; for"):
            fit(net, (X, signs), partial(getattr(nn, loss), reduction="mean"), progress=False)
        with pytest.raises(ConfigError, match=f"{loss}: takes targets in 0..1, .* 0 to 255$"):
            fit(net, (X, 255 * bits), loss, progress=False)
        assert fit(net, (X, 0.9 * bits + 0.05), loss, progress=False)["loss"]  # smoothed


def test_what_would_be_done_twice_is_told():
    ends = nn.Sequential(model(), nn.Sequential(nn.Dropout(0.1), nn.Softmax()))
    for loss in ("cross_entropy", nn.soft_cross_entropy):
        with pytest.raises(
            ConfigError, match=r"ends with Softmax, which .*cross_entropy does itself"
        ):
            fit(ends, (X, Y), loss, progress=False)
    ends = nn.Sequential(model(1), nn.Sigmoid())
    with pytest.raises(
        ConfigError, match=r"ends with Sigmoid.*: leave the layer out, or use loss='bce'"
    ):
        fit(ends, (X, BITS[:, None]), "bce_with_logits", progress=False)
    fit(ends, (X, BITS[:, None]), "bce", progress=False)


def test_predict_takes_what_fit_takes():
    trained = model()
    assert_close(predict(trained, X.astype(np.float64)), predict(trained, X), 0)
    assert predict(trained.astype("float64"), X).dtype == np.float64
    for wrong in ("x", None, {1: 2}):
        with pytest.raises(DTypeError, match="predict: input 0 must be an array of numbers"):
            predict(trained, wrong)
    with pytest.raises(ConfigError, match="predict: the model comes first"):
        predict(X, trained)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "8"])
def test_a_batch_size_is_a_whole_number_at_every_door(size):
    for call in (fit, evaluate):
        with pytest.raises(ConfigError, match=f"{call.__name__}: batch_size must be an integer"):
            call(model(), (X, Y), "cross_entropy", batch_size=size)


def test_a_share_is_any_number():
    found = fit(model(), (X, Y), "cross_entropy", validation=np.float32(0.25), progress=False)
    assert "val_loss" in found.last
    for share in (0, 1, np.float32(1.5), True):
        with pytest.raises(ConfigError, match="fit: validation is a share between 0 and 1"):
            fit(model(), (X, Y), "cross_entropy", validation=share, progress=False)
    with pytest.raises(ConfigError, match=r"validation: .*as in validation=\(x, y\)"):
        fit(model(), (X, Y), "cross_entropy", validation=X, progress=False)


@pytest.mark.parametrize("other", [None, "a", {"y": 1}])
def test_an_array_beside_something_else_is_no_row_of_batches(other):
    with pytest.raises(ConfigError, match=r"fit: data\[1\] must be an array"):
        fit(model(), (X, other), "cross_entropy", progress=False)


def test_labels_may_be_a_list_of_numpy_s_numbers():
    wanted = fit(a := model(), (X, Y), "cross_entropy", progress=False)
    found = fit(b := model(), (X, list(Y)), "cross_entropy", progress=False)
    assert same(a, b) and wanted["loss"] == found["loss"]


def test_metrics_that_would_hide_one_another_are_refused():
    def error(outputs, targets):
        return (outputs - targets).abs().mean(axis=1)

    both = [error, lambda o, t: error(o, t), lambda o, t: error(o, t)]
    with pytest.raises(ConfigError, match="two are called '<lambda>'"):
        evaluate(model(1), (X, HEIGHTS), "mse", both)
    assert evaluate(model(1), (X, HEIGHTS), metrics={"loss": error})["loss"] > 0
    for name in ("loss", "epoch", "seconds", "val_mae"):
        with pytest.raises(ConfigError, match=f"{name!r} is a column of its own"):
            fit(model(1), (X, HEIGHTS), "mse", metrics={name: error}, progress=False)


def test_one_column_has_no_largest():
    for name in ("accuracy", "pixel_accuracy"):
        with pytest.raises(ShapeError, match=f"{name}: .* one class; .* binary_accuracy"):
            evaluate(model(1), (X, BITS), metrics=[name])


def test_a_loss_with_options_is_the_loss():
    loss = partial(nn.bce_with_logits, reduction="mean")
    plain = evaluate(model(1), (X, BITS[:, None]), nn.bce_with_logits, ["binary_accuracy"])
    assert evaluate(model(1), (X, BITS[:, None]), loss, ["binary_accuracy"]) == plain
    with pytest.raises(ConfigError, match="ends with Softmax"):
        smooth = partial(nn.cross_entropy, label_smoothing=0.1)
        fit(nn.Sequential(model(), nn.Softmax()), (X, Y), smooth, progress=False)


def test_what_is_no_log_probability_is_told():
    for ends in (model(), nn.Sequential(model(), nn.Softmax())):
        with pytest.raises(ConfigError, match=r"nll: takes log-probabilities, but .*LogSoftmax"):
            fit(ends, (X, Y), "nll", progress=False)
    fit(nn.Sequential(model(), nn.LogSoftmax()), (X, Y), "nll", progress=False)


def test_nothing_to_evaluate_is_told():
    with pytest.raises(ConfigError, match="evaluate: neither a loss nor metrics"):
        evaluate(model(), (X, Y))


def test_the_other_arguments_have_their_kinds():
    for wrong in ({"callbacks": EarlyStopping("loss")}, {"history": []}, {"progress": "no"}):
        with pytest.raises(ConfigError, match=f"fit: {next(iter(wrong))} must be"):
            fit(model(1), (X, HEIGHTS), "mse", **{"progress": False, **wrong})
    frozen = model()
    frozen.freeze()
    with pytest.raises(ConfigError, match="fit: all parameters of the optimiser are frozen"):
        fit(frozen, (X, Y), "cross_entropy", optim.SGD(frozen.parameters()), progress=False)


def test_a_generator_lasts_one_epoch():
    with pytest.raises(ConfigError, match="no batch in epoch 2; a generator is used up"):
        fit(model(), iter([(X, Y)]), "cross_entropy", epochs=2, progress=False)
