# %% [markdown]
# # Answers to page 19: style transfer

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.data import shapes
from tinydl.models.style.transfer import StyleFeatures, gram, transfer
from tinydl.nn import total_variation

# %% [markdown]
# ## 1. Two channels at three places
#
# (1 + 4 + 0) / 3 = 5/3, (4 + 0 + 1) / 3 = 5/3, (2 + 0 + 0) / 3 = 2/3.

# %%
F = np.array([[1.0, 2], [2, 0], [0, 1]])  # one row for each place
G = F.T @ F / 3
assert np.abs(G - np.array([[5, 2], [2, 5]]) / 3).max() < 1e-12

# %% [markdown]
# ## 2. Symmetric, never negative, C x C
#
# Entry (i, j) is a mean of products, and products do not mind the order. a^T G a = |F a|^2 / P, a
# square. The size is C x C for every image: so content and style may differ in size.

# %%
rng = np.random.default_rng(0)
F = rng.normal(size=(50, 4))
G = F.T @ F / 50
a = rng.normal(size=4)
assert np.array_equal(G, G.T) and abs(a @ G @ a - np.sum((F @ a) ** 2) / 50) < 1e-12

# %% [markdown]
# ## 3. A mirrored picture
#
# Pixels change their places only, their Gram matrix stays. Behind a 3 x 3 convolution it changes: a
# kernel for a slant to the left does not answer to one to the right. That is how style gets its
# directions.

# %%
image = rng.uniform(size=(1, 12, 12, 3))
image[0, :, :, 0] = (np.add.outer(np.arange(12), np.arange(12)) % 4 < 2).astype(float)  # slanting
mirrored = image[:, :, ::-1].copy()
kernel = Tensor(rng.normal(size=(3, 3, 3, 4)))
pixels = [gram(Tensor(v)).numpy() for v in (image, mirrored)]
maps = [gram(tinydl.conv2d(Tensor(v), kernel)).numpy() for v in (image, mirrored)]
assert np.abs(pixels[0] - pixels[1]).max() < 1e-12
assert np.abs(maps[0] - maps[1]).max() > 0.1

# %% [markdown]
# ## 4. Texture out of noise
#
# With style alone nothing holds the content: any beginning becomes a texture. From noise it is one
# that has nothing of the picture. (The loss falls without a content term; the content picture is
# only where it starts.)

# %%
tinydl.seed(0)
features = StyleFeatures((8, 16, 16))
style = Tensor(shapes(1, tinydl.Generator(1), size=24).x[:1])
noise = Tensor(rng.uniform(size=(1, 24, 24, 3)).astype(np.float32))
_, losses = transfer(features, noise, style, 40, 0.03, (0.0, 10.0, 0.0))
print(f"style alone, from noise: {losses[0]:.4f} -> {losses[-1]:.4f}")
assert losses[-1] < 0.3 * losses[0]

# %% [markdown]
# ## 5. Rough and smooth
#
# 1 + 1 + 1 = 3, and 0 + 1 + 0 = 1. An edge costs once; speckles cost at every pixel.

# %%
for row, expected in (([0, 1, 0, 1], 3), ([0, 0, 1, 1], 1)):
    assert total_variation(Tensor(np.array(row, float).reshape(1, 1, 4, 1))).item() == expected
