# %% [markdown]
# # Answers to page 9: networks with a memory

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl import Generator, Tensor
from tinydl.nn import LSTM, SimpleRNN

# %% [markdown]
# ## 1. By hand
#
# 1, 0.5, 0.25, 2.125. The derivative by x_1 is 0.5^3 = 0.125: three steps back, three factors.

# %%
x, h = Tensor(np.array([1.0, 0, 0, 2]), requires_grad=True), Tensor(np.zeros(()))
for t in range(4):
    h = 0.5 * h + x[t]
h.backward()
assert h.item() == 2.125 and x.grad.numpy().tolist() == [0.125, 0.25, 0.5, 1]

# %% [markdown]
# ## 2. Counting
#
# Four times (10 * 20 + 20 * 20 + 20) = 2,480, and once: 620.

# %%
assert LSTM(10, 20, rng=Generator(0)).count_parameters() == 2480
assert SimpleRNN(10, 20, rng=Generator(0)).count_parameters() == 620

# %% [markdown]
# ## 3. Gates by hand
#
# f = 1 and i = 0 keep c as it is. f = 0 and i = 1 forget it and write g. o says whether anything of
# it is shown; c does not care.

# %%
c, kept = 0.7, []
for f, i, g in ((1, 0, 0.3), (1, 0, -0.9), (0, 1, 0.5), (1, 0, 0.1)):
    c = f * c + i * g
    kept.append(c)
assert kept == [0.7, 0.7, 0.5, 0.5]

# %% [markdown]
# ## 4. A bias
#
# sigmoid(b) = 0.99 for b = ln(0.99 / 0.01) = 4.6.

# %%
b = math.log(0.99 / 0.01)
assert abs(1 / (1 + math.exp(-b)) - 0.99) < 1e-12 and abs(b - 4.6) < 0.01

# %% [markdown]
# ## 5. Windows
#
# No gradient of step 30 reaches step 1 if a border lies between: nothing tells the network to keep
# what it saw there. But the state does pass the border. What the network has learned to keep for
# other reasons (within windows, say) it can use at step 30.
