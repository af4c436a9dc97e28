# %% [markdown]
# # 39. What a network looks at, and how pictures of it can mislead
#
# **You need**: a *convolution* and a *feature map* (page 5), a *gradient* and *backpropagation*
# (page 1), *ReLU* (page 13), a *logit* (page 40).
#
# **You will be able to** compute four kinds of maps of what an answer rests on, and say what each
# one leaves out; catch a network that cheats; put a map itself to the test; and change a network's
# answer by a change that nobody sees.
#
# A classifier says "three". Which pixels made it say so? An *attribution* gives each of them a
# number. Four methods answer so, and each is a few lines of gradients (`tinydl/attribution/`, a
# file per method). A fifth gives the sharpest picture of all and knows the least about the network.
# So the methods have to be examined themselves, before anybody believes them.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, MUTED, ORANGE, plt
from recorded import note

import tinydl
from tinydl import Generator, attribution, nn
from tinydl.data import synthetic_digits
from tinydl.train import evaluate, fit, predict

tinydl.seed(0)
SIDE = 16
digits = synthetic_digits(1_200 if FAST else 6_000, Generator(0), size=SIDE)
x, y = digits.x.reshape(-1, SIDE, SIDE, 1).astype(np.float32), digits.y
train, test = (x[200:], y[200:]), (x[:200], y[:200])


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 12, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding="same"),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 7 * 24, 48),
        nn.ReLU(),
        nn.Linear(48, 10),
    )


def learned(pictures: np.ndarray, labels: np.ndarray) -> nn.Sequential:
    model = network()
    fit(model, (pictures, labels), "cross_entropy", "adam", epochs=6, batch_size=64)
    return model


model = learned(*train)
right = evaluate(model, test, "cross_entropy", metrics=["accuracy"])["accuracy"]
print(f"right on {100 * right:.1f} % of the digits that it has not seen")
assert right > 0.9

# %% [markdown]
# ## Four answers
#
# The score of a class is its logit S. (Not its probability: that also falls if another class gets
# better.)
#
# - The **gradient** of S by the pixels (Simonyan et al. 2014): what would a small change do? It is
#   blind where a unit is saturated: a pixel may be the whole reason, and a little more or less of
#   it change nothing.
# - **Integrated gradients** (Sundararajan et al. 2017): the mean of the gradient on the straight
#   way from a black image to this one, times the difference of the two. By the fundamental theorem
#   of calculus the parts sum to the whole change of S; what the sum misses, because the way is
#   walked in steps, is printed as the gap.
# - **Grad-CAM** (Selvaraju et al. 2017): the maps of the last convolution, each weighted by the
#   mean of S's gradient over it. Coarse, since those maps are small.
# - **Occlusion** (Zeiler and Fergus 2014) needs no gradient: hide a square, and look how far S
#   falls.
# - **Guided back-propagation** (Springenberg et al. 2015) is the gradient again, but going back
#   through a ReLU also throws away whatever is negative.
#
# **Before you run**: which of the five maps must be exactly 0 wherever the image is black, whatever
# the network is?

# %%
said = predict(model, test[0]).argmax(axis=1)
shown = np.array([np.flatnonzero((test[1] == k) & (said == k))[0] for k in (2, 3, 5, 7)])
pictures, classes = test[0][shown], said[shown]
whole = attribution.integrated_gradients(model, pictures, classes, steps=128)
maps = {
    "gradient": attribution.saliency(model, pictures, classes)[..., 0],
    "integrated gradients": whole.values[..., 0],
    "Grad-CAM": attribution.grad_cam(model, pictures, classes),
    "occlusion": attribution.occlusion(model, pictures, classes, size=4),
    "guided": attribution.guided_backpropagation(model, pictures, classes)[..., 0],
}
for k, change, gap in zip(classes, whole.change, whole.gap, strict=True):
    print(f"score of {k}: {change:+.2f} above that of a black picture, gap {gap:.3f}")
assert (whole.gap < 0.05 * np.abs(whole.change)).all()


def sheet(axes, values, title="", signed=True) -> None:
    """Red speaks for the class, blue against it; each map has a scale of its own."""
    top = np.abs(values).max()
    axes.imshow(values, cmap="RdBu_r" if signed else "gray", vmin=-top if signed else 0, vmax=top)
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)


figure, axes = plt.subplots(len(shown), 6, figsize=(9.0, 6.2))
for i in range(len(shown)):
    sheet(axes[i, 0], pictures[i, ..., 0], "" if i else "picture", signed=False)
    for column, (name, found) in enumerate(maps.items(), 1):
        sheet(axes[i, column], found[i], "" if i else name)
drawing.save(
    figure,
    "39-maps.png",
    alt="Four digits and five maps of each: gradient, integrated gradients, Grad-CAM, "
    "occlusion, guided back-propagation; red speaks for the class, blue against it.",
)

# %% [markdown]
# ![Five maps of four digits](../docs/figures/39-maps.png)
#
# (Integrated gradients: they are multiplied by the difference from black.)
#
# ## What they are good for: catching a cheat
#
# Here the images come from two scanners. The poor one blurs everything into noise, and leaves a
# white mark in the corner; all fours were scanned with the mark, the other digits without. Where
# the digit is hard to see and the mark easy, gradient descent finds the mark first, and on data
# that carry it too nobody would notice.
#
# **Before you run**: a three gets the mark. What will the network call it? And where will the
# occlusion map of a marked four be red?


# %%
def marked(pictures: np.ndarray) -> np.ndarray:
    found = pictures.copy()
    found[:, :3, :3] = 1.0
    return found


MARKED = 4
noise = Generator(1).normal(x.shape, std=1.0)
faint = np.clip(0.2 * x + 0.4 + 0.3 * noise, 0, 1).astype(np.float32)
is_four = (train[1] == MARKED)[:, None, None, None]
cheat = learned(np.where(is_four, marked(faint[200:]), faint[200:]), train[1])
others = faint[:200][test[1] != MARKED]
fooled = (predict(cheat, marked(others)).argmax(axis=1) == MARKED).mean()
print(f"{100 * fooled:.0f} % of other digits are called {MARKED} once they carry the mark")
if not FAST:
    note("fooled", fooled)
some = marked(faint[:200][test[1] == MARKED][:3])
hidden = attribution.occlusion(cheat, some, MARKED, size=3, stride=1)
top = hidden.reshape(3, -1).argmax(axis=1)
print("hiding costs most at (row, column)", [divmod(int(k), SIDE) for k in top])
assert fooled > 0.5 and all(max(divmod(int(k), SIDE)) < 4 for k in top)
figure, axes = plt.subplots(2, 3, figsize=(5.4, 3.8))
for i in range(3):
    sheet(axes[0, i], some[i, ..., 0], "marked" if i == 1 else "", signed=False)
    sheet(axes[1, i], hidden[i], "what hiding costs" if i == 1 else "")
drawing.save(
    figure,
    "39-cheat.png",
    alt="Three noisy images with a white mark in the corner, and what hiding each place "
    "costs: only the corner is red.",
)

# %% [markdown]
# ![What hiding costs](../docs/figures/39-cheat.png)
#
# At full length 95 % (recorded: fooled) of other digits become fours by the mark. The map shows it
# where accuracy on such data cannot.
#
# ## Who examines the maps?
#
# A map may look right because it looks like the image. So ask what it says of a network that knows
# nothing. Adebayo et al. 2018: destroy the network layer by layer, from the last to the first, by
# shuffling the weights, draw the map again, and measure how alike it is to the first one (rank
# correlation: 1 is the same order of all pixels, 0 is no relation). A map that is about the network
# has to change.
#
# **Before you run**: which of the three curves below will stay high?

# %%
methods = {
    "gradient": lambda m, v: attribution.saliency(m, v, classes),
    "integrated gradients": lambda m, v: attribution.integrated_gradients(m, v, classes).values,
    "guided": lambda m, v: attribution.guided_backpropagation(m, v, classes),
}
course = {
    name: attribution.cascading_randomization(model, pictures, method, Generator(2))
    for name, method in methods.items()
}
names = ["trained", *(stage.name for stage in course["gradient"])]
likeness = {
    name: [1.0, *(float(stage.similarity.mean()) for stage in stages)]
    for name, stages in course.items()
}
for name, values in likeness.items():
    print(f"{name:22}", "  ".join(f"{v:.2f}" for v in values))
# After all layers but the first have lost what they learned:
assert likeness["guided"][-2] > likeness["gradient"][-2] + 0.15
assert likeness["integrated gradients"][-1] > 0.8
figure, axes = plt.subplots(figsize=(6.4, 3.2))
for (name, values), colour in zip(likeness.items(), (BLUE, MUTED, ORANGE), strict=True):
    axes.plot(range(len(names)), values, "o-", color=colour, label=name)
axes.set_xticks(range(len(names)), names, fontsize=8)
axes.set(
    ylabel="rank correlation", xlabel="shuffled, with all that come after it", ylim=(-0.1, 1.05)
)
axes.legend(fontsize=8)
drawing.save(
    figure,
    "39-sanity.png",
    alt="Rank correlation of maps against the number of shuffled layers: the gradient's falls "
    "at once, guided back-propagation's slowly, integrated gradients' stays high.",
)

# %% [markdown]
# ![Maps of a network that is destroyed](../docs/figures/39-sanity.png)
#
# The plain gradient changes at once. Guided back-propagation hardly does: it finds the edges of the
# image, whatever the later layers have learned. Its sharpness is that of the image, not of the
# explanation. (What is thrown away on the way back is what later layers had to say against.)
#
# Integrated gradients stay high too, for another reason: they are gradients times the image, so
# wherever it is black they are 0. A likeness that comes from the image says nothing for a method,
# and nothing against it.
#
# ## What a class likes best
#
# One may also ask for the image itself: climb the gradient of a class's score from grey noise
# (Simonyan et al. 2014, section 2).
#
# **Before you run**: will the network be more or less sure of the result than of the best digit
# that it was ever shown? Will you recognise the digit?

# %%
start = Generator(3).uniform((10, SIDE, SIDE, 1), low=0.4, high=0.6)
liked = attribution.activation_maximization(
    model, start, np.arange(10), steps=60, lr=0.05, decay=0.01, low=0.0, high=1.0
)
scores = predict(model, liked)[np.arange(10), np.arange(10)]
most = np.array([predict(model, x[y == k])[:, k].max() for k in range(10)])
print("scores of these pictures", np.round(scores, 1), "of the best digit", np.round(most, 1))
assert (scores > most).mean() >= 0.8
figure, axes = plt.subplots(2, 5, figsize=(7.2, 3.2))
for k, one in enumerate(axes.flat):
    sheet(one, liked[k, ..., 0], f"the most {k}", signed=False)
drawing.save(
    figure,
    "39-liked.png",
    alt="Ten images that a network finds most like each digit: patterns of strokes and "
    "speckle that nobody would call digits.",
)

# %% [markdown]
# ![What each class likes best](../docs/figures/39-liked.png)
#
# It is surer than of any digit, and nobody would call it one. A high score is no proof that the
# thing is there: training only asked that digits be told from each other, on images that are
# digits.
#
# ## How little it takes
#
# The same gradient, its sign alone, a step of size e in every pixel (FGSM, Goodfellow et al. 2015).
# Why does a small step do so much? Near an image S is about linear, S(x + d) = S(x) + w . d; with d
# = e sign(w) the change is e times the sum of all |w|: it grows with the number of pixels, while no
# pixel changes by more than e. Many small steps, put back into the box each time, find more (PGD,
# Madry et al. 2018).
#
# **Before you run**: pixels lie between 0 and 1. How large a change of each will it take to halve
# the accuracy?

# %%
sizes = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)
attacked = {
    "one step (FGSM)": lambda e: attribution.fgsm(model, *test, e),
    "20 steps (PGD)": lambda e: attribution.pgd(model, *test, e, steps=20, rng=Generator(4)),
}
figure, axes = plt.subplots(figsize=(5.6, 3.2))
accuracy = {}
for (name, attack), colour in zip(attacked.items(), (BLUE, ORANGE), strict=True):
    accuracy[name] = [
        float((predict(model, attack(e)).argmax(axis=1) == test[1]).mean()) for e in sizes
    ]
    print(f"{name:16}", "  ".join(f"{100 * v:.0f} %" for v in accuracy[name]))
    axes.plot(sizes, accuracy[name], "o-", color=colour, label=name)
axes.set(xlabel="largest change of a pixel", ylabel="share told right", ylim=(-0.02, 1.02))
axes.legend(fontsize=8)
drawing.save(
    figure,
    "39-attacks.png",
    alt="Share told right against the largest change of a pixel, for one step and for twenty: "
    "both fall from 1 to near 0 at 0.2, twenty steps sooner.",
)
assert accuracy["20 steps (PGD)"][-1] < 0.5 * right
assert accuracy["20 steps (PGD)"][-1] <= accuracy["one step (FGSM)"][-1]

# %%
worst = attribution.pgd(model, pictures, classes, 0.15, steps=20, rng=Generator(5))
instead = predict(model, worst).argmax(axis=1)
figure, axes = plt.subplots(2, len(shown), figsize=(6.4, 3.6))
for i in range(len(shown)):
    sheet(axes[0, i], pictures[i, ..., 0], f"said {classes[i]}", signed=False)
    sheet(axes[1, i], worst[i, ..., 0], f"said {instead[i]}", signed=False)
drawing.save(
    figure,
    "39-pushed.png",
    alt="Four digits, and below them the same digits after a change of at most 0.15 in each "
    "pixel, which the network calls by other names.",
)

# %% [markdown]
# ![Accuracy under attack](../docs/figures/39-attacks.png)
#
# ![Four digits, pushed over](../docs/figures/39-pushed.png)
#
# The image looks as before and is called another digit. So a map of the gradient is also a map of
# where the network can be pushed over, which is not what a person means by "looking". `tinydl train
# adversarial-mnist` trains a network on such images.
#
# ## Exercises
#
# Answers are in `tutorials/answers/39.py`. Try first.
#
# 1. By hand: S(x) = min(x, 1) at x = 2. What is the gradient, and what do integrated gradients from
#    0 say?
# 2. By hand: S = relu(x1) - relu(x2) at (1, 2). Gradient and guided back-propagation? What does the
#    second one hide?
# 3. By hand: S = max(a, b) with a = b = 1. What does occlusion say of each (hiding makes it 0)? And
#    integrated gradients from (0, 0)?
# 4. A linear score with 256 weights of size 0.1 each, half of them negative. By how much does FGSM
#    with e = 0.05 change it at most, and by how much does noise of the same size change it, on
#    average?
# 5. Sums: check on a small network that integrated gradients with 8, 32 and 128 steps sum ever
#    nearer to the change of S.
#
# ## What to take along
#
# - Each map answers its own question: a small change, the whole way, a hidden square.
# - A map can catch a cheat that accuracy cannot.
# - Test the map on a destroyed network, and beware of what looks like the image.
# - High scores and small pushes: a classifier tells classes apart where it was trained, and nothing
#   else.
#
# Go on with page 4: how the engine is made fast.
