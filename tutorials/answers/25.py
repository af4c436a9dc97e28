# %% [markdown]
# # Answers to page 25: pictures from pictures

# %%
from __future__ import annotations

from itertools import permutations

import numpy as np

from tinydl import Generator
from tinydl.data import synthetic_digits

# %% [markdown]
# ## 1. Median and mean
#
# The median 0.4, with the mean absolute difference 0.15; and the mean 0.55.

# %%
answers = np.array([0.4, 0.4, 0.4, 1.0])
grid = np.linspace(0, 1.2, 121)
away = answers[:, None] - grid
absolute, squared = np.abs(away).mean(axis=0), (away**2).mean(axis=0)
print(f"absolute {grid[absolute.argmin()]:.2f}, squared {grid[squared.argmin()]:.2f}")
assert abs(grid[absolute.argmin()] - 0.4) < 1e-9 and abs(grid[squared.argmin()] - 0.55) < 1e-9

# %% [markdown]
# ## 2. The wrong ruler
#
# 0.7 is 0.3 away from either: 0.3. The coin is right in half of the cases and 0.6 away in the
# others: 0.3 as well. L1 cannot tell a grey that never is from answers that always could be; the
# squared difference even prefers the grey (0.09 beside 0.18).

# %%
truth = np.array([0.4, 0.4, 1.0, 1.0])
coin = np.array([0.4, 1.0, 0.4, 1.0])  # every combination once
print("L1:", np.abs(truth - 0.7).mean(), np.abs(truth - coin).mean())
assert np.isclose(np.abs(truth - 0.7).mean(), np.abs(truth - coin).mean())
assert ((truth - 0.7) ** 2).mean() < ((truth - coin) ** 2).mean()

# %% [markdown]
# ## 3. Permutations
#
# All 24 can be undone, by the inverse permutation; one keeps every class; in 9 no class stays what
# it is. Coming back allows all 24.

# %%
every = list(permutations(range(4)))
undone = sum(sorted(g) == [0, 1, 2, 3] for g in every)
moved = sum(all(k != v for k, v in enumerate(g)) for g in every)
print(f"{undone} can be undone, {every.count((0, 1, 2, 3))} keeps all, {moved} keep none")
assert (undone, moved) == (24, 9)

# %% [markdown]
# ## 4. A heap of one image for each class
#
# If each class has one image only, G may answer a single dot at the place number of the class; F
# reads the number and draws the image. Nothing is lost since nothing but the class was there. With
# several images in a class F could not know which one it was.

# %%
one_each = np.random.default_rng(0).uniform(size=(10, 8, 8))
there = np.eye(10)  # G: a dot in place k
back = np.tensordot(there, one_each, axes=1)  # F: the image of that class
assert np.array_equal(back, one_each)

# %% [markdown]
# ## 5. By hand
#
# It comes back exactly (0), it is the true negative (0), and the share of classes kept is that of
# the nearest mean digit on real digits: the ruler's own mistakes. A learnt translator cannot be
# judged to be better than that.

# %%
digits = synthetic_digits(300, Generator(25), size=8, noise=0.05)
x = 2 * digits.x - 1
there = -x
means = np.stack([x[digits.y == k].mean(axis=0) for k in range(10)])
nearest = ((-there[:, None] - means) ** 2).sum(axis=(2, 3)).argmin(axis=1)
kept = (nearest == digits.y).mean()
print(f"cycle {np.abs(-there - x).mean():.1f}, negative {np.abs(there + x).mean():.1f}, {kept:.2f}")
assert 0.8 < kept <= 1
