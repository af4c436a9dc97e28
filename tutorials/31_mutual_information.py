# %% [markdown]
# # 31. Mutual information: how far two things are from independent
#
# I(x; y) = E log p(x, y) / (p(x) p(y)): the nats that y tells of x. It sees every dependence, and
# needs densities that nobody has. This page estimates it with a network (MINE), finds where every
# such estimate must fail, and then raises it: clusters are what a picture and its changed copy can
# tell each other (IIC), without one label.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import CorrelatedGaussians, blobs, synthetic_digits
from tinydl.metrics import assignment, clustering_accuracy, confusion_matrix
from tinydl.models import IIC, MINE
from tinydl.models.information.k_means import k_means, nearest
from tinydl.models.information.mine import donsker_varadhan, infonce
from tinydl.nn import looking
from tinydl.optim import Adam
from tinydl.programs.clustering import warped

# %% [markdown]
# ## A bound that any function gives
#
# For every function T: I(x; y) >= E_joint T - log E_product e^T (Donsker and Varadhan). Pairs that
# belong together are rows of the data; pairs that do not are made by exchanging partners. MINE lets
# a network be T and lifts the bound. Two correlated normal numbers have a closed form to compare
# with, -1/2 log(1 - rho^2).

# %%
curves = {}
for rho in (0.5, 0.9):
    tinydl.seed(0)
    pairs, rng = CorrelatedGaussians(1, rho), Generator(1)
    model = MINE((1, 1), (32, 32))
    optimizer, course = Adam(model.named_parameters(), 0.005), []
    for _ in range(150 if FAST else 600):
        loss = model.loss(*map(Tensor, pairs.draw(48, rng)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        course.append(-loss.item())
    with no_grad():
        looks = [model.information(*map(Tensor, pairs.draw(300, rng))).item() for _ in range(10)]
    print(f"rho {rho}: closed form {pairs.information:.3f}, MINE {np.mean(looks):.3f} nats")
    assert abs(np.mean(looks) - pairs.information) < 0.1
    curves[rho] = course, pairs.information
figure, ax = plt.subplots(figsize=(6, 3.2))
for (rho, (course, truth)), colour in zip(curves.items(), (BLUE, ORANGE), strict=True):
    ax.plot(course, color=colour, linewidth=0.8, label=f"rho = {rho}")
    ax.axhline(truth, color=colour, linestyle="--")
ax.set(xlabel="step", ylabel="bound of 48 pairs, nats")
ax.legend()
drawing.save(figure, "31_mine.png")

# %% [markdown]
# ## The ceiling
#
# Twenty correlated pairs of numbers, rho 0.9: 16.6 nats. Now no network is to blame: T is the exact
# log ratio of the densities, the best there is. With N rows, e^T of pairs that do not belong
# together has the mean 1, but that mean hangs on pairs so rare that none is among N (N - 1). What
# is missing there is missing in the estimate: the bound of Donsker and Varadhan comes out too large
# here, too small where a network was trained for T, and scatters. InfoNCE asks instead for the own
# y among N; an answer to a question with N choices holds log N nats at most. No estimate that is
# sure to lie below the truth can pass about log N (McAllester and Stratos 2020).


# %%
def exact_scores(x, y, rho):
    """log p(x, y) / p(x) p(y) of every x with every y, (N, N)."""
    a, b = x[:, None].astype(np.float64), y[None].astype(np.float64)
    q = 1 - rho**2
    inside = (rho**2 * (a**2 + b**2) - 2 * rho * a * b) / (2 * q)
    return -(0.5 * np.log(q) + inside).sum(axis=2)


sizes, rng = (8, 16, 32, 64, 128, 256), Generator(3)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.5))
for ax, rho in zip(axes, (0.2, 0.5, 0.9), strict=True):
    pairs = CorrelatedGaussians(20, rho)
    for bound, colour in ((donsker_varadhan, ORANGE), (infonce, BLUE)):
        found = np.array([
            [bound(Tensor(exact_scores(*pairs.draw(n, rng), rho))).item() for _ in range(8)]
            for n in sizes
        ])  # fmt: skip
        ax.errorbar(sizes, found.mean(axis=1), found.std(axis=1), color=colour, capsize=3,
                    label=bound.__name__.replace("_", " "))  # fmt: skip
        if bound is infonce:
            assert (found <= np.log(sizes)[:, None] + 1e-6).all()
    ax.plot(sizes, np.log(sizes), ":", color=MUTED, label="log N")
    ax.axhline(pairs.information, color=GREEN, linestyle="--", label="I")
    ax.set(xscale="log", xlabel="N", title=f"rho = {rho}: {pairs.information:.2f} nats")
axes[0].set_ylabel("nats")
axes[0].legend(fontsize=8)
drawing.save(figure, "31_ceiling.png")

# %% [markdown]
# ## Clusters without a network, and what they are called
#
# k-means in its two lines: every row to its nearest centre, every centre to the mean of its rows.
# Clusters have no names. The best naming is an assignment problem: choose one class for each
# cluster, all different, so that most samples agree. All 10! ways need not be tried: the Hungarian
# method adds one cluster after the other along the cheapest chain of exchanges.

# %%
clouds = blobs(300, 4, Generator(4), separation=3.0)
centres, near = k_means(clouds.x.astype(np.float64), clouds.x[:4].astype(np.float64), 20)
table = confusion_matrix(clouds.y, near, 4)
named = assignment(-table)  # the cluster of each class
print(table, "\nclass -> cluster", named.tolist(),
      f"{100 * clustering_accuracy(clouds.y, near, 4):.0f} % agree")  # fmt: skip
assert table[np.arange(4), named].sum() / 300 == clustering_accuracy(clouds.y, near, 4)

# %% [markdown]
# ## Clusters that raise what copies tell each other
#
# p and q are what a network says of a picture and of a changed copy: turned, moved, stretched. P =
# mean of p'q is the joint distribution of the two clusters; IIC raises I of that table. Raising it
# does two things at once: copies must fall into the same cluster (little is left open), and all
# clusters must be used (much is there to be told). One cluster for everything has I = 0.

# %%
digits = synthetic_digits(600 if FAST else 3_000, Generator(5), size=12)
x, y = digits.x[..., None].astype(np.float32), digits.y
tinydl.seed(2)
model = IIC((12, 12, 1), (16, 32), more=30, heads=3)
optimizer, rng, course = Adam(model.named_parameters(), 0.003), Generator(6), []
for _ in range(12 if FAST else 40):
    for more in (True, False):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 200):
            batch = x[order[start : start + 200]]
            copies = [Tensor(warped(batch, rng, 10.0, 0.1, 1.0)) for _ in range(2)]
            losses = model.losses(*copies, more)
            optimizer.zero_grad()
            ops.mean(losses).backward()
            optimizer.step()
    course.append(-losses.numpy())
with looking(model), no_grad():
    clusters = model(Tensor(x)).numpy().argmax(axis=2)
shares = [clustering_accuracy(y, own, 10) for own in clusters]
rows = x.reshape(len(x), -1).astype(np.float64)
pixels = clustering_accuracy(y, nearest(rows, k_means(rows, rows[:10], 30)[0]), 10)
print(f"IIC, three heads: {', '.join(f'{100 * s:.0f} %' for s in shares)}; "
      f"k-means of pixels {100 * pixels:.0f} %")  # fmt: skip
assert max(shares) > 0.25 and course[-1].mean() > course[0].mean()

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=(1.2, 1))
axes[0].plot(course)
axes[0].axhline(np.log(10), color=MUTED, linestyle="--", label="log 10: ten even, sure clusters")
axes[0].set(xlabel="epoch", ylabel="I of a picture and its copy, nats")
axes[0].legend()
best = clusters[int(np.argmax(shares))]
table = confusion_matrix(y, best, 10)
axes[1].imshow(table[:, assignment(-table)], cmap="Blues")
axes[1].grid(False)
axes[1].set(xticks=range(10), yticks=range(10), xlabel="cluster, named", ylabel="digit")
drawing.save(figure, "31_clusters.png")

# %% [markdown]
# ## What to take along
#
# - An estimate of mutual information is a bound with a ceiling near log N; look at its scatter.
# - What survives the changes is what gets clustered: turn too far, and 6 and 9 are one.
# - "Accuracy" of clusters is after the best naming, which needs the labels; name the baseline.
# - `tinydl reproduce mine-line`, `mine-twenty`, `iic-mnist` do it at full size: on MNIST k-means
#   of the pixels agrees in 49 %.
