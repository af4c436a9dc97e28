# %% [markdown]
# # 3. Checking a gradient
#
# **You need**: a *gradient* and the *chain rule* (page 1), a *tensor* (page 2).
#
# **You will be able to** measure a slope with the best step; say what a Jacobian is and why
# backward multiplies by its transpose; check a whole layer for the price of two evaluations; and
# find a wrong gradient by three signs.
#
# A wrong gradient rarely crashes. The network still learns, only worse, and you may search for
# weeks. So every derivative in tinydl is checked against a measurement. This page builds such a
# gradient check step by step, breaks it in a few ways, and ends with the one you can use for your
# own operations: `tinydl.testing.check_grads`.

# %%
from __future__ import annotations

import inspect
import math

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, plt

import tinydl
from tinydl import Function, Tensor
from tinydl.testing import GradientError, check_grads, gradcheck_op, numerical_gradient

# %% [markdown]
# ## Measuring a slope: how small a step?
#
# The definition says: take h towards 0 in (f(x + h) - f(x)) / h. On a computer that is bad advice.
# Two errors fight each other.
#
# - *Truncation error*: the curve bends between x and x + h. The error is about h |f''| / 2, so
#   smaller h is better.
# - *Rounding error*: f(x + h) and f(x) are almost equal, so their difference keeps only a few good
#   digits, and dividing by h blows up the rest. The error is about u |f| / h, so larger h is
#   better. Here u is the relative size of a rounding error, about 1.1e-16 for float64.
#
# Stepping to both sides, (f(x + h) - f(x - h)) / (2 h), cancels the bend: truncation is then about
# h^2 |f'''| / 6. The best h is near u^(1/2) for one side and near u^(1/3) for both sides.
#
# **Before you run**: what will the error look like for h = 1e-15, and for h = 1? Which of the two
# errors is at work in each?


# %%
def f(x: np.floating) -> np.floating:
    return np.exp(x) * np.sin(3 * x)


point = 0.7
true_slope = math.exp(point) * (math.sin(3 * point) + 3 * math.cos(3 * point))
steps = 10.0 ** np.arange(-16, 0.01, 0.25)


def errors(two_sided: bool, dtype: type) -> np.ndarray:
    x, result = dtype(point), []
    exact = math.exp(x) * (math.sin(3 * float(x)) + 3 * math.cos(3 * float(x)))
    for h in steps.astype(dtype):
        ahead, behind = x + h, x - h if two_sided else x
        width = ahead - behind  # what the step became after rounding
        slope = (f(ahead) - f(behind)) / width if width else np.inf
        result.append(abs(float(slope) - exact))
    return np.array(result)


curves = {
    "one side, float64": (errors(False, np.float64), BLUE, 2.0**-53, 1 / 2),
    "both sides, float64": (errors(True, np.float64), GREEN, 2.0**-53, 1 / 3),
    "both sides, float32": (errors(True, np.float32), ORANGE, 2.0**-24, 1 / 3),
}
print(f"true slope {true_slope:.10f}")
best = {}
for name, (error, _, u, power) in curves.items():
    place = np.argmin(error)
    best[name] = error[place]
    print(f"  {name:<20} best step {steps[place]:.0e} (rule of thumb {u**power:.0e}), "
          f"error {error[place]:.0e}")  # fmt: skip
    assert u**power / 300 < steps[place] < u**power * 300
assert best["both sides, float64"] < best["one side, float64"] < best["both sides, float32"]

# %%
figure, axes = plt.subplots(figsize=(6.6, 4.2))
for name, (error, color, _, _) in curves.items():
    axes.loglog(steps, error, "o-", color=color, markersize=3, linewidth=1, label=name)
axes.annotate("rounding", (2e-12, 1), color=MUTED, ha="center")
axes.annotate("truncation", (5e-2, 1e-6), color=MUTED, ha="center")
axes.set(xlabel="step h", ylabel="error of the measured slope", ylim=(1e-13, 1e3))
axes.set_title("Too large a step truncates, too small a step rounds")
axes.legend(fontsize=9, loc="lower left")
drawing.save(
    figure,
    "03_step_size.png",
    alt="Error of a measured slope against the step, on logarithmic axes: three V shapes. "
    "Rounding rises to the left, truncation to the right; both sides in float64 reach lowest, "
    "float32 stays highest.",
)

# %% [markdown]
# ![Too large a step truncates, too small a step rounds](../docs/figures/03_step_size.png)
#
# Two lessons. Step to both sides. And check in float64: in float32 even the best step leaves so
# large an error that a small mistake in a gradient hides behind it.

# %% [markdown]
# ## Many inputs, many outputs
#
# A layer with n inputs and m outputs has n * m slopes. Written as a table they are the *Jacobian*
# J: row i is output i, column j is input j. By hand, for two inputs and two outputs:
#
#     y1 = x1 x2         J = [ x2  x1 ]      at x = (3, 5):  J = [ 5  3 ]
#     y2 = x1 + 2 x2         [ 1   2  ]                          [ 1  2 ]
#
# Forward, J says how outputs move: move the inputs by v = (0.1, 0), and the outputs move by about J
# v = (0.5, 0.1). Backward, we know the slopes c of a loss by y1 and y2 (the incoming gradient) and
# want those by x1 and x2. x1 acts on both outputs, so the two contributions add:
#
#     dL/dx1 = c1 * 5 + c2 * 1        dL/dx2 = c1 * 3 + c2 * 2
#
# The columns of J have become rows: this is J^T c, with J *transposed*. Every backward in the
# library is a way to compute J^T c without ever building J.

# %%
J, c = np.array([[5.0, 3.0], [1.0, 2.0]]), np.array([10.0, 1.0])
point_in_plane = Tensor(np.array([3.0, 5.0]), requires_grad=True)
x1, x2 = point_in_plane[0], point_in_plane[1]
outputs = tinydl.stack([x1 * x2, x1 + 2.0 * x2])
outputs.backward(c)
print("\nJ^T c by hand:", J.T @ c, " by backward:", point_in_plane.grad.numpy())
assert np.array_equal(J.T @ c, point_in_plane.grad.numpy())

# %% [markdown]
# Measuring all of J takes 2n evaluations: move every input to both sides. The library does it if
# you ask; here is its code:

# %%
print(inspect.getsource(numerical_gradient))

# %%
rng = np.random.default_rng(0)
x = Tensor(rng.normal(size=(3, 4)))
weight = Tensor(rng.normal(size=(4, 5)))


def score(x: Tensor, weight: Tensor) -> Tensor:
    return ((x @ weight).tanh() ** 2).sum()


measured = numerical_gradient(score, [x, weight])
leaves = [Tensor(t.numpy(), requires_grad=True) for t in (x, weight)]
exact = tinydl.grad(score(*leaves), leaves)
for name, a, b in zip(("x", "weight"), measured, exact, strict=True):
    difference = np.abs(a - b.numpy()).max()
    print(f"gradient of {name:<7} {a.size:2d} numbers, largest difference {difference:.1e}")
    assert difference < 1e-8

# %% [markdown]
# For big layers that is slow, and it needs a single number at the end. There is a trick which costs
# two evaluations, whatever the size. Pick a random direction v for the inputs and random weights c
# for the outputs (the *cotangent*). Then compare two numbers:
#
#     <c, J v>    move all inputs together along v, measure how <c, outputs> changes
#     <J^T c, v>  run backward from c, take the dot product of the result with v
#
# They are the same sum, read from two sides: sum over all i and j of c_i J_ij v_j. If any entry of
# the gradient is wrong, the two numbers differ, unless the random draw hides it by a freak
# accident.


# %%
def compare(f, x: np.ndarray, v: np.ndarray, c: np.ndarray, h: float = 6e-6) -> tuple[float, float]:
    """(<c, J v> measured, <J^T c, v> by backward) for y = f(x)."""
    ahead, behind = f(Tensor(x + h * v)).numpy(), f(Tensor(x - h * v)).numpy()
    leaf = Tensor(x, requires_grad=True)
    (backward,) = tinydl.grad(f(leaf), [leaf], Tensor(c))
    return float((c * (ahead - behind)).sum() / (2 * h)), float((backward.numpy() * v).sum())


def layer(x: Tensor) -> Tensor:
    return (x @ weight).softmax()


v, c = rng.normal(size=x.shape), rng.normal(size=(3, 5))
left, right = compare(layer, x.numpy(), v, c)
print(f"\nmeasured {left:.10f}\nbackward {right:.10f}")
assert abs(left - right) < 1e-8

# %% [markdown]
# Why random? Take an operation that reverses a list, with a mistake: its backward forgets to
# reverse the gradient.
#
# **Before you run**: take v and c all ones. Will the check notice?


# %%
class Reverse(Function):
    def forward(self, x):
        n = x.shape[0]
        return self.backend.slice(x, (n - 1,), (-1,), (n,))

    def backward(self, grad):
        return grad  # wrong: must be reversed as well


sample = rng.normal(size=6)
with_ones = compare(lambda t: Reverse().apply(t), sample, np.ones(6), np.ones(6))
at_random = compare(lambda t: Reverse().apply(t), sample, rng.normal(size=6), rng.normal(size=6))
print("\na wrong backward, seen by two kinds of check (measured, by backward)")
for kind, (left, right) in (("all ones", with_ones), ("random", at_random)):
    print(f"  direction and cotangent {kind}: {left:.6f}, {right:.6f}")
assert abs(with_ones[0] - with_ones[1]) < 1e-8
assert abs(at_random[0] - at_random[1]) > 1e-3

# %% [markdown]
# With all ones the mistake is invisible, since a sum does not care about order.
#
# ## check_grads
#
# `check_grads(f, inputs)` is this comparison, ready to use: every input in turn, first and second
# order. When it disagrees it names the input, both numbers and the worst single entry.

# %%
largest = check_grads(score, [x, weight])
print(f"\nthe score passes; largest deviation {largest:.1e}")
assert largest < 1e-6
try:
    check_grads(lambda t: Reverse().apply(t), [Tensor(sample)])
except GradientError as error:
    print("Reverse fails:", error)
else:
    raise AssertionError("a wrong backward went unnoticed")

# %% [markdown]
# Now an operation of our own, the cube: first right, then with the wrong power, then with a slope
# that is right but computed outside of the graph. ("Order 2" checks the gradient of the gradient.)
#
# **Before you run**: which of the six checks fail?


# %%
class Cube(Function):
    saves = (0,)

    def forward(self, x):
        return self.backend.multiply(x, self.backend.multiply(x, x))

    def backward(self, grad):
        (x,) = self.saved
        return 3.0 * x * x * grad


class WrongCube(Cube):
    def backward(self, grad):
        (x,) = self.saved
        return 3.0 * x * grad  # x^3 has slope 3 x^2, not 3 x


class HalfRightCube(Cube):
    """The slope is right, but it is computed behind the graph's back."""

    def backward(self, grad):
        (x,) = self.saved
        return 3.0 * x.detach() * x.detach() * grad


points = Tensor(rng.normal(size=(4, 3)))
verdicts = {}
for operation in (Cube, WrongCube, HalfRightCube):
    for order in (1, 2):
        try:
            check_grads(lambda t, op=operation: op().apply(t), [points], order=order)
            verdicts[operation.__name__, order] = "agrees"
        except GradientError as error:
            verdicts[operation.__name__, order] = str(error).split(";")[0]
print()
for (name, order), verdict in verdicts.items():
    print(f"{name}, order {order}: {verdict}")
assert verdicts["Cube", 1] == verdicts["Cube", 2] == "agrees"
assert verdicts["WrongCube", 1] != "agrees"
assert verdicts["HalfRightCube", 1] == "agrees" != verdicts["HalfRightCube", 2]

# %% [markdown]
# The third one is interesting. Its gradient is right, so training would work. But a method that
# differentiates the gradient again (a penalty on the gradient's size, say) would silently miss a
# part. The second order finds it.

# %% [markdown]
# ## Kinks
#
# ReLU is max(x, 0), a function that networks use all the time (page 13). At 0 it has a corner, and
# no slope. Close to the corner a measurement with step h sees both sides and reports something in
# between:

# %%
h = 0.3
positions = np.linspace(-1, 1, 401)
relu = np.maximum
seen = (relu(positions + h, 0) - relu(positions - h, 0)) / (2 * h)
figure, (upper, lower) = plt.subplots(2, 1, figsize=(6, 4.6), sharex=True)
upper.plot(positions, relu(positions, 0), color=INK)
upper.set(ylabel="relu(x)", title="A measured slope is blind within h of a corner")
lower.plot(positions, positions > 0, color=BLUE, label="the slope (0 at 0, by agreement)")
lower.plot(positions, seen, "--", color=ORANGE, label=f"measured with h = {h}")
lower.axvspan(-h, h, color=ORANGE, alpha=0.12, linewidth=0)
lower.set(xlabel="x", ylabel="slope", ylim=(-0.1, 1.7))
lower.legend(loc="upper left", fontsize=9)
drawing.save(
    figure,
    "03_kink.png",
    alt="Above: ReLU with its corner at 0. Below: its slope jumps from 0 to 1 at 0, the slope "
    "measured with step 0.3 rises in a straight line from -0.3 to 0.3.",
)
assert np.allclose(seen[np.abs(positions) > h], positions[np.abs(positions) > h] > 0)

# %% [markdown]
# ![A measured slope is blind within h of a corner](../docs/figures/03_kink.png)
#
# So a check at a point 0.0000001 away from the corner raises a false alarm, although backward is
# fine. The cure is not a looser tolerance, which would let real mistakes through. It is to keep the
# test points away from the corners.

# %%
safe = Tensor(np.array([-1.0, -0.3, 0.4, 2.0]))
risky = Tensor(np.array([-1.0, 1e-7, 0.4, 2.0]))
print(f"\nrelu away from its corner: {check_grads(tinydl.relu, [safe]):.1e}")
try:
    check_grads(tinydl.relu, [risky])
except GradientError as error:
    print("relu at 1e-7, a false alarm:", str(error).split(";")[0])
else:
    raise AssertionError("expected a false alarm")

# %% [markdown]
# What happens exactly *at* a corner is an agreement, not a measurement. tinydl states its
# agreements and tests them on their own:

# %%
corner = Tensor(np.zeros(1), requires_grad=True)
partner = Tensor(np.zeros(1), requires_grad=True)
agreements = {
    "relu at 0": tinydl.grad(tinydl.relu(corner), [corner])[0].item(),
    "abs at 0": tinydl.grad(abs(corner), [corner])[0].item(),
    "maximum at a tie, each side": tinydl.grad(tinydl.maximum(corner, partner), [corner])[0].item(),
}
for name, slope in agreements.items():
    print(f"slope of {name}: {slope:g}")
assert list(agreements.values()) == [0, 0, 0.5]

# %% [markdown]
# ## The whole library
#
# Every operation of tinydl has a row that says how to draw safe arguments for it. `gradcheck_op`
# draws some and checks them. (The command `tinydl gradcheck conv2d` does the same.)

# %%
print()
for name in ("matmul", "conv2d", "softmax", "max_pool2d"):
    report = gradcheck_op(name, examples=2 if FAST else 20, seed=1)  # 2 when the tests run this
    print(report)
    assert report.order == 2 and report.largest < 1e-5

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/03.py`. Try first.
#
# 1. Derive: by how much is the one-sided slope of x^2 at 3 wrong with h = 0.1, and the slope by
#    both sides?
# 2. Write J for y1 = x1^2, y2 = x1 x2, y3 = 7 at x = (2, 3), and J^T c for c = (1, 1, 1).
# 3. Predict: a backward returns twice the right gradient. Does a check with random v and c notice?
#    One that returns the right gradient with two entries exchanged?
# 4. Change a line: write the operation x^4 as a `Function`, and check both orders.
# 5. Which of these have a slope at 0: sin, |x|, x |x|, max(x, 0)^2? For which does the check pass?
#
# ## What to take along
#
# - measure with steps to both sides, of size about 1e-5, in float64;
# - backward multiplies the incoming gradient by the transposed Jacobian;
# - one random direction and one random cotangent check a whole layer for the price of two
#   evaluations;
# - second order catches what first order cannot;
# - keep away from corners, and test the agreements at the corners separately;
# - a check that was never seen to fail is not a check: break something once and look.
#
# Go on with page 7: what gradients are for.
