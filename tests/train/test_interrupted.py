"""A training that is broken off in any epoch and resumed from its checkpoint, in a new process as
it were, ends bitwise as the one that nobody broke off: with every callback that stops, keeps or
steers, wherever the checkpoint stands among them."""

import os
from contextlib import suppress

import numpy as np
import pytest

import tinydl as td
from tinydl import nn, optim
from tinydl.data import Batches
from tinydl.train import (
    BestCheckpoint,
    Checkpoint,
    EarlyStopping,
    History,
    LearningRateSchedule,
    ReduceOnPlateau,
    State,
    TerminateOnNaN,
    fit,
    load_checkpoint,
    restore,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 2, 24)  # nothing to be learnt: losses go up and down
EPOCHS, RATE = 9, 0.1


def steep(columns, mode="auto"):
    return ReduceOnPlateau(columns, optim.Plateau(0.5, 2, 0.0), mode)


#: Callbacks beside the checkpoint: make(folder).
SETS = {
    "nothing": lambda f: [],
    "stops early": lambda f: [EarlyStopping("val_loss", 2)],
    "stops at once": lambda f: [EarlyStopping("val_loss", 1, min_delta=10.0)],
    "stops for accuracy": lambda f: [EarlyStopping("val_accuracy", 3, min_delta=0.01)],
    "never stops": lambda f: [EarlyStopping("val_loss", 99)],
    "never stops, keeps the last": lambda f: [EarlyStopping("loss", 99, mode="max")],
    "stops without weights": lambda f: [EarlyStopping("val_loss", 2, restore_best=False)],
    "best file": lambda f: [BestCheckpoint(f / "best", "val_loss", min_delta=0.01)],
    "plateau": lambda f: [steep("val_accuracy")],
    "two plateaus": lambda f: [steep("loss", "min"), steep("val_accuracy")],
    "rate per epoch": lambda f: [LearningRateSchedule(optim.Cosine(RATE, EPOCHS))],
    "rate per batch": lambda f: [LearningRateSchedule(optim.StepDecay(RATE, 5, 0.5), "batch")],
    "ends on NaN": lambda f: [Poison(), TerminateOnNaN(lambda text: None)],
    "all": lambda f: [
        Poison(), EarlyStopping("val_loss", 4), steep("val_accuracy"),
        BestCheckpoint(f / "best", "val_accuracy"), TerminateOnNaN(lambda text: None),
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Thousands of files that nobody needs after a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Poison:
    """The weights become NaN in epoch 8."""

    def on_batch_end(self, state):
        if state.epoch == 7:
            bias = state.model.layers[0].bias
            bias.assign(np.full(bias.shape, np.nan, np.float32))


class Power(Exception):
    pass


class BreaksOff:
    """In the middle of the epoch after `epoch`."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, state):
        if state.epoch == self.epoch and state.batch == 2:
            raise Power


class Process:
    """Everything that one process makes anew."""

    def __init__(self, name, folder, first):
        td.seed(1)
        rng = td.Generator(2)
        self.model = nn.Sequential(
            nn.Linear(3, 6, rng=rng),
            nn.BatchNorm(6, 0.5),
            nn.Dropout(0.3),
            nn.Linear(6, 2, rng=rng),
        )
        self.optimizer = optim.SGD(self.model.named_parameters(), RATE, momentum=0.5)
        self.batches = Batches((X, Y), 8, rng=rng)
        checkpoint, others = Checkpoint(folder / "run"), SETS[name](folder)
        self.callbacks = [checkpoint, *others] if first else [*others, checkpoint]
        self.state = State(self.model, self.optimizer, self.batches, History(), 0)

    def fit(self, *more):
        return fit(
            self.model, self.batches, nn.cross_entropy, self.optimizer, EPOCHS, ["accuracy"],
            validation=[(X[:9], Y[:9])], callbacks=[*self.callbacks, *more], progress=False,
            start_epoch=self.state.epoch, history=self.state.history,
        )  # fmt: skip

    def outcome(self, history, folder):
        """Everything but the seconds, bit by bit."""
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history]
        files = {}
        for path in sorted(folder.iterdir()):
            tensors, saved = load_checkpoint(path)
            files[path.name] = {k: a.tobytes() for k, a in tensors.items()}, saved["epoch"]
        weights = {k: a.tobytes() for k, a in self.model.state_dict().items()}
        averages = self.optimizer.state_dict()
        kept = {k: a.tobytes() for k, a in averages["arrays"].items()}
        return repr(rows), weights, kept, averages["scalars"], files, td.uniform((2,)).tolist()


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("name", SETS)
def test_broken_off_in_any_epoch_and_resumed_it_is_the_same(name, first, tmp_path):
    (whole := tmp_path / "whole").mkdir()
    unbroken = Process(name, whole, first)
    history = unbroken.fit()
    expected = unbroken.outcome(history, whole)
    for epoch in range(1, len(history) + 1):
        (folder := tmp_path / str(epoch)).mkdir()
        broken = Process(name, folder, first)
        with suppress(Power):
            broken.fit(BreaksOff(epoch))
        td.uniform((7,))
        resumed = Process(name, folder, first)
        restore(folder / "run", resumed.state, resumed.callbacks)
        assert resumed.state.epoch == epoch
        assert resumed.outcome(resumed.fit(), folder) == expected, epoch


def test_the_courses_are_worth_resuming(tmp_path):
    """They stop, cut, keep and end on NaN somewhere in the middle."""
    ends, rates = {}, {}
    for name in SETS:
        (folder := tmp_path / name).mkdir()
        process = Process(name, folder, True)
        ends[name] = len(process.fit())
        rates[name] = process.optimizer.lr
    assert ends["nothing"] == ends["never stops"] == ends["plateau"] == EPOCHS
    assert 1 < ends["stops at once"] < ends["stops early"] < EPOCHS
    assert ends["ends on NaN"] == 7
    assert all(rates[n] < RATE for n in ("plateau", "two plateaus", "rate per epoch"))
    best = load_checkpoint(tmp_path / "best file" / "best")[1]["epoch"]
    assert 1 < best < EPOCHS
