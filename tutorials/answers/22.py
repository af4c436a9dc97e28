# %% [markdown]
# # Answers to page 22: five autoencoders

# %%
from __future__ import annotations

import numpy as np

from tinydl import Tensor, tanh
from tinydl.metrics import precision_recall_curve, roc_curve
from tinydl.models.autoencoders.contractive import jacobian_norm
from tinydl.nn import Linear, Module, Sequential, Tanh

# %% [markdown]
# ## 1. Two frauds among four
#
# From the highest threshold down, (false alarms, frauds found): (0, 0), (0, 1/2), (1/2, 1/2), (1/2,
# 1), (1, 1). (Recall, precision): (1/2, 1), (1/2, 1/2), (1, 2/3), (1, 1/2).

# %%
y, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6])
roc, pr = roc_curve(y, scores), precision_recall_curve(y, scores)
points = set(zip(roc.false_positive_rate.tolist(), roc.true_positive_rate.tolist(), strict=True))
assert points == {(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)}
found = {(round(r, 3), round(p, 3)) for r, p in zip(pr.recall, pr.precision, strict=True)}
assert {(0.5, 1.0), (0.5, 0.5), (1.0, 0.667), (1.0, 0.5)} <= found

# %% [markdown]
# ## 2. Six alarms of seven are false
#
# Recall 160 / 200 = 0.8. False alarms: 1 % of 99,800 are 998. Precision 160 / 1,158 = 0.14. By the
# ROC curve (0.01, 0.8) it looked very good.

# %%
assert 160 / 200 == 0.8 and round(160 / (160 + 0.01 * 99_800), 2) == 0.14

# %% [markdown]
# ## 3. The identity
#
# Loss 0: any invertible W with its inverse behind it copies every input. Every payment comes back
# as it was, frauds too, and the error says nothing.

# %%
rng = np.random.default_rng(0)
W = rng.normal(size=(29, 29))
x = rng.normal(size=(5, 29))
assert np.abs(x @ W @ np.linalg.inv(W) - x).max() < 1e-9

# %% [markdown]
# ## 4. tanh
#
# dh_j/dx_i = (1 - h_j^2) W_ij. The price: sum over j of (1 - h_j^2)^2 times the sum over i of
# W_ij^2.


# %%
encoder: Module = Sequential(Linear(6, 4), Tanh()).astype("float64")
rows = Tensor(rng.normal(size=(3, 6)), requires_grad=True)
weight, bias = (p.numpy() for p in encoder.parameters())
h = tanh(rows @ Tensor(weight) + Tensor(bias)).numpy()
by_hand = ((1 - h**2) ** 2) @ (weight**2).sum(axis=0)
assert np.abs(jacobian_norm(encoder, rows).numpy() - by_hand).max() < 1e-9

# %% [markdown]
# ## 5. The same splits
#
# If both ran on the same ten splits: the ten differences, their mean and its standard error. Splits
# that are hard are hard for both, so the differences may swing much less than either. With other
# splits for each: nothing can be said.

# %%
hard = rng.normal(0, 0.03, 10)  # what a split does to both
first = 0.85 + hard + rng.normal(0, 0.003, 10)
second = 0.87 + hard + rng.normal(0, 0.003, 10)
away = second - first
error = away.std(ddof=1) / np.sqrt(10)
print(f"each swings by {first.std(ddof=1):.3f}; difference {away.mean():.3f} +- {error:.3f}")
assert away.mean() > 5 * error and first.std(ddof=1) > 0.01
