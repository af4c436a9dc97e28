# %% [markdown]
# # Answers to page 43: deeper still

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.data import Batches, digits
from tinydl.models import ResNetCifar
from tinydl.models.convolutional.residual import BasicBlock
from tinydl.nn import cross_entropy
from tinydl.optim import SGD

# %% [markdown]
# ## 1. Ten weights
#
# The gradient of a weight is the input of its layer times what comes back. All inputs of the later
# layers are 0, and what comes back to the convolutions has passed ReLUs at 0, whose slope there is
# 0. A bias has the input 1, and that of the last layer is behind the last ReLU: p - y reaches it.

# %%
hidden, weight = Tensor(np.zeros((4, 3))), Tensor(np.ones((3, 2)), requires_grad=True)
bias = Tensor(np.zeros(2), requires_grad=True)
cross_entropy(hidden @ weight + bias, Tensor([0, 1, 1, 1])).backward()
assert not weight.grad.numpy().any() and bias.grad.numpy().any()

# %% [markdown]
# ## 2. Copy and swap
#
# A 1 x 1 kernel is a matrix, channels in by channels out: the identity, and the identity with its
# first two columns exchanged.

# %%
x = np.random.default_rng(0).normal(size=(1, 5, 6, 3))
copy = np.eye(3).reshape(1, 1, 3, 3)
swap = copy[:, :, :, [1, 0, 2]]
assert np.array_equal(tinydl.conv2d(Tensor(x), Tensor(copy)).numpy(), x)
assert np.array_equal(tinydl.conv2d(Tensor(x), Tensor(swap)).numpy(), x[..., [1, 0, 2]])

# %% [markdown]
# ## 3. One plus something
#
# dy/dx = 1 + F'(x). A product of factors 1 + small is near 1, where a product of small numbers is
# next to nothing: written out it has one term that passes every block by.

# %%
slopes = np.random.default_rng(1).normal(0, 0.1, 27)
print(f"plain {abs(np.prod(slopes)):.0e}, residual {np.prod(1 + slopes):.2f}")
assert abs(np.prod(slopes)) < 1e-20 < 0.1 < np.prod(1 + slopes)

# %% [markdown]
# ## 4. Blocks that copy at first
#
# Every block with a plain shortcut returns its input, so the last map of a stage is that behind its
# first block. The network learns: the gradient of the scale is not 0, so F does not stay 0, unlike
# the kernels of exercise 1. (Many libraries begin so.)

# %%
samples = digits()
pixels, labels = (samples.x[:, :, :, None] / 16).astype(np.float32), samples.y
tinydl.seed(0)
model = ResNetCifar(20, in_channels=1, widths=(8, 16, 32))
for block in model.blocks.layers:
    assert isinstance(block, BasicBlock)
    block.norm2.scale.assign(np.zeros_like(block.norm2.scale.numpy()))
inside = Tensor(np.abs(np.random.default_rng(2).normal(size=(2, 8, 8, 8))).astype(np.float32))
assert np.array_equal(model.blocks.layers[1](inside).numpy(), inside.numpy())
optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
batches = Batches((pixels, labels), 64, shuffle=True, rng=tinydl.Generator(0))
losses = []
for x, y in [batch for _ in range(3) for batch in batches]:
    loss = cross_entropy(model(Tensor(x)), Tensor(y))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss {losses[0]:.2f} -> {np.mean(losses[-5:]):.2f} in {len(losses)} steps")
assert np.mean(losses[-5:]) < 0.5 * losses[0]

# %% [markdown]
# ## 5. Against the wrong illness
#
# Dropout is against overfitting: a small training loss, a large one on new samples. Here the
# training loss itself is high, and dropout makes it higher. Look at the first loss, the gradients
# and the depth; try shortcuts.
