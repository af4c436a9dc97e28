"""Few-shot training: what episodes, pairs and streams are; the book's protocol; the baselines."""

import json

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.baselines import mean_of_pixels, nearest_pixels, nearest_so_far
from tinydl.errors import ConfigError
from tinydl.models import MatchingNet, PrototypicalNet
from tinydl.programs.episode_lessons import (
    ByEpisodes,
    ByPairs,
    ByStreams,
    Sights,
    Ways,
    books_ceiling,
    books_episode,
    drawn_episode,
    stream,
)
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, train

PICTURE = {"picture": (8, 8, 1), "filters": 8, "blocks": 2}
TESTS = Ways({"3w1s": (3, 1), "3w5s": (3, 5)}, queries=2, tested=60)
LESSON = ByEpisodes(ways=4, shots=1, queries=3, episodes=10)


def small(name, **changes):
    usual = {"dataset": "drawn_by_class", "score": "3w1s", "lesson": LESSON, "exam": TESTS}
    return RECIPES[name].replaced(**{**usual, "architecture": PICTURE, "epochs": 3, **changes})


@pytest.mark.parametrize("model", [PrototypicalNet, MatchingNet])
def test_classes_that_were_never_seen_are_told(model):
    recipe = small("prototypes-omniglot", model=model)
    outcome = train(recipe)
    baseline = mean_of_pixels(begin(recipe), "test")
    assert outcome.test["3w1s"] > 0.6 > 1 / 3 and outcome.test["3w5s"] > outcome.test["3w1s"]
    assert 0 < outcome.test["3w1s_interval"] < 0.1 and set(baseline) == set(outcome.test)
    rows = outcome.history.rows
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_an_episode_repeats_no_class_and_no_picture():
    rng = Generator(0)
    for _ in range(20):
        e = drawn_episode((7, 6), 4, 2, 3, rng)
        assert e.examples.shape == (4, 2, 2) and e.queries.shape == (12, 2)
        classes = e.examples[:, 0, 0]
        assert len(set(classes)) == 4 and np.array_equal(e.queries[:, 0], classes[e.labels])
        rows = np.concatenate([e.examples.reshape(-1, 2), e.queries])
        assert len({tuple(row) for row in rows.tolist()}) == 20
    with pytest.raises(ConfigError, match="8 ways of 1 \\+ 1 pictures, of 7 classes with 6"):
        drawn_episode((7, 6), 8, 1, 1, rng)
    with pytest.raises(ConfigError, match="4 ways of 5 \\+ 2"):
        drawn_episode((7, 6), 4, 5, 2, rng)


def test_a_perfect_judge_of_the_books_episodes_reaches_its_ceiling():
    """It knows every person and guesses among equals; the truth is at place 0."""
    rng, chance = Generator(1), np.random.default_rng(0)
    for ways in (4, 40):
        right = []
        for _ in range(400):
            e = books_episode((40, 10), ways, rng)
            assert tuple(e.queries[0]) != tuple(e.examples[0, 0])
            equal = np.flatnonzero(e.examples[:, 0, 0] == e.queries[0, 0])
            right.append(chance.choice(equal) == 0)
        error = np.std(right) / np.sqrt(len(right))
        assert abs(np.mean(right) - books_ceiling(ways)) < 4 * error
    table = {4: 0.963, 9: 0.906, 16: 0.833, 25: 0.750, 36: 0.665, 40: 0.637}
    assert {n: round(books_ceiling(n), 3) for n in table} == table


def test_pairs_are_what_they_say():
    rows = ByPairs(20_000).prepared(np.zeros((5, 4)), Generator(0))
    same = rows[:, 0] == rows[:, 2]
    assert np.array_equal(same, rows[:, 4] == 1) and same.mean() == 0.5
    assert (rows[same, 1] != rows[same, 3]).all()
    steps = (rows[same, 3] - rows[same, 1]) % 4
    assert_close(np.bincount(steps, minlength=4)[1:] / same.sum(), np.full(3, 1 / 3), 0.05)
    assert set(rows[~same, 1]) == set(rows[~same, 3]) == {0, 1, 2, 3}


def test_the_books_validation_holds_different_people_only():
    x = np.zeros((40, 10))
    for shuffled in (False, True):
        rows = ByPairs(8_000, shuffled=shuffled).prepared(x, Generator(0))
        held, kept = rows[-800:, 4], rows[:-800, 4]
        if shuffled:
            assert 300 < held.sum() < 500
        else:
            assert held.sum() == 0 and kept.sum() == 4_000 and len(kept) == 7_200


def test_streams_deal_labels_anew_and_sights_are_counted():
    places, labels = stream((9, 12), 3, 4, 50, Generator(2))
    assert places.shape == (50, 12, 2) and labels.shape == (50, 12)
    for place, told in zip(places, labels, strict=True):
        assert len({tuple(p) for p in place.tolist()}) == 12
        assert len(set(zip(place[:, 0].tolist(), told.tolist(), strict=True))) == 3
    dealt = {(int(p), int(k)) for p, k in zip(places[:, 0, 0], labels[:, 0], strict=True)}
    assert len(dealt) > 9, "a class has other labels in other streams"
    found = Sights(3, 4, 50).by_sight(
        np.tile(np.arange(12) >= 6, (50, 1)), np.tile([0, 1, 2], (50, 4))
    )
    assert found == {"sight_1": 0, "sight_2": 0, "sight_3": 1, "sight_4": 1}


def test_the_baselines_are_their_definitions():
    training = begin(small("prototypes-omniglot"))
    x = training.data.test.reshape(4, 30, -1)
    rights = {mean_of_pixels: [], nearest_pixels: []}
    rng = Generator(305)
    for _ in range(60):
        e = drawn_episode((4, 30), 3, 5, 2, rng)
        for q, label in zip(e.queries, e.labels, strict=True):
            query, rows = x[tuple(q)], x[e.examples[..., 0], e.examples[..., 1]]
            away = ((rows - query) ** 2).sum(axis=-1)
            rights[nearest_pixels].append(away.min(axis=1).argmin() == label)
            mean = ((rows.mean(axis=1) - query) ** 2).sum(axis=-1)
            rights[mean_of_pixels].append(mean.argmin() == label)
    for baseline, right in rights.items():
        assert_close(np.array(baseline(training, "test")["3w5s"]), np.array(np.mean(right)), 1e-6)


def test_a_siamese_network_learns_pairs():
    recipe = small(
        "siamese-orl",
        architecture={"picture": (8, 8, 1), "filters": 6, "kernel": 3, "width": 20},
        lesson=ByPairs(600, 50),
        lr=0.01,
        epochs=8,
    )
    outcome = train(recipe)
    rows = outcome.history.rows
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"] and rows[-1]["val_loss"] < 0.69
    assert outcome.test["3w1s"] > 0.45


def test_a_memory_net_is_asked_by_sights_beside_the_nearest_so_far():
    recipe = small(
        "memory-omniglot",
        architecture={"picture": (8, 8, 1), "classes": 3, "filters": 8, "blocks": 2},
        lesson=ByStreams(3, 3, 2, 4),
        exam=Sights(3, 3, 20),
        score="sight_2",
        epochs=2,
    )
    outcome = train(recipe)
    assert set(outcome.test) == {f"sight_{n}" for n in range(1, 4)}
    beside = nearest_so_far(begin(recipe), "test")
    assert beside["sight_1"] < 0.5 < beside["sight_2"] < beside["sight_3"]


def test_only_the_rate_may_differ():
    program = RECIPES["siamese-orl"].program
    other = program.changed("siamese-orl", None, 0.5)
    assert program.restored(json.loads(json.dumps(other.stored()))) == other
    with pytest.raises(ConfigError, match="no --batch-size"):
        program.changed("siamese-orl", 5, None)
    with pytest.raises(ConfigError, match="not those of the recipe: halve"):
        program.restored({**json.loads(json.dumps(program.stored())), "halve": 2})
    with pytest.raises(ConfigError, match="lr must be a number"):
        program.restored({**json.loads(json.dumps(program.stored())), "lr": "x"})
