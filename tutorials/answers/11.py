# %% [markdown]
# # Answers to page 11: update rules, raced

# %%
from __future__ import annotations

import numpy as np

from tinydl import Tensor, nn, optim

# %% [markdown]
# ## 1. Momentum under a steady push
#
# v is 1, then 1.9, then 2.71; w is -0.1, -0.29, -0.561. In the long run v = 1 + 0.9 v, so v = 10,
# and a step is 1: ten times the step of plain SGD.

# %%
weight = nn.Parameter(np.zeros(1))
rule, places = optim.SGD([weight], 0.1, momentum=0.9), [0.0]
for _ in range(200):
    weight.grad = Tensor(np.ones(1))
    rule.step()
    places.append(weight.item())
assert np.allclose(places[1:4], [-0.1, -0.29, -0.561])
assert abs(places[-2] - places[-1] - 1) < 1e-6

# %% [markdown]
# ## 2. AdaGrad
#
# After the first gradient s = 9 and the step is 3 / 3 = 1. After the second s = 9 + 16 = 25, and
# the step is 4 / 5 = 0.8.

# %%
weight = nn.Parameter(np.zeros(1))
rule, places = optim.AdaGrad([weight], 1.0), [0.0]
for g in (3.0, 4.0):
    weight.grad = Tensor(np.array([g]))
    rule.step()
    places.append(weight.item())
print("AdaGrad's steps:", -np.diff(places))
assert np.allclose(-np.diff(places), [1, 0.8], atol=0.01)

# %% [markdown]
# ## 3. A loss in other units
#
# The gradient is multiplied by 1,000 too. SGD and momentum need a rate a thousand times smaller.
# The others divide by sqrt(s), which is multiplied by 1,000 as well: nothing changes.

# %%
for make, same in ((lambda w: optim.SGD(w, 0.01), False), (lambda w: optim.Adam(w, 0.01), True)):
    steps = []
    for scale in (1.0, 1000.0):
        weight = nn.Parameter(np.zeros(1))
        weight.grad = Tensor(np.array([0.3 * scale]))
        make([weight]).step()
        steps.append(weight.item())
    assert (abs(steps[0] / steps[1] - 1) < 1e-4) == same

# %% [markdown]
# ## 4. Adam in six lines

# %%
gradients = np.random.default_rng(0).normal(size=10)
w, m, s = 0.0, 0.0, 0.0
for t, g in enumerate(gradients, 1):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g * g
    w -= 0.01 * (m / (1 - 0.9**t)) / np.sqrt(s / (1 - 0.999**t))

weight = nn.Parameter(np.zeros(1))
rule = optim.Adam([weight], 0.01)
for g in gradients:
    weight.grad = Tensor(np.array([g]))
    rule.step()
print(f"six lines {w:.8f}, the library {weight.item():.8f}")
assert abs(w - weight.item()) < 1e-6

# %% [markdown]
# ## 5. A rate that shrinks
#
# The noise of the last steps is multiplied by an ever smaller rate, so the walk settles. If the
# rate shrinks too fast it stops on the way (page 7).

# %%
ends = {}
for decay in (1.0, 0.995):
    draw, found = np.random.default_rng(0), []
    for _ in range(30):
        x, rate = np.array([-4.0, 0.8]), 0.03
        for _ in range(400):
            x = x - rate * (np.array([1.0, 50.0]) * x + draw.normal(0, 2.0, 2))
            rate *= decay
        found.append(0.5 * (x[0] ** 2 + 50 * x[1] ** 2))
    ends[decay] = float(np.mean(found))
print(f"height after 400 steps: fixed rate {ends[1.0]:.3f}, shrinking {ends[0.995]:.3f}")
assert ends[0.995] < ends[1.0]
