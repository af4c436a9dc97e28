# %% [markdown]
# # Answers to page 2: tensors, views and broadcasting

# %%
from __future__ import annotations

import numpy as np

from tinydl import Tensor, ones


def gradient_shapes(*parts: Tensor) -> list[tuple[int, ...]]:
    return [part.grad.shape for part in parts]


def leaf(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


# %% [markdown]
# ## 1. Shapes
#
# (8, 1, 5) and (4, 1): from the right 5 and 1, 1 and 4, 8 and nothing: (8, 4, 5). The product
# (2, 3) @ (3, 4) is (2, 4), and a row (4,) is added to each of its rows. A gradient has the shape
# of its tensor, always.

# %%
a, b = leaf(8, 1, 5), leaf(4, 1)
assert (a + b).shape == (8, 4, 5)
(a + b).sum().backward()
assert gradient_shapes(a, b) == [(8, 1, 5), (4, 1)]
x, weight, bias = leaf(2, 3), leaf(3, 4), leaf(4)
assert (x @ weight + bias).shape == (2, 4)
(x @ weight + bias).sum().backward()
assert gradient_shapes(x, weight, bias) == [(2, 3), (3, 4), (4,)]

# %% [markdown]
# ## 2. Strides
#
# (12, 4, 1): one step along the first axis passes 3 * 4 numbers. The transpose reads the same
# memory with the strides turned round, (1, 4, 12). Every second number of the last axis: (12, 4,
# 2).


# %%
def strides(t: Tensor) -> tuple[int, ...]:
    return tuple(s // t.dtype.itemsize for s in t.data.strides)


t = ones(2, 3, 4)
assert strides(t) == (12, 4, 1)
assert strides(t.T) == (1, 4, 12)
assert strides(t[:, :, ::2]) == (12, 4, 2)

# %% [markdown]
# ## 3. A mean
#
# y = (x1 + ... + x20) / 20: every slope is 1/20 = 0.05.

# %%
x = leaf(20)
x.mean().backward()
assert np.allclose(x.grad.numpy(), 0.05)

# %% [markdown]
# ## 4. dB by shapes
#
# dB must be (3, 2). There are A (5, 3) and dC (5, 2): A^T (3, 5) times dC (5, 2).

# %%
draw = np.random.default_rng(0)
A, B, dC = draw.normal(size=(5, 3)), draw.normal(size=(3, 2)), draw.normal(size=(5, 2))
right = Tensor(B, requires_grad=True)
(Tensor(A) @ right).backward(dC)
assert np.allclose(right.grad.numpy(), A.T @ dC)

# %% [markdown]
# ## 5. Every pair
#
# The sum over i and j of x_i x_j is (sum of x)^2. Its slope by each entry is 2 * sum of x.

# %%
x = Tensor(np.array([1.0, 2.0, 3.0, 4.0]), requires_grad=True)
(x * x.reshape(4, 1)).sum().backward()
assert x.grad.numpy().tolist() == [20, 20, 20, 20]
