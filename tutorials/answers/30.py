# %% [markdown]
# # Answers to page 30: knowing what it does not know

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl.metrics import calibration_error, rejection_auc

# %% [markdown]
# ## 1. Two reasons for doubt
#
# The mean is (1/2, 1/2): H = ln 2 = 0.69. Each is sure: the mean of the entropies is 0, I = 0.69:
# they disagree, more data would settle it. If both say (1/2, 1/2), H is the same 0.69, the mean is
# 0.69 too, and I = 0.


# %%
def entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def parts(said: np.ndarray) -> tuple[float, float]:
    total = entropy(said.mean(axis=0))
    return total, total - float(np.mean([entropy(p) for p in said]))


sure, torn = np.array([[1.0, 0], [0, 1]]), np.full((2, 2), 0.5)
print("H and I:", parts(sure), parts(torn))
assert np.allclose(parts(sure), math.log(2)) and np.allclose(parts(torn), (math.log(2), 0))

# %% [markdown]
# ## 2. Three coins
#
# P(data | coin) is 0.008, 0.125 and 0.512, the sum 0.645. Posterior 0.012, 0.194, 0.794. The next
# throw: 0.012 * 0.2 + 0.194 * 0.5 + 0.794 * 0.8 = 0.73.

# %%
p = np.array([0.2, 0.5, 0.8])
posterior = p**3 / (p**3).sum()
print(np.round(posterior, 3), f"next {posterior @ p:.3f}")
assert (
    np.abs(posterior - [0.0124, 0.1938, 0.7938]).max() < 1e-4 and abs(posterior @ p - 0.734) < 1e-3
)

# %% [markdown]
# ## 3. More throws
#
# The answer stays 1/2, so H stays ln 2 = 0.69: a fair coin is in doubt for ever. But the posterior
# of p narrows, and I, the disagreement of the p that are left, falls about as 1 / (2 n).

# %%
grid = np.linspace(0.0005, 0.9995, 1000)
found = {}
for n in (2, 20, 200):
    weight = (grid * (1 - grid)) ** (n / 2)
    weight /= weight.sum()
    mean = weight @ grid
    each = -grid * np.log(grid) - (1 - grid) * np.log(1 - grid)
    total = entropy(np.array([mean, 1 - mean]))
    found[n] = total - weight @ each
    print(f"n = {n:3}: H {total:.3f}, I {found[n]:.4f}, 1 / (2 n) {1 / (2 * n):.4f}")
    assert abs(total - math.log(2)) < 1e-9
assert found[2] > found[20] > found[200] and abs(found[200] * 400 - 1) < 0.05

# %% [markdown]
# ## 4. The mean is better
#
# -ln is curved upwards: the -ln of a mean of probabilities is at most the mean of their -ln
# (Jensen). Equal only if all say the same of the right class.

# %%
rng = np.random.default_rng(0)
said = rng.dirichlet(np.ones(10), (30, 500))  # 30 draws, 500 samples, 10 classes; class 0 is right
of_mean, mean_of = -np.log(said.mean(axis=0)[:, 0]), -np.log(said[:, :, 0]).mean(axis=0)
print(f"loss of the mean {of_mean.mean():.2f}, mean of the losses {mean_of.mean():.2f}")
assert (of_mean <= mean_of).all()

# %% [markdown]
# ## 5. Calibrated, and worth nothing
#
# It always answers class 0: right in 90 %, and says 0.9 each time, so the calibration error is 0.
# Its doubt is the same everywhere, so leaving out gains nothing: the curve stays near 0.9 and so
# does its area.

# %%
truth = np.zeros(1_000, np.int64)
truth[rng.permutation(1_000)[:100]] = 1
said = np.tile([0.9, 0.1], (1_000, 1))
right = (said.argmax(axis=1) == truth).astype(int)
area = rejection_auc(right, np.full(1_000, entropy(said[0])))
print(f"accuracy {right.mean()}, error {calibration_error(truth, said):.3f}, area {area:.3f}")
assert right.mean() == 0.9 and calibration_error(truth, said) < 1e-6 and abs(area - 0.9) < 0.02
