"""Made-up sentences: the grammar's tags, negations that turn their own word, numbers' names."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import number_name, opinions, spelled_numbers, tagged_sentences, uneven_waves
from tinydl.data.synthetic.sentences import ABSENT, LETTERS, LONGEST, TAGS
from tinydl.errors import ConfigError, ShapeError


def test_tags_stand_where_words_do_and_a_word_alone_does_not_tell():
    made = tagged_sentences(1_500, Generator(0))
    told = made.y != ABSENT
    assert np.array_equal(told, made.x > 0) and made.vocabulary[0] == "<pad>"
    assert (np.diff(told.astype(int), axis=1) <= 0).all(), "a sentence has no hole"
    counts = np.zeros((len(made.vocabulary), len(TAGS)))
    np.add.at(counts, (made.x[told], made.y[told]), 1)
    best = counts.max(axis=1).sum() / counts.sum()
    assert 0.78 < best < 0.88, "the share that the most frequent tag of every word gets"
    by_word = dict(zip(made.vocabulary, (counts > 0).sum(axis=1), strict=True))
    assert by_word["the"] == 1 and by_word["will"] == 3 and by_word["mark"] == 3
    last = told.sum(axis=1) - 1
    assert {made.vocabulary[k] for k in made.x[np.arange(len(last)), last]} == {"."}
    again = tagged_sentences(1_500, Generator(0))
    assert np.array_equal(again.x, made.x) and np.array_equal(again.y, made.y)


def test_an_opinion_is_turned_by_the_not_before_it():
    made = opinions(400, Generator(0))
    good = {"good", "lovely", "clever", "funny", "moving", "fresh"}
    bad = {"dull", "poor", "silly", "weak", "noisy", "stale"}
    for row, label in zip(made.x, made.y, strict=True):
        words = [made.vocabulary[k] for k in row if k]
        (place,) = [k for k, word in enumerate(words) if word in good | bad]
        turned = "not" in words[place - 2 : place]
        assert label == ((words[place] in good) != turned)
    assert 0.4 < made.y.mean() < 0.6


def test_numbers_have_their_names():
    assert number_name(0) == "zero" and number_name(100) == "one hundred"
    assert number_name(342) == "three hundred and forty-two" and number_name(17) == "seventeen"
    made = spelled_numbers()
    assert made.x.shape == (1000, 30) and made.y.shape == (1000, LONGEST)
    for k in (0, 7, 110, 999):
        name = "".join(LETTERS[letter] for letter in made.y[k]).rstrip("_")
        assert name == number_name(k)
        digits = made.x[k].reshape(3, 10).argmax(axis=1)
        assert int("".join(map(str, digits))) == k
    assert (
        len({row.tobytes() for row in made.y}) == 1000
        and max(len(number_name(k)) for k in range(1000)) == LONGEST
    )


def test_waves_go_on_as_they_began():
    x, y = uneven_waves(300, Generator(0))
    assert x.shape == (300, 40, 1) and y.shape == (300, 20, 1) and x.dtype == np.float32
    frequencies = []
    for told in y[:, :, 0].astype(np.float64):
        # w_{t+1} + w_{t-1} = 2 cos(2 pi / period) w_t holds for a wave of constant height
        left, right = told[1:-1], told[2:] + told[:-2]
        frequencies.append(np.arccos(np.clip((left @ right) / (left @ left) / 2, -1, 1)))
    periods = 2 * np.pi / np.array(frequencies)
    assert periods.min() > 7 and periods.max() < 27 and periods.std() > 3


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: tagged_sentences(0, Generator(0)), ConfigError),
        (lambda: tagged_sentences(1, Generator(0), 14), ConfigError),
        (lambda: opinions(1, Generator(0), 5), ConfigError),
        (lambda: number_name(1_000), ConfigError),
        (lambda: uneven_waves(0, Generator(0)), ShapeError),
    ],
)
def test_sizes_are_checked(call, error):
    with pytest.raises(error):
        call()
