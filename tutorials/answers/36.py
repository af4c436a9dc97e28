# %% [markdown]
# # Answers to page 36: what an inference compiler does

# %%
from __future__ import annotations

import numpy as np

import tinydl as td
from tinydl import nn

# %% [markdown]
# ## 1. By hand
#
# factor = 2 / 2 = 1, so the weight stays 3; rest = 1 - 6 * 1 = -5. x = 5: 15, (15 - 6) / 2 * 2 + 1
# = 10, and 3 * 5 - 5 = 10.

# %%
factor = 2 / 4**0.5
assert (3 * 5 - 6) / 4**0.5 * 2 + 1 == 3 * factor * 5 + (1 - 6 * factor) == 10

# %% [markdown]
# ## 2. On a convolution
#
# Each output channel has its own factor, so the weight's last axis is multiplied.

# %%
rng = td.seed(0)
conv, norm = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm(8)
for name, buffer in norm.named_buffers():
    low, high = (-0.5, 0.5) if "mean" in name else (0.5, 2.0)
    buffer.assign(rng.uniform(buffer.shape, low=low, high=high).astype(np.float32))
running = {name: buffer.numpy() for name, buffer in norm.named_buffers()}
(mean,) = (value for name, value in running.items() if "mean" in name)
(variance,) = (value for name, value in running.items() if "var" in name)
x = td.tensor(rng.normal((2, 9, 9, 3), dtype=np.float32))
folded = nn.Conv2d(3, 8, 3)
scale, shift = (p.numpy() for p in norm.parameters())
factor = scale / np.sqrt(variance + norm.eps)
folded.weight.assign(conv.weight.numpy() * factor)
folded.bias.assign(shift - mean * factor)
norm.eval()
difference = np.abs(norm(conv(x)).numpy() - folded(x).numpy()).max()
print(f"largest difference {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# ## 3. A plan
#
# Largest first: A at 0 to 4. C does not meet A in time: at 0 to 4, too. B meets A (in step 2) and C
# (in step 3): at 4 to 6. D lives all the time and meets all: at 6 to 7. The arena has 7 KiB. At
# step 2 A, B and D live together, 4 + 2 + 1 = 7: no plan is smaller.

# %%
buffers = {"A": (4, 1, 2), "B": (2, 2, 3), "C": (4, 3, 4), "D": (1, 1, 4)}
places: dict[str, int] = {}
for name, (size, first, last) in sorted(buffers.items(), key=lambda item: -item[1][0]):
    taken = sorted((places[o], places[o] + buffers[o][0]) for o in places
                   if buffers[o][1] <= last and first <= buffers[o][2])  # fmt: skip
    at = 0
    for begin, end in taken:
        if at + size <= begin:
            break
        at = max(at, end)
    places[name] = at
arena = max(at + buffers[name][0] for name, at in places.items())
needed = max(
    sum(s for s, first, last in buffers.values() if first <= t <= last) for t in range(1, 5)
)
print(places, arena, needed)
assert places == {"A": 0, "C": 0, "B": 4, "D": 6} and arena == needed == 7

# %% [markdown]
# ## 4. Two readers
#
# The second reader wants the result without the ReLU, and the epilogue has overwritten it. In the
# block x is read by the first convolution and by the sum: the ReLU that made x can stay in the
# epilogue before it (both readers want it after the ReLU), but the sum cannot be put into the
# convolution that makes x.


# %%
class TwoReaders(nn.Module):
    def __init__(self):
        self.conv = nn.Conv2d(3, 4, 3, padding="same")

    def forward(self, x):
        y = self.conv(x)
        return td.relu(y) + y


model = TwoReaders().eval()
x = td.tensor(rng.normal((1, 8, 8, 3), dtype=np.float32))
program = td.compile(model, x)
names = [step.name for step in program.program.steps]
print(names)
assert "conv2d + relu" not in names
with td.no_grad():
    assert np.abs(program(x).numpy() - model(x).numpy()).max() < 1e-5

# %% [markdown]
# ## 5. At most
#
# From Python 0.05 + 28 * 0.007 = 0.246 ms, compiled 0.05 ms: 4.9 times. With images sixteen times
# as large the arithmetic is 0.8 ms: 0.996 beside 0.8, 1.2 times.

# %%
calls = 28 * 0.007
assert round((0.05 + calls) / 0.05, 1) == 4.9 and round((0.8 + calls) / 0.8, 1) == 1.2
