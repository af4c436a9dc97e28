# %% [markdown]
# # 25. Pictures from pictures: with pairs, and without
#
# **You need**: a *critic* and a *generator* (page 24), a *convolution* (page 5), a *U-Net* (page
# 18), *dropout* (page 40).
#
# **You will be able to** say what a network trained by a mean difference answers when a question
# has two right answers, and what a critic adds; say what "translate there and back" forbids and
# what it does not; and find out whether a translation kept what it should.
#
# A generator need not begin with noise. Given an image of one kind, it can make one of another: a
# photograph of a drawing, one hand's digits of another's. With pairs (*pix2pix*, Isola et al. 2017)
# there is a right answer to compare with, and the question is what a critic adds to the comparison.
# Without pairs (*CycleGAN*, Zhu et al. 2017) there is none, and the question is what keeps the
# translation from being about something else.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import note

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
# Outlines of shapes, and the shapes themselves, half of them filled dark (0.4) and half of them
# bright (1.0). The outline is the same for both, so nothing in the question says which.
#
# The generator is a U-Net: down to small maps, because what is inside is decided by the whole
# outline, and up again with the maps of the way down laid beside, because edges must lie where they
# lay. Its loss has two parts: the mean absolute difference from the true answer, called L1, and
# what a critic says of the pair (outline, answer). The critic is a small convolutional network that
# judges patches, not the whole image: is this piece of an answer one that this piece of a question
# might have?
#
# **Before you run**: trained by the difference alone, which brightness will the network give? What
# is the best single answer to "0.4 or 1.0, by even chance", by the absolute difference and by the
# squared one?

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
    if not FAST:
        note(f"L1, {name}", away)
        note(f"grey, {name}", between)
    ax.hist(values, np.linspace(0, 1.1, 34), color=BLUE)
    for level in (0.4, 1.0):
        ax.axvline(level, color=ORANGE)
    ax.set_title(name)
    ax.set_xlabel("mean brightness of a shape")
drawing.save(
    figure,
    "25_brightness.png",
    alt="Two histograms of the brightness of shapes, with lines at 0.4 and 1.0: trained by "
    "the difference alone, and by difference and critic.",
)

figure, axes = plt.subplots(4, 10, figsize=(9, 3.8))
chosen = rng.permutation(len(x))[:10]
for row, pictures in zip(axes, (outlines, *results.values(), filled), strict=True):
    for ax, k in zip(row, chosen, strict=True):
        drawing.blank(ax).imshow(pictures[k, ..., 0], cmap="gray", vmin=0, vmax=1)
drawing.save(
    figure,
    "25_pairs.png",
    alt="Ten outlines, what two networks fill in, and the shapes themselves.",
)
assert all(np.abs(p - filled).mean() < np.abs(outlines - filled).mean() for p in results.values())

# %% [markdown]
# ![How bright shapes are filled](../docs/figures/25_brightness.png)
#
# ![Outlines, two answers, the truth](../docs/figures/25_pairs.png)
#
# Orange lines: the only brightnesses there are. The squared difference is smallest at the mean of
# the possible answers, 0.7; the absolute one at their median, which for two equally frequent
# answers is anything between them. So a network trained by the difference alone may answer a grey
# that no shape has, and is right to: after 40 epochs 68 % (recorded: grey, the difference alone) of
# its shapes are of such a grey, with a critic 33 % (recorded: grey, difference and critic). A
# critic of patches sees at once that a grey shape is wrong, whichever of the two was meant; the
# difference cannot see that.
#
# It follows that L1, 0.033 (recorded: L1, the difference alone) without and 0.056 (recorded: L1,
# difference and critic) with a critic, is the wrong ruler for what the critic adds: who decides for
# one of two answers is wrong by 0.6 in half of the cases, who says something in between never by
# more than that. On Fashion-MNIST (`pix2pix-fashion`, and `pix2pix-fashion/l1` without the critic's
# word) a classifier of real clothes is asked as well.
#
# ## Without pairs
#
# Two heaps of images: digits, and digits in negative, none of them belonging together. A generator
# G translates there, another, F, translates back, and a critic for either heap asks that
# translations look like its own. That alone is not enough: a G that makes one fine 3 of whatever it
# is given would satisfy its critic. CycleGAN asks in addition that F(G(x)) = x, by the mean
# absolute difference. What cannot be undone is forbidden.
#
# **Before you run**: suppose that G makes a fine negative 8 of every 3 and a fine negative 3 of
# every 8. Would a critic complain? Would the way back?

# %% [markdown]
# Neither would, if F exchanges them too. Which of many such translations comes out is left to the
# networks' first weights and to what is easiest to learn, so it has to be measured: with the matrix
# of what became what. The networks never see the classes; we use them to look.
#
# (The *pool* keeps the paper's fifty older translations, and the critic is shown some of them too.
# A critic that sees the newest ones only forgets what it has already learnt to reject, and the two
# networks walk in circles.)

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
if not FAST:
    note("cycle L1", course[-1][0])
    note("classes kept", course[-1][2])
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
drawing.save(
    figure,
    "25_cycle.png",
    alt="Left: by epoch, the distance of F(G(x)) from x, that of G(x) from the true negative, "
    "and the share of classes kept. Middle: which digit became which. Right: digits, "
    "their translations, and the way back.",
)

# %% [markdown]
# ![There and back](../docs/figures/25_cycle.png)
#
# After 25 epochs x comes back to within 0.08 (recorded: cycle L1) of its brightness on average, and
# 18 % (recorded: classes kept) of the digits kept their class. That x comes back says little: it
# also does where G writes x down in a way of its own, which F can read. (In large networks it hides
# in noise too faint to see, Chu et al. 2017.) What is on the other side has to be looked at by
# somebody who was not trained along.
#
# The critics see whole heaps: a heap of translations should hold as many of each digit as the heap
# of real ones. Does it?

# %%
counts = np.bincount(class_of(there.numpy()), minlength=10) / len(first)
figure, ax = plt.subplots(figsize=(5.6, 2.6))
ax.bar(np.arange(10) - 0.2, np.bincount(digits.y, minlength=10) / len(first), 0.4, color=MUTED,
       label="digits")  # fmt: skip
ax.bar(np.arange(10) + 0.2, counts, 0.4, color=BLUE, label="their translations")
ax.set_xticks(range(10))
ax.legend(fontsize=8, ncol=2, loc="upper left", bbox_to_anchor=(0, 1.2))
drawing.save(
    figure,
    "25_shares.png",
    alt="How frequent each digit is, before and after translation.",
)

# %% [markdown]
# ![Shares of the digits before and after](../docs/figures/25_shares.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/25.py`. Try first.
#
# 1. By hand: the answers are 0.4 three times and 1.0 once. Which single answer has the smallest
#    absolute difference, which the smallest squared one?
# 2. By hand: an answer of 0.7 everywhere, or a coin between 0.4 and 1.0, when the truth is 0.4 or
#    1.0 by even chance. What is the mean absolute difference of each? What does that say about
#    judging by L1?
# 3. Four classes, and G permutes them. How many of the permutations of four classes can be undone,
#    and how many keep every class?
# 4. Find a G that loses everything about x but its class and still has F(G(x)) = x for some heap.
#    What must be true of that heap?
# 5. What would a translator by hand (1 - x) score in the three columns of the table above? Compute
#    it on drawn digits.
#
# ## What to take along
#
# - A difference draws the middle of what it does not know; a critic draws one of the answers.
# - To come back is necessary, not sufficient. Measure what was kept.
# - Put the simplest translation beside the learnt one.
#
# `tinydl train cyclegan-digits`: MNIST's digits become Semeion's, binary and from other people, and
# a classifier that has seen nothing but Semeion names them. The digit itself, cut to its ink, made
# smaller and thresholded, is the baseline: it is a good one. Go on with page 41: images from noise,
# with one network and a plain mean squared error.
