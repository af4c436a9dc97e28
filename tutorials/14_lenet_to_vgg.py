# %% [markdown]
# # 14. From LeNet to VGG
#
# **You need**: a *convolution* and *pooling* (page 5), *ReLU* (page 13), *initialisation*
# (page 40).
#
# **You will be able to** say what each of three famous networks added; compute what one number deep
# in a network can see; and say why parameters and work are two different prices.
#
# Five networks in seventeen years, and each is remembered for one idea: share the weights (LeNet),
# take ReLU and be large (AlexNet), stack small kernels (VGG), look in parallel (GoogLeNet), add the
# input back (ResNet). This page puts all five side by side and tries the first three ideas alone.
# Page 43 asks what goes wrong when networks become deeper still, and ends at ResNet; page 15 has
# GoogLeNet.

# %%
from __future__ import annotations

import os

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from matplotlib.patches import Rectangle
from recorded import figures, note

import tinydl
from tinydl import Tensor, no_grad
from tinydl.data import Batches, mnist, synthetic_digits
from tinydl.models import VGG, AlexNet, GoogLeNet, LeNet5, ResNet
from tinydl.nn import Module, activations, cross_entropy, summary
from tinydl.optim import AdamW
from tinydl.train import fit

rng = np.random.default_rng(0)

# %% [markdown]
# ## Five networks in numbers
#
# `summary` sends one image through a network and counts. *Multiply-adds* are the work: one product
# that is added to a sum counts as one. "Deep" is the number of layers with weights on the longest
# way; "results" is the memory of all maps. (Drawing the 138 million first weights of VGG takes a
# while. The fast mode of this page takes the counts of the two largest from a full run.)
#
# **Before you run**: which of the five has most weights, the deepest or one of the others? And has
# the network with the most weights also the most work?

# %%
FAMILY = (
    ("LeNet-5", 1998, 5, LeNet5, (28, 28, 1), 61_706),
    ("AlexNet", 2012, 8, AlexNet, (227, 227, 3), 60_965_224),
    ("VGG16", 2014, 16, VGG, (224, 224, 3), 138_357_544),
    ("GoogLeNet", 2014, 22, GoogLeNet, (224, 224, 3), 6_998_552),
    ("ResNet-34", 2015, 34, ResNet, (224, 224, 3), 21_797_672),
)
WHAT = ("linear share", "multiply-adds", "megabytes")


def counted(name: str, build, shape: tuple[int, int, int], expected: int) -> tuple[float, ...]:
    """(share of the weights that is in linear layers, multiply-adds, megabytes of all maps)."""
    if FAST and expected > 50_000_000 and figures("14"):
        return tuple(figures("14")[f"{name}: {what}"] for what in WHAT)
    rows = summary(build(), shape).rows  # what runs: GoogLeNet's helpers of training do not
    weights = sum(row.parameters for row in rows)
    assert weights == expected
    linear = sum(row.parameters for row in rows if row.layer == "Linear") / weights
    work = sum(row.multiply_adds for row in rows)
    return linear, work, sum(row.activation_bytes for row in rows) / 1e6


counts = {}
print("network     year  deep    parameters  in linear layers  multiply-adds   results")
for name, year, deep, build, shape, weights in FAMILY:
    found = counted(name, build, shape, weights)
    for what, value in zip(WHAT, found, strict=True):
        note(f"{name}: {what}", value)
    linear, work, held = found
    counts[name] = (weights, work)
    print(f"{name:<11} {year} {deep:5d} {weights:13,} {linear:17.0%} {work / 1e6:12,.1f} M", end="")
    print(f" {held:6.1f} MB")

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.8))
for name, (weights, work) in counts.items():
    axes.scatter(weights, work, s=70, color=BLUE, zorder=3)
    axes.annotate(name, (weights, work), xytext=(7, -13), textcoords="offset points")
axes.set(xscale="log", yscale="log", xlim=(2e4, 1e9), ylim=(1e5, 6e10))
axes.set(xlabel="parameters", ylabel="multiply-adds for one image")
axes.set_title("Parameters and work are two different prices")
drawing.save(
    figure,
    "14_five_networks.png",
    alt="Five networks by parameters and multiply-adds, both logarithmic: VGG16 has most of both, "
    "GoogLeNet few parameters and much work.",
)

# %% [markdown]
# ![Parameters and work are two prices](../docs/figures/14_five_networks.png)
#
# Not the deepest: ResNet-34 has less than a sixth of VGG's weights. GoogLeNet is nearly three times
# deeper than AlexNet with a ninth of its weights, because it ends in the mean of each map where
# AlexNet and VGG have linear layers. In those two the linear layers hold nearly all weights, and
# the convolutions do nearly all the work. Why? A weight of a linear layer is used once for each
# image. A weight of a convolution is used at every place of the map, thousands of times. So few
# weights can be much work.
#
# ## LeNet: the same weights everywhere
#
# A digit that is moved by two pixels should give the same answer, moved by two pixels. A linear
# layer has its own weights for every pixel and would have to learn every place anew. A convolution
# slides the same kernel over all places; it cannot do otherwise. ("C1" and "S2" are the names that
# LeNet's first convolution and its pooling have in the paper: LeCun et al. 1998.)
#
# **Before you run**: C1 makes six maps of 28 x 28 numbers out of one image of 28 x 28, with kernels
# of 5 x 5. How many weights does it have? How many would a linear layer need that makes as many
# numbers of as many pixels?

# %%
lenet = LeNet5()
first = lenet.features[0]
linear_weights = 28 * 28 * (28 * 28 * 6) + 28 * 28 * 6
print(f"\nC1: {first.count_parameters()} weights; a linear layer of that size {linear_weights:,}")

x = np.zeros((1, 28, 28, 1), np.float32)
x[0, 8:18, 8:18, 0] = rng.normal(size=(10, 10))
moved = np.roll(x, (3, 2), axis=(1, 2))
with no_grad():
    here, there = first(Tensor(x)).numpy(), first(Tensor(moved)).numpy()
difference = np.abs(np.roll(here, (3, 2), axis=(1, 2)) - there).max()
print(f"answer to the moved image minus moved answer: {difference:.1e}")
assert first.count_parameters() == 156 and difference < 1e-6

# %% [markdown]
# What does C1 look for? After two passes over a few thousand digits (MNIST's where `TINYDL_DATA`
# says that they are there, else drawn ones) its six kernels answer to strokes and to their edges,
# and S2, which pools, keeps roughly where. (Strong weight decay lets fade what nothing needs;
# without it the random start hides most of what was learned.)

# %%
if os.environ.get("TINYDL_DATA") and not FAST:
    data = mnist()
    X, Y = data.x_train[:12_000, :, :, None].astype(np.float32) / 255, data.y_train[:12_000]
else:
    drawn = synthetic_digits(600 if FAST else 4000, tinydl.Generator(0), size=28)
    X, Y = drawn.x[..., None], drawn.y
tinydl.seed(1)
lenet = LeNet5()
untrained = lenet.features[0].weight.numpy().copy()
batches = Batches((X, Y), 64, shuffle=True, rng=tinydl.Generator(1))
history = fit(
    lenet, batches, loss=cross_entropy, metrics=["accuracy"], epochs=2, progress=False,
    optimizer=AdamW(lenet.parameters(), lr=3e-3, weight_decay=1.0),
)  # fmt: skip
print(f"running accuracy of the second pass: {history['accuracy'][-1]:.1%}")
assert history["loss"][-1] < history["loss"][0]

answers = activations(lenet, X[:1], "features.layers.1", "features.layers.2")
filters = lenet.features[0].weight.numpy()
figure, panels = plt.subplots(4, 6, figsize=(8, 6), layout="constrained")
rows = {
    "C1's six filters, untrained": untrained[:, :, 0],
    "trained (red above 0, blue below)": filters[:, :, 0],
    "what they answer to a digit, 28 x 28": answers["features.layers.1"][0],
    "behind S2, 14 x 14": answers["features.layers.2"][0],
}
for (title, maps), line in zip(rows.items(), panels, strict=True):
    largest = np.abs(maps).max()
    for k, ax in enumerate(line):
        drawing.blank(ax).imshow(maps[..., k], cmap="RdBu_r", vmin=-largest, vmax=largest)
    line[0].set_title(title, loc="left", fontsize=10)
drawing.save(
    figure,
    "14_filters.png",
    alt="The six first kernels of LeNet before and after training, and the maps that they make of "
    "a digit, before and after pooling.",
)

# %% [markdown]
# ![LeNet's first kernels](../docs/figures/14_filters.png)
#
# ## AlexNet: ReLU
#
# AlexNet (Krizhevsky, Sutskever and Hinton 2012) is a large LeNet that was trained on a million
# photographs. What made its depth trainable is its activation function. A gradient goes back
# through every activation function and is multiplied by its slope. The slope of the sigmoid is at
# most 1/4, that of tanh at most 1, and small wherever the unit is far from zero. ReLU has slope 1
# or 0. Forty layers of 64 units, each with the customary first weights, show what is left.
#
# **Before you run**: a factor of 1/4 at each of 40 layers, how small is that? (Ten halvings are
# about a thousandth.)


# %%
def gradient_left(activation, variance: float, layers: int = 40, width: int = 64) -> float:
    """|dL/dx| over |dL/dy| through linear layers with `activation`, weights of N(0, variance)."""
    x = Tensor(rng.normal(size=(32, width)), requires_grad=True)
    h = x
    for _ in range(layers):
        h = activation(h @ Tensor(rng.normal(0, np.sqrt(variance), (width, width))))
    up = rng.normal(size=h.shape)
    h.backward(up)
    return float(np.linalg.norm(x.grad.numpy()) / np.linalg.norm(up))


print("\nwhat is left of a gradient after 40 layers:")
left = {}
for name, activation, variance in (
    ("sigmoid", tinydl.sigmoid, 1 / 64),
    ("tanh", tinydl.tanh, 1 / 64),
    ("relu", tinydl.relu, 2 / 64),
):
    left[name] = gradient_left(activation, variance)
    print(f"  {name:<8} {left[name]:.1e}")
assert left["sigmoid"] < 1e-15 and left["relu"] > 1e-2

# %% [markdown]
# 4^-40 is 1e-24, and the sigmoid's slope is mostly smaller than its largest value. A gradient like
# that moves no weight: the sigmoid's *vanishing gradient*. With ReLU nearly all of it arrives.
#
# ## VGG: small kernels, stacked
#
# VGG (Simonyan and Zisserman 2014) has nothing but 3 x 3 kernels, many layers of them. Two 3 x 3
# convolutions in a row look at 5 x 5 pixels: a number of the second sees 3 x 3 numbers of the
# first, and the outer ones of these see one pixel more on each side. Three look at 7 x 7. The
# pixels that one number deep in the network can see are its *receptive field*. Two numbers carry
# it along: how wide it is, and the jump, how many pixels apart two neighbours look. At the image
# both are 1. A kernel of k grows the field by (k - 1) jumps; a stride of s makes the jump s times
# larger.
#
# By hand, two 3 x 3 convolutions, the first with stride 2. After the first: field 1 + 2 * 1 = 3,
# jump 1 * 2 = 2. After the second: field 3 + 2 * 2 = 7. With stride 1 it was 5.
#
# **Before you run**: and with stride 2 in both, and a third 3 x 3 one behind them?


# %%
def receptive_field(windows: list[tuple[int, int]]) -> list[int]:
    """The field after each (kernel size, stride)."""
    field, jump, fields = 1, 1, []
    for size, stride in windows:
        field += (size - 1) * jump
        jump *= stride
        fields.append(field)
    return fields


print("\n3x3 with stride 2, then 3x3:       ", receptive_field([(3, 2), (3, 1)]))
print("3x3 with stride 2 twice, then 3x3: ", receptive_field([(3, 2), (3, 2), (3, 1)]))
assert receptive_field([(3, 2), (3, 1)])[-1] == 7
assert receptive_field([(3, 2), (3, 2), (3, 1)])[-1] == 15

C = 64
for layers, size in ((2, 5), (3, 7)):
    stacked, single = layers * 9 * C * C, size * size * C * C
    assert receptive_field([(3, 1)] * layers)[-1] == size
    print(f"{layers} x 3x3 sees {size}x{size}: {stacked:,} weights, one {size}x{size} {single:,}")

# %% [markdown]
# The same field for fewer weights, and an activation function more on the way: that is why VGG
# stacks.
#
# Is the rule true? A field of r pixels means: from r x r pixels, without padding, exactly one
# number is made, and its gradient reaches every pixel. (Here every kernel takes the mean, so that
# nothing cancels.)


# %%
def windows_of(features: Module) -> list[tuple[int, int]]:
    """(kernel size, stride) of every convolution and pooling."""
    layers = [m for m in features.layers if hasattr(m, "kernel_size")]
    return [(layer.kernel_size[0], layer.stride[0]) for layer in layers]


RESNET34 = [(7, 2), (3, 2)]  # along the convolutions, not along the shortcuts
for stage, blocks in enumerate((3, 4, 6, 3)):
    for block in range(blocks):
        RESNET34 += [(3, 2 if stage and block == 0 else 1), (3, 1)]

ladders = {
    "LeNet-5": windows_of(lenet.features),
    "VGG16": windows_of(VGG(widths=(1,) * 5, hidden=1).features),  # narrow: the same kernels
    "ResNet-34": RESNET34,
}
fields = {name: receptive_field(windows) for name, windows in ladders.items()}
print()
for name, windows in ladders.items():
    r = fields[name][-1]
    x = Tensor(np.ones((1, r, r, 1)), requires_grad=True)
    h = x
    for size, stride in windows:
        h = tinydl.conv2d(h, Tensor(np.full((size, size, 1, 1), size**-2.0)), stride=stride)
    h.sum().backward()
    reached = int((x.grad.numpy() > 0).sum())
    print(f"{name:<10} sees {r} x {r} pixels; the gradient reaches {reached:,} of {r * r:,}")
    assert h.shape == (1, 1, 1, 1) and reached == r * r
assert fields["LeNet-5"][-1] == 32 and fields["VGG16"][-1] == 212

# %% [markdown]
# LeNet's last convolution sees its whole image (28 pixels and 2 of padding on each side). But a
# pixel in the middle has many ways to the output and one at the corner has a single one. So with
# random weights most of the gradient is in a soft spot, far smaller than the field (Luo et al.
# 2016, arXiv 1701.04128).

# %%
layers, channels = 12, 8
size = receptive_field([(3, 1)] * layers)[-1]
seen = np.zeros((size, size))
for _ in range(4 if FAST else 40):
    x = Tensor(np.zeros((1, size, size, 1)), requires_grad=True)
    h = x
    for i in range(layers):
        shape = (3, 3, 1 if i == 0 else channels, channels)
        h = tinydl.conv2d(h, Tensor(rng.normal(size=shape) / np.sqrt(9 * shape[2])))
    h.backward(rng.normal(size=h.shape))
    seen += x.grad.numpy()[0, :, :, 0] ** 2
middle = slice(size // 2 - 4, size // 2 + 5)
share = seen[middle, middle].sum() / seen.sum()
print(f"\n12 layers of 3x3: field {size} x {size}; {share:.0%} of the squared gradient in 9 x 9")
assert share > 0.5 > 81 / size**2

figure, (ax, heat) = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=(1.5, 1))
for (name, values), color in zip(fields.items(), (ORANGE, BLUE, GREEN), strict=True):
    steps = np.arange(len(values) + 1)
    ax.step(steps, [1, *values], where="post", color=color, label=f"{name}: {values[-1]}")
ax.legend(loc="lower right")
ax.set_yscale("log")
ax.axhline(224, color=MUTED, linewidth=1, linestyle="--")
ax.text(0, 260, "ImageNet: 224 pixels", color=MUTED, fontsize=9)
ax.set(xlabel="layers (convolutions, poolings)", ylabel="receptive field in pixels")
ax.set_title("What one number can see")
drawing.blank(heat, "What it mostly sees: 12 layers of 3 x 3\n(gradient; box: 9 x 9)")
heat.imshow(np.sqrt(seen), cmap="Blues")
heat.add_patch(Rectangle((size // 2 - 4.5, size // 2 - 4.5), 9, 9, fill=False, edgecolor=ORANGE))
drawing.save(
    figure,
    "14_receptive_fields.png",
    alt="Receptive fields that grow from layer to layer, and the pixels that one number mostly "
    "sees: a soft spot in the middle of its field.",
)

# %% [markdown]
# ![Receptive fields](../docs/figures/14_receptive_fields.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/14.py`. Try first.
#
# 1. By hand: the receptive field behind three 3 x 3 convolutions, behind a 7 x 7 one, and the
#    weights of each for 64 channels in and out.
# 2. By hand: an image of 32 pixels a side, a 3 x 3 kernel, padding 1. Which side has the map with
#    stride 1, which with stride 2? (Page 5 has the rule.)
# 3. Predict: an image of 224 pixels instead of 112. How many times more weights has VGG16's part of
#    convolutions then, how many times more work? And its first linear layer?
# 4. Change a line: the forty layers with ReLU and weights of variance 1/64 instead of 2/64. By how
#    much does the gradient shrink? Derive it first (page 40).
#
# ## What to take along
#
# - Few weights can be much work: the weights of a convolution are shared by all places.
# - A moved image gives a moved map; that needs no learning.
# - Through many sigmoids no gradient arrives. ReLU's slope is 1 where it is not 0.
# - Small kernels, stacked, see as far as large ones, with fewer weights and more activation
#   functions between; what they mostly look at is the middle.
#
# `tinydl train lenet-mnist` trains the first of the five for real. Go on with page 43: what goes
# wrong when networks become deeper still, and what ResNet does about it.
