# %% [markdown]
# # 31. Mutual information: how far two things are from independent
#
# **You need**: *softmax*, *cross-entropy* and *mini-batch* (page 40), a *divergence* (page 23), a
# *critic* (page 24), a *convolution* (page 5).
#
# **You will be able to** compute how much one thing tells of another, in nats; estimate it by a
# network, and say where every such estimate must fail; cluster by k-means; and train a network to
# cluster images without one label.
#
# How much does y tell of x? Correlation sees straight lines only. The *mutual information* compares
# what is with what would be if x and y had nothing to do with each other:
#
#     I(x; y) = E[ ln  p(x, y) / (p(x) p(y)) ]
#
# It is the divergence of the joint distribution from the product of the two: 0 if they are
# independent, and positive for a dependence of any form. Of two fair coins that always agree it is
# ln 2: one tells the other. It needs densities that nobody has. This page estimates it with a
# network (MINE), finds the ceiling of every such estimate, and then raises it: clusters are what an
# image and its changed copy can tell each other (IIC), without one label.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import figures, note

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
# For every function T of x and y,
#
#     I(x; y)  >=  E[T] over true pairs  -  ln E[e^T] over pairs with partners exchanged
#
# (Donsker and Varadhan). Why? Weigh the product distribution with e^T and divide by its mean: a
# distribution again. The divergence of the joint from *that* is not negative, and written out it is
# I minus the right side. It is 0 for T = ln p(x, y) / (p(x) p(y)), so the best T makes the bound
# exact.
#
# *MINE* (Belghazi et al. 2018) lets a network be T, a critic of pairs, and raises the bound by
# gradients. Pairs that belong together are rows of the data; pairs that do not are made by
# exchanging partners in a mini-batch. Two correlated normal numbers have a closed form to compare
# with, -1/2 ln(1 - rho^2).
#
# **Before you run**: rho = 0.5 and rho = 0.9: how many nats are that?

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
    if not FAST:
        note(f"MINE at rho {rho}", np.mean(looks))
    assert abs(np.mean(looks) - pairs.information) < 0.1
    curves[rho] = course, pairs.information
figure, ax = plt.subplots(figsize=(6, 3.2))
for (rho, (course, truth)), colour in zip(curves.items(), (BLUE, ORANGE), strict=True):
    ax.plot(course, color=colour, linewidth=0.8, label=f"rho = {rho}")
    ax.axhline(truth, color=colour, linestyle="--")
ax.set(xlabel="step", ylabel="bound of 48 pairs, nats")
ax.legend()
drawing.save(
    figure,
    "31_mine.png",
    alt="The bound by step for two correlations: noisy curves that rise to the dashed lines "
    "of the closed form.",
)

# %% [markdown]
# ![MINE and the closed form](../docs/figures/31_mine.png)
#
# ## The ceiling
#
# Twenty correlated pairs of numbers, rho 0.9: 16.6 nats. Now no network is to blame: T is the exact
# ln of the ratio, the best there is. The trouble is the second mean. Over *all* exchanged pairs e^T
# has the mean 1; but that mean hangs on exchanged pairs that happen to look like true ones, and
# those have the probability e^-16.6, one in 16 million. In a batch of N rows there are N (N - 1)
# exchanged pairs, and none of them is so. What is missing in the mean is missing in the estimate:
# the bound of Donsker and Varadhan comes out too large here (too small where a network was trained
# on the same batch), and scatters.
#
# *InfoNCE* (van den Oord et al. 2018) asks instead for the own y of each x among the N of the
# batch: the scores T of x with all N of them go into a softmax with N classes, and its
# cross-entropy is subtracted from ln N. An answer to a question with N choices holds ln N nats at
# most. It never says too much; it cannot say more than ln N. No estimate that is sure to lie below
# the truth can pass about ln N (McAllester and Stratos 2020).
#
# **Before you run**: with N = 256, which estimates at rho = 0.9 will be near 16.6?


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
    ax.plot(sizes, np.log(sizes), ":", color=MUTED, label="ln N")
    ax.axhline(pairs.information, color=GREEN, linestyle="--", label="I")
    ax.set(xscale="log", xlabel="N", title=f"rho = {rho}: {pairs.information:.2f} nats")
axes[0].set_ylabel("nats")
axes[0].legend(fontsize=8)
drawing.save(
    figure,
    "31_ceiling.png",
    alt="For rho 0.2, 0.5 and 0.9: two estimates with scatter against N, the line log N, and "
    "the true information. InfoNCE stays below log N; Donsker and Varadhan's scatters "
    "widely where the truth is far above.",
)

# %% [markdown]
# ![Two estimates and their ceiling](../docs/figures/31_ceiling.png)
#
# InfoNCE is not: 256 rows hold ln 256 = 5.5 nats. Donsker and Varadhan's comes near, from far above
# and with a scatter of several nats: too much for small batches, and nobody who does not know the
# truth can tell when it has come down far enough.
#
# ## Clusters without a network, and what they are called
#
# *k-means* in its two lines: every row to its nearest centre, every centre to the mean of its rows,
# again and again. Both lines make the sum of squared distances smaller or leave it, so it ends; not
# always at the best centres.
#
# Clusters have no names. To compare them with classes, give each cluster one class, all different,
# so that most samples agree. All 10! = 3,628,800 ways for ten need not be tried: the Hungarian
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
# An image and a copy of it, turned, moved, stretched, are of one class, whatever it is. So: a
# network with ten outputs and a softmax says p of the image and q of the copy; P = mean over the
# batch of p_i q_j is the joint distribution of the two clusters, a table of 10 x 10. Invariant
# information clustering (IIC, Ji et al. 2019) raises I of that table.
#
# **Before you run**: what is I if the network puts everything into one cluster? And at most, with
# ten? What must P look like then?
#
# Raising it does two things at once: copies must fall into the same cluster (little is left open),
# and all clusters must be used evenly (much is there to be told). One cluster for everything has I
# = 0; a diagonal with a tenth in each place has ln 10.

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
if not FAST:
    note("best head of IIC", max(shares))
    note("k-means of pixels", pixels)
elif figures("31"):
    kept = [100 * figures("31")[name] for name in ("best head of IIC", "k-means of pixels")]
    print(f"recorded at full length: best head {kept[0]:.0f} %, k-means {kept[1]:.0f} %")
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
drawing.save(
    figure,
    "31_clusters.png",
    alt="Left: the information of an image and its copy by epoch, three heads, below the line "
    "log 10. Right: which digit fell into which cluster, after naming.",
)

# %% [markdown]
# ![Clusters without labels](../docs/figures/31_clusters.png)
#
# With 3,000 digits and 40 epochs the best of three heads agrees with the labels in 50 % (recorded:
# best head of IIC) of the images, k-means of the pixels in 36 % (recorded: k-means of pixels). The
# picture says why not more: the best head uses five of its ten clusters, I stays far below ln 10,
# and 0, 6 and 8 are one to it. (Three heads are trained beside each other from other first weights;
# which is best is not known without labels.)
#
# ## Exercises
#
# Answers are in `tutorials/answers/31.py`. Try first.
#
# 1. By hand: P = ((0.4, 0.1), (0.1, 0.4)). What is I, in nats and in bits? What is it for ((0.25,
#    0.25), (0.25, 0.25))?
# 2. x is uniform on -1 ... 1 and y = x^2. What is their correlation? Is their mutual information 0?
#    Estimate it from a table of 10 x 10 cells.
# 3. Check the bound of Donsker and Varadhan on the table of exercise 1: for ten random T it must
#    lie below I, and for T = ln of the ratio it must be I.
# 4. How many rows must a batch have for InfoNCE to be able to say 16.6 nats?
# 5. By hand: three clusters and classes with the counts ((5, 2, 0), (4, 0, 1), (0, 3, 3)), rows are
#    classes. The first class likes cluster 1 best; which naming is best for all?
#
# ## What to take along
#
# - Mutual information sees every dependence; it is a divergence from independence.
# - Any function gives a bound, the best one the truth; an estimate has a ceiling near ln N. Look at
#   its scatter.
# - What survives the changes is what gets clustered: turn too far, and 6 and 9 are one.
# - "Accuracy" of clusters is after the best naming, which needs the labels; name the baseline.
#
# `tinydl reproduce mine-line`, `mine-twenty`, `iic-mnist` do it at full size: on MNIST k-means of
# the pixels agrees in 49 %. Go on with page 39: what a network looks at.
