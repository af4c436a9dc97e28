# %% [markdown]
# # 39. What a network looks at, and how pictures of it can mislead
#
# A classifier says "three". Which pixels made it say so? Four methods answer with a picture, and
# each is a few lines of gradients (`tinydl/attribution/`, a file per method). A fifth gives the
# sharpest picture of all and knows the least about the network. So the methods have to be examined
# themselves, before anybody believes them.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, MUTED, ORANGE, plt

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
# The **gradient** of the score by the pixels (Simonyan et al. 2014) says what a small change would
# do. **Integrated gradients** (Sundararajan et al. 2017) take its mean on the way from a black
# picture, so that the parts sum to the whole change of the score; what the sum misses is printed
# as the gap. **Grad-CAM** (Selvaraju et al. 2017) weights the maps of the last convolution.
# **Occlusion** (Zeiler and Fergus 2014) needs no gradient: it hides a square and looks at the
# score. **Guided back-propagation** (Springenberg et al. 2015) is the gradient again, but each
# ReLU lets through only what is positive.

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
drawing.save(figure, "39-maps.png")

# %% [markdown]
# ## What they are good for: catching a cheat
#
# Here the pictures come from two scanners. The poor one blurs everything into noise, and leaves a
# white mark in the corner; all fours were scanned with the mark, the other digits without. Where
# the digit is hard to see and the mark easy, the network learns the mark, and on data that carry
# it too nobody would notice. The maps show it: hiding the corner costs a marked picture its class.


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
some = marked(faint[:200][test[1] == MARKED][:3])
hidden = attribution.occlusion(cheat, some, MARKED, size=3, stride=1)
top = hidden.reshape(3, -1).argmax(axis=1)
print("hiding costs most at (row, column)", [divmod(int(k), SIDE) for k in top])
assert fooled > 0.5 and all(max(divmod(int(k), SIDE)) < 4 for k in top)
figure, axes = plt.subplots(2, 3, figsize=(5.4, 3.8))
for i in range(3):
    sheet(axes[0, i], some[i, ..., 0], "marked" if i == 1 else "", signed=False)
    sheet(axes[1, i], hidden[i], "what hiding costs" if i == 1 else "")
drawing.save(figure, "39-cheat.png")

# %% [markdown]
# ## Who examines the maps?
#
# Adebayo et al. 2018: destroy the network layer by layer, from the last to the first, and draw the
# map again. A map that is about the network has to change, and the plain gradient does at once.
# Guided back-propagation hardly does: it finds the edges of the picture, whatever the later layers
# have learned. Its sharpness is that of the picture, not of the explanation.
#
# Integrated gradients stay high too, for another reason: they are gradients times the picture, so
# wherever it is black they are nothing, whatever the network is. A likeness that comes from the
# picture says nothing for a method.

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
drawing.save(figure, "39-sanity.png")

# %% [markdown]
# ## What a class likes best
#
# One may also ask for the picture itself: climb the gradient of a class from grey noise (Simonyan
# et al. 2014, section 2). The network is surer of the result than of any digit it was ever shown,
# and nobody would call it one. A high score is no proof that the thing is there.

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
drawing.save(figure, "39-liked.png")

# %% [markdown]
# ## How little it takes
#
# The same gradient, its sign alone, a small step in every pixel (Goodfellow et al. 2015): the
# picture looks as before and is called another digit. Many small steps, put back into the box each
# time, find more (Madry et al. 2018). So a map of the gradient is also a map of where the network
# can be pushed over, which is not what a person means by "looking". `tinydl train
# adversarial-mnist` trains a network on such pictures.

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
drawing.save(figure, "39-attacks.png")
assert accuracy["20 steps (PGD)"][-1] < 0.5 * right
assert accuracy["20 steps (PGD)"][-1] <= accuracy["one step (FGSM)"][-1]

# %%
worst = attribution.pgd(model, pictures, classes, 0.15, steps=20, rng=Generator(5))
instead = predict(model, worst).argmax(axis=1)
figure, axes = plt.subplots(2, len(shown), figsize=(6.4, 3.6))
for i in range(len(shown)):
    sheet(axes[0, i], pictures[i, ..., 0], f"said {classes[i]}", signed=False)
    sheet(axes[1, i], worst[i, ..., 0], f"said {instead[i]}", signed=False)
drawing.save(figure, "39-pushed.png")
