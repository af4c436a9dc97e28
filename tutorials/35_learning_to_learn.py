# %% [markdown]
# # 35. Learning to learn: beginnings and rules that are trained
#
# **You need**: the *chain rule* (page 1), *gradient descent* and a *second derivative* (page 7), a
# *training loop* (page 40), *momentum* and *Adam* (page 11), an *LSTM* (page 9), an *episode* (page
# 33).
#
# **You will be able to** differentiate through a step of gradient descent, on paper and by the
# library; say what MAML and Reptile look for, and what each costs; and train an update rule, and
# name where it fails.
#
# Training begins with weights of chance and goes on by a rule that somebody wrote down. Both can be
# learnt themselves, if there are many tasks of one kind, as in the episodes of page 33: then a new
# task needs few examples or few steps. This page trains a beginning in two ways, MAML with second
# derivatives and Reptile without, and then the rule: an LSTM that looks at gradients and says the
# steps.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt
from recorded import figures, note

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
# is asked at others (Finn et al. 2017).
#
# **Before you run**: one network is trained on all sines at once, without being told which. What
# will it answer, and what is its error? (The amplitudes are uniform on 0.1 ... 5, the phases on 0
# ... pi.)

# %%
TASKS, SHOTS = 100, 10


def points(tasks, rng, *counts):
    """x and y for each of the counts, of the same drawn sines."""
    drawn = sinusoids(tasks, rng)
    return [Tensor(array) for count in counts for array in drawn.points(count, rng)]


tested = points(TASKS, Generator(9), SHOTS, 50)
zero = float((tested[3].numpy() ** 2).mean())
average = 2.55 * 2 / np.pi * np.cos(tested[2].numpy())  # the mean of all sines
shared = float(((tested[3].numpy() - average) ** 2).mean())
print(f"the error of 0 everywhere: {zero:.2f}, of the mean of all sines: {shared:.2f}")
assert shared < zero

# %% [markdown]
# A squared error is smallest at the mean of all sines. The mean of sin(x + phase) over phases from
# 0 to pi is (2 / pi) cos x, and the mean amplitude 2.55, so it answers 1.6 cos x whatever the task
# is. Its error is half the mean squared amplitude, 4.3, less half of 1.6 squared: 2.9 (3.3 for the
# hundred tasks that were drawn here). What one task could use of its ten points is not learnt so.
#
# ## The gradient of a step
#
# *MAML* (model-agnostic meta-learning) asks another question: not which weights w are good on
# average, but which are good *after* a step of gradient descent on the task's own points,
#
#     min over w of  L2(w - alpha L1'(w))
#
# L1 is the loss on the points that are known, L2 that on others of the same task. By the chain
# rule, with w' the weight after the step,
#
#     gradient  =  (1 - alpha L1''(w))  *  L2'(w')
#
# The first factor says how the end of the step moves if its beginning moves: both move, but where
# the curve is steep, L1'' large, the step takes back a part. It is a second derivative, which
# `create_graph=True` keeps: the step itself becomes a part of the graph. For one weight and two
# parabolas it is done on paper.
#
# **Before you run**: L1 = 3 (w - 1)^2 / 2, L2 = 2 (w + 1)^2 / 2, alpha = 0.1, w = 0.5. What are w',
# L2'(w') and the factor?

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
# w' = 0.5 - 0.1 * 3 * (0.5 - 1) = 0.65, L2' = 2 * 1.65 = 3.3, and the factor is 1 - 0.3 = 0.7:
# 2.31.
#
# "First-order MAML" leaves the factor out. *Reptile* (Nichol et al. 2018) does not look at other
# points at all: it walks some steps on a task and moves the beginning a part of the way to where
# they ended. Beginnings that are pulled towards the ends of many tasks come to lie where all those
# ends are near.
#
# ## Beginnings
#
# Both learn one multilayer perceptron 1-40-40-1. Every task has its own copy of the weights, all
# copies are one batched product.
#
# **Before you run**: at step 0, before it has seen any point of the task, what error can the
# trained beginning have? Can it be below that of the mean of all sines?

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
    if not FAST:
        for k in (0, 1, 5, 20):
            note(f"{name} after {k}", curve[k])
if FAST and figures("35"):
    print("recorded with 2,000 updates, error after 5 steps:")
    for name in curves:
        print(f"{name:14} {figures('35')[f'{name} after 5']:.2f}")
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
drawing.save(
    figure,
    "35-beginnings.png",
    alt="A sine with ten known points and three networks' curves before and after 1 and 10 "
    "steps: from drawn weights, from MAML's and from Reptile's beginning.",
)

# %% [markdown]
# ![Three beginnings, one sine](../docs/figures/35-beginnings.png)
#
# At full length the error after five steps is 4.34 (recorded: drawn weights after 5) from drawn
# weights, 0.19 (recorded: MAML after 5) from MAML's beginning and 0.54 (recorded: Reptile after 5)
# from Reptile's.
#
# A trained beginning is no good guess at any sine: before the first step its error, 3.31 (recorded:
# MAML after 0) for MAML's, is that of the mean of all sines, which its curve at 0 steps nearly is.
# It knows what the tasks share, and it is a place from which every one of them is near.
#
# ## A rule that is learnt
#
# What an optimiser does with a gradient is a formula with a memory: momentum, Adam's two averages.
# An LSTM is such a formula with weights (Andrychowicz et al. 2016). Every weight of the trained
# network has a state of its own, all share the 1,861 numbers of the rule, which learns from the
# errors along twenty steps: backpropagation through the training itself, as through time on page 9.
# It stands beside gradient descent and Adam, each at the rate that is best for these very tasks, an
# advantage that the rule does not get.
#
# **Before you run**: where will the learnt rule's curve lie, below or above a tuned Adam's, in the
# first steps and at the last?

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
drawing.save(
    figure,
    "35-learnt_rule.png",
    alt="Error at other points by step: the learnt rule falls steadily; tuned gradient "
    "descent and tuned Adam beside it.",
)
print(f"after {STEPS} steps: learnt rule {learnt[-1]:.2f}, ", end="")
print(", ".join(f"{name} {row['mse']:.2f}" for name, row in tuned.items()))
if not FAST:
    note("learnt rule after 20", learnt[-1])
    for name, row in tuned.items():
        note(f"{name} after 20, tuned", row["mse"])
assert learnt[-1] < learnt[0]

# %% [markdown]
# ![A learnt rule beside tuned ones](../docs/figures/35-learnt_rule.png)
#
# After twenty steps the learnt rule has 3.00 (recorded: learnt rule after 20), gradient descent
# 4.08 (recorded: descent after 20, tuned), Adam 3.26 (recorded: adam after 20, tuned). It was
# trained for twenty steps and for this network. What it does in the hundredth, or to a network of
# two layers, nobody promised: that is where learnt rules fail first.
#
# ## Exercises
#
# Answers are in `tutorials/answers/35.py`. Try first.
#
# 1. Two steps in place of one, on the parabola L1 = c (w - a)^2 / 2: by which factor does w'' move
#    when w moves? Which alpha makes MAML's gradient 0, and why?
# 2. Two tasks with L1 = L2 = c_k (w - a_k)^2 / 2, c = (3, 1) and a = (1, -1), alpha = 0.1. Where is
#    the best beginning by MAML, and where the best single w without a step?
# 3. Reptile on the same two tasks: it makes k steps on a task and moves the beginning a tenth of
#    the way to where they ended, task after task in turn. Where does it stay for k = 1, and for k =
#    100?
# 4. Check the gradient through a step of this page's parabolas as on page 3.
# 5. Predict, then try: train `MAML(first_order=True)` for a hundred updates beside `MAML()`. How
#    much do second derivatives matter here?
#
# ## What to take along
#
# - A step of training is a function like others: it has a derivative, with a second derivative in
#   it.
# - MAML looks for weights that are good after a step; Reptile for weights near the ends of all
#   tasks.
# - A rule can be learnt; it is good where it was trained.
# - Put what is learnt beside what is tuned, on the same tasks.
#
# Go on with page 30: what a network does not know.
