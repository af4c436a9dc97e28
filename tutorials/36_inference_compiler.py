# %% [markdown]
# # 36. What an inference compiler does
#
# **You need**: *batch normalisation* (page 10), a *depthwise convolution* and a *pointwise
# convolution* (page 16), a *residual block* (page 43), the *computational graph* (page 1), a
# *profile* (page 12).
#
# **You will be able to** say what is lost between two layers and how a recorded list gets it back;
# fold a norm into a convolution by hand; lay buffers into one piece of memory; and say what a
# compiled program must notice.
#
# A trained network is asked, one image at a time: that is *inference*, without gradients. Its
# arithmetic takes a tenth of a millisecond; calling it layer by layer in Python takes several times
# that. Engines for inference therefore do not run the network as it was written. They write down
# once what it does, improve that list, and run the list. This page does the same, pass by pass, and
# measures what each one gains.

# %%
from __future__ import annotations

from statistics import median
from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST, INK, MUTED, ORANGE, PALE_BLUE, plt
from matplotlib.patches import Rectangle
from recorded import note

import tinydl as td
from tinydl import nn
from tinydl.inference.eager import Eager
from tinydl.inference.passes import ALL
from tinydl.inference.places import ARENA

# %% [markdown]
# ## A net to compile
#
# Small and of today: a strided convolution, residual blocks of a depthwise and two pointwise
# convolutions, each with a batch norm, and a linear head. Its running averages are what a training
# left; here they are drawn, so that no norm is the identity and a mistake would show.
#
# ReLU6 is min(max(x, 0), 6).

# %%
rng = td.seed(0)


class Block(nn.Module):
    """x + project(depthwise(expand(x))), after each a norm, ReLU6 after the first two."""

    def __init__(self, channels: int, expansion: int = 4) -> None:
        inner = expansion * channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False), nn.BatchNorm(inner), nn.ReLU6(),
            nn.DepthwiseConv2d(inner, 3, padding="same", bias=False), nn.BatchNorm(inner),
            nn.ReLU6(), nn.Conv2d(inner, channels, 1, bias=False), nn.BatchNorm(channels),
        )  # fmt: skip

    def forward(self, x: td.Tensor) -> td.Tensor:
        return td.relu(self.body(x) + x)


BLOCKS = 2 if FAST else 6
model = nn.Sequential(
    nn.Conv2d(3, 16, 3, stride=2, padding="same", bias=False), nn.BatchNorm(16), nn.ReLU(),
    *[Block(16) for _ in range(BLOCKS)],
    nn.GlobalAvgPool(), nn.Linear(16, 10),
).eval()  # fmt: skip
for name, buffer in model.named_buffers():
    low, high = (-0.2, 0.2) if "mean" in name else (0.5, 1.5)
    buffer.assign(rng.uniform(buffer.shape, low=low, high=high).astype(np.float32))
x = td.tensor(rng.uniform((1, 32, 32, 3), low=-1.0, high=1.0).astype(np.float32))
with td.no_grad():
    expected = model(x).numpy()

# %% [markdown]
# ## Recorded
#
# Every operation of tinydl can be watched, as it is for gradients. `td.compile` runs the model once
# on an example and keeps what it saw: which operation, on which arrays, made which array. Modules,
# loops, Python are gone; a flat list is left.
#
# **Before you run**: what of a Python program can such a list not contain? Think of `if x.sum() >
# 0:`.
#
# What Python decided for this example would hold for every later call. So the model is run a second
# time with other numbers, and whoever reads a number on the way is caught.

# %%
written = td.compile(model, x, passes=[])
print(f"{len(written.program.steps)} steps")
print(*[step.name for step in written.program.steps[:9]], "...", sep=", ")
np.testing.assert_allclose(
    written(x).numpy(), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
)


class Moody(nn.Module):
    """Decides by what it computes."""

    def forward(self, x: td.Tensor) -> td.Tensor:
        return td.relu(x) if float(x.sum()) > 0 else td.tanh(x)


try:
    td.compile(Moody(), x)
except td.TinydlError as error:
    print(str(error)[:96], "...")
else:
    raise AssertionError("it cannot know the other branch")

# %% [markdown]
# ## Constants, and norms
#
# What depends on weights alone is computed now: here the reshaped weights of the depthwise
# convolutions. And in evaluation a batch norm multiplies each channel by a number and adds another,
# always the same ones. A convolution is linear, so it may as well have its weights multiplied
# beforehand:
#
#     (conv(x, w) - mean) / sqrt(variance + eps) * scale + shift
#         = conv(x, w * factor) + rest,     factor = scale / sqrt(variance + eps),
#                                           rest = shift - mean * factor
#
# One pass over each image less, for nothing.
#
# **Before you run**: could the norm be folded if the ReLU stood between convolution and norm?

# %%
folded = td.compile(model, x, passes=["constants", "norms"])
print(folded.program.flat.notes)
before, after = (sum("norm" in s.name for s in c.program.steps) for c in (written, folded))
print(f"{before} norms before, {after} after")
assert before == 1 + 3 * BLOCKS and after == 0

# %% [markdown]
# (No: a ReLU is not linear, and factor * relu(y) is relu(factor * y) only for positive factors;
# then `rest` is still in the way.)
#
# ## Epilogues
#
# A convolution holds its result in registers before it stores it. ReLU, ReLU6 and the sum of a
# residual block are a few instructions there, and a walk through memory each as steps of their own.
# What a kernel does to its result before storing it is called its *epilogue*.

# %%
fused = td.compile(model, x, passes=["constants", "norms", "epilogues"])
print(*sorted({step.name for step in fused.program.steps}), sep=", ")
assert any(step.name == "conv2d + add + relu" for step in fused.program.steps)
assert len(fused.program.steps) < len(folded.program.steps) / 1.5

# %% [markdown]
# ## A plan of memory
#
# A result is needed until its last reader has run. Buffers that do not live at the same time may
# share a place: largest first, each at the lowest free place. The residual sum is written over the
# term that it adds. Each rectangle is a buffer: how long it lives, and where.
#
# **Before you run**: a chain of layers without branches, all buffers of one size: how many places
# does it need?

# %%
full = td.compile(model, x)
runner = full.program.runner
roots = {id(p.root): p.root for calls in runner.calls for call in calls
         for p in (*call.x, call.y) if p is not None and p.root.kind == ARENA}  # fmt: skip
lives = [root.life for root in roots.values()]
apart = sum(life.nbytes for life in lives)
print(f"{len(lives)} buffers of {apart:,} bytes together lie in {runner.arena:,}")
assert runner.arena < apart
if not FAST:
    note("buffers apart", apart)
    note("buffers together", runner.arena)
for i, a in enumerate(lives):
    assert not any(a.meets(b) and a.offset < b.end and b.offset < a.end for b in lives[:i])

figure, ax = plt.subplots(figsize=(6, 3))
for life in lives:
    place = (life.first, life.offset / 1024), life.last - life.first + 1, life.nbytes / 1024
    ax.add_patch(Rectangle(*place, facecolor=PALE_BLUE, edgecolor=INK))
ax.set(xlim=(0, len(full.program.steps)), ylim=(0, runner.arena / 1024))
ax.set(xlabel="step", ylabel="KiB of the arena")
drawing.save(
    figure,
    "36_memory.png",
    alt="Rectangles for buffers: steps from left to right, bytes upwards; those that live at "
    "different times lie at the same height.",
)

# %% [markdown]
# ![A plan of memory](../docs/figures/36_memory.png)
#
# Two: one is read while the other is written. At full length, with six blocks, buffers of 802,880
# (recorded: buffers apart) bytes lie in 147,456 (recorded: buffers together).
#
# ## One call
#
# The list is written down once more, as an array of C structs: a function pointer, the addresses of
# its arrays, sizes. A loop over it needs no Python between two kernels; weights were brought into
# the order in which they are multiplied when the program was made. `print()` shows every step, what
# runs it, the bytes that it touches and its time.

# %%
full.program.print(repeats=3)
assert runner.kind == "one call of compiled code"

# %% [markdown]
# ## What each gained
#
# The same request by each form, in turns, the median of the rounds. Which factor is large depends
# on the net: Python's share is that of small layers, memory's that of large images. The arithmetic
# itself, what is left at the end, is the part that no pass removes.
#
# **Before you run**: which of the five steps will gain most on this net of small layers?


# %%
def request(form):
    """Seconds of a request, by enough of them to be seen by the clock."""
    calls = 3 if FAST else 40
    begin = perf_counter()
    for _ in range(calls):
        form(x)
    return (perf_counter() - begin) / calls


def uncompiled(x):
    with td.no_grad():
        return model(x)


in_python = Eager(written.program.flat)
forms = {
    "the model": uncompiled,
    "its steps, from Python": lambda x: in_python([x.data]),
    "one compiled call": written,
    "norms folded": folded,
    "epilogues": fused,
    "all passes": full,
}
times = {name: [] for name in forms}
for _ in range(3 if FAST else 15):
    for name, form in forms.items():
        times[name].append(request(form))
typical = {name: median(found) * 1e3 for name, found in times.items()}
last = None
for name, ms in typical.items():
    gained = "" if last is None else f"  {last / ms:.2f} times faster than the line above"
    print(f"{name:24} {ms:7.3f} ms{gained}")
    last = ms
together = typical["the model"] / typical["all passes"]
print(f"together {together:.1f} times faster")
if not FAST:
    note("together", together)
assert set(ALL) == {"constants", "common", "norms", "epilogues", "dead"}

figure, ax = plt.subplots(figsize=(6, 3))
ax.barh(list(typical)[::-1], list(typical.values())[::-1], color=[BLUE] * 5 + [ORANGE])
ax.set_xlabel("ms of one request")
ax.axvline(0, color=MUTED, linewidth=1)
drawing.save(
    figure,
    "36_passes.png",
    alt="Milliseconds of one request for six forms: the model, its steps from Python, one "
    "compiled call, norms folded, epilogues, all passes; each bar shorter than the one "
    "above.",
)

# %% [markdown]
# ![What each pass gains](../docs/figures/36_passes.png)
#
# ## What changes, and what must not
#
# A program is a copy of decisions, so it must notice what they rest on. A new shape is recorded
# anew. Each stored tensor counts the writes to it; a program whose counts are out of date is made
# again. In training mode the model itself runs.
#
# **Before you run**: below, the head's weights are doubled behind the program's back. A program
# that kept its own copy of them would answer as before. What must it do?

# %%
head = model.parameters()[-2]
head.assign(head.numpy() * 2)
with td.no_grad():
    np.testing.assert_allclose(
        full(x).numpy(), model(x).numpy(), rtol=1e-4, atol=1e-4 * np.abs(expected).max()
    )
assert not np.allclose(full(x).numpy(), expected)
print(full(td.tensor(np.zeros((2, 32, 32, 3), np.float32))).shape, "by another program")

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/36.py`. Try first.
#
# 1. By hand: y = 3 x, then a norm with mean 6, variance 4, eps 0, scale 2, shift 1. Fold it: which
#    weight and which bias? Check with x = 5.
# 2. Prove the folding on a convolution of random weights, to rounding.
# 3. Four buffers: A of 4 KiB lives in the steps 1 to 2, B of 2 in 2 to 3, C of 4 in 3 to 4, D of 1
#    in 1 to 4. Place them by the page's rule. How large is the arena, and how large would it have
#    to be at least?
# 4. Why may a pass not put a ReLU into the epilogue of a convolution whose result is read twice?
#    Find the reader on the page's block.
# 5. A network needs 0.05 ms of arithmetic and has 28 steps, each of which costs 7 microseconds to
#    call from Python. What can one compiled call gain at most? And if images are sixteen times as
#    large?
#
# ## What to take along
#
# - Record, improve, plan, run: four steps, each small, and each can be read alone.
# - A pass is safe for what it proves: one reader, constants, a known order. The rest stays.
# - A copy of decisions must notice when what they rest on has changed.
# - What is left is arithmetic: there a compiler is as good as its kernels (page 4).
#
# Nets from elsewhere (`td.load_onnx`) run this way by themselves; `tinydl bench compiled` puts the
# programs beside onnxruntime and OpenVINO. Go on with page 37: nets of other libraries.
