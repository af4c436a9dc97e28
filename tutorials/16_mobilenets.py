# %% [markdown]
# # 16. MobileNets
#
# A convolution does two things at once: it looks at the neighbours, and it mixes the channels.
# Doing one after the other costs about a ninth. That is the idea of MobileNet, version 1. Version 2
# turns the blocks inside out: narrow where numbers are kept, wide where they are worked on. This
# page counts the price, measures it, and shows why the narrow ends have no activation function.

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
from tinydl.models.mobile.mobilenet_v1 import BLOCKS as BLOCKS_V1
from tinydl.models.mobile.mobilenet_v1 import SeparableBlock
from tinydl.models.mobile.mobilenet_v2 import BLOCKS as BLOCKS_V2
from tinydl.models.mobile.mobilenet_v2 import InvertedResidual
from tinydl.nn import Conv2d, DepthwiseConv2d, Module, summary

_runtime.set_threads(1)
rng = np.random.default_rng(0)

# %% [markdown]
# ## Looking, then mixing
#
# A depthwise convolution has one k x k filter per channel and mixes nothing. A pointwise
# convolution (1 x 1) mixes the channels of each pixel and looks at no neighbour. One after the
# other they are an ordinary convolution, but a special one: its filter from channel c to channel f
# is depthwise filter c times one number.

# %%
k, C, F = 3, 4, 6
depthwise, pointwise = rng.normal(size=(k, k, C, 1)), rng.normal(size=(1, 1, C, F))
x = Tensor(rng.normal(size=(2, 7, 7, C)))
looked = tinydl.depthwise_conv2d(x, Tensor(depthwise), padding="same")
mixed = tinydl.conv2d(looked, Tensor(pointwise))
whole = tinydl.conv2d(x, Tensor(depthwise * pointwise), padding="same")  # (k, k, C, F)
difference = np.abs(mixed.numpy() - whole.numpy()).max()
print(f"two steps minus one convolution with the product of the filters: {difference:.1e}")
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
drawing.save(figure, "16_separable.png")

# %% [markdown]
# ## The price, counted
#
# For a map of G x G pixels, C channels in and F out, the multiply-adds are
#
#     ordinary     G² k² C F
#     depthwise    G² k² C      pointwise  G² C F      together  G² C (k² + F)
#
# so the ratio is 1/F + 1/k². With 3 x 3 windows it is never below 1/9, and already near it for a
# hundred channels. The book's example: 256 filters.


# %%
def ratio(F: int, k: int = 3, C: int = 64, G: int = 14) -> float:
    """Multiply-adds of depthwise and pointwise together, over those of the convolution."""
    ordinary = conv2d_geometry((1, G, G, C), (k, k, C, F), padding="same").multiply_adds
    looking = conv2d_geometry((1, G, G, C), (k, k, 1, C), padding="same", groups=C).multiply_adds
    mixing = conv2d_geometry((1, G, G, C), (1, 1, C, F)).multiply_adds
    return (looking + mixing) / ordinary


print("\nfilters     ratio for 3x3    5x5")
for filters in (16, 64, 256, 1024):
    print(f"{filters:7d} {ratio(filters):14.3f} {ratio(filters, 5):9.3f}")
    assert abs(ratio(filters) - (1 / filters + 1 / 9)) < 1e-12
book = ratio(256)
print(f"256 filters of 3x3: {book:.3f}, {1 / book:.1f} times fewer")
assert round(book, 3) == 0.115

# %% [markdown]
# ## The price, measured
#
# Multiply-adds are not time. The same three layers on this machine, in four places of a network: C
# channels in and out, each map half as large as the one before. The convolutions take turns, so
# that a busy moment of the machine hits all of them; the numbers are medians of the processor time
# on one thread.

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
drawing.save(figure, "16_measured.png")

# %% [markdown]
# Compare the two ratios: they need not agree. A number that the ordinary convolution fetches from
# memory serves all F filters; one that the depthwise convolution fetches serves k² multiply-adds
# and no more. So a machine may do fewer multiply-adds a second in it (page 12 draws the roofline).
# It matters little, because the depthwise part is small:

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
# The width multiplier makes every layer thinner, the resolution multiplier the picture smaller.
# Work falls with the square of each; weights only with the width, and a little slower than its
# square, because the linear layer for 1000 classes falls with the width itself.

# %%
widths, sides = (1.0, 0.75, 0.5, 0.25), (224, 128) if FAST else (224, 192, 160, 128)
price = {}
print("\nwidth   parameters   multiply-adds in millions for pictures of", *sides)
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
    xlabel="side of the picture", ylabel="million multiply-adds", title="MobileNet v1, two knobs"
)
axes.legend(fontsize=9)
axes.set_ylim(5, 4000)
drawing.save(figure, "16_knobs.png")

# %% [markdown]
# ## Version 2: narrow outside, wide inside
#
# Version 1 is a chain of wide maps. Version 2 keeps narrow ones: a 1 x 1 convolution makes them six
# times wider, the depthwise convolution works there, another 1 x 1 makes them narrow again, and the
# narrow ends are added (where size and channels agree). An ordinary residual bottleneck is the
# other way round: wide ends, narrow middle.

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
drawing.save(figure, "16_blocks.png")

# %% [markdown]
# ## Why the narrow end has no activation function
#
# A ReLU throws away everything below zero. If the numbers are many and say the same thing several
# times, the others still know it. If they are few, it is lost. The paper's experiment (Sandler et
# al. 2018, figure 1): put a spiral of the plane into n dimensions by a random matrix, apply ReLU,
# and go back as well as a linear map can.

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
drawing.save(figure, "16_linear_bottleneck.png")

# %% [markdown]
# So the ReLU6 stands in the wide middle, and the narrow end is linear.
#
# ## The two versions beside each other
#
# The table of the book, computed. Memory is the largest map that leaves a block at each size, with
# 16-bit numbers.

# %%
first, second = MobileNetV1(), MobileNetV2()
for name, model in (("v1", first), ("v2", second)):
    counted = summary(model, (224, 224, 3))
    adds = f"{counted.multiply_adds / 1e6:.1f} M multiply-adds"
    print(f"{name}: {counted.parameters:,} parameters, {adds}")
assert counted.parameters == 3_504_872 and round(counted.multiply_adds / 1e6, 1) == 300.8
kept = memory_by_size(first), memory_by_size(second)
BOOK = {112: (1600, 400), 56: (800, 200), 28: (400, 100), 14: (200, 62), 7: (199, 32)}
print("\n  map   v1: channels, kB (book)      v2: channels, kB (book)")
for side, printed in BOOK.items():
    print(f"{side:4d}²", end="")
    for sizes, figure_of_book in zip(kept, printed, strict=True):
        channels, kilobytes = sizes[side]
        print(f" {channels:12d} {kilobytes:8.0f} ({figure_of_book})", end="")
    print()
assert round(kept[0][7][1]) == 100 and kept[1][56][0] == 24

figure, axes = plt.subplots(figsize=(6.4, 3))
places = np.arange(len(BOOK))
for i, (sizes, color) in enumerate(zip(kept, (BLUE, ORANGE), strict=True)):
    heights = [sizes[side][1] for side in BOOK]
    axes.bar(places + 0.36 * (i - 0.5), heights, 0.34, color=color, label=f"version {i + 1}")
axes.set_xticks(places, [f"{side} x {side}" for side in BOOK])
axes.set(ylabel="kB between the blocks", title="Narrow ends save memory")
axes.grid(visible=False, axis="x")
axes.legend()
drawing.save(figure, "16_memory.png")

# %% [markdown]
# ## Where the book is wrong
#
# Hands-On Deep Learning Architectures with Python (2019), chapter 5. What can be counted, is:


# %%
def strided(model: Module, shape: tuple[int, ...]) -> int:
    """The side of the map that leaves the blocks."""
    return next(
        r for r in summary(model, shape).rows[::-1] if len(r.output_shape) == 3
    ).output_shape[0]


as_printed = MobileNetV1(0.25, blocks=(*BLOCKS_V1[:-1], (1024, 2)))
sides = strided(as_printed, (224, 224, 3)), strided(MobileNetV1(0.25), (224, 224, 3))
print(
    f"last map with the printed stride 2: {sides[0]} x {sides[0]}; with 1: {sides[1]} x {sides[1]}"
)
with_weights = sum("Conv" in r.layer or r.layer == "Linear" for r in table.rows)
repeats = sum(n for _, _, n, _ in BLOCKS_V2)
skips = sum(block.skip for block in second.blocks.layers)
print(f"v1: {with_weights} layers with weights; v2: {repeats} blocks, {skips} with a sum, ", end="")
print(f"expansion {sorted({block.expansion for block in second.blocks.layers})}")
assert sides == (4, 7) and with_weights == 28 and (repeats, skips) == (17, 10)

# %% [markdown]
# - "The separable convolution has nine times more parameters." Nine times fewer.
# - The last depthwise convolution of version 1 has stride 2 in the table, but the next row goes on
#   with 7 x 7. Its stride is 1. The "30 layers" are rows of the table; 28 have weights.
# - The block is called "depth-wise separable and point-wise": separable *means* depthwise, then
#   pointwise.
# - The reason for the linear bottleneck is given the wrong way round. ReLU destroys information in
#   *few* dimensions (above).
# - Version 2 has "19 residual bottleneck blocks" and "a constant factor of 6". Its table adds up to
#   17, of which 10 have a sum, and the first has factor 1. Not all of its kernels are 3 x 3: most
#   are 1 x 1.
# - 199 kB for version 1 at 7 x 7 are 100 (the paper has the same slip), and the channels of version
#   2 at 56, 28 and 14 belong to maps of half that size.
# - The preprocessing "reshapes" pictures; it only scales them to -1 ... 1.
#
# ## What to take along
#
# - Looking and mixing apart cost 1/F + 1/k² of a convolution, in weights and in multiply-adds; in
#   time, measure.
# - After that nearly all work is in the 1 x 1 convolutions, which are matrix products.
# - Width and resolution trade accuracy for work; work falls with the square of both.
# - Activation functions where it is wide, none where it is narrow.
#
# `tinydl train mobilenet-cifar` trains version 1 at half width for small colour pictures, and
# `tinydl classify RUN IMAGE` asks it for its five best guesses.
# `python -m tinydl.studies separable` counts and times more sizes, with gradients too
# (benchmarks/results/studies.md).
