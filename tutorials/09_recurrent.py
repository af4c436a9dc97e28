# %% [markdown]
# # 9. Networks with a memory
#
# A recurrent network reads a sequence one step at a time and keeps what it has understood so far in
# a vector, its state:
#
#     h_t = tanh(x_t W + h_{t-1} U + b)          (Elman 1990)
#
# The same W, U and b at every step. This page unrolls the loop, sends gradients back through time,
# measures how they die or explode on the way, and trains networks on a task that needs memory.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt

from tinydl import Generator, Tensor, grad, ops
from tinydl.nn import GRU, LSTM, Linear, Module, SimpleRNN, mse, truncated_bptt
from tinydl.optim import Adam, clip_by_global_norm

rng = np.random.default_rng(0)

# %% [markdown]
# ## Unrolling
#
# Written out for three steps the network is an ordinary deep one, three layers that happen to share
# their weights. The library's layer does the same loop in C: one matrix product for the inputs of
# all steps, then one small product per step.

# %%
N, T, D, H = 2, 3, 4, 5
layer = SimpleRNN(D, H, return_sequences=True, rng=Generator(1)).astype(np.float64)
x = rng.normal(size=(N, T, D))
W, U, b = (p.numpy() for p in (layer.weight_x, layer.weight_h, layer.bias))
h, by_hand = np.zeros((N, H)), []
for t in range(T):
    h = np.tanh(x[:, t] @ W + h @ U + b)
    by_hand.append(h)
states = layer(Tensor(x)).numpy()
print("unrolled by hand and the layer differ by", np.abs(np.stack(by_hand, 1) - states).max())
assert np.allclose(np.stack(by_hand, 1), states)

# %% [markdown]
# ## Back-propagation through time
#
# Going back is the chain rule along the unrolled network (Werbos 1990). With a_t what tanh is
# applied to and d_t = dL/da_t,
#
#     d_t = (dL/dh_t + d_{t+1} U^T) * (1 - h_t^2)
#
# and because the weights are shared, their gradients are sums over the steps:
# dL/dU = sum_t h_{t-1}^T d_t. Here for L = sum of the squares of all states.

# %%
previous = np.concatenate([np.zeros((N, 1, H)), states[:, :-1]], axis=1)
carried, grad_u = np.zeros((N, H)), np.zeros((H, H))
for t in reversed(range(T)):
    d = (2 * states[:, t] + carried) * (1 - states[:, t] ** 2)
    grad_u += previous[:, t].T @ d
    carried = d @ U.T
(layer(Tensor(x)) ** 2).sum().backward()
print(
    "dL/dU by hand and by the library differ by", np.abs(grad_u - layer.weight_h.grad.numpy()).max()
)
assert np.allclose(grad_u, layer.weight_h.grad.numpy())

# %% [markdown]
# ## How far back does it reach?
#
# Between steps t and T stands the product of T - t Jacobians, each diag(1 - h^2) U^T. If U shrinks
# every vector, the product shrinks exponentially; if it stretches, it may explode (Hochreiter 1991;
# Bengio et al. 1994). We measure |d(v . h_T) / d state_t| for a random direction v against the
# number of steps back, for orthogonal U times a radius, and for gated cells with fresh weights.
#
# The LSTM (Hochreiter and Schmidhuber 1997; forget gate f: Gers et al. 2000) keeps a second vector,
# c_t = f c_{t-1} + i g, and shows h_t = o tanh(c_t). Along c the derivative of one step is f
# itself: sigmoid(0) = 0.5 with a forget bias of 0, sigmoid(1) = 0.73 with 1, the default here and
# in Keras.


# %%
def reach(layer: SimpleRNN | LSTM | GRU, steps: int) -> np.ndarray:
    """|d (v . h_T) / d state_t| for t = T - 1, T - 2, ..., 0, of one random sequence."""
    inputs = 0.1 * np.random.default_rng(3).normal(size=(1, steps, layer.input_size))
    size = (1, layer.hidden_size)
    first = [Tensor(np.zeros(size), requires_grad=True) for _ in range(layer.state_size)]
    kept = [tuple(first)]
    for t in range(steps):
        _, last = layer.run(Tensor(inputs[:, t : t + 1]), kept[-1])
        kept.append((last,) if isinstance(last, Tensor) else last)
    v = np.random.default_rng(4).normal(size=size)
    flat = [tensor for state in kept[:-1] for tensor in state]
    parts = grad(kept[-1][0], flat, Tensor(v / np.linalg.norm(v)), allow_unused=True)
    squares = [0.0 if g is None else float((g.numpy() ** 2).sum()) for g in parts]
    return np.sqrt(np.array(squares).reshape(steps, -1).sum(axis=1))[::-1]


def vanilla(radius: float) -> SimpleRNN:
    made = SimpleRNN(8, 32, rng=Generator(5)).astype(np.float64)
    made.weight_h.assign(radius * made.weight_h.numpy())
    return made


def gated(kind: type, bias: float = 0.0) -> LSTM | GRU:
    """Recurrent weights of a tenth of the usual size, so that the gates stand at their biases."""
    options = {"unit_forget_bias": False} if kind is LSTM else {}
    made = kind(8, 32, rng=Generator(5), **options).astype(np.float64)
    made.weight_h.assign(0.1 * made.weight_h.numpy())
    start = made.bias.numpy().copy()
    start[32:64] = bias  # the LSTM's forget gate; the GRU's update gate
    made.bias.assign(start)
    return made


STEPS = 60
curves = {
    "vanilla, radius 0.5": (reach(vanilla(0.5), STEPS), MUTED, "-"),
    "vanilla, radius 1.0": (reach(vanilla(1.0), STEPS), BLUE, "-"),
    "vanilla, radius 1.5": (reach(vanilla(1.5), STEPS), ORANGE, "-"),
    "LSTM, forget bias 0": (reach(gated(LSTM), STEPS), GREEN, "--"),
    "LSTM, forget bias 1": (reach(gated(LSTM, 1.0), STEPS), GREEN, "-"),
    "LSTM, forget bias 5": (reach(gated(LSTM, 5.0), STEPS), GREEN, ":"),
    "GRU, update bias 0": (reach(gated(GRU), STEPS), VIOLET, "--"),
    "GRU, update bias 1": (reach(gated(GRU, 1.0), STEPS), VIOLET, "-"),
}
print(f"{'':22}{'10 steps':>12}{'30 steps':>12}{'60 steps':>12}   per step")
for name, (norms, *_) in curves.items():
    rate = (norms[59] / norms[29]) ** (1 / 30)
    print(f"{name:22}{norms[9]:12.2e}{norms[29]:12.2e}{norms[59]:12.2e}{rate:11.2f}")
per_step = {name: (c[0][59] / c[0][29]) ** (1 / 30) for name, c in curves.items()}
assert abs(per_step["vanilla, radius 0.5"] - 0.5) < 0.05
assert per_step["vanilla, radius 1.5"] > 1.02
assert abs(per_step["LSTM, forget bias 0"] - 0.5) < 0.1
assert abs(per_step["LSTM, forget bias 1"] - 0.73) < 0.1
assert per_step["LSTM, forget bias 5"] > 0.95

# %% [markdown]
# A radius of 0.5 halves the gradient at every step, whatever the task: after 60 steps nothing is
# left. Only the few most *recent* steps teach such a network anything. A larger radius keeps the
# gradient, or blows it up until tanh saturates, and one number cannot be right for all directions.
# A gate can: it is learned, differs between units and steps, and starts where we put its bias.
#
# ## Truncated back-propagation
#
# A text of a million characters cannot be unrolled. Truncated back-propagation (Williams and Peng
# 1990) runs window after window: the state goes on, the gradient stops at the border. How much of
# the whole gradient is left depends on how far the network's own gradient reaches.

# %%
x = rng.normal(size=(4, 64, 8))


def gradient(layer: SimpleRNN, window: int) -> np.ndarray:
    layer.zero_grad()
    *_, (states, _) = truncated_bptt(layer, Tensor(x), window)
    (states[:, -1] ** 2).sum().backward()  # a loss of the last state only
    return np.concatenate([p.grad.numpy().reshape(-1) for p in layer.parameters()])


print("cosine between truncated and whole gradient")
for radius in (0.5, 1.0):
    network = vanilla(radius)
    whole = gradient(network, 64)
    found = []
    for window in (1, 2, 4, 8, 16, 32):
        part = gradient(network, window)
        found.append(float(part @ whole / np.linalg.norm(part) / np.linalg.norm(whole)))
    print(f"radius {radius}: windows 1, 2, 4, ... 32:", " ".join(f"{c:.3f}" for c in found))
    assert found[-1] > 0.99 and found[0] < found[-1]

# %% [markdown]
# ## A task that needs memory
#
# The adding problem (Hochreiter and Schmidhuber 1997): a sequence of random numbers in 0 ... 1 with
# two of them marked; the answer is their sum. Always saying 1 has the mean squared error 1/6. The
# first mark lies in the first half, so the answer must be carried over at least half the sequence.


# %%
def adding(count: int, steps: int) -> tuple[Tensor, Tensor]:
    """x (count, steps, 2): numbers and marks; targets (count, 1)."""
    values, marks = rng.uniform(size=(count, steps)), np.zeros((count, steps))
    rows, half = np.arange(count), steps // 2
    marks[rows, rng.integers(0, half, count)] = 1
    marks[rows, rng.integers(half, steps, count)] = 1
    x = np.stack([values, marks], axis=2).astype(np.float32)
    return Tensor(x), Tensor((values * marks).sum(axis=1, keepdims=True).astype(np.float32))


class Adder(Module):
    """The last state of a recurrent layer, and a linear answer."""

    def __init__(self, layer: SimpleRNN | LSTM | GRU) -> None:
        self.layer, self.answer = layer, Linear(layer.hidden_size, 1, rng=Generator(7))

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.layer(x))


def train(layer: SimpleRNN | LSTM | GRU, updates: int, steps: int) -> np.ndarray:
    model, losses = Adder(layer), []
    optimizer = Adam(list(model.parameters()), lr=0.01)
    for _ in range(updates):
        x, target = adding(64, steps)
        loss = mse(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        clip_by_global_norm(model.parameters(), 1.0)  # against explosions
        optimizer.step()
        losses.append(float(loss.item()))
    return np.array(losses)


steps, updates = (10, 150) if FAST else (50, 1500)
learned = {
    kind.__name__: train(kind(2, 32, rng=Generator(6)), updates, steps)
    for kind in (SimpleRNN, LSTM, GRU)
}
for name, losses in learned.items():
    print(f"{name:10} mean squared error of the last 20 updates: {losses[-20:].mean():.4f}")
assert min(learned["LSTM"][-20:].mean(), learned["GRU"][-20:].mean()) < 0.5 / 6

# %% [markdown]
# Both pictures side by side: what the gradient reaches with fresh weights, and what is learned.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
for name, (norms, color, style) in curves.items():
    left.semilogy(np.arange(1, STEPS + 1), norms, color=color, linestyle=style, label=name)
left.set_ylim(1e-20, 1e6)
left.set_xlabel("steps back")
left.set_ylabel("|d (v h_T) / d state|")
left.set_title("How far a gradient reaches")
left.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))
for (name, losses), color in zip(learned.items(), (BLUE, GREEN, VIOLET), strict=True):
    smooth = np.convolve(losses, np.ones(20) / 20, "valid")
    right.semilogy(np.arange(len(smooth)) + 20, smooth, color=color, label=name)
right.axhline(1 / 6, color=MUTED, linestyle="--", label="always 1")
right.set_xlabel("update")
right.set_ylabel("mean squared error")
right.set_title(f"The adding problem over {steps} steps")
right.legend(fontsize=8)
figure.tight_layout()
drawing.save(figure, "09_recurrent.png")

# %% [markdown]
# ## What the books say, and what is so
#
# - "Forget gates" are credited to the LSTM of 1997. That cell had none: c was added to, never
#   decayed. Gers, Schmidhuber and Cummins added the forget gate in 2000.
# - A book prints the LSTM's output as o * c. It is o * tanh(c), which keeps the state within -1 and
#   1. Its own list of differences from the GRU names that extra tanh.
# - A vanilla network is said to capture "a few early steps". It is the few most recent ones, as the
#   picture shows. The vanishing gradient is named there and never derived.
# - A bidirectional network is said to update past outputs as new data arrive. It is two networks
#   that never meet, one reading forwards, one backwards; their outputs are joined.
# - "The" GRU has two forms. Cho et al. 2014 reset the state before the product, cuDNN, PyTorch and
#   Keras since 2.1 after it; weights of one do not fit the other (`reset_after`). Keras' older
#   layers also had hard_sigmoid gates, which a book's saved weights need (`gate=ops.hard_sigmoid`).

# %%
one = [Tensor(rng.normal(size=s)) for s in ((1, 3, 2), (1, 4), (2, 12), (4, 12), (12,))]
before, after = (ops.gru_sequence(*one, reset_after=flag).numpy() for flag in (False, True))
print("the two GRUs differ by", np.abs(before - after).max())
assert np.abs(before - after).max() > 1e-3
