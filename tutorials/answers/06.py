# %% [markdown]
# # Answers to page 6: the MNIST ladder

# %%
from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from tinydl import Generator, Tensor, nn, no_grad
from tinydl.data import synthetic_digits
from tinydl.optim import SGD, Adam

# %% [markdown]
# ## 1. Counting
#
# V1: 784 * 10 weights and 10 biases, 7,850. V2: 784 * 128 + 128, then 128 * 128 + 128, then
# 128 * 10 + 10: 118,282.

# %%
sizes = (784, 128, 128, 10)
v2 = sum(a * b + b for a, b in pairwise(sizes))
assert 784 * 10 + 10 == 7850 and v2 == 118_282

# %% [markdown]
# ## 2. Fifteen samples
#
# The standard error of each is sqrt(0.98 * 0.02 / 10,000) = 0.14 points, and that of the difference
# about 0.2 (less if both err on the same samples). A difference of 0.15 says nothing. Several seeds
# of both would.

# %%
error = 100 * math.sqrt(0.979 * 0.021 / 10_000)
print(f"standard error {error:.2f} points, of a difference at most {error * math.sqrt(2):.2f}")
assert 2 * error * math.sqrt(2) > 97.95 - 97.80

# %% [markdown]
# ## 3. A larger rate
#
# Twenty epochs at 0.01 are too few: the loss still falls. A tenfold rate goes about as far as ten
# times the epochs do, as long as it is below the border (page 7). Here on small digits:

# %%
digits = synthetic_digits(1200, Generator(0), size=8)
pixels = digits.x.reshape(-1, 64)


def trained(rate: float, dropout: float = 0.0, optimizer=SGD, epochs: int = 12) -> tuple:
    """(running training accuracy of the last epoch, test accuracy)."""
    rng, order = Generator(1), np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Dropout(dropout, rng=rng),
        nn.Linear(32, 32, rng=rng), nn.ReLU(), nn.Dropout(dropout, rng=rng),
        nn.Linear(32, 10, rng=rng),
    )  # fmt: skip
    rule = optimizer(model.parameters(), rate)
    for _ in range(epochs):
        right = 0
        for batch in order.permutation(1000).reshape(-1, 25):
            logits = model(Tensor(pixels[batch]))
            rule.zero_grad()
            nn.cross_entropy(logits, Tensor(digits.y[batch])).backward()
            rule.step()
            right += int((logits.numpy().argmax(axis=1) == digits.y[batch]).sum())
    model.eval()
    with no_grad():
        answers = model(Tensor(pixels[1000:])).numpy().argmax(axis=1)
    return right / 1000, float((answers == digits.y[1000:]).mean())


slow, fast = trained(0.01)[1], trained(0.1)[1]
print(f"12 epochs: rate 0.01 {slow:.1%}, rate 0.1 {fast:.1%}")
assert fast > slow + 0.1

# %% [markdown]
# ## 4. Seven of ten dropped
#
# Ten hidden units are left at each look, so the running accuracy is poor; the finished network has
# all of them and is far better. "Training below test, so train longer" would be a wrong guess.

# %%
running, test = trained(0.01, dropout=0.7, optimizer=Adam, epochs=30)
print(f"dropout 0.7: running training accuracy {running:.1%}, test {test:.1%}")
assert test > running + 0.2

# %% [markdown]
# ## 5. Choosing on the test set
#
# The best of 28 is partly the luckiest of 28 (the coins of page 40), so its accuracy on the samples
# that chose it is too good. Choose on validation samples, and look at the test set once.

# %%
luck = np.random.default_rng(0).normal(0.98, 0.0014, (1000, 28)).max(axis=1).mean()
print(f"28 equally good networks of 98.0 %: the best of them seems to have {luck:.2%}")
assert luck > 0.982
