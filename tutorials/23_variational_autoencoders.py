# %% [markdown]
# # 23. Variational autoencoders: a code that can be drawn from
#
# **You need**: an *autoencoder* and its *code* (page 22), a *cross-entropy* and a *logit* (page
# 40), a *sigmoid* (page 1), *Adam* (page 11).
#
# **You will be able to** compute how far a cloud of codes is from the cloud that you will draw
# from; write down the two terms of the bound and say what each asks for; say from the two curves
# whether a code is used at all; and draw images, with and without asking for a class.
#
# An autoencoder learns codes, and nobody knows which codes are good ones: decode a random vector,
# and noise comes out, because nothing in the loss said where codes should lie. A *variational
# autoencoder* (Kingma and Welling 2014) is trained so that the codes of all images together fill a
# known cloud, N(0, 1) in every direction, called the *prior*. Draw from the cloud, and decode. The
# price: the probability of an image can no longer be computed, only bounded from below. This page
# measures how far below the bound lies.

# %%
from __future__ import annotations

from itertools import pairwise

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import note

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
# The encoder answers with two numbers for every number of the code, a mean m and the logarithm s of
# a variance. Together they are a cloud q(z|x): the codes that image x might have.
#
# How far is that cloud from the prior p? The *divergence* of Kullback and Leibler takes points from
# q and asks how much more probable q finds them than p does:
#
#     KL(q || p) = mean over z drawn from q of  ln q(z) - ln p(z)
#
# It is 0 if the two are the same, and positive otherwise. Its unit is the nat: logarithms to the
# base e. For two normal clouds the mean can be done on paper, and sum (m^2 + e^s - s - 1) / 2 is
# left. Read it: m^2 is what it costs to move away from 0, e^s - s - 1 what it costs to be wider or
# narrower than 1.
#
# **Before you run**: one number of the code has m = 0 and the variance 1 for every image. What does
# it cost, and what does it tell the decoder? And what does m = 2 with the variance 1 cost?
#
# Here is the closed form beside its definition, over 200,000 draws:

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
# (m = 0 with variance 1 costs nothing, and says nothing: the cloud is the same for every image. m =
# 2 costs 2 nats.)
#
# ## The bound
#
# We want images to be probable: ln p(x) large, where p(x) is the mean of p(x|z) over codes z drawn
# from the prior. That mean cannot be computed: nearly every z decodes into some other image, so
# nearly every draw counts for nothing. So draw where it matters, from q, and correct each draw by
# p(z) / q(z|x):
#
#     p(x) = mean over z from q of  p(x|z) p(z) / q(z|x)
#
# The logarithm of a mean is at least the mean of the logarithms (its curve lies above its chords).
# So
#
#     ln p(x)  >=  mean over q of ln p(x|z)   -   KL(q(z|x) || p(z))
#
# The right side is the *ELBO*, the evidence lower bound. The first term asks that the image comes
# back from its code; for pixels that are 0 or 1 it is a cross-entropy of two classes at every
# pixel. The second asks that its cloud stays near the prior's.
#
# The encoder is trained too, so the gradient must find its way through a draw. It does if the draw
# is written z = m + e^(s/2) noise: the noise is drawn, and m and s are only added and multiplied.
#
# How loose is the bound? With one number in the code the mean p(x) = int p(x|z) N(z) dz can be
# summed on a grid, so we can look. Training first; both terms are kept apart.
#
# **Before you run**: K draws from q may be averaged *inside* the logarithm. Will the bound rise or
# fall with K, and where must it end?


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
print("bound  " + "".join(f"{b:>9.3f}" for b in bounds) + f"{exact:>9.3f}   nats per image")
if not FAST:
    note("bound of 1 draw", bounds[0])
    note("bound of 50 draws", bounds[-1])
    note("log p on a grid", exact)
assert all(b < a for b, a in pairwise(bounds)) and bounds[-1] < exact + 0.01

figure, ax = plt.subplots(figsize=(5.6, 3.2))
ax.semilogx(DRAWS, bounds, "o-", color=BLUE, label="bound of K draws")
ax.axhline(exact, color=ORANGE, label="log p(x), summed on a grid")
ax.set_xlabel("K")
ax.set_ylabel("nats per image")
ax.legend(loc="lower right")
drawing.save(
    figure,
    "23_bound.png",
    alt="The bound in nats per image against the number of draws K from 1 to 50: it rises and "
    "stays below a line, the probability summed on a grid.",
)

# %% [markdown]
# ![The bound of K draws](../docs/figures/23_bound.png)
#
# One draw gives the ELBO, at full length -46.96 (recorded: bound of 1 draw) where the truth is
# -46.78 (recorded: log p on a grid); averaging K draws inside the logarithm (Burda et al. 2016)
# closes the gap from below: the larger the mean that is taken before the logarithm, the less is
# lost by it. K draws cost K decodings, and say nothing about single images that one draw did not
# say: they are a better ruler, not a better model.
#
# ## A plane of digits
#
# Two numbers in the code: every code is a place on a plane, and the plane can be drawn.
#
# **Before you run**: the divergence is 0 when the code says nothing. How will it move during
# training, and what must it buy to be allowed to?

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
axes[0].set_ylabel("nats per image")
axes[0].legend()
drawing.blank(axes[1], "codes from -2 to 2, decoded").imshow(map_of_digits, cmap="gray")
for kind in range(10):
    places = means[digits.y == kind]
    axes[2].scatter(*places.T, s=5, color=plt.get_cmap("tab10")(kind), label=str(kind))
axes[2].legend(markerscale=2, ncol=2, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
axes[2].set_title("where pictures lie")
drawing.save(
    figure,
    "23_plane.png",
    alt="Left: by epoch, -log p(x|z) falls while the divergence rises. Middle: images decoded "
    "from a grid of codes, digits that change into one another. Right: where digits lie "
    "on the plane, one colour a class.",
)

# %% [markdown]
# ![Two terms, and a plane of digits](../docs/figures/23_plane.png)
#
# The divergence rises while the misses fall: nats of code are bought for nats of image, one for
# more than one, else the sum would not fall. A divergence that stays at 0 means that the code is
# not used at all, however good the sum looks.
#
# ## Between two images
#
# A straight line between two codes goes through images, because the clouds of the training images
# overlap and leave no holes. A straight line between the images themselves goes through double
# exposures.

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
drawing.save(
    figure,
    "23_between.png",
    alt="Two rows of nine images from a one to an eight: above, decoded from codes on a line; "
    "below, one image fading into the other.",
)

# %% [markdown]
# ![Between two codes, between two images](../docs/figures/23_between.png)
#
# ## Telling it the class
#
# A conditional one gets the label beside x and beside z.
#
# **Before you run**: if the decoder knows the class, what is left for z to say? Below, one column
# is a class and one row a code. What will images of one row share?

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
if not FAST:
    note("drawn as asked", right)
assert right >= 0.8
figure, axes = plt.subplots(3, 10, figsize=(9, 2.9))
for ax, picture in zip(axes.ravel(), asked, strict=True):
    drawing.blank(ax).imshow(picture, cmap="gray", vmin=0, vmax=1)
drawing.save(
    figure,
    "23_asked.png",
    alt="Three rows of the ten digits, each row decoded from one code with ten labels.",
)

# %% [markdown]
# ![Ten classes, three codes](../docs/figures/23_asked.png)
#
# What the label does not say: place, slant, weight of the strokes, noise. Images of a row share
# those.
#
# ## Numbers that mean one thing each
#
# beta-VAE (Higgins et al. 2017) multiplies the divergence with beta > 1. Codes that say the same
# with fewer nats win, and codes whose numbers do not repeat one another need fewer. So each number
# might come to stand for one thing that varies in the images. Whether it does is a number too, on
# images whose factors are known (column, row, size, shape): for each factor, take how much the best
# number of the code tells of it, less how much the second best tells, as a share of all that there
# is to tell (Chen et al. 2018; page 31 says what "to tell" means in nats). 1 is one number for each
# factor, 0 is every factor spread over several. Principal components, which nobody had to train,
# stand beside it.
#
# **Before you run**: will a larger beta keep more numbers of the code in use, or fewer?

# %%
known = factor_pictures(16, 5 if FAST else 7)
rows = known.x.reshape(len(known.x), -1).astype(np.float64)
rows -= rows.mean(axis=0)
components = rows @ np.linalg.eigh(np.cov(rows.T))[1][:, -6:]
plain = mutual_information_gap(components, known.factors)
print(f"principal components: gap {plain:.3f}")
if not FAST:
    note("gap of principal components", plain)
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
    if not FAST:
        note(f"gap with beta {beta:g}", gap)
        note(f"divergence with beta {beta:g}", course[-1, 1])
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
drawing.save(
    figure,
    "23_traversals.png",
    alt="For beta 1 and beta 8, six rows of seven images: each row changes one number of the "
    "code from -2 to 2. With beta 8 most rows do not change.",
)

figure, ax = plt.subplots(figsize=(5.6, 3))
for beta, colour in zip(BETAS, (BLUE, GREEN, ORANGE), strict=True):
    ax.plot(np.sort(models[beta].spread)[::-1], "o-", color=colour, label=f"beta = {beta:g}")
ax.axhline(1, color=MUTED, linewidth=1)
ax.set_xlabel("number of the code, the most used first")
ax.set_ylabel("deviation of its mean over pictures")
ax.legend()
drawing.save(
    figure,
    "23_used.png",
    alt="How much the mean of each of six numbers of the code varies over images, for beta 1, "
    "4 and 8: the larger beta, the fewer vary.",
)

# %% [markdown]
# ![One number of the code a row](../docs/figures/23_traversals.png)
#
# ![Which numbers are used](../docs/figures/23_used.png)
#
# The larger beta, the fewer numbers are in use (a mean that never moves says nothing), and the
# blurrier the images. Here the gap grows with it, from 0.03 (recorded: gap with beta 1) to 0.18
# (recorded: gap with beta 8); but principal components have 0.19 (recorded: gap of principal
# components). That numbers coincide with *our* factors is luck with the data: without labels no
# method can know which axes we mean (Locatello et al. 2019).
#
# ## Exercises
#
# Answers are in `tutorials/answers/23.py`. Try first.
#
# 1. By hand: the divergence of a cloud with mean 1 and variance 1 from N(0, 1), and of one with
#    mean 0 and variance 1/4.
# 2. Derive: which m and s make (m^2 + e^s - s - 1) / 2 smallest? Show that it is never negative.
# 3. Predict, then try: an autoencoder without the divergence (beta = 0) is asked for the images of
#    random codes from N(0, 1). Where will its own codes lie, measured by their spread?
# 4. Show that the gap between ln p(x) and the bound is itself a divergence, that of q(z|x) from
#    p(z|x), on a code of one number that takes three values.
# 5. Why does a decoder that says each pixel by itself draw grey? Take an image that is, by even
#    chance, all black or all white, and a decoder without a code: which answer has the smallest
#    loss, and what would a code of one bit gain?
#
# ## What to take along
#
# - A cloud in place of a point, and a price for being away from the prior: so codes can be drawn.
# - The bound has two terms; look at both. A divergence of 0 is a code that is not used.
# - Bounds compare only on the same bits: a threshold and drawn bits differ by more than 10 nats.
# - A decoder that says every pixel by itself draws means: sharp where it is sure, grey where not.
#
# `tinydl train vae-mnist` trains 500 units and 20 numbers on MNIST, `tinydl reproduce vae-mnist`
# prints its bound beside that of independent pixels; `cvae-mnist`, `beta-vae` and `vae-plane` are
# the other three of this page. `tinydl sample RUN --out page.png` draws from any of them. Go on
# with page 24: sharp images, and no probability at all.
