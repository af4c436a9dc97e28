# %% [markdown]
# # Answers to page 15: Inception and DenseNet

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.geometry import conv2d_geometry
from tinydl.models.convolutional.densenet import DenseLayer

# %% [markdown]
# ## 1. A matrix product per pixel
#
# 192 * 64 = 12,288 weights, each used at 784 pixels: 9,633,792 multiply-adds. That is the first
# line of the table of module 3a.

# %%
counted = conv2d_geometry((1, 28, 28, 192), (1, 1, 192, 64), padding="same").multiply_adds
assert 192 * 64 == 12_288 and 12_288 * 28 * 28 == counted == 9_633_792

# %% [markdown]
# ## 2. A dense block
#
# c + L k channels. Layer i (from 0) reads c + i k channels and makes k: 9 (c + i k) k weights. The
# sum over i is 9 k (L c + k L (L - 1) / 2).

# %%
c, k, L = 16, 12, 6
layers = [DenseLayer(c + i * k, k) for i in range(L)]
weights = sum(layer.conv.weight.numpy().size for layer in layers)
h = Tensor(np.zeros((1, 8, 8, c), np.float32))
for layer in layers:
    h = layer(h)
assert h.shape[-1] == c + L * k == 88
assert weights == 9 * k * (L * c + k * L * (L - 1) // 2) == 29_808

# %% [markdown]
# ## 3. Wider and wider
#
# The three convolutions make 64 + 128 + 32 = 224 channels, and the pooling hands on all that came
# in: 192 + 224 = 416, then 640, then 864.

# %%
channels = [192]
for _ in range(3):
    channels.append(channels[-1] + 64 + 128 + 32)
assert channels == [192, 416, 640, 864]

# %% [markdown]
# ## 4. The gradient of a join
#
# Each number of y is one of a or of b, with slope 1. So dL/da is the part of dL/dy in a's place.

# %%
rng = np.random.default_rng(0)
a = Tensor(rng.normal(size=(2, 3)), requires_grad=True)
b = Tensor(rng.normal(size=(2, 5)), requires_grad=True)
up = rng.normal(size=(2, 8))
tinydl.concat([a, b], axis=-1).backward(up)
assert np.array_equal(a.grad.numpy(), up[:, :3]) and np.array_equal(b.grad.numpy(), up[:, 3:])

# %% [markdown]
# ## 5. Half the memory
#
# Compute the inside of layers again on the way back (`tinydl.recompute`): about half of the memory
# in the table, for a second forward pass of each layer, a third more time or so. Or smaller
# batches. Or fewer layers in a block: half the layers need a quarter.

# %%
assert 24 * 25 / (12 * 13) > 3.8  # 1 + ... + 24 over 1 + ... + 12
