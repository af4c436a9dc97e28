# %% [markdown]
# # 15. Inception and DenseNet: joining instead of adding
#
# **You need**: a *convolution* (page 5), a *residual block* (page 43).
#
# **You will be able to** draw an Inception module and count its multiply-adds; say what a 1 x 1
# convolution is for; and say what a dense block saves, and what it spends instead.
#
# ResNet adds the input back. There is another way to keep what is known already: put old and new
# side by side, as more channels. Inception (Szegedy et al. 2014) joins four views of the same
# image, DenseNet (Huang et al. 2016) joins everything that was ever computed. Both have to answer
# the same question: what does it cost? So this page is mostly bookkeeping: weights, multiply-adds,
# memory, and how far a gradient reaches.

# %%
from __future__ import annotations

import tracemalloc

import drawing
import numpy as np
from drawing import (
    BLUE,
    FAST,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PALE_BLUE,
    PALE_GREEN,
    PALE_ORANGE,
    VIOLET,
    plt,
)
from matplotlib.patches import Rectangle
from recorded import figures, note

import tinydl
from tinydl import Tensor
from tinydl.data import Batches, digits
from tinydl.geometry import conv2d_geometry
from tinydl.models import (
    DenseNetBC,
    DenseNetCifar,
    GoogLeNet,
    PlainCifar,
    ResNetCifar,
    auxiliary_cross_entropy,
)
from tinydl.models.convolutional.densenet import BottleneckLayer, DenseLayer
from tinydl.models.convolutional.googlenet import MODULES, Inception
from tinydl.nn import activations, cross_entropy, summary
from tinydl.optim import Adam
from tinydl.train import evaluate, fit

rng = np.random.default_rng(0)
samples = digits()
X, Y = (samples.x[:, :, :, None] / 16).astype(np.float32), samples.y

# %% [markdown]
# ## Joining is adding with separate weights
#
# Join two maps and convolve: that is the same as convolving each with its own weights and adding
# the results, because a convolution sums over its input channels: the sum over the channels of the
# first map, plus the sum over those of the second. So a network that joins can do what one that
# adds can do, and may weigh each part as it likes. The price: it needs weights for each part.

# %%
a, b = Tensor(rng.normal(size=(2, 6, 6, 3))), Tensor(rng.normal(size=(2, 6, 6, 5)))
weight = Tensor(rng.normal(size=(3, 3, 8, 4)))
joined = tinydl.conv2d(tinydl.concat([a, b], axis=-1), weight, padding="same")
apart = tinydl.conv2d(a, weight[:, :, :3], padding="same")
apart = apart + tinydl.conv2d(b, weight[:, :, 3:], padding="same")
difference = np.abs(joined.numpy() - apart.numpy()).max()
print(f"conv of the joined maps, minus the sum of two convs: {difference:.1e}")
assert difference < 1e-12

# %% [markdown]
# ## One Inception module
#
# Things in images are small or large, so which kernel size is right? All of them. In an *Inception
# module* 1 x 1, 3 x 3 and 5 x 5 convolutions and a pooling look at the same maps, and their answers
# are joined along the channels. Here is GoogLeNet's first module, 3a. (The joining itself,
# `concat`, has no weights.)

# %%
in_channels = 192
module = Inception(in_channels, *MODULES["3a"])
table = summary(module, (28, 28, in_channels))
print(table)
out = module(Tensor(np.zeros((1, 28, 28, in_channels), np.float32)))
print("joined:", out.shape)
assert out.shape == (1, 28, 28, 256) and module.out_channels == 64 + 128 + 32 + 32

# %%
c1, reduce3, c3, reduce5, c5, pool = MODULES["3a"]
columns = (
    ((f"1x1\n{c1}", PALE_BLUE),),
    ((f"1x1\n{reduce3}", PALE_ORANGE), (f"3x3\n{c3}", PALE_BLUE)),
    ((f"1x1\n{reduce5}", PALE_ORANGE), (f"5x5\n{c5}", PALE_BLUE)),
    ((f"max 3x3\n{in_channels}", "white"), (f"1x1\n{pool}", PALE_BLUE)),
)
figure, axes = plt.subplots(figsize=(8, 4.4))
drawing.blank(axes, "Inception module 3a: four branches, numbers are channels")


def box(x: float, y: float, text: str, color: str, width: float = 1.7) -> None:
    """A labelled box whose middle is (x, y), 0.8 high."""
    corner = (x - width / 2, y - 0.4)
    axes.add_patch(Rectangle(corner, width, 0.8, facecolor=color, edgecolor=MUTED))
    axes.text(x, y, text, ha="center", va="center", fontsize=9)


def arrow(start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1})


box(3.6, 0, f"input 28 x 28 x {in_channels}", "white", 4)
box(3.6, 5.1, f"joined: 28 x 28 x {module.out_channels}", PALE_GREEN, 4)
for i, boxes in enumerate(columns):
    x, below = 2.4 * i, (3.6 + 1.1 * (i - 1.5), 0.4)
    for y, (text, color) in zip((1.7,) if len(boxes) == 1 else (1.7, 3.5), boxes, strict=True):
        box(x, y, text, color)
        arrow(below, (x, y - 0.4))
        below = (x, y + 0.4)
    arrow(below, (3.6 + 1.2 * (i - 1.5), 4.7))
axes.set(xlim=(-1.1, 8.3), ylim=(-0.6, 5.7))
drawing.save(
    figure,
    "15_inception.png",
    alt="An Inception module: the input goes to four branches (1x1; 1x1 and 3x3; 1x1 and 5x5; "
    "pooling and 1x1), whose maps are joined to 256 channels.",
)

# %% [markdown]
# ![Inception module 3a](../docs/figures/15_inception.png)
#
# ## What the 1 x 1 convolutions save
#
# A 1 x 1 convolution mixes the channels of each pixel: a small matrix product per pixel, without a
# look at the neighbours. The orange ones make few channels of many *before* the expensive kernels.
# In the 5 x 5 branch, per pixel: without it 25 * 192 * 32 = 153,600 multiply-adds; with it 192 * 16
# = 3,072 to make 16 channels of 192, and 25 * 16 * 32 = 12,800 for the rest.
#
# **Before you run**: how many times cheaper does that make this branch? And the whole module, more
# or less than that?


# %%
def work(kernel_size: int, c_in: int, c_out: int) -> int:
    """Multiply-adds of a convolution on 28 x 28 pixels that keeps the size."""
    shape = (kernel_size, kernel_size, c_in, c_out)
    return conv2d_geometry((1, 28, 28, c_in), shape, padding="same").multiply_adds


branches = {
    "1x1": (work(1, in_channels, c1), work(1, in_channels, c1)),
    "3x3": (work(3, in_channels, c3), work(1, in_channels, reduce3) + work(3, reduce3, c3)),
    "5x5": (work(5, in_channels, c5), work(1, in_channels, reduce5) + work(5, reduce5, c5)),
    "pooling": (0, work(1, in_channels, pool)),
}
print("\nbranch    multiply-adds without reduction      with")
for name, (plain, reduced) in branches.items():
    print(f"{name:<9} {plain / 1e6:28.1f} M {reduced / 1e6:9.1f} M")
naive, reduced = (sum(pair[i] for pair in branches.values()) for i in (0, 1))
print(f"{'all':<9} {naive / 1e6:28.1f} M {reduced / 1e6:9.1f} M: {naive / reduced:.1f} times less")
print(f"the 5x5 branch alone: {branches['5x5'][0] / branches['5x5'][1]:.1f} times less")
print(f"channels that leave: {c1 + c3 + c5 + in_channels} without, {module.out_channels} with")
assert reduced == table.multiply_adds and naive > 2 * reduced

# %% [markdown]
# 153,600 / 15,872 is 9.7. The whole module gains less, since its 3 x 3 branch keeps half of its
# channels. The last line is as important: a pooling keeps all of its channels, so without the 1 x 1
# behind it every module would be wider than the one before.
#
# The paper calls the module an approximation of something sparse. One can say exactly what:
# branches of 1 x 1, 3 x 3 and 5 x 5 kernels are one 5 x 5 convolution in which most weights are
# zero and stay zero (a 3 x 3 kernel is a 5 x 5 one with a border of zeros).

# %%
filters = [Tensor(rng.normal(size=(k, k, 4, 2))) for k in (1, 3, 5)]
x = Tensor(rng.normal(size=(1, 9, 9, 4)))
views = [tinydl.conv2d(x, f, padding="same") for f in filters]
whole = np.concatenate(
    [
        np.pad(f.numpy(), ((2 - i, 2 - i), (2 - i, 2 - i), (0, 0), (0, 0)))
        for i, f in enumerate(filters)
    ],
    axis=-1,
)
one = tinydl.conv2d(x, Tensor(whole), padding="same").numpy()
difference = np.abs(one - tinydl.concat(views, axis=-1).numpy()).max()
print(f"\nthree branches = one 5x5 convolution with {np.mean(whole == 0):.0%} zeros", end="")
print(f" (difference {difference:.1e})")
assert difference < 1e-12 and round(np.mean(whole == 0), 3) == round(1 - 35 / 75, 3)

# %% [markdown]
# ## All of GoogLeNet
#
# The rows of `summary`, added up by stage. Early stages have few weights and much memory, late ones
# the reverse. The head is a mean over each map and one linear layer.

# %%
model = GoogLeNet()
rows = summary(model, (224, 224, 3)).rows
stages = ("stem", "stage3", "stage4a", "stage4bcd", "stage4e", "stage5", "head")
total = np.zeros((3, len(stages)))
for row in rows:
    stage = stages.index(row.name.split(".")[0])
    total[:, stage] += (row.parameters, row.multiply_adds, row.activation_bytes)
print("\nGoogLeNet     parameters   multiply-adds    results")
for i, stage in enumerate(stages):
    weights, adds, held = total[:, i]
    print(f"{stage:<10} {weights:13,.0f} {adds / 1e6:13,.1f} M {held / 1e6:7.2f} MB")
helpers = [auxiliary.count_parameters() for auxiliary in model.auxiliary]
print(f"all        {total[0].sum():13,.0f} {total[1].sum() / 1e6:13,.1f} M ", end="")
print(f"{total[2].sum() / 1e6:6.2f} MB; two helpers of training: {helpers}")
assert total[0].sum() == 6_998_552 and helpers == [3_188_840, 3_190_888]
assert model.count_parameters() == total[0].sum() + sum(helpers)

# %%
figure, axes = plt.subplots(figsize=(8, 3.4))
shares = total / total.sum(axis=1, keepdims=True)
places = np.arange(len(stages))
for i, (name, color) in enumerate(
    (("parameters", BLUE), ("multiply-adds", ORANGE), ("memory of the results", GREEN))
):
    axes.bar(places + 0.27 * (i - 1), 100 * shares[i], 0.25, color=color, label=name)
axes.set_xticks(places, stages)
axes.set(ylabel="percent of GoogLeNet", title="Where the weights, the work and the memory are")
axes.grid(visible=False, axis="x")
axes.legend()
drawing.save(
    figure,
    "15_googlenet.png",
    alt="Shares of GoogLeNet's parameters, multiply-adds and memory by stage: memory is in the "
    "stem and stage 3, parameters in the later stages.",
)

# %% [markdown]
# ![Where GoogLeNet's weights, work and memory are](../docs/figures/15_googlenet.png)
#
# The helpers ("auxiliary classifiers") have almost as many weights as the network, and are thrown
# away after training. They look at maps in the middle and have a loss of their own, times 0.3, so
# that the early layers get a gradient that did not pass through the whole network. How much of the
# first layers' gradient comes from them?
#
# **Before you run**: nothing, a few percent, half of it? A narrow GoogLeNet, before its first step:


# %%
def first_gradient(helped: bool) -> float:
    """The length of the gradient of the first convolution, with or without the two helpers."""
    tinydl.seed(0)
    model = GoogLeNet(96, classes=10, width=0.125, dropout=0.0, auxiliary_dropout=0.0)
    x = Tensor(np.random.default_rng(1).normal(size=(8, 96, 96, 3)).astype(np.float32))
    outputs = model(x)
    loss = auxiliary_cross_entropy(outputs if helped else outputs[0], Tensor(np.arange(8)))
    loss.backward()
    return float(np.linalg.norm(next(iter(model.parameters())).grad.numpy()))


alone, helped = first_gradient(False), first_gradient(True)
print(f"\ngradient of the first layer: {alone:.3f} without helpers, {helped:.3f} with them")
assert helped > alone

# %% [markdown]
# A few percent: less than one would think. Batch normalisation (page 10) came a year later, helps
# more, and networks after GoogLeNet do without helpers.
#
# ## DenseNet: keep everything
#
# In a *dense block* each layer sees *all* maps before it and adds k new ones (the *growth rate*,
# often 12). Why so few? Nothing has to be handed on: a layer need not repeat what is known, only
# add to it. So layers can be very narrow. Channels grow by k per layer:

# %%
growth, channels = 12, 16
layers = [DenseLayer(channels + i * growth, growth) for i in range(4)]
x = Tensor(rng.normal(size=(1, 8, 8, channels)).astype(np.float32))
sizes, h = [channels], x
for layer in layers:
    h = layer(h)
    sizes.append(h.shape[-1])
kept = np.array_equal(h.numpy()[..., :channels], x.numpy())
print("\nchannels through a dense block:", " -> ".join(map(str, sizes)))
print("the input is still there, untouched:", kept)
assert kept and sizes == [16, 28, 40, 52, 64]

# %% [markdown]
# A layer far back sees hundreds of channels. The bottleneck ("B") first makes 4 k channels of them
# with a 1 x 1 convolution, the same trick as in Inception; and the transition between blocks keeps
# half ("C"). Beside a residual network of about as many weights:

# %%
print("\n                   layers  parameters  multiply-adds     results   of them joined")
for name, model, depth, expected in (
    ("ResNet-56", ResNetCifar(56), 56, 853_018),
    ("DenseNet k=12", DenseNetCifar(40, 12), 40, 1_019_722),
    ("DenseNet-BC k=12", DenseNetBC(100, 12), 100, 769_162),
):
    counted = summary(model, (32, 32, 3))
    outputs = activations(model, np.zeros((1, 32, 32, 3), np.float32))
    modules = dict(model.named_modules())
    copies = sum(
        values.nbytes
        for place, values in outputs.items()
        if isinstance(modules[place], DenseLayer | BottleneckLayer)
    )
    print(
        f"{name:<18} {depth:6d} {counted.parameters:11,} {counted.multiply_adds / 1e6:12.1f} M",
        end="",
    )
    print(f" {counted.activation_bytes / 1e6:8.2f} MB {copies / 1e6:12.2f} MB")
    assert counted.parameters == expected

# %% [markdown]
# Fewer weights, more layers; but look to the right. Each join copies everything so far into a new,
# larger array. In a block of L layers that is k (1 + 2 + ... + L) numbers per pixel.
#
# **Before you run**: twice as many layers in a block. How many times the memory?


# %%
def kept_bytes(count: int, recompute: bool) -> int:
    """What the graph of a dense block of `count` layers holds before its backward pass."""
    layers = [DenseLayer(16 + 12 * i, 12) for i in range(count)]
    x = Tensor(np.zeros((4, 16, 16, 16), np.float32), requires_grad=True)
    tracemalloc.start()
    h = x
    for layer in layers:
        h = tinydl.recompute(layer, h) if recompute else layer(h)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert h.shape[-1] == 16 + 12 * count
    return held


counts = (3, 6, 12, 24)
every = np.array([kept_bytes(count, False) for count in counts]) / 1e6
again = np.array([kept_bytes(count, True) for count in counts]) / 1e6
print("\nlayers in the block                 ", *(f"{count:7d}" for count in counts))
print("MB held for the backward pass       ", *(f"{value:7.2f}" for value in every))
print("MB with every layer computed again  ", *(f"{value:7.2f}" for value in again))
assert every[-1] > 3 * every[-2] and again[-1] < 0.6 * every[-1]

figure, axes = plt.subplots(figsize=(6.4, 3.2))
axes.plot(counts, every, "o-", color=ORANGE, label="everything kept")
axes.plot(counts, again, "o-", color=BLUE, label="layers computed again (recompute)")
axes.plot(
    counts, every[0] * np.array(counts) / counts[0], "--", color=MUTED, label="a straight line"
)
axes.set(xlabel="layers in a dense block", ylabel="MB for 4 images of 16 x 16")
axes.set_title("Memory of a dense block")
axes.legend()
drawing.save(
    figure,
    "15_memory.png",
    alt="Memory of a dense block against its number of layers: the curve rises with the square, "
    "and about half as high when layers are computed again.",
)

# %% [markdown]
# ![Memory of a dense block](../docs/figures/15_memory.png)
#
# Nearly four times: 1 + 2 + ... + L is about L^2 / 2. `tinydl.recompute(layer, h)` keeps the
# layer's input and computes the inside a second time on the way back: time against memory. The
# joined copies themselves remain.
#
# ## How far the gradient reaches
#
# In a dense block the loss is close to every layer: the last map holds the output of the first as
# it was. Forty layers deep, before the first step, the gradient of every 3 x 3 convolution:

# %%
batch = Tensor(X[:64]), Tensor(Y[:64])
tinydl.seed(0)
nets = {
    "plain (38 layers)": PlainCifar(38, in_channels=1, widths=(8, 16, 32)),
    "residual (38 layers)": ResNetCifar(38, in_channels=1, widths=(8, 16, 32)),
    "dense (40 layers)": DenseNetCifar(40, growth=6, in_channels=1),
}
reach = {}
for name, model in nets.items():
    cross_entropy(model(batch[0]), batch[1]).backward()
    reach[name] = np.array(
        [
            np.linalg.norm(p.grad.numpy())
            for place, p in model.named_parameters()
            if place.startswith("blocks") and p.ndim == 4 and p.shape[0] == 3
        ]
    )
figure, axes = plt.subplots(figsize=(7, 3.4))
for (name, values), color in zip(reach.items(), (ORANGE, BLUE, VIOLET), strict=True):
    ratio = values.max() / values.min()
    print(f"{name:<21} longest over shortest gradient among {len(values)} layers: {ratio:7.1f}")
    axes.semilogy(
        np.arange(1, len(values) + 1), values, "o-", markersize=3.5, color=color, label=name
    )
axes.set(xlabel="convolution, from the image to the loss", ylabel="length of the gradient")
axes.set_title("Before the first step")
axes.legend()
drawing.save(
    figure,
    "15_gradient_reach.png",
    alt="Length of the gradient by layer, logarithmic: in the plain network it falls by a factor "
    "near a hundred from the first layer to the last, in the residual and the dense one it stays "
    "about level.",
)
spread = {name.split()[0]: values.max() / values.min() for name, values in reach.items()}
assert spread["plain"] > 3 * spread["residual"] and spread["plain"] > 3 * spread["dense"]

# %% [markdown]
# ![Gradients by layer: plain, residual and dense](../docs/figures/15_gradient_reach.png)
#
# A sum does that, and a copy does it too.
#
# ## Does it use the old maps?
#
# A network that sees everything might still use the maps of its neighbour only. Train a small
# DenseNet on the digits. Then cut one connection at a time: in one layer of the first block, set
# the weights for the maps of one earlier layer to zero, and see how much the loss on the test
# digits rises.
#
# **Before you run**: which maps will be missed most, those of the layer just before, or older ones?

# %%
tinydl.seed(1)
count, growth = 6, 6
model = DenseNetCifar(3 * count + 4, growth, in_channels=1)
train = Batches((X[:1500], Y[:1500]), 50, shuffle=True, rng=tinydl.Generator(0))
test = Batches((X[1500:], Y[1500:]), 99, shuffle=False)
epochs = 2 if FAST else 15
history = fit(model, train, cross_entropy, Adam(model.parameters(), lr=5e-3), epochs,
              progress=False)  # fmt: skip
scores = evaluate(model, test, cross_entropy, metrics=["accuracy"])
print(f"\nDenseNet-{3 * count + 4}, k = {growth}, {model.count_parameters():,} weights,", end="")
print(f" {epochs} epochs: {scores['accuracy']:.1%} of 297 test digits")
assert scores["accuracy"] > 0.7

rise = np.full((count, count), np.nan)
for i, layer in enumerate(model.blocks.layers[:count]):
    whole = layer.conv.weight.numpy().copy()  # (3, 3, channels so far, growth)
    edges = [0, *(16 + growth * j for j in range(i + 1))]
    for source in range(i + 1):
        cut = whole.copy()
        cut[:, :, edges[source] : edges[source + 1]] = 0
        layer.conv.weight.assign(cut)
        rise[source, i] = evaluate(model, test, cross_entropy)["loss"] - scores["loss"]
    layer.conv.weight.assign(whole)
assert evaluate(model, test, cross_entropy)["loss"] == scores["loss"]  # all wires are back

figure, axes = plt.subplots(figsize=(5.4, 4))
picture = axes.imshow(rise, cmap="Blues", vmin=0)
for (source, i), value in np.ndenumerate(rise):
    if not np.isnan(value):
        shade = "white" if value > 0.6 * np.nanmax(rise) else INK
        text = f"{value:.2f}".replace("-0.00", "0.00")
        axes.text(i, source, text, ha="center", va="center", fontsize=8, color=shade)
axes.set_xticks(range(count), [f"{i + 1}" for i in range(count)])
axes.set_yticks(range(count), ["input", *(f"layer {i + 1}" for i in range(count - 1))])
axes.grid(visible=False)
axes.set(
    xlabel="layer that reads",
    ylabel="layer whose maps are cut off",
    title="Rise of the test loss when one connection is cut",
)
drawing.save(
    figure,
    "15_wires.png",
    alt="A triangle of numbers, by layer that reads and layer that is cut off: how much the test "
    "loss rises. The row of the input has the largest ones.",
)
far = [rise[source, i] for i in range(count) for source in range(i)]
print(f"cutting off a layer further back than the neighbour: {np.mean(far):+.3f} ", end="")
print(f"on average, {np.max(far):+.3f} at most (loss {scores['loss']:.3f} before)")
note("test accuracy of the small DenseNet", scores["accuracy"])
note("loss before a cut", scores["loss"])
note("mean rise, far", float(np.mean(far)))
note("largest rise, far", float(np.max(far)))
note("largest rise, far, without the input", float(np.nanmax(np.triu(rise[1:], 2))))
if FAST and figures("15"):  # 15 epochs instead of 2
    kept = figures("15")
    print(f"after 15 epochs: {kept['mean rise, far']:+.3f} on average, ", end="")
    print(f"{kept['largest rise, far']:+.3f} at most (loss {kept['loss before a cut']:.3f} before)")
assert np.max(far) > 0.01

# %% [markdown]
# ![What is missed when a connection is cut](../docs/figures/15_wires.png)
#
# So old maps are used, above all those of the input. After 15 epochs the test loss is 0.063
# (recorded: loss before a cut). Without the input's maps in one later layer it rises by up to 0.211
# (recorded: largest rise, far); without those of any other layer further back than the neighbour by
# 0.033 (recorded: largest rise, far, without the input) at most. (The DenseNet paper, arXiv
# 1608.06993, draws the mean weights of a large trained network in its figure 5.)
#
# ## Exercises
#
# Answers are in `tutorials/answers/15.py`. Try first.
#
# 1. By hand: a 1 x 1 convolution from 192 channels to 64 on 28 x 28 pixels. How many weights
#    (without biases), how many multiply-adds?
# 2. Derive: a dense block of L layers with growth rate k starts from c channels. How many channels
#    come out? How many weights have its 3 x 3 kernels together?
# 3. Predict, then change a line: without any 1 x 1 reduction, how many channels would leave the
#    second module if it had the same three kernels (64, 128, 32)? And the third?
# 4. The gradient of joined maps: y = concat(a, b). What is dL/da, if dL/dy is known? Check it.
# 5. You have memory for half of what a training needs, and time enough. What can you do on this
#    page's evidence, and what does it cost?
#
# ## What to take along
#
# - Joining keeps everything and lets the next layer choose; it costs channels, so 1 x 1
#   convolutions before the large kernels are what makes it affordable.
# - Parameters, multiply-adds and memory are three budgets. DenseNet saves the first and spends the
#   third; `tinydl.recompute` buys memory back with time.
# - A short way to the loss can be a helper (GoogLeNet), a sum (ResNet) or a copy (DenseNet).
#
# `tinydl train densenet-cifar` trains a DenseNet-BC; `tinydl summary densenet-cifar` prints its
# table. Go on with page 16, which makes convolutions themselves cheap.
