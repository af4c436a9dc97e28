# %% [markdown]
# # 12. Profiling, and the roof over every program
#
# **You need**: the *matrix product* (page 2), the *cache* and *vector instruction*s (page 4), a
# *convolution* and *pooling* (page 5), a *depthwise convolution* (page 16), a *ReLU* (page 13).
#
# **You will be able to** count the operations and bytes of an operation; say from two numbers of a
# machine how fast it can run at most; read a *profile*, a table of where the time went; and decide
# for each slow row what would help.
#
# "Is this fast?" has no answer without "compared with what?". Other libraries are one yardstick
# (`tinydl bench`). The machine itself is a better one: it can do only so many operations in a
# second, and it can move only so many bytes. Together the two limits make a *roofline*. This page
# measures it, places operations below it, explains why they are where they are, and then makes a
# slow network faster by reading a profile.

# %%
from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread: compare code, not cores

import subprocess
import sys

import drawing
import numpy as np
from drawing import BLUE, FAST, FIGURES, MUTED, ORANGE, plt

import tinydl as td
from tinydl import nn, optim
from tinydl.measure.machine import peaks
from tinydl.viz import plot_roofline

# %% [markdown]
# ## Two limits, measured
#
# The first limit: a loop which multiplies and adds in registers and touches no memory. Nothing can
# compute faster. The second: a loop which only copies, for arrays that fit into the fast caches and
# for arrays that do not. Nothing can move data faster. `tinydl info --peaks` prints the same.

# %%
roofs = peaks(1)
print(roofs.text())
memory = roofs.bandwidth[-1][1]
balance = roofs.gflops["float32"] / memory
print(f"\nbalance: {balance:.1f} operations per byte of main memory")

# %% [markdown]
# The last number says it all. While one byte comes from memory, this processor could do that many
# operations. A program that does fewer of them per byte waits for memory, however clever its
# arithmetic. A program that does more can keep the processor busy.
#
# Operations per byte are called *arithmetic intensity*, I. With P operations per second at most,
# and B bytes per second at most, a program runs at no more than
#
#     min(P, I * B)          (Williams, Waterman and Patterson 2009)
#
# On logarithmic axes that is a slope which runs into a flat roof.
#
# ## Where operations lie
#
# `with tinydl.profile()` times every operation inside the block. The operations themselves say how
# much arithmetic they do (`flops`) and which arrays they read and write (`traffic`).
#
# **Before you run**: `relu` and a matrix product of 512 x 512. Which of the two waits for memory?

# %%
rng = np.random.default_rng(0)
side = 256 if FAST else 512
N, H, C = (4, 28, 32) if FAST else (32, 56, 64)


def array(*shape: int) -> td.Tensor:
    return td.tensor(rng.normal(size=shape).astype(np.float32))


a, b, row = array(side, side), array(side, side), array(1, side)
image, weight, separate = array(N, H, H, C), array(3, 3, C, C), array(3, 3, 1, C)


def some_operations() -> None:
    _ = a @ b  # matrix times matrix
    _ = td.linear(row, b)  # vector times matrix
    _ = td.conv2d(image, weight, padding=1)
    _ = td.conv2d(image, separate, padding=1, groups=C)  # depthwise: every channel by itself
    _ = td.relu(image)
    _ = image + image
    _ = td.tanh(image)
    _ = td.max_pool2d(image, 2)
    _ = td.sum(image)


with td.no_grad():
    some_operations()  # the first touch: memory, caches
    with td.profile() as p:
        for _ in range(3 if FAST else 10):
            some_operations()
print(p.table(by_shape=True))
FIGURES.mkdir(parents=True, exist_ok=True)
places = [r for r in p.rows(by_shape=True) if r.flops]
plot_roofline([roofs], places, FIGURES / "12_roofline.png", "some operations, one thread")

# %% [markdown]
# The columns: calls, milliseconds and their share of the block, the bytes that must be moved, the
# operations that must be done, both per second, and the share of the roof: the time that the
# measured limits allow, divided by the time it took. 100 % cannot be improved.
#
# ## Why they lie there
#
# Intensity needs no measurement. It is counting, with 4 bytes per number:
#
# - *relu* reads a number and writes one: 1 operation for 8 bytes. *add* reads two: 1 for 12. That
#   is far left of the balance, so both wait for memory. Vector instructions cannot help them.
# - a *matrix product* n x n does 2 n^3 operations on 3 n^2 numbers: n / 6 per byte. It grows with
#   n. For n = 512 it is 85, and the processor is the limit. This is why products are blocked: every
#   number, once loaded, must be used many times (page 4).
# - a *vector times a matrix* is also a product, but each weight is used once: 2 operations for 4
#   bytes. Predicting one sample at a time is slow for this reason; a batch is fast.
# - a 3x3 *convolution* uses every number of the image 9 F times, a *depthwise* one 9 times: 18
#   operations for 8 bytes. It does F times less work and still takes a good part of the time.
#   Counting operations alone would promise too much.


# %%
def intensity(op: str, *shapes: tuple[int, ...]) -> float:
    (found,) = [r for r in p.rows(by_shape=True) if r.op == op and r.shapes == shapes]
    return found.intensity


assert np.isclose(intensity("relu", image.shape), 1 / 8)
assert np.isclose(intensity("add", image.shape, image.shape), 1 / 12)
assert np.isclose(intensity("matmul", a.shape, b.shape), side / 6)
assert 0.4 < intensity("matmul", row.shape, b.shape) < 0.5
assert np.isclose(intensity("conv2d", image.shape, separate.shape), 18 / 8, rtol=0.01)
assert intensity("conv2d", image.shape, weight.shape) > 9 * C / 4 * 0.8
for name, value in {"relu": 1 / 8, "depthwise 3x3": 18 / 8, f"matmul {side}": side / 6}.items():
    kind = "memory" if value < balance else "arithmetic"
    print(f"{name:<16} {value:7.3f} operations per byte: limited by {kind}")

# %% [markdown]
# ## What runs at all?
#
# Before asking how fast, it helps to see what runs. With `TINYDL_TRACE=1` every operation prints a
# line: its name, the backend, the file of its kernel, the shapes, the time.

# %%
code = "import tinydl as td; td.relu(td.tensor([-1.0, 2.0], requires_grad=True)).sum().backward()"
child = subprocess.run(
    [sys.executable, "-c", code], env={**os.environ, "TINYDL_TRACE": "1"}, capture_output=True,
    text=True, check=True,
)  # fmt: skip
print(child.stderr)
assert [line.split()[0] for line in child.stderr.splitlines()][:2] == ["relu", "sum"]

# %% [markdown]
# ## A slow network
#
# Two convolutions, as one would write them down: convolution, ReLU, pooling. One step of training,
# seen by the profiler.
#
# **Before you run**: which rows will be at the top: the convolutions, ReLU, or pooling?

# %%
SIZE, FILTERS, BATCH, STEPS = (16, 16, 8, 3) if FAST else (32, 32, 64, 10)
images = array(BATCH, SIZE, SIZE, 3)
labels = td.tensor(rng.integers(0, 10, BATCH))
features = (SIZE // 4) ** 2 * FILTERS


def network(*layers: nn.Module) -> nn.Sequential:
    generator = td.Generator(seed=0)
    first = nn.Conv2d(3, FILTERS, 3, padding=1, rng=generator)
    last = nn.Linear(features, 10, rng=generator)
    return nn.Sequential(first, *layers, nn.Flatten(), last)


def profiled(model: nn.Sequential) -> td.profiler.Profile:
    """STEPS training steps, after one that is not counted."""
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        nn.cross_entropy(model(images), labels).backward()
        optimizer.step()

    step()
    with td.profile() as found:
        for _ in range(STEPS):
            step()
    return found


def second(kind: type = nn.Conv2d) -> nn.Module:
    generator = td.Generator(seed=1)
    return kind(FILTERS, FILTERS, 3, padding=1, rng=generator)


slow = network(nn.ReLU(), nn.MaxPool2d(2), second(), nn.ReLU(), nn.MaxPool2d(2))
before = profiled(slow)
print(before)

# %% [markdown]
# Read it from the top, and look at two columns: the time, and the share of the roof.
#
# `relu` and `relu_grad` do next to no arithmetic, yet they are among the slow rows: they go through
# the largest arrays of the network. Their kernels cannot do much about it, they wait for memory.
# What helps is *less memory*. ReLU and maximum pooling can change places, because a maximum does
# not care whether negative numbers are cut off before or after. Then ReLU sees a quarter of the
# numbers, and the result is the same to the last bit.
#
# **Before you run**: how many times fewer bytes will ReLU and its gradient move?

# %%
faster = network(nn.MaxPool2d(2), nn.ReLU(), second(), nn.MaxPool2d(2), nn.ReLU())
with td.no_grad():
    fresh = network(nn.ReLU(), nn.MaxPool2d(2), second(), nn.ReLU(), nn.MaxPool2d(2))
    assert np.array_equal(fresh(images).numpy(), faster(images).numpy())
after = profiled(faster)
print(after)


def total(found: td.profiler.Profile, what: str, *ops: str) -> float:
    return sum(getattr(r, what) for r in found.rows() if not ops or r.op in ops)


moved = [total(found, "traffic", "relu", "relu_grad") for found in (before, after)]
print(f"\nbytes moved by ReLU and its gradient: {moved[0] / moved[1]:.1f} times fewer")
assert np.isclose(moved[0], 4 * moved[1])

# %% [markdown]
# Now the convolutions are at the top, and their share of the roof is high: there is little left to
# gain in the *kernel*. Only doing less helps. A separable convolution (depthwise 3x3, then 1x1)
# replaces 9 F operations per number by 9 + F. That is another function, so it has to be trained
# and judged again; MobileNet (Howard et al. 2017) showed that it usually pays. And mind the
# roofline: the depthwise half waits for memory, so the time falls less than the operations.

# %%
separable = network(
    nn.MaxPool2d(2), nn.ReLU(), second(nn.SeparableConv2d), nn.MaxPool2d(2), nn.ReLU()
)
last = profiled(separable)
print(last)
convolutions = ("conv2d", "conv2d_input_grad", "conv2d_weight_grad")
work = [total(found, "flops", *convolutions) for found in (before, after, last)]
assert work[0] == work[1] > 2 * work[2]

names = ["as written", "pool before ReLU", "separable"]
walls = [found.wall / STEPS for found in (before, after, last)]
for name, wall, flops in zip(names, walls, work, strict=True):
    print(f"{name:<18} {1e3 * wall:7.2f} ms a step, convolutions {flops / work[0]:.2f} of the work")

# %%
figure, axes = plt.subplots(figsize=(7.5, 3.2))
left = np.zeros(3)
groups = {
    "convolutions": (convolutions, BLUE),
    "ReLU": (("relu", "relu_grad"), ORANGE),
    "pooling": (("max_pool2d", "max_pool2d_scatter"), MUTED),
}
for label, (ops, color) in groups.items():
    each = [1e3 * total(found, "seconds", *ops) / STEPS for found in (before, after, last)]
    axes.barh(names, each, left=left, color=color, label=label)
    left = left + np.array(each)
axes.barh(names, 1e3 * np.array(walls) - left, left=left, color="#e4e9ee", label="the rest")
axes.invert_yaxis()
axes.set(xlabel="milliseconds per training step", title="One network, three times")
axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
drawing.save(
    figure,
    "12_faster.png",
    alt="Milliseconds of a training step of three networks, split into convolutions, ReLU, "
    "pooling and the rest; each is shorter than the one before.",
)
before.plot(FIGURES / "12_before.png", "as written")

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/12.py`. Try first.
#
# 1. A machine does 50 billion operations a second and moves 10 billion bytes. What is its balance?
#    How many operations a second can an addition of two arrays reach, and how many a product of
#    1,000 x 1,000 matrices?
# 2. Count the intensity of `tanh` if it takes 20 operations for each number. On that machine, is it
#    limited by memory? Do faster vector instructions help it?
# 3. A layer of 1,000 x 1,000 weights reads a batch of B samples. From which B on is it limited by
#    arithmetic, on that machine?
# 4. Two ReLUs of the same array of 10 MB, one after the other, or in one loop: how many bytes are
#    moved in each case? What is that worth to the composition of page 8?
# 5. A step takes 100 ms: 60 ms in a row at 95 % of its roof, 30 ms in one at 15 %, 10 ms in others.
#    How short can the step become by better kernels alone?
#
# ## What to take along
#
# - two numbers of a machine, operations and bytes per second, bound every program on it;
# - count operations per byte: left of the balance save memory traffic, right of it save operations;
# - a profile has two questions per row: how much of the time, and how far from the roof? Work on
#   rows that are slow *and* far from the roof; for slow rows at the roof, change the algorithm.
#
# Go on with page 8: an operation of your own.
