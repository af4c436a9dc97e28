"""A callback keeps nothing from one training for the next, and two of them do not undo each
other's work by the order in which they stand."""

import math
from itertools import permutations

import numpy as np
import pytest

import tinydl as td
from tinydl import nn, optim
from tinydl.errors import ConfigError
from tinydl.train import (
    BestCheckpoint,
    Checkpoint,
    EarlyStopping,
    History,
    LearningRateSchedule,
    PrintSamples,
    ReduceOnPlateau,
    TensorBoard,
    TerminateOnNaN,
    WriteHistory,
    fit,
    load_checkpoint,
)

X = np.linspace(0.5, 1.5, 16, dtype=np.float32).reshape(8, 2)
DATA = [(X[:4], X[:4, :1]), (X[4:], X[4:, :1])]


class Course:
    """Writes a wanted course of a column into the history, before the other callbacks look."""

    def __init__(self, values, column="loss"):
        self.values, self.column = values, column

    def on_epoch_end(self, state):
        state.history.rows[-1][self.column] = self.values[state.epoch - 1]


class Keep:
    def __init__(self):
        self.weights, self.rates = [], []

    def on_epoch_done(self, state):
        self.weights.append(state.model.state_dict()["weight"].tobytes())
        self.rates.append(state.optimizer.lr)


def run(course, *callbacks, seed=1, column="loss", **options):
    """(history, model, what the epochs had) of a training whose `column` takes this course."""
    model, keep = nn.Linear(2, 1, rng=td.Generator(seed)), Keep()
    optimizer = optim.SGD(model.parameters(), 0.1)
    history = fit(
        model, DATA, nn.mse, optimizer, len(course), progress=False,
        callbacks=[Course(course, column), *callbacks, keep], **options,
    )  # fmt: skip
    return history, model.weight.numpy().tobytes(), keep


#: Every callback that keeps something: make(folder).
KEEPERS = {
    "EarlyStopping": lambda f: EarlyStopping("loss", 3),
    "EarlyStopping, delta": lambda f: EarlyStopping("loss", 3, min_delta=0.5),
    "ReduceOnPlateau": lambda f: ReduceOnPlateau("loss", optim.Plateau(0.5, 2)),
    "TerminateOnNaN": lambda f: TerminateOnNaN(lambda text: None),
    "LearningRateSchedule": lambda f: LearningRateSchedule(optim.Cosine(0.1, 5)),
    "BestCheckpoint": lambda f: BestCheckpoint(f / "best", "loss"),
    "Checkpoint": lambda f: Checkpoint(f / "checkpoint", every=2),
    "PrintSamples": lambda f: PrintSamples(lambda m: 1, tell=lambda text: None),
    "WriteHistory": lambda f: WriteHistory(f / "history"),
}


@pytest.mark.parametrize("name", KEEPERS)
@pytest.mark.parametrize("first", [[1, 0.1, 5, 6], [math.nan] * 4, [0.1, 0.2, 0.3, 0.4]])
def test_a_second_training_is_the_one_of_a_new_callback(name, first, tmp_path):
    used, new, second = KEEPERS[name](tmp_path), KEEPERS[name](tmp_path), [5, 6, 5, 7, 8, 9]
    run(first, used, seed=1)
    again, weights, kept = run(second, used, seed=2)
    fresh, expected, wanted = run(second, new, seed=2)
    assert again["loss"] == fresh["loss"] and weights == expected
    assert kept.weights == wanted.weights and kept.rates == wanted.rates
    assert getattr(used, "best_epoch", 0) == getattr(new, "best_epoch", 0)


def test_a_plateau_shared_by_two_callbacks_counts_for_each():
    plateau = optim.Plateau(0.5, 2)
    both = [ReduceOnPlateau("loss", plateau), ReduceOnPlateau("accuracy", plateau)]
    rises = Course([0.1, 0.2, 0.3, 0.4, 0.5], "accuracy")
    *_, keep = run([5, 4, 3, 2, 1], rises, *both)
    assert keep.rates == [0.1] * 5 and plateau.best == math.inf


@pytest.mark.parametrize("column", ["loss", "accuracy"])
def test_a_rate_falls_where_the_value_gets_worse_and_only_there(column):
    sign = -1 if column == "accuracy" else 1
    better, worse = [sign * v for v in (5, 4, 3, 2, 1)], [sign * v for v in (1, 2, 3, 4, 5)]
    for plateau, mode in ((optim.Plateau(0.5, 2), "auto"), (optim.Plateau(0.5, 2), None)):
        options = {} if mode is None else {"mode": "max" if column == "accuracy" else "min"}
        steer = ReduceOnPlateau(column, plateau, **options)
        assert run(better, steer, column=column)[2].rates == [0.1] * 5
        assert run(worse, steer, column=column)[2].rates == [0.1, 0.1, 0.05, 0.05, 0.025]
    with pytest.raises(ConfigError, match="mode is 'max' but the plateau's is 'min'"):
        ReduceOnPlateau(column, optim.Plateau(mode="min"), "max")


def test_stopping_keeping_and_files_agree_on_the_best(tmp_path):
    course = [5.0, 4.8, 4.6, 3.0, 2.9, 2.8, 2.7]
    stop = EarlyStopping("loss", 3, min_delta=1.0)
    best = BestCheckpoint(tmp_path / "best", "loss", min_delta=1.0)
    history, weights, keep = run(course, stop, best)
    assert len(history) == 7 and stop.best_epoch == 4
    assert load_checkpoint(tmp_path / "best")[1]["epoch"] == 4
    assert weights == keep.weights[3]


class Fails:
    def on_batch_end(self, state):
        if state.epoch == 4:
            state.model.weight.assign(np.full((2, 1), np.nan, np.float32))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_callbacks_does_not_matter(order, tmp_path):
    """The best weights win over the last good ones; a checkpoint holds what all have done."""
    made = [
        EarlyStopping("loss", 9),
        TerminateOnNaN(lambda text: None),
        Checkpoint(tmp_path / "c"),
        ReduceOnPlateau("loss", optim.Plateau(0.5, 1)),
    ]
    course = [3, 1, 2, 4, 5, 6]
    history, weights, keep = run(course, *[made[i] for i in order], Fails())
    assert len(history) == 4 and weights == keep.weights[1]
    tensors, saved = load_checkpoint(tmp_path / "c")
    assert saved["epoch"] == 4 and saved["optimizer"]["lr"] == keep.rates[3] == 0.025
    assert tensors["callback.EarlyStopping(loss).weight"].tobytes() == keep.weights[1]


def test_a_stop_is_the_last_epoch_for_a_checkpoint_that_stands_before(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=100)
    run([1, 2, 3, 4, 5], checkpoint, EarlyStopping("loss", 2))
    assert load_checkpoint(tmp_path / "c")[1]["epoch"] == 3


def test_two_that_want_the_last_word_are_refused():
    with pytest.raises(ConfigError, match=r"EarlyStopping and EarlyStopping each bring .* weights"):
        run([1], EarlyStopping("loss"), EarlyStopping("accuracy"))
    run([1], EarlyStopping("loss"), EarlyStopping("loss", 9, restore_best=False))
    schedule = LearningRateSchedule(optim.Cosine(0.1, 5))
    for other in (schedule, ReduceOnPlateau("loss")):
        with pytest.raises(ConfigError, match="both set the optimiser's rate"):
            run([1], other, schedule)
    run([1], ReduceOnPlateau("loss"), ReduceOnPlateau("seconds", mode="min"))


def test_a_new_training_with_an_old_history_is_refused():
    history, *_ = run([3, 2, 1])
    with pytest.raises(ConfigError, match="start_epoch is 0 but the history ends with epoch 3"):
        run([3, 2, 1], history=history)
    assert len(run([9, 9, 9, 4], history=history, start_epoch=3)[0]) == 4


def test_a_run_that_goes_on_needs_its_best_weights():
    history, *_ = run([1.0, 2.0, 3.0])
    rows = [dict(row) for row in history]

    def go_on(stop, upto=6):
        old = History(rows)
        return run([1.0, 2.0, 3.0, 0.5, 4, 5][:upto], stop, history=old, start_epoch=3)

    with pytest.raises(ConfigError, match="best loss is that of epoch 1, whose weights are not he"):
        go_on(EarlyStopping("loss", 5))
    other = EarlyStopping("loss", 5)
    run([1.0, 2.0], other)  # the same values in another run
    with pytest.raises(ConfigError, match=r"restore\(path, state, callbacks\)"):
        go_on(other)
    assert len(go_on(EarlyStopping("loss", 5, restore_best=False))[0]) == 6
    assert len(go_on(EarlyStopping("loss", 2, restore_best=False))[0]) == 3  # it had stopped


def test_a_run_goes_on_in_memory_with_the_same_callback():
    stop = EarlyStopping("loss", 3)
    history, _, keep = run([1.0, 2.0], stop)
    _, weights, _ = run([1.0, 2.0, 3.0, 4.0, 5.0], stop, history=history, start_epoch=2, seed=3)
    assert len(history) == 4 and weights == keep.weights[0]


def test_tensorboard_after_a_fit_that_failed_opens_a_new_file(tmp_path):
    pytest.importorskip("tensorboard")
    board = TensorBoard(tmp_path)

    class Breaks:
        def on_epoch_done(self, state):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([1, 2], board, Breaks())
    open_writer = board._writer
    run([1], board)
    assert open_writer is not None and board._writer is None
    assert open_writer._async_writer._closed
