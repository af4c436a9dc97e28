# %% [markdown]
# # Answers to page 32: capsules

# %%
from __future__ import annotations

import numpy as np

from tinydl import Tensor
from tinydl.models.capsules.routing import length, route, squash
from tinydl.nn import margin

# %% [markdown]
# ## 1. By hand
#
# |s| = 5: 25 / 26 times (0.6, 0.8) = (0.577, 0.769). |s|^2 / (1 + |s|^2) = 0.9 gives |s|^2 = 9, so
# |s| = 3.

# %%
v = squash(Tensor(np.array([[3.0, 4.0]]))).numpy()[0]
print(np.round(v, 3))
assert np.allclose(v, 25 / 26 * np.array([0.6, 0.8])) and 9 / (1 + 9) == 0.9

# %% [markdown]
# ## 2. One round
#
# All couplings are 1/2. First whole: s = (1, 0), |v| = 1/2: v = (0.5, 0). Second: s = (0, 0), v =
# 0. b grows by the dot products: 0.5 and 0.5 for the first, 0 for the second. Couplings: e^0.5 /
# (e^0.5 + 1) = 0.62 for the first whole.

# %%
votes = np.array([[[[1.0, 0], [1.0, 0]], [[1.0, 0], [-1.0, 0]]]])  # (1, parts, wholes, 2)
wholes, couplings = (t.numpy()[0] for t in route(Tensor(votes), 2))
print(np.round(couplings, 3))
assert np.abs(couplings[:, 0] - np.exp(0.5) / (np.exp(0.5) + 1)).max() < 1e-6

# %% [markdown]
# ## 3. Sizes
#
# 1,152 * 10 = 11,520 votes. Each has a matrix of 8 x 16 of its own: 11,520 * 128 = 1,474,560
# numbers, most of the network.

# %%
assert 1_152 * 10 * 8 * 16 == 1_474_560

# %% [markdown]
# ## 4. Even couplings
#
# The first whole still wins, since four votes agree, but the two others pull at it: 0.68 in place
# of 0.94. The six votes for the second go round a circle and cancel: 0. With routing the two parts
# that do not fit the first whole send all they have to the second, and two votes already make a
# length of 0.73: routing finds agreement where there is little, too.

# %%
angles, around = np.array([0.3, 0.35, 0.4, 0.45, 2.2, 4.1]), np.arange(6) * np.pi / 3
votes = np.stack([np.stack([np.cos(a), np.sin(a)], axis=1) for a in (angles, around)], axis=1)[None]
sure = {n: length(route(Tensor(votes), n)[0]).numpy()[0] for n in (1, 6)}
print({n: np.round(found, 2).tolist() for n, found in sure.items()})
assert abs(sure[1][0] - 0.68) < 0.01 and sure[1][1] < 0.01 and sure[6].min() > 0.7

# %% [markdown]
# ## 5. Enough is enough
#
# From 0.9 on the loss is 0 and so is its slope: 0.99 gains nothing. Below, the slope is -2 (0.9 -
# |v|).

# %%
for size, expected in ((0.99, 0.0), (0.9, 0.0), (0.5, 0.16)):
    found = margin(Tensor(np.array([[size]])), Tensor(np.array([[1.0]]))).item()
    assert abs(found - expected) < 1e-9
