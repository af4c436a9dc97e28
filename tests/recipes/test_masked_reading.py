"""A network that fills gaps and then judges texts: its rows, batches, and the two trainings."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.experiment.program import Settings
from tinydl.models.transformers.bert import CLASS, PAD, SEPARATOR
from tinydl.programs.masked_reading import alike, packed, row_of
from tinydl.recipes import find
from tinydl.runs.run import begin


def small(**changes):
    usual = {
        "dataset": "drawn_reviews",
        "architecture": {
            "vocabulary": 300,
            "length": 20,
            "features": 16,
            "blocks": 1,
            "hidden": 16,
        },
        "input_shape": (20,),
        "words": 300,
        "pretraining": 1,
        "epochs": 4,
    }  # fmt: skip
    return find("bert-tiny").replaced(**usual | changes)


def test_a_long_text_keeps_its_beginning_and_more_of_its_end():
    short, whole = np.arange(10, 17), np.arange(10, 18)
    assert row_of(short, 9).tolist() == [CLASS, *range(10, 17), PAD]
    assert row_of(whole, 9).tolist() == [CLASS, *range(10, 18)]
    found = row_of(np.arange(100, 200), 13).tolist()
    assert found == [CLASS, 100, 101, 102, SEPARATOR, *range(192, 200)]


def test_rows_are_the_texts_one_behind_the_other():
    codes = [np.array([10, 11, 12]), np.array([20]), np.array([30, 31])]
    rows = packed(codes, 4, Generator(0))
    assert rows.shape == (2, 4) and (rows[:, 0] == CLASS).all()
    order = Generator(0).permutation(3)
    stream = [t for k in order for t in (SEPARATOR, *codes[k])][1:]
    assert sorted(map(tuple, rows[:, 1:].tolist())) == sorted(
        tuple(stream[k : k + 3]) for k in (0, 3)
    )
    assert packed(codes[1:2], 9, Generator(0)).tolist() == [[CLASS, 20]]


def test_batches_are_of_one_length_and_hold_every_row_once():
    lengths = np.asarray(Generator(1).integers(1, 200, 3_000))
    batches = alike(lengths, 10, Generator(0))
    assert sorted(np.concatenate(batches)) == list(range(3_000))
    assert max(map(len, batches)) == 10
    padded = sum(len(b) * lengths[b].max() for b in batches) / lengths.sum()
    plain = sum(10 * lengths[k : k + 10].max() for k in range(0, 3_000, 10)) / lengths.sum()
    assert padded < 1.05 < 1.5 < plain
    means = [lengths[b].mean() for b in batches]
    assert np.corrcoef(means[1:], means[:-1])[0, 1] < 0.3, "the short ones do not come first"


def test_gaps_first_then_labels():
    """Labels play no part in the first epoch; in the others the head of the gaps stays."""
    training, kept = begin(small(), Settings()), {}

    class Look:
        def on_epoch_end(self, state):
            kept[state.epoch] = {k: v.copy() for k, v in state.model.state_dict().items()}

    history = training.fit([Look()])
    first, last = kept[1], kept[4]
    assert "gap_loss" in history.rows[0] and "gap_loss" not in history.rows[1]
    other = begin(small(), Settings())
    other.parts.train[1][:] = 1 - other.parts.train[1]
    other.fit([Look()])
    assert all((first[k] == kept[1][k]).all() for k in first)
    moved = {k for k in first if (first[k] != last[k]).any()}
    assert "linear.weight" in moved and "embedding.weight" in moved
    assert not {k for k in moved if k.startswith("gap")}


def test_it_is_told_how_frequent_the_tokens_are():
    """At a rate of almost 0 the first epoch leaves the bias where it began."""
    recipe = small(optimizer_settings={"lr": 1e-9}, epochs=2)
    training = begin(recipe, Settings())
    training.epoch()
    counts = np.bincount(np.concatenate(training.codes["train"]), minlength=300)
    shares = (counts + 1) / (counts.sum() + 300)
    assert np.abs(training.model.gap_bias.numpy() - np.log(shares)).max() < 1e-4


def test_it_tells_opinions_and_reads_without_its_data():
    sizes = {**small().program.architecture, "length": 64}
    recipe = small(epochs=12, tuned_lr=0.005, architecture=sizes, input_shape=(64,))
    training = begin(recipe, Settings())
    training.fit()
    found = training.measure("test")
    assert found["accuracy"] > 0.85, found
    run = training.recipe  # with its vocabulary and classes
    texts = training.text.texts["test"][:40]
    said = run.program.read(training.model, run, texts)
    right = np.mean([row["positive"] > 0.5 for row in said] == training.parts.test[1][:40, 0])
    assert right > 0.8
    assert all(abs(sum(row.values()) - 1) < 1e-6 for row in said)


def test_one_epoch_at_least_learns_the_labels():
    training = begin(small(epochs=1), Settings())
    assert training.before == 0
    assert "gap_loss" not in training.fit().last


@pytest.mark.parametrize("pretraining", [0, 2])
def test_settings_come_back(pretraining):
    program = small(pretraining=pretraining, share=0.4, tuned_lr=0.01).program
    again = find("bert-tiny").program.restored(program.stored())
    assert (again.pretraining, again.share, again.tuned_lr) == (pretraining, 0.4, 0.01)
