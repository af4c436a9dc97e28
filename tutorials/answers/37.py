# %% [markdown]
# # Answers to page 37: nets of other libraries

# %%
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import tinydl as td
from tinydl import nn, ops


class Residual(nn.Module):
    def __init__(self, channels):
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm(channels)

    def forward(self, x):
        y = ops.relu(self.norm1(self.first(x)))
        return ops.relu(x + self.norm2(self.second(y)))


td.seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.ReLU(),
    Residual(12), Residual(12), Residual(12), nn.GlobalAvgPool(), nn.Linear(12, 5),
).eval()  # fmt: skip
x = td.tensor(np.random.default_rng(0).uniform(size=(3, 16, 16, 1)).astype(np.float32))

# %% [markdown]
# ## 1. Counted
#
# First convolution 5 * 5 * 12 + 12 = 312. A block: two convolutions of 3 * 3 * 12 * 12 = 1,296 and
# two norms of 24: 2,640, three of them 7,920. Head 12 * 5 + 5 = 65. Together 8,297. (`inspect` says
# 8,441: it counts the running averages of six norms, 144 numbers, too.)

# %%
assert 312 + 3 * (2 * 1_296 + 2 * 24) + 65 == net.count_parameters() == 8_297
assert sum(buffer.numpy().size for _, buffer in net.named_buffers()) == 144

# %% [markdown]
# ## 2. What is missing
#
# The loss and the optimiser with its averages (choose anew); the data and how it was brought to
# this form: sizes, order of channels, range of pixels (ask, or measure on images whose answer is
# known); which output means what. Dropout and the training form of norms are mostly gone as well,
# since what is exported is the net for inference.

# %%
folder = Path(tempfile.mkdtemp())
td.save_onnx(net, folder / "net.onnx", x)
text = (folder / "net.onnx").read_bytes()
assert b"Conv" in text and b"Adam" not in text and b"cross_entropy" not in text

# %% [markdown]
# ## 3. Which weight
#
# Read both, and compare the arrays by name.

# %%
changed = td.load_onnx(folder / "net.onnx")
name, parameter = list(changed.named_parameters())[3]
array = parameter.numpy().copy()
array.flat[0] += 0.1
parameter.assign(array)
before = dict(td.load_onnx(folder / "net.onnx").named_parameters())
found = {n: float(np.abs(p.numpy() - before[n].numpy()).max())
         for n, p in changed.named_parameters()}  # fmt: skip
print({n: round(d, 3) for n, d in found.items() if d > 0})
assert [n for n, d in found.items() if d > 0] == [name]

# %% [markdown]
# ## 4. Frozen
#
# 65 numbers of the head learn. Backward computes the gradients of its weight and bias alone: what
# is below needs none, and the walk ends there.

# %%
net.freeze()
head = nn.Linear(12, 5)
frozen = nn.Sequential(*list(net.children())[:-1], head)
nn.cross_entropy(frozen(x), td.tensor([0, 1, 2])).backward()
grads = [p for p in frozen.parameters() if p.grad is not None]
assert sum(p.size for p in grads) == 65 and len(grads) == 2

# %% [markdown]
# ## 5. Another range
#
# Nothing fails, but answers change: the logits are much larger, and the net is sure where it was
# not. Compare the accuracy on images with known answers, or the mean and spread of what goes into
# the first layer with what it was trained on.

# %%
with td.no_grad():
    usual, wrong = (net(td.tensor(x.numpy() * factor)).numpy() for factor in (1, 255))
print(f"largest logit {np.abs(usual).max():.2f}, with 0 ... 255 {np.abs(wrong).max():.2f}")
assert np.abs(wrong).max() > 20 * np.abs(usual).max()
