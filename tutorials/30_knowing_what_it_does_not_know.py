# %% [markdown]
# # 30. Knowing what it does not know
#
# **You need**: *softmax*, *dropout* and *cross-entropy* (page 40), a *divergence*, a *prior* and
# the *ELBO* (page 23), an *ROC curve* (page 22).
#
# **You will be able to** apply Bayes' rule to weights; compute the doubt of an answer in nats and
# split it in two parts, one that more data would settle and one that they would not; and measure
# whether the numbers a classifier gives are true, and whether its doubt is worth something.
#
# A softmax says 0.99 for a digit, and 0.99 for a coat. Its numbers compare the classes with each
# other; whether any of them fits, nobody asked. This page gives weights a distribution in place of
# a value, draws networks from it, and measures what their doubt is worth: on digits, and on images
# of something else.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor
from tinydl.data import Batches, blobs, synthetic_digits
from tinydl.metrics import (
    accuracy,
    calibration_curve,
    calibration_error,
    rejection_auc,
    rejection_curve,
    roc_auc,
)
from tinydl.models import BayesianMLP, BayesianSoftmax, DropoutMLP
from tinydl.models.bayesian.predictive import entropy, uncertainty
from tinydl.optim import Adam

# %% [markdown]
# ## A posterior that can be drawn
#
# Training finds *one* set of weights. But seven points do not decide what the weights are: many
# explain them about as well. Bayes' rule says how probable each is, once the data were seen,
#
#     P(w | data) = P(data | w) P(w) / P(data)
#
# P(w), the prior, is what we thought before; P(data | w) is what the loss computes (e to the minus
# cross-entropy, summed over the data); P(data), the *evidence*, is only what makes it sum to 1. The
# left side is the *posterior*. To predict, ask all weights and average their answers by it.
#
# For a network P(w | data) cannot be computed, since there are too many w to sum over. So we fit
# something simple to it: q, a Gaussian for each weight. How? As on page 23, with weights in place
# of codes:
#
#     ELBO = mean over q of ln P(data | w)  -  KL(q || P(w))
#          = ln P(data)  -  KL(q || P(w | data))
#
# The second line is Bayes' rule put into the first. ln P(data) does not depend on q, so raising the
# ELBO is bringing q nearer to the posterior, though nobody can compute that. Each weight is drawn
# as mean + deviation * noise, so gradients reach both: *Bayes by backprop* (Blundell et al. 2015).
#
# One class against another, one number x: of a softmax regression only a slope and an offset
# matter, so here the posterior is a landscape over a plane, and a grid can hold it.
#
# **Before you run**: the slope and the offset of a line through data depend on each other. q has a
# Gaussian for each by itself. What will its cloud miss of the landscape's shape?


# %%
def lifted(model, x, y, steps, lr, of=None, batch=None, seed=0):
    """Train on all of x, y (or in batches); the losses."""
    optimizer, rng = Adam(model.named_parameters(), lr), Generator(seed)
    batches = Batches((x, y), batch or len(x), rng=Generator(seed + 1))
    losses = []
    while len(losses) < steps:
        for a, b in batches:
            loss = model.loss(Tensor(a), Tensor(b), rng, of or len(x))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


X = np.array([[-2.0], [-1.2], [-0.4], [0.1], [0.6], [1.5], [2.2]], np.float32)
Y = np.array([0, 0, 1, 0, 1, 1, 1])
tinydl.seed(0)
line = BayesianSoftmax(1, 2)
losses = lifted(line, X, Y, 300, 0.05)

grid = np.linspace(-6, 6, 241)
slope, offset = np.meshgrid(grid, grid)
logit = X[:, :, None] * slope + offset
joint = -np.logaddexp(0, np.where(Y[:, None, None] == 1, -logit, logit)).sum(axis=0)
joint -= (slope**2 + offset**2) / 4 + np.log(4 * np.pi)  # differences of two weights: N(0, 2)
evidence = np.log(np.exp(joint).sum() * (grid[1] - grid[0]) ** 2)
rng = Generator(5)
bound = -len(X) * np.mean([line.loss(Tensor(X), Tensor(Y), rng, 7).item() for _ in range(300)])
print(f"log P(data) {evidence:.2f}, bound {bound:.2f}: q is {evidence - bound:.2f} nats away")
if not FAST:
    note("nats from the posterior", evidence - bound)
assert bound < evidence + 0.05

drawn = [line.drawn(rng)[0] for _ in range(400)]
slopes = [w.w.numpy()[0, 1] - w.w.numpy()[0, 0] for w, _ in drawn]
offsets = [b.w.numpy()[1] - b.w.numpy()[0] for _, b in drawn]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
axes[0].contourf(slope, offset, np.exp(joint - joint.max()), 8, cmap="Blues")
axes[0].plot(slopes, offsets, ".", color=ORANGE, markersize=3, label="drawn from q")
axes[0].set(xlabel="slope", ylabel="offset", xlim=(-3, 6), ylim=(-4, 4), title="posterior, and q")
axes[0].legend()
axes[1].plot(losses, color=BLUE)
axes[1].axhline(-evidence / len(X), color=ORANGE, label="-log P(data) / N")
axes[1].set(xlabel="step", ylabel="-ELBO / N, nats")
axes[1].legend()
drawing.save(
    figure,
    "30_posterior.png",
    alt="Left: the posterior of slope and offset as a landscape, a slanted hill, and points "
    "drawn from q on it. Right: the loss falls to near the line of the evidence.",
)

# %% [markdown]
# ![Posterior and q](../docs/figures/30_posterior.png)
#
# It misses the slant: a cloud of independent numbers has its axes along the axes. That is the price
# of a simple q, 0.34 (recorded: nats from the posterior) nats here.
#
# ## Far from everything
#
# Doubt as a number: the *entropy* H(p) = -sum of p ln p. It is 0 if one class has everything, and
# ln K for K equal classes.
#
# Three clouds of points. A settled network (one set of weights) divides the whole plane among them,
# and is sure of its share out to infinity: logits are linear far out, so their differences grow for
# ever. Networks drawn from q agree where there were points, and need not where there were none. Ask
# 40 of them, and two things can be the reason for doubt:
#
# - each of them is in doubt, and they say the same: the classes overlap there, as the data say;
# - each of them is sure, and they say different things: the data have not decided.
#
# The entropy of their mean answer counts both; the mean of their entropies counts the first alone.
# The rest is what they disagree about,
#
#     I = H(mean of what they say) - mean of H(what each says)
#
# and it is what more data would settle. (Page 31 gives it its name: the mutual information of class
# and weights.)
#
# **Before you run**: between two clouds, and far from all of them: where will I be large, and where
# the entropy of the settled network?

# %%
points = blobs(150 if FAST else 600, 3, Generator(1), separation=3.0)
x, y = (points.x / points.x.std()).astype(np.float32), points.y
steps = 400 if FAST else 2_000
tinydl.seed(1)
settled = DropoutMLP((2, 32, 3), rate=0.0)
lifted(settled, x, y, steps, 0.01)
tinydl.seed(1)
spread = BayesianMLP((2, 32, 3), mixture=(0.5, 2.0, 0.5), first_std=0.1)
lifted(spread, x, y, steps, 0.01)
side = np.linspace(-5, 5, 61)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2).astype(np.float32)
maps = {
    "H of one settled network": entropy(settled.probabilities(Tensor(plane), 1, rng)[0]),
}
total, apart = uncertainty(spread.probabilities(Tensor(plane), 40, Generator(2)))
maps |= {"H of 40 drawn networks": total, "I: what they disagree about": apart}
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8))
for ax, (title, values) in zip(axes, maps.items(), strict=True):
    drawn_map = ax.contourf(side, side, values.reshape(61, 61), 12, cmap="Blues")
    ax.scatter(*x.T, s=5, c=[(BLUE, ORANGE, GREEN)[k] for k in y])
    ax.set_title(title)
    figure.colorbar(drawn_map, ax=ax)
drawing.save(
    figure,
    "30_plane.png",
    alt="Three maps of the plane with three clouds of points: the entropy of one network is high "
    "only in narrow stripes along its borders; that of forty networks in a wide fan that opens "
    "away from the points; their disagreement is low between the clouds and high in the fan.",
)
far = np.abs(plane).max(axis=1) > 4
print(f"far away: H settled {maps['H of one settled network'][far].mean():.3f}, "
      f"drawn {total[far].mean():.3f} nats")  # fmt: skip
assert total[far].mean() > maps["H of one settled network"][far].mean()

# %% [markdown]
# ![Doubt of one network and of forty](../docs/figures/30_plane.png)
#
# Between the clouds H is large and I small: there the points themselves overlap, and no further
# point would change that. Above them, where no point ever was, it is I that is large: the draws put
# their borders in different places. (To the left and right all 40 agree still, without ever having
# seen anything there: q is a narrow posterior, and draws networks that are much alike.)
#
# ## Digits, and what is none
#
# Three classifiers: a settled one; Bayes by backprop; and *Monte-Carlo dropout* (Gal and Ghahramani
# 2016), where units are dropped in prediction as in training, so each pass is another network, and
# the price of a posterior is next to nothing. Images of something else: a digit laid over another
# in negative, the whole upside down.
#
# How good is doubt at finding them? Sort everything by H and draw an ROC curve: found strangers
# against digits wrongly suspected. The area below it is the probability that a stranger has more
# doubt than a digit: 0.5 is by chance, 1 is perfect.
#
# **Before you run**: which of the three will have the best accuracy on digits, and which the
# largest area?

# %%
SIZES = (64, 48, 10)
made = synthetic_digits(900 if FAST else 4_000, Generator(2), size=8)
images, labels = made.x.reshape(len(made.x), 64), made.y
half = len(images) // 2
other = np.maximum(images[:half], 1 - images[half : 2 * half])[:, ::-1].copy()
train, test = (images[:half], labels[:half]), (images[half:], labels[half:])
kinds = {
    "settled": DropoutMLP(SIZES, rate=0.0),
    "Bayes by backprop": BayesianMLP(SIZES),
    "MC dropout": DropoutMLP(SIZES, rate=0.3),
}
said, elsewhere = {}, {}
for name, model in kinds.items():
    lifted(model, *train, 250 if FAST else 1_500, 0.01, batch=50)
    samples = 1 if name == "settled" else 30
    said[name] = model.probabilities(Tensor(test[0]), samples, Generator(3))
    elsewhere[name] = model.probabilities(Tensor(other), samples, Generator(3))
print("                     accuracy  calibration error  rejection area  AUROC of H elsewhere")
for name, p in said.items():
    mean = p.mean(axis=0)
    right = (mean.argmax(axis=1) == test[1]).astype(int)
    doubt, outside = entropy(mean), entropy(elsewhere[name].mean(axis=0))
    where = np.repeat([0, 1], [len(doubt), len(outside)])
    print(f"{name:20} {accuracy(test[1], mean.argmax(axis=1)):9.3f} "
          f"{calibration_error(test[1], mean):18.3f} {rejection_auc(right, doubt):15.4f} "
          f"{roc_auc(where, np.concatenate([doubt, outside])):21.3f}")  # fmt: skip
    assert rejection_auc(right, doubt) > right.mean()
    if not FAST:
        note(f"accuracy of {name}", right.mean())
        note(f"calibration error of {name}", calibration_error(test[1], mean))
        note(f"area of {name}", roc_auc(where, np.concatenate([doubt, outside])))
if FAST and figures("30"):
    print("recorded at full length, accuracy and AUROC:")
    for name in kinds:
        kept = [figures("30")[f"{what} of {name}"] for what in ("accuracy", "area")]
        print(f"{name:20} {kept[0]:9.3f} {kept[1]:.3f}")

# %% [markdown]
# At full length all three are right on 0.9995 (recorded: accuracy of settled) of the digits: on
# easy ones it is no worse to be settled. But of images that are none the settled network knows next
# to nothing, an area of 0.54 (recorded: area of settled); Bayes by backprop has 0.96 (recorded:
# area of Bayes by backprop), Monte-Carlo dropout 0.98 (recorded: area of MC dropout).
#
# The mean of the draws is the prediction; a single draw is worse than the mean. How sure the draws
# are *of an image* is in their votes on this image.
#
# **Before you run**: 30 drawn networks vote on the digit that they are surest of, and on the
# stranger that they disagree about most. How will the votes be spread?
#
# (Ten classes need ten bins, with edges at -0.5, 0.5, ... 9.5: with the edges 0 ... 9 there are
# nine, and 8 and 9 fall into one.)

# %%
bayes = said["Bayes by backprop"]
each = [accuracy(test[1], p.argmax(axis=1)) for p in bayes]
print(f"30 draws: {min(each):.3f} ... {max(each):.3f}; their mean {np.mean(each):.3f}, the "
      f"prediction {accuracy(test[1], bayes.mean(axis=0).argmax(axis=1)):.3f}")  # fmt: skip
strange = elsewhere["Bayes by backprop"]
sure = int(entropy(bayes.mean(axis=0)).argmin())
odd = int(uncertainty(strange)[1].argmax())
edges = np.arange(11) - 0.5
figure, axes = plt.subplots(1, 4, figsize=(10, 2.6), width_ratios=(1, 2, 1, 2))
for k, (picture, votes, title) in enumerate((
    (test[0][sure], bayes[:, sure].argmax(axis=1), f"a {test[1][sure]}"),
    (other[odd], strange[:, odd].argmax(axis=1), "no digit"),
)):  # fmt: skip
    drawing.blank(axes[2 * k], title).imshow(picture.reshape(8, 8), cmap="gray")
    axes[2 * k + 1].hist(votes, edges, color=(BLUE, ORANGE)[k], rwidth=0.8)
    axes[2 * k + 1].set(xticks=range(10), xlabel="predicted", title="30 votes", ylim=(0, 31))
drawing.save(
    figure,
    "30_votes.png",
    alt="A digit with a histogram of 30 votes, all for one class, and an image that is no "
    "digit with votes for several.",
)

# %% [markdown]
# ![Votes on a digit and on none](../docs/figures/30_votes.png)
#
# ## Are the numbers true? And is doubt worth something?
#
# *Calibration*: of what is said with 80 %, 80 % should be right. Sort the answers into bins by how
# sure they were, and compare each bin's mean confidence with the share that is right. The expected
# calibration error is the mean distance of the two, weighted by how many samples a bin has.
#
# *Rejection*: leave out the most doubtful first; the accuracy of the rest should rise. The area
# under that curve asks more than a calibration error does. A classifier that always says the
# frequencies of the classes is perfectly calibrated, and its doubt is worth nothing.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
axes[0].plot([0, 1], [0, 1], "--", color=MUTED)
for (name, p), colour in zip(said.items(), (BLUE, ORANGE, GREEN), strict=True):
    mean = p.mean(axis=0)
    curve = calibration_curve(test[1], mean, 8)
    there = curve.samples > 0
    axes[0].plot(curve.confidence[there], curve.accuracy[there], "o-", color=colour, label=name)
    kept = rejection_curve((mean.argmax(axis=1) == test[1]).astype(int), entropy(mean))
    axes[1].plot(kept.rejected, kept.accuracy, color=colour, label=name)
axes[0].set(xlabel="confidence", ylabel="share that is right")
axes[1].set(xlabel="share rejected", ylabel="accuracy of the rest")
axes[0].legend()
drawing.save(
    figure,
    "30_worth.png",
    alt="Left: share that is right against confidence for three classifiers, beside the "
    "diagonal. Right: accuracy of the rest against the share rejected, rising to 1.",
)

# %% [markdown]
# ![Calibration and rejection](../docs/figures/30_worth.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/30.py`. Try first.
#
# 1. By hand: two networks say (1, 0) and (0, 1). What are H, the mean of their entropies, and I?
#    And if both say (1/2, 1/2)?
# 2. Three coins show heads with the probabilities 0.2, 0.5 and 0.8; one was taken, each with
#    probability 1/3, and showed heads three times. What is the posterior, and with which
#    probability is the next throw heads?
# 3. A coin of unknown bias p, every p equally probable before, shows heads in half of n throws. How
#    do H and I of the next throw change from n = 2 to n = 200? Which of them more data settle?
# 4. Why is the mean of the draws better than a draw? Show for the cross-entropy that the loss of
#    the mean answer is never above the mean of the losses.
# 5. Of 1,000 samples, 100 are of class 1. A classifier always says (0.9, 0.1). What is its
#    accuracy, its calibration error, and the area of its rejection curve?
#
# ## What to take along
#
# - Draw networks, average what they say, look at the entropy of the average.
# - Uncertainty has two parts; only one goes away with more data.
# - Put a plain logistic regression and the settled network beside every figure: on MNIST against
#   letters they do nearly as well. `tinydl reproduce bayes-softmax`, `bayes-mlp`, `dropout-mlp` do.
# - Bayesian in its weights is not Bayesian in its form: a drawn linear network is still linear, and
#   sure of bright images of anything.
#
# Go on with page 31: how much one thing tells of another.
