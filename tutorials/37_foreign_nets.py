# %% [markdown]
# # 37. Nets of other libraries: read, taught something new, sent back
#
# **You need**: a *residual block* (page 43), *batch normalisation* (page 10), a *training loop*, a
# *training set* and a *test set* (page 40), *inference* (page 36).
#
# **You will be able to** look into a file of a network before you run it; say what is in it and
# what is not; read it as source; exchange its last layer and teach it classes that it has never
# seen; and write it for others.
#
# A trained net is mostly met as a file of a library that one does not use. *ONNX* is the format
# that most libraries write: a list of operators, which run in this order, on arrays of these names,
# with these weights. That is the recorded list of page 36, in a file. So it says more than it
# seems. And less: no training, no data, no names for what the outputs mean; and no program, so that
# reading it runs nothing of its author's. This page opens one, looks into it without running it,
# reads it as source, teaches it classes that it has never seen, and writes it for others to open.

# %%
from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import figures, note

import tinydl as td
from tinydl import nn, ops
from tinydl.data import synthetic_digits
from tinydl.interop.inspecting import inspect
from tinydl.interop.source import source_of
from tinydl.tables import show
from tinydl.train import evaluate, fit

folder = Path(tempfile.mkdtemp())
ROUNDS = 4 if FAST else 12

# %% [markdown]
# ## A file
#
# Somebody has trained a small residual network on drawn digits, only on 0 to 4, and exported it as
# ONNX, the format that most libraries write. (Here it is trained on the spot, so that the page
# needs nothing from outside.)


# %%
class Residual(nn.Module):
    def __init__(self, channels):
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm(channels)

    def forward(self, x):
        y = ops.relu(self.norm1(self.first(x)))
        return ops.relu(x + self.norm2(self.second(y)))


rng = td.seed(0)
digits = synthetic_digits(1_200 if FAST else 4_000, rng, size=16)
x, y = digits.x[..., None].astype(np.float32), digits.y
old = y < 5
theirs = nn.Sequential(
    nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.ReLU(),
    Residual(12), Residual(12), Residual(12), nn.GlobalAvgPool(), nn.Linear(12, 5),
)  # fmt: skip
fit(theirs, (x[old], y[old]), "cross_entropy", "adam", epochs=ROUNDS, batch_size=32)
path = folder / "digits.onnx"
td.save_onnx(theirs, path, x[:2])
print(f"{path.name}: {path.stat().st_size:,} bytes")

# %% [markdown]
# ## Looked into, without running it
#
# `tinydl inspect` counts operators, finds sizes, parameters and multiply-adds, and names what could
# not be imported: before any work, all of it at once.
#
# **Before you run**: a first convolution and three residual blocks of two convolutions each. How
# many `Conv`, `BatchNormalization` and `Add` will the file have?

# %%
found = inspect(path)
show(found.page())
assert not found.missing and found.operators["Conv"] == 7

# %% [markdown]
# (7, 6 and 3: one `Add` for each block.)
#
# ## Opened
#
# `td.load_onnx` makes a Module of it: its weights are Parameters under the names of the file. It
# gives what the net gave that was exported, image by image; a difference of 1e-7 would be rounding
# in another order, one of 0.1 a layer read wrongly, so this is the first thing to check with any
# imported net.

# %%
net = td.load_onnx(path)
theirs.eval()
with td.no_grad():
    difference = float(np.abs(net(x[:50]).numpy() - theirs(x[:50]).numpy()).max())
print(f"{len(dict(net.named_parameters()))} weights, largest difference {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# ## Read as source
#
# `tinydl import digits.onnx --code digits.py` writes the net as a person would: what repeats has
# become a class, images have their channels last, shape arithmetic and transposes are gone. How:
# the nodes are traced once, so that every size is known; an axis that only changes its place from
# one convolution to the next leaves no line; the structure that saves most lines becomes a class,
# and what differs between its uses becomes the arguments of its `__init__`.

# %%
source = source_of(net, path.name)
print(source.text.partition("\ndef load(")[0])
assert source.text.count("nn.Conv2d(") == 3 and "Residual" in source.text

# %% [markdown]
# The file runs on its own, with its weights beside it. It is output only: a run folder keeps a
# net as data, and nothing ever reads `model.py` back. Names of the foreign file come into it as
# comments of harmless characters.

# %%
(folder / "digits.py").write_text(source.text)
td.save(source.arrays, folder / "digits.safetensors")
spec = importlib.util.spec_from_file_location("digits_source", folder / "digits.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
read = module.load()
with td.no_grad():
    assert np.abs(read(x[:50]).numpy() - theirs(x[:50]).numpy()).max() < 1e-5
print(f"{read.count_parameters():,} parameters, the same answers")

# %% [markdown]
# ## Taught classes that it has never seen
#
# The digits 5 to 9 are new to it, and there are few of them: 12 of each. Which part of what it
# knows can be of use? The first layers answer to strokes and bows, which all digits have; the last
# one says which strokes make a 3. The source makes it easy to exchange that last layer alone. What
# is below is kept: first *frozen*, so that only the new layer learns; then trained along gently.
# That is *fine-tuning*. Beside it: the same net from first weights.
#
# **Before you run**: 60 images. In which order will the three end: from first weights, the last
# layer only, all of it?

# %%
rng = np.random.default_rng(1)
few = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:12] for k in range(5, 10)])
rest = np.setdiff1d(np.flatnonzero(~old), few)
train, test = (x[few], y[few] - 5), (x[rest], y[rest] - 5)


def taught(pretrained, frozen):
    """Accuracy on the test part after every round."""
    td.seed(2)
    model = module.load() if pretrained else module.Net()
    if frozen:
        model.freeze()
    model.fc = nn.Linear(12, 5)
    scores = []
    for _ in range(ROUNDS):
        optimizer = td.optim.Adam(model.trainable_parameters(), lr=0.01 if frozen else 0.003)
        fit(model, train, "cross_entropy", optimizer, epochs=4, batch_size=10)
        scores.append(evaluate(model, test, metrics=["accuracy"])["accuracy"])
    return scores


curves = {
    "from first weights": (taught(False, False), ORANGE),
    "imported, last layer only": (taught(True, True), GREEN),
    "imported, all of it": (taught(True, False), BLUE),
}
for name, (scores, _) in curves.items():
    print(f"{name:26s} {100 * scores[-1]:5.1f} %")
    if not FAST:
        note(name, scores[-1])
if FAST and figures("37"):
    for name, score in figures("37").items():
        print(f"recorded with 4,000 digits, {name:26s} {100 * score:5.1f} %")
figure, axis = plt.subplots(figsize=(6.0, 3.2))
for name, (scores, colour) in curves.items():
    axis.plot([4 * (k + 1) for k in range(ROUNDS)], scores, color=colour, label=name)
axis.axhline(0.2, color=MUTED, linewidth=0.8, linestyle="--")
axis.set_xlabel("epochs over 60 pictures")
axis.set_ylabel("accuracy on new digits")
axis.legend(frameon=False)
drawing.save(
    figure,
    "37-new_digits.png",
    alt="Accuracy on new digits by epoch: with the last layer alone 1 after twelve epochs; trained "
    "whole the imported net arrives after 36 and wavers; from first weights it stays low and "
    "ends at 0.7.",
)
assert curves["imported, all of it"][0][-1] > curves["from first weights"][0][-1]

# %% [markdown]
# ![New digits](../docs/figures/37-new_digits.png)
#
# At full length 73.4 % (recorded: from first weights) of new digits are told right from first
# weights, 100.0 % (recorded: imported, last layer only) with the last layer alone, 99.9 %
# (recorded: imported, all of it) with all of it. Sixty images are too few to learn strokes from,
# and enough to learn which strokes make a 7. The strokes of 0 to 4 serve so well that the last
# layer alone is at the end after a dozen epochs. With all of it trained along it takes longer and
# wavers on the way: sixty images then move everything. Where what is below was learned less well
# (run this page with `TINYDL_FAST=1`, where the net has seen 600 digits for four epochs), the last
# layer cannot repair it; trained along, at a smaller rate so that what is good is not torn down,
# the layers below can.
#
# ## Sent back
#
# What was taught goes out the way it came: as ONNX with an open batch axis, or as safetensors under
# PyTorch's names (`tinydl export RUN --to safetensors --torch`).

# %%
model = module.load()
model.fc = nn.Linear(12, 5)
td.save_onnx(model, folder / "new.onnx", x[:2])
again = td.load_onnx(folder / "new.onnx")
with td.no_grad():
    assert np.abs(again(x[:7]).numpy() - model(x[:7]).numpy()).max() < 1e-5
print("out and in again: the same for 7 samples as for 2")

# %% [markdown]
# ## A file from the wild
#
# Where `TINYDL_DATA` has it: a digit classifier that CNTK wrote in 2017, in ONNX's first version.
# Its convolutions pad by "SAME_UPPER", its biases are nodes of their own, its weights lie under
# reshapes; eleven nodes become five layers.

# %%
wild = Path(os.environ.get("TINYDL_DATA", "")) / "models/onnx-mnist/model.onnx"
if wild.is_file():
    print(source_of(td.load_onnx(wild), wild.name).text.partition("\ndef load(")[0])
else:
    print("not here")

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/37.py`. Try first.
#
# 1. Count by hand: how many parameters has the page's net with five outputs?
# 2. What is not in an ONNX file? Name three things that you need to go on training a net, and say
#    where you get them.
# 3. Export a net, change one weight of the file's net by 0.1 after reading it, and export again.
#    How would you find which weight differs, by names and arrays alone?
# 4. Freeze all but the last layer: how many numbers learn, and how many gradients does the backward
#    pass compute? Count those that are not None.
# 5. A net was trained on images of 0 ... 1, and you feed it 0 ... 255. Everything runs. How would
#    you notice? Try it.
#
# ## What to take along
#
# - A file of a net is a list of operators and weights; look before you run.
# - Compare outputs first: imported is not yet right.
# - What was learnt of strokes is of use for other strokes: exchange the end, keep the rest, train
#   gently.
# - Freeze what few samples cannot improve.
#
# With `TINYDL_DATA` the last cell reads a net from the wild. Here the course ends; the recipes go
# on: `tinydl recipes`.
