"""Forecasts of prices: measures in prices and in returns, and the sentence drawn from them."""

import numpy as np
import pytest

from tinydl.baselines import mean_return, persistence
from tinydl.command.runs import spoken_beside
from tinydl.experiment.datasets import load_dataset
from tinydl.programs.forecasting import Series, r2
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin
from tinydl.train import predict

SMALL = {"dataset": "drawn_prices", "architecture": {"hidden_size": 8}, "epochs": 2}


def test_windows_are_scaled_by_their_last_price_and_the_last_tenth_is_tested():
    prices = np.arange(1.0, 112.0)
    series = Series(prices, 10, 0.1, ())
    (x, y), (tested, truth) = series.parts.train, series.parts.test
    assert len(x) == 91 and len(tested) == 10 and (x[:, -1] == 1).all()
    assert truth[-1, 0] * series.last["test"][-1] == pytest.approx(111)
    assert series.last["train"][0] == 10 and y[0, 0] == pytest.approx(11 / 10)
    less = Series(prices, 10, 0.1, (20, 5))
    assert len(less.parts.train[0]) == 20 and len(less.parts.test[0]) == 5
    assert np.array_equal(less.parts.test[0], tested[:5])


def test_measures_are_those_of_prices_and_of_returns():
    training = begin(RECIPES["gru-djia"].replaced(**SMALL))
    training.fit()
    found, prices = training.measure(), load_dataset("drawn_prices").astype(np.float64)
    x, _ = training.parts.test
    told = predict(training.model, x)[:, 0].astype(np.float64)
    yesterday, truth = prices[-len(x) - 1 : -1], prices[-len(x) :]
    wrong = truth - told * yesterday
    assert found["rmse"] == pytest.approx(np.sqrt((wrong**2).mean()), rel=1e-4)
    assert found["mae"] == pytest.approx(np.abs(wrong).mean(), rel=1e-4)
    spread = ((truth - truth.mean()) ** 2).sum()
    assert found["r2"] == pytest.approx(1 - (wrong**2).sum() / spread, rel=1e-4)
    plain = persistence(training, "test")
    assert plain["mae"] == pytest.approx(np.abs(truth - yesterday).mean(), rel=1e-4)
    assert plain["r2_returns"] <= 0 and r2(truth, np.full(len(truth), truth.mean())) == 0
    drift = mean_return(training, "test")["rmse"]
    mean = training.parts.train[1].mean(dtype=np.float64)
    assert drift == pytest.approx(np.sqrt(((truth - mean * yesterday) ** 2).mean()), rel=1e-4)


@pytest.mark.parametrize(
    "rmse, returns, words",
    [
        (110.0, -0.02, "not better than the price of the day before (10.0 % more error)"),
        (99.0, 0.01, "better than the price of the day before (1.0 % less error)"),
    ],
)
def test_the_conclusion_follows_from_the_figures(rmse, returns, words):
    program = RECIPES["gru-djia"].program
    metrics = {"rmse": rmse, "mae": 70.0, "r2": 0.997, "r2_returns": returns}
    found = {"persistence": {"rmse": 100.0, "mae": 70.0, "r2": 0.9972, "r2_returns": 0.0}}
    line = spoken_beside(program, metrics, found)[-1]
    assert line.startswith(words)
    assert line.endswith("nothing" if returns < 0 else "1.0 %")
    assert program.conclusion(metrics, {}) == ""
