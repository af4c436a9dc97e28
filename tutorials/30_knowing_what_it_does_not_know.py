# %% [markdown]
# # 30. Knowing what it does not know
#
# A softmax says 0.99 for a digit, and 0.99 for a coat. Its numbers compare the classes with each
# other; whether any of them fits, nobody asked. This page gives weights a distribution in place of
# a value, draws networks from it, and measures whether their doubt is worth something: on digits,
# and on pictures of something else.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

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
# Bayes' rule for weights: P(w | data) = P(data | w) P(w) / P(data). One class against another, one
# number x: of a softmax regression only a slope and an offset matter, so the posterior is a
# landscape over a plane, and a grid can hold it. The variational posterior q, a Gaussian for each
# weight, is fitted to it by lifting
#
# ELBO = E_q log P(data | w) - KL(q || P(w)) = log P(data) - KL(q || P(w | data)).
#
# The distance from the evidence log P(data) is the distance of q from the posterior, nothing else.


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
drawing.save(figure, "30_posterior.png")

# %% [markdown]
# ## Far from everything
#
# Three clouds of points. A settled network divides the whole plane among them, and is sure of its
# share out to infinity. Networks drawn from q agree where there were points, and disagree where
# there were none. What they disagree about is the mutual information of class and weights,
#
# I = H(mean of what they say) - mean of H(what each says):
#
# it is what more data would settle. Between the clouds H is large and I small: there the points
# themselves overlap.

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
drawing.save(figure, "30_plane.png")
far = np.abs(plane).max(axis=1) > 4
print(f"far away: H settled {maps['H of one settled network'][far].mean():.3f}, "
      f"drawn {total[far].mean():.3f} nats")  # fmt: skip
assert total[far].mean() > maps["H of one settled network"][far].mean()

# %% [markdown]
# ## Digits, and what is none
#
# Three classifiers: a settled one, Bayes by backprop (a Gaussian for each weight), and Monte-Carlo
# dropout (units are dropped in prediction as in training; each pass is another network). Pictures
# of something else: two digits on top of each other, turned upside down.

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

# %% [markdown]
# On these easy digits the settled network is the most accurate, and knows the least of pictures
# that are none.
#
# The mean of the draws is the prediction; a single draw is worse than the mean. That all draws have
# about the same accuracy says how wide the posterior is, not how sure they are of a picture: that
# is in the votes on this picture. Ten classes need ten bins: edges at -0.5, 0.5, ... 9.5. With the
# edges 0 ... 9 that a book prints, 8 and 9 fall into the same bin.

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
drawing.save(figure, "30_votes.png")

# %% [markdown]
# ## Are the numbers true? And is doubt worth something?
#
# Calibration: of what is said with 80 %, 80 % should be right. The expected calibration error is
# the mean distance from the diagonal, weighted by how many samples a bin has. Rejection: leave out
# the most doubtful first; the accuracy of the rest should rise. The area under that curve is a
# better number than a calibration error, which a classifier has at 0 that always says the
# frequencies of the classes.

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
drawing.save(figure, "30_worth.png")

# %% [markdown]
# ## What to take along
#
# - Draw networks, average what they say, look at the entropy of the average.
# - Uncertainty has two parts; only one goes away with more data.
# - Put a plain logistic regression and the settled network beside every figure: on MNIST against
#   letters they do nearly as well. `tinydl reproduce bayes-softmax`, `bayes-mlp`, `dropout-mlp` do.
# - Bayesian in its weights is not Bayesian in its form: a drawn linear network is still linear, and
#   sure of bright pictures of anything.
