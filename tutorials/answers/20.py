# %% [markdown]
# # Answers to page 20: Boltzmann machines

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import synthetic_digits
from tinydl.models import RBM
from tinydl.models.energy.rbm import ascend, gradients


def machine(weight: float, a: float, b: float, visible: int = 1) -> RBM:
    """One hidden bit, all weights and all visible biases alike."""
    made = RBM(visible, 1).astype("float64")
    made.weight.assign(np.full((visible, 1), weight))
    made.visible_bias.assign(np.full(visible, a))
    made.hidden_bias.assign(np.full(1, b))
    return made


# %% [markdown]
# ## 1. Without a weight
#
# Energies 0, 0, -1, -1; exp gives 1, 1, e, e; Z = 2 + 2e = 7.44. P(v = 1) = 2e / Z = 0.73, the
# sigmoid of 1, and P(h = 1) = (1 + e) / Z = 1/2: the two bits know nothing of each other.

# %%
states = [(v, h) for v in (0.0, 1.0) for h in (0.0, 1.0)]
one = machine(0.0, 1.0, 0.0)
energies = [one.energy(Tensor([[v]], dtype="float64"), Tensor([[h]], dtype="float64")).item()
            for v, h in states]  # fmt: skip
z = sum(math.exp(-e) for e in energies)
assert abs(z - (2 + 2 * math.e)) < 1e-9
assert abs(2 * math.e / z - 1 / (1 + math.exp(-1))) < 1e-9

# %% [markdown]
# ## 2. The sigmoid
#
# P(h = 1 | v = 1) = P(1, 1) / (P(1, 0) + P(1, 1)) = 7.39 / 8.39 = 0.88, and sigmoid(2) = 0.88. Z
# has cancelled.

# %%
with no_grad():
    told = machine(2.0, 0.0, 0.0).hidden(Tensor([[1.0]], dtype="float64")).item()
assert abs(told - math.exp(2) / (1 + math.exp(2))) < 1e-9

# %% [markdown]
# ## 3. A chain that stays
#
# With large weights the hidden bit says "all ones" or "all zeros", and the visible ones obey. To
# change, nearly all bits would have to flip at once. The chain stays where it began for very long,
# and its shares are wrong; with small weights it wanders.

# %%
shares = {}
for w in (0.5, 6.0):
    both = machine(w, -w / 2, -3 * w, visible=6)
    v = both.gibbs(Tensor(np.zeros((500, 6))), 20, Generator(0)).numpy()
    shares[w] = float((v.sum(axis=1) > 3).mean())
    print(f"weights {w}: {shares[w]:.0%} of the chains have more ones than zeros after 20 steps")
assert shares[6.0] < 0.1 < 0.25 < shares[0.5]

# %% [markdown]
# ## 4. Longer chains
#
# Five times the draws for each step, so about five times the time. At the beginning, when weights
# are small and chains mix at once, it brings nearly nothing. Later, when weights are large, CD-1's
# samples are too near to the data, and longer chains (or chains that go on from step to step,
# `persistent_divergence`) are worth their price.

# %%
x = (synthetic_digits(200, Generator(1), size=8).x.reshape(200, 64) > 0.5).astype("float32")
after = {}
for k in (1, 5):
    tinydl.seed(0)
    learner, rng = RBM(64, 16), Generator(2)
    for _ in range(5):
        for start in range(0, 200, 20):
            v = Tensor(x[start : start + 20])
            ascend(learner, gradients(learner, v, learner.gibbs(v, k, rng)), 0.1)
    with no_grad():
        back = learner.visible(learner.hidden(Tensor(x))).numpy()
    after[k] = float(np.mean((back - x) ** 2))
    print(f"CD-{k}: error of what comes back {after[k]:.3f}")
assert abs(after[1] - after[5]) < 0.3 * after[1]

# %% [markdown]
# ## 5. The same films
#
# The first is a generous user, the second a strict one: her stars are higher for every film. But
# the order of the films is the same for both, that of their popularity. `biases` has no taste.

# %%
films, generous, strict = np.array([0.3, -0.2, 0.1]), 1.0, -1.0
assert np.argsort(3.5 + generous + films).tolist() == np.argsort(3.5 + strict + films).tolist()
