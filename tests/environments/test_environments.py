"""Worlds against their equations and tables, and against the interface that others expect."""

import math

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.data import chain_world, grid_world
from tinydl.environments import (
    Box,
    CartPole,
    Catch,
    Discrete,
    Environment,
    GridWorld,
    TicTacToe,
    Walk,
    drawn,
    features,
    play_together,
    width,
)
from tinydl.errors import ConfigError

WORLDS = {
    "CartPole": CartPole,
    "Catch": Catch,
    "TicTacToe": TicTacToe,
    "GridWorld": GridWorld,
    "slippery grid": lambda: GridWorld(slip=0.3),
    "chain": lambda: Walk(chain_world(), steps=20),
}


def walked(world, seed, actions):
    """Everything that an episode gives back."""
    rows = [world.reset(seed=seed)]
    for action in actions:
        rows.append(world.step(action))
        if rows[-1][2] or rows[-1][3]:
            break
    return rows


@pytest.mark.parametrize("name", WORLDS)
def test_what_gymnasium_expects(name):
    world = WORLDS[name]()
    observation, info = world.reset(seed=3)
    assert world.observation_space.contains(observation) and info == {}
    chance = Generator(0)
    for _ in range(world.steps):
        observation, reward, terminated, truncated, info = world.step(
            drawn(world.action_space, chance)
        )
        assert world.observation_space.contains(observation) and type(reward) is float
        assert type(terminated) is bool and type(truncated) is bool and info == {}
        if terminated or truncated:
            break
    assert terminated or truncated
    with pytest.raises(ConfigError, match=r"the episode is over; begin another by reset\(\)"):
        world.step(0)
    picture = world.render()
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 2


@pytest.mark.parametrize("name", WORLDS)
def test_a_seed_decides_an_episode_and_without_one_it_goes_on(name):
    actions = Generator(5).integers(0, 2, (100,)).tolist()
    one, other = WORLDS[name](), WORLDS[name]()
    first = walked(one, 7, actions)
    assert str(walked(other, 7, actions)) == str(first) == str(walked(one, 7, actions))
    one.reset()
    if name == "CartPole":
        assert one.state != other.reset(seed=7)[0].tolist()
        assert str(walked(one, 8, actions)) != str(first)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("wrong", [-1, 99, 0.5, "x", None, [0, 1]])
def test_what_is_no_action(name, wrong):
    world = WORLDS[name]()
    world.reset(seed=0)
    with pytest.raises(ConfigError, match=r"step: an action is of Discrete\(n=\d\), got"):
        world.step(wrong)
    world.step(np.int32(1))


def test_no_step_before_the_first_reset():
    with pytest.raises(ConfigError, match=r"CartPole\.step: the episode is over"):
        CartPole().step(0)
    with pytest.raises(ConfigError, match="CartPole: steps must be an integer >= 1"):
        CartPole(steps=0)


def test_the_pole_moves_as_lagrange_says():
    """The two equations of motion, with the rod's inertia m (2 l)^2 / 12, solved as a linear system
    for both accelerations: x'' and th'' of the appendix are its solution."""
    world, rng = CartPole(cart_friction=0.0005, pole_friction=0.000002), np.random.default_rng(0)
    for _ in range(50):
        state, force = rng.normal(size=4) * [1, 2, 0.5, 2], rng.choice([-10.0, 10.0])
        _, speed, angle, turning = state
        m, l = 0.1, 0.5
        inertia = m * l**2 + m * (2 * l) ** 2 / 12
        masses = [[1.0 + m, m * l * math.cos(angle)], [m * l * math.cos(angle), inertia]]
        forces = [
            force + m * l * turning**2 * math.sin(angle) - 0.0005 * np.sign(speed),
            m * 9.8 * l * math.sin(angle) - 0.000002 * turning,
        ]
        found = np.array(world.accelerations(tuple(state.tolist()), float(force)))
        assert_close(found, np.linalg.solve(masses, forces), 1e-12)


def test_steps_of_the_cart_are_eulers_and_end_where_they_should():
    world = CartPole()
    world.reset(seed=1)
    before = np.array(world.state)
    pushed, swung = world.accelerations(world.state, 10.0)
    seen, reward, *_ = world.step(1)
    after = before + 0.02 * np.array([before[1], pushed, before[3], swung])
    assert_close(np.array(world.state), after, 1e-12)
    assert seen.dtype == np.float32 and reward == 1.0
    for state, ended in (
        ((2.39, 0.0, 0.0, 0.0), False), ((2.39, 1.0, 0.0, 0.0), True),
        ((-2.39, -1.0, 0.0, 0.0), True), ((0.0, 0.0, 0.2090, 0.0), False),
        ((0.0, 0.0, 0.2090, 0.05), True), ((0.0, 0.0, -0.2090, -0.05), True),
    ):  # fmt: skip
        world.reset(seed=1)
        world.state = state
        assert world.step(1)[2] is ended, state


def test_an_episode_that_is_left_has_not_ended():
    world = CartPole(steps=3)
    rows = walked(world, 2, [0, 1, 0])
    assert [row[2:4] for row in rows[1:]] == [(False, False), (False, False), (False, True)]
    world.reset(seed=2)
    world.step(0)
    world.step(1)
    world.state = (2.39, 1.0, 0.0, 0.0)
    assert world.step(0)[2:4] == (True, False), "what ends in the last step has ended"


def test_a_line_holds_the_pole_and_chance_does_not():
    seeds, chance = list(range(20)), Generator(0)

    def line(states):
        return (3 * states[:, 2] + states[:, 3] > 0).astype(int)

    held = play_together([CartPole() for _ in seeds], line, seeds)
    assert [len(p.rewards) for p in held] == [500] * 20 and not any(p.terminated for p in held)
    fallen = play_together(
        [CartPole() for _ in seeds], lambda s: [drawn(Discrete(2), chance) for _ in s], seeds
    )
    assert np.mean([p.rewards.sum() for p in fallen]) < 40 and all(p.terminated for p in fallen)


def test_a_walk_is_its_table():
    """Shares of the next states against the transitions; rewards as they stand there."""
    world = Walk(chain_world(5, slip=0.2), steps=2000)
    seen = np.zeros((5, 2, 5))
    state, _ = world.reset(seed=4)
    for action in Generator(2).integers(0, 2, (2000,)).tolist():
        following, reward, terminated, _, _ = world.step(action)
        seen[state, action, following] += 1
        assert reward == world.world.rewards[state, action] and not terminated
        state = following
    counts = seen.sum(axis=2)
    gap = np.abs(seen / counts[..., None] - world.world.transitions).max(axis=2)
    assert (gap < 4 * np.sqrt(0.16 / counts)).all()


def test_the_shortest_way_through_the_grid():
    world = GridWorld()
    rows = walked(world, 0, [1, 1, 2, 2, 1])
    assert [row[0] for row in rows] == [0, 1, 2, 5, 9, 10] and rows[-1][2]
    assert sum(row[1] for row in rows[1:]) == pytest.approx(1 - 5 * 0.04)
    assert (world.render()[2 * 32 + 16, 3 * 32 + 16] == (38, 92, 166)).all()


def test_every_fruit_can_be_caught_and_falls_one_row_a_step():
    """The one policy that looks: towards the fruit."""
    world, columns = Catch(), set()
    for seed in range(60):
        seen, _ = world.reset(seed=seed)
        assert seen.sum() == 4 and (seen[-1, 4:7, 0] == 1).all()
        columns.add(column := int(seen[0].argmax()))
        for row in range(1, 10):
            step = np.sign(column - world.basket)
            seen, reward, ended, _, _ = world.step(int(step) + 1)
            assert world.fruit == (row, column) and seen[row, column, 0] == 1
            assert ended == (row == 9) and reward == float(ended)
    assert columns == set(range(10))
    world.reset(seed=0)
    world.fruit = (8, 9)
    assert world.step(1)[1:3] == (0.0, True)
    with pytest.raises(ConfigError, match="Catch: size must be an integer in 5"):
        Catch(4)


def test_a_map_that_is_of_another_world():
    with pytest.raises(ConfigError, match="the map has 3 cells, the world 11 states"):
        Walk(grid_world(), rows="S.+")


def test_spaces():
    box = Box(-np.ones(2), np.array([1.0, np.inf]), (2,))
    assert box.contains(np.array([0.5, 1e30])) and not box.contains(np.array([np.nan, 0.0]))
    assert not box.contains(np.array([0.5])) and not box.contains(np.array(["a", "b"]))
    assert not box.contains(np.array([-1.5, 0.0]))
    assert width(box) == 2 and width(Discrete(4)) == 4
    assert features(Discrete(3), 2).tolist() == [0, 0, 1]
    assert features(box, [[0.5], [2]]).tolist() == [0.5, 2.0]
    bounded, rng = Box(np.array([0.0, 2.0]), np.array([1.0, 5.0]), (2,)), Generator(0)
    points = np.array([drawn(bounded, rng) for _ in range(400)])
    assert_close(points.mean(axis=0), np.array([0.5, 3.5]), 0.05)
    assert all(bounded.contains(p) for p in points)
    assert {drawn(Discrete(3), rng) for _ in range(50)} == {0, 1, 2}
    for wrong in (0, -2, 1.5, "x"):
        with pytest.raises(ConfigError, match="Discrete: n must be an integer >= 1"):
            Discrete(wrong)
    with pytest.raises(ConfigError, match=r"a space is Discrete\(n\) or a Box .* got object"):
        width(object())


def test_an_environment_of_ones_own_says_what_it_lacks():
    class Mine(Environment):
        pass

    for call in (Mine(3).reset, Mine(3).render, lambda: Mine(3)._move(0)):
        with pytest.raises(NotImplementedError, match="Mine"):
            call()
    assert Mine(3).close() is None


def test_episodes_side_by_side_are_those_that_are_played_alone():
    def policy(states):
        return (states[:, 2] > 0).astype(int)

    seeds = [3, 1, 4, 1]
    together = play_together([CartPole() for _ in seeds], policy, seeds)
    for seed, played in zip(seeds, together, strict=True):
        (alone,) = play_together([CartPole()], policy, [seed])
        assert np.array_equal(alone.states, played.states)
        assert np.array_equal(alone.actions, played.actions)
        assert len(played.states) == len(played.actions) + 1 == len(played.rewards) + 1
        assert played.terminated
