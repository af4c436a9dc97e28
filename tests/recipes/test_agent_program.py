"""The program `agent`: what it learns, stands beside, shows and refuses; worlds of others."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from support import oracle_module

from tinydl import Generator, Tensor, baselines
from tinydl.command.main import main
from tinydl.environments import CartPole
from tinydl.errors import ConfigError
from tinydl.experiment.datasets import DATASETS
from tinydl.models.reinforcement.q_table import value_iteration
from tinydl.programs.agent import TESTED
from tinydl.programs.agent_replay import FromReplay
from tinydl.programs.agent_rollouts import FromRollouts
from tinydl.recipes import RECIPES, find
from tinydl.runs.run import Settings, begin, train


def test_dqn_finds_the_way_and_nearly_the_values_of_the_grid():
    recipe = RECIPES["grid-dqn"]
    training = begin(recipe)
    training.fit()
    measured = training.measure()
    assert recipe.target.met(measured["return"]) and measured["steps"] == 5
    found, world = baselines.beside(training), training.environment.world
    assert found["value iteration policy"]["return"] == pytest.approx(0.8)
    assert found["random actions"]["return"] < 0
    exact = value_iteration(world, 0.99).max(axis=1)
    values = training.model(Tensor(np.eye(11, dtype=np.float32), backend=training.model.backend))
    way = [0, 1, 2, 5, 9]  # the states that the greedy policy is in
    assert np.abs(values.numpy().max(axis=1)[way] - exact[way]).max() < 0.05


def test_a_target_network_is_copied_or_follows():
    def apart(**how):
        learning = FromReplay(capacity=400, starts=50, **how)
        training = begin(RECIPES["grid-dqn"].replaced(epochs=1, steps=30, learning=learning))
        training.fit()
        pairs = zip(training.learner.target.parameters(), training.model.parameters(), strict=True)
        return max(float(np.abs(a.numpy() - b.numpy()).max()) for a, b in pairs)

    never, some, wholly = apart(copies=10_000), apart(soft=0.01), apart(soft=1.0)
    assert wholly == 0 < some < never


def test_what_earns_enough_is_left_alone():
    def losses(enough):
        learning = FromReplay(capacity=400, starts=50, enough=enough)
        training = begin(RECIPES["grid-dqn"].replaced(epochs=3, steps=30, learning=learning))
        training.fit()
        return training.state.history["loss"]

    first, *later = losses(-99)
    assert later == [first] * 2 and len(set(losses(99))) == 3
    with pytest.raises(ConfigError, match="FromReplay: enough must be a number, got 'much'"):
        FromReplay(enough="much")


@pytest.mark.parametrize("name", ["cartpole-a2c", "cartpole-reinforce", "cartpole-reinforce/plain"])
def test_policy_gradients_are_better_than_chance_after_some_rollouts(name):
    training = begin(find(name).replaced(epochs=2, steps=3_000))
    training.fit()
    assert training.measure()["return"] > 3 * baselines.random_actions(training, "test")["return"]


def test_the_line_holds_the_pole():
    training = begin(RECIPES["cartpole-ppo"])
    assert baselines.push_below_the_pole(training, "test") == {"return": 500.0, "worst": 500.0}
    assert 15 < baselines.random_actions(training, "test")["return"] < 30
    with pytest.raises(ConfigError, match="value iteration: cart_pole is no table"):
        baselines.value_iteration_policy(training, "test")


def test_policies_that_somebody_wrote_down_for_the_car_and_the_board():
    car = begin(RECIPES["mountain-car-ppo"])
    assert baselines.nothing_done(car, "test") == {"return": 0.0, "worst": 0.0}
    assert 85 < baselines.push_with_the_motion(car, "test")["return"] < 90
    board = begin(RECIPES["tic-tac-toe-dqn"])
    assert baselines.perfect_player(board, "test") == {"return": 0.0, "worst": 0.0}
    assert baselines.random_actions(board, "test")["return"] < -0.8


def test_the_car_learns_to_swing_and_actions_of_the_other_kind_are_refused():
    recipe = RECIPES["mountain-car-ppo"].replaced(epochs=4)
    training = begin(recipe)
    training.fit()
    assert training.measure()["return"] > 50
    assert training.optimizer.lr == pytest.approx(0.002 * (1 - 0.9 * 3 / 4))
    with pytest.raises(ConfigError, match="FromRollouts: needs Box actions, cart_pole has Discre"):
        begin(recipe.replaced(dataset="cart_pole", architecture={"sizes": (4, 8, 1)}))


def lost_games(model):
    """How many of all games against a player who makes no mistake the greedy policy loses: every
    best answer is tried, whoever begins."""
    from tinydl.environments.tic_tac_toe import EMPTY, after, best_moves, winner

    def lost(board):
        """The agent is to move."""
        if 0 not in board:
            return 0
        field = int(model.greedy(np.array([board], np.float64))[0])
        if board[field] != 0:
            return 1
        turned = after(board, field)
        if winner(turned) or 0 not in turned:
            return 0
        answers = [after(turned, answer) for answer in best_moves(turned)]
        return sum(1 if winner(a) == -1 else lost(a) for a in answers)

    return lost(EMPTY) + sum(lost(after(EMPTY, field)) for field in best_moves(EMPTY))


def test_a_controller_builds_networks_that_are_known_once():
    from tinydl.data import synthetic_digits
    from tinydl.environments import WidthSearch

    data = synthetic_digits(200, Generator(0)).split(0.5, Generator(0))
    one, known = WidthSearch(data, layers=2), {}
    other = WidthSearch(data, layers=2, known=known)
    for world in (one, other):
        assert world.reset(seed=0)[0] == 0
        assert world.step(5)[:3] == (6, 0.0, False)
        seen, reward, ended, _, _ = world.step(1)
        assert (seen, ended) == (0, True) and reward == one.worth((64, 4))
    assert known == {(64, 4): reward} and world.render().shape == (68, 60, 3)
    parameters = 64 * 64 + 64 + 64 * 4 + 4 + 4 * 10 + 10
    free = WidthSearch(data, layers=2, price=0.0).worth((64, 4))
    assert free - reward == pytest.approx(0.1 * parameters / 10_000)
    assert free > one.worth((2, 2)), "two units tell ten digits badly"
    known[(64, 4)] = 7.0
    assert other.worth((64, 4)) == 7.0, "what is known is not found again"


def test_games_are_counted_as_they_are_lost():
    class Perfect:
        def greedy(self, states):
            from tinydl.environments.tic_tac_toe import best_moves

            return [best_moves(tuple(map(int, states[0])))[0]]

    class First:
        def greedy(self, states):
            return [int((states[0] == 0).argmax())]

    assert lost_games(Perfect()) == 0 and lost_games(First()) > 5


def test_measures_are_of_the_same_episodes_and_leave_the_training_alone():
    training = begin(RECIPES["cartpole-ppo"])
    before = training.streams.state_dict()
    first = training.measure()
    assert training.measure() == first and training.streams.state_dict() == before
    returns, steps = training.returns(training.model.greedy)
    assert len(returns) == TESTED and (returns == steps).all()
    assert first == {"return": returns.mean(), "worst": returns.min(), "steps": steps.mean()}


def test_epsilon_falls_in_a_line():
    recipe = RECIPES["grid-dqn"].replaced(learning=FromReplay(50, 10, falls=20, last=0.1))
    learner = begin(recipe).learner
    found = []
    for total in (0, 10, 20, 30, 99):
        learner.memory.total = total
        found.append(round(learner.epsilon(), 6))
    assert found == [1.0, 1.0, 0.55, 0.1, 0.1]


def test_the_target_network_is_renewed_when_it_should(monkeypatch):
    recipe = RECIPES["grid-dqn"].replaced(
        learning=FromReplay(50, 10, every=1, copies=25), steps=60, batch_size=4
    )
    training = begin(recipe)
    learner, equal = training.learner, {}
    learn = learner._learn

    def watched():
        loss = learn()
        pairs = zip(training.model.parameters(), learner.target.parameters(), strict=True)
        equal[learner.memory.total] = all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
        return loss

    monkeypatch.setattr(learner, "_learn", watched)
    copied = []
    renew = learner.target.load_state_dict
    monkeypatch.setattr(
        learner.target, "load_state_dict", lambda s: (copied.append(learner.memory.total), renew(s))
    )
    training.epoch()
    assert copied[:2] == [25, 50] or copied[:2] == [50, 75]
    assert not any(equal.values())


class Foreign:
    """An environment as gymnasium has them, with nothing of tinydl in it: hit the hidden side."""

    def __init__(self, drawn=True):
        self.observation_space = SimpleNamespace(shape=(2,), low=-1.0, high=1.0)
        self.action_space = SimpleNamespace(n=np.int64(2), shape=())
        self.picture = np.zeros((8, 8, 3), np.uint8) if drawn else None

    def reset(self, *, seed=None, options=None):
        self.rng, self.taken = np.random.default_rng(seed), 0
        return self._seen(), {"anything": 1}

    def _seen(self):
        self.side = int(self.rng.integers(2))
        return np.array([self.side, 1 - self.side], np.float32)

    def step(self, action):
        assert 0 <= action < 2
        right, self.taken = action == self.side, self.taken + 1
        return self._seen(), np.float32(right), np.bool_(False), self.taken == 10, {}

    def render(self):
        return self.picture


@pytest.mark.parametrize("learning, model, lr", [
    (FromReplay(200, 40, falls=50), "grid-dqn", 0.01),
    (FromRollouts(4, 4, 20), "cartpole-ppo", 0.01),
])  # fmt: skip
def test_an_environment_of_somebody_else(learning, model, lr, monkeypatch):
    monkeypatch.setitem(DATASETS, "foreign", Foreign)
    recipe = RECIPES[model].replaced(
        dataset="foreign", architecture={"sizes": (2, 8, 2)}, learning=learning, steps=200,
        batch_size=32, lr=lr, epochs=3, baselines=(baselines.random_actions,), not_beaten=(),
    )  # fmt: skip
    outcome = train(recipe, Settings(backend="numpy"))
    assert outcome.test == {"return": 10.0, "worst": 10.0, "steps": 10.0}
    training = begin(recipe)
    assert 4 < baselines.random_actions(training, "test")["return"] < 6
    episode = recipe.program.play(training.model, Generator(0), recipe)
    assert episode.frames.shape == (11, 8, 8, 3) and episode.states[0] in (
        "0.000 1.000",
        "1.000 0.000",
    )
    monkeypatch.setitem(DATASETS, "foreign", lambda: Foreign(drawn=False))
    with pytest.raises(ConfigError, match="play: Foreign draws nothing; of gymnasium, make it"):
        recipe.program.play(training.model, Generator(0), recipe)


@pytest.mark.oracle
def test_gymnasiums_cart_pole_is_ours():
    gymnasium = oracle_module("gymnasium")
    theirs, ours = gymnasium.make("CartPole-v1"), CartPole()
    rng = np.random.default_rng(0)
    for seed in range(5):
        theirs.reset(seed=seed)
        ours.reset(seed=seed)
        theirs.unwrapped.state = np.array(ours.state)
        over = False
        while not over:
            action = int(rng.integers(2))
            (seen, *found, _), (own, *wanted, _) = theirs.step(action), ours.step(action)
            assert np.abs(seen - own).max() < 1e-6 and found == wanted
            over = wanted[1] or wanted[2]


def test_actions_that_are_no_choice_are_refused(monkeypatch):
    class Smooth(Foreign):
        def __init__(self):
            super().__init__()
            self.action_space = SimpleNamespace(shape=(1,), low=-1.0, high=1.0)

    monkeypatch.setitem(DATASETS, "smooth", Smooth)
    for learning, name in ((FromReplay(), "FromReplay"), (FromRollouts(), "FromRollouts")):
        recipe = RECIPES["grid-dqn"].replaced(dataset="smooth", learning=learning)
        with pytest.raises(ConfigError, match=f"{name}: needs Discrete actions, smooth has"):
            begin(recipe)


@pytest.mark.parametrize("make", [
    lambda: FromReplay(capacity=0), lambda: FromReplay(every=0), lambda: FromReplay(first=2.0),
    lambda: FromReplay(falls=1.5), lambda: FromRollouts(worlds=0), lambda: FromRollouts(passes=-1),
    lambda: FromRollouts(minibatch=0), lambda: RECIPES["grid-dqn"].replaced(steps=0),
    lambda: RECIPES["grid-dqn"].replaced(batch_size="x"),
    lambda: RECIPES["grid-dqn"].replaced(lr=None),
])  # fmt: skip
def test_settings_that_are_none(make):
    with pytest.raises(ConfigError, match="must be"):
        make()


@pytest.mark.parametrize("change", [
    {"learning": {}}, {"model": "PPO"}, {"architecture": {"sizes": [3, 3]}}, {"more": 1},
])  # fmt: skip
def test_settings_of_another_agent_are_refused(change):
    program = RECIPES["grid-dqn"].program
    with pytest.raises(ConfigError, match="not those of the recipe"):
        program.restored({**program.stored(), **change})
    quicker = program.changed("grid-dqn", 8, 0.5)
    assert program.restored(json.loads(json.dumps(quicker.stored()))) == quicker


def test_a_run_is_trained_measured_and_played(tmp_path, capsys):
    from PIL import Image

    run, gif = str(tmp_path / "run"), tmp_path / "episode.gif"
    assert main(["train", "cartpole-ppo", "--epochs", "1", "--quiet", "--out", run]) == 0
    capsys.readouterr()
    assert main(["evaluate", run, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["baselines"]["push below the pole"]["return"] == 500 and told["steps"] > 0
    assert main(["play", run, "--out", str(gif), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["states"]) == len(told["actions"]) + 1 and len(told["states"][0].split()) == 4
    assert told["reward"] == len(told["actions"])
    with Image.open(gif) as image:
        assert image.n_frames > 1 and image.size == (260, 100)
