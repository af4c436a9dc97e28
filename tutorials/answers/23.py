# %% [markdown]
# # Answers to page 23: variational autoencoders

# %%
from __future__ import annotations

import math

import numpy as np

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import synthetic_digits
from tinydl.models import VAE
from tinydl.nn import kl_gaussian
from tinydl.optim import Adam

# %% [markdown]
# ## 1. By hand
#
# (1 + 1 - 0 - 1) / 2 = 0.5. With the variance 1/4, s = ln 1/4 = -1.386: (0 + 0.25 + 1.386 - 1) / 2
# = 0.318.

# %%
moved = kl_gaussian(Tensor([[1.0]]), Tensor([[0.0]]), reduction="sum").item()
narrow = kl_gaussian(Tensor([[0.0]]), Tensor([[math.log(0.25)]]), reduction="sum").item()
print(f"{moved:.3f}, {narrow:.3f} nats")
assert abs(moved - 0.5) < 1e-6 and abs(narrow - 0.318) < 0.001

# %% [markdown]
# ## 2. The smallest
#
# The slope by m is m: zero at m = 0. The slope by s is (e^s - 1) / 2: zero at s = 0, and the second
# derivative e^s / 2 is positive. There the value is 0. Since m^2 >= 0 and e^s >= 1 + s (a curve
# lies above its tangent at 0), nothing is below it.

# %%
m, s = (a.ravel() for a in np.meshgrid(np.linspace(-3, 3, 61), np.linspace(-4, 4, 81)))
value = (m**2 + np.exp(s) - s - 1) / 2
assert value.min() > -1e-12 and abs(m[value.argmin()]) < 1e-9 and abs(s[value.argmin()]) < 1e-9

# %% [markdown]
# ## 3. Without the divergence
#
# Nothing holds the codes near 0, and wide codes are safer against the noise of the draw, so they
# spread: their standard deviation is several times 1. Random codes from N(0, 1) then all come from
# the middle, where few images are.

# %%
digits = synthetic_digits(300, Generator(0), size=8)
bits = (digits.x[..., None] > 0.5).astype(np.float32)
spread = {}
for beta in (0.0, 1.0):
    tinydl.seed(0)
    model = VAE((8, 8, 1), hidden=(32,), latent=2, beta=beta, activation="relu")
    optimizer, rng = Adam(model.named_parameters(), 0.01), Generator(1)
    for _ in range(150):
        missed, divergence = model.terms(Tensor(bits), rng=rng)
        optimizer.zero_grad()
        ops.mean(missed + divergence * beta).backward()
        optimizer.step()
    with no_grad():
        spread[beta] = float(model.encode(Tensor(bits))[0].numpy().std())
    print(f"beta {beta:g}: codes spread by {spread[beta]:.1f}")
assert spread[0.0] > 2 * spread[1.0]

# %% [markdown]
# ## 4. The gap
#
# ln p(x) - bound = mean over q of ln p(x) - ln p(x|z) - ln p(z) + ln q(z|x). By Bayes' rule p(z|x)
# = p(x|z) p(z) / p(x), so this is the mean over q of ln q(z|x) - ln p(z|x), a divergence: never
# negative, and 0 only if q is p(z|x). So a better encoder alone tightens the bound.

# %%
prior, likely, q = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.4, 0.7]), np.array([0.1, 0.3, 0.6])
evidence = (prior * likely).sum()
bound = (q * (np.log(likely) + np.log(prior) - np.log(q))).sum()
posterior = prior * likely / evidence
gap = (q * np.log(q / posterior)).sum()
print(f"log p(x) {math.log(evidence):.4f}, bound {bound:.4f}, divergence {gap:.4f}")
assert abs(math.log(evidence) - bound - gap) < 1e-12

# %% [markdown]
# ## 5. Grey
#
# Each pixel is white in half of the cases, so the best p is 1/2 at every pixel: grey, and ln 2 nats
# for each of n pixels. A code of one bit says which of the two it is: then every pixel is certain
# and costs nothing, and the bit costs ln 2 once. It gains (n - 1) ln 2.

# %%
p = np.linspace(0.01, 0.99, 99)
loss = -(0.5 * np.log(p) + 0.5 * np.log(1 - p))
assert abs(p[loss.argmin()] - 0.5) < 1e-9 and abs(loss.min() - math.log(2)) < 1e-12
print(f"64 pixels: {64 * math.log(2):.1f} nats without a code, {math.log(2):.2f} with one bit")
