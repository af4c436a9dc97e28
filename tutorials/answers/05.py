# %% [markdown]
# # Answers to page 5: convolution is a matrix product

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.geometry import conv2d_geometry

# %% [markdown]
# ## 1. Sizes
#
# (32 + 4 - 5) / 1 + 1 = 32: the size stays. (32 + 2 - 3) / 2 + 1 = 16.5, rounded down: 16.

# %%
assert conv2d_geometry((1, 32, 32, 1), (5, 5, 1, 1), 1, 2).OH == 32
assert conv2d_geometry((1, 32, 32, 1), (3, 3, 1, 1), 2, 1).OH == 16

# %% [markdown]
# ## 2. Weights and work
#
# 3 * 3 * 16 * 32 = 4,608 weights (and 32 biases). Each is used at 400 places: 1,843,200
# multiply-adds.

# %%
g = conv2d_geometry((1, 20, 20, 16), (3, 3, 16, 32), 1, 1)
assert np.prod(g.weight_shape) == 4608 and g.multiply_adds == 1_843_200


# %% [markdown]
# ## 3. im2col in two loops


# %%
def im2col(image: np.ndarray, k: int) -> np.ndarray:
    """Windows of an image (H, W, C) as rows."""
    rows = []
    for i in range(image.shape[0] - k + 1):
        for j in range(image.shape[1] - k + 1):
            rows.append(image[i : i + k, j : j + k].ravel())
    return np.array(rows)


image = np.random.default_rng(0).normal(size=(6, 7, 2))
assert np.array_equal(im2col(image, 3), tinydl.im2col(Tensor(image[None]), 3).numpy())

# %% [markdown]
# ## 4. A moved image
#
# The feature map moves by one pixel too (away from the edges). After pooling by 2 it moves by half
# a pixel, which there is not: some numbers stay, others change. Moved by two, the pooled map moves
# by one.

# %%
kernel = np.random.default_rng(1).normal(size=(3, 3, 1, 1))
wide = np.zeros((1, 10, 12, 1))
wide[:, 2:8, 2:8] = np.random.default_rng(2).normal(size=(1, 6, 6, 1))


def maps(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = tinydl.conv2d(Tensor(x), Tensor(kernel))
    return y.numpy(), tinydl.max_pool2d(y, 2).numpy()


(y, pooled), (y1, pooled1), (y2, pooled2) = (maps(np.roll(wide, s, axis=2)) for s in (0, 1, 2))
assert np.allclose(y[:, :, :-1], y1[:, :, 1:])
assert np.allclose(pooled[:, :, :-1], pooled2[:, :, 1:])
assert not np.allclose(pooled[:, :, :-1], pooled1[:, :, 1:])

# %% [markdown]
# ## 5. A matrix of stripes
#
# Each row of the matrix M holds the kernel, one place further right: the output is M x. The
# gradient by the row is M^T times the incoming gradient (page 3), so M^T adds back what M picked
# up.

# %%
M = np.array([[1, 0, -1, 0, 0], [0, 1, 0, -1, 0], [0, 0, 1, 0, -1]], float)
row = Tensor(np.array([3.0, 1, 4, 1, 5]).reshape(1, 1, 5, 1), requires_grad=True)
y = tinydl.conv2d(row, Tensor(np.array([1.0, 0, -1]).reshape(1, 3, 1, 1)))
assert np.allclose(y.numpy().ravel(), M @ row.numpy().ravel())
y.backward(np.array([1.0, 10, 100]).reshape(1, 1, 3, 1))
assert np.allclose(row.grad.numpy().ravel(), M.T @ [1, 10, 100])
