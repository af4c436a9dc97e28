# %% [markdown]
# # Answers to page 27: attention and translation

# %%
from __future__ import annotations

from itertools import product

import numpy as np

from tinydl import Tensor, scaled_dot_product_attention

# %% [markdown]
# ## 1. By hand
#
# exp gives 1 and 3: weights 1/4 and 3/4, the answer 7. The slopes are a_i (v_i - c): 1/4 (4 - 7) =
# -0.75 and 3/4 (8 - 7) = 0.75. Their sum is 0, since adding a number to both scores changes
# nothing.


# %%
def answer(scores: np.ndarray) -> float:
    weights = np.exp(scores) / np.exp(scores).sum()
    return float(weights @ [4.0, 8.0])


scores, h = np.array([0.0, np.log(3)]), 1e-5
slopes = [(answer(scores + h * e) - answer(scores - h * e)) / (2 * h) for e in np.eye(2)]
print(answer(scores), np.round(slopes, 4))
assert abs(answer(scores) - 7) < 1e-12 and np.abs(np.array(slopes) - [-0.75, 0.75]).max() < 1e-8

# %% [markdown]
# ## 2. All the same
#
# The mean of equal values is that value, whatever the weights. v_i - c is 0, so are the gradients
# of the scores: there is nothing to be gained by looking elsewhere.

# %%
rng = np.random.default_rng(0)
arrays = rng.normal(size=(1, 3)), rng.normal(size=(5, 3)), np.ones((5, 2))
q, k, v = (Tensor(x, requires_grad=True) for x in arrays)
c = scaled_dot_product_attention(q, k, v)
c.sum().backward()
assert np.abs(c.numpy() - 1).max() < 1e-12
assert np.abs(q.grad.numpy()).max() < 1e-12 and np.abs(k.grad.numpy()).max() < 1e-12

# %% [markdown]
# ## 3. Order
#
# Scores and weights are exchanged along with the values, and a sum does not mind the order of its
# terms. A language model without positions would see a bag of words: the last word's answer is the
# same for "man bites dog" and "bites man dog". (The mask alone tells a little: how many words there
# are before.)

# %%
x = rng.normal(size=(6, 4))
order = [3, 0, 4, 1, 2, 5]  # the last word stays where it is
plain, mixed = (scaled_dot_product_attention(*[Tensor(w)] * 3, causal=True).numpy()
                for w in (x, x[order]))  # fmt: skip
print("difference at the last word:", np.abs(plain[-1] - mixed[-1]).max())
assert np.abs(plain[-1] - mixed[-1]).max() < 1e-12

# %% [markdown]
# ## 4. BLEU by hand
#
# All four letters stand in the reference: 4 of 4. Of the pairs ab, bd, dc only ab does: 1 of 3. The
# geometric mean is the root of 1/3, 0.58; nothing is too short.


# %%
def share(made: str, right: str, n: int) -> float:
    runs = [made[k : k + n] for k in range(len(made) - n + 1)]
    there = [right[k : k + n] for k in range(len(right) - n + 1)]
    return sum(run in there for run in runs) / len(runs)


shares = [share("abdc", "abcd", n) for n in (1, 2)]
print(shares, round(float(np.prod(shares)) ** 0.5, 2))
assert shares == [1.0, 1 / 3]

# %% [markdown]
# ## 5. Greedy misses
#
# First word: A 0.6, B 0.4. After A all of three words have 1/3; after B one has 0.9. Greedy takes A
# and ends with 0.2; B then its word has 0.36. A beam of two still has B when the second word is
# known.

# %%
first = {"A": 0.6, "B": 0.4}
second = {"A": {"x": 1 / 3, "y": 1 / 3, "z": 1 / 3}, "B": {"x": 0.9, "y": 0.05, "z": 0.05}}
p = {a + b: first[a] * second[a][b] for a, b in product("AB", "xyz")}
start = max(first, key=first.get)
greedy = start + max(second[start], key=second[start].get)
print("greedy", greedy, round(p[greedy], 2), " best", max(p, key=p.get), round(max(p.values()), 2))
assert greedy[0] == "A" and max(p, key=p.get) == "Bx" and p["Bx"] > p[greedy]
