# %% [markdown]
# # Answers to page 40: a network that learns

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl import Generator, Tensor, nn, relu
from tinydl.data import synthetic_digits
from tinydl.optim import SGD


def softmax(z: list[float]) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


# %% [markdown]
# ## 1. Only differences count
#
# (12, 11, 10) is (2, 1, 0) plus 10: the same probabilities 0.67, 0.24, 0.09, and the loss for the
# second class is -ln 0.24 = 1.41. (20, 10, 0) is ten times as far apart: 0.99995 and next to
# nothing. Its loss for the second class is 10.00: it is sure, and wrong.

# %%
print(softmax([12, 11, 10]), -math.log(softmax([12, 11, 10])[1]))
print(softmax([20, 10, 0]), -math.log(softmax([20, 10, 0])[1]))
assert np.allclose(softmax([12, 11, 10]), softmax([2, 1, 0]))
assert abs(-math.log(softmax([20, 10, 0])[1]) - 10) < 0.001

# %% [markdown]
# ## 2. Two classes are a sigmoid
#
# exp(z) / (exp(z) + exp(0)); divide above and below by exp(z): 1 / (1 + exp(-z)), the sigmoid. So
# one output with a sigmoid and two outputs with a softmax are the same model.

# %%
for z in (-3.0, 0.0, 1.7):
    assert abs(softmax([z, 0.0])[0] - 1 / (1 + math.exp(-z))) < 1e-12

# %% [markdown]
# ## 3. Gradients add up
#
# `backward` *adds* to `grad`, because a value that is used twice must collect from both uses. After
# two batches without a reset it is the sum of both gradients, after a hundred that of a hundred:
# the step is ever larger and remembers batches long gone, like momentum that nothing brakes. The
# network still learns at first, in our loop, and jumps about later; with a smaller rate less so.

# %%
model = nn.Linear(3, 2, rng=Generator(0))
x, y = Tensor(np.ones((4, 3), np.float32)), Tensor([0, 1, 1, 1])
nn.cross_entropy(model(x), y).backward()
once = model.weight.grad.numpy().copy()
nn.cross_entropy(model(x), y).backward()
assert np.allclose(model.weight.grad.numpy(), 2 * once)

# %% [markdown]
# ## 4. One unit, thirty-two times
#
# All 32 compute the same. If the second layer starts at random they do not even get the same
# gradient, and part; but if it starts at one value too, they stay one unit for ever. Both are
# tried here: with the second layer at random there are 32 different units after training, with the
# second layer constant there is one.

# %%
digits = synthetic_digits(200, Generator(0), size=8)
pixels, labels = Tensor(digits.x.reshape(-1, 64)), Tensor(digits.y)
for second, expected in (("glorot_uniform", 32), (0.1, 1)):
    first, last = nn.Linear(64, 32, rng=Generator(1)), nn.Linear(32, 10, rng=Generator(2))
    first.weight.assign(np.full((64, 32), 0.1, np.float32))
    if second == 0.1:
        last.weight.assign(np.full((32, 10), 0.1, np.float32))
    optimizer = SGD([*first.parameters(), *last.parameters()], 0.1)
    for _ in range(20):
        optimizer.zero_grad()
        nn.cross_entropy(last(relu(first(pixels))), labels).backward()
        optimizer.step()
    units = np.unique(np.round(first.weight.numpy().T, 5), axis=0)
    print(f"second layer {second}: {len(units)} different units")
    assert len(units) == expected

# %% [markdown]
# ## 5. Sizes
#
# Variance of the sum: 100 * (1/100) * 4 = 4. The sums are as often positive as negative, so the
# ReLU leaves half of the mean square: 2.

# %%
draw = np.random.default_rng(0)
sums = draw.normal(0, 2, (4000, 100)) @ draw.normal(0, 0.1, (100, 400))
print(f"variance {sums.var():.2f}, behind a ReLU {(np.maximum(sums, 0) ** 2).mean():.2f}")
assert abs(sums.var() - 4) < 0.2 and abs((np.maximum(sums, 0) ** 2).mean() - 2) < 0.1
