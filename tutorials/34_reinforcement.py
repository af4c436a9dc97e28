# %% [markdown]
# # 34. Reinforcement: nobody says what was right
#
# **You need**: *gradient descent* (page 7), a *neuron* (page 1), a *hidden layer* (page 13),
# *softmax*, *logit* and *mini-batch* (page 40), *Adam* (page 11).
#
# **You will be able to** compute what an action is worth in a small world, with and without knowing
# its rules; say what Q-learning and SARSA learn, and why they differ beside a cliff; tell ended
# from interrupted; and estimate the slope of a reward that nobody can differentiate.
#
# An agent sees a state, acts, and gets a number, the *reward*. No label says which action was the
# right one, and a good one may pay much later. So neither a loss nor its gradient is at hand; this
# page finds two ways to make one. It goes from a table of five states to networks, and measures at
# every step what is known: values against value iteration, slopes against chance.

# %%
from __future__ import annotations

from itertools import pairwise

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import note

import tinydl
from tinydl import Generator, Tensor
from tinydl.data import chain_world, grid_world
from tinydl.environments import CartPole, GridWorld, play_together
from tinydl.models import DQN, REINFORCE, ReinforceBaseline
from tinydl.models.reinforcement.q_table import QTable, value_iteration
from tinydl.models.reinforcement.replay import Replay
from tinydl.models.reinforcement.returns import discounted_returns
from tinydl.models.reinforcement.sarsa import SARSA
from tinydl.optim import Adam
from tinydl.viz import plot_bands

# %% [markdown]
# ## A chain of five states
#
# Action 0 goes one state on, action 1 back to the first and earns 2. Going on from the last state
# stays there and earns 10. What is an action worth? All reward from now on, each step later worth
# 0.9 of the one before (the *discount*: else the sum of an endless game is infinite), if the best
# actions follow. Call it Q(s, a). One step of the game says what must hold:
#
#     Q(s, a) = R(s, a) + 0.9 sum over s' of P(s' | s, a) max over b of Q(s', b)
#
# what the action earns now, and 0.9 of what the best action is worth where it leads. Who knows R
# and P computes it: put any table in on the right, take what comes out, again and again. If two
# tables differ by at most d, what comes out differs by at most 0.9 d; so whatever we began with,
# each round brings us nearer to the one table that stays, by a factor of 0.9. That is *value
# iteration*.
#
# **Before you run**: somebody in the last state goes on for ever. What is that worth? And in the
# state before it? And what is going back worth, in any state?

# %%
world = chain_world(5, slip=0.0)
exact = value_iteration(world, 0.9)
table, gaps = np.zeros((5, 2)), []
for _ in range(150):
    table = world.rewards + 0.9 * world.transitions @ table.max(axis=1)
    gaps.append(np.abs(table - exact).max())
print("value iteration, on / back in every state")
print(np.round(exact.T, 2))
assert all(abs(b / a - 0.9) < 0.01 for a, b in pairwise(gaps))

# %% [markdown]
# 10 + 9 + 8.1 + ... = 10 / (1 - 0.9) = 100; a step earlier 0.9 of it, 90; and back from anywhere 2
# and then four steps of walking, 2 + 0.9 * 65.61 = 61.05.
#
# ## Q-learning by hand
#
# The agent knows neither R nor P. It acts, sees one s' and one reward r, and moves one number of
# its table towards what that one step says:
#
#     Q(s, a) <- Q(s, a) + rate (r + 0.9 max over b of Q(s', b) - Q(s, a))
#
# This is *Q-learning* (Watkins 1989). If the world is random, one s' is only a sample of what might
# follow, and a small rate averages; here nothing is random and the rate can be 1.
#
# **Before you run**: the agent below acts by a coin and never goes on for long. Will it learn what
# the coin's play is worth, or what the best play would be worth?

# %%
rng, q, state = Generator(0), np.zeros((5, 2)), 0
learnt = []
for _ in range(8_000):
    action = int(rng.integers(0, 2))  # by even chance: the far end is seen often enough
    following, reward, _ = world.step(state, action, rng)
    target = reward + 0.9 * q[following].max()
    q[state, action] += 1.0 * (target - q[state, action])
    state = following
    learnt.append(np.abs(q - exact).max())
print(f"after {len(learnt):,} steps the largest error is {learnt[-1]:.1e}")
assert learnt[-1] < 1e-6 and (q.argmax(axis=1) == exact.argmax(axis=1)).all()

figure, ax = plt.subplots(figsize=(6, 3.2))
ax.semilogy(gaps, color=GREEN, label="value iteration, a round each")
ax.semilogy(np.array(learnt)[::50], color=BLUE, label="Q-learning, 50 steps each")
ax.set_ylabel("largest error of the table")
ax.set_ylim(1e-7, 200)
ax.legend()
drawing.save(
    figure,
    "34_chain.png",
    alt="Largest error of the table on a logarithmic axis: a straight line for value "
    "iteration, falling in irregular steps for Q-learning.",
)

# %% [markdown]
# ![Two ways to the same table](../docs/figures/34_chain.png)
#
# It acted by chance throughout and still found the values of the *best* policy: max over b asks
# what would be best next, not what was done. Such learning is called *off-policy*.
#
# ## The edge of a cliff
#
# *SARSA* (its letters: state, action, reward, state, action) replaces the maximum by the action
# that is really done next. Its table then tells the value of what the agent does, its own slips
# included. And slips it has: to find out anything, both agents do something by chance in three
# steps of ten (*exploration*), and otherwise the best they know.
#
# The world: from S to + with a cliff between, marked -. Each step costs a little, the cliff ends
# the episode and costs 1.
#
# **Before you run**: the shortest way goes along the edge. Which of the two agents will take it
# when both stop exploring?

# %%
CLIFF = "......\n......\nS----+"
cliff = grid_world(CLIFF, slip=0.0)
ways = {}
for kind in (QTable, SARSA):
    agent, rng = kind(cliff.states, 4), Generator(1)
    for n in range(500 if FAST else 1_500):
        agent.episode(cliff, 60, rng, 0.5 / (n + 1) ** 0.3, discount=0.95, epsilon=0.3)
    state, way = cliff.start, [cliff.start]
    while not cliff.terminal[state] and len(way) < 30:
        state, _, _ = cliff.step(state, agent.greedy(state), rng)
        way.append(state)
    ways[kind.__name__] = way
    print(f"{kind.__name__:7} {len(way) - 1} steps, cells {way}")

figure, axes = plt.subplots(1, 2, figsize=(9, 2.4))
for ax, (name, way) in zip(axes, ways.items(), strict=True):
    drawing.blank(ax, f"{name}: its greedy way")
    marks = {(k // 6, k % 6): mark for k, mark in enumerate(CLIFF.replace("\n", ""))}
    colours = {
        place: {"-": "#f3b8a8", "+": "#b9dfc2"}.get(m, "white") for place, m in marks.items()
    }
    drawing.draw_cells(ax, np.zeros((3, 6)), colors=colours, text="")
    ax.plot([s % 6 + 0.5 for s in way], [-(s // 6) - 0.5 for s in way], "o-", color=BLUE)
drawing.save(
    figure,
    "34_cliff.png",
    alt="Two grids with a cliff in the last row: the greedy way of Q-learning runs along the "
    "edge, that of SARSA a row farther up.",
)
assert set(ways["QTable"]) & set(range(6, 12)), "Q-learning walks along the edge"
assert len(ways["SARSA"]) >= len(ways["QTable"])

# %% [markdown]
# ![Along the edge, and a row away](../docs/figures/34_cliff.png)
#
# Q-learning's table says what each cell would be worth for somebody who never slips, so the edge is
# the best way. SARSA has fallen off that edge by its own coin, and its table says so. Neither is
# wrong: they answer different questions.
#
# ## A network in place of the table
#
# A table of all boards of a game has no room anywhere. A network takes the state and gives a number
# for each action; the same target as above, and a squared error in place of "move towards". Two
# things are added (DQN, Mnih et al. 2015). The target contains the network itself, and moves with
# every update: it can run away, as a dog after its tail. So it is computed with a copy that is
# renewed only now and then. And steps in a row are alike, while a mini-batch should be a fair
# sample: so steps are kept in a memory, and batches drawn from it.
#
# In this grid a step costs 0.04 and the way is five steps long, so 0.8 is the most there is.

# %%
tinydl.seed(0)
maze, rng = GridWorld(), Generator(2)
eye = np.eye(11)
network, target = DQN((11, 32, 4), 0.9), DQN((11, 32, 4), 0.9)
optimizer, memory, errors = Adam(network.parameters(), 0.003), Replay(2_000, 11), []
best = value_iteration(maze.world, 0.9)
inside = ~maze.world.terminal
state, _ = maze.reset(seed=0)
for step in range(1_500 if FAST else 4_000):
    explores = step < 300 or rng.uniform(1)[0] < 0.2
    action = int(rng.integers(0, 4)) if explores else int(network.greedy(eye[state][None])[0])
    following, reward, ended, left, _ = maze.step(action)
    memory.add(eye[state], action, reward, eye[following], ended)
    state = maze.reset()[0] if ended or left else following
    if step >= 200 and step % 2 == 0:
        loss = network.loss(*map(Tensor, memory.draw(32, rng)), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if step % 100 == 0:
        target.load_state_dict(network.state_dict())
        found = network(Tensor(eye.astype(np.float32))).numpy()
        errors.append(np.abs(found - best)[inside].mean())
(played,) = play_together([GridWorld()], network.greedy, [0])
print(f"DQN: return {played.rewards.sum():.2f}, mean error of the values {errors[-1]:.3f}")
assert played.rewards.sum() > 0.75 and errors[-1] < errors[0]

# %% [markdown]
# Note the last argument of `memory.add`: *ended*. Where the world ended, nothing follows and the
# target is the reward alone. An episode that was only left after 50 steps has not ended, and its
# last state is worth what states like it are worth. Mixing the two up teaches that time runs out.
#
# ## Without values: make what paid more probable
#
# The other way asks for no values at all. A network gives the policy itself, pi(a | s), by a
# softmax. Its expected reward is a sum over all games, of the probability of a game times what it
# earned. We want the slope of that by the weights; and since the slope of a probability p is p
# times the slope of ln p,
#
#     slope of E[G] = E[ G  times the slope of ln pi(a | s) ]
#
# An expectation can be estimated by playing: the mean over played episodes, with G the reward from
# each step on. No derivative of the world is needed. That is *REINFORCE* (Williams 1992): make what
# was done more probable, in proportion to what it earned.
#
# It is right on average, and wild. On the cart below, which balances a pole, every step earns 1, so
# every G is positive: all that was done is praised, and only the differences teach. Subtract what
# the state promised anyhow, a *baseline* v(s): an action that did better than expected is praised,
# a worse one blamed. The mean stays as it is, whatever v is, since E[slope of ln pi] is the slope
# of the sum of all probabilities, which is 1: zero.
#
# **Before you run**: the same policy, the same episodes, the slope of the last layer's weights from
# 8 episodes at a time. By how much will a baseline make it less wild?

# %%
tinydl.seed(1)
policy = REINFORCE((4, 32, 2))
BATCHES = 12 if FAST else 40
seeds = list(range(8 * BATCHES))
rng = Generator(3)
episodes = play_together([CartPole() for _ in seeds], lambda s: policy.act(s, rng), seeds)
steps = max(len(p.rewards) for p in episodes)
later = np.zeros((len(episodes), steps))
for row, p in zip(later, episodes, strict=True):
    row[: len(p.rewards)] = discounted_returns(p.rewards, 0.99)
promised = later.sum(axis=0) / np.maximum((later > 0).sum(axis=0), 1)  # mean of G at each time


def slope(batch, baseline):
    """The slope of the loss of 8 episodes with respect to the last weights."""
    states, actions, returns = policy.rollout(batch)
    when = np.concatenate([np.arange(len(p.rewards)) for p in batch])
    if baseline:
        returns = returns - promised[when]
    policy.zero_grad()
    given = (states.astype(np.float32), actions, returns.astype(np.float32))
    policy.loss(*map(Tensor, given)).backward()
    return np.array(policy.parameters()[-2].grad.numpy()).ravel()


spread = {}
for baseline in (False, True):
    slopes = np.array([slope(episodes[8 * k : 8 * k + 8], baseline) for k in range(BATCHES)])
    spread[baseline] = slopes.var(axis=0).sum()
print(f"variance of the slope: {spread[False]:.2f} without, {spread[True]:.2f} with a baseline")
if not FAST:
    note("variance without a baseline", spread[False])
    note("variance with a baseline", spread[True])
assert spread[True] < 0.7 * spread[False]

# %% [markdown]
# At full length the variance is 0.37 (recorded: variance without a baseline) without and 0.18
# (recorded: variance with a baseline) with a baseline. Half the variance is as good as twice as
# many episodes.
#
# ## Learning curves have bands
#
# One training says little about a method that lives on chance. Several seeds each, the mean as a
# line, the band from the worst to the best of them:


# %%
def course(kind, seed, rollouts, lr=0.02):
    """Mean return of each rollout of eight episodes."""
    tinydl.seed(seed)
    model, rng, found = kind((4, 32, 2)), Generator(seed), []
    optimizer = Adam(model.parameters(), lr)
    for k in range(rollouts):
        worlds = [CartPole(200) for _ in range(8)]
        starts = [1_000 * seed + 8 * k + i for i in range(8)]
        batch = play_together(worlds, lambda s: model.act(s, rng), starts)
        arrays = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in model.rollout(batch)]
        optimizer.zero_grad()
        model.loss(*map(Tensor, arrays)).backward()
        optimizer.step()
        found.append(np.mean([p.rewards.sum() for p in batch]))
    return found


SEEDS, ROLLOUTS = (2, 12) if FAST else (5, 60)
courses = {
    "REINFORCE": [course(REINFORCE, s, ROLLOUTS) for s in range(SEEDS)],
    "with a baseline": [course(ReinforceBaseline, s, ROLLOUTS) for s in range(SEEDS)],
}
plot_bands(courses, drawing.FIGURES / "34_bands.png", "rollouts of 8 episodes", "steps upright")
for name, rows in courses.items():
    if not FAST:
        note(f"last steps, {name}", np.mean(rows, axis=0)[-1])
    print(f"{name:16} last rollout {np.mean(rows, axis=0)[-1]:.0f} steps, first {rows[0][0]:.0f}")

figure, ax = plt.subplots(figsize=(5, 3))
ax.bar(["without", "with a baseline"], [spread[False], spread[True]], color=[ORANGE, BLUE])
ax.set_ylabel("variance of the slope")
ax.axhline(0, color=MUTED, linewidth=1)
drawing.save(
    figure,
    "34_variance.png",
    alt="Two bars: the variance of the slope without a baseline, and about half of it with one.",
)

# %% [markdown]
# ![Learning curves with bands](../docs/figures/34_bands.png)
#
# ![Variance of the slope](../docs/figures/34_variance.png)
#
# After 60 rollouts the pole stands for 174 (recorded: last steps, REINFORCE) steps by REINFORCE and
# for 200 (recorded: last steps, with a baseline) with a baseline, of 200 at most, on average over
# five seeds.
#
# ## Exercises
#
# Answers are in `tutorials/answers/34.py`. Try first.
#
# 1. By hand: Q(s, a) is 4, the reward 1, the best next value 5, the rate 0.1, the discount 0.9.
#    What is the new Q(s, a)? What if the episode ended with this step?
# 2. In the chain with the discount 0.5: what are the values, and which action is best in the first
#    state? Where does the discount make the difference?
# 3. A policy chooses of two actions with probability 1/2 each; they earn 10 and 11. What are the
#    two values that REINFORCE's slope by the logit of the second action takes, their mean and their
#    variance? And with the baseline 10.5?
# 4. Change a line: the agents beside the cliff explore in 3 steps of 100. Where does SARSA go now?
# 5. A pole is held for ever, each step earns 1, the discount is 0.99. What is a state worth? What
#    would an agent learn that takes "left after 200 steps" for "ended", about the 200th step?
#
# ## What to take along
#
# - Reward says how good, not what would have been better: somebody has to try.
# - Values answer to a policy: the best one's (Q-learning) or the one that is played (SARSA).
# - Ended and left are two things; only one of them is worth 0.
# - The slope of an expectation is an expectation: play, and weigh. A baseline changes its variance,
#   not its mean.
# - Report the policy of the last weights, on episodes of their own, over several seeds. Put beside
#   it what knows nothing (chance) and what knows all (value iteration, one line for the pole). No
#   training is better than that line: what is shown is learning, not control.
#
# `tinydl train cartpole-dqn`, `cartpole-reinforce`, `cartpole-a2c`, `cartpole-ppo`: the pole;
# `catch-dqn` sees only pixels, `tic-tac-toe-dqn` plays against a perfect player until it never
# loses, `mountain-car-ppo` draws its force from a Gaussian. `tinydl play RUN --out episode.gif`
# shows an episode. An environment of gymnasium goes in as it is. Go on with page 35: learning to
# learn.
