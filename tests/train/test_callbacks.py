"""Callbacks: early stopping by hand-made histories, and what fit calls when."""

import numpy as np
import pytest

from tinydl.data import Batches
from tinydl.errors import ConfigError
from tinydl.train import Checkpoint, EarlyStopping, History, State, WriteHistory, load_checkpoint


class Weights:
    """A model whose only weight is the epoch."""

    epoch = 0

    def state_dict(self):
        return {"w": np.array([self.epoch])}

    def load_state_dict(self, state):
        self.epoch = int(state["w"][0])


def run(stopper, values, column="val_loss"):
    """Epochs done and the weights that are left, for these values of the monitored column."""
    state = State(Weights(), None, None, History(), 0, len(values))
    for value in values:
        state.epoch += 1
        state.model.epoch = state.epoch
        state.history.append({"epoch": state.epoch, column: value})
        stopper.on_epoch_end(state)
        if state.stop:
            break
    weights = stopper.best_weights(state)
    if weights is not None:
        state.model.load_state_dict(weights)
    return state.epoch, state.model.epoch


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 4, 3, 4, 5, 6, 7], (5, 3)),
        ([5, 4, 3, 4, 2, 6, 7, 1], (7, 5)),
        ([5, 4, 3], (3, 3)),
        ([1, 2, 3], (3, 1)),
        ([float("nan"), 2, float("nan"), float("nan"), 0], (4, 2)),
        ([1, 1, 1, 0], (3, 1)),
    ],
)
def test_stops_after_two_epochs_without_improvement_and_restores_the_best(values, expected):
    assert run(EarlyStopping(patience=2), values) == expected


def test_accuracy_is_to_grow_and_small_steps_may_not_count():
    assert run(EarlyStopping("accuracy", 2), [0.1, 0.2, 0.2, 0.1], "accuracy") == (4, 2)
    small = EarlyStopping("accuracy", 2, min_delta=0.05)
    assert run(small, [0.1, 0.12, 0.14, 0.9], "accuracy") == (3, 1)
    assert small.best_epoch == 1
    assert run(EarlyStopping(patience=2, restore_best=False), [1, 2, 3, 4]) == (3, 3)
    assert run(EarlyStopping("loss", 1, mode="max"), [1, 2, 1], "loss") == (3, 2)


def test_patience_counts_on_from_a_resumed_history():
    state = State(Weights(), None, None, History(), 3, 9)
    state.history = History({"epoch": e, "val_loss": v} for e, v in enumerate([1, 2, 3, 4], 1))
    EarlyStopping(patience=3).on_epoch_end(state)
    assert state.stop


def test_bad_arguments_and_columns(problem):
    with pytest.raises(ConfigError, match="patience >= 1"):
        EarlyStopping(patience=0)
    with pytest.raises(ConfigError, match="every must be >= 1"):
        Checkpoint("x", every=0)
    with pytest.raises(ConfigError, match="no column 'val_loss', there are epoch, loss, accuracy"):
        problem().fit(1, callbacks=[EarlyStopping()])


class Recorder:
    def __init__(self):
        self.calls = []

    def on_batch_end(self, state):
        self.calls.append((state.epoch, state.batch, state.loss.item() > 0))

    def on_epoch_end(self, state):
        self.calls.append(("epoch", state.epoch, len(state.history)))
        state.stop = state.epoch == 2

    def on_fit_end(self, state):
        self.calls.append("end")


def test_when_callbacks_are_called(problem):
    recorder = Recorder()
    problem(n=32, batch_size=16).fit(5, callbacks=[recorder])
    assert recorder.calls == [
        (0, 1, True), (0, 2, True), ("epoch", 1, 1),
        (1, 1, True), (1, 2, True), ("epoch", 2, 2), "end",
    ]  # fmt: skip


def test_early_stopping_in_fit_leaves_the_best_epochs_weights(problem, equal):
    p, kept = problem(n=60), []

    class Keep:
        def on_epoch_end(self, state):
            kept.append(state.model.state_dict())

    p.optimizer.lr = 0.5  # jumps about: the best epoch is not the last
    validation = Batches((p.x, p.y), 60, shuffle=False)
    history = p.fit(30, validation=validation, callbacks=[Keep(), EarlyStopping(patience=3)])
    best = int(np.argmin(history["val_loss"]))
    assert len(history) == best + 4 < 30
    assert equal(p.model.state_dict(), kept[best])


def test_history_and_checkpoint_files(problem, tmp_path):
    p = problem()
    callbacks = [Checkpoint(tmp_path / "c", every=2, config={"a": 1}), WriteHistory(tmp_path / "h")]
    history = p.fit(3, callbacks=callbacks)
    assert History.from_csv(tmp_path / "h").rows == history.rows
    _, saved = load_checkpoint(tmp_path / "c")
    assert saved["epoch"] == 3 and saved["config"] == {"a": 1}
    assert sorted(f.name for f in tmp_path.iterdir()) == ["c", "h"]
