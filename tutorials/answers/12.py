# %% [markdown]
# # Answers to page 12: profiling and roofline

# %%
from __future__ import annotations

P, B = 50e9, 10e9  # operations and bytes a second


def bound(intensity: float) -> float:
    # operations a second at most
    return min(P, intensity * B)


# %% [markdown]
# ## 1. Two operations
#
# Balance 50 / 10 = 5 operations per byte. Addition: 1 / 12 per byte, 0.83 billion a second, a 60th
# of what the processor can. Product: n / 6 = 167 per byte: 50 billion.

# %%
assert P / B == 5
assert round(bound(1 / 12) / 1e9, 2) == 0.83 and bound(1_000 / 6) == P

# %% [markdown]
# ## 2. A dearer function
#
# It reads 4 bytes and writes 4: 20 / 8 = 2.5 per byte, below 5: memory, at 25 billion operations a
# second. Faster vectors do not help; twice the bandwidth would.

# %%
assert bound(20 / 8) == 25e9 < P

# %% [markdown]
# ## 3. Batches
#
# 2 * 10^6 B operations; bytes: 4 * 10^6 for the weights and 8,000 B for what goes in and out. 2e6 B
# / (4e6 + 8e3 B) >= 5 gives B >= 10.2: from 11 samples on.


# %%
def intensity(batch: int) -> float:
    return 2e6 * batch / (4e6 + 8e3 * batch)


first = next(n for n in range(1, 100) if intensity(n) >= P / B)
print(f"one sample: {intensity(1):.2f} per byte; from {first} samples on at the balance")
assert first == 11

# %% [markdown]
# ## 4. One loop
#
# Two loops: 10 MB are read and 10 written, twice: 40 MB. In one: 20 MB, half the time. The
# composition of page 8 has three operations and so three walks through memory.

# %%
assert 2 * (10 + 10) == 2 * (10 + 10 + 0) == 40 and 10 + 10 == 20

# %% [markdown]
# ## 5. What is to be gained
#
# 60 * 0.95 + 30 * 0.15 + 10 = 71.5 ms, if both rows reach their roof: nearly all of it from the
# second row. The first, though twice as slow, can give 3 ms; it needs another algorithm.

# %%
assert 60 * 0.95 + 30 * 0.15 + 10 == 71.5
