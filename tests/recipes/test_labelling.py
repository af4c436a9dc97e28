"""Strings joined of pieces, a network that spells them, and who is told where they part."""

import numpy as np
import pytest
from cases.generators import piece_sets, strings
from closeness import assert_close

from tinydl import Generator, Tensor, random
from tinydl.baselines import nearest_piece, straight_lines_by_piece
from tinydl.data import joined_spectra, joined_strings, joined_tracks
from tinydl.errors import ConfigError
from tinydl.models import CTCLabeller
from tinydl.runs.run import begin


def test_a_string_is_of_one_author_and_its_pieces_lie_in_it():
    sets = piece_sets()
    made = joined_strings(sets, "train", 40, Generator(0), 2, 4)
    assert made.counts.min() == 2 and made.counts.max() == 4 and made.pieces.shape == (40, 4)
    for x, steps, labels, count, pieces in zip(
        made.x, made.steps, made.labels, made.counts, made.pieces, strict=True
    ):
        own = pieces[:count]
        assert len(set(sets.train.authors[own])) == 1 and (pieces[count:] == -1).all()
        assert labels[:count].tolist() == sets.train.labels[own].tolist()
        whole = np.concatenate([sets.train.recordings[k] for k in own])
        assert_close(x[:steps], whole.astype(np.float32), 1e-6)
        assert not x[steps:].any() and not labels[count:].any()
    again = joined_strings(sets, "train", 40, Generator(0), 2, 4)
    assert np.array_equal(made.x, again.x)
    with pytest.raises(ConfigError, match="shortest"):
        joined_strings(sets, "train", 3, Generator(0), 4, 2)


def test_tracks_are_moves_of_the_pen_from_digit_to_digit():
    first, second = np.array([[0.0, 50], [100, 75]]), np.array([[40.0, 0], [90, 100]])
    made = joined_tracks([first, second], Generator(0)) * 50
    assert_close(made[:2], np.array([[0.0, 0, 0], [100, 25, 25]]), 1e-9)
    gap, fall, height = made[2]
    assert 0 <= gap <= 30 and (fall, height) == (-75, -50)
    assert_close(made[3], np.array([50.0, 100, 50]), 1e-9)


def test_words_have_pauses_between_and_three_spectra_make_a_step():
    words = [np.full((7, 2), 5.0), np.full((6, 2), 3.0)]
    made = joined_spectra(words, Generator(0))
    flat = made.reshape(-1, 2)
    assert made.shape[1] == 6 and (flat == 5).sum() == 14 and (flat >= 3).all()
    assert 13 <= len(flat) <= 13 + 2 * 12 + 2


def test_what_lies_behind_a_sequence_does_not_matter():
    random.seed(0)
    model = CTCLabeller(3, 6, 4, 2)
    x = Generator(1).normal((1, 12, 3)).astype(np.float32)
    alone = model(Tensor(x[:, :7])).numpy()
    x[:, 7:] = 100
    assert_close(model(Tensor(x), np.array([7])).numpy()[:, :7], alone, 1e-6)


def test_a_network_learns_to_spell_and_its_baselines_are_told_the_cuts():
    training = begin(strings(lr=0.03).replaced(epochs=30))
    before = training.measure()
    training.fit()
    found = training.measure()
    assert found["strings_right"] > 0.9 > before["strings_right"]
    assert found["label_error"] < 0.05
    assert straight_lines_by_piece(training, "test")["strings_right"] > 0.9
    assert nearest_piece(training, "test") == {"label_error": 0.0, "strings_right": 1.0}
    wrong = training.judged([[0, 1, 2, 0]] * 30)
    assert wrong["strings_right"] == 0 and wrong["label_error"] > 0.5
