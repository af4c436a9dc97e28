"""Callbacks that keep the best, end a diverged run, print samples, write TensorBoard files."""

import builtins
import math

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl.data import Batches
from tinydl.errors import ConfigError
from tinydl.train import (
    BestCheckpoint,
    Checkpoint,
    PrintSamples,
    TensorBoard,
    TerminateOnNaN,
    load_checkpoint,
    restore,
)


def validation(p):
    return Batches((p.x, p.y), 60, shuffle=False)


def epoch_in(path):
    return load_checkpoint(path)[1]["epoch"]


def test_the_best_checkpoint_is_that_of_the_best_epoch(problem, tmp_path):
    p, path = problem(n=60), tmp_path / "best"
    p.optimizer.lr = 0.5
    history = p.fit(8, validation=validation(p), callbacks=[BestCheckpoint(path)])
    best = int(np.argmin(history["val_loss"])) + 1
    assert best < 8 and epoch_in(path) == best
    q = problem(n=60)
    q.fit(8, validation=validation(q), callbacks=[BestCheckpoint(path, "loss", mode="max")])
    assert epoch_in(path) == int(np.argmax(q.state.history["loss"])) + 1
    with pytest.raises(ConfigError, match="BestCheckpoint: needs mode auto, min or max"):
        BestCheckpoint(path, mode="best")


def test_a_resumed_run_does_not_overwrite_a_better_file(problem, tmp_path):
    p, path = problem(n=60), tmp_path / "best"
    p.fit(3, callbacks=[BestCheckpoint(path, "loss")])
    written = path.read_bytes()
    p.state.epoch = 3
    p.optimizer.lr = 5.0
    assert (
        p.fit(5, callbacks=[BestCheckpoint(path, "loss")])["loss"][3] > p.state.history["loss"][2]
    )
    assert path.read_bytes() == written


def test_every_epoch_in_its_file(problem, tmp_path):
    problem().fit(5, callbacks=[Checkpoint(tmp_path / "c-{epoch}", every=2)])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["c-0002", "c-0004", "c-0005"]
    assert epoch_in(tmp_path / "c-0004") == 4


class Poison:
    """Makes the loss of the given epoch and batch NaN by way of a weight."""

    def __init__(self, epoch, batch):
        self.place = (epoch, batch)

    def on_batch_end(self, state):
        if (state.epoch + 1, state.batch) == self.place:
            weight = state.model[0].weight
            weight.assign(np.full(weight.shape, np.nan, np.float32))


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((3, 1), "the loss is nan in epoch 3, batch 2; the weights are those of epoch 2"),
        ((2, 4), "weights are not finite at the end of epoch 2; the weights are those of epoch 1"),
    ],
)
def test_a_run_that_diverges_ends_with_a_sentence_and_stays_loadable(
    problem, equal, tmp_path, place, reason
):
    p, said, kept = problem(n=50, batch_size=16), [], {}

    class Keep:
        def on_epoch_end(self, state):
            kept[state.epoch] = state.model.state_dict()

    path = tmp_path / "c"
    callbacks = [Poison(*place), Checkpoint(path), TerminateOnNaN(said.append), Keep()]
    p.fit(9, callbacks=callbacks)
    good = int(reason[-1])
    assert said == [f"TerminateOnNaN: {reason}"]
    assert equal(p.model.state_dict(), kept[good])
    q = problem(n=50, batch_size=16)
    restore(path, q.state)
    assert q.state.epoch == good and equal(q.model.state_dict(), kept[good])
    assert math.isfinite(q.fit(good + 1).last["loss"])


def test_a_healthy_run_is_not_touched(problem, equal):
    a, watcher = problem(), TerminateOnNaN()
    a.fit(2)
    b = problem()
    b.fit(2, callbacks=[watcher])
    assert watcher.reason is None and equal(a.model.state_dict(), b.model.state_dict())


def test_samples_are_printed_and_the_run_is_the_same_as_without(problem, equal, capsys):
    def sample(model):
        modes.append((model[2].training, tinydl.is_recording()))
        return tinydl.uniform((1,)).item()

    modes, a = [], problem()
    a.fit(4)
    b = problem()
    b.fit(4, callbacks=[PrintSamples(sample, every=2)])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["epoch 2: ", "epoch 4: "]
    assert modes == [(False, False)] * 2 and b.model[2].training
    assert equal(a.model.state_dict(), b.model.state_dict())
    with pytest.raises(ConfigError, match="every must be >= 1"):
        PrintSamples(sample, every=0)


# -- TensorBoard -----------------------------------------------------------------------------------


def read_back(folder):
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = module.EventAccumulator(str(folder))
    found.Reload()
    return found


def test_tensorboards_own_reader_finds_every_row(problem, tmp_path):
    pytest.importorskip("tensorboard")
    p = problem(n=60)
    history = p.fit(3, validation=validation(p), callbacks=[TensorBoard(tmp_path, 2)])
    found = read_back(tmp_path)
    tags = {
        "loss/training": "loss", "loss/validation": "val_loss", "accuracy/training": "accuracy",
        "accuracy/validation": "val_accuracy", "time/seconds": "seconds",
    }  # fmt: skip
    assert set(found.Tags()["scalars"]) == {*tags, "optimizer/lr"}
    for tag, column in tags.items():
        assert [event.step for event in found.Scalars(tag)] == [1, 2, 3]
        values = [event.value for event in found.Scalars(tag)]
        assert_close(values, history[column], 1e-6)
    assert found.Scalars("optimizer/lr")[0].value == pytest.approx(0.01)
    names = [name for name, _ in p.model.named_parameters()]
    expected = {f"{kind}/{name}" for kind in ("weights", "gradients") for name in names}
    assert set(found.Tags()["histograms"]) == expected
    (event,) = found.Histograms("weights/layers.0.weight")
    histogram = event.histogram_value
    assert event.step == 2 and histogram.num == 48 and sum(histogram.bucket) == 48
    assert histogram.min < 0 < histogram.max


def test_a_resumed_run_goes_on_in_the_same_folder(problem, tmp_path):
    pytest.importorskip("tensorboard")
    p = problem()
    p.fit(1, callbacks=[TensorBoard(tmp_path)])
    p.state.epoch = 1
    p.fit(3, callbacks=[TensorBoard(tmp_path)])
    assert sorted({e.step for e in read_back(tmp_path).Scalars("loss/training")}) == [1, 2, 3]


def test_without_the_package_one_sentence(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r'pip install "\.\[tensorboard\]"'):
        TensorBoard(tmp_path)
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="histograms_every must be >= 0"):
        TensorBoard(tmp_path, -1)
