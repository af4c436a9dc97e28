# %% [markdown]
# # Answers to page 14: from LeNet to ResNet

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Tensor

# %% [markdown]
# ## 1. Three small windows or a large one
#
# 3, 5, 7: both see 7 x 7 pixels. Three times 3 * 3 * 64 * 64 are 110,592 weights, 7 * 7 * 64 * 64
# are 200,704.

# %%
assert 3 * 9 * 64 * 64 == 110_592 and 49 * 64 * 64 == 200_704

# %% [markdown]
# ## 2. Ten weights
#
# The gradient of a weight is the input of its layer times what comes back. All inputs of the later
# layers are 0, and what comes back to the convolutions has passed ReLUs at 0, whose slope there is
# 0. A bias has the input 1, and that of the last layer is behind the last ReLU: p - y reaches it.

# %%
hidden, weight = Tensor(np.zeros((4, 3))), Tensor(np.ones((3, 2)), requires_grad=True)
bias = Tensor(np.zeros(2), requires_grad=True)
tinydl.nn.cross_entropy(hidden @ weight + bias, Tensor([0, 1, 1, 1])).backward()
assert not weight.grad.numpy().any() and bias.grad.numpy().any()

# %% [markdown]
# ## 3. A convolution that copies
#
# 1 in the middle, from each channel to itself.

# %%
kernel = np.zeros((3, 3, 2, 2))
kernel[1, 1] = np.eye(2)
x = np.random.default_rng(0).normal(size=(1, 5, 6, 2))
assert np.allclose(tinydl.conv2d(Tensor(x), Tensor(kernel), padding="same").numpy(), x)

# %% [markdown]
# ## 4. One plus something
#
# dy/dx = 1 + F'(x). A product of factors 1 + small is near 1, where a product of small numbers is
# next to nothing: written out it has one term that passes every block by.

# %%
slopes = np.random.default_rng(1).normal(0, 0.1, 27)
print(f"plain {abs(np.prod(slopes)):.0e}, residual {np.prod(1 + slopes):.2f}")
assert abs(np.prod(slopes)) < 1e-20 < 0.1 < np.prod(1 + slopes)

# %% [markdown]
# ## 5. Half at each layer
#
# The mean square is halved at each layer (2/64 would keep it): 2^-40, and the size is its root,
# 2^-20, a millionth.

# %%
assert math.isclose(math.sqrt(0.5**40), 2**-20)
