# %% [markdown]
# # Answers to page 42: a GPT

# %%
from __future__ import annotations

import numpy as np

from tinydl import Tensor, scaled_dot_product_attention

V, D, H, T = 27, 16, 4, 12
E = D // H

# %% [markdown]
# ## 1. Counted
#
# Tables 27 * 16 and T * 16; four matrices of 16 * 16; 16 * 64 and 64 * 16; 16 * 27. With T = 12:
# 432 + 192 + 1,024 + 2,048 + 432 = 4,128. The small network has half of them; so it is in large
# ones.

# %%
sizes = {
    "token": V * D,
    "place": T * D,
    "attention": 4 * D * D,
    "network": 8 * D * D,
    "head": D * V,
}
print(sizes, sum(sizes.values()))
assert sum(sizes.values()) == 4_128 and max(sizes, key=sizes.get) == "network"

# %% [markdown]
# ## 2. Objects
#
# 16 outputs of 16 products: 256 multiplications, each an object, and 256 additions, and the 16
# zeros with which the sums begin: 528 objects for 256 useful multiplications.

# %%
made = sum(D + D + 1 for _ in range(D))  # products, sums and a zero, for each output
assert made == 528

# %% [markdown]
# ## 3. The scale
#
# A likeness is a sum of E = 4 products; with entries of variance 1 it has the variance 4, the
# spread 2. With the factor it is 1. For E = 64 it would be 8, and the softmax a choice.

# %%
rng = np.random.default_rng(0)
for size in (4, 64):
    likeness = (rng.normal(size=(20_000, size)) * rng.normal(size=(20_000, size))).sum(axis=1)
    print(f"E = {size}: spread {likeness.std():.2f}, scaled {likeness.std() * size**-0.5:.2f}")
    assert abs(likeness.std() - size**0.5) < 0.1 * size**0.5

# %% [markdown]
# ## 4. Letters exchanged
#
# All outputs at places behind both of them: attention is a weighted mean, which does not know the
# order. Those between them change, since they see one of the two only.

# %%
letters = rng.normal(size=(6, E))
mixed = letters[[0, 2, 1, 3, 4, 5]]
before, after = (scaled_dot_product_attention(*[Tensor(x)] * 3, causal=True).numpy()
                 for x in (letters, mixed))  # fmt: skip
same = np.abs(before - after).max(axis=1) < 1e-12
print("the same:", same)
assert same.tolist() == [True, False, False, True, True, True]

# %% [markdown]
# ## 5. Saved
#
# With the dots 9 letters are read. With the cache one key each: 9. Without it the first step
# computes 1, the second 2, ... the ninth 9: 45. For a text of 1,000 it is 1,000 beside 500,500.

# %%
assert sum(range(1, 10)) == 45 and sum(range(1, 1_001)) == 500_500
