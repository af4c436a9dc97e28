# %% [markdown]
# # 13. From the perceptron to the multilayer perceptron
#
# **You need**: a *neuron* (page 1), the *matrix product* (page 2), *gradient descent* (page 7).
#
# **You will be able to** say what one neuron can and cannot compute; name six activation functions
# and their slopes; and explain why a hidden layer without an activation function is worth nothing.
#
# In 1943 a neuron was a sum and a threshold. In 1958 it learned. In 1969 it was shown what it
# cannot learn, and for years that was the end of it. This page goes the way of those years with
# four points in the plane: what one unit can do, what it cannot, and what a hidden layer changes.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_ORANGE, plt
from matplotlib.colors import ListedColormap

import tinydl
from tinydl import Tensor, no_grad
from tinydl.data import Batches, blobs, xor_points
from tinydl.models import MLP, Perceptron, ThresholdUnit
from tinydl.models.feedforward.threshold_unit import AND, NOT, OR, xor
from tinydl.nn import cross_entropy
from tinydl.optim import Adam
from tinydl.train import fit

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])

# %% [markdown]
# ## A unit that does not learn
#
# A threshold unit fires when the weighted sum of its inputs reaches its threshold. The weights are
# thought out by a person. AND, OR and NOT are one unit each.

# %%
for name, unit in (("AND", AND), ("OR", OR)):
    print(f"{name}: weights {unit.weights}, threshold {unit.threshold} -> {unit(PAIRS)}")
print(f"NOT: {NOT(np.array([[0], [1]]))}")
assert AND(PAIRS).tolist() == [0, 0, 0, 1] and OR(PAIRS).tolist() == [0, 1, 1, 1]

# %% [markdown]
# There are 16 functions of two bits: one output for each of four rows. We try weights and
# thresholds on a grid and count which functions one unit computes.
#
# **Before you run**: which of the 16 will be missing? A unit fires on one side of a straight line;
# draw the four points (0, 0), (0, 1), (1, 0), (1, 1) and try to divide them.

# %%
grid = np.arange(-2, 2.5, 0.5)
possible = {
    tuple(ThresholdUnit((a, b), c)(PAIRS).tolist()) for a in grid for b in grid for c in grid
}
print(
    f"one unit computes {len(possible)} of 16 functions; XOR among them: {tuple(XOR) in possible}"
)
assert len(possible) == 14 and tuple(XOR) not in possible
assert xor(PAIRS).tolist() == XOR.tolist()

# %% [markdown]
# The two that are missing are "different" (XOR) and "equal": one line cannot put (0, 1) and (1, 0)
# on one side and (0, 0) and (1, 1) on the other. Two layers of units can, if somebody finds them:
# (a or b) and not (a and b).
#
# ## A unit that learns
#
# The *perceptron* is a threshold unit with a rule by Rosenblatt, which needs no derivative. After a
# mistake, add the sample to the weights if the answer should have been 1, take it away if it should
# have been 0. On points that a line separates the mistakes come to an end; Novikoff showed that
# there are never more than (R / gamma)^2 of them, R the length of the longest sample and gamma the
# distance from the line to the nearest sample.

# %%
cloud = blobs(80, 2, tinydl.Generator(5), separation=2.0)
perceptron = Perceptron(2)
mistakes = perceptron.fit(cloud.x.astype(np.float64), cloud.y)
print(f"two clouds: mistakes by epoch {mistakes}")
assert mistakes[-1] == 0

on_xor = Perceptron(2)
endless = on_xor.fit(PAIRS.astype(np.float64), XOR, epochs=30)
print(f"XOR: mistakes by epoch {endless}")
assert min(endless) > 0

# %% [markdown]
# On XOR it goes in circles for ever: the same weights come back, and with them the same mistakes.
#
# ## From the step to activation functions
#
# The step has slope 0 wherever it has a slope, so no derivative says which way a weight should
# move: gradient descent stands still. Everything later is a step that was smoothed or straightened.
# The function that a neuron sends its sum through is called its *activation function*: sigmoid,
# tanh (which goes from -1 to 1), *ReLU*, max(x, 0), and others. Books say that they "squash into a
# range".
#
# **Before you run**: which of the six below have no bound? Where are their slopes 0?

# %%
ACTIVATIONS = {
    "linear (x / 2)": lambda x: x * 0.5,
    "sigmoid": tinydl.sigmoid,
    "tanh": tinydl.tanh,
    "relu": tinydl.relu,
    "leaky relu (0.1)": lambda x: tinydl.leaky_relu(x, 0.1),
    "relu6": tinydl.relu6,
}
x = Tensor(np.linspace(-8, 8, 321), requires_grad=True)
figure, panels = plt.subplots(2, 3, figsize=(9, 5), sharex=True, gridspec_kw={"hspace": 0.3})
unbounded = []
for ax, (name, activation) in zip(panels.flat, ACTIVATIONS.items(), strict=True):
    y = activation(x)
    (slope,) = tinydl.grad(y.sum(), x)
    ax.plot(x.numpy(), y.numpy(), color=BLUE, label="f(x)")
    ax.plot(x.numpy(), slope.numpy(), color=ORANGE, linewidth=1.2, label="slope")
    ax.set(title=name, ylim=(-1.5, 1.5) if name in ("sigmoid", "tanh") else (-4, 8))
    far = activation(Tensor([-1e6, 1e6])).numpy()
    unbounded += [name] * bool(np.abs(far).max() > 10)
for ax in panels[1]:
    ax.set_xlabel("x")
panels[0, 0].legend(loc="upper left")
drawing.save(
    figure,
    "13_activations.png",
    alt="Six activation functions with their slopes: linear, sigmoid and tanh, which level off on "
    "both sides; ReLU, leaky ReLU and ReLU6, which are made of straight pieces.",
)
print(f"without a bound: {', '.join(unbounded)}")
assert unbounded == ["linear (x / 2)", "relu", "leaky relu (0.1)"]

# %% [markdown]
# ![Six activation functions and their slopes](../docs/figures/13_activations.png)
#
# Linear, ReLU and leaky ReLU have no bound. Where a slope is 0 (far out for sigmoid and tanh, left
# of 0 for ReLU) no gradient comes through: keep that in mind for deep networks.
#
# ## A hidden layer
#
# Put a *hidden layer* between input and output: some neurons, here with tanh, that read the input,
# and others that read them. Gradient descent finds the weights, with gradients by backpropagation.
# Such a network is called a *multilayer perceptron*, MLP. Each hidden unit draws one line; the last
# layer combines what the lines say. Four hidden units are comfortable, two are enough if the start
# is lucky.
#
# Without the activation function no number of them helps. Two layers would be (x A) B = x (A B),
# and A B is one matrix: one layer.
#
# (The training below uses a loss, `cross_entropy`, and an optimiser, `Adam`, that the next pages
# explain. For now: a number to be made small, and a way to make it small.)


# %%
def trained(sizes: tuple[int, ...], activation: str | None, seed: int = 0) -> MLP:
    """An MLP after some hundred steps on the four points."""
    tinydl.seed(seed)
    points, model = xor_points(), MLP(sizes, activation)
    data = Batches((points.x_train, points.y_train), 4, shuffle=False)
    steps = 300
    fit(model, data, cross_entropy, Adam(model.parameters(), lr=0.1), steps, progress=False)
    return model


def answers(model: MLP, x: np.ndarray) -> np.ndarray:
    with no_grad():
        return model(Tensor(np.asarray(x, np.float32))).numpy().argmax(axis=1)


curved, straight = trained((2, 4, 2), "tanh"), trained((2, 4, 2), None)
print(f"with tanh: {answers(curved, PAIRS)}, without: {answers(straight, PAIRS)}")
assert answers(curved, PAIRS).tolist() == XOR.tolist()
assert (answers(straight, PAIRS) == XOR).sum() <= 3

# %% [markdown]
# The three machines on one sheet: what each says at every place of the plane. (The linear layers
# end undecided, with both classes at one half: the ragged line is rounding.)

# %%
side = np.linspace(-0.5, 1.5, 161)
plane = np.stack([a.ravel() for a in np.meshgrid(side, side)], axis=1)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
panels = (
    ("perceptron after 30 epochs", on_xor(plane)),
    ("linear hidden layer", answers(straight, plane)),
    ("tanh hidden layer", answers(curved, plane)),
)
for ax, (title, values) in zip(axes, panels, strict=True):
    ax.imshow(
        values.reshape(161, 161), origin="lower", extent=(-0.5, 1.5, -0.5, 1.5), vmin=0, vmax=1,
        cmap=ListedColormap([PALE_BLUE, PALE_ORANGE]),
    )  # fmt: skip
    for label, color in ((0, BLUE), (1, ORANGE)):
        own = PAIRS[label == XOR]
        ax.scatter(own[:, 0], own[:, 1], s=90, color=color, edgecolor=INK, zorder=3)
    ax.set_title(title)
    ax.grid(visible=False)
    ax.set_xticks([0, 1])
    ax.set_yticks([0, 1])
drawing.save(
    figure,
    "13_xor.png",
    alt="Three squares with the four points of XOR. The perceptron and the linear hidden layer "
    "divide the square by a line and get points wrong; the tanh hidden layer draws a band and "
    "gets all four right.",
)

# %% [markdown]
# ![XOR by three machines](../docs/figures/13_xor.png)
#
# And the mistakes of the perceptron, epoch by epoch: an end on the clouds, none on XOR.

# %%
figure, ax = plt.subplots(figsize=(6, 3))
ax.plot(
    np.arange(1, len(mistakes) + 1), mistakes, "o-", color=GREEN, label="two clouds (80 points)"
)
ax.plot(np.arange(1, len(endless) + 1), endless, "o-", color=ORANGE, label="XOR (4 points)")
ax.axhline(0, color=MUTED, linewidth=1)
ax.set_xlabel("epoch")
ax.set_ylabel("mistakes")
ax.legend()
drawing.save(
    figure,
    "13_mistakes.png",
    alt="Mistakes of the perceptron by epoch: they reach 0 on two clouds and never on XOR.",
)

# %% [markdown]
# ![Mistakes of the perceptron by epoch](../docs/figures/13_mistakes.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/13.py`. Try first.
#
# 1. By hand: weights and threshold of a unit for "a and not b".
# 2. Predict: how many of the 256 functions of *three* bits does one unit compute: more than half,
#    or fewer?
# 3. Show that tanh(s) = 2 sigmoid(2 s) - 1. What does that say about networks with one or the
#    other?
# 4. Change a line: train the sizes (2, 2, 2) with tanh from ten seeds. How often does it learn XOR?
# 5. Write XOR as a network of two ReLUs and one sum, with weights thought out by hand.
#
# ## What to take along
#
# - A threshold can be learned without derivatives, as long as a line is all that is needed.
# - The step of the threshold is what made deeper networks unlearnable: its derivative is 0. An
#   activation function with a slope lets the mistake be passed back, layer by layer.
# - "A hidden layer can represent any function" is true of continuous functions on a bounded region,
#   to any accuracy; it does not say that training finds the weights.
#
# `tinydl reproduce xor-mlp` trains the network above from five seeds. Go on with page 40: how a
# network is trained.
