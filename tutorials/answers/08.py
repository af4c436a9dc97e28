# %% [markdown]
# # Answers to page 8: add an op

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Function, Tensor, no_grad, sigmoid
from tinydl.testing import check_grads

# %% [markdown]
# ## 1. Slopes
#
# x > 0: (x / (1 + x))' = 1 / (1 + x)^2; x < 0: (x / (1 - x))' = 1 / (1 - x)^2: together 1 / (1 +
# |x|)^2. Once more: -2 / (1 + |x|)^3 for x > 0, +2 / (1 + |x|)^3 for x < 0.

# %%
points = np.array([-2.0, -0.5, 0.5, 3.0])
x = Tensor(points, requires_grad=True)
(first,) = tinydl.grad((x / (1 + abs(x))).sum(), [x], create_graph=True)
(second,) = tinydl.grad(first.sum(), [x])
assert np.allclose(first.numpy(), (1 + np.abs(points)) ** -2.0)
assert np.allclose(second.numpy(), -2 * np.sign(points) * (1 + np.abs(points)) ** -3.0)

# %% [markdown]
# ## 2. x times sigmoid(x)
#
# With s = sigmoid(x) the slope is s + x s (1 - s).


# %%
class Swish(Function):
    name = "swish"
    saves = (0,)

    def forward(self, x):
        return x / (1 + np.exp(-x))

    def backward(self, grad):
        s = sigmoid(self.saved[0])
        return grad * (s + self.saved[0] * s * (1 - s))


def swish(x: Tensor) -> Tensor:
    return Swish().apply(x)


given = [Tensor(np.random.default_rng(0).normal(size=(3, 4)), backend="numpy")]
for name, form in (("composition", lambda t: t * sigmoid(t)), ("Function", swish)):
    print(f"{name}: deviation {check_grads(form, given):.1e}")

# %% [markdown]
# ## 3. Out of the graph
#
# The slope of the slope is the derivative of what `backward` computed. If that is made of
# operations it is in the graph like everything else. Left out of it, the second derivative is 0 or
# an error: the library cannot know what was done.


# %%
class Closed(Swish):
    def backward(self, grad):
        with no_grad():
            return super().backward(grad)


x = Tensor(points, requires_grad=True, backend="numpy")
(first,) = tinydl.grad(swish(x).sum(), [x], create_graph=True)
assert first.node is not None
(closed,) = tinydl.grad(Closed().apply(x).sum(), [x], create_graph=True)
print("in the graph:", first.node is not None, closed.node is not None)
assert closed.node is None

# %% [markdown]
# ## 4. From the output
#
# |y| = |x| / (1 + |x|), so 1 - |y| = 1 / (1 + |x|), and the slope is (1 - |y|)^2. With the output
# saved the input can be let go, which the next operation may not need: a piece of memory for each
# layer.

# %%
y = points / (1 + np.abs(points))
assert np.allclose((1 - np.abs(y)) ** 2, (1 + np.abs(points)) ** -2.0)

# %% [markdown]
# ## 5. Three inputs
#
# A strided view (every second column, a transpose, a negative step): a kernel that walks through
# memory reads the wrong numbers, unless it copies first. An empty array: &x[0] does not exist. An
# array without axes, (): ascontiguousarray makes it (1,), and the result has the wrong shape. The
# page's method asks for all three. (And NaN: it must stay NaN.)

# %%
x = np.arange(6.0).reshape(2, 3)
assert not x[:, ::2].flags.c_contiguous and x[:0].size == 0
assert np.ascontiguousarray(np.array(3.0)).shape == (1,)
