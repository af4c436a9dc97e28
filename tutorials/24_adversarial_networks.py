# %% [markdown]
# # 24. Adversarial networks: why each step from GAN to WGAN-GP
#
# Two networks. The critic is shown samples and says which are real; the generator makes samples of
# noise and is told, by the critic's gradient, what would have looked more real. Nobody writes down
# a likelihood. What can go wrong is known by now, and each later loss answers one thing that went
# wrong. This page goes from one to the next on problems so small that the right answer is known.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, VIOLET, plt

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
# The critic minimises -log D(x) - log(1 - D(G(z))). Where real samples have the density p and
# generated ones q, the best it can say is D = p / (p + q), and what it then says about the two is
# 2 JS(p, q) - 2 log 2, the Jensen-Shannon divergence. On six cells of a die that can be trained,
# one number a cell:

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
# The generator could minimise log(1 - D(G(z))), as the formula of the game says. But while it
# loses, D(G(z)) is near 0, and there that loss is flat. So it minimises -log D(G(z)): the same aim,
# and steep where it is needed (Goodfellow et al. 2014, section 3).

# %%
outputs = np.linspace(-8, 8, 161)
likely = 1 / (1 + np.exp(-outputs))
figure, ax = plt.subplots(figsize=(5.8, 3.2))
ax.plot(outputs, likely, color=ORANGE, label="of log(1 - D): D")
ax.plot(outputs, 1 - likely, color=BLUE, label="of -log D: 1 - D")
ax.axvspan(-8, -3, color=drawing.PAPER)
ax.text(-7.8, 0.5, "the critic\nis sure", color=MUTED)
ax.set_xlabel("critic's output for a generated sample")
ax.set_ylabel("size of the slope")
ax.legend(loc="center right")
drawing.save(figure, "24_slopes.png")
assert likely[outputs < -4].max() < 0.02 < 0.98 < (1 - likely[outputs < -4]).min()

# %% [markdown]
# ## Second step: a distance that knows how far
#
# Real samples at 0, generated ones at a. For every a but 0 the two do not overlap, JS is log 2, and
# a perfect critic's gradient is 0: it says "fake" and not "this way". The Wasserstein distance, how
# far the mass must travel, is a. It is the largest E D(x) - E D(G(z)) among all D of slope at most
# 1 (Arjovsky et al. 2017), so a critic can measure it, if its slope is bounded.
#
# WGAN bounds it by clipping every weight. Nobody knows the bound that this sets, so the measure is
# the distance times a constant. WGAN-GP (Gulrajani et al. 2017) pays for slopes that are not 1
# between the two: its critic measures the distance itself, a little too large, by the factor
# 1 + W / (2 lambda), where paying for slope stops being worth it.


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
drawing.save(figure, "24_distances.png")

# %% [markdown]
# ## Third step: do not lose modes
#
# Eight Gaussians on a ring. The generator of the first GAN is paid for samples that look real, not
# for all kinds of them: it sits on a few modes, the critic learns where, and it moves on. A critic
# that measures how far mass must travel cannot be content with that: the modes that get nothing are
# far away. Modes count as covered where at least 1 % of the samples lie within three deviations.

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
assert FAST or covered["ring-wgan"] == 8 > covered["ring-gan"]
drawing.save(figure, "24_ring.png")

# %% [markdown]
# (The collapse of the first GAN is not a law. With Adam's beta1 at 0.5 in place of 0.9 the same
# pair covers the ring: `tinydl train ring-gan/slow`. What WGAN-GP buys is that it need not be
# lucky.)
#
# ## Pictures, judged by numbers
#
# A page of pretty samples proves little: they are chosen by eye, and the eye does not see what is
# missing. So a classifier of real pictures looks at many of them, and the moments of its features
# are compared: the Frechet distance. On its own it is a number without a scale; here it stands
# between its floor (real pictures against others) and its ceiling (noise). This page has no
# classifier at hand and takes principal components in its place.

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
print(f"{100 * way:.1f} % of the way from real pictures to noise")
assert course[-1] < course[0] and (FAST or way < 0.1)

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1, 1.3))
axes[0].semilogy(range(1, len(course) + 1), course, "o-", color=BLUE, label="DCGAN")
axes[0].axhline(floor, color=GREEN, label="real pictures")
axes[0].axhline(ceiling, color=ORANGE, label="noise")
axes[0].set_xlabel("epoch")
axes[0].set_ylabel("Frechet distance")
axes[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.1))
page = np.pad(drawn[:40, ..., 0], ((0, 0), (0, 1), (0, 1))).reshape(4, 10, SIDE + 1, SIDE + 1)
page = page.swapaxes(1, 2).reshape(4 * (SIDE + 1), 10 * (SIDE + 1))
drawing.blank(axes[1], "samples after the last epoch").imshow(page, cmap="gray")
drawing.save(figure, "24_pictures.png")

# %% [markdown]
# ## Agreement is half of it
#
# A generator that is asked for a class can be judged by how often a classifier agrees. Class means
# agree always: agreement counts only beside variety, how far two samples of a class lie apart, as a
# share of what real ones do.

# %%
x, y = digits.x.reshape(len(digits.x), -1), digits.y
means = np.stack([x[y == k].mean(axis=0) for k in range(10)])


def nearest_mean(rows):
    return ((rows[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


spread = pair_distance(x, y)
repeated = np.repeat(means, 20, axis=0), np.repeat(np.arange(10), 20)
table = {"real pictures": (x, y), "class means": repeated}
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
drawing.save(figure, "24_pulls.png")

# %% [markdown]
# The last picture has all five losses: how hard a generated sample is pulled, by what the critic
# says of it. Least squares (Mao et al. 2017) pull the more, the farther a sample lies from the
# boundary, on either side; the Wasserstein losses pull alike everywhere.
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
drawing.save(figure, "24_ancestors.png")

# %% [markdown]
# (Of six seeds that were tried, two end where symbols share a code: like a GAN's, this game has no
# loss that only falls.)
#
# ## Layers that came later
#
# `SAGAN` (Zhang et al. 2019) is `DCGAN` with one layer of self-attention, in which a place of the
# picture sees every other; its weight begins at 0, so that training begins as DCGAN's.
# `nn.MinibatchStd` tells the critic how much the samples of a batch differ, so that it sees a
# generator's sameness; `nn.EqualizedRate` lets all layers learn at one rate (both Karras et al.
# 2018); `nn.SpectralNorm` bounds a layer's slope in place of clipping and penalty (Miyato et al.
# 2018).
#
# ## On real digits
#
# `tinydl train gan-mnist`, `dcgan-mnist`, `lsgan-mnist`, `wgan-mnist`, `wgan-gp-mnist` train on
# MNIST, `cgan-mnist`, `acgan-mnist` and `stackedgan-mnist` are asked for classes, `infogan-mnist`
# finds them; each run folder gets a page of samples every epoch, samples.gif of all of them, and
# the judge. `tinydl reproduce NAME` prints the figure beside noise and Gaussians.
#
# ## What to take along
#
# - A loss is as good as its gradient where you are, not where you want to be.
# - A critic that can be perfect teaches nothing: bound its slope.
# - Judge generators by numbers with both ends of the scale, and variety beside agreement.
