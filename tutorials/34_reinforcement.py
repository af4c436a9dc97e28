# %% [markdown]
# # 34. Reinforcement: nobody says what was right
#
# An agent sees a state, acts, and gets a number, the reward. No label says which action was the
# right one; a good one may pay much later. This page goes from a table of five states to networks,
# and measures at every step what is known: values against value iteration, slopes against chance.

# %%
from __future__ import annotations

from itertools import pairwise

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

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
# earns 10. What is an action worth? All reward from now on, each step later worth 0.9 of the one
# before, if the best actions follow:
#
# Q(s, a) = R(s, a) + 0.9 sum over s' of P(s' | s, a) max over b of Q(s', b)
#
# Who knows R and P computes it: put any table in on the right, take what comes out, again and
# again. Each round brings it nearer by a factor of 0.9. That is value iteration.

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
# ## Q-learning by hand
#
# The agent knows neither R nor P. It acts, sees one s', and moves one number of its table towards
# what that one step says; here all the way (rate 1), since nothing in this world is random. Written
# out, with nothing hidden:

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
drawing.save(figure, "34_chain.png")

# %% [markdown]
# It acted by chance throughout and still found the values of the *best* policy: max over b asks
# what would be best next, not what was done. Q-learning is off-policy.
#
# ## The edge of a cliff
#
# SARSA replaces the maximum by the action that is really done next. Its table then tells the value
# of what the agent does, its own slips included. Beside a cliff that is another way:

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
drawing.save(figure, "34_cliff.png")
assert set(ways["QTable"]) & set(range(6, 12)), "Q-learning walks along the edge"
assert len(ways["SARSA"]) >= len(ways["QTable"])

# %% [markdown]
# ## A network in place of the table
#
# DQN keeps the same target, computed with a copy of the network that is renewed only now and then
# (a target that moves with every update can run away), and draws its batches from a memory of what
# was seen (steps in a row are alike). In this grid a step costs 0.04 and the way is five steps
# long, so 0.8 is the most there is.

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
# REINFORCE has a network for the policy pi(a | s) itself. Its slope is an expectation,
# E[sum of slope of log pi(a | s) times G], with G the reward from there on, so the mean over played
# episodes estimates it. It is right on average, and wild: on the cart every G is positive, so all
# that was done is praised, and what counts are the differences. Subtracting what the state promised
# anyhow (a baseline v(s), no matter which) leaves the mean as it is. How much less wild? The same
# policy, the same episodes; slope of the last layer's weights from 8 episodes at a time:

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
assert spread[True] < 0.7 * spread[False]

# %% [markdown]
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
    print(f"{name:16} last rollout {np.mean(rows, axis=0)[-1]:.0f} steps, first {rows[0][0]:.0f}")

figure, ax = plt.subplots(figsize=(5, 3))
ax.bar(["without", "with a baseline"], [spread[False], spread[True]], color=[ORANGE, BLUE])
ax.set_ylabel("variance of the slope")
ax.axhline(0, color=MUTED, linewidth=1)
drawing.save(figure, "34_variance.png")

# %% [markdown]
# ## On larger worlds
#
# `tinydl train cartpole-dqn`, `cartpole-reinforce`, `cartpole-a2c`, `cartpole-ppo`: the pole;
# `catch-dqn` sees only pixels, `tic-tac-toe-dqn` plays against a perfect player until it never
# loses, `mountain-car-ppo` draws its force from a Gaussian. `tinydl play RUN --out episode.gif`
# shows an episode. An environment of gymnasium goes in as it is.
#
# ## What to take along
#
# - Reward says how good, not what would have been better: somebody has to try.
# - Ended and left are two things; only one of them is worth 0.
# - Report the policy of the last weights, on episodes of their own, over several seeds.
# - Put beside it what knows nothing (chance) and what knows all (value iteration, one line for the
#   pole). No training is better than that line: what is shown is learning, not control.
