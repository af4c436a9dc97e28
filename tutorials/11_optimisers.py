# %% [markdown]
# # 11. Update rules, raced
#
# The gradient says which way is down *here*. It does not say how far to go, whether the last steps
# went the same way, or that one direction is a hundred times steeper than another. An update rule
# is an opinion on these questions. With g the gradient, w the weights and r the rate:
#
#     SGD        w <- w - r g
#     momentum   v <- 0.9 v + g                   w <- w - r v
#     AdaGrad    s <- s + g^2                     w <- w - r g / sqrt(s)
#     RMSprop    s <- 0.9 s + 0.1 g^2             w <- w - r g / sqrt(s)
#     Adam       m <- 0.9 m + 0.1 g               (both averages corrected for
#                s <- 0.999 s + 0.001 g^2          the zeros that they start from)
#                                                 w <- w - r m / sqrt(s)
#
# Momentum remembers *where* it was going. AdaGrad and RMSprop remember *how steep* it was, each
# weight for itself, and divide by that. Adam does both.

# %%
from __future__ import annotations

from collections.abc import Callable

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, VIOLET, plt

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
# ## Which rules have momentum?
#
# One of the books says that RMSprop and Adam add momentum to the speed of SGD. For Adam this is
# right; RMSprop has none. Here is the experiment that decides it: a slope of 1 for twenty steps,
# and then level ground. What coasts on has momentum.


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
# ## Three landscapes
#
# - **Rosenbrock's valley** is a banana: into it is easy, along it is nearly flat.
# - **Beale's function** has a plateau, and walls at its corners.
# - **The noisy valley** is fifty times steeper across than along, and every gradient comes with
#   noise, as the gradients of mini-batches do.
#
# Every rule gets the rate that suits it best, out of the same list: the best mean height of the
# last tenth of its steps; who leaves the map is out. (A race with one rate for all would only show
# for whom it was chosen.)


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
STEPS = 120 if FAST else 400
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
drawing.save(figure, "11_races.png")

# %% [markdown]
# Momentum comes furthest along the banana: small slopes that always point the same way add up to
# speed. Plain SGD cannot: its rate is bounded by the steep walls, whatever the flat floor would
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


digits = synthetic_digits(300 if FAST else 1000, Generator(seed=0), size=8)
IMAGES, LABELS = digits.x.reshape(-1, 64), digits.y
EPOCHS = 4 if FAST else 10
losses = {name: [loss_after(rule, r, EPOCHS) for r in RATES] for name, rule in RULES.items()}
print(f"\nloss after {EPOCHS} epochs: at the best rate, and rates within three times of it")
for name, found in losses.items():
    print(f"  {name:<9} {min(found):.4f}  {sum(v < 3 * min(found) for v in found)} of {len(RATES)}")

figure, axes = plt.subplots(figsize=(7, 4))
for name, found in losses.items():
    axes.loglog(RATES, found, "o-", color=COLOURS[name], markersize=4, label=name)
axes.set(xlabel="rate", ylabel=f"training loss after {EPOCHS} epochs")
axes.legend()
drawing.save(figure, "11_rates.png")

# %% [markdown]
# Momentum 0.9 at a rate does what plain SGD does at ten times that rate: the sum
# 1 + 0.9 + 0.81 + ... is 10. The rules that divide by sqrt(s) take steps of about the rate itself,
# whatever the scale of the loss, which makes their rates portable. And a statement such as "Adam is
# better than SGD" says little until somebody has tried another rate for SGD: the SGD rows of one
# book's table, measured again, are not reached with the default rate 0.01, but they are with 0.1.

# %%
for at, later in zip(losses["momentum"][:6], losses["SGD"][2:8], strict=True):
    assert 0.4 < at / later < 2.5, "momentum 0.9 at r, and SGD at 10 r"
assert min(losses["Adam"]) < min(losses["SGD"])
