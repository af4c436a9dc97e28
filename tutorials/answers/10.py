# %% [markdown]
# # Answers to page 10: normalisation

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl import Generator, Tensor, nn, ops

# %% [markdown]
# ## 1. By hand
#
# Mean 3; distances -2, -1, 0, 3; variance (4 + 1 + 0 + 9) / 4 = 3.5, its root 1.871. So -1.069,
# -0.535, 0, 1.604.

# %%
column = np.array([[1.0], [2.0], [3.0], [6.0]])
y = ops.batch_norm(Tensor(column), eps=1e-12).numpy().ravel()
assert np.allclose(y, [-1.069, -0.535, 0, 1.604], atol=0.001)

# %% [markdown]
# ## 2. How many numbers
#
# Batch norm: 32 * 28 * 28 = 25,088, for each of 64 channels. Layer norm: 28 * 28 * 64 = 50,176, for
# each sample. Instance norm: 28 * 28 = 784, for each sample and channel. Group norm: 28 * 28 * 8 =
# 6,272, for each sample and group.

# %%
N, H, W, C = 32, 28, 28, 64
assert (N * H * W, H * W * C, H * W, H * W * C // 8) == (25_088, 50_176, 784, 6_272)

# %% [markdown]
# ## 3. A push on all
#
# If all of x moves by h, the mean moves by h too, and y stays. So a loss of y does not change, and
# its slope along (1, 1, ... 1) is 0: that slope is the sum of the gradient.

# %%
x = Tensor(np.random.default_rng(0).normal(size=(8, 3)), requires_grad=True)
y = ops.batch_norm(x)
(y * y * y).sum().backward()
print("sum of the gradient over the batch:", x.grad.numpy().sum(axis=0))
assert np.abs(x.grad.numpy().sum(axis=0)).max() < 1e-12

# %% [markdown]
# ## 4. One sample, in training mode
#
# Every number is its own mean, so batch norm gives the shift, 0 at first, for any input: the answer
# does not depend on the sample. In `eval()` it does.

# %%
model = nn.Sequential(nn.Linear(4, 6, rng=Generator(0)), nn.BatchNorm(6), nn.Linear(6, 2))
one, other = (Tensor(np.full((1, 4), value, np.float32)) for value in (1.0, -3.0))
model.train()
assert np.allclose(model(one).numpy(), model(other).numpy(), atol=1e-4)
model.eval()
assert not np.allclose(model(one).numpy(), model(other).numpy(), atol=1e-4)

# %% [markdown]
# ## 5. Waiting
#
# 0.9^n < 0.01 from n = 44 on, 0.99^n from n = 459.

# %%
assert [math.ceil(math.log(0.01) / math.log(m)) for m in (0.9, 0.99)] == [44, 459]
