# %% [markdown]
# # Answers to page 21: belief networks

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Generator, Tensor
from tinydl.models import DBN, RBM
from tinydl.models.energy.rbm import drawn

# %% [markdown]
# ## 1. Two machines
#
# 64 * 32 + 64 + 32 = 2,144 and 32 * 24 + 32 + 24 = 824.

# %%
stack = DBN((64, 32, 24))
counts = [machine.count_parameters() for machine in stack.machines]
assert counts == [64 * 32 + 64 + 32, 32 * 24 + 32 + 24] == [2_144, 824]

# %% [markdown]
# ## 2. Probabilities are means
#
# The mean of many draws is the probability itself. So the probability says what many draws would
# say, without their noise; a draw would throw away how sure a unit is.

# %%
tinydl.seed(0)
p = RBM(6, 4).hidden(Tensor(np.ones((1, 6), np.float32)))
many = np.mean([drawn(p, rng).numpy() for rng in [Generator(0)] for _ in range(4_000)], axis=0)
assert np.abs(many - p.numpy()).max() < 0.04

# %% [markdown]
# ## 3. A hundredth at each layer
#
# Backwards each unit adds up 24 gradients times weights of spread 0.01: that makes them sqrt(24) *
# 0.01 = 0.05 times as large; and the sigmoid's slope near 0 is 1/4. Together 0.012: four such
# layers, 2e-8.

# %%
factor = 0.25 * 0.01 * np.sqrt(24)
assert 0.012 < factor < 0.0123 and 1e-8 < factor**4 < 3e-8

# %% [markdown]
# ## 4. Glorot's rule
#
# Variance 2 / (24 + 24) gives a spread of 0.2: a factor of 0.25 * 0.2 * sqrt(24) = 0.25 at each
# layer. The slope of the sigmoid is left, and four layers leave a few thousandths instead of 1e-8.

# %%
sizes = {}
for name in ("small", "glorot_uniform"):
    tinydl.seed(0)
    shape = (64, 24, 24, 24, 24, 24)
    deep = (DBN(shape) if name == "small" else DBN(shape, weight_init=name)).classifier()
    batch = Tensor(np.random.default_rng(0).uniform(size=(50, 64)).astype(np.float32))
    deep(batch)[:, 0].sum().backward()
    weights = [p for where, p in deep.named_parameters() if where.endswith("weight")]
    low, high = (float(np.sqrt(np.mean(weights[k].grad.numpy() ** 2))) for k in (0, 4))
    sizes[name] = low / high
    print(f"{name:<15} lowest over highest: {low / high:.0e}")
assert sizes["glorot_uniform"] > 1000 * sizes["small"]

# %% [markdown]
# ## 5. Three questions
#
# What does the same network reach without pre-training? What do the plainest rivals reach (pixels
# alone, random features)? How were the samples split, do the same writers stand on both sides? (And
# on how many test samples: 97.8 % of 360 has a standard error of 0.8 points.)

# %%
assert 0.007 < np.sqrt(0.978 * 0.022 / 360) < 0.008
