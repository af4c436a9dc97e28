# %% [markdown]
# # Answers to page 34: reinforcement

# %%
from __future__ import annotations

import numpy as np

from tinydl import Generator
from tinydl.data import chain_world, grid_world
from tinydl.models.reinforcement.q_table import value_iteration
from tinydl.models.reinforcement.sarsa import SARSA

# %% [markdown]
# ## 1. One update
#
# 4 + 0.1 (1 + 0.9 * 5 - 4) = 4.15. If it ended, the target is the reward alone: 4 + 0.1 (1 - 4) =
# 3.7.

# %%
assert abs(4 + 0.1 * (1 + 0.9 * 5 - 4) - 4.15) < 1e-12 and abs(4 + 0.1 * (1 - 4) - 3.7) < 1e-12

# %% [markdown]
# ## 2. Less patience
#
# The last state is worth 10 / (1 - 0.5) = 20. Going on from the first: 20 halved four times, 1.25,
# less than the 2 at once of going back, which for ever is worth 2 / (1 - 0.5) = 4. So in the first
# state going back is best: 2 + 0.5 * 4 = 4 beside 0.5 times the second state's worth. In the
# second: going on 0.125 * 20 = 2.5, back 4. In the third: 5 beside 4. There it changes.

# %%
q = value_iteration(chain_world(5, slip=0.0), 0.5)
print(np.round(q.T, 2), "best:", q.argmax(axis=1))
assert q.argmax(axis=1).tolist() == [1, 1, 0, 0, 0] and abs(q[4, 0] - 20) < 1e-6
assert abs(q[2, 0] - 5) < 1e-6 and abs(q[0, 1] - 4) < 1e-6

# %% [markdown]
# ## 3. A baseline by hand
#
# The slope of ln pi by the logit of the second action is 1 - 1/2 if it was taken, -1/2 if not.
# Times G: 5.5 and -5. Mean 0.25, variance 5.25^2 = 27.6. With the baseline: 0.5 * 0.5 and -0.5 *
# -0.5, both 0.25: the same mean, the variance 0.

# %%
for baseline in (0.0, 10.5):
    samples = np.array([(11 - baseline) * 0.5, (10 - baseline) * -0.5])
    print(f"baseline {baseline}: {samples}, mean {samples.mean()}, variance {samples.var():.2f}")
    assert samples.mean() == 0.25 and (samples.var() == 0) == (baseline == 10.5)

# %% [markdown]
# ## 4. Fewer slips
#
# With so few slips the edge costs little, and SARSA takes the shorter way too: its table tells what
# it does, and it hardly slips.

# %%
cliff = grid_world("......\n......\nS----+", slip=0.0)
steps = {}
for epsilon in (0.3, 0.03):
    agent, rng = SARSA(cliff.states, 4), Generator(1)
    for n in range(500):
        agent.episode(cliff, 60, rng, 0.5 / (n + 1) ** 0.3, discount=0.95, epsilon=epsilon)
    state, steps[epsilon] = cliff.start, 0
    while not cliff.terminal[state] and steps[epsilon] < 30:
        state, _, _ = cliff.step(state, agent.greedy(state), rng)
        steps[epsilon] += 1
print("steps from S to +:", steps)
assert steps[0.03] == 7 < steps[0.3]

# %% [markdown]
# ## 5. Time
#
# 1 / (1 - 0.99) = 100. The agent that mixes them up learns that the 200th step is followed by
# nothing and worth 1, though the same pole, as upright, is worth 100 at the first step. The state
# does not say which step it is, so the two are averaged, and all values are wrong.

# %%
assert abs(sum(0.99**k for k in range(5_000)) - 100) < 1e-6
