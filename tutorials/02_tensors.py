# %% [markdown]
# # 2. Tensors, views and broadcasting
#
# **You need**: a *derivative* and a *gradient* (page 1), a little NumPy.
#
# **You will be able to** read shapes and strides; predict the shape of a result and of every
# gradient; say what broadcasting does to a gradient; and derive the gradients of a matrix product.
#
# A *tensor* is a box of numbers with a shape. You know most of it already: it is NumPy's array,
# plus a memory of how it was made. Networks compute with tensors in place of single numbers for one
# reason: thousands of neurons on hundreds of samples are then one operation, which is fast.

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
drawing.save(
    figure,
    "02_strides.png",
    alt="Six numbers in a row of memory, and three tables that read them: as 2 x 3 with strides "
    "(3, 1), as 3 x 2 with strides (1, 3), and the first row four times with strides (0, 1).",
)

# %% [markdown]
# ![One row of memory, read by three rules](../docs/figures/02_strides.png)
#
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
# The small one is repeated. A column (3, 1) and a row (4,) make a table (3, 4).
#
# **Before you run**: do (3, 4) and (3,) fit? And (3, 4) and (4,)?

# %%
column = Tensor([[10.0], [20.0], [30.0]], requires_grad=True)
row = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
total = column + row
print(f"\n{column.shape} + {row.shape} -> {total.shape}\n{total.numpy()}")
assert total.shape == (3, 4)
print(refused(ShapeError, lambda: total + Tensor([1.0, 2.0, 3.0])))  # 4 and 3, from the right

# %% [markdown]
# ## The gradient of a broadcast
#
# Now the question of this page. The value 10 of the column went into four cells of the table. If it
# grows by h, all four cells grow by h. So its gradient is the *sum* of the gradients of these four
# cells. In general: repeating forward means summing backward, over exactly the axes that were
# repeated. To see it, we send a different gradient into every cell.
#
# **Before you run**: the cells of the table get the gradients 0, 1, 2, ... 11, row by row. What is
# the gradient of the first entry of the column, and which shape has the gradient of the row?

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
drawing.save(
    figure,
    "02_broadcast.png",
    alt="Left: a column of three and a row of four are repeated to a table of 3 x 4. Right: "
    "gradients 0 to 11 in the table are summed along rows into the column, along columns into "
    "the row.",
)

# %% [markdown]
# ![Forward: repeat. Backward: sum](../docs/figures/02_broadcast.png)
#
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
# The sum rule is everywhere in networks. A *batch* is a table of samples, one in each row. A bias
# is added to every row of it, so its gradient is a column sum over the batch. A mean is a sum, so
# its gradient is a broadcast: the pair works both ways.

# %%
batch = Tensor(np.random.default_rng(0).normal(size=(5, 3)), requires_grad=True)
bias = Tensor(np.zeros(3), requires_grad=True)
(batch + bias).mean().backward()
print("\nbias gradient of a mean over 5 x 3 cells:", bias.grad.numpy(), "= 5 * 1/15")
assert np.allclose(bias.grad.numpy(), 1 / 3)
assert np.allclose(batch.grad.numpy(), 1 / 15)

# %% [markdown]
# ## The gradients of a matrix product
#
# A layer of neurons is a *matrix product* C = A B: every row of A (a sample) meets every column of
# B (the weights of a neuron), C_ij = sum over k of A_ik B_kj. Let L be a loss that depends on C,
# and write dC for the table of the slopes dL/dC_ij. What are dA and dB? By hand, on 2 x 2:
#
#     C_11 = A_11 B_11 + A_12 B_21        C_12 = A_11 B_12 + A_12 B_22
#
# A_11 is used twice, in C_11 with slope B_11 and in C_12 with slope B_12. Where a value is used
# twice its gradients add (page 1):
#
#     dA_11 = dC_11 B_11 + dC_12 B_12
#
# That is the first row of dC times the first *row* of B: a product with B transposed. All entries
# go the same way, and B by the same argument:
#
#     dA = dC B^T        dB = A^T dC

# %%
A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
dC = np.array([[1.0, 10.0], [100.0, 1000.0]])  # any numbers, all different
left, right = Tensor(A, requires_grad=True), Tensor(B, requires_grad=True)
(left @ right).backward(dC)
print("\ndA by hand, first entry: 1*5 + 10*6 =", 1 * 5 + 10 * 6)
print("dA = dC B^T:\n", dC @ B.T, "\nby the library:\n", left.grad.numpy())
assert left.grad.numpy()[0, 0] == 65
assert np.array_equal(left.grad.numpy(), dC @ B.T)
assert np.array_equal(right.grad.numpy(), A.T @ dC)

# %% [markdown]
# There is no need to remember which one is transposed: the shapes tell. If A is (5, 3) and B is
# (3, 2), then dC is (5, 2), and dA must be (5, 3): only dC (5, 2) times B^T (2, 3) fits.
#
# ## Backends
#
# The same tensor code runs on three backends: "numpy" (to read), "cpu" (compiled, the default) and
# "opencl". A tensor lives on one of them and says so; mixing two is an error. `.to(...)` moves.

# %%
on_numpy = Tensor([1.0, 2.0], backend="numpy")
print("\nliving on", on_numpy.backend, "and", on_numpy.to("numpy").backend)
assert on_numpy.to("numpy") is on_numpy

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/02.py`. Try first.
#
# 1. Predict the shapes: (8, 1, 5) + (4, 1); (2, 3) @ (3, 4) + (4,); and the shape of the gradient
#    of every part.
# 2. Predict: the strides (in numbers) of a tensor of shape (2, 3, 4), of its transpose, and of
#    `t[:, :, ::2]`.
# 3. Derive: y is the mean of a tensor of 20 numbers. What is the gradient of each of them?
# 4. Change a line: in the section on the matrix product let A be (5, 3) and B (3, 2). Write dB as a
#    product by the shapes alone, and check it.
# 5. x has shape (4,). What is the gradient of x in `(x * x.reshape(4, 1)).sum()`? Derive it, then
#    let the library say it.
#
# ## What to take along
#
# - a view is another way to read the same memory;
# - tensors are not written in place, and types must agree;
# - what is repeated forward is summed backward;
# - C = A B has dA = dC B^T and dB = A^T dC, and the shapes say so.
#
# Go on with page 3: how do you know that a gradient is right?
