# %% [markdown]
# # 14. From LeNet to ResNet
#
# **You need**: a *convolution* and *pooling* (page 5), *ReLU* (page 13), *batch normalisation*
# (page 10), *initialisation* (page 40).
#
# **You will be able to** say what each of five famous networks added; compute a receptive field;
# see why weights that start at zero may stay there; and explain what a residual block changes.
#
# Five networks in seventeen years, and each is remembered for one idea: share the weights (LeNet),
# take ReLU and be large (AlexNet), stack small windows (VGG), look in parallel (GoogLeNet), add the
# input back (ResNet). This page tries each idea alone, shows what one wrong line at the start of
# training can do, and ends with the experiment that made residual networks necessary. It is two
# lessons: stop after VGG if you like, and go on another day.

# %%
from __future__ import annotations

import inspect
import os

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, PALE_BLUE, plt
from matplotlib.patches import Rectangle

import tinydl
from tinydl import Tensor, no_grad
from tinydl.data import Batches, digits, mnist, synthetic_digits
from tinydl.models import (
    VGG,
    AlexNet,
    CifarCNN,
    GoogLeNet,
    LeNet5,
    PlainCifar,
    ResNet,
    ResNetCifar,
)
from tinydl.models.convolutional.residual import BasicBlock, PlainBlock
from tinydl.nn import Conv2d, Module, activations, cross_entropy, summary
from tinydl.optim import SGD, Adam, AdamW
from tinydl.train import fit

rng = np.random.default_rng(0)

# %% [markdown]
# ## Five networks in numbers
#
# `summary` sends one image through a network and counts. "Deep" is the number of layers with
# weights on the longest way. (Drawing the 138 million first weights of VGG takes a while, so the
# fast mode of this page only says how many parameters the two largest have.)
#
# **Before you run**: which of the five has most weights, the deepest or one of the others?

# %%
FAMILY = (
    ("LeNet-5", 1998, 5, LeNet5, (28, 28, 1), 61_706),
    ("AlexNet", 2012, 8, AlexNet, (227, 227, 3), 60_965_224),
    ("VGG16", 2014, 16, VGG, (224, 224, 3), 138_357_544),
    ("GoogLeNet", 2014, 22, GoogLeNet, (224, 224, 3), 6_998_552),
    ("ResNet-34", 2015, 34, ResNet, (224, 224, 3), 21_797_672),
)
counts = {}
print("network     year  deep    parameters  in linear layers  multiply-adds   results")
for name, year, deep, build, shape, expected in FAMILY:
    if FAST and expected > 50_000_000:
        print(f"{name:<11} {year} {deep:5d} {expected:13,}")
        continue
    rows = summary(build(), shape).rows  # what runs: GoogLeNet's helpers of training do not
    weights = sum(row.parameters for row in rows)
    linear = sum(row.parameters for row in rows if row.layer == "Linear") / weights
    work = sum(row.multiply_adds for row in rows)
    held = sum(row.activation_bytes for row in rows) / 1e6
    counts[name] = (weights, work)
    print(f"{name:<11} {year} {deep:5d} {weights:13,} {linear:17.0%} {work / 1e6:12,.1f} M", end="")
    print(f" {held:6.1f} MB")
    assert weights == expected

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
# Three times deeper than AlexNet with a ninth of its weights: that is GoogLeNet, which ends in the
# mean of each map where AlexNet and VGG have linear layers. In those two the linear layers hold
# nearly all weights, the convolutions do nearly all the work.
#
# ## LeNet: the same weights everywhere
#
# A digit that is moved should give the same answer, moved. A linear layer would have to learn every
# place anew. A convolution cannot do otherwise.

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
# says that they are there, else drawn ones) its six windows answer to strokes and to their upper,
# lower or left edges, and S2 keeps where. (Strong weight decay lets fade what nothing needs;
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
    alt="The six first windows of LeNet before and after training, and the maps that they make of "
    "a digit, before and after pooling.",
)

# %% [markdown]
# ![LeNet's first windows](../docs/figures/14_filters.png)
#
# ## AlexNet: ReLU
#
# A gradient goes back through every activation function and is multiplied by its slope. The slope
# of the sigmoid is at most 1/4, that of tanh at most 1, and small wherever the unit is far from
# zero. ReLU has slope 1 or 0. Forty layers of 64 units, each with the customary first weights, show
# what is left.


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
# ## VGG: small windows, stacked
#
# Two 3 x 3 convolutions in a row look at 5 x 5 pixels, three look at 7 x 7. What one number deep in
# the network can see is its receptive field. Two numbers carry it along: how wide it is, and how
# far apart two neighbours see (the jump). A window of k grows it by (k - 1) jumps; a stride of s
# makes the jump s times larger.
#
# **Before you run**: how many pixels does one number see behind a 3 x 3 convolution of stride 2 and
# another 3 x 3 one?


# %%
def receptive_field(windows: list[tuple[int, int]]) -> list[int]:
    """The field after each (kernel size, stride)."""
    field, jump, fields = 1, 1, []
    for size, stride in windows:
        field += (size - 1) * jump
        jump *= stride
        fields.append(field)
    return fields


C = 64
for layers, size in ((2, 5), (3, 7)):
    stacked, single = layers * 9 * C * C, size * size * C * C
    assert receptive_field([(3, 1)] * layers)[-1] == size
    print(f"{layers} x 3x3 sees {size}x{size}: {stacked:,} weights, one {size}x{size} {single:,}")

# %% [markdown]
# Is the rule true? A field of r pixels means: from r x r pixels, without padding, exactly one
# number is made, and its gradient reaches every pixel. (Here every window takes the mean, so that
# nothing cancels.)


# %%
def windows_of(features: Module) -> list[tuple[int, int]]:
    """(kernel size, stride) of every layer with a window."""
    layers = [m for m in features.layers if hasattr(m, "kernel_size")]
    return [(layer.kernel_size[0], layer.stride[0]) for layer in layers]


RESNET34 = [(7, 2), (3, 2)]  # along the convolutions, not along the shortcuts
for stage, blocks in enumerate((3, 4, 6, 3)):
    for block in range(blocks):
        RESNET34 += [(3, 2 if stage and block == 0 else 1), (3, 1)]

ladders = {
    "LeNet-5": windows_of(lenet.features),
    "VGG16": windows_of(VGG(widths=(1,) * 5, hidden=1).features),  # narrow: the same windows
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
# LeNet's last convolution sees its whole picture (28 pixels and 2 of padding on each side). But a
# pixel in the middle has many ways to the output and one at the corner has a single one. With
# random weights the sight is a soft spot, far smaller than the field (Luo et al. 2016, arXiv
# 1701.04128).

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
ax.text(0, 260, "the picture of ImageNet: 224", color=MUTED, fontsize=9)
ax.set(xlabel="layers with a window (convolutions, poolings)", ylabel="receptive field in pixels")
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
# (Here the first lesson ends.)
#
# ## One wrong line: filters that start at zero
#
# A network for CIFAR-10 by Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019,
# chapter 4) has 9,312,202 weights, and its listing starts every filter with zeros. Then every
# convolution returns zeros; ReLU has slope 0 there; no filter ever gets a gradient. The linear
# layers see zeros as well. Here is one step's gradient of exactly that network: how many of its
# weights can move?

# %%
x, y = Tensor(rng.random((8, 32, 32, 3), np.float32)), Tensor(rng.integers(0, 10, 8))
movable = {}
for start in ("zeros", "he_normal"):
    model = CifarCNN(filter_init=start)
    cross_entropy(model(x), y).backward()
    parts = dict(model.named_parameters())
    movable[start] = sum(int(np.count_nonzero(p.grad.numpy())) for p in parts.values())
    alive = [name for name, p in parts.items() if np.any(p.grad.numpy())]
    print(f"filters start {start:<9}: {movable[start]:9,} of {model.count_parameters():,} weights ")
    print(f"    get a gradient, in {len(alive)} of {len(parts)} arrays: {', '.join(alive[-3:])}")
assert movable["zeros"] == 10 and movable["he_normal"] > 100_000

# %% [markdown]
# Ten: the biases of the last layer. They learn how frequent each class is, nothing else. On data
# with equal classes the loss stays at ln 10 = 2.303 for ever. (With the better start, the units
# that dropout or ReLU silenced in this step get no gradient in this step; others will in the next.)
# The same network, narrow, on the small digits of scikit-learn:

# %%
samples = digits()
X, Y = (samples.x[:, :, :, None] / 16).astype(np.float32), samples.y
narrow = {"image_size": 8, "in_channels": 1, "widths": (16, 32, 32, 64, 64), "hidden": (64, 32)}


def train(model: Module, optimizer, steps: int, seed: int = 0) -> list[float]:
    """The losses of `steps` batches of 64 digits."""
    data = Batches((X, Y), 64, shuffle=True, rng=tinydl.Generator(seed))
    losses: list[float] = []
    while True:
        for x, y in data:
            if len(losses) == steps:
                return losses
            loss = cross_entropy(model(Tensor(x)), Tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())


steps = 200
curves = {}
for start in ("zeros", "he_normal"):
    tinydl.seed(0)
    model = CifarCNN(dropout=0.2, filter_init=start, **narrow)
    curves[start] = train(model, Adam(model.parameters(), lr=2e-3), steps)
    print(f"filters start {start:<9}: mean loss of the last 20 batches", end="")
    print(f" {np.mean(curves[start][-20:]):.3f}  (ln 10 = {np.log(10):.3f})")
assert abs(np.mean(curves["zeros"][-20:]) - np.log(10)) < 0.02
assert np.mean(curves["he_normal"][-20:]) < 1

# %% [markdown]
# ## Plain and residual: the degradation experiment
#
# If depth helps, let us stack more. Here is an argument why more layers cannot hurt on the training
# samples. Take a shallow network that has been trained. Build a deep one of it: the same layers,
# and behind them as many new ones as you like, each of which copies its input (a convolution can: 1
# in the middle of its kernel, 0 elsewhere). It gives the same answers. So the deep network *can* be
# as good as the shallow one; what training finds should be no worse.
#
# **Before you run**: is the argument right? Will training find it?
#
# Below are networks of 8, 20 and 56 layers on the digits, twice: plain, and residual. Both have the
# same weights, the same start, the same batches and batch normalisation everywhere. They differ by
# one term. This is the plain block and the residual one; `residual(x)` is convolution, norm, ReLU,
# convolution, norm:

# %%
print(inspect.getsource(PlainBlock.forward))
print(inspect.getsource(BasicBlock.forward))

# %%
depths = (8, 20, 56)
steps, seeds, shown = (40, 1, 10) if FAST else (336, 3, 28)  # 28 batches are one epoch
runs = {}
for kind, build in (("plain", PlainCifar), ("residual", ResNetCifar)):
    for depth in depths:
        for seed in range(seeds):
            tinydl.seed(seed)
            model = build(depth, in_channels=1, widths=(8, 16, 32))
            step = SGD(model.parameters(), lr=0.05, momentum=0.9)
            runs.setdefault((kind, depth), []).append(train(model, step, steps, seed))
final = {key: float(np.mean([losses[-shown:] for losses in many])) for key, many in runs.items()}
print(f"\ntraining loss, mean of the last {shown} of {steps} batches")
print("depth      plain   residual")
for depth in depths:
    print(f"{depth:5d} {final['plain', depth]:10.3f} {final['residual', depth]:10.3f}")
assert final["plain", 56] > final["plain", 20] > final["plain", 8]
assert final["plain", 56] > 2 * final["residual", 56]

# %%
figure, panels = plt.subplots(1, 2, figsize=(9.6, 3.6), sharey=True)
for ax, kind in zip(panels, ("plain", "residual"), strict=True):
    for depth, color in zip(depths, (GREEN, BLUE, ORANGE), strict=True):
        for number, losses in enumerate(runs[kind, depth]):
            smooth = np.convolve(losses, np.full(shown, 1 / shown), "valid")
            x = np.arange(shown, steps + 1)
            ax.plot(x, smooth, color=color, label=f"{depth} layers" if number == 0 else None)
    ax.set(xlabel="batches", title=f"{kind} networks")
    ax.axhline(np.log(10), color=MUTED, linewidth=1, linestyle="--")
panels[0].set_ylabel(f"training loss (mean of {shown} batches)")
panels[1].text(steps, np.log(10) + 0.05, "guessing: ln 10", color=MUTED, fontsize=9, ha="right")
panels[1].legend(loc="center right")
drawing.save(
    figure,
    "14_degradation.png",
    alt="Training loss of networks of 8, 20 and 56 layers. Plain: the deeper, the higher; 56 "
    "layers stay near guessing for long. Residual: all three fall.",
)

# %% [markdown]
# ![Training loss of plain and residual networks](../docs/figures/14_degradation.png)
#
# The deep plain network is worse on the very data that it trains on. This is not overfitting, it is
# failing to learn, and it is called *degradation*. The argument was right, the good weights exist;
# gradient descent does not find them. (The digits are easy: even residual networks gain
# nothing from 56 layers here. What matters is that they lose so little.) Did the gradients vanish?
# Look at them at the start of training, after the first convolution of every block.


# %%
def gradients_by_block(build, depth: int = 56) -> np.ndarray:
    """The length of dL/dweight of every block's first convolution, before the first step."""
    tinydl.seed(0)
    model = build(depth, in_channels=1, widths=(8, 16, 32))
    cross_entropy(model(Tensor(X[:128])), Tensor(Y[:128])).backward()
    return np.array([np.linalg.norm(b.conv1.weight.grad.numpy()) for b in model.blocks.layers])


lengths = {"plain": gradients_by_block(PlainCifar), "residual": gradients_by_block(ResNetCifar)}
figure, axes = plt.subplots(figsize=(6.4, 3))
for (kind, values), color in zip(lengths.items(), (ORANGE, BLUE), strict=True):
    spread = values[:3].mean() / values[-3:].mean()
    print(f"{kind:<9} gradients of the first three blocks over the last three: {spread:9.1f}")
    axes.semilogy(
        np.arange(1, len(values) + 1), values, "o-", markersize=4, color=color, label=kind
    )
axes.set(xlabel="block (of 27)", ylabel="length of the gradient", title="56 layers, first step")
axes.legend()
drawing.save(
    figure,
    "14_gradients.png",
    alt="Size of the gradient by block before the first step, logarithmic, 56 layers: in the "
    "plain network it falls by orders of magnitude from the first block to the last, in the "
    "residual one much less.",
)
spread = {kind: values[:3].mean() / values[-3:].mean() for kind, values in lengths.items()}
assert spread["plain"] > 5 * spread["residual"]

# %% [markdown]
# They did not vanish: with normalisation after every convolution, they *grow* on the way back, in
# the plain network by orders of magnitude. No learning rate suits both ends. The shortcut lets the
# gradient pass beside the convolutions.
#
# It also makes "do nothing" easy. Where a plain layer must learn the identity, a *residual block*
# (convolutions with their shortcut) has to learn zero. Set the last scale of a block to zero and
# its input comes out unchanged:

# %%
block = BasicBlock(8, 8)
block.norm2.scale.assign(np.zeros(8, np.float32))
x = Tensor(np.abs(rng.normal(size=(2, 6, 6, 8))).astype(np.float32))  # behind a relu: not negative
assert np.array_equal(block(x).numpy(), x.numpy())
print("\na block whose F is zero returns its input, bit for bit")

# %%
WAYS = {"plain": "", "residual": "x", "residual, half the side": "1x1, stride 2"}
figure, panels = plt.subplots(1, 3, figsize=(9.6, 4.2))
plus = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": ORANGE}
for ax, (kind, way) in zip(panels, WAYS.items(), strict=True):
    drawing.blank(ax, kind)
    block = BasicBlock(64, 128, 2) if "half" in kind else BasicBlock(64, 64)
    first, second = (f"3x3, {c.weight.shape[3]} channels" for c in (block.conv1, block.conv2))
    steps = ["x", first, "batch norm, ReLU", second, "batch norm", "ReLU"]
    tops = [0.0, -0.9, -1.8, -2.7, -3.6, -5.1 if way else -4.5]
    for k, (top, step) in enumerate(zip(tops, steps, strict=True)):
        tone = PALE_BLUE if "channels" in step else "white"
        ax.add_patch(Rectangle((-1.3, top - 0.55), 2.6, 0.55, facecolor=tone, edgecolor=MUTED))
        ax.text(0, top - 0.28, step, ha="center", va="center", fontsize=9)
        if k:
            ax.annotate("", (0, top), (0, tops[k - 1] - 0.55), arrowprops={"arrowstyle": "-|>"})
    if way:
        ax.plot([0, 2, 2, 0.16], [-0.72, -0.72, -4.57, -4.57], color=ORANGE)
        ax.text(2.1, -2.6, way, color=ORANGE, va="center", rotation=90)
        ax.text(0, -4.57, "+", ha="center", va="center", fontsize=13, color=ORANGE, bbox=plus)
    ax.set(xlim=(-1.6, 2.6), ylim=(-6, 0.2))
drawing.save(
    figure,
    "14_residual_block.png",
    alt="A plain block, a residual block whose input goes around two convolutions and is added, "
    "and one that halves the sides and has a 1 x 1 convolution on the way around.",
)

# %% [markdown]
# ![Plain and residual blocks](../docs/figures/14_residual_block.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/14.py`. Try first.
#
# 1. By hand: the receptive field behind three 3 x 3 convolutions, behind a 7 x 7 one, and the
#    weights of each for 64 channels in and out.
# 2. Why do the last layer's biases get a gradient in the network of zeros, and nothing else?
# 3. Write the kernel of a 3 x 3 convolution (2 channels to 2) that copies its input, and try it.
# 4. Derive: y = x + F(x). What is dy/dx? Why does a product of such factors not vanish as easily?
# 5. Forty layers of 64 units with ReLU and weights of variance 1/64: by how much does the gradient
#    shrink (page 40)?
#
# ## Where the book is wrong
#
# Liu and Mehta, chapter 4:
#
# - LeNet-5 has "seven stacked convolution layers". It has three, two poolings and two linear
#   layers.
# - A batch of pictures is (batch, width, height, channel). Height comes first.
# - Stride 1 in the example of the size formula: 32 pixels, 3 x 3, padding 1 give 16 only with
#   stride 2.
# - All filters start at zero (above). The listing cannot run either: two dropout tensors are used
#   under other names than they got. The class that draws samples is made without two arguments.
# - CIFAR has "80 million images". It has 60,000, taken from such a collection.
# - 3.57 % top-5 error stands beside the description of 34 layers. Six networks together reached it,
#   up to 152 layers deep.

# %%
for stride, expected in ((1, 32), (2, 16)):
    with no_grad():
        side = Conv2d(1, 4, 3, stride, 1)(Tensor(np.zeros((1, 32, 32, 1), np.float32))).shape[1]
    print(f"32 pixels, 3x3, padding 1, stride {stride}: {side}")
    assert side == expected

# %% [markdown]
# ## What to take along
#
# - Few weights can be much work: weights are shared by all places.
# - Small windows, stacked, see as far as large ones, with fewer weights and more activation
#   functions between; what they mostly look at is the middle.
# - Weights that start at zero can stay there for ever, without any error message.
# - Deeper plain networks get worse on their training data. Adding the input back cures that.
#
# `tinydl train lenet-mnist` and `tinydl train resnet20-cifar` train two of them for real, and
# `python -m tinydl.studies degradation` repeats the experiment on photographs, at four depths
# (benchmarks/results/studies.md). Go on with page 15, which looks in parallel: Inception, and
# DenseNet, which joins where ResNet adds.
