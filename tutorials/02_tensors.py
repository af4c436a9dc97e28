# %% [markdown]
# # 2. Tensors, views and broadcasting
#
# A tensor is a box of numbers with a shape. You know most of it already: it is NumPy's array, plus
# a memory of how it was made. This page shows what is the same, what is stricter than in NumPy,
# and what happens to gradients when a small tensor meets a large one.

# %%
from __future__ import annotations

import inspect

import drawing
import numpy as np
from drawing import BLUE, MUTED, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, plt

import tinydl
from tinydl import Tensor
from tinydl.errors import DTypeError, GraphError, ShapeError
from tinydl.ops.broadcast import BroadcastTo


def refused(kind: type[Exception], action) -> str:
    """The message with which `action()` is refused."""
    try:
        action()
    except kind as error:
        return f"{kind.__name__}: {error}"
    raise AssertionError(f"expected {kind.__name__}")


# %% [markdown]
# ## Making tensors
#
# Lists of floats become float32, the usual type of deep learning. Lists of integers become int64.
# A NumPy array keeps its own type. The values are copied, so nobody else can change them later.

# %%
from_floats = Tensor([1.0, 2.5])
from_integers = Tensor([1, 2, 3])
from_numpy = Tensor(np.linspace(0, 1, 3))
for t in (from_floats, from_integers, from_numpy, tinydl.zeros(3), tinydl.arange(4)):
    print(f"{t!r:<44} shape {t.shape}, {t.dtype}")
assert (from_floats.dtype, from_integers.dtype, from_numpy.dtype) == ("float32", "int64", "float64")

# %% [markdown]
# The operators are those of NumPy, `@` for the matrix product, and a NumPy array may stand on
# either side. The result is a tensor, and what NumPy computes agrees:

# %%
square = Tensor([[1.0, 2.0], [3.0, 4.0]])
array = np.array([[1.0, -2.0], [0.5, 3.0]], dtype=np.float32)
left, right = array @ square, square @ array
print("\narray @ tensor ->", type(left).__name__, "  tensor @ array ->", type(right).__name__)
assert isinstance(left, Tensor) and isinstance(right, Tensor)
assert np.allclose(left.numpy(), array @ square.numpy())
assert np.allclose(np.asarray(right), square.numpy() @ array)

# %% [markdown]
# ## Shape, strides and views
#
# Memory is one long row of numbers. A tensor is a way to read it: a shape, and for every axis a
# *stride*, the number of steps in memory from one entry to the next. Transposing, slicing and
# reshaping mostly change only this reading rule. Such a result is called a view: no number moves.

# %%
table = Tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
repeated = table[:1].broadcast_to(4, 3)
views = {
    "table": table,
    "table.T": table.T,
    "table[:, ::2]": table[:, ::2],
    "table[:, ::-1]": table[:, ::-1],
    "table.reshape(3, 2)": table.reshape(3, 2),
    "first row, 4 times": repeated,
}
print(f"\n{'':<22}{'shape':<10}{'strides (in numbers)':<24}same memory?")
for name, view in views.items():
    strides = tuple(s // view.dtype.itemsize for s in view.data.strides)
    shared = np.shares_memory(view.numpy(), table.numpy())
    print(f"{name:<22}{view.shape!s:<10}{strides!s:<24}{shared}")
    assert shared

# %% [markdown]
# Look at the last line: a stride of 0 reads the same three numbers again and again. Repeating costs
# no memory at all. That is how broadcasting works inside.

# %%
figure, axes = plt.subplots(figsize=(8.2, 4.4))
drawing.blank(axes, "One row of memory, read by three rules")
drawing.draw_cells(axes, np.arange(6), left=3.0, top=0.0)
axes.text(2.7, -0.5, "memory", ha="right", va="center", color=MUTED)
readings = (
    ("table\nshape (2, 3), strides (3, 1)", table, 0.0, PALE_BLUE),
    ("table.T\nshape (3, 2), strides (1, 3)", table.T, 4.9, PALE_GREEN),
    ("first row, 4 times\nshape (4, 3), strides (0, 1)", repeated, 8.8, PALE_ORANGE),
)
for title, view, x, color in readings:
    first_row = {(0, j): color for j in range(view.shape[1])}
    drawing.draw_cells(axes, view.numpy(), left=x, top=2.9, colors=first_row)
    axes.text(x + view.shape[1] / 2, -2.7, title, ha="center", va="bottom", fontsize=9)
axes.set(xlim=(-0.6, 12.4), ylim=(-7.1, 0.3))
drawing.save(figure, "02_strides.png")

# %% [markdown]
# ## Nothing is written in place
#
# A recorded operation may need its inputs again on the way back. If someone changed them meanwhile,
# the gradient would be silently wrong. So `t[0] = 1` is refused, and the message says what to do
# instead. `.numpy()` gives a read-only view for the same reason.

# %%
print("\n" + refused(GraphError, lambda: table.__setitem__(0, 1.0)))
print(refused(ValueError, lambda: table.numpy().fill(0)))

clipped = tinydl.where(table > 3.0, Tensor(3.0), table)  # instead of table[table > 3] = 3
assert clipped.numpy().max() == 3

# %% [markdown]
# Optimisers do have to overwrite weights. They use `assign`, which counts versions. If a graph
# still needs the old values, walking it is refused.

# %%
weight = Tensor([2.0], requires_grad=True)
loss = (weight * weight).sum()
weight.assign(np.array([5.0], dtype=np.float32))
print(refused(GraphError, loss.backward))

# %% [markdown]
# ## Types must agree
#
# Plain Python numbers adapt to the tensor. Everything else must match, because a silent change of
# type is either slow or wrong. The message names the way out.

# %%
print("\nfloat32 tensor + 1   ->", (from_floats + 1).dtype)
assert (from_floats + 1).dtype == np.float32
for action in (
    lambda: square + np.ones((2, 2)),  # float32 with float64
    lambda: from_integers * 0.5,  # an integer tensor with a fraction
    lambda: Tensor([1, 2], requires_grad=True),  # integers have no slope
):
    print(refused(DTypeError, action))

# %% [markdown]
# ## Broadcasting
#
# Two shapes fit if, counted from the right, the sizes are equal or one of them is 1 (or missing).
# The small one is repeated. A column (3, 1) and a row (4,) make a table (3, 4):

# %%
column = Tensor([[10.0], [20.0], [30.0]], requires_grad=True)
row = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
total = column + row
print(f"\n{column.shape} + {row.shape} -> {total.shape}\n{total.numpy()}")
assert total.shape == (3, 4)
print(refused(ShapeError, lambda: column + Tensor([[1.0, 2.0], [3.0, 4.0]])))

# %% [markdown]
# ## The gradient of a broadcast
#
# Now the question of this page. The value 10 of the column went into four cells of the table. If it
# grows by h, all four cells grow by h. So its gradient is the *sum* of the gradients of these four
# cells. In general: repeating forward means summing backward, over exactly the axes that were
# repeated. To see it, we send a different gradient into every cell.

# %%
incoming = np.arange(12, dtype=np.float32).reshape(3, 4)
total.backward(incoming)
print("\ngradient that arrives at the table:\n", incoming)
print("column.grad = sums of the rows:   ", column.grad.numpy().ravel())
print("row.grad    = sums of the columns:", row.grad.numpy())
assert np.array_equal(column.grad.numpy(), incoming.sum(axis=1, keepdims=True))
assert np.array_equal(row.grad.numpy(), incoming.sum(axis=0))

# %%
figure, panels = plt.subplots(1, 2, figsize=(9.6, 3.6))
for axes, title in zip(panels, ("forward: repeat", "backward: sum"), strict=True):
    drawing.blank(axes, title)
    forward = title.startswith("forward")
    middle = total.numpy() if forward else incoming
    side = column.numpy() if forward else column.grad.numpy()
    top = row.numpy() if forward else row.grad.numpy()
    drawing.draw_cells(axes, side, 0, 2, {(i, 0): PALE_BLUE for i in range(3)})
    drawing.draw_cells(axes, top, 2.2, 0, {(0, j): PALE_ORANGE for j in range(4)})
    drawing.draw_cells(axes, middle, 2.2, 2)
    horizontal, vertical = ("-|>", "-|>") if forward else ("<|-", "<|-")
    for i in range(3):
        arrow = {"arrowstyle": horizontal, "color": BLUE}
        axes.annotate("", xy=(2.15, -2.5 - i), xytext=(1.05, -2.5 - i), arrowprops=arrow)
    for j in range(4):
        arrow = {"arrowstyle": vertical, "color": ORANGE}
        axes.annotate("", xy=(2.7 + j, -1.95), xytext=(2.7 + j, -1.05), arrowprops=arrow)
    axes.set(xlim=(-0.3, 6.5), ylim=(-5.3, 0.3))
drawing.save(figure, "02_broadcast.png")

# %% [markdown]
# In the library, broadcasting is an operation of its own with this one rule in its `backward`.
# Every other operation then sees equal shapes and need not think about it.

# %%
print(inspect.getsource(BroadcastTo))

# %% [markdown]
# You can trust it, or you can measure. Move each entry of the column a little and see how the
# weighted sum of the table moves (page 3 is all about such checks):

# %%
h = 1e-4
measured = []
for i in range(3):
    sums = []
    for sign in (1, -1):
        moved = column.numpy().astype(np.float64)
        moved[i, 0] += sign * h
        sums.append(((moved + row.numpy()) * incoming).sum())
    measured.append((sums[0] - sums[1]) / (2 * h))
print("column gradient, measured:", np.round(measured, 4))
assert np.allclose(measured, column.grad.numpy().ravel(), rtol=1e-5)

# %% [markdown]
# The sum rule is everywhere in networks. A bias is added to every row of a batch, so its gradient
# is a column sum over the batch. A mean is a sum, so its gradient is a broadcast: the pair works
# both ways.

# %%
batch = Tensor(np.random.default_rng(0).normal(size=(5, 3)), requires_grad=True)
bias = Tensor(np.zeros(3), requires_grad=True)
(batch + bias).mean().backward()
print("\nbias gradient of a mean over 5 x 3 cells:", bias.grad.numpy(), "= 5 * 1/15")
assert np.allclose(bias.grad.numpy(), 1 / 3)
assert np.allclose(batch.grad.numpy(), 1 / 15)

# %% [markdown]
# ## Backends
#
# The same tensor code runs on three backends: "numpy" (to read), "cpu" (compiled, the default) and
# "opencl". A tensor lives on one of them and says so; mixing two is an error. `.to(...)` moves.

# %%
on_numpy = Tensor([1.0, 2.0], backend="numpy")
print("\nliving on", on_numpy.backend, "and", on_numpy.to("numpy").backend)
assert on_numpy.to("numpy") is on_numpy

# %% [markdown]
# What to take along:
#
# - a view is another way to read the same memory;
# - tensors are not written in place, and types must agree;
# - what is repeated forward is summed backward.
