# %% [markdown]
# # Answers to page 16: MobileNets

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Tensor
from tinydl.models import MobileNetV1
from tinydl.models.mobile.mobilenet_v1 import BLOCKS
from tinydl.nn import summary

# %% [markdown]
# ## 1. About an eighth
#
# 1/128 + 1/9 = 0.119: G² * 64 * (9 + 128) against G² * 9 * 64 * 128. The 64 input channels do not
# matter. With 5 x 5: 1/128 + 1/25 = 0.048, a twentieth.

# %%
assert math.isclose(64 * (9 + 128) / (9 * 64 * 128), 1 / 128 + 1 / 9)
assert round(1 / 128 + 1 / 9, 3) == 0.119 and round(1 / 128 + 1 / 25, 3) == 0.048

# %% [markdown]
# ## 2. The same cost
#
# k² C and C F: for F = k², so 9 output channels with 3 x 3. A network has more, so the pointwise
# part is the larger one.
#
# ## 3. About a sixteenth
#
# A quarter for the width, a quarter for the resolution. It is a little more, because the first
# convolution reads three channels at any width.

# %%
full = summary(MobileNetV1(), (224, 224, 3)).multiply_adds
small = summary(MobileNetV1(0.5), (112, 112, 3)).multiply_adds
print(f"left of the work: {small / full:.4f}, 1/16 = {1 / 16}")
assert 1 / 16 < small / full < 1 / 14

# %% [markdown]
# ## 4. Half the side
#
# 4 x 4 instead of 7 x 7 (7 halved, rounded up), although the table that has stride 2 in print goes
# on with 7 x 7.

# %%
sides = []
for blocks in (BLOCKS, (*BLOCKS[:-1], (1024, 2))):
    rows = summary(MobileNetV1(0.25, blocks=blocks), (224, 224, 3)).rows
    sides.append(next(r for r in rows[::-1] if len(r.output_shape) == 3).output_shape[0])
assert sides == [7, 4]

# %% [markdown]
# ## 5. Channels that never meet
#
# Each output channel reads one input channel alone: the green one knows nothing of the red one.
# Change the red channel, and the green map stays as it is. The pointwise convolution brings them
# together.

# %%
rng = np.random.default_rng(0)
x, kernel = rng.normal(size=(1, 6, 6, 3)), Tensor(rng.normal(size=(3, 3, 3, 1)))
other = x.copy()
other[..., 0] += 1
maps = [tinydl.depthwise_conv2d(Tensor(v), kernel, padding="same").numpy() for v in (x, other)]
assert np.array_equal(maps[0][..., 1:], maps[1][..., 1:])
assert not np.array_equal(maps[0][..., 0], maps[1][..., 0])
