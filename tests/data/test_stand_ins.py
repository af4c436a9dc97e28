"""Made-up scenes, worlds, ratings, payments and reviews: right shapes, something to be learnt."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl.data import (
    WordTokenizer,
    boxes_of_masks,
    chain_world,
    grid_world,
    random_mdp,
    random_payments,
    random_ratings,
    random_reviews,
    shapes,
)
from tinydl.data.sets.creditcard import PAYMENT_COLUMNS
from tinydl.errors import ConfigError, ShapeError
from tinydl.random import Generator

# -- shapes ----------------------------------------------------------------------------------------


def test_scenes_are_consistent():
    scenes = shapes(60, Generator(0), size=40, noise=0.0)
    assert scenes.x.shape == (60, 40, 40, 3) and scenes.x.dtype == np.float32
    assert scenes.x.min() >= 0 and scenes.x.max() <= 1 and len(scenes) == 60
    counts = {len(b) for b in scenes.boxes}
    assert counts == {1, 2, 3} and set(np.concatenate(scenes.labels)) == {0, 1, 2}
    for k in range(60):
        masks, boxes = scenes.masks[k], scenes.boxes[k]
        assert np.array_equal(boxes_of_masks(masks), boxes)
        assert masks.any((1, 2)).all() and masks.sum(0).max() <= 1  # visible, without overlap
        semantic = np.zeros((40, 40), np.int64)
        for label, mask in zip(scenes.labels[k], masks, strict=True):
            semantic[mask] = label + 1
            assert np.ptp(scenes.x[k][mask], axis=0).max() == 0  # one colour
        assert np.array_equal(semantic, scenes.semantic[k])
        assert np.ptp(scenes.x[k][semantic == 0], axis=0).max() == 0
    sample = scenes.sample(3)
    assert sample.image is scenes.x[3] or np.array_equal(sample.image, scenes.x[3])
    assert len(sample.labels) == len(sample.masks)


def test_scenes_of_single_shapes_have_the_right_area():
    scenes = shapes(90, Generator(1), size=64, max_things=1, noise=0.0)
    fill = [[], [], []]
    for boxes, labels, masks in zip(scenes.boxes, scenes.labels, scenes.masks, strict=True):
        x0, y0, x1, y1 = boxes[0]
        fill[labels[0]].append(masks[0].sum() / ((x1 - x0) * (y1 - y0)))
        assert x1 - x0 > 8
    square, disk, triangle = (np.mean(f) for f in fill)
    assert square == 1 and disk == pytest.approx(np.pi / 4, abs=0.03)
    assert triangle == pytest.approx(0.5, abs=0.05)


def test_scenes_by_seed_and_noise():
    a, b = shapes(3, Generator(5), noise=0.1), shapes(3, Generator(5), noise=0.1)
    assert np.array_equal(a.x, b.x) and not np.array_equal(a.x, shapes(3, Generator(6)).x)
    assert a.x[0][a.semantic[0] == 0].std() > 0.01
    with pytest.raises(ConfigError, match="size >= 16"):
        shapes(1, Generator(0), size=8)


# -- worlds ----------------------------------------------------------------------------------------

WORLDS = {
    "grid": grid_world(),
    "sure grid": grid_world(slip=0.0),
    "chain": chain_world(),
    "random": random_mdp(7, 3, Generator(0)),
}


def values(world, discount):
    """Value iteration."""
    v = np.zeros(world.states)
    for _ in range(5000):
        v = (world.rewards + discount * world.transitions @ v).max(axis=1)
    return v


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_are_decision_processes(name):
    world = WORLDS[name]
    assert world.transitions.shape == (world.states, world.actions, world.states)
    assert world.transitions.min() >= 0
    assert_close(world.transitions.sum(2), 1, 1e-5)
    assert world.rewards.shape == (world.states, world.actions) and not world.terminal[world.start]
    for state in np.flatnonzero(world.terminal):
        assert (world.transitions[state, :, state] == 1).all() and not world.rewards[state].any()
    assert np.isfinite(values(world, 0.9)).all()


def test_steps_follow_the_table():
    world, rng = WORLDS["grid"], Generator(0)
    for state in (0, 5):
        for action in (1, 2):
            seen = np.zeros(world.states)
            for _ in range(500):
                following, reward, done = world.step(state, action, rng)
                seen[following] += 1
                assert reward == world.rewards[state, action] and done == world.terminal[following]
            expected = world.transitions[state, action]
            assert (seen[expected == 0] == 0).all()
            assert abs(seen / 500 - expected).max() < 0.08

    class Zero:
        def uniform(self, *shape, **options):
            return np.zeros(1)

    following, _, _ = world.step(10, 0, Zero())  # a draw of 0 is no excuse for the impossible
    assert world.transitions[10, 0, following] > 0
    with pytest.raises(ShapeError, match="state 11 and action 0"):
        world.step(11, 0, rng)


def test_the_grid_world_of_russell_and_norvig():
    """Utilities of their 4 x 3 world (Artificial Intelligence, figure 17.3, discount 1). Theirs
    count the reward of a terminal state as its utility, ours as the reward for entering it."""
    world = grid_world("...+\n.#.-\nS...", slip=0.2, step_reward=-0.04)
    v = np.zeros(world.states)
    for _ in range(1000):
        v = (world.rewards + world.transitions @ v).max(axis=1)
    book = [0.812, 0.868, 0.918, None, 0.762, 0.660, None, 0.705, 0.655, 0.611, 0.388]
    for ours, theirs in zip(v, book, strict=True):
        if theirs is not None:
            assert ours == pytest.approx(theirs, abs=6e-4)


def test_the_chain_of_strens():
    world = chain_world(5, slip=0.0)
    v = values(world, 0.9)
    assert_close(v, [100 * 0.9 ** (4 - k) for k in range(5)], 1e-5)
    assert chain_world().rewards[4].tolist() == [0.8 * 10 + 0.2 * 2, 0.2 * 10 + 0.8 * 2]


def test_bad_worlds():
    for rows in ("S.\n.", "S.", "SS+", "S?+", ""):
        with pytest.raises(ConfigError, match="grid_world"):
            grid_world(rows)
    with pytest.raises(ConfigError, match="chain_world"):
        chain_world(1)
    with pytest.raises(ConfigError, match="random_mdp"):
        random_mdp(3, 2, Generator(0), branches=4)


# -- tables ----------------------------------------------------------------------------------------


def test_random_ratings_have_structure():
    ratings = random_ratings(60, 40, Generator(0), density=0.3)
    table = ratings.matrix()
    assert table.shape == (60, 40) and set(np.unique(ratings.stars)) == {1, 2, 3, 4, 5}
    assert 0.25 < (table > 0).mean() < 0.37 and (table > 0).sum() == len(ratings)
    assert (table > 0).any(0).all() and (table > 0).any(1).all()
    full = random_ratings(60, 40, Generator(0), density=1.0).matrix() - 3
    energy = np.linalg.svd(full, compute_uv=False) ** 2
    assert energy[:3].sum() > 0.7 * energy.sum()  # three hidden factors
    with pytest.raises(ConfigError, match=r"density in \(0, 1\]"):
        random_ratings(3, 3, Generator(0), density=0)


def test_random_payments():
    table = random_payments(2000, Generator(0), fraud=0.02)
    assert table.columns == PAYMENT_COLUMNS and table.x.shape == (2000, 30)
    assert table.y.sum() == 40 and (np.diff(table.column("Time")) >= 0).all()
    assert table.column("Amount").min() >= 0 and np.isfinite(table.x).all()
    honest, fraud = (table.column("V1")[table.y == k].mean() for k in (0, 1))
    assert fraud < honest - 3
    assert random_payments(2, Generator(0), fraud=0.001).y.sum() == 1


def test_random_reviews_can_be_told_apart():
    reviews = random_reviews(200, Generator(0))
    assert len(reviews) == 200 and reviews.y.sum() == 100
    tokenizer = WordTokenizer.fit(reviews.texts[:150])
    counts = np.array([np.bincount(tokenizer.encode(t), minlength=60)[:60] for t in reviews.texts])
    centred = counts - counts[:150].mean(0)
    weight = centred[:150].T @ (reviews.y[:150] - 0.5)
    assert ((centred[150:] @ weight > 0) == reviews.y[150:]).mean() > 0.9
