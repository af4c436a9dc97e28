# %% [markdown]
# # 35. Learning to learn: beginnings and rules that are trained
#
# Training begins with weights of chance and goes on by a rule that somebody wrote down. Both can be
# learnt themselves, if there are many tasks of one kind: then a new task needs few examples or few
# steps. This page trains a beginning in two ways, MAML with second derivatives and Reptile without,
# and then the rule: an LSTM that looks at gradients and says the steps.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt

import tinydl as td
from tinydl import Generator, Tensor
from tinydl.baselines import Tuned
from tinydl.data import sinusoids
from tinydl.models import MAML, LearnedOptimizer, Reptile
from tinydl.models.meta.tasks import network
from tinydl.optim import SGD, Adam, clip_by_global_norm

# %% [markdown]
# ## Many tasks
#
# A task is a sine with an amplitude and a phase of its own; ten points of it are known, the error
# is asked at others (Finn et al. 2017). Averaged over all tasks the best guess is 0 everywhere, so
# a network trained on all of them at once learns nothing that one of them could use.

# %%
TASKS, SHOTS = 100, 10


def points(tasks, rng, *counts):
    """x and y for each of the counts, of the same drawn sines."""
    drawn = sinusoids(tasks, rng)
    return [Tensor(array) for count in counts for array in drawn.points(count, rng)]


tested = points(TASKS, Generator(9), SHOTS, 50)
zero = float((tested[3].numpy() ** 2).mean())
print(f"the error of 0 everywhere: {zero:.2f}")

# %% [markdown]
# ## The gradient of a step
#
# MAML asks: which weights $w$ are good *after* a step of gradient descent,
#
# $$\min_w \; L_2(w - \alpha \nabla L_1(w))$$
#
# By the chain rule the gradient is $(1 - \alpha L_1''(w)) \, L_2'(w')$, $w'$ the weight after the
# step: a second derivative, which `create_graph=True` keeps. For one weight and two parabolas it is
# done on paper:

# %%
alpha, c1, a1, c2, a2 = 0.1, 3.0, 1.0, 2.0, -1.0
w = td.tensor([0.5], dtype="float64", requires_grad=True)
(along,) = td.grad((c1 * (w - a1) ** 2 / 2).sum(), w, create_graph=True)
after = w - alpha * along
(whole,) = td.grad((c2 * (after - a2) ** 2 / 2).sum(), w)
moved = 0.5 - alpha * c1 * (0.5 - a1)
paper = (1 - alpha * c1) * c2 * (moved - a2)
print(f"through the step {whole.item():.4f}, on paper {paper:.4f}, ", end="")
print(f"without the second derivative {c2 * (moved - a2):.4f}")
assert abs(whole.item() - paper) < 1e-12

# %% [markdown]
# "First-order MAML" leaves the factor out. Reptile does not look at other points at all: it walks
# some steps on a task and moves the beginning a part of the way to where they ended.
#
# ## Beginnings
#
# Both learn one multilayer perceptron 1-40-40-1. Every task has its own copy of the weights, all
# copies are one batched product.

# %%
UPDATES = 120 if FAST else 2_000


def train(model, optimizer, tasks, updates, shots=SHOTS):
    rng, first = Generator(1), Generator(2)
    for _ in range(updates):
        optimizer.zero_grad()
        model.outer(*points(tasks, rng, shots, shots), first)
        clip_by_global_norm(model.parameters(), 1.0)
        optimizer.step()
    return model


STEPS = 20
curves = {}
td.seed(0)
fresh = MAML(rate=0.01)
curves["drawn weights"] = fresh.curve(*tested, STEPS)
td.seed(0)
maml = MAML(steps=5)
train(maml, Adam(maml.parameters(), 0.002), 25, UPDATES)
curves["MAML"] = maml.curve(*tested, STEPS)
td.seed(0)
reptile = Reptile()
train(reptile, SGD(reptile.parameters(), 1.0), 10, UPDATES)
curves["Reptile"] = reptile.curve(*tested, STEPS)
for name, curve in curves.items():
    told = ", ".join(f"{k}: {curve[k]:.2f}" for k in (0, 1, 5, 20))
    print(f"{name:14} error after steps {told}")
assert min(curves["MAML"][5], curves["Reptile"][5]) < curves["drawn weights"][5]

# %%
figure, axes = plt.subplots(1, 3, figsize=(9.2, 2.9), sharey=True)
line = np.linspace(-5, 5, 100, dtype=np.float32)
rng = Generator(5)
sine = sinusoids(1, rng)
x, y = (Tensor(array) for array in sine.points(SHOTS, rng))
grid = Tensor(line.reshape(1, -1, 1))
for cell, (name, model) in zip(
    axes, {"drawn weights": fresh, "MAML": maml, "Reptile": reptile}.items(), strict=True
):
    cell.plot(line, sine.at(grid.numpy())[0, :, 0], color=MUTED, label="the sine")
    cell.plot(x.numpy()[0, :, 0], y.numpy()[0, :, 0], "o", color=MUTED, markersize=4)
    for steps, colour in ((0, VIOLET), (1, ORANGE), (10, BLUE)):
        weights = model.learn(x, y, steps)
        guess = network(grid, weights).detach().numpy()[0, :, 0]
        cell.plot(line, guess, color=colour, label=f"{steps} steps" if steps != 1 else "1 step")
    cell.set(title=name, xlabel="x")
axes[0].legend(fontsize=7)
drawing.save(figure, "35-beginnings.png")

# %% [markdown]
# A trained beginning is no good guess at any sine: before the first step its error is nearer to
# that of 0 than to what a few steps make of it. It is a place from which every sine is near.
#
# ## A rule that is learnt
#
# What an optimiser does with a gradient is a formula with a memory: momentum, Adam's two moments.
# An LSTM is such a formula with weights (Andrychowicz et al. 2016). Every weight of the trained
# network has a state of its own, all share the 1,861 numbers of the rule, which learns from the
# errors along twenty steps. It stands beside gradient descent and Adam, each at the rate that is
# best for these very tasks, an advantage that the rule does not get.

# %%
td.seed(0)
rule = LearnedOptimizer()
train(rule, Adam(rule.parameters(), 0.005), 16, 40 if FAST else 300, shots=20)
given = points(TASKS, Generator(8), 20, 50)


class Tasks:
    """What `Tuned` asks of a training."""

    model = rule
    program = type("Settings", (), {"inner": STEPS})

    @staticmethod
    def tested():
        return given


learnt = rule.curve(*given, STEPS)
tuned = {name: Tuned(name)(Tasks, "test") for name in ("descent", "adam")}
figure, axis = plt.subplots(figsize=(5.0, 3.2))
axis.semilogy(learnt, color=GREEN, marker="o", markersize=3, label="learnt rule")
for (name, row), colour in zip(tuned.items(), (MUTED, ORANGE), strict=True):
    steps = [k for k in (0, 1, 2, 5, 10, 20) if f"mse_{k}" in row]
    axis.semilogy(
        steps, [row[f"mse_{k}"] for k in steps], color=colour, marker="s", label=f"{name}, tuned"
    )
axis.set(xlabel="step", ylabel="mean square error at other points")
axis.legend(fontsize=8)
drawing.save(figure, "35-learnt_rule.png")
print(f"after {STEPS} steps: learnt rule {learnt[-1]:.2f}, ", end="")
print(", ".join(f"{name} {row['mse']:.2f}" for name, row in tuned.items()))
assert learnt[-1] < learnt[0]

# %% [markdown]
# It was trained for twenty steps and for this network. What it does in the hundredth, or to a
# network of two layers, nobody promised: that is where learnt rules fail first.
#
# ## Exercises
#
# 1. Train `MAML(first_order=True)`. How much do second derivatives matter here?
# 2. Let the learnt rule make 100 steps. Where does its curve leave Adam's?
# 3. Give MAML three points instead of ten. What does the beginning know that saves it?
