# %% [markdown]
# # Answers to page 29: speech and pen

# %%
from __future__ import annotations

from itertools import product

import numpy as np

# %% [markdown]
# ## 1. Spelling
#
# "hello" (the two l are apart by a blank), "helo" (the two l become one), "hello". Six steps at
# least: five letters and one blank.


# %%
def spelled(alignment: str) -> str:
    kept = [c for k, c in enumerate(alignment) if k == 0 or c != alignment[k - 1]]
    return "".join(kept).replace("-", "")


assert [spelled(s) for s in ("hh-e-l-ll-o", "hello", "hel-lo")] == ["hello", "helo", "hello"]

# %% [markdown]
# ## 2. Why a doubled letter is rarer
#
# Of 27 alignments these spell "ab": aab, abb, ab-, a-b, -ab: 5 / 27. "aa" only by a-a: 1 / 27. The
# blank between costs a step.

# %%
every = ["".join(a) for a in product("ab-", repeat=3)]
counts = {s: sum(spelled(a) == s for a in every) for s in ("ab", "aa")}
print(counts, "of", len(every))
assert counts == {"ab": 5, "aa": 1}

# %% [markdown]
# ## 3. The recursion
#
# alpha_t(k) = p_t(place k) (alpha_{t-1}(k) + alpha_{t-1}(k-1) + alpha_{t-1}(k-2) if place k is a
# letter other than place k-2). It begins at the first two places and ends at the last two.

# %%
rng = np.random.default_rng(0)
p = rng.dirichlet(np.ones(3), 6)  # (T, classes): blank, a, b


def recursion(p: np.ndarray, labels: list[int]) -> float:
    places = [0] + [c for label in labels for c in (label, 0)]
    alpha = np.zeros(len(places))
    alpha[:2] = p[0, places[:2]]
    for step in p[1:]:
        before = alpha.copy()
        for k, c in enumerate(places):
            alpha[k] = before[k] + (before[k - 1] if k > 0 else 0)
            if k > 1 and c and c != places[k - 2]:
                alpha[k] += before[k - 2]
            alpha[k] *= step[c]
    return float(alpha[-2:].sum())


for text, labels in (("ab", [1, 2]), ("aa", [1, 1]), ("b", [2])):
    listed = sum(np.prod([p[t, "-ab".index(c)] for t, c in enumerate(a)])
                 for a in product("-ab", repeat=6) if spelled("".join(a)) == text)  # fmt: skip
    print(f"{text:3} listed {listed:.6f}, by the recursion {recursion(p, labels):.6f}")
    assert abs(listed - recursion(p, labels)) < 1e-12

# %% [markdown]
# ## 4. Mel
#
# From 200 to 300 Hz: 2595 log10(1000 / 900) = 119 mel. From 4,000 to 4,100 Hz: 2595 log10(4800 /
# 4700) = 24 mel.


# %%
def mel(f: float) -> float:
    return 2595 * np.log10(1 + f / 700)


print(f"{mel(300) - mel(200):.0f} and {mel(4_100) - mel(4_000):.0f} mel")
assert round(mel(300) - mel(200)) == 119 and round(mel(4_100) - mel(4_000)) == 24

# %% [markdown]
# ## 5. A second
#
# 1 + (1 + 2 + 4 + ... + 2^(n-1)) = 2^n: 13 layers see 8,192 samples. Without dilation 7,999 layers.

# %%
layers = next(n for n in range(1, 30) if 1 + sum(2**k for k in range(n)) >= 8_000)
assert layers == 13 and 1 + 7_999 == 8_000
