# %% [markdown]
# # 1. Derivatives by hand and by graph
#
# **You need**: school calculus (the slope of x^2 is 2x) and Python.
#
# **You will be able to** find a derivative in three ways: by measuring, by hand, and by letting the
# computer remember what it computed; write the third way yourself in twenty lines, and train a
# neuron with it; and say why the order matters in which the computer walks back.
#
# A neural network learns by asking one question over and over: if I turn this weight a little, how
# much does the error change? That "how much" is a derivative.

# %%
from __future__ import annotations

import inspect
import math
from heapq import heappop, heappush

import drawing
import numpy as np
from drawing import BLUE, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_GREEN, plt

import tinydl
from tinydl import Tensor, function
from tinydl.errors import GraphError

# %% [markdown]
# ## A derivative is a slope
#
# Take f(x) = x^2 at x = 1. Move x by h and see how far f moves: (f(1 + h) - f(1)) / h. As h shrinks
# the answer settles. The number where it settles is the *derivative*. School calculus says 2x, so
# 2.
#
# **Before you run**: what is the measured slope for h = 1? Is it too large or too small, and why?


# %%
def square(x: float) -> float:
    return x * x


def secant_slope(f, x: float, h: float) -> float:
    return (f(x + h) - f(x)) / h


steps = [1.0, 0.5, 0.1, 0.01, 0.001]
slopes = [secant_slope(square, 1.0, h) for h in steps]
print("slope of x^2 at 1, measured with ever smaller steps")
for h, slope in zip(steps, slopes, strict=True):
    print(f"  h = {h:<6g} slope = {slope:.4f}")
assert abs(slopes[-1] - 2.0) < 0.01

# %%
figure, axes = plt.subplots(figsize=(5.6, 3.8))
x = np.linspace(-0.2, 2.3, 200)
axes.plot(x, x**2, color=INK, label="f(x) = x²")
for h, color in zip((1.0, 0.5, 0.1), (MUTED, GREEN, BLUE), strict=True):
    slope = secant_slope(square, 1.0, h)
    axes.plot(
        x, 1 + slope * (x - 1), color=color, linewidth=1.2, label=f"h = {h:g}: slope {slope:g}"
    )
    axes.plot([1 + h], [(1 + h) ** 2], "o", color=color, markersize=5)
axes.plot(x, 1 + 2 * (x - 1), "--", color=ORANGE, label="tangent: slope 2")
axes.plot([1], [1], "o", color=INK, markersize=6)
axes.set(xlabel="x", ylabel="f(x)", ylim=(-1.5, 5), title="Secants turn into the tangent")
axes.legend(loc="upper left", fontsize=9)
drawing.save(
    figure,
    "01_tangent.png",
    alt="The parabola x² with three secants through (1, 1), of slopes 3, 2.5 and 2.1, and the "
    "tangent of slope 2 that they approach.",
)

# %% [markdown]
# ![Secants turn into the tangent](../docs/figures/01_tangent.png)
#
# The parabola bends upwards, so a secant to the right is too steep: 3 for h = 1. For x^2 the error
# is h itself, since ((1 + h)^2 - 1) / h = 2 + h.
#
# ## By hand: the chain rule
#
# Formulas are nested, and the chain rule takes them apart. If F(x) = f(g(x)), then
#
#     F'(x) = f'(g(x)) * g'(x)          (slopes multiply along the way)
#
# The nested formula of this field is the artificial *neuron*. It multiplies each input by a
# *weight*, adds a *bias*, and sends the sum through a curve, here the *sigmoid*, which makes any
# number one between 0 and 1. Take weights [1, 2], bias 0, input [1, 1]:
#
#     s = w1 x1 + w2 x2 + b          z = sigmoid(s) = 1 / (1 + e^-s)
#
# The slope of the sigmoid is z (1 - z) (exercise 2). A small trap: z is the *output* of the sigmoid
# here. Putting its input s into the same formula gives nonsense.
#
# The slope of s by w1 is x1, by x1 it is w1, by b it is 1. So
#
#     dz/dw = z (1 - z) x          dz/dx = z (1 - z) w          dz/db = z (1 - z)

# %%
w, x, b = np.array([1.0, 2.0]), np.array([1.0, 1.0]), 0.0
z = 1 / (1 + math.exp(-(w @ x + b)))
slope = z * (1 - z)
by_hand = {"dz/dw": slope * x, "dz/dx": slope * w, "dz/db": slope}
print(f"\nthe neuron says {z:.10f}")
for name, value in by_hand.items():
    print(f"  {name} by hand: {value}")
assert abs(z - 0.9526) < 1e-4

# %% [markdown]
# All slopes of one number by many, written side by side, are called its *gradient*.
#
# Books often stop here, and then the formula has a hole: a neuron is rarely the end of the line.
# Its output goes on into a *loss* L, one number that says how wrong the output is. Then every
# gradient is multiplied by dL/dz, the *incoming* gradient. If z should have been 0, and
# L = (z - 0)^2, that factor is 2z. It is the chain rule once more.

# %% [markdown]
# ## By graph
#
# tinydl records each operation as it runs: the *computational graph*. `backward()` then applies the
# chain rule to it from the end to the beginning, which is called *backpropagation*.

# %%
weight = Tensor(w, requires_grad=True)
inputs = Tensor(x, requires_grad=True)
bias = Tensor(b, dtype=np.float64, requires_grad=True)
output = ((weight * inputs).sum() + bias).sigmoid()
loss = output * output
output.backward(retain_graph=True)
print("\nby graph, without a loss:", weight.grad.numpy(), inputs.grad.numpy(), bias.grad.item())
for tensor, name in ((weight, "dz/dw"), (inputs, "dz/dx"), (bias, "dz/db")):
    assert np.allclose(tensor.grad.numpy(), by_hand[name], rtol=1e-12)

(with_loss,) = tinydl.grad(loss, [weight])
print("with the loss z^2 behind it:", with_loss.numpy(), "= 2z times as much")
assert np.allclose(with_loss.numpy(), 2 * z * by_hand["dz/dw"], rtol=1e-12)

# %% [markdown]
# Gradients are tensors too, made by recorded operations if we ask for it (`create_graph=True`), so
# the derivative of a derivative costs nothing extra to write. Three curves, one formula:

# %%
points = Tensor(np.linspace(-6, 6, 241), requires_grad=True)
curve = points.sigmoid()
(first,) = tinydl.grad(curve.sum(), [points], create_graph=True)
(second,) = tinydl.grad(first.sum(), [points])
values = curve.numpy()
assert np.allclose(first.numpy(), values * (1 - values))
assert np.allclose(second.numpy(), values * (1 - values) * (1 - 2 * values))

figure, axes = plt.subplots(figsize=(5.6, 3.4))
for tensor, label, color in (
    (curve, "sigmoid", INK),
    (first, "its slope", BLUE),
    (second, "the slope's slope", ORANGE),
):
    axes.plot(points.numpy(), tensor.numpy(), color=color, label=label)
axes.set(xlabel="x", title="The sigmoid and its first two derivatives, by graph")
axes.legend()
drawing.save(
    figure,
    "01_sigmoid.png",
    alt="The sigmoid rises from 0 to 1; its slope is a bump of height 1/4 at 0; the slope of the "
    "slope is positive to the left of 0 and negative to the right.",
)

# %% [markdown]
# ![The sigmoid and its first two derivatives](../docs/figures/01_sigmoid.png)
#
# ## What the graph looks like
#
# Take a small graph: c = a + b, d = b + 5, e = c * d. Note that b is used twice.

# %%
a = Tensor(3.0, dtype=np.float64, requires_grad=True)
b = Tensor(4.0, dtype=np.float64, requires_grad=True)
c = a + b
d = b + 5.0
e = c * d
print(f"\nc = {c.item():g}, d = {d.item():g}, e = {e.item():g}; e remembers {e.node}")

# %% [markdown]
# The result `e` holds a node, the node holds its parents, and so on down to the leaves a and b.
# A few lines write that as text for Graphviz (paste it into any dot viewer).


# %%
def graph_edges(result: Tensor) -> list[tuple[object, object]]:
    """(parent, child) for every link below `result`; a parent is a node or a leaf tensor."""
    edges, stack, seen = [], [result.node], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for parent in node.parents:
            if parent is None:  # a constant such as the 5: it needs no gradient
                continue
            edges.append((parent, node))
            if isinstance(parent, tinydl.Function):
                stack.append(parent)
    return edges


names = {a: "a", b: "b", c.node: "c", d.node: "d", e.node: "e"}
edges = graph_edges(e)
print("digraph {")
for place, name in names.items():
    operation = place.name if isinstance(place, tinydl.Function) else "leaf"
    print(f'  {name} [label="{name}: {operation}"];')
for parent, child in edges:
    print(f"  {names[parent]} -> {names[child]};")
print("}")
assert len(edges) == 5

# %% [markdown]
# **Before you run**: with a = 3 and b = 4, what are de/da and de/db? (Multiply out if you like:
# e = (a + b)(b + 5) = ab + 5a + b^2 + 5b.)
#
# Backwards, e gives its slope to c and d: de/dc = d and de/dd = c. Then b collects from both, and
# the two contributions are *added*: de/db = d + c. Why added? Move b by h: c moves by h, so e moves
# by d h; d moves by h too, so e moves by c h more. Adding at a fork is the rule to remember.

# %%
gradients = dict(zip("abcde", tinydl.grad(e, [a, b, c, d, e]), strict=True))
assert gradients["b"].item() == c.item() + d.item()

places = {"a": (0, 1), "b": (0, -1), "c": (2, 1), "d": (2, -1), "e": (4, 0)}
figure, axes = plt.subplots(figsize=(7, 3.8))
drawing.blank(axes, "e = (a + b) (b + 5): values forward, gradients back")
boxes = {}
for tensor, operation in ((a, "leaf"), (b, "leaf"), (c, "a + b"), (d, "b + 5"), (e, "c · d")):
    name = names[tensor if tensor.node is None else tensor.node]
    x, y = places[name]
    style = {"boxstyle": "round,pad=0.5", "edgecolor": MUTED}
    style["facecolor"] = PALE_GREEN if tensor.node is None else PALE_BLUE
    text = f"{name} = {tensor.item():g}   ({operation})\n"
    boxes[name] = axes.text(x, y, text, ha="center", va="center", linespacing=1.5, bbox=style)
    gradient = f"gradient {gradients[name].item():g}"
    axes.text(x, y - 0.16, gradient, color=ORANGE, ha="center", va="center")
axes.set(xlim=(-0.7, 4.8), ylim=(-1.5, 1.5))
figure.canvas.draw()  # now the boxes know their size, and arrows can end at them
for parent, child in edges:
    arrow = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 2, "shrinkB": 2}
    arrow["patchA"] = boxes[names[parent]].get_bbox_patch()
    arrow["patchB"] = boxes[names[child]].get_bbox_patch()
    axes.annotate("", xy=places[names[child]], xytext=places[names[parent]], arrowprops=arrow)
drawing.save(
    figure,
    "01_graph.png",
    alt="Graph of e = (a + b)(b + 5) for a = 3, b = 4: e = 63 with gradient 1, c = 7 with "
    "gradient 9, d = 9 with gradient 7, a with gradient 9, b with gradient 16.",
)

# %% [markdown]
# ![Values forward, gradients back](../docs/figures/01_graph.png)
#
# ## Write it yourself
#
# What must a number remember so that we can walk back? What it was made of (its parents), and for
# each parent the *local slope*: how much it moves if that parent moves. For a sum both slopes are
# 1. For a product a * b the slope by a is b, and the slope by b is a.


# %%
class Number:
    """A number which remembers what it was made of: (parent, local slope) pairs."""

    def __init__(self, value: float, made_of: tuple[tuple[Number, float], ...] = ()) -> None:
        self.value, self.made_of, self.grad = value, made_of, 0.0
        self.age = 1 + max((p.age for p, _ in made_of), default=0)  # younger than its parents

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number) -> Number:
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def sigmoid(self) -> Number:
        z = 1 / (1 + math.exp(-self.value))
        return Number(z, ((self, z * (1 - z)),))


# %% [markdown]
# Walking back, a parent receives the node's gradient times the local slope: that is the chain rule.
# What is left to decide is the order.
#
# ## Why the order matters
#
# Now the smallest graph that breaks a careless program: b = a + a, c = b + b. So c = 4a, and the
# derivative is 4.


# %%
def doubled(times: int) -> tuple[Number, Number]:
    """(a, c): c is a doubled `times` times by adding the number to itself."""
    a = c = Number(1.0)
    for _ in range(times):
        c = c + c
    return a, c


# %% [markdown]
# Three careless walks. Each follows the links depth first, straight down, as soon as it can.
#
# 1. Add what arrives to the node's gradient and pass *the node's gradient* on. But b is reached
#    twice. The second time, it passes on the first half again.
# 2. Remember which nodes were visited and skip them the second time. Now b passes its gradient on
#    when only half of it has arrived.
# 3. Pass on exactly what arrives, at every arrival.
#
# **Before you run**: which of them say 4? For one that does not, follow it with a pencil.


# %%
def passes_everything(node: Number, arriving: float = 1.0) -> int:
    node.grad += arriving
    return 1 + sum(passes_everything(p, slope * node.grad) for p, slope in node.made_of)


def skips_visited(node: Number, arriving: float = 1.0, seen: set | None = None) -> int:
    seen = set() if seen is None else seen
    node.grad += arriving
    if node in seen:
        return 0
    seen.add(node)
    return 1 + sum(skips_visited(p, slope * node.grad, seen) for p, slope in node.made_of)


def follows_every_path(node: Number, arriving: float = 1.0) -> int:
    node.grad += arriving
    return 1 + sum(follows_every_path(p, slope * arriving) for p, slope in node.made_of)


# %% [markdown]
# The first two are wrong. The third is right, since the derivative is a sum over all paths; but the
# number of paths doubles with each level.
#
# The cure: a node may pass its gradient on only when *everything* that uses it has already passed
# its own. An order in which users come before what they use is called a topological order. There is
# an easy one: youngest first. A result is always made after its inputs, so it is always younger.


# %%
def youngest_first(result: Number) -> int:
    result.grad = 1.0
    queue, known, visits = [(-result.age, id(result), result)], {result}, 0
    while queue:
        node = heappop(queue)[2]
        visits += 1
        for p, slope in node.made_of:
            p.grad += slope * node.grad
            if p not in known:
                known.add(p)
                heappush(queue, (-p.age, id(p), p))
    return visits


walks = (passes_everything, skips_visited, follows_every_path, youngest_first)
answers = {}
print("\nb = a + a; c = b + b; the derivative of c by a is 4")
for walk in walks:
    a, c = doubled(2)
    visits = walk(c)
    answers[walk.__name__] = a.grad
    print(f"  {walk.__name__:<20} says {a.grad:g} after {visits} visits")
assert answers["passes_everything"] != 4 and answers["skips_visited"] != 4
assert answers["follows_every_path"] == answers["youngest_first"] == 4

# %% [markdown]
# The third walk is right, but look how its work grows:

# %%
levels = range(1, 17)
counts = {walk: [walk(doubled(n)[1]) for n in levels] for walk in walks[2:]}
figure, axes = plt.subplots(figsize=(5.6, 3.4))
axes.semilogy(levels, counts[follows_every_path], "o-", color=ORANGE, label="follows every path")
axes.semilogy(levels, counts[youngest_first], "o-", color=BLUE, label="youngest first")
axes.set(xlabel="levels of doubling", ylabel="nodes visited", title="Work of two correct walks")
axes.legend()
drawing.save(
    figure,
    "01_visits.png",
    alt="Nodes visited against levels of doubling, logarithmic: following every path doubles with "
    "each level, 131,071 at 16; youngest first grows by one.",
)
print(f"{levels[-1]} levels: {counts[follows_every_path][-1]:,} visits against "
      f"{counts[youngest_first][-1]}")  # fmt: skip
assert counts[follows_every_path][-1] == 2 ** (levels[-1] + 1) - 1
assert counts[youngest_first][-1] == levels[-1] + 1

# %% [markdown]
# ![Work of two correct walks](../docs/figures/01_visits.png)
#
# ## (a + b)(b + 5), and a neuron that learns
#
# `Number` and `youngest_first` are all it takes. First the graph from above:

# %%
a, b = Number(3.0), Number(4.0)
youngest_first((a + b) * (b + Number(5.0)))
print(f"(a + b)(b + 5): da {a.grad:g}, db {b.grad:g}")
assert (a.grad, b.grad) == (9, 16)

# %% [markdown]
# And now a neuron learns the table of OR: 1 if either input is 1. In each round the loss is built
# (squared misses, summed), walked back, and every weight moves against its gradient.

# %%
OR = (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1))
w1, w2, b = Number(0.0), Number(0.0), Number(0.0)
for _ in range(400):
    loss = Number(0.0)
    for (x1, x2), target in OR:
        z = (w1 * Number(x1) + w2 * Number(x2) + b).sigmoid()
        miss = z + Number(-target)
        loss = loss + miss * miss
    youngest_first(loss)
    w1, w2, b = (Number(w.value - w.grad) for w in (w1, w2, b))
for (x1, x2), target in OR:
    z = (w1 * Number(x1) + w2 * Number(x2) + b).sigmoid().value
    print(f"  {x1} or {x2}: the neuron says {z:.2f}")
    assert round(z) == target

# %% [markdown]
# ## The walk of the library
#
# tinydl does the same, with a heap of (-age, node). It is a loop and not a recursion, so a graph of
# thousands of levels is no problem. This is its loop, with a remark on the lines that matter:

# %%
REMARKS = {
    "node = heappop(queue)[1]": "the youngest node that is waiting",
    "grad = grads.pop(node)": "all of its gradient has arrived",
    "results = _run_backward(node, grad)": "times the local slopes: one gradient for each parent",
    "_receive(parent, result, grads, queue)": "add it to the parent's, put the parent in line",
    "node.release()": "free the memory",
}
lines = inspect.getsource(function.backpropagate).splitlines()
first = next(k for k, line in enumerate(lines) if "while queue" in line)
last = next(k for k, line in enumerate(lines) if "node.release()" in line)
for line in lines[first : last + 1]:
    remark = REMARKS.pop(line.strip(), "")
    print(f"{line[8:]:<60}{'<- ' + remark if remark else ''}".rstrip())
assert not REMARKS

# %%
a = Tensor(1.0, dtype=np.float64, requires_grad=True)
b = a + a
c = b + b
c.backward()
print(f"tinydl says {a.grad.item():g}")
assert a.grad.item() == 4

LEVELS = 2_000
start = Tensor(1.0, dtype=np.float64, requires_grad=True)
deep = start
for _ in range(LEVELS):
    deep = (deep + deep) * 0.5  # 2^2000 paths lead through this graph
deep.backward()
print(f"{2 * LEVELS} operations deep, 2^{LEVELS} paths: gradient {start.grad.item():g}")
assert start.grad.item() == 1

# %% [markdown]
# One more habit of the library: as the walk passes, it frees the graph. That keeps memory small
# during training. Walking twice is possible when asked for (`retain_graph=True`); otherwise it says
# so.

# %%
try:
    c.backward()
except GraphError as error:
    print("a second walk:", error)
else:
    raise AssertionError("a freed graph was walked")

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/01.py`. Try first.
#
# 1. Predict: y = x * x * x with x = `Number(2.0)`. Draw the graph. What is x.grad after
#    `youngest_first(y)`, and how many nodes are visited?
# 2. Derive the slope z (1 - z) of the sigmoid from z = 1 / (1 + e^-s).
# 3. Change a line: let the neuron learn XOR (1 if the inputs differ) in place of OR. Where does the
#    loss stop?
# 4. Give `Number` a method `exp`, and check it by a measured slope.
# 5. Replace the heap of `youngest_first` by a plain list with `pop()`, last in, first out. It still
#    says 4 for b = a + a, c = b + b. Find a graph for which it is wrong.
#
# ## What to take along
#
# - a derivative is a slope; nested formulas multiply slopes;
# - where a value is used twice, its gradients add;
# - a number that knows its parents and local slopes is enough to walk back;
# - a node passes its gradient on only when it is complete, and youngest-first guarantees that.
#
# Go on with page 2: the same for whole tables of numbers.
