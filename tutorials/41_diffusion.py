# %% [markdown]
# # 41. Diffusion: the way back from noise
#
# **You need**: a *loss* and a *training loop* (pages 1 and 40), a *convolution* (page 5), what a
# *generator* is for (page 24).
#
# **You will be able to** add the noise of a thousand steps in one; say from a formula what the best
# network would answer; walk back with and without chance, in many steps and in few; and ask for a
# class more or less plainly.
#
# Adversarial networks need two players in balance. A diffusion model needs one network and a mean
# squared error: pictures drown in noise, step by step, and the network learns to say what of a
# picture is noise. Who can say that can also begin with nothing but noise and go back.

# %%
from __future__ import annotations

from itertools import pairwise

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt

import tinydl
from tinydl import Generator, Tensor
from tinydl.data import Batches, synthetic_digits
from tinydl.metrics import pair_distance
from tinydl.models import DDPM
from tinydl.models.diffusion.schedule import cosine_schedule, passed_times, step_back
from tinydl.optim import Adam
from tinydl.optim.clipping import WeightAverage

# %% [markdown]
# ## A thousand steps in one
#
# One step makes the picture a little smaller and adds a little noise:
# x_t = sqrt(1 - beta_t) x_(t-1) + sqrt(beta_t) noise. The two roots keep the variance: a pixel of
# variance 1 still has variance 1 - beta + beta = 1 afterwards. Normal noise plus normal noise is
# normal noise, so t steps together are one:
#
# x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise,   abar_t = (1 - beta_1) ... (1 - beta_t).
#
# How fast abar falls from 1 to 0 is the *noise schedule*. Ho et al. 2020 let beta rise along a
# line; Nichol and Dhariwal 2021 let abar fall along a squared cosine, since the line leaves hardly
# anything of a small picture during the last third of the steps. First the claim, by doing 300
# steps one after the other:

# %%
STEPS = 1_000
left = cosine_schedule(STEPS)
rng = Generator(0)
x = np.full(20_000, 0.8)
for t in range(1, 301):
    beta = 1 - left[t] / left[t - 1]
    x = np.sqrt(1 - beta) * x + np.sqrt(beta) * rng.normal(x.shape, dtype=np.float64)
print(f"300 steps: mean {x.mean():.3f}, deviation {x.std():.3f}")
print(f"one step:  mean {np.sqrt(left[300]) * 0.8:.3f}, deviation {np.sqrt(1 - left[300]):.3f}")
assert abs(x.mean() - np.sqrt(left[300]) * 0.8) < 0.02
assert abs(x.std() - np.sqrt(1 - left[300])) < 0.02

line = np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, STEPS))])
digits = synthetic_digits(300 if FAST else 3_000, Generator(41), size=12)
pictures = 2 * digits.x[..., None].astype(np.float32) - 1  # -1 is black, 1 is white
figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.6), height_ratios=(2, 1))
above.plot(left, color=BLUE, label="squared cosine")
above.plot(line, color=ORANGE, label="beta on a line")
above.set(xlabel="t", ylabel="share of the variance left")
above.legend()
noise = rng.normal(pictures[0].shape)
moments = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]
drowning = [np.sqrt(left[t]) * pictures[3] + np.sqrt(1 - left[t]) * noise for t in moments]
row = np.pad(np.stack(drowning)[..., 0], ((0, 0), (0, 0), (0, 1)), constant_values=1)
row = row.swapaxes(0, 1).reshape(12, -1)
drawing.blank(below, "t = 0, 100, 200 ... 1,000").imshow(row, cmap="gray", vmin=-2, vmax=2)
figure.tight_layout()
drawing.save(
    figure,
    "41_schedule.png",
    alt="Share of a picture's variance that is left, over time: the cosine falls evenly, the line "
    "is near zero from 600 on. Below, a digit that disappears in noise.",
)

# %% [markdown]
# ## What the best network would say
#
# The loss is a mean squared error, so the best answer is an expectation: of all pictures that could
# have become this x_t, the mean. For data that we know it is a formula. Say the world has three
# "pictures" of one pixel: -0.8, 0.1 and 0.7, with probabilities 0.5, 0.2 and 0.3. Seen through
# noise, each is a bell; by Bayes' rule the share of bell k at x_t is its probability that x_0 = k.
#
# Noise and picture tell the same: x_t is the weighted sum of both. The networks here answer v =
# sqrt(abar) noise - sqrt(1 - abar) x_0 (Salimans and Ho 2022): (x_t, v) is (x_0, noise) turned by
# an angle, and turning back gives x_0 = sqrt(abar) x_t - sqrt(1 - abar) v without dividing by
# anything small. Ho et al. let the network answer the noise; x_0 is then
# (x_t - sqrt(1 - abar) noise) / sqrt(abar), and where little is left every error is as many times
# larger:

# %%
for t in (200, 500, 800, 950):
    times = np.sqrt((1 - left[t]) / left[t])
    print(f"t = {t}: an error of 0.01 in the noise is one of {0.01 * times:.3f} in x_0")

POINTS, SHARES = np.array([-0.8, 0.1, 0.7]), np.array([0.5, 0.2, 0.3])


def best_start(x, t):
    """E[x_0 | x_t] in the world of three points."""
    away = x[:, None] - np.sqrt(left[t]) * POINTS
    logs = np.log(SHARES) - away**2 / (2 * (1 - left[t]))
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return (weights * POINTS).sum(axis=1) / weights.sum(axis=1)


def best_v(x, t):
    """v of it: x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise, solved for the noise."""
    start = best_start(x, t)
    noise = (x - np.sqrt(left[t]) * start) / np.sqrt(1 - left[t])
    return np.sqrt(left[t]) * noise - np.sqrt(1 - left[t]) * start


# %% [markdown]
# ## The way back: DDPM and DDIM
#
# A step back guesses x_0 and the noise, and puts them together again with a little less noise. That
# is all of DDIM (Song et al. 2020): nothing is drawn on the way, the first noise decides
# everything. DDPM puts fresh noise in the place of some of the old, as much as eta says: 0 is
# DDIM; 1, over all the steps, is the paper's chain. Both end in the same world.
#
# **Before you run**: of 2,000 ways, how many should end at -0.8? And can two ways without chance
# cross each other?


# %%
def way_back(count, steps, eta, seed=1):
    """x at every time of the way, (steps + 1, count)."""
    rng = Generator(seed)
    times, x = passed_times(STEPS, steps), rng.normal((count,), dtype=np.float64)
    seen = [x]
    for t, s in pairwise(times):
        fresh = Tensor(rng.normal((count,), dtype=np.float64))
        v = Tensor(best_v(x, t))
        x = step_back(Tensor(x), v, left[t], left[s], eta, fresh).numpy()
        seen.append(x)
    return np.array(seen)


def shares(x):
    """How much of x ended nearest to each point."""
    return np.bincount(abs(x[:, None] - POINTS).argmin(axis=1), minlength=3) / len(x)


COUNT = 2_000
ways = {}
for name, steps in (("DDPM", 1_000), ("DDIM", 1_000), ("DDIM", 20), ("DDIM", 4)):
    ways[name, steps] = way_back(COUNT, steps, 1.0 if name == "DDPM" else 0.0)
    last = ways[name, steps][-1]
    away = abs(last[:, None] - POINTS).min(axis=1).mean()
    print(f"{name}, {steps:>5} steps: shares {np.round(shares(last), 2)}, away {away:.4f}")
    if steps == STEPS:
        assert abs(shares(last) - SHARES).max() < 0.05 and away < 0.01

figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.2), sharey=True)
for panel, key in zip(panels, (("DDPM", 1_000), ("DDIM", 1_000), ("DDIM", 20)), strict=True):
    course = ways[key][:, :40]
    colours = [(BLUE, GREEN, ORANGE)[k] for k in abs(course[-1][:, None] - POINTS).argmin(axis=1)]
    for path, colour in zip(course.T, colours, strict=True):
        panel.plot(passed_times(STEPS, key[1]), path, color=colour, linewidth=0.7)
    panel.set(xlabel="t", title=f"{key[0]}, {key[1]:,} steps")
    panel.invert_xaxis()
panels[0].set_ylabel("x")
figure.tight_layout()
drawing.save(
    figure,
    "41_ways.png",
    alt="Forty ways from noise on the left to one of three points on the right: DDPM's tremble, "
    "DDIM's are smooth, and nearly the same with 20 steps.",
)

# %% [markdown]
# Two things to see. The smooth ways do not cross: DDIM sorts the noise, its lowest half becomes the
# lowest point. And smooth ways can be walked in few steps, since a straight piece needs one; DDPM
# with 20 steps would have to draw 20 large pieces of noise.
#
# A network that knew the training set by heart would be this `best_start`, with the pictures for
# points, and every sample would be one of them. That it is *not* the best on the training set, but
# smooth, is why new pictures come out.
#
# ## A U-Net learns it
#
# `DDPM` holds the schedule and a `NoiseUNet`: convolutions down to a small map, attention there,
# and back up beside what was seen on the way. Every block is told the time, as sines of many
# frequencies, and the class, as a row of a table. In one picture of ten the class is not told, so
# that the same network also knows pictures of any class; we will need that. What is drawn from is
# the average of the weights over many steps, which trembles less than the weights.

# %%
tinydl.seed(4)
model = DDPM((12, 12, 1), 10, widths=(16, 32), told_size=64)
optimizer, average = Adam(model.named_parameters(), 0.003), WeightAverage(model.parameters(), 0.98)
chance, losses = Generator(5), []
for _ in range(40 if FAST else 60):
    for batch, kinds in Batches((pictures, digits.y), 50, rng=chance):
        loss = model.loss(Tensor(batch), Tensor(kinds), chance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update()
        losses.append(loss.item())
average.swap()
first, last = np.mean(losses[:20]), np.mean(losses[-100:])
print(f"{model.count_parameters():,} numbers, loss {first:.3f} -> {last:.3f}")
assert last < 0.5 * first

film: list[np.ndarray] = []
model.sample(10, Generator(6), steps=20, film=film)
page = np.pad(np.stack(film[::2])[..., 0], ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1)
figure, ax = plt.subplots(figsize=(6.4, 6))
page = page.transpose(1, 2, 0, 3).reshape(10 * 13, -1)
drawing.blank(ax, "asked for 0 ... 9; from noise to the end, every second of 20 steps").imshow(
    page, cmap="gray", vmin=-1.5, vmax=1.5
)
drawing.save(
    figure,
    "41_denoising.png",
    alt="Ten rows, one for each digit: noise on the left, which becomes a digit on the right.",
)

# %% [markdown]
# The place and the rough shape are decided early, in the noise; edges come last.
#
# ## Asking more plainly
#
# The network says v with the class, and v without. What the class changes is the difference.
# *Guidance* (Ho and Salimans 2022) takes more of it:
#
# v = (1 + w) v(x, t, class) - w v(x, t)
#
# With w = 0 the network is simply asked for the class; larger w moves towards pictures that could
# be nothing else. It costs a second call, and variety: the samples of a class become alike.

# %%
asked = np.arange(100 if FAST else 300) % 10
labels = Tensor(asked)
means = np.stack([pictures[digits.y == k].mean(axis=0) for k in range(10)])
real = pair_distance(pictures.reshape(len(pictures), -1), digits.y)


def nearest(x):
    """The class whose mean picture is nearest."""
    return ((x[:, None] - means) ** 2).sum(axis=(2, 3, 4)).argmin(axis=1)


right = 100 * (nearest(pictures) == digits.y).mean()
print(f"real pictures: the nearest mean is theirs in {right:.0f} %")
WEIGHTS = (0.0, 1.0, 4.0)
agreement, variety, drawn = {}, {}, {}
for w in WEIGHTS:
    drawn[w] = model.sample(len(asked), Generator(7), labels, steps=15, guidance=w).numpy()
    agreement[w] = (nearest(drawn[w]) == asked).mean()
    variety[w] = pair_distance(drawn[w].reshape(len(asked), -1), asked) / real
    told = f"agreement {100 * agreement[w]:.0f} %, variety {100 * variety[w]:.0f} % of real"
    print(f"w = {w:g}: {told}")
assert agreement[1.0] > 0.6
assert variety[4.0] < variety[0.0]

figure, rows = plt.subplots(3, 1, figsize=(8, 3.6))
for ax, w in zip(rows, WEIGHTS, strict=True):
    some = np.pad(drawn[w][:20, ..., 0], ((0, 0), (0, 0), (0, 1)), constant_values=1)
    some = some.swapaxes(0, 1).reshape(12, -1)
    drawing.blank(ax, f"w = {w:g}").imshow(some, cmap="gray", vmin=-1, vmax=1)
figure.tight_layout()
drawing.save(
    figure,
    "41_guidance.png",
    alt="Digits 0 to 9 twice, drawn with guidance 0, 1 and 4: the larger, the plainer and the more "
    "alike.",
)

# %% [markdown]
# ## How few steps?
#
# Each step is a call of the network, so steps are what drawing costs. The same noise, walked back
# in fewer and fewer steps, beside 100 of them:

# %%
FEW = (2, 5, 10, 20, 50)
some = labels[:20]
slow = model.sample(20, Generator(8), some, steps=100).numpy()
errors = []
for steps in FEW:
    quick = model.sample(20, Generator(8), some, steps=steps).numpy()
    errors.append(float(np.sqrt(((quick - slow) ** 2).mean())))
    print(f"{steps:>3} steps: {errors[-1]:.3f} from the pictures of 100")
assert errors[-1] < 0.6 * errors[0]
figure, ax = plt.subplots(figsize=(5.6, 3))
ax.loglog(FEW, errors, "o-", color=VIOLET)
ax.axhline(float(slow.std()), color=MUTED, linewidth=1)
ax.set(xlabel="steps of DDIM", ylabel="from the pictures of 100 steps")
ax.minorticks_off()
ax.set_xticks(FEW, [str(steps) for steps in FEW])
drawing.save(
    figure,
    "41_steps.png",
    alt="Distance to the pictures of 100 steps, falling with the number of steps.",
)

# %% [markdown]
# ## On real digits and clothes
#
# `tinydl train ddpm-mnist` trains the same net with widths 32 and 64 on MNIST, `ddpm-fashion` on
# clothes; the run folder gets `denoising.gif` and `denoising.png`. `tinydl sample RUN --out
# page.png` draws. Both are judged as the adversarial networks of page 24 are: by a classifier of
# real pictures, how often it names what was asked for, how far samples are in its features (the
# Frechet distance), and whether they differ among themselves. After four epochs, nine minutes on
# one core, 99.9 % of the digits are named as asked for, which is plainer than real ones (99.2 %),
# and they vary 86 % as much: guidance again. `tinydl recipes ddpm-mnist` says more.
#
# ## Exercises
#
# Answers are in `tutorials/answers/41.py`, which the test suite runs. Try first.
#
# 1. Derive: (x_0, noise) has been turned by the angle whose cosine is sqrt(abar). Show that turning
#    (x_t, v) back gives both again, without a division.
# 2. Predict, then run: the world is one point, 0.3. What does the best network answer, and how many
#    steps of DDIM does it take to get there?
# 3. Derive: pixels are normal, mean 0 and deviation s. What is E[x_0 | x_t]? For s = 1, what is the
#    best v, and what does DDIM then do to x?
# 4. Predict: guidance w = -1. What is drawn?
#
# ## What to take along
#
# - All steps of noise are one; a training step needs one time, one noise, one squared error.
# - The best answer is an expectation: for known data a formula, against which sampler and schedule
#   can be checked exactly.
# - DDIM walks the same way without chance, in few steps; eta = 1 over all steps is DDPM.
# - Guidance trades variety for plainness. Look at both numbers.
