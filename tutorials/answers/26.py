# %% [markdown]
# # Answers to page 26: writing text

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Generator, Tensor, nn, no_grad
from tinydl.data import random_text, stateful_batches
from tinydl.models import LSTMGenerator
from tinydl.models.recurrent.writing import next_probabilities
from tinydl.optim import Adam
from tinydl.programs.language import Text

# %% [markdown]
# ## 1. Bits
#
# -log2 gives 1, 2, 2 and 1: 6 bits for the text, 1.5 per character.

# %%
bits = -np.log2([1 / 2, 1 / 4, 1 / 4, 1 / 2])
assert bits.sum() == 6 and bits.mean() == 1.5

# %% [markdown]
# ## 2. Temperatures
#
# T = 1: 0.67, 0.24, 0.09. T = 1/2 doubles the logits, (4, 2, 0): 0.87, 0.12, 0.02. T = 2 halves
# them: 0.51, 0.31, 0.19. Towards 0 all goes to the largest; towards infinity each gets 1/3.

# %%
for T in (1.0, 0.5, 2.0):
    print(f"T = {T}:", np.round(next_probabilities(np.array([2.0, 1, 0]), temperature=T), 2))
cold, hot = (next_probabilities(np.array([2.0, 1, 0]), temperature=T) for T in (0.01, 1000.0))
assert cold[0] > 0.999 and np.abs(hot - 1 / 3).max() < 0.001

# %% [markdown]
# ## 3. Witten and Bell
#
# n = 8, d = 2. "e": (6 + 2 * 0.4) / 10 = 0.68; "a": (2 + 2 * 0.3) / 10 = 0.26; "r", which was never
# seen there: (0 + 2 * 0.1) / 10 = 0.02. The other characters share 2 * 0.2 / 10 = 0.04, and all sum
# to 1.

# %%
shorter = {"e": 0.4, "a": 0.3, "r": 0.1, "others": 0.2}
counts = {"e": 6, "a": 2}
n, d = 8, 2
p = {c: (counts.get(c, 0) + d * q) / (n + d) for c, q in shorter.items()}
print({c: round(value, 2) for c, value in p.items()})
assert abs(p["e"] - 0.68) < 1e-9 and abs(p["r"] - 0.02) < 1e-9 and abs(sum(p.values()) - 1) < 1e-9

# %% [markdown]
# ## 4. A state thrown away
#
# With w = 1 the network knows the last character alone, like counting behind one character, and
# cannot be better than that by much. Each more character helps less; with w = 40 only the first few
# of a window miss something.

# %%
text = Text(random_text(8_000, Generator(26), words=60))
tinydl.seed(0)
model = LSTMGenerator(text.tokens, hidden_size=48, num_layers=1, dropout=0.0)
optimizer = Adam(model.parameters(), lr=0.02)
for _ in range(4):
    state = None
    for x, y in stateful_batches(text.train, 16, 40):
        logits, state = model.run(Tensor(x), nn.detached(state))
        loss = nn.cross_entropy(logits, Tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
bits = {}
for w in (1, 5, 40):
    count = (len(text.test) - 1) // 40 * 40
    x, y = (text.test[k : k + count].reshape(-1, w) for k in (0, 1))
    with no_grad():  # every row begins without a state
        loss = nn.cross_entropy(model.run(Tensor(x), None)[0], Tensor(y)).item()
    bits[w] = loss / math.log(2)
print({w: round(b, 2) for w, b in bits.items()})
assert bits[1] > bits[5] > bits[40]

# %% [markdown]
# ## 5. What is left
#
# Top-k 2 leaves 0.5 and 0.2, divided by their sum 0.7: 0.71 and 0.29. Top-p 0.8 needs three, 0.5 +
# 0.2 + 0.15 = 0.85: 0.59, 0.24, 0.18. Of the second, top-k 2 still leaves two, top-p 0.8 one: the
# network is sure.

# %%
unsure, sure = np.log([0.5, 0.2, 0.15, 0.1, 0.05]), np.log([0.9, 0.06, 0.02, 0.01, 0.01])
for logits in (unsure, sure):
    k, nucleus = next_probabilities(logits, top_k=2), next_probabilities(logits, top_p=0.8)
    print("top-k 2:", np.round(k, 2), " top-p 0.8:", np.round(nucleus, 2))
assert (next_probabilities(unsure, top_p=0.8) > 0).sum() == 3
assert (next_probabilities(sure, top_p=0.8) > 0).sum() == 1
assert (next_probabilities(sure, top_k=2) > 0).sum() == 2
