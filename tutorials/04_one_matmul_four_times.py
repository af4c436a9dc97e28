# ruff: noqa: E402  (the environment is set before NumPy is imported)
# %% [markdown]
# # 4. One matrix product, four times
#
# **You need**: the *matrix product* and a *stride* (page 2), *rounding error* (page 3).
#
# **You will be able to** say why the order of three loops changes their time and not their result;
# name what registers, vector instructions and packing each save; and measure two programs against
# each other so that you believe the answer.
#
# Most of the time of a neural network goes into one operation, the matrix product. tinydl has it
# four times: in NumPy, as plain loops in Cython, in C, and in OpenCL. They compute the same
# numbers. They differ a lot in speed. This page puts them side by side and asks where the speed
# comes from.

# %%
from __future__ import annotations

import os

# One thread for everybody, so that we compare code and not the number of cores. Libraries read
# these variables when they are loaded, so this comes before `import numpy`.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                 "POCL_MAX_PTHREAD_COUNT", "POCL_CPU_MAX_CU_COUNT"):  # fmt: skip
    os.environ.setdefault(variable, "1")

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

from tinydl import backend
from tinydl.backend.cpu import _matmul, _runtime
from tinydl.bench import ladder
from tinydl.errors import DeviceError

REPOSITORY = Path(__file__).resolve().parent.parent
_runtime.set_threads(1)


def show(path: str, first: str, last: str) -> None:
    """Print a source file of the repository from the line with `first` to the line with `last`."""
    file = REPOSITORY / path
    if not file.exists():
        print(f"[source not shown: {path} is not beside this tutorial]")
        return
    lines = file.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if first in line)
    stop = next(i for i, line in enumerate(lines[start + 1 :], start + 1) if re.search(last, line))
    print(f"--- {path}, lines {start + 1} to {stop}")
    print("\n".join(lines[start:stop]).rstrip() + "\n---")


# %% [markdown]
# ## What is computed
#
# a has M rows and K columns, b has K rows and N columns. Every entry of the result is a dot product
# of a row of a with a column of b:
#
#     c[i, j] = sum over k of a[i, k] * b[k, j]          [M x K] @ [K x N]
#
# That is M * N * K multiplications and as many additions. The definition in Python, with numbers
# taken from lists, is three loops. It is exact, clear, and hopeless: every multiplication makes
# Python look up types, make a number object, and throw it away again.
#
# **Before you run**: how many multiplications and additions are 48 x 48 times 48 x 48? A processor
# does billions of operations in a second; how many will Python do?


# %%
def three_loops(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    M, K, N = len(a), len(b), len(b[0])
    return [[sum(a[i][k] * b[k][j] for k in range(K)) for j in range(N)] for i in range(M)]


rng = np.random.default_rng(0)
SMALL = 48
small_a = rng.normal(size=(SMALL, SMALL)).astype(np.float32)
small_b = rng.normal(size=(SMALL, SMALL)).astype(np.float32)
started = perf_counter()
by_definition = three_loops(small_a.tolist(), small_b.tolist())
python_rate = 2 * SMALL**3 / (perf_counter() - started) / 1e9
assert np.allclose(by_definition, small_a @ small_b, atol=1e-4)
print(f"Python loops: {python_rate:.3f} billion operations per second")

# %% [markdown]
# ## First: NumPy
#
# The reference backend hands the job to NumPy, which hands it to a BLAS library. This is the
# yardstick: decades of work have gone into BLAS.

# %%
reference = backend.get("numpy")
print(inspect.getsource(type(reference).matmul))

# %% [markdown]
# ## Second: loops in Cython
#
# The same three loops, but with declared types. Now a multiplication is one machine instruction.
#
# Look at the order of the loops: i, k, j. Every order adds the same products; but memory does not
# hand out single numbers. It hands out pieces of 64 bytes, 16 floats, into a small fast memory, the
# *cache*, and main memory takes a hundred times as long as the cache. With i, k, j the inner loop
# runs along a row of b and a row of c, which lie side by side: of each piece all 16 numbers are
# used. The textbook order i, j, k jumps from row to row of b, uses one number of each piece, and
# the piece is thrown out before its neighbours are asked for.

# %%
show("csrc/_matmul.pyx", "def matmul_loops_f32", r"^def matmul_loops_f64")


def cython_loops(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    c = np.empty((a.shape[0], b.shape[1]), np.float32)
    _matmul.matmul_loops_f32(a, b, c)
    return c


# %% [markdown]
# ## Third: C
#
# What is still slow? For every multiplication the loops above read a number of b and a number of c
# and write c back. Reading memory costs more than multiplying. The C version does three things:
#
# - it keeps a small block of c in *registers* and lets all of k run through before it writes, so c
#   is written once;
# - it works on *vectors*: one vector instruction multiplies 4, 8 or 16 floats, whatever the
#   processor has;
# - it copies blocks of a and b into the order in which they are read (*packing*), so that they
#   stay in the fast cache.
#
# The comment at the head of the file says how the work is cut, and the little macro in `tile.h` is
# the heart: one number of a, one or two vectors of b, a row of sums in registers. The last function
# shown is what Python calls: a method of the backend, written in Cython.

# %%
show("csrc/matmul.c", "/* Matrix product", r"^#include")
show("csrc/shared/tile.h", "#define TILE_ROW(", r"^static inline")
cpu = backend.get("cpu")
show("csrc/_matmul.pyx", "def matmul(object", r"^def matmul_f32")

# %% [markdown]
# ## Fourth: OpenCL
#
# OpenCL runs the same text on very different machines. On a processor the kernel below looks like
# the C version: a block of c in registers, vectors of b. On a graphics card another kernel of the
# same file is chosen, which shares tiles of a and b among many small workers. OpenCL needs a
# driver; without one this part is skipped, and everything else works.

# %%
show("kernels_cl/prelude.cl", "#define TILE_STEP(", r"^//")
show("kernels_cl/matmul.cl", "#define GEMM(", r"^#define GEMM_ROWS")
try:
    opencl = backend.get("opencl")
    print("OpenCL device:", opencl.runtime.device)
except DeviceError as error:
    opencl = None
    print(f"[skipped: OpenCL] {error}")

# %% [markdown]
# ## Do they agree?
#
# **Before you run**: the four add up in different orders. Will they agree to the last digit? Of
# which size do you expect the largest error to be, for float32?
#
# Floats round, so the last digits differ, and we compare with the exact answer (computed in
# float64). The error is measured against the size of the sums.


# %%
def opencl_matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    device_a, device_b = opencl.asarray(a), opencl.asarray(b)
    return opencl.to_numpy(opencl.matmul(device_a, device_b))


versions: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "NumPy": reference.matmul,
    "Cython loops": cython_loops,
    "C": cpu.matmul,
}
if opencl is not None:
    versions["OpenCL"] = opencl_matmul

a = rng.normal(size=(61, 150)).astype(np.float32)  # sizes that no block divides
b = rng.normal(size=(150, 37)).astype(np.float32)
exact = a.astype(np.float64) @ b.astype(np.float64)
size = (np.abs(a).astype(np.float64) @ np.abs(b)).max()
print("\nlargest error, relative to the sum of |a| |b|")
for name, matmul in versions.items():
    error = np.abs(matmul(a, b) - exact).max() / size
    print(f"  {name:<13} {error:.1e}")
    assert error < 1e-6, name
    assert matmul(a, b).dtype == np.float32

# %% [markdown]
# ## How fast are they?
#
# Timing is easy to get wrong. A computer speeds up and slows down by itself, so we never run one
# version ten times and then the other. We take turns, A B C A B C, and use the median of the
# turns. (If the computer has other work at the same time, the numbers will wobble all the same.
# Other work can only slow a turn down, never speed it up. So where this page insists on an order,
# it compares the fastest turns.) For OpenCL the matrices are on the device already, and we wait
# until the result is there.

# %%
SIDES = (32, 64, 128, 192) if FAST else (32, 64, 128, 256, 512, 768)
TURNS = 25


def contestants(n: int) -> dict[str, Callable[[], object]]:
    """Name -> a call that multiplies two n x n matrices, ready to be timed."""
    a = rng.normal(size=(n, n)).astype(np.float32)
    b = rng.normal(size=(n, n)).astype(np.float32)
    calls: dict[str, Callable[[], object]] = {
        "NumPy": lambda: reference.matmul(a, b),
        "Cython loops": lambda: cython_loops(a, b),
        "C": lambda: cpu.matmul(a, b),
    }
    if opencl is not None:
        x, y = opencl.asarray(a), opencl.asarray(b)

        def on_device() -> None:
            opencl.matmul(x, y)
            opencl.synchronize()

        calls["OpenCL"] = on_device
    return calls


def take_turns(calls: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds per call of every turn; they alternate, and a turn is long enough for the clock."""
    repeats = {}
    for name, call in calls.items():
        call()  # the first touch: memory, caches, compilation
        started = perf_counter()
        call()
        repeats[name] = max(1, int(0.001 / max(perf_counter() - started, 1e-9)))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, call in calls.items():
            started = perf_counter()
            for _ in range(repeats[name]):
                call()
            seconds[name].append((perf_counter() - started) / repeats[name])
    return seconds


rates: dict[str, list[float]] = {name: [] for name in versions}
fastest: dict[str, float] = {}
for n in SIDES:
    for name, turns in take_turns(contestants(n)).items():
        rates[name].append(2 * n**3 / median(turns) / 1e9)
        fastest[name] = min(turns)

print(f"\nlevel of the C kernels: {_runtime.level()}, one thread; n = {SIDES[-1]}")
loops = rates["Cython loops"][-1]
print(f"  {'Python loops':<13} {python_rate / loops:8.4f} times the Cython loops (at n = {SMALL})")
for name, values in rates.items():
    print(f"  {name:<13} {values[-1] / loops:8.2f} times the Cython loops")
print(f"  C against NumPy's BLAS: {rates['C'][-1] / rates['NumPy'][-1]:.2f}")

# %%
colors = {"NumPy": MUTED, "Cython loops": ORANGE, "C": BLUE, "OpenCL": GREEN}
figure, (bars, lines) = plt.subplots(1, 2, figsize=(10, 3.8))
names = list(rates)
heights = [rates[name][-1] / loops for name in names]
shapes = bars.bar(names, heights, color=[colors[name] for name in names], width=0.6)
bars.bar_label(shapes, [f"{h:.1f}" for h in heights], padding=2)
bars.grid(axis="x", visible=False)
bars.set(ylabel="speed, Cython loops = 1", title=f"{SIDES[-1]} x {SIDES[-1]}, one thread")
bars.set_ylim(0, 1.12 * max(heights))
for name, values in rates.items():
    lines.plot(SIDES, values, "o-", color=colors[name], label=name, markersize=4)
lines.set(xlabel="n, for n x n matrices", ylabel="billion operations per second", ylim=(0, None))
lines.set_title("The same, by size")
lines.legend(fontsize=9)
drawing.save(
    figure,
    "04_matmul.png",
    alt="Left: speed of NumPy, Cython loops, C and OpenCL for one size. Right: billion "
    "operations per second against n; the loops stay low, the others rise with n.",
)

# %% [markdown]
# ## Where the speed comes from
#
# The C source is compiled once for every kind of processor: "baseline" has vectors of 4 floats,
# "avx2" of 8, "avx512" of 16. The best one is chosen when the program starts. For the experiment we
# choose by hand. The text of the program is the same each time; only the vectors grow.
#
# **Before you run**: which factor would twice as long vectors give at best, and why may it be less?

# %%
chosen = _runtime.level()
n = SIDES[-1]
a = rng.normal(size=(n, n)).astype(np.float32)
b = rng.normal(size=(n, n)).astype(np.float32)


def at_level(level: str) -> Callable[[], object]:
    def call() -> None:
        _runtime.set_level(level)
        cpu.matmul(a, b)

    return call


levels = take_turns({level: at_level(level) for level in _runtime.available_levels()})
_runtime.set_level(chosen)
print(f"\nn = {n}, speed of the C kernel by level (baseline = 1)")
for level, turns in levels.items():
    print(f"  {level:<9} {median(levels['baseline']) / median(turns):.2f}")
best_level = _runtime.available_levels()[-1]

# %% [markdown]
# (Two. Less if memory cannot deliver, and since processors run their widest vectors at a lower
# clock.)
#
# ## Reading in order
#
# And memory? The same loops, the same numbers, but b is stored by columns: its transpose is
# contiguous. Now the inner loop of the Cython version jumps from row to row, and most of every
# piece of memory that it fetches is thrown away. The C version packs b before it multiplies, so it
# hardly cares: copying costs n^2 steps, the product n^3.

# %%
n = 256 if FAST else 512
a = rng.normal(size=(n, n)).astype(np.float32)
by_rows = rng.normal(size=(n, n)).astype(np.float32)
by_columns = np.asfortranarray(by_rows)
assert np.array_equal(cython_loops(a, by_rows), cython_loops(a, by_columns))

layouts = take_turns(
    {
        "Cython, rows": lambda: cython_loops(a, by_rows),
        "Cython, columns": lambda: cython_loops(a, by_columns),
        "C, rows": lambda: cpu.matmul(a, by_rows),
        "C, columns": lambda: cpu.matmul(a, by_columns),
    }
)
print(f"\nn = {n}, b stored by columns instead of rows")
for name in ("Cython", "C"):
    factor = median(layouts[f"{name}, columns"]) / median(layouts[f"{name}, rows"])
    print(f"  {name:<7} takes {factor:.2f} times as long")

# %% [markdown]
# ## The whole ladder, and other kernels
#
# `tinydl.bench.ladder` puts the rungs in one row: NumPy, loops, the C source at each level, and at
# last two threads. It checks that every rung computes the same before it times it. The matrix
# product is not special: convolution, depthwise convolution, pooling and recurrent networks have
# the same ladder (`python benchmarks/ladder.py` measures them all). Look where it is steep and
# where it is flat: pooling does little arithmetic for each number that it reads, so vectors help it
# until memory is the limit. Page 12 is about that limit.

# %%
rungs = [
    rung
    for name in ("matmul", "conv", "max_pool")
    for rung in ladder.climb(name, rounds=3, target=0.002 if FAST else 0.02, small=FAST)
]
print("\n" + ladder.table(rungs))
drawing.FIGURES.mkdir(parents=True, exist_ok=True)
ladder.draw(rungs, drawing.FIGURES / "04_ladder.png")
assert {rung.rung for rung in rungs} > {"NumPy", "Cython loops", "C, baseline"}

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/04.py`. Try first.
#
# 1. By hand: a 2 x 3 and a 3 x 2 matrix. Write down in which order the loops i, k, j touch the
#    numbers of b, and in which order i, j, k does, if b lies row by row.
# 2. A piece of the cache holds 16 floats. How many pieces does the inner loop of i, k, j fetch for
#    a row of 512 numbers, and how many that of i, j, k for a column?
# 3. Count the reads and writes of c: in the loops i, k, j, and if c stays in a register while k
#    runs. For n = 512, how many bytes is the difference?
# 4. Show that the order of adding changes a float32 sum: the numbers 10^8, 1 and -10^8. What does
#    "they agree" have to mean, then?
# 5. Which median of the turns would you believe: A took 10, 11, 10, 30, 10 ms and B 12, 12, 13, 12,
#    12 ms? What do the means say?
#
# ## What to take along
#
# - all four compute the same sums, up to rounding;
# - types make loops fast; registers, vectors and reading memory in order make them fast again;
# - a cache hands out neighbours: what lies side by side should be used together;
# - measure in turns, and take the median.
#
# Go on with page 12: how fast could it be at all?
