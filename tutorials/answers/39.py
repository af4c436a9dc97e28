# %% [markdown]
# # Answers to page 39: what a network looks at

# %%
from __future__ import annotations

import numpy as np

from tinydl import attribution, nn, random, relu
from tinydl.tensor import Tensor

# %% [markdown]
# ## 1. Saturated
#
# The gradient is 0: more or less of x changes nothing. On the way from 0 to 2 it is 1 up to x = 1
# and 0 behind it: the mean is 1/2, times 2 is 1, which is S(2) - S(0).


# %%
class Saturated(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1 - relu(1 - x)


x = np.array([[2.0]], np.float32)
gradient = attribution.saliency(Saturated(), x, 0)
whole = attribution.integrated_gradients(Saturated(), x, 0, steps=200)
print(gradient, np.round(whole.values, 3))
assert gradient[0, 0] == 0 and abs(whole.values[0, 0] - 1) < 0.01

# %% [markdown]
# ## 2. What guided hides
#
# Gradient (1, -1). Guided: going back through the second ReLU -1 is negative and thrown away: (1,
# 0). It hides what speaks against the class.


# %%
class Difference(nn.Module):
    def __init__(self) -> None:
        self.relu, self.end = nn.ReLU(), nn.Linear(2, 1, bias=False)
        self.end.weight.assign(np.array([[1.0], [-1.0]], np.float32))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.relu(x))


x = np.array([[1.0, 2.0]], np.float32)
plain = attribution.saliency(Difference(), x, 0)
guided = attribution.guided_backpropagation(Difference(), x, 0)
print(plain, guided)
assert plain.tolist() == [[1, -1]] and guided.tolist() == [[1, 0]]

# %% [markdown]
# ## 3. Two reasons
#
# Hiding a leaves b: S stays 1, so occlusion says 0 of both, though together they are everything.
# Integrated gradients: on the way both are equal; together they must get S(1, 1) - S(0, 0) = 1,
# each 1/2 if the tie is shared.


# %%
def score(a: float, b: float) -> float:
    return max(a, b)


assert score(1, 1) - score(0, 1) == score(1, 1) - score(1, 0) == 0
t = (np.arange(100) + 0.5) / 100
each = np.mean([(score(s + 1e-6, s) - score(s - 1e-6, s)) / 2e-6 for s in t])
print(f"integrated: {each:.2f} each, together {2 * each:.2f}")
assert abs(2 * each - 1) < 1e-6

# %% [markdown]
# ## 4. Small steps, many pixels
#
# FGSM: 0.05 * 256 * 0.1 = 1.28. Noise of +-0.05 in every pixel: a sum of 256 numbers of size 0.005
# with random signs, 0.005 * 16 = 0.08 (its standard deviation). The attack is sixteen times as
# strong: the root of the number of pixels.

# %%
rng = np.random.default_rng(0)
w = 0.1 * np.where(np.arange(256) % 2, 1.0, -1.0)
attack = w @ (0.05 * np.sign(w))
noise = (0.05 * rng.choice([-1, 1], (20_000, 256)) @ w).std()
print(f"attack {attack:.2f}, noise {noise:.3f}")
assert abs(attack - 1.28) < 1e-9 and abs(noise - 0.08) < 0.002

# %% [markdown]
# ## 5. Sums
#
# The gap shrinks with the steps: it is the error of a sum in place of an integral. (With biases of
# 0 a ReLU network is linear along the way from 0, and a single step would be exact.)

# %%
random.seed(0)
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
for name, parameter in model.named_parameters():  # fresh biases are 0, and then every step agrees
    if "bias" in name:
        parameter.assign(rng.normal(size=parameter.shape).astype(np.float32))
x = rng.normal(size=(8, 16)).astype(np.float32)
gaps = {}
for steps in (8, 32, 128):
    whole = attribution.integrated_gradients(model, x, 0, steps=steps)
    gaps[steps] = float(np.abs(whole.values.sum(axis=1) - whole.change).mean())
print({steps: f"{gap:.5f}" for steps, gap in gaps.items()})
assert gaps[8] > gaps[32] > gaps[128]
