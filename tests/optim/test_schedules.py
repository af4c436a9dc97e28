"""Schedules against their closed forms, and through `fit`."""

import numpy as np
import pytest
from cases.optimizers import SCHEDULES
from closeness import assert_close
from support import oracle_module

from tinydl import nn
from tinydl.errors import ConfigError
from tinydl.optim import SGD
from tinydl.optim.schedules import (
    Cosine,
    Exponential,
    Piecewise,
    Plateau,
    Polynomial,
    StepDecay,
    WarmUp,
)
from tinydl.train import LearningRateSchedule, ReduceOnPlateau, fit


@pytest.mark.parametrize(("schedule", "rates"), SCHEDULES, ids=lambda v: type(v).__name__)
def test_closed_forms(schedule, rates):
    found = [schedule(step) for step in range(len(rates))]
    assert all(isinstance(rate, float) for rate in found)
    assert_close(found, rates, 1e-14)


@pytest.mark.oracle
def test_cosine_agrees_with_pytorch():
    torch = oracle_module("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, 0.01)
    mine = Cosine(0.3, 10, 0.01)
    for step in range(11):
        assert mine(step) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()


def test_plateau_waits_cuts_and_stops_at_the_smallest_rate():
    plateau, lr, rates = Plateau(0.5, 2, 0.0, min_lr=0.2), 1.0, []
    for value in [3.0, 2.0, 2.0, float("nan"), 2.5, 1.0, 1.0, 1.0, 1.0, 1.0]:
        lr = plateau.update(value, lr)
        rates.append(lr)
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: StepDecay(0.1, 0),
        lambda: Exponential(-1, 0.5),
        lambda: Polynomial(0.1, 0),
        lambda: Cosine(0.1, 0),
        lambda: WarmUp(0, 0.1),
        lambda: Piecewise([3, 2], [1, 2, 3]),
        lambda: Piecewise([2], [1]),
        lambda: Plateau(1.5),
        lambda: LearningRateSchedule(lambda step: 0.1, per="year"),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ConfigError, match="needs"):
        make()


def run(callbacks, lr=1.0, epochs=3):
    model = nn.Sequential(nn.Linear(2, 1, weight_init="zeros"))
    optimizer = SGD(model.parameters(), lr=lr)
    x, y = np.ones((2, 2), np.float32), np.zeros((2, 1), np.float32)
    fit(model, [(x, y), (x, y)], nn.mse, optimizer, epochs, callbacks=callbacks, progress=False)
    return optimizer


class Spy:
    def __init__(self):
        self.rates = []

    def on_batch_end(self, state):
        self.rates.append(state.optimizer.lr)


def test_schedule_in_fit():
    spy = Spy()
    run([spy, LearningRateSchedule(Piecewise([1, 2], [0.4, 0.2, 0.1]))], lr=0.4)
    assert spy.rates == [0.4, 0.4, 0.2, 0.2, 0.1, 0.1]
    spy = Spy()
    run([spy, LearningRateSchedule(Exponential(0.8, 0.5), per="batch")], lr=0.8)
    assert spy.rates == [0.8 * 0.5**i for i in range(6)]


def test_plateau_in_fit():
    optimizer = run([ReduceOnPlateau("loss", Plateau(0.5, 1, 0.0))], lr=1e-9, epochs=3)
    assert optimizer.lr == 0.25e-9  # the loss is 0 from the first epoch on
