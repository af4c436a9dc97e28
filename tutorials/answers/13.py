# %% [markdown]
# # Answers to page 13: from the perceptron to the multilayer perceptron

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Tensor, no_grad
from tinydl.data import Batches, xor_points
from tinydl.models import MLP, ThresholdUnit
from tinydl.nn import cross_entropy
from tinydl.optim import Adam
from tinydl.train import fit

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])

# %% [markdown]
# ## 1. a and not b
#
# Weights (1, -1), threshold 1: only (1, 0) reaches it.

# %%
assert ThresholdUnit((1, -1), 1)(PAIRS).tolist() == [0, 0, 1, 0]

# %% [markdown]
# ## 2. Three bits
#
# Fewer: 104 of 256. With more bits the share falls quickly towards nothing.

# %%
grid = np.arange(-3, 4)
bits = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
weights = np.array([[a, b, c] for a in grid for b in grid for c in grid])
sums = bits @ weights.T
found = {tuple(row) for t in np.arange(-6.5, 7) for row in (sums >= t).T.astype(int).tolist()}
print(f"one unit computes {len(found)} of 256 functions of three bits")
assert len(found) == 104

# %% [markdown]
# ## 3. tanh and sigmoid
#
# tanh(s) = (e^s - e^-s) / (e^s + e^-s). Multiply above and below by e^-s: (1 - e^-2s) / (1 + e^-2s)
# = 2 / (1 + e^-2s) - 1. So a layer of one can be written as a layer of the other, with other
# weights and biases: they can represent the same, though training may find it more or less easily.

# %%
s = np.linspace(-4, 4, 81)
assert np.abs(np.tanh(s) - (2 / (1 + np.exp(-2 * s)) - 1)).max() < 1e-12

# %% [markdown]
# ## 4. Two hidden units
#
# Enough in principle, but not from every start: some seeds end where two points share an answer.

# %%
learned = 0
for seed in range(10):
    tinydl.seed(seed)
    points, model = xor_points(), MLP((2, 2, 2), "tanh")
    data = Batches((points.x_train, points.y_train), 4, shuffle=False)
    fit(model, data, cross_entropy, Adam(model.parameters(), lr=0.1), 300, progress=False)
    with no_grad():
        answers = model(Tensor(points.x_train)).numpy().argmax(axis=1)
    learned += int((answers == points.y_train).all())
print(f"two hidden units learn XOR from {learned} of 10 seeds")
assert 1 <= learned <= 10

# %% [markdown]
# ## 5. By hand
#
# relu(a + b) - 2 relu(a + b - 1): 0, 1, 1 and 2 - 2 = 0.

# %%
total = PAIRS.sum(axis=1)
assert (np.maximum(total, 0) - 2 * np.maximum(total - 1, 0)).tolist() == [0, 1, 1, 0]
