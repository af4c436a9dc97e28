# %% [markdown]
# # Answers to page 4: one matrix product

# %%
from __future__ import annotations

from itertools import product
from statistics import mean, median

import numpy as np

# %% [markdown]
# ## 1. Order
#
# i, k, j: b[0,0] b[0,1] b[1,0] b[1,1] b[2,0] b[2,1], in memory 0 1 2 3 4 5, for each row of a. i,
# j, k: b[0,0] b[1,0] b[2,0] b[0,1] ...: 0 2 4 1 3 5.

# %%
ikj = [2 * k + j for i, k, j in product(range(2), range(3), range(2))]
ijk = [2 * k + j for i, j, k in product(range(2), range(2), range(3))]
print(ikj, ijk)
assert ikj[:6] == [0, 1, 2, 3, 4, 5] and ijk[:6] == [0, 2, 4, 1, 3, 5]

# %% [markdown]
# ## 2. Pieces
#
# A row: 512 / 16 = 32. A column: each number lies in another piece, 512: sixteen times as many.

# %%
row, column = np.arange(512), 512 * np.arange(512)
assert len(set(row // 16)) == 32 and len(set(column // 16)) == 512

# %% [markdown]
# ## 3. Reads and writes of c
#
# i, k, j reads and writes c[i, j] for each k: 2 n^3 times. In a register it is written once: n^2.
# For n = 512 that is 268,435,456 beside 262,144: about 1 GiB of 4-byte numbers moved for nothing
# (most of it in the cache, else it would be much worse).

# %%
n = 512
assert 2 * n**3 == 268_435_456 and n**2 == 262_144
print(f"{4 * (2 * n**3 - n**2) / 2**30:.2f} GiB")

# %% [markdown]
# ## 4. Order of adding
#
# (10^8 + 1) - 10^8 is 0 in float32, since 10^8 + 1 rounds to 10^8; (10^8 - 10^8) + 1 is 1. So
# "agree" must mean: the error is small beside the sum of the sizes, here 2 * 10^8, not beside the
# result.

# %%
big, one = np.float32(1e8), np.float32(1)
assert (big + one) - big == 0 and (big - big) + one == 1

# %% [markdown]
# ## 5. Medians
#
# 10 and 12: A is faster. The means say 14.2 and 12.2: one turn in which the computer did something
# else would decide.

# %%
a, b = [10, 11, 10, 30, 10], [12, 12, 13, 12, 12]
assert (median(a), median(b)) == (10, 12) and mean(a) == 14.2 and mean(b) == 12.2
