# %% [markdown]
# # 23. Variational autoencoders: a code that can be drawn from
#
# An autoencoder learns codes, and nobody knows which codes are good ones: decode a random vector,
# and noise comes out. A variational autoencoder (Kingma and Welling 2014) is trained so that codes
# of all pictures together fill a known cloud, N(0, 1) in every direction. Draw from the cloud, and
# decode. The price is a bound in place of a likelihood; this page measures how far below it lies.

# %%
from __future__ import annotations

from itertools import pairwise

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import Batches, factor_pictures, synthetic_digits
from tinydl.metrics import mutual_information_gap
from tinydl.models import CVAE, VAE
from tinydl.nn import bce_with_logits, kl_gaussian
from tinydl.optim import Adam

SIDE = 12
digits = synthetic_digits(600 if FAST else 3_000, Generator(23), size=SIDE)
bits = (digits.x[..., None] > 0.5).astype(np.float32)

# %% [markdown]
# ## What is known of the code: a cloud, not a point
#
# The encoder gives a mean m and a log-variance s for every number of the code: q(z|x). The
# divergence from the prior has a closed form, sum (m^2 + e^s - s - 1) / 2. Against its definition,
# the mean of log q(z) - log p(z) over draws from q:

# %%
rng = Generator(0)
m, s = rng.normal((1, 3), dtype=np.float64), rng.normal((1, 3), dtype=np.float64)
z = m + np.exp(s / 2) * rng.normal((200_000, 3), dtype=np.float64)
drawn = 0.5 * (z**2 - (z - m) ** 2 / np.exp(s) - s).sum(axis=1)
closed = kl_gaussian(Tensor(m), Tensor(s), reduction="sum").item()
error = drawn.std() / np.sqrt(len(drawn))
print(f"KL(q || p): closed form {closed:.4f}, drawn {drawn.mean():.4f} +- {error:.4f} nats")
assert abs(closed - drawn.mean()) < 4 * error

# %% [markdown]
# ## The bound
#
# log p(x) >= E_q log p(x|z) - KL(q(z|x) || p(z)). The first term asks that pictures come back, the
# second that their clouds stay near the prior's. The draw z = m + e^(s/2) noise leaves a way for
# the gradient: noise is drawn, m and s are only scaled and added.
#
# How loose is it? With one number in the code the integral p(x) = int p(x|z) N(z) dz can be summed
# on a grid, so we can look. Training first; both terms are kept apart.


# %%
def train(model, x, labels=None, epochs=10, lr=0.003, seed=0):
    """[(-log p(x|z), KL) of each epoch]; the model is trained."""
    optimizer, noise = Adam(model.named_parameters(), lr), Generator(seed)
    arrays = (x, np.zeros(len(x), np.int64) if labels is None else labels)
    course = []
    for _ in range(epochs):
        sums = np.zeros(2)
        for batch, kind in Batches(arrays, 50, rng=noise):
            given = (Tensor(batch),) if labels is None else (Tensor(batch), Tensor(kind))
            missed, divergence = model.terms(*given, rng=noise)
            optimizer.zero_grad()
            ops.mean(missed + divergence * model.beta).backward()
            optimizer.step()
            sums += missed.sum().item(), divergence.sum().item()
        course.append(sums / len(x))
    return np.array(course)


tinydl.seed(1)
line = VAE((SIDE, SIDE, 1), hidden=(64,), latent=1, activation="relu")
train(line, bits, epochs=6 if FAST else 30)
seen = Tensor(bits[:60])
with no_grad():
    grid = np.linspace(-8, 8, 2001)
    logits = line.decode(Tensor(grid[:, None].astype(np.float32)))
    exact = []
    for picture in bits[:60]:
        same = ops.broadcast_to(Tensor(picture[None]), logits.shape)
        missed = bce_with_logits(logits, same, reduction="none").numpy().sum(axis=(1, 2, 3))
        inside = -missed - grid**2 / 2 - 0.5 * np.log(2 * np.pi)
        top = inside.max()
        exact.append(top + np.log(np.exp(inside - top).sum() * (grid[1] - grid[0])))
    DRAWS = (1, 2, 5, 10, 20, 50)
    bounds = [
        np.mean([line.bound(seen, samples=k, rng=Generator(r)).mean().item() for r in range(20)])
        for k in DRAWS
    ]
exact = float(np.mean(exact))
print("draws  " + "".join(f"{k:>9}" for k in DRAWS) + "    exact")
print("bound  " + "".join(f"{b:>9.3f}" for b in bounds) + f"{exact:>9.3f}   nats per picture")
assert all(b < a for b, a in pairwise(bounds)) and bounds[-1] < exact + 0.01

figure, ax = plt.subplots(figsize=(5.6, 3.2))
ax.semilogx(DRAWS, bounds, "o-", color=BLUE, label="bound of K draws")
ax.axhline(exact, color=ORANGE, label="log p(x), summed on a grid")
ax.set_xlabel("K")
ax.set_ylabel("nats per picture")
ax.legend(loc="lower right")
drawing.save(figure, "23_bound.png")

# %% [markdown]
# One draw gives the ELBO; averaging K draws inside the logarithm (Burda et al. 2016) closes the gap
# from below. The K draws cost K decodings, and the bound says nothing about single pictures that it
# did not say for K = 1: it is a better ruler, not a better model.
#
# ## A plane of digits
#
# Two numbers in the code: every code is a place on a plane, and the plane can be drawn.

# %%
tinydl.seed(2)
plane = VAE((SIDE, SIDE, 1), hidden=(96,), latent=2, activation="relu")
course = train(plane, bits, epochs=30 if FAST else 80, lr=0.005)
assert course[-1].sum() < course[0].sum()
with no_grad():
    means = plane.encode(Tensor(bits))[0].numpy()


def decoded(model, codes, *given):
    """Codes (N, latent) as pictures (N, H, W)."""
    with no_grad():
        return ops.sigmoid(model.decode(Tensor(codes.astype(np.float32)), *given)).numpy()[..., 0]


STEPS = 13
along = np.linspace(-2, 2, STEPS)
codes = np.stack(np.meshgrid(along, -along), axis=-1).reshape(-1, 2)
map_of_digits = decoded(plane, codes).reshape(STEPS, STEPS, SIDE, SIDE)
map_of_digits = map_of_digits.swapaxes(1, 2).reshape(STEPS * SIDE, STEPS * SIDE)
figure, axes = plt.subplots(1, 3, figsize=(13, 4))
axes[0].plot(course[:, 0], color=BLUE, label="-log p(x|z)")
axes[0].plot(course[:, 1], color=ORANGE, label="KL(q || p)")
axes[0].set_xlabel("epoch")
axes[0].set_ylabel("nats per picture")
axes[0].legend()
drawing.blank(axes[1], "codes from -2 to 2, decoded").imshow(map_of_digits, cmap="gray")
for kind in range(10):
    places = means[digits.y == kind]
    axes[2].scatter(*places.T, s=5, color=plt.get_cmap("tab10")(kind), label=str(kind))
axes[2].legend(markerscale=2, ncol=2, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
axes[2].set_title("where pictures lie")
drawing.save(figure, "23_plane.png")

# %% [markdown]
# The divergence rises while the misses fall: nats of code are bought for nats of picture, one for
# more than one. Where it stays at 0 the code is not used at all.
#
# ## Between two pictures
#
# A straight line between two codes goes through pictures; a straight line between the pictures
# themselves goes through double exposures.

# %%
first, last = (int(np.flatnonzero(digits.y == k)[0]) for k in (1, 8))
steps = np.linspace(0, 1, 9)[:, None]
between = decoded(plane, (1 - steps) * means[first] + steps * means[last])
mixed = (1 - steps[..., None]) * bits[first, ..., 0] + steps[..., None] * bits[last, ..., 0]
figure, axes = plt.subplots(2, 9, figsize=(9, 2.3))
for row, pictures in zip(axes, (between, mixed), strict=True):
    for ax, picture in zip(row, pictures, strict=True):
        drawing.blank(ax).imshow(picture, cmap="gray", vmin=0, vmax=1)
axes[0, 4].set_title("a line between two codes; below, between two pictures", fontsize=9)
drawing.save(figure, "23_between.png")

# %% [markdown]
# ## Telling it the class
#
# A conditional one gets the label beside x and beside z. What is left for z is what the label does
# not say: place, slant, noise. One column a class, one code a row:

# %%
tinydl.seed(3)
told = CVAE((SIDE, SIDE, 1), hidden=(96,), latent=4, activation="relu")
train(told, bits, digits.y, epochs=40 if FAST else 60, lr=0.01)
codes = np.repeat(Generator(4).normal((3, 4)), 10, axis=0)
asked = decoded(told, codes, Tensor(np.tile(np.arange(10), 3)))
centres = np.stack([bits[digits.y == k].mean(axis=0)[..., 0] for k in range(10)])
nearest = ((asked[:, None] - centres) ** 2).sum(axis=(2, 3)).argmin(axis=1)
right = (nearest == np.tile(np.arange(10), 3)).mean()
print(f"nearest class mean of what was drawn: {100 * right:.0f} % are the class asked for")
assert right >= 0.8
figure, axes = plt.subplots(3, 10, figsize=(9, 2.9))
for ax, picture in zip(axes.ravel(), asked, strict=True):
    drawing.blank(ax).imshow(picture, cmap="gray", vmin=0, vmax=1)
drawing.save(figure, "23_asked.png")

# %% [markdown]
# ## Numbers that mean one thing each
#
# beta-VAE (Higgins et al. 2017) weighs the divergence with beta > 1. Codes that say the same with
# fewer nats win, and codes whose numbers do not repeat one another need fewer. Whether it helps is
# a number too: the mutual information gap (Chen et al. 2018), on pictures whose factors are known
# (column, row, size, shape). Principal components, which nobody had to train, stand beside it.

# %%
known = factor_pictures(16, 5 if FAST else 7)
rows = known.x.reshape(len(known.x), -1).astype(np.float64)
rows -= rows.mean(axis=0)
components = rows @ np.linalg.eigh(np.cov(rows.T))[1][:, -6:]
print(f"principal components: gap {mutual_information_gap(components, known.factors):.3f}")
BETAS, models = (1.0, 4.0, 8.0), {}
for beta in BETAS:
    tinydl.seed(0)
    models[beta] = VAE((16, 16, 1), hidden=(256,), latent=6, beta=beta, activation="relu")
    course = train(models[beta], known.x, epochs=30 if FAST else 200, lr=0.001)
    with no_grad():
        means = models[beta].encode(Tensor(known.x))[0].numpy()
    gap = mutual_information_gap(means, known.factors)
    print(
        f"beta {beta:g}: gap {gap:.3f}, missed {course[-1, 0]:.1f} nats, divergence "
        f"{course[-1, 1]:.2f} nats"
    )
    models[beta].spread = means.std(axis=0)
assert models[8.0].spread.sum() < models[1.0].spread.sum()

figure, axes = plt.subplots(1, 2, figsize=(9, 4.4))
for ax, beta in zip(axes, (1.0, 8.0), strict=True):
    model = models[beta]
    order = np.argsort(-model.spread)
    walks = np.zeros((6, 7, 6))
    for row, d in enumerate(order):
        walks[row, :, d] = np.linspace(-2, 2, 7)
    pictures = decoded(model, walks.reshape(-1, 6)).reshape(6, 7, 16, 16)
    page = np.pad(pictures, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0.5)
    drawing.blank(ax, f"beta = {beta:g}: a number of the code a row, -2 to 2").imshow(
        page.swapaxes(1, 2).reshape(6 * 17, 7 * 17), cmap="gray", vmin=0, vmax=1
    )
drawing.save(figure, "23_traversals.png")

figure, ax = plt.subplots(figsize=(5.6, 3))
for beta, colour in zip(BETAS, (BLUE, GREEN, ORANGE), strict=True):
    ax.plot(np.sort(models[beta].spread)[::-1], "o-", color=colour, label=f"beta = {beta:g}")
ax.axhline(1, color=MUTED, linewidth=1)
ax.set_xlabel("number of the code, the most used first")
ax.set_ylabel("deviation of its mean over pictures")
ax.legend()
drawing.save(figure, "23_used.png")

# %% [markdown]
# The larger beta, the fewer numbers are in use (a mean that never moves says nothing), and the
# blurrier the pictures. That numbers then coincide with *our* factors is luck with the data:
# without labels no method can know which axes we mean (Locatello et al. 2019).
#
# ## On real digits
#
# `tinydl train vae-mnist` trains 500 units and 20 numbers on MNIST, `tinydl reproduce vae-mnist`
# prints its bound beside that of independent pixels; `cvae-mnist`, `beta-vae` and `vae-plane` are
# the other three of this page. `tinydl sample RUN --out page.png` draws from any of them.
#
# ## What to take along
#
# - The bound has two terms; look at both. A divergence of 0 is a code that is not used.
# - Bounds compare only on the same bits: a threshold and drawn bits differ by more than 10 nats.
# - A decoder that says "every pixel by itself" draws means: sharp where it is sure, grey where not.
