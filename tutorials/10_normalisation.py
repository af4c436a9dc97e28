# %% [markdown]
# # 10. Normalisation
#
# **You need**: *ReLU* (page 13); *initialisation* and the *mini-batch* (page 40).
#
# **You will be able to** say over what each of four normalisations averages; why batch
# normalisation lets rates be large; why it computes two different things in training and in use;
# and when to take another one.
#
# A deep network multiplies: each layer scales what the one before has made. Ten layers that each
# halve the numbers leave a thousandth of them. Normalisation puts every layer's numbers back to
# mean 0 and variance 1. First weights of the right size (page 40) do that at the start;
# normalisation does it at every step:
#
#     y = (x - mean) / sqrt(variance + eps) * scale + shift
#
# eps is a tiny number against division by 0; scale and shift are two weights for each channel,
# which are learned, so that the network can have another mean and spread where that helps.
#
# The only question is: the mean *of what*? Four answers have names: batch normalisation, layer
# normalisation, instance normalisation and group normalisation.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, VIOLET, plt

import tinydl
from tinydl import Tensor, nn, ops
from tinydl.data import digits, synthetic_digits
from tinydl.errors import DataError
from tinydl.optim import SGD
from tinydl.random import Generator

N, H, W, C = 4, 5, 5, 6
x = Generator(0).normal((N, H, W, C), mean=3.0, std=2.0, dtype=np.float64)
answers = {
    "batch norm": (ops.batch_norm(Tensor(x)), lambda n, c: c),
    "layer norm": (ops.layer_norm(Tensor(x), axes=3), lambda n, c: n),
    "instance norm": (ops.instance_norm(Tensor(x)), lambda n, c: n * C + c),
    "group norm, 2 groups": (ops.group_norm(Tensor(x), 2), lambda n, c: 2 * n + c // 3),
}
figure, panels = plt.subplots(1, 4, figsize=(12.5, 2.6))
for axes, (name, (y, group_of)) in zip(panels, answers.items(), strict=True):
    groups = np.array([[group_of(n, c) for c in range(C)] for n in range(N)])
    for group in range(groups.max() + 1):  # what is averaged together has mean 0 and variance 1
        together = np.moveaxis(y.numpy(), 3, 1)[groups == group]
        assert abs(together.mean()) < 1e-12 and abs(together.var() - 1) < 1e-2
    drawing.blank(axes, f"{name}:\n{groups.max() + 1} averages")
    shades = plt.get_cmap("tab20")(groups % 20)
    drawing.draw_cells(axes, groups, colors={(n, c): shades[n, c] for n in range(N)
                                             for c in range(C)}, size=8)  # fmt: skip
    axes.text(3, -4.2, "channels", ha="center", va="top", color=MUTED)
    axes.text(-0.4, -2, "samples", va="center", ha="center", rotation=90, color=MUTED)
drawing.save(
    figure,
    "10_averages.png",
    alt="Four tables of samples and channels. Batch norm shares a number along each column, layer "
    "norm along each row, instance norm nowhere, group norm along half rows.",
)

# %% [markdown]
# ![What each normalisation averages over](../docs/figures/10_averages.png)
#
# Each cell of the picture is one channel of one sample, 5 x 5 places of it; cells with one number
# share one mean and one variance. Batch norm is the odd one out: its columns run *across samples*.
# What it makes of an image depends on the other images of the batch. All that is surprising about
# it follows from this.
#
# ## Inside a deep network
#
# Eight hidden layers on small images of digits, once as they are and once with batch norm between
# each linear layer and its ReLU. We look at the spread (standard deviation) of what enters each
# ReLU.
#
# **Before you run**: the first weights have variance 2 / (n_in + n_out), Glorot's, here 1/n. What
# happens to the spread over eight layers with ReLU (page 40)?

# %%
try:
    samples = digits()
except DataError:
    samples = synthetic_digits(1800, Generator(0))
images = samples.x.reshape(len(samples.x), -1).astype(np.float32)
images = (images - images.mean()) / images.std()
held_out = len(images) // 4
x_test, y_test = images[:held_out], samples.y[:held_out]
x_train, y_train = images[held_out:], samples.y[held_out:]

DEPTH, WIDTH = 8, 64
STEPS = 300


def network(norm=None, seed: int = 1, norm_first: bool = True) -> nn.Sequential:
    """DEPTH hidden layers; `norm()` makes a layer that stands before or after each ReLU."""
    rng, layers, size = Generator(seed), [], images.shape[1]
    for _ in range(DEPTH):
        layers.append(nn.Linear(size, WIDTH, rng=rng))
        pair = [nn.ReLU()] if norm is None else [norm(), nn.ReLU()]
        layers += pair if norm_first else pair[::-1]
        size = WIDTH
    return nn.Sequential(*layers, nn.Linear(size, 10, rng=rng))


def batch_norm() -> nn.BatchNorm:
    return nn.BatchNorm(WIDTH, momentum=0.9)


def spreads(model: nn.Sequential) -> np.ndarray:
    """Standard deviation of what enters each ReLU, the training way."""
    found, y = [], Tensor(x_train[:256])
    with tinydl.no_grad():
        for layer in model.layers:
            if isinstance(layer, nn.ReLU):
                found.append(float(y.numpy().std()))
            y = layer(y)
    return np.array(found)


def train(model, rate, steps=STEPS, batch=64, look=None, seed=2):
    """The losses of plain SGD; `look(step)` before every step."""
    optimizer, rng, losses = SGD(model.parameters(), rate), Generator(seed), []
    for step in range(steps):
        if look is not None:
            look(step)
        chosen = rng.integers(0, len(x_train), batch)
        loss = nn.cross_entropy(model(Tensor(x_train[chosen])), Tensor(y_train[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if not np.isfinite(losses[-1]):
            break
    return np.array(losses)


def accuracy(model: nn.Sequential, training: bool = False) -> float:
    """On the held-out images, with running statistics, or (training=True) with their own."""
    model.train(training)
    kept = model.state_dict()
    with tinydl.no_grad():
        answer = model(Tensor(x_test)).numpy().argmax(1)
    model.load_state_dict(kept)
    model.train()
    return float((answer == y_test).mean())


RATE = 0.1
histories: dict[str, list[np.ndarray]] = {}
losses: dict[str, np.ndarray] = {}
for name, norm in {"plain": None, "batch norm": batch_norm}.items():
    model, history = network(norm), []
    losses[name] = train(model, RATE, look=lambda step: history.append(spreads(model)))  # noqa: B023
    histories[name] = history
    first, last = history[0], history[-1]
    print(f"{name:<10} spread before ReLU 1 and {DEPTH}: at first {first[0]:.2f}, {first[-1]:.3f};")
    print(
        f"  after {STEPS} steps {last[0]:.2f}, {last[-1]:.2f}; loss {losses[name][-10:].mean():.3f}"
    )
assert histories["plain"][0][-1] < 0.3 * histories["plain"][0][0]
assert all(abs(spread - 1) < 0.02 for spread in histories["batch norm"][0])


def steps_to_learn(found: np.ndarray) -> float:
    """The first step from which five losses average below 1, or infinity."""
    smooth = np.convolve(found, np.ones(5) / 5, "valid")
    return float(np.argmax(smooth < 1)) if (smooth < 1).any() else np.inf


learned = {name: steps_to_learn(found) for name, found in losses.items()}
print("steps until the loss is below 1:", learned)
assert learned["batch norm"] < learned["plain"]

figure, panels = plt.subplots(1, 3, figsize=(12, 3.2))
for axes, name in zip(panels, histories, strict=False):
    for layer, color in ((0, BLUE), (DEPTH // 2, GREEN), (DEPTH - 1, ORANGE)):
        axes.plot([h[layer] for h in histories[name]], color=color, label=f"layer {layer + 1}")
    axes.set(title=f"{name}: spread before the ReLU", xlabel="step", yscale="log", ylim=(0.03, 4))
    axes.legend(fontsize=8)
for name, color in (("plain", INK), ("batch norm", VIOLET)):
    panels[2].plot(losses[name], color=color, linewidth=1, label=name)
panels[2].set(title=f"training loss, rate {RATE}", xlabel="step")
panels[2].legend(fontsize=8)
drawing.save(
    figure,
    "10_spreads.png",
    alt="Spread before the ReLUs of layers 1, 5 and 8 by step: plain, layer 8 begins at 0.08 and "
    "rises late; with batch norm all stay near 1. The training loss falls at once with batch "
    "norm, after some 70 steps without.",
)

# %% [markdown]
# ![Spread by layer, and training loss](../docs/figures/10_spreads.png)
#
# Without normalisation the eighth layer sees numbers a fraction as large as the first: its
# gradients are as faint, and for a long time nothing happens. With it every layer starts at spread
# 1, and the learned `scale` may leave 1 afterwards where that helps. Given enough steps the plain
# network grows its own spread and arrives too (on these easy images even a little lower, for it
# does without the noise of a batch's mean and variance): batch norm saves the wait.
#
# ## "Allows large learning rates"
#
# So it is often said of batch norm, in books too, without a number. Is it so?
#
# **Before you run**: the plain network learns at rate 0.1. Will it at 1? Will the other?

# %%
rates = (0.01, 0.1, 1.0, 3.0)
final: dict[str, list[float]] = {"plain": [], "batch norm": []}
print("\nrate    mean loss of the last ten steps: plain, batch norm")
for rate in rates:
    for name, norm in (("plain", None), ("batch norm", batch_norm)):
        found = train(network(norm), rate)
        final[name].append(found[-10:].mean() if len(found) == STEPS else np.inf)
    print(f"{rate:<7g} {final['plain'][-1]:.3f}   {final['batch norm'][-1]:.3f}")
at_one = rates.index(1.0)
assert final["batch norm"][at_one] < 1.0 and not final["plain"][at_one] < 2.0

# %% [markdown]
# It is so, and there is a reason that can be checked on one line. If the weights W of a linear
# layer grow by a factor k, batch norm divides k out again: the result is the same, and the gradient
# with respect to kW is 1/k of what it was. Steps that are too large make the weights large, and
# large weights make the next steps small. The layer brakes by itself.

# %%
W1 = Generator(3).normal((images.shape[1], WIDTH), dtype=np.float64)
slopes = []
for k in (1.0, 10.0):
    weight = Tensor(W1 * k, requires_grad=True)
    y = ops.batch_norm(Tensor(x_train[:64].astype(np.float64)) @ weight, eps=1e-12)
    (y * y * y).sum().backward()
    slopes.append((y.numpy(), weight.grad.numpy()))
assert np.allclose(slopes[0][0], slopes[1][0], atol=1e-8)
assert np.allclose(slopes[0][1], slopes[1][1] * 10, rtol=1e-5, atol=1e-6)
print("\n10 times the weights: the same result, a tenth of the gradient")

# %% [markdown]
# ## Two networks in one
#
# In training the batch's own moments (its mean and variance) are used. To judge a single image
# there is no batch, so the layer keeps running averages, and `eval()` switches to them:
#
#     running = momentum * running + (1 - momentum) * batch
#
# These are called *running averages*, here of mean and variance. They start at mean 0 and variance
# 1. With Keras' momentum 0.99, after n steps 0.99^n of that start is still in them: more than a
# third after 100 steps. A network may have learned, and look as if it had not.

# %%
gaps: dict[float, list[tuple[int, float, float]]] = {}
for momentum in (0.9, 0.99):
    model = network(lambda m=momentum: nn.BatchNorm(WIDTH, momentum=m))
    rows = gaps[momentum] = []

    def look(step, model=model, rows=rows):
        if step % 20 == 0:
            rows.append((step, accuracy(model, training=True), accuracy(model)))

    train(model, 0.1, look=look)
figure, axes = plt.subplots(figsize=(6.4, 3.4))
steps = [row[0] for row in gaps[0.99]]
axes.plot(steps, [row[1] for row in gaps[0.99]], color=INK, label="with the batch's own moments")
for momentum, color in ((0.9, BLUE), (0.99, ORANGE)):
    axes.plot(steps, [row[2] for row in gaps[momentum]], color=color, label=f"eval, {momentum}")
axes.set(xlabel="step", ylabel="held-out accuracy", title="The same network, judged two ways")
axes.legend(fontsize=8)
drawing.save(
    figure,
    "10_train_eval.png",
    alt="Held-out accuracy by step of one network judged by the batch's own moments, which rises "
    "at once, and by running averages with momentum 0.9, which lies on it, and 0.99, a "
    "hundred steps later.",
)
step, own, lagging = max(gaps[0.99], key=lambda row: row[1] - row[2])
print(f"\nafter {step} steps at momentum 0.99: accuracy {own:.2f} with the batch's moments,")
print(f"{lagging:.2f} with running ones, which still hold {0.99**step:.0%} of their start")
assert own - lagging > 0.1

# %% [markdown]
# ![The same network, judged two ways](../docs/figures/10_train_eval.png)
#
# ## Small batches
#
# The mean of a batch of n numbers misses the true mean by 1/sqrt(n) of their spread: that noise is
# what batch norm adds in training. With one sample (and no places) it is the end: every number *is*
# its batch's mean, and nothing of x is left. Group norm does not look at the batch at all.
#
# Every network below sees equally many images, with a rate in proportion to its batch.
#
# **Before you run**: what does batch norm make of a batch of two numbers, 3 and 7?

# %%
alone = ops.batch_norm(Tensor(images[:1]))
assert not alone.numpy().any()

SEEN = 8000
sizes = (2, 4, 8, 64)
kinds = {"batch norm": batch_norm, "group norm": lambda: nn.GroupNorm(4, WIDTH)}
scores: dict[str, list[float]] = {name: [] for name in kinds}
print("\nbatch   held-out accuracy: batch norm, group norm")
for size in sizes:
    for name, norm in kinds.items():
        model = network(norm)
        train(model, 0.003 * size, steps=SEEN // size, batch=size)
        scores[name].append(accuracy(model))
    print(f"{size:<7} {scores['batch norm'][-1]:.2f}   {scores['group norm'][-1]:.2f}")
figure, axes = plt.subplots(figsize=(5.6, 3.2))
for name, color in (("batch norm", VIOLET), ("group norm", GREEN)):
    axes.semilogx(sizes, scores[name], "o-", base=2, color=color, label=name)
axes.set(xlabel="samples in a batch", ylabel="held-out accuracy",
         title="Batch norm needs a batch")  # fmt: skip
axes.legend(fontsize=8)
drawing.save(
    figure,
    "10_small_batches.png",
    alt="Held-out accuracy against samples in a batch: group norm is above 0.85 throughout, batch "
    "norm poor at 2 and as good from 8 on.",
)
assert scores["batch norm"][0] < scores["group norm"][0]

# %% [markdown]
# ![Batch norm needs a batch](../docs/figures/10_small_batches.png)
#
# Of two numbers batch norm leaves only which one is larger: 3 and 7 become -1 and 1, and so do 3
# and 300.
#
# ## Before or after the activation?
#
# Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019) explain batch norm as
# subtracting the mean of an activation layer's *output* and dividing by its spread; their code
# normalises the convolution's output *before* the activation, as the paper does, and the text
# leaves out scale and shift, which both of them have. The order is a choice, and both work. What is
# no choice: with batch norm right behind it, a linear layer's bias does nothing, for the mean that
# is subtracted contains it.

# %%
print()
for first, title in ((True, "before"), (False, "after")):
    model = network(batch_norm, norm_first=first)
    found = train(model, 0.1)
    print(f"batch norm {title:<6} the ReLU: loss {found[-10:].mean():.3f}, "
          f"held-out accuracy {accuracy(model):.2f}")  # fmt: skip
    assert found[-10:].mean() < 0.5 * found[0]
bias = Tensor(np.full(WIDTH, 5.0), requires_grad=True)
y = ops.batch_norm(Tensor(images[:64].astype(np.float64)) @ Tensor(W1) + bias)
(y * y * y).sum().backward()
assert np.abs(bias.grad.numpy()).max() < 1e-8

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/10.py`. Try first.
#
# 1. By hand: normalise the column (1, 2, 3, 6) with eps = 0.
# 2. Over how many numbers does each of the four take a mean, for a batch (32, 28, 28, 64), group
#    norm with 8 groups?
# 3. Derive: y = batch norm of x. Show that the gradient by x sums to 0 over the batch. (What
#    happens to y if all of x moves by h?)
# 4. Predict: a network with batch norm is used with `model.train()` on a single sample. What does
#    it answer?
# 5. How many steps does it take with momentum 0.9, and with 0.99, until less than 1 % of the start
#    is left in the running average?
#
# ## What to take along
#
# - batch norm averages over samples and places, the others within a sample;
# - it keeps every layer's numbers at one size, and makes too large weights brake themselves;
# - training and `eval()` compute different things: give the running averages time, or a smaller
#   momentum;
# - small batches: take group norm, which has only one way to compute.
#
# This is the end of part A. Go on with page 5 (seeing), page 9 (sequences) or page 4 (how the
# engine works).
