# %% [markdown]
# # 11. Update rules, raced
#
# **You need**: *gradient descent* and the *learning rate* (page 7), the *training loop* and the
# *mini-batch* (page 40).
#
# **You will be able to** write five update rules and take a step of each by hand; say what each
# remembers of earlier gradients; and compare rules fairly, each at its own best rate.
#
# The gradient says which way is down *here*. It does not say how far to go, whether the last steps
# went the same way, or that one direction is a hundred times steeper than another. An update rule
# answers these questions from the gradients that it has seen. With g the gradient, w the weights
# and r the rate:
#
#     SGD        w <- w - r g
#     momentum   v <- 0.9 v + g                   w <- w - r v
#     AdaGrad    s <- s + g^2                     w <- w - r g / sqrt(s)
#     RMSprop    s <- 0.9 s + 0.1 g^2             w <- w - r g / sqrt(s)
#     Adam       m <- 0.9 m + 0.1 g               (both averages corrected for
#                s <- 0.999 s + 0.001 g^2          the zeros that they start from)
#                                                 w <- w - r m / sqrt(s)
#
# v, s and m begin at 0. (A tiny number is added to each root, so that nobody divides by 0.)
#
# Momentum remembers *where* it was going: v is a sum of gradients in which older ones fade. AdaGrad
# and RMSprop remember *how steep* it was, each weight for itself, and divide by that. Adam does
# both.
#
# Adam's "corrected": after the first step m is 0.1 g, a tenth of what an average should be, because
# it began at 0. So m is divided by 1 - 0.9^t after t steps, and s by 1 - 0.999^t.

# %%
from __future__ import annotations

from collections.abc import Callable

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, VIOLET, plt

from tinydl import Generator, Tensor, nn, optim
from tinydl.data import Batches, synthetic_digits

Rule = Callable[[list[nn.Parameter], float], optim.Optimizer]
RULES: dict[str, Rule] = {
    "SGD": lambda w, rate: optim.SGD(w, rate),
    "momentum": lambda w, rate: optim.SGD(w, rate, momentum=0.9),
    "AdaGrad": lambda w, rate: optim.AdaGrad(w, rate),
    "RMSprop": lambda w, rate: optim.RMSprop(w, rate),
    "Adam": lambda w, rate: optim.Adam(w, rate),
}
COLOURS = dict(zip(RULES, (BLUE, ORANGE, MUTED, GREEN, VIOLET), strict=True))

# %% [markdown]
# ## One step by hand
#
# Two weights, at 0; the gradient of the first is 100, that of the second 0.01. The rate is 0.1.
#
# **Before you run**: how far does each rule move the two in its first step? For Adam: m = 0.1 g,
# corrected g; s = 0.001 g^2, corrected g^2. So m / sqrt(s) is g / |g|, the sign of g.

# %%
steep = np.array([100.0, 0.01])
print("first step of two weights with the gradients 100 and 0.01, rate 0.1")
for name, rule in RULES.items():
    weight = nn.Parameter(np.zeros(2))
    weight.grad = Tensor(steep)
    rule([weight], 0.1).step()
    first, second = -weight.numpy()
    print(f"  {name:<9} {first:8.4f} {second:8.4f}")
    if name in ("AdaGrad", "Adam"):
        assert abs(first - 0.1) < 0.001 and abs(second - 0.1) < 0.001

# %% [markdown]
# SGD's steps differ by a factor of 10,000, as the gradients do. The rules that divide by sqrt(s)
# take steps of the same length in both directions, about the rate itself (RMSprop's first is
# r / sqrt(0.1), since it corrects nothing). That is what makes a weight learn whose gradients are
# always small.
#
# ## Which rules have momentum?
#
# Gulli and Pal (Deep Learning with Keras, 2017) say that RMSprop and Adam add momentum to the speed
# of SGD. For Adam this is right; RMSprop has none. Here is the experiment that decides it: a slope
# of 1 for twenty steps, and then level ground. What coasts on has momentum.
#
# **Before you run**: by the formulas above, which of the five move when g = 0?


# %%
def coast(rule: Rule, pushes: int = 20, after: int = 20) -> np.ndarray:
    """The way of one weight under the gradient 1 and then 0, in units of its first steps."""
    weight = nn.Parameter(np.zeros(1))
    optimizer = rule([weight], 0.01)
    way = [0.0]
    for step in range(pushes + after):
        weight.grad = Tensor(np.ones(1) if step < pushes else np.zeros(1))
        optimizer.step()
        way.append(-weight.item())
    return np.array(way) / way[pushes]


print("way after the push, in parts of the way during it")
for name, rule in RULES.items():
    further = coast(rule)[-1] - 1
    print(f"  {name:<9} {further:5.2f}")
    assert (further > 0.1) == (name in ("momentum", "Adam"))

# %% [markdown]
# When g = 0, SGD, AdaGrad and RMSprop have nothing to multiply. v and m are still there, and fade.
#
# ## Three landscapes
#
# - **Rosenbrock's valley** is a long bent trough: into it is easy, along it is nearly flat.
# - **Beale's function** has a plateau, and walls at its corners.
# - **The noisy valley** is fifty times steeper across than along, and every gradient comes with
#   noise, as the gradients of mini-batches do.
#
# Every rule gets the rate that suits it best, out of the same list: the best mean height of the
# last tenth of its steps; who leaves the map is out. (A race with one rate for all would only show
# for whom it was chosen.)
#
# **Before you run**: which rule will win along a valley that is nearly flat and always points the
# same way? And which where the gradient is noisy?


# %%
def rosenbrock(x: Tensor, y: Tensor) -> Tensor:
    return (1.0 - x) ** 2.0 + 100.0 * (y - x * x) ** 2.0


def beale(x: Tensor, y: Tensor) -> Tensor:
    terms = (1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y)
    return terms[0] * terms[0] + terms[1] * terms[1] + terms[2] * terms[2]


def valley(x: Tensor, y: Tensor) -> Tensor:
    return 0.5 * (x * x + 50.0 * y * y)


# name: function, start, minimum, noise of the gradient, window
PLACES = {
    "Rosenbrock": (rosenbrock, (-1.2, 1.0), (1.0, 1.0), 0.0, (-1.9, 1.7, -0.7, 1.9)),
    "Beale": (beale, (1.0, 1.5), (3.0, 0.5), 0.0, (-0.6, 4.2, -1.2, 2.4)),
    "noisy valley": (valley, (-4.0, 0.8), (0.0, 0.0), 2.0, (-4.6, 1.6, -1.3, 1.3)),
}
STEPS = 400
RATES = [0.0001 * 10 ** (i / 2) for i in range(10)]  # 0.0001 to 3.2


def walk(place: str, rule: Rule, rate: float) -> np.ndarray:
    """Points (STEPS + 1, 2); where a path leaves the map, it ends with infinities."""
    function, start, _, noise, (left, right, bottom, top) = PLACES[place]
    weight = nn.Parameter(np.array(start))
    optimizer, rng = rule([weight], rate), np.random.default_rng(0)
    points = np.full((STEPS + 1, 2), np.inf)
    for step in range(STEPS + 1):
        points[step] = weight.numpy()
        if not (left <= points[step, 0] <= right and bottom <= points[step, 1] <= top):
            points[step:] = np.inf
            break
        weight.grad = None
        function(weight[0], weight[1]).backward()
        if noise:
            weight.grad = weight.grad + Tensor(rng.normal(0.0, noise, 2))
        optimizer.step()
    return points


def height(place: str, points: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # inf - inf, off the map
        found = PLACES[place][0](points[..., 0], points[..., 1])
    return np.where(np.isnan(found), np.inf, found)


def end(place: str, points: np.ndarray) -> float:
    return float(height(place, points[-STEPS // 10 :]).mean())


print(f"\nheight after {STEPS} steps, at the best rate of {len(RATES)}")
best: dict[tuple[str, str], tuple[float, np.ndarray]] = {}
for place in PLACES:
    for name, rule in RULES.items():
        walks = {rate: walk(place, rule, rate) for rate in RATES}
        rate = min(walks, key=lambda r: end(place, walks[r]))
        best[place, name] = rate, walks[rate]
        print(f"  {place:<12} {name:<9} rate {rate:<8.2g} {end(place, walks[rate]):9.2e}")

figure, panels = plt.subplots(
    3, 5, figsize=(13.5, 7.8), sharex="row", sharey="row", layout="constrained"
)
for row, place in zip(panels, PLACES, strict=True):
    function, start, goal, _, (left, right, bottom, top) = PLACES[place]
    x, y = np.meshgrid(np.linspace(left, right, 160), np.linspace(bottom, top, 120))
    levels = np.log10(function(x, y) + 0.02)
    for axes, name in zip(row, RULES, strict=True):
        rate, points = best[place, name]
        axes.contour(x, y, levels, 14, colors=MUTED, linewidths=0.5, alpha=0.6)
        axes.plot(points[:, 0], points[:, 1], color=COLOURS[name], linewidth=1.1)
        axes.plot(*start, "o", color=INK, markersize=4)
        axes.plot(*goal, "*", color=INK, markersize=10)
        axes.set(xlim=(left, right), ylim=(bottom, top))
        axes.grid(False)
        axes.set_title(f"{name}, rate {rate:.2g}: {end(place, points):.1e}", fontsize=9)
    row[0].set_ylabel(place, fontsize=11)
drawing.save(
    figure,
    "11_races.png",
    alt="Fifteen maps: five rules on Rosenbrock's valley, Beale's function and a noisy valley. "
    "Along Rosenbrock's valley momentum and Adam reach the star, the others stop on the way; "
    "in the noisy valley all wander about the bottom.",
)

# %% [markdown]
# ![Five rules on three landscapes](../docs/figures/11_races.png)
#
# Momentum comes furthest along the bent valley: small slopes that always point the same way add up
# to speed. Plain SGD cannot: its rate is bounded by the steep walls, whatever the flat floor would
# allow. On the noisy valley nobody arrives; AdaGrad comes closest, because its sum of squares only
# grows: its steps become smaller by themselves. The others keep a distance that is set by the rate,
# and need a schedule (`optim.Cosine`, `optim.StepDecay`) for the rest of the way.

# %%
along = {name: end("Rosenbrock", best["Rosenbrock", name][1]) for name in RULES}
assert along["momentum"] < along["SGD"] / 3
assert all(np.isfinite(end(*[place, best[place, name][1]])) for place, name in best)

# %% [markdown]
# ## A real network
#
# The same rules train a network on small digits, with every rate of the list. What counts in
# practice is not only how good a rule is at its best rate, but how far off the rate may be.


# %%
def loss_after(rule: Rule, rate: float, epochs: int) -> float:
    """Mean loss over the training set; at least 1e-4 for the logarithmic axis, 10 if it broke."""
    rng = Generator(seed=1)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
    optimizer = rule(model.parameters(), rate)
    for _ in range(epochs):
        for x, y in Batches((IMAGES, LABELS), batch_size=50, shuffle=True, rng=rng):
            optimizer.zero_grad()
            nn.cross_entropy(model(Tensor(x)), Tensor(y)).backward()
            optimizer.step()
    loss = nn.cross_entropy(model(Tensor(IMAGES)), Tensor(LABELS)).item()
    return min(max(loss, 1e-4), 10.0) if np.isfinite(loss) else 10.0


digits = synthetic_digits(1000, Generator(seed=0), size=8)
IMAGES, LABELS = digits.x.reshape(-1, 64), digits.y
EPOCHS = 10
losses = {name: [loss_after(rule, r, EPOCHS) for r in RATES] for name, rule in RULES.items()}
print(f"\nloss after {EPOCHS} epochs: at the best rate, and rates within three times of it")
for name, found in losses.items():
    print(f"  {name:<9} {min(found):.4f}  {sum(v < 3 * min(found) for v in found)} of {len(RATES)}")

figure, axes = plt.subplots(figsize=(7, 4))
for name, found in losses.items():
    axes.loglog(RATES, found, "o-", color=COLOURS[name], markersize=4, label=name)
axes.set(xlabel="rate", ylabel=f"training loss after {EPOCHS} epochs")
axes.legend()
drawing.save(
    figure,
    "11_rates.png",
    alt="Training loss after ten epochs against the rate, both logarithmic, for five rules: "
    "valleys that lie at a rate of 1 for SGD, 0.3 for momentum, 0.1 for AdaGrad and Adam, "
    "0.03 for RMSprop.",
)

# %% [markdown]
# ![Training loss by rate](../docs/figures/11_rates.png)
#
# Momentum 0.9 at a rate does what plain SGD does at ten times that rate: the sum 1 + 0.9 + 0.81 +
# ... is 10. The rules that divide by sqrt(s) take steps of about the rate itself, whatever the
# scale of the loss, which makes their rates portable. And a statement such as "Adam is better than
# SGD" says little until somebody has tried another rate for SGD: the SGD rows of Atienza's table
# (Advanced Deep Learning with TensorFlow 2 and Keras, 2020), measured again, are not reached with
# the default rate 0.01, but they are with 0.1.

# %%
for at, later in zip(losses["momentum"][:6], losses["SGD"][2:8], strict=True):
    assert 0.4 < at / later < 2.5, "momentum 0.9 at r, and SGD at 10 r"
assert min(losses["Adam"]) < min(losses["SGD"])

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/11.py`. Try first.
#
# 1. By hand: momentum 0.9, rate 0.1, gradient 1 at every step. Where is w (from 0) after one, two,
#    three steps? What step does it take in the long run?
# 2. By hand: two steps of AdaGrad with rate 1 and the gradients 3 and 4. How long is the second
#    one?
# 3. Predict: the loss is multiplied by 1,000. Which rules need another rate?
# 4. Write Adam in six lines of NumPy, and compare ten steps with `optim.Adam`.
# 5. Change a line: on the noisy valley multiply SGD's rate by 0.995 each step. How low does it
#    come?
#
# ## What to take along
#
# - momentum sums gradients and coasts; AdaGrad and RMSprop divide by their size; Adam does both;
# - dividing by the size makes rates portable, and helps weights whose gradients are small;
# - with noise nobody arrives at a fixed rate: shrink it;
# - compare rules each at its best rate, and look at how wide the good rates are.
#
# Go on with page 10: what keeps the numbers themselves at one size.
