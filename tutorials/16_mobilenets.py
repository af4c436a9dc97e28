# %% [markdown]
# # 16. MobileNets
#
# **You need**: a *convolution* (page 5), a *residual block* (page 43).
#
# **You will be able to** split a convolution into a depthwise and a pointwise one and compute what
# is left of its price; say why multiply-adds are not time; and say where a MobileNet block has no
# activation function, and why.
#
# A convolution does two things at once: it looks at the neighbours, and it mixes the channels.
# Doing one after the other costs about a ninth. That is the idea of MobileNet, version 1 (Howard et
# al. 2017), which was made for telephones. Version 2 (Sandler et al. 2018) turns the blocks inside
# out: narrow where numbers are kept, wide where they are worked on. This page counts the price,
# measures it, and shows why the narrow ends have no activation function.

# %%
from __future__ import annotations

from functools import partial
from statistics import median
from time import process_time

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_ORANGE, VIOLET, plt
from matplotlib.patches import Rectangle

import tinydl
from tinydl import Tensor, no_grad
from tinydl.backend.cpu import _runtime
from tinydl.geometry import conv2d_geometry
from tinydl.models import MobileNetV1, MobileNetV2
from tinydl.models.mobile.memory import memory_by_size
from tinydl.models.mobile.mobilenet_v1 import SeparableBlock
from tinydl.models.mobile.mobilenet_v2 import BLOCKS as BLOCKS_V2
from tinydl.models.mobile.mobilenet_v2 import InvertedResidual
from tinydl.nn import Conv2d, DepthwiseConv2d, summary

_runtime.set_threads(1)
rng = np.random.default_rng(0)

# %% [markdown]
# ## Looking, then mixing
#
# An ordinary convolution has a k x k kernel from *every* input channel to *every* output channel. A
# *depthwise convolution* has one k x k kernel per channel and mixes nothing: channel c of the
# output is made of channel c of the input alone. A *pointwise convolution* (1 x 1) mixes the
# channels of each pixel and looks at no neighbour. One after the other they are called a separable
# convolution. It is an ordinary convolution, but a special one: its kernel from channel c to
# channel f is depthwise kernel c times one number, the pointwise weight from c to f. So all kernels
# that start at channel c are multiples of each other. That is what is given up.
#
# **Before you run**: 3 x 3 kernels, 4 channels in, 6 out. How many weights has the ordinary
# convolution, how many have the two together?

# %%
k, C, F = 3, 4, 6
depthwise, pointwise = rng.normal(size=(k, k, C, 1)), rng.normal(size=(1, 1, C, F))
x = Tensor(rng.normal(size=(2, 7, 7, C)))
looked = tinydl.depthwise_conv2d(x, Tensor(depthwise), padding="same")
mixed = tinydl.conv2d(looked, Tensor(pointwise))
whole = tinydl.conv2d(x, Tensor(depthwise * pointwise), padding="same")  # (k, k, C, F)
difference = np.abs(mixed.numpy() - whole.numpy()).max()
print(f"two steps minus one convolution with the product of the kernels: {difference:.1e}")
print(f"weights: {depthwise.size} + {pointwise.size} instead of {whole.shape[-1] * k * k * C}")
assert difference < 1e-12

# %%
figure, panels = plt.subplots(1, 3, figsize=(10, 3))
kinds = (("ordinary", "3x3", F, PALE_ORANGE), ("depthwise", "3x3", C, PALE_ORANGE),
         ("pointwise", "1x1", F, PALE_BLUE))  # fmt: skip
for axes, (name, size, outputs, color) in zip(panels, kinds, strict=True):
    drawing.blank(axes, name)
    for row in range(C):
        for column in range(outputs):
            used = name != "depthwise" or row == column
            style = {"facecolor": color if used else "white", "edgecolor": MUTED}
            axes.add_patch(Rectangle((column, -row - 1), 1, 1, **style))
            if used:
                axes.text(column + 0.5, -row - 0.5, size, ha="center", va="center", fontsize=8)
    axes.text(outputs / 2, -C - 0.5, "to channel", ha="center", color=MUTED, fontsize=9)
    axes.text(
        -0.5, -C / 2, "from channel", rotation=90, va="center", ha="center", color=MUTED, fontsize=9
    )
    left = (F - outputs) / 2
    axes.set(xlim=(-left - 1, outputs + left + 0.1), ylim=(-C - 0.7, 0.1))
figure.suptitle("Which channels meet, and with how many weights", y=1.02)
drawing.save(
    figure,
    "16_separable.png",
    alt="Three tables of input channel by output channel: an ordinary convolution has a 3x3 "
    "kernel in every cell, a depthwise one on the diagonal alone, a pointwise one 1x1 in every "
    "cell.",
)

# %% [markdown]
# ![Which channels meet](../docs/figures/16_separable.png)
#
# ## The price, counted
#
# For a map of G x G pixels, C channels in and F out, the multiply-adds are
#
#     ordinary     G² k² C F
#     depthwise    G² k² C      pointwise  G² C F      together  G² C (k² + F)
#
# so the ratio is (k² + F) / (k² F) = 1/F + 1/k². With 3 x 3 kernels it is never below 1/9, and
# already near it for a hundred channels. By hand, for 128 output channels: 1/128 + 1/9 = 0.008 +
# 0.111 = 0.119, an eighth. The number of input channels does not matter.


# %%
def ratio(F: int, k: int = 3, C: int = 64, G: int = 14) -> float:
    """Multiply-adds of depthwise and pointwise together, over those of the convolution."""
    ordinary = conv2d_geometry((1, G, G, C), (k, k, C, F), padding="same").multiply_adds
    looking = conv2d_geometry((1, G, G, C), (k, k, 1, C), padding="same", groups=C).multiply_adds
    mixing = conv2d_geometry((1, G, G, C), (1, 1, C, F)).multiply_adds
    return (looking + mixing) / ordinary


print("\noutput channels     ratio for 3x3    5x5")
for filters in (16, 64, 128, 256, 1024):
    print(f"{filters:15d} {ratio(filters):14.3f} {ratio(filters, 5):9.3f}")
    assert abs(ratio(filters) - (1 / filters + 1 / 9)) < 1e-12
print(f"256 channels, 3x3: {1 / ratio(256):.1f} times fewer")
assert round(ratio(256), 3) == 0.115

# %% [markdown]
# ## The price, measured
#
# Multiply-adds are not time. The same three layers on this machine, in four places of a network: C
# channels in and out, each map half as large as the one before. The convolutions take turns, so
# that a busy moment of the machine hits all of them; the numbers are medians of the processor time
# on one thread.
#
# **Before you run**: will the measured ratio be smaller than the counted one, as large, or larger?

# %%
PLACES = ((56, 64), (28, 128), (14, 256), (7, 512))
rounds = 7 if FAST else 41


def median_times(calls: dict) -> dict:
    """Name -> median seconds of processor time, the calls taking turns."""
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()  # warm: what the others pushed out of the cache comes back
            started = process_time()
            call()
            times[name].append(process_time() - started)
    return {name: median(values) for name, values in times.items()}


print("\n          processor time, microseconds        billions of multiply-adds/s         ratio")
names = " ".join(f"{name:>9}" for name in ("ordinary", "depthwise", "pointwise"))
print(f"  map   {names}     {names}   counted measured")
measured = []
for G, C in PLACES:
    x = Tensor(rng.normal(size=(1, G, G, C)).astype(np.float32))
    layers = {
        "ordinary": Conv2d(C, C, 3, padding="same", bias=False),
        "depthwise": DepthwiseConv2d(C, 3, 1, "same", bias=False),
        "pointwise": Conv2d(C, C, 1, bias=False),
    }
    with no_grad():
        seconds = median_times({name: partial(layer, x) for name, layer in layers.items()})
    adds = {name: layer.multiply_adds(x.shape) for name, layer in layers.items()}
    speed = {name: adds[name] / max(seconds[name], 1e-9) / 1e9 for name in layers}
    counted = (adds["depthwise"] + adds["pointwise"]) / adds["ordinary"]
    taken = (seconds["depthwise"] + seconds["pointwise"]) / max(seconds["ordinary"], 1e-9)
    measured.append((counted, taken))
    print(f"{G:3d}²x{C:<3d}", *(f"{seconds[name] * 1e6:9.0f}" for name in layers), end="    ")
    print(*(f"{speed[name]:9.1f}" for name in layers), f"{counted:9.3f} {taken:8.3f}")
    assert abs(counted - (1 / C + 1 / 9)) < 1e-12

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.2))
places = np.arange(len(PLACES))
counted, taken = np.array(measured).T
axes.bar(places - 0.18, counted, 0.34, color=BLUE, label="counted: 1/F + 1/9")
axes.bar(places + 0.18, taken, 0.34, color=ORANGE, label="measured: processor time")
axes.set_xticks(places, [f"{G} x {G} x {C}" for G, C in PLACES])
axes.set(ylabel="separable / ordinary", title="What is left of the price of a convolution")
axes.grid(visible=False, axis="x")
axes.legend()
drawing.save(
    figure,
    "16_measured.png",
    alt="Bars of the counted and of the measured price of a separable convolution, as a share of "
    "the ordinary one, for four sizes of map; counted an eighth to a ninth, measured near it.",
)

# %% [markdown]
# ![The price, counted and measured](../docs/figures/16_measured.png)
#
# Compare the two ratios: they need not agree. A number that the ordinary convolution fetches from
# memory serves all F output channels; one that the depthwise convolution fetches serves k²
# multiply-adds and no more. So a machine may do fewer multiply-adds a second in it (page 12 draws
# how memory limits speed). It matters little, because the depthwise part is small:

# %%
parts = {
    "3x3 stem": [0, 0],
    "depthwise": [0, 0],
    "pointwise": [0, 0],
    "linear": [0, 0],
    "norm": [0, 0],
}
table = summary(MobileNetV1(), (224, 224, 3))
for row in table.rows:
    if row.layer == "Conv2d":
        kind = "3x3 stem" if row.name == "conv" else "pointwise"
    else:
        kind = {"DepthwiseConv2d": "depthwise", "Linear": "linear"}.get(row.layer, "norm")
    parts[kind][0] += row.parameters
    parts[kind][1] += row.multiply_adds
print("\nMobileNet v1    parameters         multiply-adds")
for kind, (weights, adds) in parts.items():
    print(f"{kind:<12} {weights:13,} {weights / table.parameters:5.1%}", end="")
    print(f" {adds / 1e6:9.1f} M {adds / table.multiply_adds:6.1%}")
print(f"all          {table.parameters:13,} {table.multiply_adds / 1e6:15.1f} M")
assert table.parameters == 4_231_976 and round(table.multiply_adds / 1e6, 1) == 568.7
assert parts["pointwise"][1] > 0.9 * table.multiply_adds

# %% [markdown]
# ## Two knobs
#
# Not every telephone is equally fast, so the network comes with two knobs. The *width multiplier*
# is one factor for the channels of all layers; the resolution multiplier makes the image smaller.
#
# **Before you run**: half the width. Which part of the work is left, which part of the weights? And
# with half the resolution?

# %%
widths, sides = (1.0, 0.75, 0.5, 0.25), (224, 128) if FAST else (224, 192, 160, 128)
price = {}
print("\nwidth   parameters   multiply-adds in millions for images of", *sides)
for width in widths:
    for side in sides:
        price[width, side] = summary(MobileNetV1(width), (side, side, 3))
    weights = price[width, 224].parameters
    print(f"{width:5.2f} {weights:12,}  ", end="")
    print(*(f"{price[width, side].multiply_adds / 1e6:9.1f}" for side in sides))
full, half, small = price[1.0, 224], price[0.5, 224], price[1.0, 128]
print(f"half the width: {half.multiply_adds / full.multiply_adds:.3f} of the work, ", end="")
print(f"{half.parameters / full.parameters:.3f} of the weights; ", end="")
area = (128 / 224) ** 2
print(f"128 pixels: {small.multiply_adds / full.multiply_adds:.3f}, (128/224)² = {area:.3f}")
assert abs(half.multiply_adds / full.multiply_adds - 0.25) < 0.02
assert abs(small.multiply_adds / full.multiply_adds - area) < 0.002
assert small.parameters == full.parameters

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.5))
for width, color in zip(widths, (BLUE, GREEN, ORANGE, VIOLET), strict=True):
    adds = [price[width, side].multiply_adds / 1e6 for side in sides]
    weights = price[width, sides[0]].parameters / 1e6
    axes.loglog(sides, adds, "o-", color=color, label=f"width {width:g}: {weights:.2f} M weights")
axes.set_xticks(sides, [str(side) for side in sides])
axes.minorticks_off()
axes.set(
    xlabel="side of the image", ylabel="million multiply-adds", title="MobileNet v1, two knobs"
)
axes.legend(fontsize=9)
axes.set_ylim(5, 4000)
drawing.save(
    figure,
    "16_knobs.png",
    alt="Multiply-adds of MobileNet v1 against the side of the image, one line for each of four "
    "widths, both axes logarithmic: parallel lines.",
)

# %% [markdown]
# ![Width and resolution](../docs/figures/16_knobs.png)
#
# Work falls with the square of each: half the width is half the channels in *and* half the channels
# out of each 1 x 1 convolution, half the resolution a quarter of the pixels. Weights fall only with
# the width, and a little slower than its square, because the linear layer for 1000 classes has
# fewer inputs but as many outputs.
#
# ## Version 2: narrow outside, wide inside
#
# Version 1 is a chain of wide maps, and they have to be kept in memory between the blocks. Version
# 2 keeps narrow ones: a 1 x 1 convolution makes them six times wider, the depthwise convolution
# works there, where it is cheap, another 1 x 1 makes them narrow again, and the narrow ends are
# added as in a residual block (where size and channels agree). An ordinary residual bottleneck is
# the other way round: wide ends, narrow middle.

# %%
for name, block, C in (
    ("v1", SeparableBlock(512, 512, 1), 512),
    ("v2", InvertedResidual(64, 64, 1, 6), 64),
):
    rows = [row for row in summary(block, (14, 14, C)).rows if "Conv" in row.layer]
    flow = " -> ".join([str(C), *(f"{row.layer[:9]} {row.output_shape[-1]}" for row in rows)])
    weights, adds = sum(r.parameters for r in rows), sum(r.multiply_adds for r in rows)
    print(f"{name} block at 14x14: {flow}: {weights:,} weights, {adds / 1e6:.1f} M multiply-adds")
identity = InvertedResidual(8, 8, 1, 6)
identity.norm3.scale.assign(np.zeros(8, np.float32))
x = Tensor(rng.normal(size=(1, 5, 5, 8)).astype(np.float32))
assert np.array_equal(identity(x).numpy(), x.numpy())  # no activation on the way that is added

figure, panels = plt.subplots(1, 3, figsize=(10, 3), sharey=True)
shapes = (
    ("version 1 (dw: depthwise)", (512, 512, 512), ("dw 3x3", "1x1"), False),
    ("residual bottleneck", (256, 64, 64, 256), ("1x1", "3x3", "1x1"), True),
    ("version 2, inverted", (64, 384, 384, 64), ("1x1", "dw 3x3", "1x1"), True),
)
for axes, (title, sizes, between, added) in zip(panels, shapes, strict=True):
    axes.axis("off")
    axes.set_title(title)
    for i, size in enumerate(sizes):
        axes.add_patch(
            Rectangle((2 * i - 0.25, -size / 2), 0.5, size, facecolor=PALE_BLUE, edgecolor=BLUE)
        )
        axes.text(2 * i, -size / 2 - 20, str(size), ha="center", va="top", fontsize=9)
    for i, label in enumerate(between):
        arrow = {"arrowstyle": "-|>", "color": INK}
        axes.annotate("", (2 * i + 1.7, 0), (2 * i + 0.3, 0), arrowprops=arrow)
        axes.text(2 * i + 1, 14, label.replace(" ", "\n"), ha="center", fontsize=8)
    if added:
        end, top = 2 * (len(sizes) - 1), 300
        axes.plot([0, 0, end, end], [sizes[0] / 2, top, top, sizes[-1] / 2], color=ORANGE)
        axes.text(end / 2, top + 12, "added", ha="center", color=ORANGE, fontsize=9)
    centre = len(sizes) - 1
    axes.set(xlim=(centre - 3.8, centre + 3.8), ylim=(-340, 350))
drawing.save(
    figure,
    "16_blocks.png",
    alt="Channels through three blocks as heights: version 1 is 512 all along; the residual "
    "bottleneck goes from 256 to 64 and back; version 2 goes from 64 to 384 and back to 64.",
)

# %% [markdown]
# ![Three blocks](../docs/figures/16_blocks.png)
#
# ## Why the narrow end has no activation function
#
# A ReLU throws away everything below zero. If the numbers are many and say the same thing several
# times, the others still know it. If they are few, it is lost. The experiment of version 2's
# authors (their figure 1): put a spiral of the plane into n dimensions by a random matrix, apply
# ReLU, and go back as well as a linear map can.
#
# **Before you run**: in two dimensions, how much of the spiral is lost? And in thirty?

# %%
turns = np.linspace(0.5, 3.5 * np.pi, 400)
spiral = np.stack([turns * np.cos(turns), turns * np.sin(turns)], axis=1) / turns.max()


def through_relu(n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """(the spiral behind n dimensions, ReLU and the best linear way back, share that is lost)."""
    wide = spiral @ rng.normal(size=(2, n))
    bent = np.column_stack([np.maximum(wide, 0), np.ones(len(spiral))])
    back = bent @ np.linalg.lstsq(bent, spiral, rcond=None)[0]
    return back, float(((back - spiral) ** 2).sum() / ((spiral - spiral.mean(0)) ** 2).sum())


DIMENSIONS = (2, 3, 5, 15, 30)
lost = {
    n: [through_relu(n, np.random.default_rng(seed))[1] for seed in range(50)] for n in DIMENSIONS
}
print("\ndimensions   lost behind ReLU (median of 50 random matrices)   without ReLU")
for n in DIMENSIONS:
    print(f"{n:10d} {median(lost[n]):18.1%}                                  0.0%")
assert median(lost[2]) > 0.2 and median(lost[30]) < 0.01
straight = spiral @ rng.normal(size=(2, 2))
assert np.allclose(straight @ np.linalg.lstsq(straight, spiral, rcond=None)[0], spiral)

figure, panels = plt.subplots(1, 6, figsize=(11.5, 2.4))
pictures = [("input", spiral)]
for n in DIMENSIONS:
    seed = int(np.argsort(lost[n])[25])  # a typical matrix
    pictures.append((f"n = {n}", through_relu(n, np.random.default_rng(seed))[0]))
for axes, (title, points) in zip(panels, pictures, strict=True):
    drawing.blank(axes, title)
    axes.scatter(*points.T, c=turns, cmap="viridis", s=5)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5))
drawing.save(
    figure,
    "16_linear_bottleneck.png",
    alt="A spiral, and what comes back of it from ReLU in 2, 3, 5, 15 and 30 dimensions: broken "
    "in two and three, whole in fifteen and thirty.",
)

# %% [markdown]
# ![A spiral through ReLU](../docs/figures/16_linear_bottleneck.png)
#
# So the activation function (ReLU6, which is ReLU cut off at 6) stands in the wide middle, and the
# narrow end is linear.
#
# ## The two versions beside each other
#
# How deep are they, and what do they keep? Memory is the largest map that leaves a block at each
# size, with 16-bit numbers.

# %%
first, second = MobileNetV1(), MobileNetV2()
for name, model in (("v1", first), ("v2", second)):
    counted = summary(model, (224, 224, 3))
    adds = f"{counted.multiply_adds / 1e6:.1f} M multiply-adds"
    print(f"{name}: {counted.parameters:,} parameters, {adds}")
assert counted.parameters == 3_504_872 and round(counted.multiply_adds / 1e6, 1) == 300.8
kept = memory_by_size(first), memory_by_size(second)
with_weights = sum("Conv" in r.layer or r.layer == "Linear" for r in table.rows)
repeats = sum(n for _, _, n, _ in BLOCKS_V2)
skips = sum(block.skip for block in second.blocks.layers)
print(f"v1: {with_weights} layers with weights; v2: {repeats} blocks, {skips} with a sum, ", end="")
print(f"expansion {sorted({block.expansion for block in second.blocks.layers})}")
assert with_weights == 28 and (repeats, skips) == (17, 10)
SIDES = (112, 56, 28, 14, 7)
print("\n  map   v1: channels      kB     v2: channels      kB")
for side in SIDES:
    print(f"{side:4d}²", end="")
    for sizes in kept:
        channels, kilobytes = sizes[side]
        print(f" {channels:14d} {kilobytes:9.0f}", end="")
    print()
assert round(kept[0][7][1]) == 100 and kept[1][56][0] == 24

figure, axes = plt.subplots(figsize=(6.4, 3))
places = np.arange(len(SIDES))
for i, (sizes, color) in enumerate(zip(kept, (BLUE, ORANGE), strict=True)):
    heights = [sizes[side][1] for side in SIDES]
    axes.bar(places + 0.36 * (i - 0.5), heights, 0.34, color=color, label=f"version {i + 1}")
axes.set_xticks(places, [f"{side} x {side}" for side in SIDES])
axes.set(ylabel="kB between the blocks", title="Narrow ends save memory")
axes.grid(visible=False, axis="x")
axes.legend()
drawing.save(
    figure,
    "16_memory.png",
    alt="Memory between the blocks by size of map: version 2 needs a quarter of version 1 at 112 "
    "x 112 pixels, and less than a third of it everywhere.",
)

# %% [markdown]
# ![Memory between the blocks](../docs/figures/16_memory.png)
#
# (Several tables in print have other numbers here: docs/book_errors.md.)
#
# ## Exercises
#
# Answers are in `tutorials/answers/16.py`. Try first.
#
# 1. By hand: 3 x 3, 64 channels in, 128 out. Which part of the multiply-adds of the ordinary
#    convolution has the separable one? And with 5 x 5 kernels?
# 2. Derive: for which number of output channels do the depthwise and the pointwise part cost the
#    same, with k x k kernels?
# 3. Predict, then change a line: `MobileNetV1(0.5)` for images of 112 pixels. Which part of the
#    multiply-adds of the full network for 224?
# 4. The last depthwise convolution of version 1 has stride 1. Give it stride 2 in `BLOCKS`: what
#    leaves the blocks for an image of 224 pixels?
# 5. Why can a depthwise convolution alone never learn that "green beside red" is something?
#
# ## What to take along
#
# - Looking and mixing apart cost 1/F + 1/k² of a convolution, in weights and in multiply-adds; what
#   they cost in time has to be measured.
# - After that nearly all work is in the 1 x 1 convolutions, which are matrix products.
# - Width and resolution trade accuracy for work; work falls with the square of both.
# - Activation functions where it is wide, none where it is narrow.
#
# `tinydl train mobilenet-cifar` trains version 1 at half width for small colour pictures, and
# `tinydl classify RUN IMAGE` asks it for its five best guesses.
# `python -m tinydl.studies separable` counts and times more sizes, with gradients too
# (benchmarks/results/studies.md). Go on with page 17: what is where.
