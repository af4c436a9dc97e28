"""Agents with a network: values against value iteration, slopes against every path written out."""

import itertools

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import chain_world
from tinydl.environments import GridWorld, Played
from tinydl.errors import ConfigError, FormatError, ShapeError
from tinydl.models import (
    DQN,
    PPO,
    REINFORCE,
    ActorCritic,
    DoubleDQN,
    GaussianPPO,
    ReinforceBaseline,
)
from tinydl.models.reinforcement.q_table import QTable, value_iteration
from tinydl.models.reinforcement.replay import Replay
from tinydl.models.reinforcement.returns import advantages, discounted_returns
from tinydl.models.reinforcement.sarsa import SARSA, epsilon_greedy_values
from tinydl.ops import log_softmax
from tinydl.optim import Adam

# -- what a step was worth -------------------------------------------------------------------------


def test_returns_are_the_plain_sum():
    rewards = np.random.default_rng(0).normal(size=9)
    for discount in (0.0, 0.7, 1.0):
        plain = [sum(discount ** (k - t) * rewards[k] for k in range(t, 9)) for t in range(9)]
        assert_close(discounted_returns(rewards, discount), np.array(plain), 1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.95, 1.0])
def test_advantages_are_the_sum_of_the_paper(decay):
    """Equation 16 and, for decay below 1, the mixture of all n-step advantages that it stands for:
    (1 - decay) sum_n decay^(n - 1) A^(n), what is left of the weights going to the last n."""
    rng, discount, steps = np.random.default_rng(1), 0.9, 6
    rewards, values = rng.normal(size=steps), rng.normal(size=steps + 1)
    found = advantages(rewards, values, discount, decay)

    def n_step(t, n):
        earned = sum(discount**k * rewards[t + k] for k in range(n))
        return earned + discount**n * values[t + n] - values[t]

    for t in range(steps):
        rest = steps - t
        surprises = [
            (discount * decay) ** k
            * (rewards[t + k] + discount * values[t + k + 1] - values[t + k])
            for k in range(rest)
        ]
        assert found[t] == pytest.approx(sum(surprises), abs=1e-12)
        mixed = (1 - decay) * sum(decay ** (n - 1) * n_step(t, n) for n in range(1, rest))
        assert found[t] == pytest.approx(mixed + decay ** (rest - 1) * n_step(t, rest), abs=1e-12)


def test_values_that_do_not_fit():
    with pytest.raises(ShapeError, match="3 rewards need one value more, got 3"):
        advantages(np.ones(3), np.ones(3), 0.9, 0.9)
    for call in (lambda: discounted_returns(np.ones(2), 1.5),
                 lambda: advantages(np.ones(2), np.ones(3), 0.9, -0.1)):  # fmt: skip
        with pytest.raises(ConfigError, match=r"must be in \[0, 1\]"):
            call()


# -- values ----------------------------------------------------------------------------------------


def all_steps(world):
    """Every state and action of a world without chance, once: what a memory would hold."""
    states, actions = np.divmod(np.arange(world.states * world.actions), world.actions)
    following = world.transitions[states, actions].argmax(axis=1)
    eye = np.eye(world.states)
    rows = (eye[states], actions, world.rewards[states, actions], eye[following],
            world.terminal[following])  # fmt: skip
    keep = ~world.terminal[states]
    return [Tensor(row[keep]) for row in rows]


@pytest.mark.parametrize("kind", [DQN, DoubleDQN])
def test_a_linear_network_of_one_hot_states_finds_the_values_of_the_grid(kind):
    """With no hidden layer Q is a table (and a bias), and its fixed point is value iteration's."""
    world, discount = GridWorld().world, 0.9
    model, target = (kind((world.states, world.actions), discount).astype("float64") for _ in "ab")
    batch, optimizer = all_steps(world), Adam(model.parameters(), lr=0.05)
    for step in range(1_500):
        if step % 60 == 0:
            target.load_state_dict(model.state_dict())
        if step == 1_000:
            optimizer.lr = 0.005
        loss = model.loss(*batch, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    exact = value_iteration(world, discount)[~world.terminal]
    found = model(Tensor(np.eye(world.states))).numpy()[~world.terminal]
    assert_close(found, exact, 1e-3)
    assert (model.greedy(np.eye(world.states))[~world.terminal] == found.argmax(axis=1)).all()


def test_targets_of_dqn_and_double_dqn_differ_as_the_papers_say(on_numpy):
    """One step by hand: the maximum of the target's values, and its value of the other's choice."""
    states = Tensor(np.array([[1.0, 0.0]], np.float32))
    values = {"own": [[1.0, 3.0], [5.0, 2.0]], "target": [[0.0, 0.0], [4.0, 7.0]]}
    rest = (np.array([1]), np.array([0.5], np.float32), np.array([[0.0, 1.0]], np.float32))
    for kind, worth in ((DQN, 7.0), (DoubleDQN, 4.0)):
        model, target = kind((2, 2), 0.5), kind((2, 2), 0.5)
        for network, name in ((model, "own"), (target, "target")):
            weight, bias = network.parameters()
            weight.replace(np.array(values[name], np.float32))
            bias.replace(np.zeros(2, np.float32))
        for ended, wanted in ((False, 0.5 + 0.5 * worth), (True, 0.5)):
            batch = [*map(Tensor, rest), Tensor(np.array([ended]))]
            away = abs(3.0 - wanted)
            huber = away - 0.5 if away > 1 else away**2 / 2
            assert model.loss(states, *batch, target).item() == pytest.approx(huber, abs=1e-6)


def test_no_slope_goes_through_the_target(on_numpy):
    model, target = DQN((3, 2)), DQN((3, 2))
    rng = np.random.default_rng(0)
    states, following = (Tensor(rng.normal(size=(4, 3)).astype(np.float32)) for _ in "ab")
    ended, rewards = Tensor(np.zeros(4, bool)), Tensor(np.ones(4, np.float32))
    model.loss(states, Tensor(np.array([0, 1, 0, 1])), rewards, following, ended, target).backward()
    assert all(p.grad is None for p in target.parameters())
    assert all(p.grad is not None for p in model.parameters())


def test_sarsa_finds_the_value_of_what_it_does_itself():
    """Of even chance here; Q-learning, from the same behaviour, finds that of the best policy,
    within 1e-6 as nothing slips in this chain."""
    world, discount, rng = chain_world(3, slip=0.0), 0.7, Generator(0)
    found, best = SARSA(3, 2), QTable(3, 2)
    for n in range(40):
        for table in (found, best):
            table.episode(world, 100, rng, 1 / (n + 1) ** 0.7, discount, epsilon=1.0)
    own = epsilon_greedy_values(world, found.values(), discount, epsilon=1.0)
    exact = value_iteration(world, discount)
    assert np.abs(best.values() - exact).max() < 1e-6
    assert np.abs(found.values() - own).max() < 0.05 * own.max()
    assert np.abs(own - exact).max() > 0.4 * exact.max()
    assert_close(epsilon_greedy_values(world, exact, discount, 0.0), exact, 1e-9)


@pytest.mark.parametrize("kind", [QTable, SARSA])
def test_the_rate_of_a_pair_falls_with_its_own_updates(kind, on_numpy):
    """One state of which nothing is earned: with decay 1 the fourth update goes a quarter."""
    world, q = chain_world(2, slip=0.0), kind(2, 2)
    for _ in range(3):
        q.episode(world, 1, Generator(0), rate=1.0, discount=0.0, epsilon=0.0, decay=1.0)
    assert q.visits.numpy().tolist() == [[3, 0], [0, 0]] and q.values()[0, 0] == 0
    q.table.replace(np.array([[6.0, 0.0], [0.0, 0.0]]))
    q.episode(world, 1, Generator(0), rate=1.0, discount=0.0, epsilon=0.0, decay=1.0)
    assert q.values()[0, 0] == pytest.approx(6.0 - 6.0 / 4)
    other = kind(2, 2)
    other.load_state_dict(q.state_dict())
    assert np.array_equal(other.visits.numpy(), q.visits.numpy())


def test_one_step_of_sarsa_by_hand(on_numpy):
    world, q = chain_world(3, slip=0.0), SARSA(3, 2)
    q.table.replace(np.array([[0.0, 0.0], [1.0, 4.0], [0.0, 0.0]]))
    q.episode(world, 1, Generator(0), rate=0.5, discount=0.9, epsilon=0.0)
    assert_close(q.values()[0], np.array([0.5 * 0.9 * 4.0, 0.0]), 1e-12)
    with pytest.raises(ConfigError, match=r"SARSA\.episode: rate must be"):
        q.episode(world, 1, Generator(0), rate=0.0)


# -- policies --------------------------------------------------------------------------------------


def two_steps(rng):
    """A world of two steps: the first state is 0, the second one is 1 + the first action; three
    actions each, a reward for every step. Rewards (1 + 3, 3)."""
    return rng.normal(size=(4, 3))


def paths(rewards):
    """(states, actions, rewards) of all nine episodes."""
    for a, b in itertools.product(range(3), repeat=2):
        earned = np.array([rewards[0, a], rewards[1 + a, b]])
        yield np.eye(4)[[0, 1 + a, 0]], np.array([a, b]), earned


@pytest.mark.parametrize("kind", [REINFORCE, ReinforceBaseline, ActorCritic, PPO])
def test_the_expected_slope_is_that_of_the_expected_reward(kind):
    """The loss of every episode times its probability, against the slope of the expectation itself
    with all paths written out; a baseline, whatever it says, changes nothing."""
    tinydl.seed(2)
    rewards = two_steps(np.random.default_rng(3))
    more = {} if kind is REINFORCE else {"value_weight": 0.0}
    if kind in (ActorCritic, PPO):
        more |= {"decay": 1.0, "entropy_weight": 0.0, "standard": False}
    model = kind((4, 5, 3), 1.0, **more).astype("float64")
    logs = log_softmax(model(Tensor(np.eye(4))), axis=1)
    expected = sum(
        (logs[0, int(a[0])] + logs[1 + int(a[0]), int(a[1])]).exp() * float(r.sum())
        for _, a, r in paths(rewards)
    )
    expected.backward()
    wanted = [np.array(p.grad.numpy()) for p in model.policy.parameters()]
    model.zero_grad()
    shares, total = logs.numpy(), 0.0
    for states, actions, earned in paths(rewards):
        share = float(np.exp(shares[0, actions[0]] + shares[1 + actions[0], actions[1]]))
        episode = Played(states, actions, earned, True)
        total = total - 2 * share * model.loss(*map(Tensor, model.rollout([episode])))
    total.backward()  # the loss is a mean of two steps
    for p, slope in zip(model.policy.parameters(), wanted, strict=True):
        assert_close(p.grad.numpy(), slope, 1e-9)


def test_what_was_left_is_worth_what_the_critic_says():
    """The last value counts where an episode was left, and is 0 where it ended."""
    tinydl.seed(1)
    model = ActorCritic((2, 3, 2), 0.9, decay=0.0, standard=False)
    states, rewards = np.random.default_rng(0).normal(size=(3, 2)), np.array([1.0, 2.0])
    values = model.values(states)
    for ended in (True, False):
        played = Played(states, np.array([0, 1]), rewards, ended)
        *_, beyond, returns = model.rollout([played])
        last = 0.0 if ended else values[2]
        wanted = np.array([1 + 0.9 * values[1] - values[0], 2 + 0.9 * last - values[1]])
        assert_close(beyond, wanted, 1e-9)
        assert_close(returns, wanted + values[:2], 1e-9)


def test_entropy_is_its_sum_and_standard_advantages_are():
    tinydl.seed(4)
    model = ActorCritic((2, 3, 4))
    states = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    logits = model(Tensor(states)).numpy().astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    plain = -(shares * np.log(shares)).sum(axis=1).mean()
    assert model.entropy(Tensor(states)).item() == pytest.approx(plain, rel=1e-5)
    episode = Played(states.astype(np.float64), np.zeros(4, int), np.arange(4.0), True)
    beyond = model.rollout([episode])[2]
    assert abs(beyond.mean()) < 1e-9 and beyond.std() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("gain, ratio, moves", [
    (1.0, 1.5, False), (1.0, 0.5, True), (1.0, 1.1, True),
    (-1.0, 0.5, False), (-1.0, 1.5, True), (-1.0, 0.9, True),
])  # fmt: skip
def test_a_ratio_that_has_gone_far_enough_has_no_slope(gain, ratio, moves):
    tinydl.seed(1)
    model = PPO((2, 3, 2), value_weight=0.0, entropy_weight=0.0).astype("float64")
    states, actions = Tensor(np.ones((1, 2))), Tensor(np.array([1]))
    with no_grad():
        before = model.log_probability(states, actions) - float(np.log(ratio))
    numbers = [Tensor(np.array([x])) for x in (gain, 0.0)]
    loss = model.loss(states, actions, *numbers, before)
    assert loss.item() == pytest.approx(-min(ratio * gain, np.clip(ratio, 0.8, 1.2) * gain))
    loss.backward()
    assert (np.abs(model.policy.parameters()[-1].grad.numpy()).max() > 0) == moves


def test_a_gaussian_policy_is_its_formula_and_draws_from_it():
    """log N(a; m, exp(2 b)) and its entropy, plainly; means and deviations of what is drawn."""
    tinydl.seed(3)
    model = GaussianPPO((2, 4, 3)).astype("float64")
    model.b.replace(np.array([-1.0, 0.0, 0.5]))
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(5, 2)), rng.normal(size=(5, 3))
    means, spread = model.greedy(states), np.exp([-1.0, 0.0, 0.5])
    density = np.exp(-(((actions - means) / spread) ** 2) / 2) / spread / np.sqrt(2 * np.pi)
    found = model.log_probability(Tensor(states), Tensor(actions)).numpy()
    assert_close(found, np.log(density).sum(axis=1), 1e-12)
    entropy = (np.log(spread) + np.log(2 * np.pi * np.e) / 2).sum()
    assert model.entropy(Tensor(states)).item() == pytest.approx(entropy)
    drawn = model.act(np.repeat(states[:1], 20_000, axis=0), Generator(0))
    assert_close(drawn.mean(axis=0), means[0], 0.05)
    assert_close(drawn.std(axis=0), spread, 0.02)


def test_actions_are_drawn_from_the_policy():
    tinydl.seed(3)
    model = REINFORCE((2, 4, 3))
    states = np.repeat([[1.0, -2.0]], 4_000, axis=0)
    counts = np.bincount(model.act(states, Generator(0)), minlength=3) / 4_000
    shares = np.exp(log_softmax(model(model.tensor(states[:1])), axis=1).numpy()[0])
    assert_close(counts, shares, 0.05)
    assert (model.greedy(states) == shares.argmax()).all()


# -- the memory ------------------------------------------------------------------------------------


def test_a_memory_is_a_ring_and_draws_evenly():
    memory = Replay(5, 2)
    with pytest.raises(ConfigError, match="nothing was added yet"):
        memory.draw(1, Generator(0))
    for k in range(8):
        memory.add(np.full(2, k), k, k / 2, np.full(2, k + 1), k == 7)
    assert len(memory) == 5 and memory.total == 8
    states, actions, rewards, following, ended = memory.draw(5_000, Generator(1))
    assert set(actions) == {3, 4, 5, 6, 7}
    assert (states[:, 0] == actions).all() and (following[:, 1] == actions + 1).all()
    assert (rewards == actions / 2).all() and (ended == (actions == 7)).all()
    shares = np.bincount(actions, minlength=8)[3:] / 5_000
    assert np.abs(shares - 0.2).max() < 4 * np.sqrt(0.16 / 5_000)


def test_a_memory_comes_back_or_stays_as_it_was():
    memory, other = Replay(4, 1), Replay(4, 1)
    for k in range(6):
        memory.add(np.array([k]), k, 0.0, np.array([k]), False)
    state = memory.state_dict()
    other.load_state_dict(state)
    drawn = [m.draw(9, Generator(2)) for m in (memory, other)]
    assert all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))
    wrong = [
        {**state, "arrays": {**state["arrays"], "states": np.zeros((4, 2), np.float32)}},
        {**state, "arrays": {"states": state["arrays"]["states"]}},
        {**state, "scalars": {"total": -1}}, {**state, "scalars": {"total": True}},
        {**state, "scalars": {}},
    ]  # fmt: skip
    for bad in wrong:
        with pytest.raises(FormatError, match="Replay"):
            other.load_state_dict(bad)
    assert other.total == 6
    for sizes in ((0, 1), (3, 0), (2.5, 1)):
        with pytest.raises(ConfigError, match=r"Replay: .* must be an integer >= 1"):
            Replay(*sizes)


@pytest.mark.parametrize("make, words", [
    (lambda: DQN(discount=1.5), "DQN: discount must be"),
    (lambda: REINFORCE(discount=-1), "REINFORCE: discount must be"),
    (lambda: ReinforceBaseline(value_weight=float("nan")), "value_weight must be"),
    (lambda: ActorCritic(decay=2), "ActorCritic: decay must be"),
    (lambda: ActorCritic(entropy_weight="x"), "entropy_weight must be"),
    (lambda: PPO(e=2), "PPO: e must be"),
    (lambda: DQN((4,)), "at least two sizes"),
])  # fmt: skip
def test_settings_that_are_none(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
