# %% [markdown]
# # 38. Your own pictures in three commands
#
# Recipes come with their data; most people come with a folder. This page goes the whole way on one:
# look at it before anything is trained, train a recipe on it, and have a report of the run. The
# folder is made here, as a person would have it: pictures of any size, in a folder for each class,
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
# "_" of a file's name says which series it is of.


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
# stands twice would otherwise be learned from and tested on.

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
# That figure is about pictures of which a neighbour, taken a moment before, was learned from: a
# *leak* from training to test. What a stranger's picture may expect is another question: keep every
# series on one side.

# %%
tinydl("train", "lenet-mnist", "--on", "things", "--size", "20", "--epochs", EPOCHS,
       "--batch-size", "16", "--group-by-prefix", "--out", "by-series")  # fmt: skip

# %%
found = {}
for name in ("by-chance", "by-series"):
    result = json.loads(Path(name, "result.json").read_text())
    beside = result["baselines"]["logistic regression"]
    found[name] = [result["test"]["accuracy"], beside["accuracy"]]
    note(f"{name}, LeNet-5", found[name][0])
    note(f"{name}, logistic regression", found[name][1])
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
drawing.save(figure, "38-two_splits.png", alt="Accuracy with a split by chance and by series.")

# %% [markdown]
# ![Accuracy with a split by chance and by series](../docs/figures/38-two_splits.png)
#
# At full length LeNet-5 tells 87.8 % (recorded: by-chance, LeNet-5) where a neighbour of most
# pictures was learned from, and 45.0 % (recorded: by-series, LeNet-5) of pictures whose series it
# has never met: the first figure was mostly memory. A line through the pixels has less of that to
# lose, from 70.4 % (recorded: by-chance, logistic regression) to 55.0 % (recorded: by-series,
# logistic regression), and is the better of the two for a stranger's picture: what is printed
# beside a run is there to be compared with.
#
# ## Report, and ask
#
# The run folder needs nothing else: it holds classes, the rule for pictures, and a fingerprint of
# the data, by which `train --resume` notices other ones. `tinydl report` makes a page of it that
# can be sent to others: scores of every class with intervals, the most confident mistakes, and
# what the network looks at.

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
# The same three commands take tables (`--target COLUMN`), texts, WAV files and boxes: README,
# "A recipe on your own data".
