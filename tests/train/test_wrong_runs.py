"""A run that would train nothing, or count something else than it says, does not start."""

import numpy as np
import pytest

from tinydl import nn, optim
from tinydl.data import Batches
from tinydl.errors import ConfigError, ShapeError
from tinydl.train import TerminateOnNaN, evaluate, fit, load_weights, predict, save_weights

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 4)).astype(np.float32), np.arange(6) % 3


def batches():
    return Batches((X, Y), batch_size=4, shuffle=False)


def run(model=None, optimizer=None, **options):
    model = nn.Linear(4, 3) if model is None else model
    optimizer = optim.SGD(model.parameters(), 0.1) if optimizer is None else optimizer
    options = {"epochs": 1, "progress": False, **options}
    return fit(model, batches(), nn.cross_entropy, optimizer, **options)


@pytest.mark.parametrize("value", [-1, 1.5, float("nan"), "2", None])
def test_epochs_are_counted_in_whole_numbers(value):
    for name in ("epochs", "start_epoch"):
        with pytest.raises(ConfigError, match=f"fit: {name} must be an integer >= 0, got"):
            run(**{name: value})


def test_an_optimiser_of_another_model_is_refused():
    with pytest.raises(ConfigError, match="holds no parameter of this model"):
        run(optimizer=optim.SGD(nn.Linear(4, 3).parameters(), 0.1))


@pytest.mark.parametrize("callback", [3, print, TerminateOnNaN])
def test_what_is_no_callback_is_refused(callback):
    with pytest.raises(ConfigError, match="is no callback: it has no on_fit_start"):
        run(callbacks=[callback])


@pytest.mark.parametrize(
    "metric",
    [lambda y, t: 1.0, lambda y, t: y.sum(), lambda y, t: y],
    ids=["float", "scalar", "matrix"],
)
def test_a_metric_gives_one_number_per_sample(metric):
    with pytest.raises(ShapeError, match=r"metric m: must be .* one number per sample, \(4,\)"):
        run(metrics={"m": metric})
    with pytest.raises(ShapeError, match="metric m"):
        evaluate(nn.Linear(4, 3), batches(), metrics={"m": metric})


def test_predict_needs_a_whole_batch_size():
    with pytest.raises(ConfigError, match=r"predict: batch_size must be an integer >= 1, got 1\.5"):
        predict(nn.Linear(4, 3), X, 1.5)


def test_what_is_no_batch_is_told_before_the_model_sees_it():
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), 0.1)
    for data in ([(X,)], [{"x": X}], [X, (X, Y)]):
        with pytest.raises(ConfigError, match=r"fit: the data must give batches \(inputs\.\.\., t"):
            fit(model, data, nn.cross_entropy, optimizer, 1, progress=False)
        with pytest.raises(
            ConfigError, match=r"evaluate: the data .* Batches\(x, y, batch_size=32\)"
        ):
            evaluate(model, data, nn.cross_entropy)


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert len(run(epochs=np.int64(2), start_epoch=np.int32(1), accumulate=np.int8(1))) == 1
    assert predict(nn.Linear(4, 3), X, np.int64(4)).shape == (6, 3)
    with pytest.raises(ConfigError, match="epochs must be an integer >= 0, got True"):
        run(epochs=True)
    with pytest.raises(ConfigError, match="batch_size must be an integer >= 1, got True"):
        predict(nn.Linear(4, 3), X, True)


def test_model_and_path_in_the_wrong_order_are_told(tmp_path):
    for function in (save_weights, load_weights):
        with pytest.raises(ConfigError, match="takes the model, then the path, got str first"):
            function(str(tmp_path / "w"), nn.Linear(4, 3))
