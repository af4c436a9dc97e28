"""Recipes of sequences: integers stay words, steps without a class do not count, baselines."""

import numpy as np
import pytest

from tinydl import Tensor, baselines
from tinydl.errors import ConfigError
from tinydl.programs.sequences import steps_right
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin


def test_steps_without_a_class_do_not_count():
    targets = np.array([[0, 1, -1, -1], [2, 2, 2, 0]])
    outputs = np.eye(3)[np.array([[0, 0, 1, 2], [2, 1, 2, 0]])]
    found = steps_right(Tensor(outputs), Tensor(targets)).numpy()
    assert found.tolist() == [0.5, 0.75]
    with pytest.raises(ConfigError, match="no step with a class"):
        steps_right(Tensor(outputs), Tensor(np.full((2, 4), -1)))


def test_words_stay_integers_and_whole_counts_sentences():
    training = begin(RECIPES["tag-sentences"].replaced(samples=(1_000, 200), epochs=4))
    x, y = training.parts.train
    assert x.dtype == np.int64 and y.dtype == np.int64 and x.shape == (1000, 15)
    training.fit()
    found = training.measure()
    own = baselines.most_frequent_tag(training, "test")
    assert found["accuracy"] > own["accuracy"] and found["whole"] > own["whole"] > 0
    assert training.config()["program"] == "sequences"


def test_the_most_frequent_tag_of_a_word():
    training = begin(RECIPES["tag-sentences"].replaced(samples=(50, 20)))
    (words, tags), (x, y) = training.parts.train, training.parts.test
    shares, every = [], np.bincount(tags[tags >= 0]).argmax()
    for row, truth in zip(x, y, strict=True):
        right = []
        for word, tag in zip(row, truth, strict=True):
            if tag >= 0:
                own = tags[(words == word) & (tags >= 0)]
                right.append((np.bincount(own).argmax() if own.size else every) == tag)
        shares.append(np.mean(right))
    assert baselines.most_frequent_tag(training, "test")["accuracy"] == pytest.approx(
        np.mean(shares)
    )


def test_words_without_their_order_miss_a_quarter():
    training = begin(RECIPES["opinions"])
    found = baselines.bag_of_words(training, "test")["accuracy"]
    assert 0.68 < found < 0.82
    assert found > baselines.majority_class(training, "test")["accuracy"] + 0.1


def test_letters_by_their_place_and_the_last_value():
    training = begin(RECIPES["spell-numbers"])
    (_, y), (_, truth) = training.parts.train, training.parts.test
    common = np.array([np.bincount(column).argmax() for column in y.T])
    found = baselines.most_frequent_letter(training, "test")
    assert found["accuracy"] == pytest.approx((truth == common).mean())
    assert found["whole"] == (truth == common).all(axis=1).mean()
    told = baselines.steps_alone(training, "test")
    assert told["accuracy"] > found["accuracy"] + 0.1
    waves = begin(RECIPES["forecast-waves"].replaced(samples=(50, 20)))
    x, y = waves.parts.test
    near = np.abs(y.astype(np.float64) - x[:, -1:]) <= 0.1
    assert baselines.last_value(waves, "test")["accuracy"] == pytest.approx(near.mean())
