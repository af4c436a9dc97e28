# %% [markdown]
# # Answers to page 24: adversarial networks

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl import Tensor, ops
from tinydl.metrics import frechet_distance
from tinydl.optim import Adam

# %% [markdown]
# ## 1. By hand
#
# D = p / (p + q): 1, 1/2, 0. The middle is (1/4, 1/2, 1/4); KL(p || middle) = 1/2 ln 2 + 1/2 ln 1 =
# 0.347, the same for q, so JS = 0.347. Half of the probability is carried from the first cell to
# the third, or all of it one cell on: W = 1. In the second case JS = ln 2 = 0.693 and W = 2.
# Farther away than that JS would stay and W grow.


# %%
def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    middle = (p + q) / 2
    return 0.5 * sum((a[a > 0] * np.log(a[a > 0] / middle[a > 0])).sum() for a in (p, q))


def wasserstein(p: np.ndarray, q: np.ndarray) -> float:
    # what must pass from each cell to the next
    return float(np.abs(np.cumsum(p - q)).sum())


p, q = np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5])
far = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
print(p / (p + q), round(jensen_shannon(p, q), 3), wasserstein(p, q))
assert abs(jensen_shannon(p, q) - math.log(2) / 2) < 1e-12 and wasserstein(p, q) == 1
assert abs(jensen_shannon(*far) - math.log(2)) < 1e-12 and wasserstein(*far) == 2

# %% [markdown]
# ## 2. Two slopes
#
# D = sigmoid(d) has the slope D (1 - D). So ln(1 - D) has -D (1 - D) / (1 - D) = -D, and -ln D has
# -D (1 - D) / D = -(1 - D).

# %%
d, h = -3.0, 1e-5
logs = [math.log(1 - 1 / (1 + math.exp(-(d + step)))) for step in (h, -h)]
measured = (logs[0] - logs[1]) / (2 * h)
print(f"slope of ln(1 - D) at {d:g}: {measured:.5f}, -D = {-1 / (1 + math.exp(-d)):.5f}")
assert abs(measured + 1 / (1 + math.exp(-d))) < 1e-8

# %% [markdown]
# ## 3. A little too steep
#
# s W - lambda (s - 1)^2 has the slope W - 2 lambda (s - 1) by s: 0 at s = 1 + W / (2 lambda). It
# measures s W = W (1 + W / (2 lambda)).

# %%
W, LAMBDA = 2.0, 10.0
s = np.linspace(0, 2, 20_001)
best = s[(s * W - LAMBDA * (s - 1) ** 2).argmax()]
print(f"best slope {best:.4f}, measured {best * W:.3f}")
assert abs(best - (1 + W / (2 * LAMBDA))) < 1e-4

# %% [markdown]
# ## 4. Frechet by hand
#
# (0 - 0)^2 + (2 - 0)^2 = 4, and (0 - 3)^2 + (2 - 2)^2 = 9. The first is always the mean: its lack
# of variety costs 4.

# %%
real = np.array([[-2.0], [2.0]] * 50)  # mean 0, deviation 2
same, moved = np.zeros((100, 1)), real + 3
found = [frechet_distance(other, real) for other in (same, moved)]
print("distances:", np.round(found, 2))
assert abs(found[0] - 4) < 0.1 and abs(found[1] - 9) < 0.1

# %% [markdown]
# ## 5. The end of the game
#
# D = 1/2 everywhere: every logit is 0, the loss 2 ln 2. Its slope by the sample is 0, since it is
# level: nothing is left to tell.

# %%
p = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
cells = Tensor(np.array([1.0, -1.0, 0.5, -0.5, 2.0]), requires_grad=True)
optimizer = Adam([cells], lr=0.05)
for _ in range(400):
    loss = (Tensor(p) * (ops.softplus(-cells) + ops.softplus(cells))).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("logits:", np.round(cells.numpy(), 3), f"loss {loss.item():.4f} = 2 ln 2")
assert np.abs(cells.numpy()).max() < 0.02 and abs(loss.item() - 2 * math.log(2)) < 1e-3
