# %% [markdown]
# # 7. Pictures of gradient descent
#
# **You need**: a *derivative* and a *gradient* (page 1).
#
# **You will be able to** take a step of gradient descent by hand; say from the second derivative
# which learning rates settle, which oscillate and which explode; and say what a rate that shrinks
# is good for.
#
# You stand on a hillside in thick fog and want to go down to the valley. You feel the slope under
# your feet, take a step downhill, and feel again. That is the whole algorithm, *gradient descent*:
#
#     x <- x - rate * dy/dx
#
# Why minus? dy/dx points to where y grows. One number steers it, the *learning rate*. On this page
# the landscape has only one direction, so we can see everything that goes well and everything that
# goes wrong.

# %%
from __future__ import annotations

from collections.abc import Callable

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, VIOLET, plt

import tinydl
from tinydl import Tensor

Curve = Callable[[Tensor], Tensor]


def value_and_slope(curve: Curve, x: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y and dy/dx at x (a number or many at once), the slope by backpropagation."""
    point = Tensor(np.asarray(x, np.float64), requires_grad=True)
    y = curve(point)
    (slope,) = tinydl.grad(y.sum(), [point])
    return y.numpy(), slope.numpy()


def descend(
    curve: Curve, start: float, rate: float, steps: int, decay: float = 1.0, limit: float = 1e6
) -> np.ndarray:
    """The path start, x1, x2, ...; the rate is multiplied by `decay` after each step."""
    path = [start]
    for _ in range(steps):
        _, slope = value_and_slope(curve, path[-1])
        path.append(path[-1] - rate * float(slope))
        rate *= decay
        if abs(path[-1]) > limit:  # it has left the map
            break
    return np.array(path)


# %% [markdown]
# ## One valley
#
# Take y = x^2 - x - 1. Its slope is 2x - 1, its lowest point y = -1.25 at x = 0.5. Start at
# x = -0.5 with the rate 0.01.
#
# **Before you run**: where is x after one step? By hand: the slope at -0.5 is -2, and
# -0.5 - 0.01 * (-2) = -0.48.
#
# (Parabola and start are those of Atienza, Advanced Deep Learning with TensorFlow 2 and Keras,
# 2020, here "the book". Its formula is lost in print; this is the only one of the form
# x^2 + p x + q that fits what it says.)


# %%
def parabola(x: Tensor) -> Tensor:
    return x * x - x - 1.0


first_step = descend(parabola, start=-0.5, rate=0.01, steps=1)[1]
lowest, flat = value_and_slope(parabola, 0.5)
print(f"first step of the book: -0.5 -> {first_step:.2f}")
print(f"at 0.5: y = {float(lowest):g}, slope {float(flat):g}")
assert abs(first_step + 0.48) < 1e-12
assert float(lowest) == -1.25 and float(flat) == 0

# %% [markdown]
# On this parabola the slope is twice the distance from the minimum, 2 (x - 0.5). So each step takes
# away rate * 2 * distance: it multiplies the distance by (1 - 2 rate).
#
# **Before you run**: what does that say about the rates 0.01, 0.3, 0.9 and 1.05?
#
# Everything follows from this one factor:
#
# - rate 0.01: the factor is 0.98. Safe, and slow.
# - rate 0.3: the factor is 0.4. Quick.
# - rate 0.9: the factor is -0.8. Every step overshoots to the other side, but a little less each
#   time.
# - rate 1.05: the factor is -1.1. Every step overshoots by more. It never arrives.

# %%
rates = (0.01, 0.3, 0.9, 1.05)
paths = {rate: descend(parabola, -0.5, rate, steps=10) for rate in rates}
print("\ndistance from the minimum after 10 steps")
for rate, path in paths.items():
    print(f"  rate {rate:<5g} {abs(path[-1] - 0.5):.4f}   predicted {abs(1 - 2 * rate) ** 10:.4f}")
    assert np.isclose(abs(path[-1] - 0.5), abs(1 - 2 * rate) ** 10)

figure, panels = plt.subplots(1, 4, figsize=(12.5, 3), sharey=True)
grid = np.linspace(-2.6, 3.6, 200)
height, slope = value_and_slope(parabola, grid)
titles = ("slow", "quick", "overshoots, arrives", "overshoots, leaves")
for axes, rate, title in zip(panels, rates, titles, strict=True):
    path = paths[rate]
    axes.plot(grid, height, color=INK, linewidth=1.2)
    axes.plot(path, path**2 - path - 1, "o-", color=ORANGE, markersize=4, linewidth=1)
    axes.plot(path[:1], path[:1] ** 2 - path[:1] - 1, "o", color=BLUE, markersize=7)
    axes.set(title=f"rate {rate:g}: {title}", xlabel="x", ylim=(-1.6, 7))
panels[0].set_ylabel("y = x² - x - 1")
panels[0].text(-0.2, 0.1, "start", color=BLUE)
drawing.save(
    figure,
    "07_quadratic.png",
    alt="Four walks on a parabola: rate 0.01 creeps, 0.3 arrives in a few steps, 0.9 jumps from "
    "side to side and arrives, 1.05 jumps ever higher.",
)

# %% [markdown]
# ![Four learning rates on a parabola](../docs/figures/07_quadratic.png)
#
# ## Small rates need many steps
#
# The book says that a *large* rate may need many iterations. It is the other way round (its earlier
# edition has it right). We count the steps until x is within 0.001 of the minimum.

# %%
STEP_LIMIT = 5000
slow, fast = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4), (0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0, 1.02)
sweep = np.array(slow + fast)


def steps_needed(rate: float) -> float:
    """Steps until |x - 0.5| < 0.001, or infinity."""
    away = np.abs(descend(parabola, -0.5, rate, STEP_LIMIT) - 0.5)
    arrived = np.flatnonzero(away < 1e-3)
    return float(arrived[0]) if len(arrived) else np.inf


needed = np.array([steps_needed(rate) for rate in sweep])
print("\nrate   steps until |x - 0.5| < 0.001")
for rate, count in zip(sweep, needed, strict=True):
    print(f"{rate:<6g} {'never' if np.isinf(count) else int(count)}")
arriving = np.isfinite(needed)
assert arriving[sweep < 0.97].all() and not arriving[sweep >= 1].any()
assert needed[0] > 10 * needed[arriving].min()

figure, axes = plt.subplots(figsize=(6, 3.6))
axes.semilogy(sweep[arriving], needed[arriving], "o-", color=BLUE)
axes.axvspan(1, 1.06, color=ORANGE, alpha=0.25, linewidth=0)
axes.text(1.03, needed[arriving].max(), "never", rotation=90, ha="center", va="top", color=ORANGE)
axes.set(xlabel="learning rate", ylabel="steps to the minimum", xlim=(-0.02, 1.06))
axes.set_title("Too small is slow; too large never arrives")
drawing.save(
    figure,
    "07_steps.png",
    alt="Steps to the minimum against the rate, logarithmic: many for small rates, few near 0.5, "
    "many again towards 1, and beyond 1 it never arrives.",
)

# %% [markdown]
# ![Too small is slow, too large never arrives](../docs/figures/07_steps.png)
#
# Where is the border? Let y'' be the *second derivative*, the slope of the slope. Near a minimum
# the slope is about y'' times the distance, so a step multiplies the distance by (1 - rate * y'').
# It shrinks only if that factor lies between -1 and 1, so if rate < 2 / y''. Here y'' = 2, and the
# border is 1.

# %% [markdown]
# ## Two valleys
#
# The next picture of the book has two minima: a shallow one at x = -1.51, a *local minimum*, and a
# deeper one at 1.66,
# with a hill at 0. The formula is lost again. This one fits all three places:
#
#     y  = x^4 - 0.2 x^3 - 5 x^2
#     y' = x (4 x^2 - 0.6 x - 10)
#
# Wherever y' crosses zero, y is flat: a valley if it crosses upwards, a hill if downwards.


# %%
def two_valleys(x: Tensor) -> Tensor:
    return x * x * (x * x - 0.2 * x - 5.0)


left, right = (0.6 - np.sqrt(160.36)) / 8, (0.6 + np.sqrt(160.36)) / 8
places = np.array([left, 0.0, right])
heights, slopes = value_and_slope(two_valleys, places)
print("\nflat places:", np.round(places, 3), "heights:", np.round(heights, 2))
assert np.allclose(slopes, 0, atol=1e-12)
assert abs(left + 1.51) < 0.01 and abs(right - 1.66) < 0.01 and heights[2] < heights[0]

grid = np.linspace(-2.5, 2.6, 400)
height, slope = value_and_slope(two_valleys, grid)
figure, (upper, lower) = plt.subplots(2, 1, figsize=(6, 5.2), sharex=True)
upper.plot(grid, height, color=INK)
lower.plot(grid, slope, color=BLUE)
lower.axhline(0, color=MUTED, linewidth=0.8)
for axes in (upper, lower):
    for place in places:
        axes.axvline(place, color=MUTED, linewidth=0.8, linestyle=":")
labels = ("local minimum", "hill", "global minimum")
for place, y, name in zip(places, heights, labels, strict=True):
    upper.plot([place], [y], "o", color=ORANGE)
    below = y < -1
    upper.annotate(f"{name}\nx = {place:.2f}", (place, y), xytext=(0, -32 if below else 9),
                   textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
upper.set(ylabel="y", ylim=(-14, 6), title="Two valleys and the slope between them")
lower.set(xlabel="x", ylabel="dy/dx", ylim=(-30, 30))
drawing.save(
    figure,
    "07_two_minima.png",
    alt="Above: a curve with a local minimum at -1.51, a hill at 0 and a deeper minimum at 1.66. "
    "Below: its slope, which is zero at the three places.",
)

# %% [markdown]
# ![Two valleys and the slope between them](../docs/figures/07_two_minima.png)
#
# Now start on the left, at x = -2, and try learning rates. The border 2 / y'' is the thing to know
# first. We ask the library for y'' at the two minima: the derivative of the derivative.


# %%
def second_derivative(curve: Curve, x: float) -> float:
    point = Tensor(np.float64(x), requires_grad=True)
    (slope,) = tinydl.grad(curve(point), [point], create_graph=True)
    (curvature,) = tinydl.grad(slope, [point])
    return curvature.item()


for name, place in (("left", left), ("right", right)):
    curvature = second_derivative(two_valleys, place)
    print(f"{name} minimum: y'' = {curvature:.2f}, rates below {2 / curvature:.3f} settle there")
assert 0.09 < 2 / second_derivative(two_valleys, right) < 0.10

# %% [markdown]
# **Before you run**: the right valley has the border that is printed. Where will rate 0.1 end, and
# where 0.15?

# %%
STEPS = 2000
trials = {
    "0.001": (0.001, 1.0),
    "0.01": (0.01, 1.0),
    "0.1": (0.1, 1.0),
    "0.15": (0.15, 1.0),
    "0.15, times 0.95 each step": (0.15, 0.95),
}
paths = {
    name: descend(two_valleys, -2.0, rate, STEPS, decay) for name, (rate, decay) in trials.items()
}
print(f"\nstart -2, {STEPS} steps")
for name, path in paths.items():
    tail = path[-20:]
    wander = tail.max() - tail.min()
    state = (
        "settled"
        if wander < 1e-2
        else f"still moving between {tail.min():.2f} and {tail.max():.2f}"
    )
    print(f"  rate {name:<28} ends at {path[-1]:7.3f}, {state}")

for name in ("0.001", "0.01", "0.1"):
    assert abs(paths[name][-1] - left) < 0.02, name
assert abs(paths["0.15"][1] - 0.16) < 1e-9  # the first step jumps over the hill
assert np.ptp(paths["0.15"][-20:]) > 0.1  # and never settles
assert abs(paths["0.15, times 0.95 each step"][-1] - right) < 0.01

# %% [markdown]
# The small rates walk into the nearest valley and stay there, the wrong one. The rate 0.15 jumps
# the hill with its very first step. But it is above the border, so it can never settle. The cure
# is in the last line: start large, so that the walk can cross hills, and shrink the rate as you
# go, so that it can settle. This is *learning-rate decay*. (The book says that a larger rate clears
# the hill. True, but without decay it cannot stay in the valley that it found.)

# %%
figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
chosen = ("0.01", "0.15", "0.15, times 0.95 each step")
for axes, name, color in zip(panels, chosen, (GREEN, ORANGE, VIOLET), strict=True):
    path = paths[name][:60]
    axes.plot(grid, height, color=INK, linewidth=1.2)
    on_curve = value_and_slope(two_valleys, path)[0]
    axes.plot(path, on_curve, "o-", color=color, markersize=3.5, linewidth=0.7, alpha=0.8)
    axes.plot(path[:1], on_curve[:1], "o", color=BLUE, markersize=7)
    axes.set(title=f"rate {name}", xlabel="x", ylim=(-8.5, 6))
panels[0].set_ylabel("y")
panels[0].text(-1.75, -2.5, "start", color=BLUE)
figure.suptitle("The first 60 steps from x = -2", y=1.02)
drawing.save(
    figure,
    "07_learning_rates.png",
    alt="The first 60 steps from x = -2: rate 0.01 stays in the left valley, 0.15 jumps about in "
    "the right one, 0.15 with decay settles at its bottom.",
)

figure, axes = plt.subplots(figsize=(6.4, 3.6))
for (name, path), color in zip(paths.items(), (MUTED, GREEN, BLUE, ORANGE, VIOLET), strict=True):
    axes.plot(path[:100], color=color, linewidth=1.3, label=f"rate {name}")
for place in (left, right):
    axes.axhline(place, color=MUTED, linewidth=0.8, linestyle=":")
axes.set(xlabel="step", ylabel="x", title="Where each walk is after so many steps", xlim=(0, 100))
axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
drawing.save(
    figure,
    "07_paths.png",
    alt="x against the step for five rates: three end at the left minimum, 0.15 wanders without "
    "end, 0.15 with decay ends at the right minimum.",
)

# %% [markdown]
# ![The first 60 steps](../docs/figures/07_learning_rates.png)
# ![Where each walk is](../docs/figures/07_paths.png)

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/07.py`. Try first.
#
# 1. By hand: y = 3 x^2, start at x = 1, rate 0.1. Where is x after one step, and after two?
# 2. Derive: from which rate on does gradient descent on y = 3 x^2 never settle? Which rate arrives
#    in one step?
# 3. Predict: start on the two valleys at x = 0 exactly, at the top of the hill. What happens? And
#    at x = 0.001?
# 4. Change a line: let the rate shrink by 0.5 each step in place of 0.95. Where does the walk from
#    -2 with 0.15 end, and why?
# 5. On y = x^4 there is y'' = 0 at the minimum. Does any rate explode? How fast does it settle?
#
# ## What to take along
#
# - a step is rate times slope, downhill;
# - too small a rate is slow, and too large a rate (above 2 / y'') never settles;
# - descent finds *a* valley, not the deepest one; a large rate that decays may find a better one.
#
# Go on with page 13: what there is to descend on.
