# %% [markdown]
# # 40. A network that learns
#
# **You need**: a *neuron* with *weight* and *bias* and a *gradient* (page 1), the *matrix
# product* (page 2), a *gradient check* (page 3), a *learning rate* (page 7), an *activation
# function* and a *hidden layer* (page 13).
#
# **You will be able to** compute a softmax, a cross-entropy and their gradient by hand; write a
# training loop in fifteen lines without help from the library; say from two curves whether a
# network overfits, and what helps; and choose first weights so that a signal survives many layers.
#
# Every page from here on trains networks. What they all do is on this one.

# %%
from __future__ import annotations

import math

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_ORANGE, VIOLET, plt
from matplotlib.colors import ListedColormap

import tinydl
from tinydl import Generator, Tensor, nn, no_grad
from tinydl.data import synthetic_digits
from tinydl.optim import SGD
from tinydl.testing import check_grads

# %% [markdown]
# ## From numbers to probabilities: softmax
#
# A network that tells three classes apart ends in three numbers, one for each class; the largest
# one is its answer. These numbers, any at all, are called *logits*. To learn we want more than the
# answer: how sure is it? Probabilities are positive and sum to 1. Two steps make them:
#
# 1. exp makes every number positive, and keeps their order;
# 2. dividing by the sum makes them sum to 1.
#
# That is the *softmax*: p_j = exp(z_j) / sum over k of exp(z_k).
#
# By hand, for z = (2, 1, 0): exp gives 7.39, 2.72 and 1, the sum is 11.11, so p is 0.67, 0.24 and
# 0.09.

# %%
z = np.array([2.0, 1.0, 0.0])
p = np.exp(z) / np.exp(z).sum()
print(
    "exp:", np.round(np.exp(z), 2), " sum:", round(np.exp(z).sum(), 2), " softmax:", np.round(p, 3)
)
assert np.allclose(p, [0.665, 0.245, 0.090], atol=0.001)
assert np.allclose(tinydl.softmax(Tensor(z)).numpy(), p)

# %% [markdown]
# Adding one number to all logits changes nothing: exp(z + c) = exp(c) exp(z), and exp(c) cancels.
# Only differences count; a difference of 1 is a factor of e = 2.72 between the probabilities.
#
# ## How wrong is it? Cross-entropy
#
# Say the first class is the right one. The network gave it p = 0.67. The loss is
#
#     L = -ln p(right class)
#
# and here -ln 0.67 = 0.41. Why the logarithm? Samples that have nothing to do with each other have
# the probability p1 * p2 * p3 ... together. We want that product large; its logarithm is a sum, and
# a sum has a simple gradient. The minus makes it something to be small. The mean of it over the
# samples of a batch is called the *cross-entropy*.

# %%
loss = -math.log(p[0])
print(f"\nthe first class is right: loss {loss:.3f}")
print(f"the third class is right: loss {-math.log(p[2]):.3f}")
assert abs(loss - 0.408) < 0.001

share = np.linspace(0.002, 1, 400)
figure, axes = plt.subplots(figsize=(5.6, 3.4))
axes.plot(share, -np.log(share), color=INK)
for k, (value, color) in enumerate(zip(p, (GREEN, MUTED, ORANGE), strict=True)):
    axes.plot([value], [-math.log(value)], "o", color=color, markersize=7)
    axes.annotate(f"class {k + 1} right:\nloss {-math.log(value):.2f}", (value, -math.log(value)),
                  xytext=(8, 6), textcoords="offset points", fontsize=9, color=color)  # fmt: skip
axes.set(xlabel="probability that the right class was given", ylabel="loss", ylim=(0, 6))
axes.set_title("-ln p: sure and right costs nothing, sure and wrong costs any amount")
drawing.save(
    figure,
    "40_cross_entropy.png",
    alt="The loss -ln p falls from infinity at p = 0 to 0 at p = 1; the probabilities 0.67, 0.24 "
    "and 0.09 are marked.",
)

# %% [markdown]
# **Before you read on**: a fresh network for ten classes knows nothing and gives each of them 0.1.
# What is its loss? Remember the number. It is where every training with ten classes begins, and a
# network that stays there has learned nothing.
#
# It is -ln 0.1 = ln 10 = 2.30.
#
# ## The gradient is p - y
#
# Put softmax and logarithm together. With c the right class,
#
#     L = -ln p_c = -z_c + ln(sum over k of exp(z_k))
#
# The slope of the first part by z_j is -1 if j is the right class, else 0. The slope of the second
# part is exp(z_j) / sum = p_j. So, with y = 1 for the right class and 0 for the others,
#
#     dL/dz_j = p_j - y_j
#
# The gradient is what the network said less what it should have said. For our three numbers that is
# 0.67 - 1, 0.24, 0.09: raise the first, lower the others, the second one more than the third.
# We check it as on page 3: move every logit a little to both sides and measure.

# %%
y = np.array([1.0, 0.0, 0.0])
by_hand = p - y


def cross_entropy(z: np.ndarray, right: int) -> float:
    return float(-z[right] + np.log(np.exp(z).sum()))


h = 1e-5
measured = [
    (cross_entropy(z + h * step, 0) - cross_entropy(z - h * step, 0)) / (2 * h)
    for step in np.eye(3)
]
print("\np - y:   ", np.round(by_hand, 6))
print("measured:", np.round(measured, 6))
assert np.allclose(by_hand, measured, atol=1e-8)

logits = Tensor(z.reshape(1, 3), requires_grad=True)  # a batch of one sample
nn.cross_entropy(logits, Tensor([0])).backward()
print("library: ", np.round(logits.grad.numpy()[0], 6))
assert np.allclose(logits.grad.numpy()[0], by_hand)
check_grads(lambda t: nn.cross_entropy(t, Tensor([0])), [logits])

# %% [markdown]
# The library's `nn.cross_entropy` takes logits, not probabilities: it computes -z_c + ln(sum exp)
# after subtracting the largest logit, so that exp never overflows.
#
# ## The training loop
#
# Now the whole of it. Pictures of digits, 8 x 8 pixels, that are drawn by the library; 1,000 of
# them to learn from and 500 to judge by. The network: 64 pixels, a hidden layer of 32 units with
# ReLU, ten logits.

# %%
digits = synthetic_digits(1500, Generator(0), size=8)
pixels = digits.x.reshape(-1, 64)
x_train, y_train = pixels[:1000], digits.y[:1000]
x_held, y_held = pixels[1000:], digits.y[1000:]
rng = Generator(1)
model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))

# %% [markdown]
# A loop over *epochs* (an epoch looks at every training sample once), and in it a loop over
# *mini-batches* of 50 samples, drawn in a new order each time. Each batch takes five steps:
#
# 1. **batch**: fetch the samples and their labels;
# 2. **forward**: compute the logits;
# 3. **loss**: compare them with the labels;
# 4. **backward**: the gradient of the loss by every weight;
# 5. **step**: every weight moves a little against its gradient.
#
# Why batches? The gradient of 50 samples points nearly where that of all 1,000 does, for a
# twentieth of the work, so twenty steps are made in place of one. Their order is drawn, so the
# steps are a little random: *stochastic gradient descent*, SGD.
#
# **Before you run**: what will the loss be in the first line that is printed, before any step?

# %%
RATE, BATCH, EPOCHS = 0.2, 50, 15
order = np.random.default_rng(2)
curve = []
with no_grad():  # nothing is recorded: there will be no backward
    start = nn.cross_entropy(model(Tensor(x_held)), Tensor(y_held)).item()
print(f"\nbefore the first step: loss {start:.2f} (ln 10 = {math.log(10):.2f})")

for epoch in range(EPOCHS):
    shuffled = order.permutation(len(x_train))
    for first in range(0, len(x_train), BATCH):
        batch = shuffled[first : first + BATCH]  # 1. batch
        x, labels = Tensor(x_train[batch]), Tensor(y_train[batch])
        logits = model(x)  # 2. forward
        loss = nn.cross_entropy(logits, labels)  # 3. loss
        for weight in model.parameters():
            weight.grad = None  # else the new gradient is added to the old one
        loss.backward()  # 4. backward
        for weight in model.parameters():
            weight.assign(weight.numpy() - RATE * weight.grad.numpy())  # 5. step
        curve.append(loss.item())
    with no_grad():
        answers = model(Tensor(x_held)).numpy().argmax(axis=1)
    if epoch in (0, 1, 2, EPOCHS - 1):
        print(f"epoch {epoch + 1:2d}: last loss {curve[-1]:.3f}, "
              f"right on held-out digits {(answers == y_held).mean():.1%}")  # fmt: skip
assert abs(start - math.log(10)) < 0.4
assert (answers == y_held).mean() > 0.95

# %% [markdown]
# That is all. A network of a billion weights is trained by the same five steps. What the library
# adds is comfort: `optim.SGD(model.parameters(), RATE)` has `zero_grad()` and `step()` for the two
# inner loops, `Batches` draws the batches, `fit` is the whole. Is it the same? One step of each:

# %%
twins = [nn.Sequential(nn.Linear(64, 10, rng=Generator(5))) for _ in range(2)]
x, labels = Tensor(x_train[:50]), Tensor(y_train[:50])
for twin in twins:
    nn.cross_entropy(twin(x), labels).backward()
for weight in twins[0].parameters():
    weight.assign(weight.numpy() - RATE * weight.grad.numpy())
SGD(twins[1].parameters(), RATE).step()
ours, library = (next(iter(twin.parameters())).numpy() for twin in twins)
print(f"\nour step and the library's differ by {np.abs(ours - library).max():.1e}")
assert np.abs(ours - library).max() < 1e-6

# %% [markdown]
# ## Learning by heart: overfitting
#
# A network is not asked about the samples that it has seen. It is asked about others. So samples
# are put aside. To see why, take a task whose best answer we know: points in a square, inside a
# circle or outside. But 15 % of the labels are wrong, as labels of real data sometimes are. Whoever
# knows the circle is right in 85 % of all cases, on average, and nobody can be right more often on
# new points. 80 points to learn from, and a network with 4,500 weights.


# %%
WRONG = 0.15


def circle(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 2) and labels: 1 inside the circle, 0 outside, some of them turned round."""
    draw = np.random.default_rng(seed)
    points = draw.uniform(-1, 1, (count, 2))
    inside = np.hypot(points[:, 0], points[:, 1]) < 0.75
    turned = draw.uniform(size=count) < WRONG
    return points.astype(np.float32), (inside ^ turned).astype(np.int64)


train, validation, test = circle(80, 1), circle(400, 2), circle(400, 3)
Data = tuple[np.ndarray, np.ndarray]


def network(dropout: float = 0.0) -> nn.Sequential:
    rng, layers, size = Generator(0), [], 2
    for _ in range(2):
        layers += [nn.Linear(size, 64, weight_init="he_normal", rng=rng), nn.ReLU()]
        layers += [nn.Dropout(dropout, rng=rng)] if dropout else []
        size = 64
    return nn.Sequential(*layers, nn.Linear(size, 2, rng=rng))


def judge(model: nn.Module, data: Data) -> tuple[float, float]:
    """(loss, accuracy) with dropout off."""
    model.eval()
    with no_grad():
        logits = model(Tensor(data[0]))
        loss = nn.cross_entropy(logits, Tensor(data[1])).item()
    model.train()
    return loss, float((logits.numpy().argmax(axis=1) == data[1]).mean())


def learn(decay: float = 0.0, dropout: float = 0.0, epochs: int = 600) -> tuple[list, dict]:
    """The losses (training, validation) every five epochs, and weights kept on the way."""
    model, order = network(dropout), np.random.default_rng(0)
    optimizer = SGD(model.parameters(), 0.1, weight_decay=decay)
    rows, kept, best = [], {}, math.inf
    for epoch in range(epochs):
        if epoch % 5 == 0:
            rows.append((epoch, judge(model, train)[0], judge(model, validation)[0]))
            if rows[-1][2] < best:
                best = rows[-1][2]
                kept["best"] = epoch, model.state_dict()
        shuffled = order.permutation(len(train[1]))
        for first in range(0, len(shuffled), 20):
            batch = shuffled[first : first + 20]
            loss = nn.cross_entropy(model(Tensor(train[0][batch])), Tensor(train[1][batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    kept["last"] = epochs, model.state_dict()
    return rows, kept


# %% [markdown]
# **Before you run**: the loss on the 80 training points will fall and fall. What will the loss on
# 400 points do that the network does not learn from?

# %%
runs = {
    "nothing": learn(),
    "weight decay 0.01": learn(decay=0.01),
    "dropout 0.3": learn(dropout=0.3),
}
print("\nloss on training and validation points, the lowest on validation and after 600 epochs")
for name, (rows, _) in runs.items():
    low = min(rows, key=lambda row: row[2])
    print(f"  {name:<18} epoch {low[0]:3d}: {low[1]:.2f}, {low[2]:.2f}   "
          f"at the end: {rows[-1][1]:.2f}, {rows[-1][2]:.2f}")  # fmt: skip
plain, decayed, dropped = (runs[name][0] for name in runs)
lowest = min(row[2] for row in plain)
assert plain[-1][1] < 0.6 * plain[10][1] and plain[-1][2] > 2 * lowest
assert decayed[-1][2] < 0.6 * plain[-1][2] and dropped[-1][2] < plain[-1][2]

side = np.linspace(-1, 1, 121)
plane = np.stack([a.ravel() for a in np.meshgrid(side, side)], axis=1).astype(np.float32)
figure, panels = plt.subplots(1, 3, figsize=(12, 3.7))
rows, kept = runs["nothing"]
epochs = [row[0] for row in rows]
panels[0].plot(epochs, [row[1] for row in rows], color=ORANGE, label="training points")
panels[0].plot(epochs, [row[2] for row in rows], color=BLUE, label="validation points")
panels[0].plot(epochs, [row[2] for row in runs["weight decay 0.01"][0]], "--", color=BLUE,
               linewidth=1.2, label="validation, weight decay")  # fmt: skip
panels[0].axvline(kept["best"][0], color=MUTED, linestyle=":")
panels[0].set(
    xlabel="epoch", ylabel="loss", title="one curve falls, the other turns", ylim=(0, 1.6)
)
panels[0].legend(fontsize=8, loc="upper right")
for axes, which in zip(panels[1:], ("best", "last"), strict=True):
    model = network()
    model.load_state_dict(kept[which][1])
    with no_grad():
        seen = model(Tensor(plane)).numpy().argmax(axis=1).reshape(121, 121)
    axes.imshow(seen, origin="lower", extent=(-1, 1, -1, 1), vmin=0, vmax=1,
                cmap=ListedColormap([PALE_BLUE, PALE_ORANGE]))  # fmt: skip
    for label, color in ((0, BLUE), (1, ORANGE)):
        own = train[0][train[1] == label]
        axes.scatter(own[:, 0], own[:, 1], s=16, color=color, edgecolor=INK, linewidth=0.4)
    axes.add_patch(plt.Circle((0, 0), 0.75, fill=False, color=INK, linestyle="--", linewidth=1))
    right = judge(model, validation)[1]
    axes.set_title(f"after {kept[which][0]} epochs: {right:.0%} of new points right")
    axes.grid(visible=False)
figure.tight_layout()
drawing.save(
    figure,
    "40_overfitting.png",
    alt="Left: the training loss falls for 600 epochs, the validation loss falls, then rises; "
    "with weight decay it stays low. Middle and right: the border that the network draws "
    "around the circle, nearly round at first, with bays around wrong labels at the end.",
)

# %% [markdown]
# The two curves part. From then on the network learns what is true of the 80 points alone: it bends
# its border around single wrong labels. That is *overfitting*. The signature is the same
# everywhere: the training loss falls, the validation loss rises. (Fewer answers change than one
# might think, 84 % against 82 % right. What rises is how sure the network is where it is wrong, and
# sure and wrong is what cross-entropy punishes.)
#
# What helps? More samples, where there are more. Stopping at the lowest point of the validation
# curve (*early stopping*). Or *regularisation*, which makes it dearer to bend:
#
# - *Weight decay*: every step also makes every weight a little smaller, by rate * decay * weight.
#   Only weights that the data keep asking for stay large, and small weights bend less.
# - *Dropout*: in training, each hidden unit is set to 0 with probability 0.3, anew for every batch,
#   and the others are divided by 0.7 so that sums stay as large as before. No unit can rely on one
#   other unit, so what is learned is spread out; when the network is used, nothing is dropped.
#
# ## Three heaps of samples
#
# We chose an epoch by the *validation set*. May we then report the accuracy on it? No. Here is why,
# with classifiers that know nothing: 200 coins guess the labels of 50 samples. We keep the best
# coin.
#
# **Before you run**: each coin is right half of the time. How often will the best of 200 be right
# on these 50 samples? And on 1,000 others?

# %%
coins = np.random.default_rng(7)
truth, others = coins.integers(0, 2, 50), coins.integers(0, 2, 1000)
guesses, later = coins.integers(0, 2, (200, 50)), coins.integers(0, 2, (200, 1000))
on_validation = (guesses == truth).mean(axis=1)
chosen = int(on_validation.argmax())
on_test = (later[chosen] == others).mean()
print(f"\nthe best of 200 coins: {on_validation[chosen]:.0%} on the 50 samples that chose it, "
      f"{on_test:.0%} on 1,000 others")  # fmt: skip
assert on_validation[chosen] >= 0.64 and abs(on_test - 0.5) < 0.06

# %% [markdown]
# Choosing is learning too. So there are three heaps: the *training set* moves the weights, the
# *validation set* chooses everything else (when to stop, which rate, how much decay), and the
# *test set* is looked at once, at the end. For our circle, with the epoch chosen by validation:

# %%
model = network()
model.load_state_dict(runs["nothing"][1]["best"][1])
print(f"\nchosen by validation: {judge(model, validation)[1]:.1%} there, "
      f"{judge(model, test)[1]:.1%} on the test points")  # fmt: skip
assert 0.75 < judge(model, test)[1] < 0.9

# %% [markdown]
# ## Where to begin: initialisation
#
# First weights are drawn at random. (Why not all alike? Then all hidden units compute the same, get
# the same gradient and stay the same for ever: a layer of one unit.) How large should they be? A
# layer adds up n products w * x. If the weights have mean 0 and variance v, independent of x, then
#
#     variance of the sum = n * v * (mean of x²)
#
# because variances of independent terms add up. So v = 1/n keeps the size of the numbers. A ReLU
# sets the negative half to 0 and with it half of the mean square: behind a ReLU it takes v = 2/n.

# %%
draw = np.random.default_rng(0)
n = 400
inputs = draw.normal(size=(2000, n))  # mean square 1
for v, what in ((1 / n, "1/n"), (2 / n, "2/n")):
    sums = inputs @ draw.normal(0, math.sqrt(v), (n, n))
    relu = np.maximum(sums, 0)
    print(f"v = {what}: variance of the sums {sums.var():.2f}, "
          f"mean square behind the ReLU {(relu**2).mean():.2f}")  # fmt: skip
    assert abs(sums.var() - n * v) < 0.05 and abs((relu**2).mean() - n * v / 2) < 0.05

# %% [markdown]
# A factor of 2 in one layer is harmless. But layers multiply.
#
# **Before you run**: thirty layers with ReLU and v = 1/n. By which factor does the mean square
# change on the way? And with v = 4/n?

# %%
LAYERS, WIDTH = 30, 256


def signal(factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Size (root of the mean square) of what each layer gives, and of its gradient."""
    draw, leaves = np.random.default_rng(1), []
    h = Tensor(draw.normal(size=(64, WIDTH)))
    with np.errstate(over="ignore"):
        for _ in range(LAYERS):
            weight = Tensor(draw.normal(0, math.sqrt(factor / WIDTH), (WIDTH, WIDTH)))
            h = Tensor(h.numpy(), requires_grad=True) if not leaves else h
            h = tinydl.relu(h @ weight)
            leaves.append(h)
        gradients = tinydl.grad(h, leaves, Tensor(draw.normal(size=h.shape)))
    size = [float(np.sqrt((t.numpy() ** 2).mean())) for t in leaves]
    back = [float(np.sqrt((g.numpy() ** 2).mean())) for g in gradients]
    return np.array(size), np.array(back)


figure, panels = plt.subplots(1, 2, figsize=(10, 3.6))
sizes = {}
for factor, color in ((1.0, ORANGE), (2.0, GREEN), (4.0, VIOLET)):
    sizes[factor], back = signal(factor)
    label = f"variance {factor:g}/n"
    panels[0].semilogy(range(1, LAYERS + 1), sizes[factor], color=color, label=label)
    panels[1].semilogy(range(1, LAYERS + 1), back, color=color, label=label)
    print(f"variance {factor:g}/n: size after 1 layer {sizes[factor][0]:.2f}, "
          f"after {LAYERS} {sizes[factor][-1]:.1e}; "
          f"gradient at the last layer {back[-1]:.2f}, at the first {back[0]:.1e}")  # fmt: skip
panels[0].set(xlabel="layer", ylabel="size of the numbers", title="forward")
panels[1].set(xlabel="layer", ylabel="size of the gradient", title="backward (read from the right)")
panels[0].legend()
figure.tight_layout()
drawing.save(
    figure,
    "40_initialisation.png",
    alt="Size of the signal over 30 layers on a logarithmic axis: with variance 1/n it dies, with "
    "4/n it explodes, with 2/n it stays. The gradient, read from the right, does the same.",
)
assert sizes[1.0][-1] < 1e-3 and sizes[4.0][-1] > 1e3 and 0.3 < sizes[2.0][-1] < 3

# %% [markdown]
# With 1/n the mean square halves thirty times: 2^-30, and the size is its root, 3e-5. With 4/n it
# doubles thirty times. The gradient goes through the same weights backwards and does the same: what
# dies forward dies backward too, and the first layers learn nothing. v = 2/n is called He's
# initialisation (He et al. 2015; `weight_init="he_normal"`), v = 1/n LeCun's. Layers of tinydl and
# Keras begin with Glorot's, 2 / (n_in + n_out), a compromise of forward and backward.
#
# ## Exercises
#
# Answers are in `tutorials/answers/40.py`, which the test suite runs. Try first.
#
# 1. Predict: what is the softmax of (12, 11, 10)? And of (20, 10, 0)? What is the loss of each if
#    the *second* class is right?
# 2. Derive: for two classes with logits (z, 0), show that the softmax of the first is the sigmoid
#    of z (page 1).
# 3. Change a line: leave out `weight.grad = None` in the loop. What is the gradient after two
#    batches? Does the network still learn?
# 4. Predict, then run: start all weights of *both* layers at 0.1. How many different hidden units
#    are there after training? And if only the first layer starts so?
# 5. Derive: a layer has 100 inputs of mean square 4 and weights of variance 1/100. What is the
#    variance of its sums, and the mean square behind a ReLU?
#
# ## What to take along
#
# - softmax makes probabilities of logits; cross-entropy is -ln of the right one; the gradient of
#   both together is p - y;
# - batch, forward, loss, backward, step: every training is this loop;
# - training set to learn, validation set to choose, test set to report, once;
# - the validation loss rises while the training loss falls: overfitting. More data, early stopping,
#   weight decay, dropout;
# - weights begin at random with variance 2/n before a ReLU, else signals die or explode.
#
# Go on with page 6, where the same network climbs from 92 to 98 % on real digits, one change at a
# time.
