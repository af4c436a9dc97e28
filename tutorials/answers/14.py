# %% [markdown]
# # Answers to page 14: from LeNet to VGG

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.geometry import conv2d_geometry

# %% [markdown]
# ## 1. Three small kernels or a large one
#
# 3, 5, 7: both see 7 x 7 pixels. Three times 3 * 3 * 64 * 64 are 110,592 weights, 7 * 7 * 64 * 64
# are 200,704.

# %%
assert 3 * 9 * 64 * 64 == 110_592 and 49 * 64 * 64 == 200_704

# %% [markdown]
# ## 2. Stride 1 and stride 2
#
# (32 - 3 + 2 * 1) / stride, rounded down, plus 1: 31 + 1 = 32, and 15 + 1 = 16.

# %%
x, weight = Tensor(np.zeros((1, 32, 32, 1))), Tensor(np.zeros((3, 3, 1, 1)))
for stride, side in ((1, 32), (2, 16)):
    assert tinydl.conv2d(x, weight, stride=stride, padding=1).shape[1] == side

# %% [markdown]
# ## 3. A larger image
#
# The convolutions have the same weights: a kernel does not know how large its image is. It is used
# at four times as many places, so the work is four times as much. The last map has 7 x 7 cells
# instead of 3 x 3 (112 halved five times, rounded down), and the first linear layer has a weight
# for each of its numbers: 49/9, more than five times as many weights.

# %%
work = [
    conv2d_geometry((1, side, side, 64), (3, 3, 64, 64), padding="same").multiply_adds
    for side in (112, 224)
]
assert work[1] == 4 * work[0] and (224 // 32, 112 // 32) == (7, 3)

# %% [markdown]
# ## 4. Half at each layer
#
# The mean square is halved at each layer (2/64 would keep it): 2^-40, and the size is its root,
# 2^-20, a millionth.

# %%
assert math.isclose(math.sqrt(0.5**40), 2**-20)
rng = np.random.default_rng(0)
x = Tensor(rng.normal(size=(32, 64)), requires_grad=True)
h = x
for _ in range(40):
    h = tinydl.relu(h @ Tensor(rng.normal(0, math.sqrt(1 / 64), (64, 64))))
up = rng.normal(size=h.shape)
h.backward(up)
left = float(np.linalg.norm(x.grad.numpy()) / np.linalg.norm(up))
print(f"left of the gradient: {left:.1e}, 2^-20 = {2**-20:.1e}")
assert 2**-22 < left < 2**-18
