# %% [markdown]
# # 38. Your own pictures in three commands
#
# **You need**: a *training loop*, a *training set* and a *test set* (page 40), a *convolution*
# (page 5).
#
# **You will be able to** look at a folder before you train on it; train a recipe on it by a
# command; say why a figure is too good, and split so that it is not; and put an interval to an
# accuracy on few images.
#
# Recipes come with their data; most people come with a folder. This page goes the whole way on one:
# look at it before anything is trained, train a recipe on it, and have a report of the run. The
# folder is made here, as a person would have it: images of any size, in a folder for each class,
# some of them broken, and several of each thing, because whoever takes pictures takes more than
# one.

# %%
from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import drawing
import numpy as np
from drawing import BLUE, FAST, FIGURES, ORANGE, plt
from PIL import Image
from recorded import note

from tinydl.command.main import main
from tinydl.random import Generator
from tinydl.runs.run import OpenRun

FIGURES.mkdir(parents=True, exist_ok=True)
os.chdir(tempfile.mkdtemp())
SERIES, TAKES, EPOCHS = (6, 4, "8") if FAST else (24, 8, "40")


def tinydl(*words: str) -> None:
    """A command, as one types it."""
    print("$ tinydl", " ".join(words))
    assert main(list(words)) == 0
    print()


# %% [markdown]
# Three kinds of things, each photographed several times in a row: the same thing, the same
# background, a little moved, in another light, and not always of one size. What stands before the
# "_" of a file's name says which series it is of. A file is cut off, and one stands twice.
#
# **Before you run**: which of that can a program notice by itself, and which must a person say?


# %%
def drawn(kind: str, size: int, middle: np.ndarray, radius: float) -> np.ndarray:
    """Where the thing is, bool (size, size)."""
    y, x = np.mgrid[:size, :size] / size
    away = np.stack([y, x], axis=-1) - middle
    if kind == "disk":
        return np.hypot(*np.moveaxis(away, -1, 0)) < radius
    if kind == "square":
        return np.abs(away).max(axis=-1) < radius
    return (away[..., 0] < radius) & (away[..., 0] > 2 * np.abs(away[..., 1]) - radius)


def take_pictures(root: Path, rng: Generator) -> None:
    for kind in ("disk", "square", "triangle"):
        (root / kind).mkdir(parents=True)
        for series in range(SERIES):
            ground, thing = (rng.uniform(3) * np.float32(0.8) for _ in range(2))
            middle, radius = 0.35 + 0.3 * rng.uniform(2), float(rng.uniform(1)[0]) * 0.15 + 0.15
            for take in range(TAKES):
                size = int(rng.integers(40, 90))
                where = drawn(kind, size, middle + 0.04 * rng.normal(2), radius)
                pixels = np.where(where[..., None], thing, ground) * (0.9 + 0.2 * rng.uniform(1)[0])
                pixels = pixels + 0.08 * rng.normal((size, size, 3))
                image = Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8))
                image.save(root / kind / f"{kind[0]}{series:02d}_{take}.png")


take_pictures(Path("things"), Generator(0))
whole = Path("things/disk/d00_0.png").read_bytes()
Path("things/disk/cut.png").write_bytes(whole[: len(whole) // 2])  # a card was full
Path("things/square/copy.png").write_bytes(Path("things/square/s01_0.png").read_bytes())

# %% [markdown]
# ## Look
#
# Nothing is trained and nothing is changed. What is broken, doubled, or thin is named; a file that
# stands twice would otherwise be learned from and tested on. That images belong to one series
# nobody can see from the pixels: that is yours to say.

# %%
tinydl("look", "things", "--out", str(FIGURES / "38-samples.png"), "--force")
Path("things/square/copy.png").unlink()

# %% [markdown]
# ## Train
#
# A recipe is a model with its training; `--on` gives it other data. Classes and channels come from
# the folder, the size of the input is the recipe's unless `--size` says another, and one rule,
# which the run keeps, brings every picture to it. The broken file is left out, by name.

# %%
tinydl("train", "lenet-mnist", "--on", "things", "--size", "20", "--epochs", EPOCHS,
       "--batch-size", "16", "--out", "by-chance")  # fmt: skip

# %% [markdown]
# That figure is about images of which a neighbour, taken a moment before, was learned from. It is a
# *leak* from training to test: something of the test samples that training could see. What a
# stranger's image may expect is another question: keep every series on one side.
#
# **Before you run**: will the second figure be higher or lower? Beside LeNet stands logistic
# regression, one linear layer on the pixels with a softmax. Which of the two will lose more by the
# honest split?

# %%
tinydl("train", "lenet-mnist", "--on", "things", "--size", "20", "--epochs", EPOCHS,
       "--batch-size", "16", "--group-by-prefix", "--out", "by-series")  # fmt: skip

# %%
found = {}
for name in ("by-chance", "by-series"):
    result = json.loads(Path(name, "result.json").read_text())
    beside = result["baselines"]["logistic regression"]
    found[name] = [result["test"]["accuracy"], beside["accuracy"]]
    if not FAST:
        note(f"LeNet, {name}", found[name][0])
        note(f"regression, {name}", found[name][1])
figure, axis = plt.subplots(figsize=(6.0, 3.0))
place = np.arange(2)
for k, (what, colour) in enumerate((("LeNet-5", BLUE), ("logistic regression", ORANGE))):
    height = [100 * found[name][k] for name in found]
    bars = axis.bar(place + 0.36 * k - 0.18, height, 0.34, color=colour, label=what)
    axis.bar_label(bars, fmt="%.0f")
axis.set_xticks(place, ["any picture\nmay be tested on", "a series stays\non one side"])
axis.set_ylim(0, 115)
axis.set_ylabel("test accuracy, %")
axis.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.2))
axis.grid(axis="x", visible=False)
drawing.save(
    figure,
    "38-two_splits.png",
    alt="Test accuracy of LeNet-5 and of logistic regression: LeNet is far ahead if any picture "
    "may be tested on, and behind if a series stays on one side, where both are lower.",
)

# %% [markdown]
# ![Two splits](../docs/figures/38-two_splits.png)
#
# At full length LeNet has 88 % (recorded: LeNet, by-chance) if any image may be tested on, and 45 %
# (recorded: LeNet, by-series) if a series stays on one side; logistic regression on the pixels 70 %
# (recorded: regression, by-chance) and 55 % (recorded: regression, by-series). Both had learned
# series by heart, the larger model more of them: the leak did not only flatter, it made the worse
# model look better. (24 things of each kind are few to learn shapes from; chance is 33 %.)
#
# ## Report, and ask
#
# The run folder needs nothing else: it holds classes, the rule for images, and a fingerprint of the
# data, by which `train --resume` notices other ones. `tinydl report` makes a page of it that can be
# sent to others: scores of every class with intervals, the most confident mistakes, and what the
# network looks at.

# %%
tinydl("report", "by-series")
picture = sorted(Path("things/triangle").iterdir())[0]
tinydl("predict", "by-series", str(picture))
kept = OpenRun("by-series").config["own"]
print(kept["classes"], kept["preparation"], kept["fingerprint"][:16], "...")
assert kept["classes"] == ["disk", "square", "triangle"]

# %% [markdown]
# ## Few pictures, and a network that has seen others
#
# `--from` takes the network of a run, or one of `tinydl zoo`, gives it a new head for these
# classes, trains that alone and then everything at a tenth of the rate. Here it is LeNet-5 that
# knows digits; whether that helps depends on how near the two worlds are, and
# `python -m tinydl.studies.transfer` measures it on photographs and on clothes. Had it seen some
# of these pictures, it would be told by name.

# %%
tinydl("train", "--from", "lenet-mnist", "--on", "things", "--group-by-prefix", "--epochs",
       "3" if FAST else "30", "--out", "from-digits")  # fmt: skip

# %% [markdown]
# The same three commands take tables (`--target COLUMN`), texts, WAV files and boxes: README, "A
# recipe on your own data".
#
# ## Exercises
#
# Answers are in `tutorials/answers/38.py`. Try first.
#
# 1. 24 series of 8 images each, one class. A fifth of the images are drawn for the test. For a test
#    image, what is the probability that at least one of its series is in training?
# 2. Twelve test images, six right. Between which bounds does the accuracy lie, about? How many
#    images would it take to know it to 5 points?
# 3. Predict, then try: 40 samples of pure noise with 2,000 features and labels by a coin. Choose
#    the 20 features that go best with the labels *on all samples*, then split, learn the class
#    means on one half and test on the other. What is the accuracy? And if the features are chosen
#    on the training half?
# 4. Which of these is a leak: the mean image computed over all images and subtracted; the epoch
#    chosen by the test set; training images turned at random; the same person in both parts?
#
# ## What to take along
#
# - Look before you train: broken, doubled, thin.
# - What belongs together stays on one side; a program cannot know what belongs together.
# - A baseline beside the figure, and an interval around it.
# - Everything that is chosen by looking at the test samples is a leak.
#
# Go on with page 9: networks with a memory.
