# %% [markdown]
# # Answers to page 38: your own pictures

# %%
from __future__ import annotations

from math import comb

import numpy as np

# %% [markdown]
# ## 1. Neighbours
#
# 192 images, 38 of them tested. The seven others of its series all lie among the 37 other test
# images with the probability C(184, 30) / C(191, 37), which is about 0.000006. So next to certainly
# a neighbour was learned from.

# %%
alone = comb(191 - 7, 37 - 7) / comb(191, 37)
print(f"no neighbour in training: {alone:.1e}")
assert alone < 1e-4

# %% [markdown]
# ## 2. An interval
#
# The standard deviation of a share is the root of p (1 - p) / n: 0.144 for n = 12; 1.96 times it is
# 0.28, so about 22 to 78 %. To 5 points: 1.96 * 0.5 / sqrt(n) = 0.05, n = 384.

# %%
half_width = 1.96 * (0.5 * 0.5 / 12) ** 0.5
n = (1.96 * 0.5 / 0.05) ** 2
print(f"50 % +- {100 * half_width:.0f}; {n:.0f} images for 5 points")
assert round(100 * half_width) == 28 and round(n) == 384

# %% [markdown]
# ## 3. Noise that is learned
#
# Chosen on all samples: over 80 %, on pure noise. The choice has seen the labels of the test half.
# Chosen on the training half: a half, as it must be.


# %%
def accuracy(seed: int, honest: bool) -> float:
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=(40, 2_000)), np.repeat([0, 1], 20)
    order = draw.permutation(40)
    train, test = order[:20], order[20:]
    seen = train if honest else order
    apart = np.abs(x[seen][y[seen] == 0].mean(axis=0) - x[seen][y[seen] == 1].mean(axis=0))
    x = x[:, np.argsort(-apart)[:20]]
    means = np.stack([x[train][y[train] == k].mean(axis=0) for k in (0, 1)])
    said = ((x[test][:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    return float((said == y[test]).mean())


found = {honest: np.mean([accuracy(s, honest) for s in range(20)]) for honest in (False, True)}
print(f"chosen on all {found[False]:.2f}, on the training half {found[True]:.2f}")
assert found[False] > 0.8 and abs(found[True] - 0.5) < 0.1

# %% [markdown]
# ## 4. Which is a leak
#
# The mean over all images: yes, a small one (the test images are in it). The epoch chosen by the
# test set: yes; that is what a validation set is for. Turned training images: no, if turned copies
# of *test* images are not among them. The same person in both parts: yes, if strangers are what the
# model is for. How much the second one flatters, on noise: the best of 100 guesses on 50 coins.

# %%
guesses = np.random.default_rng(0).integers(0, 2, (1_000, 100, 50))
best = (guesses == 1).mean(axis=2).max(axis=1).mean()
print(f"the best of 100 epochs that know nothing: {best:.2f}")
assert best > 0.65
