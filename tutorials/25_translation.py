# %% [markdown]
# # 25. Pictures from pictures: with pairs, and without
#
# A generator need not begin with noise. Given a picture of one kind, it can make one of another:
# a photograph of a drawing, one hand's digits of another's. With pairs (pix2pix) there is a right
# answer to compare with, and the question is what a critic adds to the comparison. Without pairs
# (CycleGAN) there is none, and the question is what keeps the translation from being about
# something else.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import Batches, factor_pictures, sobel_edges, synthetic_digits
from tinydl.metrics import confusion_matrix
from tinydl.models import CycleGAN, Pix2Pix
from tinydl.optim import Adam
from tinydl.programs.translators import Pool

# %% [markdown]
# ## Pairs whose answer is not in the question
#
# Outlines of shapes, and the shapes themselves, half of them filled dark and half of them bright.
# The outline is the same for both. The mean absolute difference has its least value at the median
# of the answers, the squared one at their mean: for such a question, a grey that no picture has.

# %%
SIDE = 16
made = factor_pictures(SIDE, 5 if FAST else 7)
rng = np.random.default_rng(0)
shapes = np.concatenate([made.x, made.x])
bright = rng.permutation(np.repeat([0.4, 1.0], len(made.x)))
outlines = sobel_edges(shapes[..., 0])[..., None]
filled = (shapes * bright[:, None, None, None]).astype(np.float32)
x, y = 2 * outlines - 1, 2 * filled - 1
inside = shapes[..., 0] > 0


def learnt(adversarial, weight, epochs):
    """A translator of outlines, its pictures in [0, 1]."""
    tinydl.seed(1)
    model = Pix2Pix(
        1, 1, widths=(16, 32, 32), critic_widths=(16, 32), dropouts=2, weight=weight,
        adversarial=adversarial,
    )  # fmt: skip
    critic, generator = (
        Adam(m.named_parameters(), 0.002, 0.5) for m in (model.critic, model.generator)
    )
    noise = Generator(2)
    for _ in range(epochs):
        for batch in Batches((x, y), 25, rng=noise, drop_last=True):
            pair = [Tensor(array) for array in batch]
            for optimizer, loss in (
                (critic, model.critic_loss), (generator, model.generator_loss)
            ):  # fmt: skip
                optimizer.zero_grad()
                loss(*pair, noise).backward()
                optimizer.step()
    model.train()  # dropout is the only noise that there is
    with no_grad():
        return (model(Tensor(x)).numpy() + 1) / 2


EPOCHS = 8 if FAST else 40
results = {
    "the difference alone": learnt(0.0, 1.0, EPOCHS),
    "difference and critic": learnt(1.0, 3.0, EPOCHS),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3))
for ax, (name, pictures) in zip(axes, results.items(), strict=True):
    values = np.array([p[m].mean() for p, m in zip(pictures[..., 0], inside, strict=True)])
    away = np.abs(pictures - filled).mean()
    between = ((values > 0.5) & (values < 0.9)).mean()
    print(f"{name}: L1 {away:.3f}; {100 * between:.0f} % of the shapes are of a grey in between")
    ax.hist(values, np.linspace(0, 1.1, 34), color=BLUE)
    for level in (0.4, 1.0):
        ax.axvline(level, color=ORANGE)
    ax.set_title(name)
    ax.set_xlabel("mean brightness of a shape")
drawing.save(figure, "25_brightness.png")

figure, axes = plt.subplots(4, 10, figsize=(9, 3.8))
chosen = rng.permutation(len(x))[:10]
for row, pictures in zip(axes, (outlines, *results.values(), filled), strict=True):
    for ax, k in zip(row, chosen, strict=True):
        drawing.blank(ax).imshow(pictures[k, ..., 0], cmap="gray", vmin=0, vmax=1)
drawing.save(figure, "25_pairs.png")
assert all(np.abs(p - filled).mean() < np.abs(outlines - filled).mean() for p in results.values())

# %% [markdown]
# Orange lines: the only brightnesses there are. A critic of patches sees at once that a grey one is
# wrong, whichever of the two was meant; the difference cannot see that. So L1 is the wrong ruler
# for what the critic adds: on Fashion-MNIST (`pix2pix-fashion`, and `pix2pix-fashion/l1` without
# the critic's word) a classifier of real clothes is asked as well.
#
# ## Without pairs
#
# Two heaps of pictures: digits, and digits in negative, none of them belonging together. A critic
# for either heap asks that translations look like its own. That alone is not enough: a generator
# that makes a fine 3 of every 8 would satisfy it. CycleGAN asks in addition that F(G(x)) = x. What
# cannot be undone is forbidden; what can be undone is not, and a generator that exchanges 3s and 8s
# both ways is as good as one that does not. Which one comes out is left to the networks' first
# guess and to what is easiest, so it has to be measured: with the matrix of what became what.

# %%
digits = synthetic_digits(300 if FAST else 1_200, Generator(25), size=8, noise=0.05)
first = (2 * digits.x - 1)[..., None].astype(np.float32)
second = (1 - 2 * synthetic_digits(len(first), Generator(26), size=8, noise=0.05).x)[..., None]
second = second.astype(np.float32)
means = np.stack([first[digits.y == k].mean(axis=0) for k in range(10)])


def class_of(negatives):
    """The nearest mean digit of pictures turned back by hand."""
    return ((-negatives[:, None] - means) ** 2).sum(axis=(2, 3, 4)).argmin(axis=1)


tinydl.seed(4)
model = CycleGAN(1, 1, widths=(8, 16), blocks=1, critic_widths=(16, 32))
critic, generator = (
    Adam(m.named_parameters(), 0.002, 0.5) for m in (model.critic, model.generator)
)
pool, noise = Pool(50, [(8, 8, 1), (8, 8, 1)], "float32"), Generator(5)
course = []
for _ in range(4 if FAST else 25):
    others = noise.permutation(len(second))
    order = noise.permutation(len(first))
    for n in range(0, len(first) - 19, 20):
        pair = Tensor(first[order[n : n + 20]]), Tensor(second[others[n : n + 20]])
        older = pool.exchanged([f.numpy() for f in model.fakes(*pair)], noise)
        critic.zero_grad()
        model.critic_loss(*pair, noise, tuple(map(Tensor, older))).backward()
        critic.step()
        generator.zero_grad()
        model.generator_loss(*pair, noise).backward()
        generator.step()
    there = model.translate(Tensor(first))
    back = model.translate_back(there).numpy()
    kept = (class_of(there.numpy()) == digits.y).mean()
    course.append((np.abs(back - first).mean() / 2, np.abs(there.numpy() + first).mean() / 2, kept))
print("cycle L1, distance from the true negative, classes kept:")
print(np.round(course, 3)[:: max(1, len(course) // 5)])
assert course[-1][0] < course[0][0]

table = confusion_matrix(digits.y, class_of(there.numpy()), 10)
figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), width_ratios=(1.1, 1, 1.3))
for k, (name, colour) in enumerate(
    (("|F(G(x)) - x|", BLUE), ("|G(x) - true negative|", ORANGE), ("share of classes kept", GREEN))
):
    axes[0].plot(range(1, len(course) + 1), [c[k] for c in course], color=colour, label=name)
axes[0].set_xlabel("epoch")
axes[0].set_ylim(0, 1.05)
axes[0].legend(fontsize=8)
axes[1].imshow(table, cmap="Blues")
axes[1].grid(False)
axes[1].set(xlabel="what it became", ylabel="digit", xticks=range(10), yticks=range(10))
rows = [first[:10], there.numpy()[:10], back[:10]]
page = np.concatenate([np.pad(r[..., 0], ((0, 0), (0, 1), (0, 1))) for r in rows])
page = page.reshape(3, 10, 9, 9).swapaxes(1, 2).reshape(27, 90)
drawing.blank(axes[2], "x, G(x), F(G(x))").imshow(page, cmap="gray")
drawing.save(figure, "25_cycle.png")

# %% [markdown]
# That x comes back says little: it also does where G writes x down in a way of its own, which F can
# read. (In large networks it hides in noise too faint to see, Chu et al. 2017.) What is on the
# other side has to be looked at by somebody who was not trained along.
#
# The pool is the paper's fifty older pictures: a critic that sees the newest ones only forgets what
# it has already learnt to reject, and the two networks walk in circles.

# %%
counts = np.bincount(class_of(there.numpy()), minlength=10) / len(first)
figure, ax = plt.subplots(figsize=(5.6, 2.6))
ax.bar(np.arange(10) - 0.2, np.bincount(digits.y, minlength=10) / len(first), 0.4, color=MUTED,
       label="digits")  # fmt: skip
ax.bar(np.arange(10) + 0.2, counts, 0.4, color=BLUE, label="their translations")
ax.set_xticks(range(10))
ax.legend(fontsize=8, ncol=2, loc="upper left", bbox_to_anchor=(0, 1.2))
drawing.save(figure, "25_shares.png")

# %% [markdown]
# ## On real pictures
#
# `tinydl train cyclegan-digits`: MNIST's digits become Semeion's, binary and from other people, and
# a classifier that has seen nothing but Semeion names them. The digit itself, cut to its ink, made
# smaller and thresholded, is the baseline: it is a good one.
#
# ## What to take along
#
# - A difference draws the middle of what it does not know; a critic draws one of the answers.
# - To come back is necessary, not sufficient. Measure what was kept.
# - Put the simplest translation beside the learnt one.
