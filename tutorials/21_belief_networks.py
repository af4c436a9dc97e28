# %% [markdown]
# # 21. Belief networks: layers that learn before they are told anything
#
# **You need**: a *Boltzmann machine* (page 20), a *hidden layer* (page 13).
#
# **You will be able to** train a stack layer by layer without labels; say what a fair test of it
# needs beside it; and say which problem pre-training solved, and what solves it today.
#
# Put a Boltzmann machine on top of another: its visible units are the hidden ones of the machine
# below. Such a stack is a *belief network*. Each machine learns alone, without a label, one after
# the other (Hinton, Osindero and Teh 2006); then the stack becomes a sigmoid network and labels
# adjust it ("fine-tuning"). In 2006 that was how deep networks could be trained at all. This page
# builds one, and asks whether it is still worth it: beside it stand the pixels, random features,
# and the same network that never saw a machine.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

import tinydl
from tinydl import Tensor, no_grad
from tinydl.baselines import beside
from tinydl.errors import DataError
from tinydl.models import DBN
from tinydl.recipes import RECIPES
from tinydl.runs.reproduce import load_measured
from tinydl.runs.run import begin

# %% [markdown]
# ## The digits of strangers
#
# Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019; "the book" on this page)
# split scikit-learn's 1,797 digits at random. Thirteen people wrote them, so most of a test digit's
# writer is in the training part: the network may know the hand. The set has 3,823 more by thirty
# other people, and its authors meant those for training. That is the split here (`optdigits`);
# drawn digits stand in where the file is missing, and in fast mode. They are easier than any hand:
# their accuracies say that the code runs, and no more.

# %%
recipe = RECIPES["dbn-digits"]
DRAWN = {
    "dataset": "synthetic_digits", "scale": 1.0,
    "split": RECIPES["synthetic-digits"].program.split,
}  # fmt: skip
if FAST:
    recipe = recipe.replaced(
        **DRAWN, architecture={"sizes": (64, 32, 24)}, batch_size=50, pretraining=4, epochs=40,
        lr=0.01,
    )  # fmt: skip
try:
    training = begin(recipe)
except DataError as error:
    print(f"{error}\ndrawn digits instead")
    recipe = recipe.replaced(**DRAWN)
    training = begin(recipe)
x, y = training.parts.train
print(f"{len(y):,} digits to learn from, {training.samples('test'):,} to be asked about")

# %% [markdown]
# ## One machine after the other
#
# The first machine sees pixels, as probabilities of ink. The second sees what the first makes of
# them: not draws but P(h = 1 | v), which say the same with less noise. While one learns, those
# below stay as they are: *greedy*, each layer for itself.
#
# **Before you run**: digits go up through one machine and back down to pixels, or up through two
# and down through two. Which come back better? And what will labels do to the way back?

# %%
asked = Tensor(training.parts.test[0][:10])


def back(depth: int) -> np.ndarray:
    """The pictures that come back from the features of `depth` machines."""
    with no_grad():
        v = training.model.features(asked, depth)
        for machine in training.model.machines[:depth][::-1]:
            v = machine.visible(v)
    return v.numpy()


pages = []


class Watch:
    """Keeps what comes back when the machines are done, and when the labels are."""

    def on_epoch_end(self, state) -> None:
        if state.epoch in (2 * recipe.program.pretraining, state.epochs):
            pages.extend([back(1), back(2)])


history = training.fit([Watch()])
stage, loss = np.array(history["stage"]), np.array(history["loss"])
figure, axes = plt.subplots(1, 3, figsize=(11, 2.9), layout="constrained")
names = ("machine 1, error of what it gives back", "machine 2, the same", "network, cross-entropy")
for k, (ax, name, colour) in enumerate(zip(axes, names, (BLUE, GREEN, ORANGE), strict=True)):
    epochs = np.flatnonzero(stage == k) + 1
    ax.plot(epochs, loss[stage == k], color=colour, marker="o", markersize=3)
    ax.set_title(name, fontsize=9)
    ax.set_xlabel("epoch")
drawing.save(
    figure,
    "21_stages.png",
    alt="Three curves that fall: the error of what machine 1 gives back, the same of machine 2, "
    "and the cross-entropy of the network with labels.",
)
assert [int(s) for s in np.unique(stage)] == [0, 1, 2]
for k in range(3):
    assert loss[stage == k][-1] < loss[stage == k][0]

# %% [markdown]
# ![Three stages of training](../docs/figures/21_stages.png)
#
# What the stack has understood can be asked from above: up through the machines, and down from
# their features to a picture again.

# %%
titles = ("asked", "back from the first machine", "back from the second",
          "from the first, after the labels", "from the second, after the labels")  # fmt: skip
figure, axes = plt.subplots(5, 10, figsize=(9, 5.2))
for row, title, pictures in zip(axes, titles, (asked.numpy(), *pages), strict=True):
    row[0].set_title(title, fontsize=8, loc="left")
    for ax, picture in zip(row, pictures, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
drawing.save(
    figure,
    "21_back.png",
    alt="Ten digits; what comes back from the first machine, from the second; and the same after "
    "the labels, when what comes back is blurred or lost.",
)
away = [float(np.mean((page - asked.numpy()) ** 2)) for page in pages]
assert away[0] < away[2] and away[1] < away[3]

# %% [markdown]
# ![What comes back](../docs/figures/21_back.png)
#
# Labels pull at W and the hidden biases, and nothing keeps the way back intact: fine-tuning forgets
# how to draw.
#
# ## Was it worth it?
#
# The same network without machines: first weights of variance 2 / (inputs + outputs) (Glorot's
# rule, a compromise of page 40's 1/n for both ways), all epochs for the labels that the other one
# had for them. Beside both a softmax on the pixels themselves, and one on as many sigmoid units
# whose weights were drawn and stay.
#
# **Before you run**: put the four in order. How far apart are they?

# %%
bare = recipe.replaced(
    epochs=recipe.epochs - 2 * recipe.program.pretraining, pretraining=0,
    architecture={**recipe.program.architecture, "weight_init": "glorot_uniform"},
)  # fmt: skip
untaught = begin(bare)
untaught.fit()
found = {name: values["accuracy"] for name, values in beside(training).items()}
found |= {"no machines": untaught.measure()["accuracy"]}
found |= {"belief network": training.measure()["accuracy"]}
for name, value in found.items():
    print(f"{name:<16} {100 * value:.2f} %")
assert found["belief network"] > 0.5
measured = load_measured()
on_real = {name: row["accuracy"] for name, row in measured["dbn-digits"]["baselines"].items()}
on_real |= {"no machines": measured["dbn-digits/no-machines"]["test"]}
on_real |= {"belief network": measured["dbn-digits"]["test"]}
print("recorded on the digits of strangers: ", end="")
print(", ".join(f"{name} {100 * value:.2f} %" for name, value in on_real.items()))
assert max(on_real.values()) - min(on_real.values()) < 0.02

figure, ax = plt.subplots(figsize=(6.5, 2.6))
colours = [MUTED, MUTED, GREEN, BLUE]
ax.barh(list(found), [100 * v for v in found.values()], color=colours)
low = 100 * min(found.values())
ax.set_xlim(max(0, low - 0.5 * (100 - low)), 100)
ax.set_xlabel("digits of strangers named right, %")
for k, value in enumerate(found.values()):
    ax.text(100 * value, k, f" {100 * value:.1f}", va="center", fontsize=9)
drawing.save(
    figure,
    "21_accuracies.png",
    alt="Accuracies of pixels alone, random features, the network without machines and the belief "
    "network, as bars that are close together.",
)

# %% [markdown]
# ![A belief network beside its rivals](../docs/figures/21_accuracies.png)
#
# On the real digits the four are within two points of each other: pre-training brings no dependable
# gain on 3,823 images with labels, and random features come near both. The book's 97.8 % are no
# witness against that. They are a regression on the features of machines that its gradient (page
# 20's mean too many) leaves almost as they were drawn, on a split that shares writers.
#
# What pre-training did solve was another problem. With sigmoid units, many layers and small random
# weights the gradients of the lower layers vanish; machines put the weights where they do not.
# Better first weights, ReLU and normalisation (pages 40, 14 and 10) solved that without them.
#
# **Before you run**: five sigmoid layers with weights of spread 0.01. How much smaller is the
# gradient of the lowest layer than that of the highest?

# %%
tinydl.seed(0)
deep = DBN((64, 24, 24, 24, 24, 24)).classifier()
batch = Tensor(np.random.default_rng(0).uniform(size=(50, 64)).astype(np.float32))
deep(batch)[:, 0].sum().backward()
slopes = [
    float(np.sqrt(np.mean(p.grad.numpy() ** 2)))
    for name, p in deep.named_parameters()
    if name.endswith("weight")
]
print("size of the gradient by layer, the lowest first:", " ".join(f"{s:.0e}" for s in slopes))
assert slopes[0] < 1e-4 * slopes[-1]

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/21.py`. Try first.
#
# 1. By hand: a stack of 64, 32 and 24 units. How many numbers has each of its machines (weights,
#    and the biases of both sides)?
# 2. Why does the second machine get P(h = 1 | v) and not the bits that were drawn? What is the mean
#    of many draws?
# 3. Derive: a sigmoid layer of n = 24 units with weights of spread 0.01. By which factor, roughly,
#    does a gradient shrink that goes back through it?
# 4. Change a line: the five sigmoid layers with weights by Glorot's rule. What do the gradients
#    look like then?
# 5. A figure of 97.8 % for a pre-trained network is shown to you. Which three questions do you ask?
#
# ## What to take along
#
# - Greedy: each layer has its own data and its own aim, and needs no gradient from above.
# - Features hand on probabilities; draws are for learning.
# - If the same writers stand on both sides of a split, it measures how well hands are remembered.
# - A figure of a pre-trained network says little without the same network that was not.
#
# Go on with page 22: networks that give back what they are shown, without energies.
