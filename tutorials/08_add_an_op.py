# %% [markdown]
# # 8. Add an op
#
# **You need**: a *derivative* (page 1), a *backend* and *stride*s (page 2), a *gradient check*
# (page 3), a *second derivative* (page 7), a *roofline* (page 12).
#
# **You will be able to** add an operation in four ways, and say what each step costs and buys;
# write a `Function` whose second derivative comes for free; and test a kernel so that you believe
# it.
#
# tinydl has the softsign function, a cousin of tanh, as a composition of other operations:
#
#     softsign(x) = x / (1 + |x|)                slope: 1 / (1 + |x|)^2
#
# (Bergstra et al. 2009.) We build it anew in four steps, each a little more work and a little more
# speed: as a *composition* of existing operations, as a `Function` with a NumPy kernel, with a C
# kernel, and with an OpenCL kernel. Nothing inside the library is changed or patched: your op can
# live in your own project. At the end you find the list of lines that would bring it into tinydl
# itself.

# %%
from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, plt

import tinydl
from tinydl import Function, Tensor
from tinydl.backend.cpu import CpuBackend, _runtime
from tinydl.backend.opencl import OpenCLBackend
from tinydl.backend.reference import Backend
from tinydl.errors import DeviceError
from tinydl.testing import GradientError, check_grads

# %% [markdown]
# ## Step 1: a composition
#
# Often this is all you need. It runs on every backend, and its derivatives are free.


# %%
def softsign_composed(x: Tensor) -> Tensor:
    return x / (1.0 + abs(x))


# %% [markdown]
# Before we believe it, we check it (page 3). |x| has a corner at 0, so the points stay away from
# it. Exactly at 0 the slope is 1, and the composition agrees, since tinydl says that |x| has slope
# 0 there.

# %%
rng = np.random.default_rng(0)
away = rng.uniform(0.2, 3.0, (4, 5)) * rng.choice([-1.0, 1.0], (4, 5))
print(f"composition: deviation {check_grads(softsign_composed, [Tensor(away)]):.1e}")

zero = Tensor(np.zeros(1), requires_grad=True)
(at_zero,) = tinydl.grad(softsign_composed(zero), [zero])
print("slope at 0:", at_zero.item())
assert at_zero.item() == 1

# %%
x = np.linspace(-6, 6, 301)
points = Tensor(x, requires_grad=True)
values = softsign_composed(points)
(slopes,) = tinydl.grad(values.sum(), [points])
assert np.allclose(slopes.numpy(), 1 / (1 + np.abs(x)) ** 2)
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.plot(x, values.numpy(), color=BLUE, label="softsign")
axes.plot(x, slopes.numpy(), color=ORANGE, label="its slope")
axes.plot(x, np.tanh(x), "--", color=MUTED, linewidth=1.2, label="tanh")
axes.set(xlabel="x", title="softsign approaches ±1 more slowly than tanh")
axes.legend()
drawing.save(
    figure,
    "08_softsign.png",
    alt="softsign, its slope, and tanh: softsign approaches plus and minus 1 more slowly.",
)

# %% [markdown]
# What does the composition cost? Three operations run one after the other. Each reads and writes
# the whole array, and the graph keeps a node for each.
#
# **Before you run**: which three are they? How many times does each number of x travel between
# memory and processor?


# %%
def count_nodes(result: Tensor) -> int:
    stack, seen = [result.node], set()
    while stack:
        node = stack.pop()
        if isinstance(node, Function) and node not in seen:
            seen.add(node)
            stack.extend(node.parents)
    return len(seen)


nodes = count_nodes(softsign_composed(points))
print("nodes in the graph of the composition:", nodes)
assert nodes == 3

# %% [markdown]
# ## Step 2: a Function and a NumPy kernel
#
# A `Function` says what to compute (`forward`, on raw arrays, by a kernel of the backend) and what
# the derivative is (`backward`, on tensors, by other operations). Because `backward` is made of
# operations, the second derivative needs no extra work.


# %%
class Softsign(Function):
    """y = x / (1 + |x|)."""

    name = "softsign"
    saves = (0,)

    def forward(self, x):
        return self.backend.softsign(x)

    def backward(self, grad):
        slope = 1.0 / (1.0 + abs(self.saved[0]))
        return grad * slope * slope


def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|); the slope at 0 is 1."""
    return Softsign().apply(x)


# %% [markdown]
# `self.backend.softsign` does not exist yet. A backend is a class made of small rooms, one method
# per kernel. So we write one with our kernel, and a backend that has it. Any tensor can be put
# on it.


# %%
class SoftsignInNumPy:
    def softsign(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x / (1 + np.abs(x)))


class MyReference(SoftsignInNumPy, Backend):
    """The reference backend with one kernel more."""


my_reference = MyReference()
y = softsign(Tensor([-1.0, 0.0, 3.0], backend=my_reference))
print("\nsoftsign of -1, 0, 3:", y.numpy())
assert np.allclose(y.numpy(), [-0.5, 0.0, 0.75])


def check(backend: Backend) -> float:
    """The kernel agrees with the formula in any layout; deviation of both orders of derivatives."""
    for dtype in (np.float32, np.float64):
        x = Tensor(rng.normal(size=(6, 8)).astype(dtype), backend=backend)
        for view in (x, x.T, x[::2, ::-3], x[:0], x[0, 0]):
            y, host = softsign(view).numpy(), view.numpy()
            assert y.shape == host.shape and y.dtype == dtype
            assert np.allclose(y, host / (1 + np.abs(host)), rtol=4 * np.finfo(dtype).eps, atol=0)
    return check_grads(softsign, [Tensor(away, backend=backend)])


print(f"NumPy kernel: deviation {check(my_reference):.1e}, nodes in the graph: 1")

# %% [markdown]
# Is the check awake? A wrong slope must be noticed: a test that has never failed may be one that
# cannot.
#
# **Before you run**: the slope below lacks a square. At which x would you not notice?


# %%
class WrongSoftsign(Softsign):
    def backward(self, grad):
        slope = 1.0 / (1.0 + abs(self.saved[0]))
        return grad * slope  # the square is missing


try:
    check_grads(lambda t: WrongSoftsign().apply(t), [Tensor(away, backend=my_reference)])
except GradientError as error:
    print("a wrong slope is noticed:", str(error).split(";")[0])
else:
    raise AssertionError("a wrong slope went unnoticed")

# %% [markdown]
# ## Step 3: a C kernel
#
# The C function is a plain loop. The compiler turns it into vector code. Every kernel opens with
# what it computes, the layout, and how the work is cut. `-ffp-contract=fast`, but never
# `-ffast-math`: NaN must stay NaN.

# %%
SOFTSIGN_C = """\
/* y[i] = x[i] / (1 + |x[i]|) for n adjacent elements. Split of work: none, one thread. */

#include <math.h>
#include <stddef.h>

#define SOFTSIGN(name, real, absolute)                        \\
    void name(const real *restrict x, real *restrict y, ptrdiff_t n) { \\
        for (ptrdiff_t i = 0; i < n; i++)                     \\
            y[i] = x[i] / (1 + absolute(x[i]));               \\
    }

SOFTSIGN(softsign_f32, float, fabsf)
SOFTSIGN(softsign_f64, double, fabs)
"""

# %% [markdown]
# The Cython module takes the arrays, lets go of Python's lock, and calls C. It also holds the
# readable version of the loop, which the C version replaces and is tested against.

# %%
SOFTSIGN_PYX = '''\
"""softsign: the Cython module of softsign.c, and the loop that it replaces."""

cdef extern from *:
    """
    #include <stddef.h>
    void softsign_f32(const float *x, float *y, ptrdiff_t n);
    void softsign_f64(const double *x, double *y, ptrdiff_t n);
    """
    void c_softsign_f32 "softsign_f32"(const float *x, float *y, Py_ssize_t n) nogil
    void c_softsign_f64 "softsign_f64"(const double *x, double *y, Py_ssize_t n) nogil


def softsign_f32(const float[::1] x, float[::1] y):
    with nogil:
        c_softsign_f32(&x[0], &y[0], x.shape[0])


def softsign_f64(const double[::1] x, double[::1] y):
    with nogil:
        c_softsign_f64(&x[0], &y[0], x.shape[0])


def softsign_loop_f32(const float[::1] x, float[::1] y):
    """The same, to be read."""
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        y[i] = x[i] / (1 + abs(x[i]))
'''
print(SOFTSIGN_C)
print(SOFTSIGN_PYX)

# %% [markdown]
# Now compile both into a temporary folder and import the result. This needs a C compiler, Cython
# and Python's header files. If one is missing, the step is skipped and says why.


# %%
COMPILER = shutil.which(os.environ.get("CC", "cc"))
HEADERS = Path(sysconfig.get_paths()["include"])
FLAGS = ["-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
FLAGS += ["-fPIC"]
LINK = ["-shared"] + (["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else [])


def obstacle() -> str | None:
    """Why the extension cannot be compiled here; None if it can."""
    if COMPILER is None:
        return "no C compiler (for example: apt-get install build-essential)"
    if importlib.util.find_spec("Cython") is None:
        return "no Cython (pip install cython)"
    if not (HEADERS / "Python.h").exists():
        return f"no Python.h in {HEADERS} (for example: apt-get install python3-dev)"
    return None


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def compile_module(folder: Path):
    """The module _softsign, made from the two texts above."""
    (folder / "softsign.c").write_text(SOFTSIGN_C)
    (folder / "_softsign.pyx").write_text(SOFTSIGN_PYX)
    library = folder / f"_softsign{sysconfig.get_config_var('EXT_SUFFIX')}"
    cython = [sys.executable, "-m", "cython", "-3", "-X", "boundscheck=False"]
    run(*cython, "_softsign.pyx", "-o", "_softsign.c", folder=folder)
    run(COMPILER, *FLAGS, "-O3", "-c", "softsign.c", folder=folder)
    run(COMPILER, *FLAGS, "-O1", f"-I{HEADERS}", "-c", "_softsign.c", folder=folder)
    run(COMPILER, *LINK, "softsign.o", "_softsign.o", "-o", library, "-lm", folder=folder)
    spec = importlib.util.spec_from_file_location("_softsign", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


workshop = tempfile.TemporaryDirectory(prefix="softsign")
reason = obstacle()
module = None if reason else compile_module(Path(workshop.name))
print(f"[skipped: C kernel] {reason}" if reason else f"compiled with {COMPILER}")

# %% [markdown]
# The kernel wants its elements side by side. The method sees to that: it copies a strided view
# first. Types that have no kernel go to the reference, which is further down in the list of base
# classes.


# %%
class SoftsignInC:
    def softsign(self, x: np.ndarray) -> np.ndarray:
        kernels = {} if module is None else {"f": module.softsign_f32, "d": module.softsign_f64}
        kernel = kernels.get(x.dtype.char)
        if kernel is None or x.size == 0:
            return super().softsign(x)
        y = np.empty(x.shape, x.dtype)  # the shape first: ascontiguousarray makes () into (1,)
        kernel(np.ascontiguousarray(x).reshape(-1), y.reshape(-1))
        return y


class MyCpu(SoftsignInC, SoftsignInNumPy, CpuBackend):
    """The cpu backend with one kernel more."""


my_cpu = MyCpu()
print(f"cpu backend: deviation {check(my_cpu):.1e}")
if module is not None:
    sample = rng.normal(size=1000).astype(np.float32)
    fast, slow = np.empty_like(sample), np.empty_like(sample)
    module.softsign_f32(sample, fast)
    module.softsign_loop_f32(sample, slow)
    assert np.allclose(fast, slow, rtol=1e-6)
    print(f"the C kernel and the Cython loop agree: {np.abs(fast - slow).max():.1e}")

# %% [markdown]
# ## Step 4: an OpenCL kernel
#
# In OpenCL the loop disappears: many workers run the same few lines, each for its own i. Arrays on
# a device are `ClArray`s, a buffer with an offset and strides. `x0` is the index of the first
# element.

# %%
SOFTSIGN_CL = """\
// y[i] = x[i] / (1 + |x[i]|); one work-item per element; x and y contiguous, y starts at 0.
kernel void softsign(global const real *x, int x0, global real *y, int n) {
  const int i = get_global_id(0);
  if (i < n) y[i] = x[x0 + i] / (1 + fabs(x[x0 + i]));
}
"""
print(SOFTSIGN_CL)


class SoftsignInOpenCL:
    def softsign(self, x):
        y = self.empty(x.shape, x.dtype)
        if y.size:
            x = self._contiguous(x)
            groups = -(-x.size // 64)  # 64 workers per group; the last group may reach beyond n
            self.softsign_kernel(x.dtype)(
                self.runtime.queue, (64 * groups,), (64,),
                x.buffer, np.int32(x.offset), y.buffer, np.int32(x.size),
            )  # fmt: skip
        return y

    def softsign_kernel(self, dtype: np.dtype):
        """Compiled once per element type."""
        made = self.__dict__.setdefault("_softsign_kernels", {})
        if dtype.char not in made:
            import pyopencl as cl

            real = {"f": "float", "d": "double"}[dtype.char]
            program = cl.Program(self.runtime.context, SOFTSIGN_CL).build(["-D", f"real={real}"])
            made[dtype.char] = cl.Kernel(program, "softsign")
        return made[dtype.char]


class MyOpenCL(SoftsignInOpenCL, OpenCLBackend):
    """The OpenCL backend with one kernel more."""


my_opencl = None
try:
    my_opencl = MyOpenCL()
    print("OpenCL device:", my_opencl.runtime.device)
    print(f"OpenCL kernel: deviation {check(my_opencl):.1e}")
except DeviceError as error:
    print(f"[skipped: OpenCL kernel] {error}")

# %% [markdown]
# ## What did it buy?
#
# One large array, forward only, one thread on the cpu backend; everybody takes turns, and the
# median counts (page 4).
#
# **Before you run**: the composition moves about three times as many bytes as one kernel, and page
# 12 says that all of them wait for memory. Which factor do you expect?

# %%
_runtime.set_threads(1)
SIZE = 200_000 if FAST else 2_000_000
host = rng.normal(size=SIZE).astype(np.float32)
on_cpu, on_reference = Tensor(host, backend=my_cpu), Tensor(host, backend=my_reference)
contestants = {
    "composition\n(cpu)": lambda: softsign_composed(on_cpu),
    "NumPy kernel": lambda: softsign(on_reference),
}
if module is not None:
    result = np.empty_like(host)
    contestants["Cython loop"] = lambda: module.softsign_loop_f32(host, result)
    contestants["C kernel"] = lambda: softsign(on_cpu)
if my_opencl is not None:
    on_device = Tensor(host, backend=my_opencl)

    def opencl_turn() -> None:
        softsign(on_device)
        my_opencl.synchronize()

    contestants["OpenCL kernel"] = opencl_turn

times: dict[str, list[float]] = {name: [] for name in contestants}
for turn in range(8 if FAST else 16):
    for name, call in contestants.items():
        started = perf_counter()
        call()
        if turn:  # the first turn warms up
            times[name].append(perf_counter() - started)
medians = {name: median(values) for name, values in times.items()}
whole = medians["composition\n(cpu)"]
print(f"\n{SIZE:,} elements, time relative to the composition")
for name, seconds in medians.items():
    print(f"  {name.replace(chr(10), ' '):<20} {seconds / whole:.2f}")

figure, axes = plt.subplots(figsize=(7.6, 3.4))
heights = [seconds / whole for seconds in medians.values()]
bars = axes.bar(list(medians), heights, color=[MUTED, INK, ORANGE, BLUE, GREEN][: len(heights)])
axes.bar_label(bars, [f"{h:.2f}" for h in heights], padding=2)
axes.set(ylabel="time, composition = 1", title=f"softsign of {SIZE:,} numbers")
axes.set_ylim(0, 1.12 * max(heights))
axes.grid(axis="x", visible=False)
drawing.save(
    figure,
    "08_times.png",
    alt="Times of the composition and of one kernel, in NumPy, C and OpenCL.",
)

# %% [markdown]
# ## Bringing it into the library
#
# If the op should become part of tinydl, the places are fixed: six files, the checklist of
# CONTRIBUTING.md. An elementwise op is one row, or one short function, in each; the methods of the
# backends are made of the rows. `relu` shows the place. The list below is checked: in a checkout,
# this page looks for the place in each file, and a test adds another op by the same list.

# %%
REPOSITORY = Path(__file__).resolve().parent.parent
PLACES = {
    "tinydl/ops/activations.py": ("def relu(x)", "class Softsign, def softsign (see step 2)"),
    "tinydl/ops/__init__.py": ('    "relu",', '    "softsign",  # and in the import: td.softsign'),
    "tinydl/backend/reference/elementwise.py": (
        "def relu(self",
        "def softsign(self, x: Array) -> Array:\n"
        '    """x / (1 + |x|)."""\n'
        "    return _quiet(np.divide, x, 1 + np.abs(x))",
    ),
    "csrc/elementwise_rows.h": ("UNARY(relu,", "UNARY(softsign, 1, x / (ONE + FABS(x)))"),
    "kernels_cl/elementwise.cl": ("UNARY(relu,", "FLOAT_UNARY(softsign, x / (ONE(T) + fabs(x)))"),
    "tinydl/testing/cases_elementwise.py": (
        'OpCase("relu"',
        'OpCase("softsign", ops.softsign, _one("away"), torch="softsign",\n'
        '       kernel=_kernel("normal", ulps=4)),',
    ),
}
print()
for path, (place, addition) in PLACES.items():
    file = REPOSITORY / path
    where = ""
    if file.exists():
        lines = file.read_text().splitlines()
        found = [n for n, line in enumerate(lines, 1) if place in line]
        assert found, f"{path} no longer holds {place!r}"
        where = f" (after line {found[0]})"
    print(f"{path}{where}")
    print("\n".join(f"    + {line}" for line in addition.splitlines()))

# %% [markdown]
# Is one line really enough for C? We try it: copy `csrc/`, insert the row, compile, and call it.
# Strides come for free, since the table's loop takes any. (This part needs a checkout and a
# compiler.)


# %%
TABLE = "csrc/elementwise_rows.h"


def with_addition(text: str, path: str) -> str:
    place, addition = PLACES[path]
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if place in line)
    return "\n".join([*lines[: at + 1], addition, *lines[at + 1 :]]) + "\n"


def patched_library(folder: Path) -> ctypes.CDLL:
    """csrc/elementwise.c with the new row, float32, for the plainest processor."""
    shutil.copytree(REPOSITORY / "csrc", folder / "csrc", dirs_exist_ok=True)
    rows = folder / TABLE
    rows.write_text(with_addition(rows.read_text(), TABLE))
    options = ["-O1", f"-I{folder}/csrc/shared", "-DREAL=float", "-DSUFFIX=_f32_baseline"]
    source, target = folder / "csrc" / "elementwise.c", folder / "patched.so"
    run(COMPILER, *FLAGS, *options, *LINK, source, "-o", target, "-lm", folder=folder)
    return ctypes.CDLL(str(target))


def operation_code(table: str) -> int:
    """The place of softsign in the table, counted as the C enum counts."""
    rows = [line.partition("(") for line in table.splitlines()]
    kinds = ("UNARY", "BINARY", "COMPARISON", "BY_HAND", "CAST")
    names = [rest.split(",")[0] for kind, _, rest in rows if kind in kinds]
    return names.index("softsign")


if COMPILER is None or not (REPOSITORY / "csrc").is_dir():
    print("[skipped: C table] no C compiler, or no checkout of the sources")
else:
    library = patched_library(Path(workshop.name))
    table = (Path(workshop.name) / TABLE).read_text()
    x = rng.normal(size=20).astype(np.float32)[::2]  # every other element: stride 8 bytes
    y = np.empty(10, np.float32)
    pointer, count = ctypes.c_void_p, ctypes.c_ssize_t
    steps = (count * 1)(x.strides[0])
    library.elementwise_f32_baseline(
        ctypes.c_int(operation_code(table)),
        ctypes.c_int(1),
        (pointer * 1)(x.ctypes.data),
        (pointer * 1)(ctypes.addressof(steps)),
        pointer(y.ctypes.data),
        ctypes.c_int(1),
        (count * 1)(10),
        ctypes.c_int(1),
    )
    error = np.abs(y - x / (1 + np.abs(x))).max()
    print(f"the new row of the C table agrees on a strided array: {error:.1e}")
    assert error < 1e-6

workshop.cleanup()

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/08.py`. Try first.
#
# 1. Derive the slope of softsign for x > 0 and for x < 0, and its second derivative. Check the
#    second one by the library.
# 2. Write x * sigmoid(x) as a composition, and as a `Function` whose `backward` is made of
#    operations. Check both.
# 3. Why does `backward` get tensors and use operations, and not arrays and a kernel? Try what
#    happens to a second derivative if it leaves the graph.
# 4. `saves = (0,)` keeps the input. Could softsign's slope be computed from the output alone? Find
#    the formula; what would it save?
# 5. Name three inputs for which a kernel that is right on a plain array is most often wrong, and
#    try them on the page's `SoftsignInC` in thought.
#
# ## What to take along
#
# - start with a composition: right on every backend, derivatives included;
# - a `Function` is a forward kernel and a backward made of operations, so no backend needs
#   calculus;
# - a new kernel is a method; put it into a subclass of the backend, and leave the library alone;
# - check derivatives of both orders, strided and empty inputs, and see the check fail once.
#
# Go on with page 36: what happens when a whole network becomes one program.
