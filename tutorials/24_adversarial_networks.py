# %% [markdown]
# # 24. Adversarial networks: why each step from GAN to WGAN-GP
#
# **You need**: a *sigmoid* (page 1), a *cross-entropy* and a *logit* (page 40), *Adam* and
# *RMSprop* (page 11), a *convolution* (page 5), a *divergence* (page 23).
#
# **You will be able to** say what the best critic answers, and why a perfect one teaches nothing;
# compute how far apart two heaps of samples are by two measures; explain what each loss from GAN to
# WGAN-GP repairs; and judge a generator by numbers that have a scale.
#
# Two networks (Goodfellow et al. 2014). The *critic* is shown samples and says which are real, like
# a classifier of two classes. The *generator* makes samples of noise and is told, by the critic's
# gradient, what would have looked more real. Nobody writes down a probability: that is the
# difference from page 23, and the reason why samples can be sharp. It is also why nothing tells you
# whether training goes well. What can go wrong is known by now, and each later loss answers one
# thing that went wrong. This page goes from one to the next on problems so small that the right
# answer is known.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, VIOLET, plt
from recorded import figures, note, quote

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import ring_modes, synthetic_digits
from tinydl.metrics import frechet_distance, pair_distance
from tinydl.models import DCGAN, MLP
from tinydl.models.adversarial.predictability import PredictabilityMinimisation
from tinydl.models.adversarial.wgan import Clipped, Penalised
from tinydl.nn import Module
from tinydl.optim import Adam, RMSprop
from tinydl.recipes import find
from tinydl.runs.run import begin

# %% [markdown]
# ## The critic at its best
#
# Write D(x) for the probability that the critic gives to "x is real", and G(z) for the sample that
# the generator makes of noise z. The critic minimises a cross-entropy, -ln D(x) for real samples
# and -ln(1 - D(G(z))) for generated ones.
#
# What is the best that it can say? Where real samples have the density p and generated ones q, its
# loss is -p ln D - q ln(1 - D). The slope by D, -p / D + q / (1 - D), is 0 at
#
#     D = p / (p + q)
#
# So the best critic knows the ratio of the two densities, everywhere. Put this D back into the
# loss: 2 ln 2 - 2 JS(p, q) is left, where JS, the Jensen-Shannon divergence, is the mean of two
# divergences, of p and of q from their middle (p + q) / 2. It is 0 if p = q and at most ln 2, if no
# sample could be of both. So a critic at its best *measures* how different the two heaps are, and
# the generator works to make that small.
#
# **Before you run**: what does the best critic say where p = 0.2 and q = 0.2? And where p = 0 and q
# = 0.25? Here is a critic with one number for each of six cells, trained:

# %%
p = np.array([0.30, 0.25, 0.20, 0.15, 0.10, 0.0])
q = np.array([0.05, 0.05, 0.20, 0.25, 0.20, 0.25])
cells = Tensor(np.zeros(6), requires_grad=True)
optimizer = Adam([cells], lr=0.05)
for _ in range(300 if FAST else 1500):
    loss = (Tensor(p) * ops.softplus(-cells) + Tensor(q) * ops.softplus(cells)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
found, best = ops.sigmoid(cells).numpy(), p / (p + q)
middle = (p + q) / 2
js = 0.5 * sum((a[a > 0] * np.log(a[a > 0] / middle[a > 0])).sum() for a in (p, q))
print(f"D trained   {np.round(found, 3)}")
print(f"p / (p + q) {np.round(best, 3)}")
print(f"2 log 2 - loss = {2 * np.log(2) - loss.item():.4f}, 2 JS = {2 * js:.4f}")
assert abs(found - best).max() < 0.03 and abs(2 * np.log(2) - loss.item() - 2 * js) < 0.02

# %% [markdown]
# ## First step: do not minimise what is flat
#
# The generator could minimise ln(1 - D(G(z))), as the formula of the game says.
#
# **Before you run**: at the beginning the critic is sure, D(G(z)) is near 0. With D the sigmoid of
# a logit, how steep is ln(1 - D) there, by the logit? And -ln D?

# %%
outputs = np.linspace(-8, 8, 161)
likely = 1 / (1 + np.exp(-outputs))
figure, ax = plt.subplots(figsize=(5.8, 3.2))
ax.plot(outputs, likely, color=ORANGE, label="of log(1 - D): D")
ax.plot(outputs, 1 - likely, color=BLUE, label="of -log D: 1 - D")
ax.axvspan(-8, -3, color=drawing.PAPER)
ax.text(-7.8, 0.5, "the critic\nis sure", color=MUTED)
ax.set_xlabel("critic's logit for a generated sample")
ax.set_ylabel("size of the slope")
ax.legend(loc="center right")
drawing.save(
    figure,
    "24_slopes.png",
    alt="Size of two slopes against the critic's logit for a generated sample: that of log(1 "
    "- D) goes to 0 where the critic is sure, that of -log D to 1.",
)
assert likely[outputs < -4].max() < 0.02 < 0.98 < (1 - likely[outputs < -4]).min()

# %% [markdown]
# ![Where the two losses are steep](../docs/figures/24_slopes.png)
#
# By the logit, the slope of ln(1 - D) is -D: flat exactly where the generator loses. That of -ln D
# is -(1 - D): steep where it is needed. So the generator minimises -ln D(G(z)), called the
# *non-saturating* loss: the same aim, another way there.
#
# ## Second step: a distance that knows how far
#
# Real samples at 0, generated ones at a. For every a but 0 the two do not overlap, JS is ln 2
# whether a is 0.1 or 100, and what does not change has no gradient: a perfect critic says "fake"
# and not "this way". That is no exotic case. Images fill a tiny part of all arrays of pixels, and
# so do a young generator's; the two hardly ever meet.
#
# The *Wasserstein distance* is how far probability must be carried, at best, to make one heap of
# the other: here a. It falls when a falls. And a critic can measure it: it is the largest possible
#
#     mean of D over real samples  -  mean of D over generated ones
#
# among all D whose slope is nowhere more than 1 (Arjovsky et al. 2017). The bound on the slope is
# the point: D is a height now, not a probability, and heights that may not rise faster than 1
# differ by a at most over a distance a.
#
# How is a network's slope kept bounded? WGAN clips every weight to a small range after each step.
# Nobody knows which bound on the slope that is, so what is measured is the distance times an
# unknown constant. WGAN-GP (Gulrajani et al. 2017) adds a penalty instead: lambda (|slope| - 1)^2,
# at points between real and generated samples. Its critic measures the distance itself, a little
# too large, by the factor 1 + W / (2 lambda): there a bit more slope is not yet worth its price
# (exercise 3).
#
# **Before you run**: which of the three curves below will be flat, and which will be straight
# lines?


# %%
class Given(Module):
    """A generator that gives these samples, whatever the noise."""

    def __init__(self, samples):
        self.samples = Tensor(samples)

    def forward(self, z):
        return self.samples


def column(values):
    return np.asarray(values, np.float32)[:, None]


def trained(game, real, steps, optimizer):
    rng = Generator(0)
    for _ in range(steps):
        loss = game.critic_loss(Tensor(real), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        game.after_critic()
    with no_grad():
        fake = game(game.noise(len(real), rng))
        return -game.told_apart(game.critic(Tensor(real)), game.critic(fake)).item()


around = 0.2 * np.random.default_rng(0).normal(size=64)
aways = np.linspace(0.2, 2.0, 10)
clipped, penalised, LAMBDA = [], [], 10.0
for away in aways:
    tinydl.seed(1)
    game = Clipped(Given(column(around)), MLP((1, 16, 16, 1), "tanh"), latent=1, clip=0.1)
    weights = RMSprop(game.critic.parameters(), lr=0.01)
    clipped.append(trained(game, column(around + away), 120, weights))
    tinydl.seed(0)
    game = Penalised(Given(column(around)), MLP((1, 32, 32, 1)), latent=1, penalty=0.1)
    for penalty, lr in ((0.1, 0.01), (LAMBDA, 0.01), (LAMBDA, 0.001)):
        game.penalty_weight = penalty
        estimate = trained(
            game, column(around + away), 150, Adam(game.critic.parameters(), lr, 0.5)
        )
    penalised.append(estimate)
clipped, penalised = np.array(clipped), np.array(penalised)
constant = (clipped @ aways) / (aways @ aways)
straight = np.corrcoef(clipped, aways)[0, 1]
print(f"clipped: {constant:.4f} times the distance, correlation {straight:.4f}")
print("distance  " + "".join(f"{a:>7.2f}" for a in aways))
print("penalised " + "".join(f"{e:>7.2f}" for e in penalised))
print("W(1+W/20) " + "".join(f"{a * (1 + a / 20):>7.2f}" for a in aways))
assert straight > 0.99
assert abs(penalised / (aways * (1 + aways / (2 * LAMBDA))) - 1).max() < 0.05

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
axes[0].plot(aways, np.full(10, np.log(2)), color=ORANGE, label="JS, samples that do not meet")
axes[0].plot(aways, aways, color=INK, linewidth=1, label="Wasserstein distance")
axes[0].plot(aways, penalised, "o", color=BLUE, label="penalised critic")
axes[0].legend(fontsize=8)
axes[1].plot(aways, constant * aways, color=INK, linewidth=1, label=f"{constant:.4f} W")
axes[1].plot(aways, clipped, "o", color=GREEN, label="clipped critic")
axes[1].legend(fontsize=8)
for ax in axes:
    ax.set_xlabel("separation")
drawing.save(
    figure,
    "24_distances.png",
    alt="Left, against the separation of two heaps: JS is constant, the Wasserstein distance "
    "a straight line, and the penalised critic's measure lies a little above it. Right: "
    "the clipped critic's measure is a straight line with another slope.",
)

# %% [markdown]
# ![What three critics measure](../docs/figures/24_distances.png)
#
# ## Third step: do not lose modes
#
# Eight small clouds on a ring; each is called a *mode*. The generator of the first GAN is paid for
# samples that look real, not for all kinds of them: it may sit on a few modes, the critic learns
# where, and it moves on. That is called *mode collapse*. A critic that measures how far probability
# must be carried cannot be content with that: the modes that get nothing are far away. Modes count
# as covered where at least 1 % of the samples lie within three deviations.
#
# **Before you run**: how many of the eight modes will each of the two cover?

# %%
EPOCHS = {"ring-gan": 2 if FAST else 15, "ring-wgan": 3 if FAST else 10}
figure, axes = plt.subplots(1, 2, figsize=(8, 4))
covered = {}
for ax, name in zip(axes, EPOCHS, strict=True):
    training = begin(find(name).replaced(epochs=EPOCHS[name]))
    training.fit()
    points = training.program.sample(training.model, 500, Generator(0))
    covered[name] = training.measure()["modes"]
    ax.scatter(*ring_modes(8).T, s=160, facecolors="none", edgecolors=ORANGE)
    ax.scatter(*points.T, s=4, color=BLUE)
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal")
    ax.set_title(f"{name}: {covered[name]:.0f} of 8 modes")
print("modes covered:", covered)
if not FAST:
    for name, count in covered.items():
        note(f"modes of {name}", count)
elif figures("24"):
    print("recorded at full length:", {n: quote("24", f"modes of {n}") for n in EPOCHS})
assert FAST or covered["ring-wgan"] == 8 > covered["ring-gan"]
drawing.save(
    figure,
    "24_ring.png",
    alt="Generated points beside the eight modes of a ring: the first GAN's lie in one heap beside "
    "two of them, the penalised Wasserstein GAN's at all eight.",
)

# %% [markdown]
# ![Two generators and eight modes](../docs/figures/24_ring.png)
#
# At full length the first GAN covers 0 (recorded: modes of ring-gan) of 8 modes (it jumps from one
# to the next, and between them it is nowhere), WGAN-GP all 8 (recorded: modes of ring-wgan). The
# collapse is not a law. With Adam's beta1 at 0.5 in place of 0.9 the same pair covers the ring:
# `tinydl train ring-gan/slow`. What WGAN-GP buys is that it need not be lucky.
#
# ## Images, judged by numbers
#
# A page of pretty samples proves little: they are chosen by eye, and the eye does not see what is
# missing. So a classifier of real images looks at many of them, real and generated, and the means
# and covariances of its features are compared. With means m and covariances C of the two heaps, the
# *Frechet distance* is
#
#     |m1 - m2|^2 + trace(C1 + C2 - 2 sqrt(C1 C2))
#
# For one number it is the squared difference of the means plus that of the standard deviations: a
# generator that makes the right mean image again and again is found out by its spread. On its own
# it is a number without a scale; here it stands between its floor (real images against other real
# ones) and its ceiling (noise). This page has no classifier at hand and takes principal components
# in its place: the 20 directions in which real images vary most.
#
# The two networks are those of DCGAN (Radford et al. 2016): the critic shrinks an image by
# convolutions with stride 2, the generator grows one by transposed convolutions, which lay patterns
# down where a convolution picks them up; batch normalisation in both.

# %%
SIDE = 8
digits = synthetic_digits(800 if FAST else 3_000, Generator(24), size=SIDE)
real = (2 * digits.x - 1)[..., None].astype(np.float32)
flat = real.reshape(len(real), -1)
axes_of = np.linalg.eigh(np.cov(flat.T))[1][:, -20:]


def features(pictures):
    return pictures.reshape(len(pictures), -1) @ axes_of


half = len(real) // 2
floor = frechet_distance(features(real[:half]), features(real[half:]))
noise = Generator(0).uniform(real[:half].shape, low=-1, high=1).astype(np.float32)
ceiling = frechet_distance(features(noise), features(real[half:]))
tinydl.seed(0)
game = DCGAN((SIDE, SIDE, 1), widths=(16, 32), latent=20)
players = [Adam(m.named_parameters(), 0.001, 0.5) for m in (game.critic, game.generator)]
rng, course = Generator(1), []
for _ in range(12 if FAST else 30):
    order = rng.permutation(len(real))
    for n in range(0, len(real) - 50, 50):
        batch = Tensor(real[order[n : n + 50]])
        for optimizer, loss in zip(
            players,
            (lambda b=batch: game.critic_loss(b, rng), lambda: game.generator_loss(50, rng)),
            strict=True,
        ):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
    drawn = game.sample(half, Generator(2)).numpy()
    course.append(frechet_distance(features(drawn), features(real[half:])))
way = (course[-1] - floor) / (ceiling - floor)
print(f"floor {floor:.2f}, DCGAN {course[0]:.1f} -> {course[-1]:.1f}, ceiling {ceiling:.1f}")
print(f"{100 * way:.1f} % of the way from real images to noise")
if not FAST:
    note("way to noise", way)
elif figures("24"):
    print(f"recorded after 30 epochs: {100 * quote('24', 'way to noise'):.1f} %")
assert course[-1] < course[0] and (FAST or way < 0.1)

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1, 1.3))
axes[0].semilogy(range(1, len(course) + 1), course, "o-", color=BLUE, label="DCGAN")
axes[0].axhline(floor, color=GREEN, label="real images")
axes[0].axhline(ceiling, color=ORANGE, label="noise")
axes[0].set_xlabel("epoch")
axes[0].set_ylabel("Frechet distance")
axes[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.1))
page = np.pad(drawn[:40, ..., 0], ((0, 0), (0, 1), (0, 1))).reshape(4, 10, SIDE + 1, SIDE + 1)
page = page.swapaxes(1, 2).reshape(4 * (SIDE + 1), 10 * (SIDE + 1))
drawing.blank(axes[1], "samples after the last epoch").imshow(page, cmap="gray")
drawing.save(
    figure,
    "24_pictures.png",
    alt="Left: the Frechet distance by epoch, falling from that of noise towards that of real "
    "images. Right: forty generated digits.",
)

# %% [markdown]
# ![From noise towards digits](../docs/figures/24_pictures.png)
#
# After 30 epochs the distance has come all but 2 % (recorded: way to noise) of the way from noise
# to real images.
#
# ## Agreement is half of it
#
# A generator that is asked for a class can be judged by how often a classifier agrees.
#
# **Before you run**: which samples would have an agreement of 100 % and yet be useless?

# %%
x, y = digits.x.reshape(len(digits.x), -1), digits.y
means = np.stack([x[y == k].mean(axis=0) for k in range(10)])


def nearest_mean(rows):
    return ((rows[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


spread = pair_distance(x, y)
repeated = np.repeat(means, 20, axis=0), np.repeat(np.arange(10), 20)
table = {"real images": (x, y), "class means": repeated}
for name, (rows, asked) in table.items():
    agreement = (nearest_mean(rows) == asked).mean()
    share = pair_distance(rows, asked) / spread
    print(f"{name:<14} agree {100 * agreement:>5.1f} %, variety {share:.2f}")
assert pair_distance(*repeated) < 1e-6 < spread

figure, ax = plt.subplots(figsize=(5.6, 2.8))
names = ("GAN", "non-saturating", "LSGAN", "WGAN", "WGAN-GP")
for k, (name, colour) in enumerate(zip(names, (MUTED, ORANGE, VIOLET, GREEN, BLUE), strict=True)):
    d = np.linspace(-4, 4, 81)
    slope = (1 / (1 + np.exp(-d)), 1 / (1 + np.exp(d)), abs(d - 1), 1 + 0 * d, 1 + 0 * d)[k]
    ax.plot(d, slope + 0.02 * k, color=colour, label=name)
ax.set(ylim=(0, 3), xlabel="critic's output for a fake", ylabel="pull")
ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
drawing.save(
    figure,
    "24_pulls.png",
    alt="How hard five losses pull a generated sample, against the critic's output for it: "
    "flat at one end for GAN and the non-saturating loss, V-shaped for least squares, "
    "constant for the Wasserstein losses.",
)

# %% [markdown]
# ![How hard five losses pull](../docs/figures/24_pulls.png)
#
# The mean image of each class: always right, never different. So agreement counts only beside
# variety, how far two samples of a class lie apart, as a share of what real ones do.
#
# The picture has all five losses: how hard a generated sample is pulled, by what the critic says of
# it. Least squares (LSGAN, Mao et al. 2017) ask for an output of 1 and pull the more, the farther
# the output is from 1, on either side; the Wasserstein losses pull alike everywhere.
#
# ## Before: a code that cannot be guessed
#
# Two networks that want the opposite of each other are older than GANs. In predictability
# minimisation (Schmidhuber 1992) an encoder gives a code of several units, and for each unit a
# guesser tries to tell it from the others. The guessers minimise their squared error, the encoder
# maximises it. Nothing else is asked for. But what is hardest to guess is a unit that is 0 or 1 by
# even chance whatever the others are: of four symbols, equally likely, two units become the two
# bits, every combination once, and every guess misses by 1/4.

# %%
tinydl.seed(0)
ancestor = PredictabilityMinimisation(inputs=4, units=2, hidden=8)
symbols = Tensor(np.eye(4, dtype=np.float32))
guess = Adam(ancestor.critic.named_parameters(), 0.04)
encode = Adam(ancestor.generator.named_parameters(), 0.02)
codes = []
for _ in range(100 if FAST else 500):
    for optimizer, loss_of in (
        (guess, ancestor.critic_loss), (guess, ancestor.critic_loss),
        (encode, ancestor.generator_loss),
    ):  # fmt: skip
        optimizer.zero_grad()
        loss_of(symbols).backward()
        optimizer.step()
    codes.append(ancestor(symbols).numpy().copy())
codes = np.stack(codes)  # (steps, symbols, units)
missed = ancestor.critic_loss(symbols).item()
print("codes of the four symbols:", *[f"({a:.2f}, {b:.2f})" for a, b in codes[-1]])
print(f"missed: {missed:.3f} in both units together, at most 2 x 1/4")
assert FAST or (abs(missed - 0.5) < 0.02 and len(set(map(tuple, codes[-1] > 0.5))) == 4)

# %% [markdown]
# ## Beside: Turing learning
#
# Neither player need be a network, nor learn by gradients. In Turing learning (Li, Gauci and Gross
# 2016, named after the test) one population holds models of an animal, the other classifiers that
# see a few numbers of a recorded track and say "animal" or "model". A classifier is as fit as it is
# often right, a model as it is often taken for the animal; the fittest third of each stays, the
# rest become changed copies of it. Here the animal's speed is v' = 0.8 v + 0.3 noise. Nobody
# measures how far a model's track is from the animal's, and both habits are found all the same.

# %%
HABITS, HIDDEN = np.array([0.8, 0.3]), 3  # what is kept of the speed, and the push


def tracks(habits, rng, steps=40):
    """Speeds (N, steps) of N animals, from rest."""
    speeds, now = [], np.zeros(len(habits))
    for noise in rng.normal((steps, len(habits))):
        now = habits[:, 0] * now + habits[:, 1] * noise
        speeds.append(now)
    return np.stack(speeds, axis=1)


def observed(v):
    """What a classifier sees: how fast, and how alike one step is to the next."""
    power = (v**2).sum(axis=1) + 1e-6
    alike = (v[:, 1:] * v[:, :-1]).sum(axis=1) / power
    return np.stack([np.log(power / v.shape[1]) + 1, 2 * alike], axis=1)


def taken_for_animals(classifiers, seen):
    """(classifiers, tracks): a net of three hidden units for each classifier."""
    first, bias, last = np.split(classifiers, [2 * HIDDEN, 3 * HIDDEN], axis=1)
    hidden = np.tanh(np.einsum("nk,ckh->cnh", seen, first.reshape(-1, 2, HIDDEN)) + bias[:, None])
    return (hidden * last[:, None, :HIDDEN]).sum(axis=2) + last[:, HIDDEN:] > 0


def bred(population, fitness, step, rng):
    best = population[np.argsort(-fitness, kind="stable")[: len(population) // 3]]
    parents = best[rng.integers(0, len(best), len(population) - len(best))]
    return np.concatenate([best, parents + step * rng.normal(parents.shape)])


rng, count = Generator(0), 60
kept, push = rng.uniform((count,), low=-1, high=1), rng.uniform((count,), low=0.05, high=1.5)
habits = np.stack([kept, push], axis=1)
classifiers = rng.normal((count, 4 * HIDDEN + 1))
middles = []
for _ in range(100 if FAST else 200):
    habits = np.stack([habits[:, 0].clip(-0.99, 0.99), abs(habits[:, 1])], axis=1)
    animals = observed(tracks(np.tile(HABITS, (count, 1)), rng))
    right = taken_for_animals(classifiers, animals)
    fooled = taken_for_animals(classifiers, observed(tracks(habits, rng)))
    middles.append(np.median(habits, axis=0))
    habits = bred(habits, fooled.mean(axis=0), 0.04, rng)
    classifiers = bred(classifiers, right.mean(axis=1) - fooled.mean(axis=1), 0.25, rng)
middles = np.stack(middles)
learnt = middles[-40:].mean(axis=0)
print(f"habits of the animal {HABITS}, of the models {np.round(learnt, 2)}")
assert abs(learnt - HABITS).max() < 0.15

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
for k, colour in enumerate((BLUE, GREEN, ORANGE, VIOLET)):
    axes[0].plot(*codes[:, k].T, color=colour, linewidth=1)
    axes[0].plot(*codes[-1, k], "o", color=colour)
axes[0].set(xlabel="first unit", ylabel="second unit", xlim=(-0.05, 1.05), ylim=(-0.05, 1.05))
axes[0].set_title("codes of four symbols")
for k, (name, colour) in enumerate((("kept", BLUE), ("push", ORANGE))):
    axes[1].plot(middles[:, k], color=colour, label=f"{name}, median of the models")
    axes[1].axhline(HABITS[k], color=INK, linewidth=1)
axes[1].set(xlabel="generation", ylim=(-1, 1.5))
axes[1].legend(fontsize=8, loc="lower right")
axes[1].set_title("habits that pass for the animal's")
drawing.save(
    figure,
    "24_ancestors.png",
    alt="Left: the codes of four symbols move into the four corners of a square. Right: two "
    "habits of the models come to those of the animal over the generations.",
)

# %% [markdown]
# ![Codes that cannot be guessed, and habits](../docs/figures/24_ancestors.png)
#
# (Of six seeds that were tried, two end where symbols share a code: like a GAN's, this game has no
# loss that only falls.)
#
# ## Layers that came later
#
# `SAGAN` (Zhang et al. 2019) is `DCGAN` with one layer of attention (page 27), in which a place of
# the image sees every other; its weight begins at 0, so that training begins as DCGAN's.
# `nn.MinibatchStd` tells the critic how much the samples of a batch differ, so that it sees a
# generator's sameness; `nn.EqualizedRate` lets all layers learn at one rate (both Karras et al.
# 2018); `nn.SpectralNorm` bounds a layer's slope in place of clipping and penalty (Miyato et al.
# 2018).
#
# ## Exercises
#
# Answers are in `tutorials/answers/24.py`. Try first.
#
# 1. By hand: p = (1/2, 1/2, 0) and q = (0, 1/2, 1/2) on three cells in a row. What does the best
#    critic say in each, what is JS, and what is the Wasserstein distance if neighbouring cells are
#    1 apart? What are the last two if q = (0, 0, 1) and p = (1, 0, 0)?
# 2. Derive the slopes of ln(1 - D) and of -ln D by the logit, and check one of them as on page 3.
# 3. Derive the factor 1 + W / (2 lambda): between two heaps W apart, a critic with the constant
#    slope s gains s W and pays lambda (s - 1)^2. Which s is best, and what does it measure?
# 4. By hand: real numbers have the mean 0 and the standard deviation 2; a generator gives 0 every
#    time, another has the mean 3 and the standard deviation 2. What are their Frechet distances?
# 5. Predict, then try: the critic of the six cells is trained against a generator with p = q. Where
#    does it end, and what is the gradient that it gives?
#
# ## What to take along
#
# - The best critic knows the ratio of densities; its loss measures how different the heaps are.
# - A loss is as good as its gradient where you are, not where you want to be.
# - A critic that can be perfect teaches nothing: bound its slope, and it tells how far.
# - Judge generators by numbers with both ends of the scale, and variety beside agreement.
#
# `tinydl train gan-mnist`, `dcgan-mnist`, `lsgan-mnist`, `wgan-mnist`, `wgan-gp-mnist` train on
# MNIST, `cgan-mnist`, `acgan-mnist` and `stackedgan-mnist` are asked for classes, `infogan-mnist`
# finds them; each run folder gets a page of samples every epoch, samples.gif of all of them, and
# the judge. `tinydl reproduce NAME` prints the figure beside noise and Gaussians. Go on with page
# 25: a generator that is given an image.
