# %% [markdown]
# # Answers to page 3: checking a gradient

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Function, Tensor
from tinydl.testing import GradientError, check_grads

# %% [markdown]
# ## 1. Two sides
#
# One side: ((3 + h)^2 - 9) / h = 6 + h, wrong by 0.1. Both sides: (12 h) / (2 h) = 6 exactly: the
# errors of a parabola cancel. (For x^3 the two-sided slope is wrong by h^2.)

# %%
h = 0.1
assert abs(((3 + h) ** 2 - 9) / h - 6.1) < 1e-12
assert abs(((3 + h) ** 2 - (3 - h) ** 2) / (2 * h) - 6) < 1e-12

# %% [markdown]
# ## 2. Three outputs
#
# J has a row for each output: (2 x1, 0) = (4, 0), (x2, x1) = (3, 2), and (0, 0), for y3 does not
# move. J^T c sums the columns: (7, 2).

# %%
x = Tensor(np.array([2.0, 3.0]), requires_grad=True)
y = tinydl.stack([x[0] * x[0], x[0] * x[1]])
y.backward(np.ones(2))
assert x.grad.numpy().tolist() == [7, 2]


# %% [markdown]
# ## 3. What a random check sees
#
# Both. Twice the gradient gives twice the number. With two entries exchanged the dot product with v
# changes by (g1 - g2)(v2 - v1), which is 0 only by accident; with v all ones it would be 0 always.


# %%
class Twice(Function):
    def forward(self, x):
        return self.backend.multiply(x, np.asarray(3.0))

    def backward(self, grad):
        return 6.0 * grad


class Exchanged(Function):
    def forward(self, x):
        return self.backend.multiply(x, np.array([1.0, 2.0, 3.0]))

    def backward(self, grad):
        return grad * np.array([2.0, 1.0, 3.0])


for operation in (Twice, Exchanged):
    try:
        check_grads(lambda t, op=operation: op().apply(t), [Tensor(np.array([0.3, -1.0, 2.0]))])
    except GradientError as error:
        print(f"{operation.__name__}: {str(error)[:90]} ...")
    else:
        raise AssertionError("a wrong gradient went unnoticed")


# %% [markdown]
# ## 4. The fourth power
#
# Its slope is 4 x^3, made of operations on tensors, so the second order agrees as well.


# %%
class Fourth(Function):
    saves = (0,)

    def forward(self, x):
        square = self.backend.multiply(x, x)
        return self.backend.multiply(square, square)

    def backward(self, grad):
        (x,) = self.saved
        return 4.0 * x * x * x * grad


for order in (1, 2):
    check_grads(lambda t: Fourth().apply(t), [Tensor(np.array([0.5, -2.0]))], order=order)

# %% [markdown]
# ## 5. Corners
#
# sin is smooth: both orders. |x| has a corner: there is no slope to agree with. x |x| and
# max(x, 0)^2 have one at 0, namely 0. But their slopes have a corner, and the error of a two-sided
# measurement was h^2 |f'''| / 6 only where f''' exists: here it is h, and h / 2. The check takes
# that for a mistake of 0.000006, a false alarm. So it needs points away from corners of the slope
# too.

# %%
zero, h = Tensor(np.zeros(1)), 6e-6
check_grads(tinydl.sin, [zero], order=2)
for f, expected in ((lambda x: x * abs(x), h), (lambda x: max(x, 0.0) ** 2, h / 2)):
    assert abs((f(h) - f(-h)) / (2 * h) - expected) < 1e-12
try:
    check_grads(lambda t: t * abs(t), [zero])
except GradientError as error:
    print("x |x| at 0:", str(error)[-60:])
