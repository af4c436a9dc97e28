# %% [markdown]
# # 22. Five autoencoders and the frauds
#
# **You need**: a *hidden layer* (page 13), *overfitting* (page 40), a *Jacobian* (page 3).
#
# **You will be able to** use a network without labels to find what is unusual; read an ROC curve
# and a precision-recall curve, and say when which misleads; choose a threshold without a leak; and
# compare two methods on ten splits.
#
# An *autoencoder* gives back what it is shown, through a hidden layer that is called the *code*.
# Its loss is the mean squared difference of input and output, so it needs no label. Trained on
# ordinary payments alone it learns what ordinary is; a payment that comes back badly is suspect.
# Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019, chapter 3; "the book" on
# this page) build three kinds and describe a fourth. This page runs them and a fifth on the same
# splits, and gives each a rival that has no network at all.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt

import tinydl
from tinydl import Generator, Tensor
from tinydl.baselines import beside
from tinydl.errors import DataError
from tinydl.metrics import average_precision, confusion_matrix, precision_recall_curve, roc_curve
from tinydl.models import ContractiveAutoencoder
from tinydl.models.autoencoders.contractive import books_contraction, jacobian_norm
from tinydl.models.autoencoders.denoising import MaskNoise
from tinydl.programs.anomalies import SHARED, beyond, errors, norm
from tinydl.recipes import RECIPES
from tinydl.runs.reproduce import load_measured
from tinydl.runs.run import Settings, begin

NAMES = (
    "fraud-autoencoder", "fraud-deep", "fraud-sparse", "fraud-denoising", "fraud-contractive",
)  # fmt: skip
SPLITS = 2 if FAST else 10


def recipe_of(name: str):
    """The recipe, on made-up payments where the real ones are missing or time is short."""
    recipe = RECIPES[name]
    if FAST:
        return recipe.replaced(dataset="drawn_payments", epochs=12)
    try:
        recipe.program.load(recipe, Settings())
    except DataError as error:
        print(f"{error}: made-up payments instead")
        return recipe.replaced(dataset="drawn_payments")
    return recipe


# %% [markdown]
# ## Who sees what
#
# Ordinary payments of the training part train, and every column is standardised by them: the mean
# is subtracted, and what is left divided by the standard deviation. The book computes both over all
# rows, before the split: then the test part has had its say. A tenth of a deviation here or there
# hardly moves the figures, but a page that leaks cannot know that.
#
# Two test parts: frauds split like the rest, and as the book has it all of the table's frauds.
# Precision depends on how many frauds there are to find, so the second is always the larger
# number. Neither compares with the book's, whose frauds are one payment in 116.
#
# The real table (credit card payments of 2013) is used where it is at hand, in full mode;
# else made-up payments, on which the rivals are very good. For those the page prints what was
# recorded on the real ones.

# %%
training = begin(recipe_of("fraud-autoencoder"))
data = training.data
print(training.split())
x, y = data.tests[SHARED]
assert abs(data.train.mean(axis=0)).max() < 1e-3 and not np.isclose(x[y == 1].mean(), 0, atol=0.01)

# %% [markdown]
# ## The rival without a network
#
# How far is a payment from the mean payment, in deviations? That is one line, `norm`. The other
# rival is linear: what the first k principal components leave of a payment. (These are the k
# directions along which the payments differ most; what is left is what they do not explain. It is
# the best that any autoencoder without activation functions and with k code units can do.)
#
# How are such scores judged? Not by accuracy: of the payments of a bank perhaps two in a thousand
# are frauds, and "all honest" is right for 99.8 %. Two pictures are better. Let the threshold fall
# from high to low; more and more payments raise an alarm. The *ROC curve* draws the share of frauds
# found over the share of *honest* payments that raise an alarm. Precision and recall, from page 17,
# draw the share of *alarms* that are frauds over the share of frauds found. The first does not know
# how rare frauds are: with 0.2 % frauds, 1 % of false alarms among the honest are five for each
# fraud that is found. The second does.
#
# **Before you run**: what does the ROC curve of a score drawn by chance look like, and which area
# is below it? The book says that an area above 0.9 comes "without an intelligent model", because
# frauds are rare. Can that be?

# %%
training.fit()
scores = {
    "norm": norm(x),
    "15 components": beyond(data.train, 15)(x),
    "autoencoder": errors(training.model, x),
    "chance": Generator(0).uniform(len(y)),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
for (name, values), colour in zip(scores.items(), (MUTED, GREEN, BLUE, ORANGE), strict=True):
    roc, pr = roc_curve(y, values), precision_recall_curve(y, values)
    axes[0].plot(roc.false_positive_rate, roc.true_positive_rate, color=colour, label=name)
    label = f"{name}, average precision {average_precision(y, values):.3f}"
    axes[1].step(pr.recall, pr.precision, where="post", color=colour, label=label)
axes[0].set_xlabel("share of honest payments that raise an alarm")
axes[0].set_ylabel("share of frauds found")
axes[1].set_xlabel("share of frauds found (recall)")
axes[1].set_ylabel("share of alarms that are frauds (precision)")
axes[0].legend(loc="lower right", fontsize=8)
axes[1].legend(loc="center left", bbox_to_anchor=(0.02, 0.35), fontsize=8)
drawing.save(
    figure,
    "22_curves.png",
    alt="Left, ROC curves: chance on the diagonal, the norm, the components and the autoencoder "
    "near the upper left corner. Right, precision over recall: the three differ, chance is at the "
    "bottom.",
)
assert average_precision(y, scores["autoencoder"]) > 3 * y.mean()

# %% [markdown]
# ![ROC and precision-recall curves](../docs/figures/22_curves.png)
#
# Chance lies on the diagonal and has an area of 0.5, however rare frauds are. The norm's area is
# large because that one line is a good detector; rarity has nothing to do with it. On the left all
# three look alike; on the right they differ.
#
# ## A threshold belongs to its point
#
# precision[i] and recall[i] are those of thresholds[i]; at the end stands one more point, recall 0
# and precision 1, which has no threshold. (Who drops the first point instead of that one shifts the
# whole plot by one.)
#
# Which threshold to use must not be read off the test part (page 40 said why). Here 3 % of the
# training payments, honest ones all, may raise an alarm.

# %%
own = scores["autoencoder"]
curve = precision_recall_curve(y, own)
limit = float(np.quantile(errors(training.model, data.train), 0.97))
for k in (0, len(curve.thresholds) // 2):  # by counting
    above = own >= curve.thresholds[k]
    assert curve.precision[k] == y[above].mean() and curve.recall[k] == y[above].sum() / y.sum()
matrix = confusion_matrix(y, (own > limit).astype(np.int64), 2)
print(f"threshold {limit:.3g}: {matrix[1, 1]} of {matrix[1].sum()} frauds found, "
      f"{matrix[0, 1]} false alarms among {matrix[0].sum():,}")  # fmt: skip

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), width_ratios=(2, 1))
axes[0].semilogx(curve.thresholds, curve.precision[:-1], color=BLUE, label="precision")
axes[0].semilogx(curve.thresholds, curve.recall[:-1], color=ORANGE, label="recall")
axes[0].axvline(limit, color=MUTED, linestyle="--", linewidth=1)
axes[0].set_xlabel("threshold: mean squared error of a payment")
axes[0].legend()
drawing.blank(axes[1])
drawing.draw_cells(axes[1], matrix, colors={(0, 0): drawing.PALE_BLUE, (1, 1): drawing.PALE_BLUE})
axes[1].text(-0.15, -0.5, "honest", ha="right", va="center", fontsize=9)
axes[1].text(-0.15, -1.5, "fraud", ha="right", va="center", fontsize=9)
axes[1].text(0.5, 0.1, "passes", ha="center", fontsize=9)
axes[1].text(1.5, 0.1, "alarm", ha="center", fontsize=9)
axes[1].text(1.0, -2.3, "at the dashed line", ha="center", fontsize=9)
drawing.save(
    figure,
    "22_thresholds.png",
    alt="Precision and recall over the threshold, with a dashed line where 3 % of the honest "
    "training payments raise an alarm; beside it the table of honest and fraud, passes and alarm.",
)

# %% [markdown]
# ![Precision and recall over thresholds](../docs/figures/22_thresholds.png)
#
# ## Five ways not to learn the identity
#
# 29 numbers through a code of 40: nothing forces such a network to learn anything but to copy its
# input, and then frauds come back as well as everything else. What keeps it from that differs.
#
# - *plain* and *deep*: only that training ends early, before it has learned to copy what is rare
# - *sparse*: a price on every code unit that is not 0, so few may be used for any one payment
#   (summed over the batch or divided by it: 64 times as strong or as weak, under one name)
# - *denoising*: three in ten numbers are hidden, and have to be guessed from the others
# - *contractive*: a price on how much the code moves when the payment does: the sum of the squares
#   of the Jacobian of code by input
#
# **Before you run**: the price of the last is a derivative, and training needs its gradient. What
# is differentiated how often? For one layer with sigmoid, code h = sigmoid(x W + b), what is
# dh_j/dx_i?
#
# dh_j/dx_i = h_j (1 - h_j) W_ij, so the price is the sum over j of (h_j (1 - h_j))^2 times the sum
# over i of W_ij^2. Training differentiates that once more: the slope of a slope. The graph can do
# both, and must agree with the formula. (For ReLU the slope is 1 or 0 instead of h (1 - h). The
# book uses the sigmoid's for ReLU and holds the first weights fixed in it; that is the slope of
# nothing, as the last column shows.)

# %%
tinydl.seed(0)
for activation in ("sigmoid", "relu"):
    small = ContractiveAutoencoder(29, 8, activation=activation).astype("float64")
    rows = Tensor(data.train[:20].astype(np.float64))
    first = Tensor(small.encoder[0].weight.numpy().copy())
    small.encoder[0].weight.assign(1.2 * first.numpy())  # as if it had learnt
    formula, walked = small.contraction(rows).numpy(), jacobian_norm(small.encoder, rows).numpy()
    book = books_contraction(small, rows, first).numpy()
    wrong = [abs(other - walked).max() for other in (formula, book)]
    print(f"{activation:<8} differs from the double derivative: formula by {wrong[0]:.0e}, the "
          f"book's by {wrong[1]:.1e}")  # fmt: skip
    assert abs(formula - walked).max() < 1e-9 * walked.max()
damaged = MaskNoise(0.3)(Tensor(np.ones((1_000, 29), np.float32)), Generator(0)).numpy()
assert abs((damaged == 0).mean() - 0.3) < 0.02

# %% [markdown]
# ## Ten splits
#
# One split has 98 frauds, and the average precision of one method (page 17) swings by 0.03 from
# split to split. So every method runs on the same ten, and what counts is the difference on each: a
# split that is hard for one is hard for its rival too, and the difference does not mind. (The
# sparse one has a twentieth of the rows, as in the book: its rivals have too.)
#
# **Before you run**: will the networks beat the one line? All of them?

# %%
table = {}
for name in NAMES:
    recipe = recipe_of(name)
    loaded = recipe.program.load(recipe, Settings())
    own, rivals = [], []
    for seed in range(SPLITS):
        one = begin(recipe, Settings(seed), loaded)
        found = {k: v["average_precision"] for k, v in beside(one).items()}
        one.fit()
        own.append(one.measure()["average_precision"])
        rivals.append(found)
    best = max(rivals[0], key=lambda k: np.mean([r[k] for r in rivals]))
    away = np.array([o - r[best] for o, r in zip(own, rivals, strict=True)])
    table[name] = (np.mean(own), np.mean([r["row norm"] for r in rivals]),
                   np.mean([r[best] for r in rivals]), away.mean(),
                   away.std(ddof=1) / np.sqrt(SPLITS))  # fmt: skip
    print(f"{name:<18} {table[name][0]:.3f}, norm {table[name][1]:.3f}, best rival ({best}) "
          f"{table[name][2]:.3f}: {away.mean():+.3f} +- {table[name][4]:.3f}")  # fmt: skip

print("\nrecorded on the real payments, ten splits: average precision, above the best rival")
measured = load_measured()
for name in NAMES:
    rivals_there = {k: v["average_precision"] for k, v in measured[name]["baselines"].items()}
    rival = max(rivals_there, key=rivals_there.get)
    margin = measured[name]["margins"][rival]
    print(f"{name:<18} {measured[name]['test']:.3f}, best rival ({rival}) ", end="")
    print(f"{rivals_there[rival]:.3f}: {margin['mean']:+.3f} +- {margin['error']:.3f}")
    assert margin["mean"] > 2 * margin["error"]

figure, ax = plt.subplots(figsize=(7.5, 3))
for k, (*_, more, error) in enumerate(table.values()):
    ax.errorbar(more, -k, xerr=error, color=BLUE, marker="o", capsize=3)
ax.set_yticks([-k for k in range(len(table))], [f"{n} ({t[0]:.3f})" for n, t in table.items()])
ax.axvline(0, color=VIOLET, linewidth=1)
ax.set_xlabel("average precision above the best rival on the same splits, with standard error")
ax.set_ylim(-len(table) + 0.4, 0.6)
drawing.save(
    figure,
    "22_splits.png",
    alt="Five autoencoders, each with the mean difference of average precision to its best rival "
    "on the same splits, and its standard error as a bar.",
)
assert all(mean > 0.2 for mean, *_ in table.values())

# %% [markdown]
# ![Five autoencoders above their best rival](../docs/figures/22_splits.png)
#
# On the real payments, which the kept picture shows, every one of the five passes its best rival by
# more than two standard errors, the denoising one by most; the price on code units that are not 0
# brings nothing that ten splits could tell; and by the area under the ROC curve the plain one does
# not pass the norm. `tinydl reproduce NAME --record` keeps these margins. On made-up payments,
# whose frauds are simply far away, the one line is as good as any network.
#
# ## Exercises
#
# Answers are in `tutorials/answers/22.py`. Try first.
#
# 1. By hand: scores 0.9, 0.8, 0.7, 0.6, of which the first and the third are frauds. Which points
#    have the ROC curve and the precision-recall curve?
# 2. By hand: of 100,000 payments 200 are frauds. A detector finds 160 of them with 1 % of the
#    honest ones as false alarms. What are recall and precision?
# 3. An autoencoder of one linear layer down to 29 code units and one linear layer back: what loss
#    can it reach, and how good a detector is it then?
# 4. Derive the slope dh/dx of h = tanh(x W), and with it the contractive price of one layer.
# 5. Two methods have 0.85 +- 0.03 and 0.87 +- 0.03 over ten splits. Is there nothing to tell
#    between them? What would you compute?
#
# ## What to take along
#
# - Before you train a detector, sort by distance from the mean.
# - What is learnt from the test part is a leak, even if it is a mean.
# - With rare frauds look at precision and recall, and say how rare they are.
# - One split is one draw. Compare on the same ones, and give the error of the difference.
#
# Go on with page 23: a code from which one can draw.
