# %% [markdown]
# # Answers to page 41: diffusion

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Generator, Tensor
from tinydl.models import DDPM
from tinydl.models.diffusion.schedule import cosine_schedule, step_back

left = cosine_schedule(1_000)

# %% [markdown]
# ## 1. A turn and its way back
#
# With c = sqrt(abar) and s = sqrt(1 - abar), c^2 + s^2 = 1: x_t = c x_0 + s noise and v = c noise -
# s x_0. Then c x_t - s v = c^2 x_0 + s c noise - s c noise + s^2 x_0 = x_0, and s x_t + c v = s c
# x_0 + s^2 noise + c^2 noise - s c x_0 = noise.

# %%
x0, noise = Generator(0).normal((2, 5), dtype=np.float64)
for t in (1, 500, 1_000):
    c, s = np.sqrt(left[t]), np.sqrt(1 - left[t])
    x, v = c * x0 + s * noise, c * noise - s * x0
    assert abs(c * x - s * v - x0).max() < 1e-12 and abs(s * x + c * v - noise).max() < 1e-12

# %% [markdown]
# ## 2. A world of one point
#
# Whatever x_t is, x_0 was 0.3, so the best guess is 0.3 and the rest is noise. One step is enough:
# the guess is right at once, and at s = 0 only the guess is left.

# %%
x = Generator(1).normal((6,), dtype=np.float64)
t = 1_000
noise = (x - np.sqrt(left[t]) * 0.3) / np.sqrt(1 - left[t])
v = np.sqrt(left[t]) * noise - np.sqrt(1 - left[t]) * 0.3
end = step_back(Tensor(x), Tensor(v), left[t], left[0]).numpy()
print("after one step:", np.round(end, 6))
assert abs(end - 0.3).max() < 1e-9

# %% [markdown]
# ## 3. A normal world
#
# x_0 and x_t are normal together: their covariance is sqrt(abar) s^2, the variance of x_t is abar
# s^2 + 1 - abar, and E[x_0 | x_t] = sqrt(abar) s^2 / (abar s^2 + 1 - abar) x_t. With s = 1 it is
# sqrt(abar) x_t, the expected noise is sqrt(1 - abar) x_t, and v = 0: noise and data look the same.
# DDIM then multiplies x by sqrt(abar_s abar_t) + sqrt((1 - abar_s) (1 - abar_t)), the cosine of a
# small angle: nearly 1. It does nothing, and that is right: the noise already is the data.

# %%
x = Generator(2).normal((6,), dtype=np.float64)
y = x
for t in range(1_000, 0, -1):
    y = step_back(Tensor(y), Tensor(0 * y), left[t], left[t - 1]).numpy()
print("after all steps a number is", round(float((y / x).mean()), 4), "of what it was")
assert np.allclose(y, y[0] / x[0] * x) and 0.98 < y[0] / x[0] < 1

# %% [markdown]
# ## 4. Guidance -1
#
# (1 - 1) v(x, t, class) + 1 v(x, t): the class is not asked for at all, and pictures of any class
# are drawn. Below, the answers of an untrained network, to the digit.

# %%
tinydl.seed(0)
model = DDPM((8, 8, 1), 3, widths=(8,), told_size=8)
x = Tensor(Generator(3).normal((2, 8, 8, 1)))
guided = model.guided(x, 500, Tensor(np.array([0, 2])), -1.0).numpy()
untold = model(x, Tensor(np.array([500, 500])), Tensor(np.array([3, 3]))).detach().numpy()
assert abs(guided - untold).max() < 1e-5
