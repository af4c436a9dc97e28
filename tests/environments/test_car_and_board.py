"""The car in its valley and the board with its perfect player; environments around others."""

import itertools

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator
from tinydl.environments import (
    Box,
    Clipped,
    Held,
    MountainCar,
    TicTacToe,
    drawn,
    features,
    play_together,
    width,
)
from tinydl.environments.tic_tac_toe import EMPTY, after, best_moves, value, winner
from tinydl.errors import ConfigError, DTypeError, ShapeError

# -- the car ---------------------------------------------------------------------------------------


def test_doing_nothing_costs_nothing_and_swinging_reaches_the_flag():
    seeds = list(range(3))
    still = play_together([MountainCar() for _ in seeds], lambda s: np.zeros((len(s), 1)), seeds)
    assert all(p.rewards.sum() == 0 and len(p.rewards) == 999 for p in still)

    def swing(states):
        return np.where(states[:, 1:] >= 0, 0.6, -0.6)

    swung = play_together([MountainCar() for _ in seeds], swing, seeds)
    assert all(p.terminated and p.rewards.sum() > 90 for p in swung)
    assert all(p.rewards[-1] == pytest.approx(100 - 0.036) for p in swung)
    right = play_together([MountainCar() for _ in seeds], lambda s: np.ones((len(s), 1)), seeds)
    assert not any(p.terminated for p in right), "the engine alone is too weak"


def test_a_car_without_an_engine_keeps_its_energy():
    """v^2 / 2 + 0.0025 / 3 sin 3x: Euler's steps with the new speed swing about it."""
    world, energies = MountainCar(), []
    world.reset(seed=3)
    for _ in range(500):
        place, speed = world.state
        energies.append(speed**2 / 2 + 0.0025 / 3 * np.sin(3 * place))
        world.step(np.zeros(1))
    assert np.ptp(energies) < 0.02 * 0.0025 / 3


def test_the_wall_and_the_bounds():
    world = MountainCar()
    world.reset(seed=0)
    world.state = (-1.19, -0.07)
    seen, reward, ended, _, _ = world.step(np.array([-1.0]))
    assert_close(seen, np.array([-1.2, 0.0]), 1e-6)
    assert reward == pytest.approx(-0.1) and not ended
    for wrong in (np.array([1.1]), np.array([np.nan]), np.zeros(2), 0.5, None):
        with pytest.raises(ConfigError, match="step: an action is of Box"):
            world.step(wrong)


@pytest.mark.oracle
def test_gymnasiums_car_is_ours():
    gymnasium = oracle_module("gymnasium")
    theirs, ours = gymnasium.make("MountainCarContinuous-v0"), MountainCar()
    rng = np.random.default_rng(0)
    for seed in range(3):
        theirs.reset(seed=seed)
        ours.reset(seed=seed)
        theirs.unwrapped.state = np.array(ours.state)
        for k in range(200):
            action = np.sign([ours.state[1]]) if k > 60 else rng.uniform(-1, 1, 1)
            (seen, reward, *found, _) = theirs.step(action.astype(np.float32))
            (own, earned, *wanted, _) = ours.step(action.astype(np.float32))
            assert np.abs(seen - own).max() < 1e-5 and found == wanted
            assert reward == pytest.approx(earned, abs=1e-6)
            if wanted[0]:
                break
        assert wanted[0]


# -- around others ---------------------------------------------------------------------------------


def test_held_actions_are_so_many_steps():
    plain, held = MountainCar(), Held(MountainCar(), 4)
    plain.reset(seed=5)
    held.reset(seed=5)
    actions = Generator(1).uniform((6, 1), low=-1.0, dtype=np.float64)
    for action in actions:
        rows = [plain.step(action) for _ in range(4)]
        seen, reward, *ends = held.step(action)
        assert np.array_equal(seen, rows[-1][0]) and ends == [False, False, {}]
        assert reward == pytest.approx(sum(row[1] for row in rows))
    short = Held(MountainCar(steps=6), 4)
    short.reset(seed=0)
    assert short.step([0.0])[3] is False and short.step([0.0])[3] is True
    assert np.array_equal(held.render(), plain.render()) and held.close() is None
    for wrong in (lambda: Held(MountainCar(), 0), lambda: Held(MountainCar, 2),
                  lambda: Clipped(None)):  # fmt: skip
        with pytest.raises(ConfigError, match=r"Held: (times|an environment)|Clipped: an env"):
            wrong()


def test_what_is_beyond_the_bounds_is_done_as_far_as_can_be():
    one, other = Clipped(MountainCar()), MountainCar()
    one.reset(seed=1)
    other.reset(seed=1)
    for action in ([7.0], [-3.0], [0.25]):
        found, wanted = one.step(np.array(action)), other.step(np.clip(action, -1, 1))
        assert np.array_equal(found[0], wanted[0]) and found[1:] == wanted[1:]
    with pytest.raises(ShapeError, match=r"Clipped\.step: an action has shape \(1,\), got \(2,\)"):
        one.step(np.zeros(2))


def test_questions_of_the_spaces():
    with pytest.raises(ShapeError, match=r"Box: low must be a number or of shape \(2,\), got \(3"):
        Box(np.zeros(3), 1.0, (2,))
    with pytest.raises(DTypeError, match="Box: high must be an array"):
        Box(0.0, "x", (2,))
    with pytest.raises(ConfigError, match="no bounds to draw between"):
        drawn(Box(-np.inf, 1.0, (2,)), Generator(0))
    with pytest.raises(ShapeError, match="an observation has shape"):
        features(Box(0.0, 1.0, (2,)), np.zeros(3))
    assert width(Box([0, 1], 5, 2)) == 2


def test_a_policy_or_seeds_that_do_not_fit():
    worlds = [MountainCar(steps=2), MountainCar(steps=2)]
    with pytest.raises(ConfigError, match="2 episodes run, the policy says"):
        play_together(worlds, lambda states: [[0.0]], [0, 1])
    with pytest.raises(ShapeError, match="2 environments need as many seeds, got 1"):
        play_together(worlds, lambda states: np.zeros((len(states), 1)), [0])
    with pytest.raises(ConfigError, match="play_together: an environment has reset, step"):
        play_together([3], lambda states: [0], [0])


# -- the board -------------------------------------------------------------------------------------


def test_the_perfect_player_is_minimax_without_memory():
    """The value of every position that three random moves lead to, by the definition again."""

    def plain(board):
        if winner(board) or 0 not in board:
            return winner(board)
        return max(-plain(after(board, f)) for f in range(9) if board[f] == 0)

    rng = np.random.default_rng(0)
    assert value(EMPTY) == 0 and best_moves(EMPTY) == tuple(range(9))
    for _ in range(12):
        board = EMPTY
        for _ in range(3):
            free = [f for f in range(9) if board[f] == 0]
            board = after(board, int(rng.choice(free)))
        assert value(board) == plain(board)
        kept = [f for f in range(9) if board[f] == 0 and -plain(after(board, f)) == plain(board)]
        assert best_moves(board) == tuple(kept)


def test_lines_of_the_board():
    for line in itertools.combinations(range(9), 3):
        board = tuple(int(f in line) for f in range(9))
        rows = {tuple(3 * r + c for c in range(3)) for r in range(3)}
        columns = {tuple(3 * r + c for r in range(3)) for c in range(3)}
        assert (winner(board) == 1) == (line in rows | columns | {(0, 4, 8), (2, 4, 6)})
        assert winner(tuple(-side for side in board)) == -winner(board)


def test_a_game_is_won_drawn_lost_or_given_away():
    world = TicTacToe()
    world.reset(seed=0)
    world.board = (1, 1, 0, -1, -1, 0, 0, 0, 0)
    seen, reward, ended, _, _ = world.step(2)
    assert reward == 1 and ended and seen.tolist() == [1, 1, 1, -1, -1, 0, 0, 0, 0]
    world.reset(seed=0)
    world.board = (1, -1, 1, -1, -1, 0, 1, 0, 0)
    assert world.step(8)[1:3] == (-1.0, True), "the other side has the line"
    world.reset(seed=0)
    world.board = (1, 1, 0, -1, -1, 0, 0, 0, 0)
    assert world.step(3)[1:3] == (-1.0, True), "the field was not free"
    world.reset(seed=0)
    world.board = (1, -1, 1, 1, -1, -1, -1, 1, 0)
    assert world.step(8)[1:3] == (0.0, True)


def test_a_careless_side_can_be_beaten_and_a_perfect_one_not():
    def perfect(states):
        return [best_moves(tuple(int(x) for x in s))[0] for s in states]

    seeds = list(range(60))
    careless = play_together([TicTacToe(1.0) for _ in seeds], perfect, seeds)
    assert np.mean([p.rewards.sum() for p in careless]) > 0.8
    drawn_games = play_together([TicTacToe() for _ in seeds], perfect, seeds)
    assert all(p.rewards.sum() == 0 for p in drawn_games)
    assert {int((p.states[0] != 0).sum()) for p in drawn_games} == {0, 1}, "either side begins"
    with pytest.raises(ConfigError, match=r"TicTacToe: careless must be in \[0, 1\]"):
        TicTacToe(careless=2)
