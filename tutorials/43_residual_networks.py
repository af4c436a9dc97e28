# %% [markdown]
# # 43. Deeper still: where depth fails, and residual blocks
#
# **You need**: a *convolution* (page 5), *batch normalisation* (page 10), *overfitting*,
# *initialisation* and the *training loop* (page 40).
#
# **You will be able to** recognise weights that cannot learn by their loss; say why deeper plain
# networks do worse on their own training samples, and why that is not overfitting; and read and
# draw a residual block.
#
# Page 14 ends with VGG: small kernels, stacked, 16 layers. Why not 50, or 150? This page lets two
# networks fail. The first has one wrong line and never begins to learn. The second is right in
# every line and gets worse as it gets deeper. The cure of that is one plus sign (He et al. 2015,
# arXiv 1512.03385), and it made networks of a hundred layers ordinary.

# %%
from __future__ import annotations

import inspect

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, PALE_BLUE, plt
from matplotlib.patches import Rectangle
from recorded import figures, note

import tinydl
from tinydl import Tensor
from tinydl.data import Batches, digits
from tinydl.models import CifarCNN, PlainCifar, ResNetCifar
from tinydl.models.convolutional.residual import BasicBlock, PlainBlock
from tinydl.nn import Module, cross_entropy
from tinydl.optim import SGD, Adam

rng = np.random.default_rng(0)

# %% [markdown]
# ## One wrong line: kernels that start at zero
#
# A network for CIFAR-10 by Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019,
# chapter 4) has 9,312,202 weights, and its listing starts every kernel with zeros. Then every
# convolution returns zeros; ReLU has slope 0 there; so no kernel ever gets a gradient. The linear
# layers see zeros as well, and the gradient of a weight is its input times what comes back.
#
# **Before you run**: how many of the nine million weights get a gradient that is not 0 in the first
# step? Can any?

# %%
x, y = Tensor(rng.random((8, 32, 32, 3), np.float32)), Tensor(rng.integers(0, 10, 8))
movable = {}
for start in ("zeros", "he_normal"):
    model = CifarCNN(filter_init=start)
    cross_entropy(model(x), y).backward()
    parts = dict(model.named_parameters())
    movable[start] = sum(int(np.count_nonzero(p.grad.numpy())) for p in parts.values())
    alive = [name for name, p in parts.items() if np.any(p.grad.numpy())]
    print(f"kernels start {start:<9}: {movable[start]:9,} of {model.count_parameters():,} weights ")
    print(f"    get a gradient, in {len(alive)} of {len(parts)} arrays: {', '.join(alive[-3:])}")
assert movable["zeros"] == 10 and movable["he_normal"] > 100_000

# %% [markdown]
# Ten: the biases of the last layer. They learn how frequent each class is, nothing else. On data
# with equal classes the loss stays at ln 10 = 2.303 for ever, the loss of a network that knows
# nothing (page 40), and no error message says why. (With the better start, the units that dropout
# or ReLU silenced in this step get no gradient in this step; others will in the next.) The same
# network, narrow, on the small digits of scikit-learn:

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


curves = {}
for start in ("zeros", "he_normal"):
    tinydl.seed(0)
    model = CifarCNN(dropout=0.2, filter_init=start, **narrow)
    curves[start] = train(model, Adam(model.parameters(), lr=2e-3), steps=200)
    print(f"kernels start {start:<9}: mean loss of the last 20 batches", end="")
    print(f" {np.mean(curves[start][-20:]):.3f}  (ln 10 = {np.log(10):.3f})")
assert abs(np.mean(curves["zeros"][-20:]) - np.log(10)) < 0.02
assert np.mean(curves["he_normal"][-20:]) < 1

# %% [markdown]
# ## Why more layers cannot hurt: the copying argument
#
# From here on all weights start well. If depth helps, let us stack more. Here is an argument why
# more layers cannot hurt on the training samples. Take a shallow network that has been trained.
# Build a deep one of it: the same layers, and behind them as many new ones as you like, each of
# which copies its input. (A convolution can: 1 in the middle of its kernel, 0 elsewhere. The ReLU
# behind it changes nothing, since what it gets has passed a ReLU and is not negative.) The deep
# network gives the same answers, so it has the same training loss:

# %%
shallow = Tensor(np.maximum(rng.normal(size=(2, 6, 6, 8)), 0))  # maps behind a ReLU
copying = np.zeros((3, 3, 8, 8))
copying[1, 1] = np.eye(8)  # 1 in the middle, from each channel to itself
deep = shallow
for _ in range(36):
    deep = tinydl.relu(tinydl.conv2d(deep, Tensor(copying), padding="same"))
assert np.array_equal(deep.numpy(), shallow.numpy())
print("\n36 copying layers more: the same maps, bit for bit")

# %% [markdown]
# So the deep network *can* be as good as the shallow one on its training samples. What training
# finds should be no worse.
#
# **Before you read on**: is the argument right? Will training find it?
#
# The argument is right, good weights exist. Whether gradient descent finds them is another
# question: a layer that starts with random weights would have to learn to copy, and 36 of them all
# at once.
#
# ## The residual block
#
# If copying is hard to learn, build it in. Let a few layers compute F(x), and add their input to
# the result:
#
#     y = relu(x + F(x))
#
# A *residual block* is that: convolutions whose input is added to their output. The way around is
# called the shortcut. Such a block has to learn only what should be *added* to x, the residual.
# To copy, F has to become 0, which is easy: all weights 0. And back-propagation gains as much:
# dy/dx = 1 + F'(x), so on the way back the gradient passes the block through the 1, whatever F' is.
# (Does F = 0 not end as in the first section? There no layer got anything but zeros. Here the
# shortcut brings values on the way forward and gradients on the way back: exercise 4.)

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
    "43_residual_block.png",
    alt="A plain block, a residual block whose input goes around two convolutions and is added, "
    "and one that halves the sides and has a 1 x 1 convolution on the way around.",
)

# %% [markdown]
# ![Plain and residual blocks](../docs/figures/43_residual_block.png)
#
# (On the right the block halves the sides and doubles the channels. There x does not have the shape
# of F(x), and a 1 x 1 convolution with stride 2 on the way around gives it that shape.)
#
# In code the difference is one term. This is the plain block of this library and the residual one;
# `residual(x)` is convolution, batch normalisation, ReLU, convolution, batch normalisation in both,
# and `shortcut(x)` is x, or the 1 x 1 convolution:

# %%
print(inspect.getsource(PlainBlock.forward))
print(inspect.getsource(BasicBlock.forward))

# %% [markdown]
# And copying is easy indeed. Set the last scale of a block to zero, then F is 0, and its input
# comes out unchanged:

# %%
block = BasicBlock(8, 8)
block.norm2.scale.assign(np.zeros(8, np.float32))
x = Tensor(np.abs(rng.normal(size=(2, 6, 6, 8))).astype(np.float32))  # behind a ReLU: not negative
assert np.array_equal(block(x).numpy(), x.numpy())
print("a block whose F is zero returns its input, bit for bit")

# %% [markdown]
# ## The experiment: degradation
#
# Networks of 8, 20 and 56 layers on the digits, twice: plain, and residual. Both have the same
# weights, the same start, the same batches and batch normalisation everywhere. They differ by the
# one term.
#
# **Before you run**: put the six training losses in order. Which is the largest?

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
for (kind, depth), value in final.items():
    note(f"training loss, {kind}, {depth} layers", value)
kept = figures("43") if FAST else {}  # of the full run, tutorials/recorded/43.json
print(f"\ntraining loss, mean of the last {shown} of {steps} batches")
print("depth      plain   residual" + "     (336 batches, 3 seeds: plain, residual)" * bool(kept))
for depth in depths:
    print(f"{depth:5d} {final['plain', depth]:10.3f} {final['residual', depth]:10.3f}", end="")
    full = [kept.get(f"training loss, {kind}, {depth} layers") for kind in ("plain", "residual")]
    print("".join(f"{value:10.3f}" for value in full if value is not None))
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
    "43_degradation.png",
    alt="Training loss of networks of 8, 20 and 56 layers. Plain: the deeper, the higher; 56 "
    "layers stay near guessing for long. Residual: all three fall.",
)

# %% [markdown]
# ![Training loss of plain and residual networks](../docs/figures/43_degradation.png)
#
# After 336 batches the plain network of 56 layers has a training loss of 1.72 (recorded: training
# loss, plain, 56 layers), that of 8 layers 0.03 (recorded: training loss, plain, 8 layers). The
# residual one of 56 layers has 0.06 (recorded: training loss, residual, 56 layers).
#
# The deep plain network is worse on the very data that it trains on. This is not overfitting, where
# the *training* loss is small and that of new samples large (page 40). It is failing to learn, and
# it is called *degradation*. The copying argument was right, the good weights exist; gradient
# descent does not find them. (The digits are easy: even residual networks gain nothing from 56
# layers here. What matters is how much less they lose.)
#
# Did the gradients vanish, as behind forty sigmoids on page 14?
#
# **Before you run**: every convolution has a batch normalisation behind it, and ReLU. Will the
# gradients of the first blocks be smaller than those of the last ones, as large, or larger?


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
    "43_gradients.png",
    alt="Size of the gradient by block before the first step, logarithmic, 56 layers: in the "
    "plain network it falls by orders of magnitude from the first block to the last, in the "
    "residual one much less.",
)
spread = {kind: values[:3].mean() / values[-3:].mean() for kind, values in lengths.items()}
assert spread["plain"] > 5 * spread["residual"]

# %% [markdown]
# ![Gradients by block](../docs/figures/43_gradients.png)
#
# They did not vanish: with normalisation after every convolution, they *grow* on the way back, in
# the plain network by orders of magnitude. No learning rate suits both ends: one that moves the
# last blocks throws the first ones about. The shortcut lets the gradient pass beside the
# convolutions, and the sizes stay alike.
#
# ## Exercises
#
# Answers are in `tutorials/answers/43.py`. Try first.
#
# 1. Why do the last layer's biases get a gradient in the network of zeros, and nothing else?
# 2. By hand: the kernel of a 1 x 1 convolution, 3 channels to 3, that copies its input. And one
#    that swaps the first two channels.
# 3. Derive: y = x + F(x). What is dy/dx? Why does a product of 27 such factors not vanish as easily
#    as one of 27 small numbers?
# 4. Predict, then change a line: start every block of a residual network with `norm2.scale` 0.
#    Which maps leave the last block of a stage before the first step? Does the network still learn?
# 5. A friend sees the training loss of a deep network stay high and adds dropout. What do you say?
#
# ## What to take along
#
# - Weights that start at zero can stay there for ever, without any error message; the loss stays at
#   the logarithm of the number of classes.
# - That good weights exist does not mean that gradient descent finds them.
# - Deeper plain networks get worse on their training data. That is degradation, not overfitting.
# - A residual block adds its input: it copies for nothing, and lets the gradient pass.
#
# `tinydl train resnet20-cifar` trains one for real, and `python -m tinydl.studies degradation`
# repeats the experiment on photographs, at four depths (benchmarks/results/studies.md). Go on with
# page 15, which looks in parallel: Inception, and DenseNet, which joins where ResNet adds.
