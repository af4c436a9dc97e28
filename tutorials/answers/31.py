# %% [markdown]
# # Answers to page 31: mutual information

# %%
from __future__ import annotations

import math
from itertools import permutations

import numpy as np

from tinydl.metrics import assignment


def information(P: np.ndarray) -> float:
    # I of a table of probabilities, in nats
    apart = P.sum(axis=1, keepdims=True) * P.sum(axis=0, keepdims=True)
    there = P > 0
    return float((P[there] * np.log(P[there] / apart[there])).sum())


# %% [markdown]
# ## 1. By hand
#
# The sums are 1/2 everywhere, the products 1/4. I = 0.8 ln(0.4 / 0.25) + 0.2 ln(0.1 / 0.25) = 0.376
# - 0.183 = 0.193 nats, 0.278 bits. For the even table every ratio is 1: 0.

# %%
P = np.array([[0.4, 0.1], [0.1, 0.4]])
print(f"{information(P):.3f} nats, {information(P) / math.log(2):.3f} bits")
assert abs(information(P) - 0.1927) < 1e-4 and information(np.full((2, 2), 0.25)) == 0

# %% [markdown]
# ## 2. No correlation
#
# x and x^2 are uncorrelated: x^3 has the mean 0. But x tells y exactly. In cells: y is known when
# x's cell is, up to a cell or two, so I is not much below the entropy of y's cell.

# %%
x = np.random.default_rng(0).uniform(-1, 1, 200_000)
y = x**2
table = np.histogram2d(x, y, bins=10)[0] / len(x)
print(f"correlation {np.corrcoef(x, y)[0, 1]:.3f}, information {information(table):.2f} nats")
assert abs(np.corrcoef(x, y)[0, 1]) < 0.01 and information(table) > 1

# %% [markdown]
# ## 3. A bound
#
# All ten lie below 0.193.

# %%
apart = np.full((2, 2), 0.25)  # both sums are 1/2


def bound(T: np.ndarray) -> float:
    return float((P * T).sum() - np.log((apart * np.exp(T)).sum()))


drawn = [bound(T) for T in np.random.default_rng(1).normal(size=(10, 2, 2))]
print(f"random: at most {max(drawn):.3f}; the best {bound(np.log(P / apart)):.3f}")
assert max(drawn) < information(P) and abs(bound(np.log(P / apart)) - information(P)) < 1e-12

# %% [markdown]
# ## 4. How many rows
#
# ln N >= 16.6, so N >= e^16.6, about 16 million.

# %%
print(f"{math.exp(16.6):,.0f} rows")
assert 1.5e7 < math.exp(16.6) < 1.7e7

# %% [markdown]
# ## 5. Naming
#
# If class 1 takes cluster 1 (5), class 2 can have cluster 3 (1) and class 3 cluster 2 (3): 9. If
# class 1 takes cluster 2 (2), class 2 cluster 1 (4) and class 3 cluster 3 (3): 9 as well. Two
# namings are equally good; a third, 5 + 0 + 3, is worse.

# %%
counts = np.array([[5, 2, 0], [4, 0, 1], [0, 3, 3]])
sums = {way: int(counts[np.arange(3), list(way)].sum()) for way in permutations(range(3))}
best = assignment(-counts)
print(sums, "the Hungarian method:", best.tolist())
assert max(sums.values()) == 9 == counts[np.arange(3), best].sum()
assert sorted(sums.values())[-3:] == [8, 9, 9]
