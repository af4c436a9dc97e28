# %% [markdown]
# # 42. A GPT, from one number at a time to SIMD
#
# **You need**: *self-attention* (page 27), a *language model* and *temperature* (page 26), a
# *computational graph* and *backpropagation* (page 1), *softmax* and *cross-entropy* (page 40), a
# *residual block* (page 43), *layer normalisation* (page 10), *Adam* (page 11), a *backend* (page
# 2).
#
# **You will be able to** name every part of a GPT and find it in the code; say why the loss of all
# letters is computed at once although each is written after the other; and say where the speed
# between a graph of numbers and a compiled kernel comes from.
#
# A language model is a loop: look at what was written, say how likely each sign is next, draw one.
# Here the network inside is written twice and run four times: as a *scalar graph*, in which every
# number is an object that remembers what it was made of, as on page 1; and with arrays, on NumPy,
# on C loops whose instructions take 8 or 16 numbers at once (*SIMD*), and on OpenCL. The results
# are the same. How many *tokens* (here letters) are read a second is not. `names.txt` says its
# licence (CC0).

# %%
from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST
from recorded import note

import tinydl as td
from tinydl import nn
from tinydl.backend.cpu import _runtime
from tinydl.errors import DeviceError
from tinydl.optim import Adam

_runtime.set_threads(1)
NAMES = (Path(__file__).resolve().parent / "names.txt").read_text().split("\n\n")[1].split()
SIGNS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a name
V, D, H, T = len(SIGNS), 16, 4, 1 + max(map(len, NAMES))  # signs, width, heads, places
SHAPES = {"token": (V, D), "place": (T, D), "query": (D, D), "key": (D, D), "value": (D, D),
          "out": (D, D), "up": (D, 4 * D), "down": (4 * D, D), "head": (D, V)}  # fmt: skip
rng = np.random.default_rng(0)
WEIGHTS = {name: rng.normal(0, 0.2, shape) for name, shape in SHAPES.items()}
TABLES = ("token", "place")  # used by rows, the others by columns

# %% [markdown]
# A `Number` keeps its parts and the slope towards each; the tape has all of them in the order in
# which they were made. `fill_slopes` goes back along it and adds up: the whole of backpropagation.
# (`bent` is any function of one number: exp, log, ReLU, with its value and its slope.)


# %%
class Number:
    tape = []  # noqa: RUF012 (one for all)

    def __init__(self, value: float, parts: tuple = (), slopes: tuple = ()) -> None:
        self.value, self.parts, self.slopes, self.grad = value, parts, slopes, 0.0
        self.tape.append(self)

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, (self, other), (1.0, 1.0))

    def __mul__(self, other: Number) -> Number:
        return Number(self.value * other.value, (self, other), (other.value, self.value))

    def bent(self, value: float, slope: float) -> Number:
        return Number(value, (self,), (slope,))


def fill_slopes(loss: Number) -> None:
    loss.grad = 1.0
    for number in reversed(Number.tape):
        for part, slope in zip(number.parts, number.slopes, strict=True):
            part.grad += slope * number.grad


# %% [markdown]
# The network, letter by letter:
#
# 1. a vector for the letter plus a vector for its place;
# 2. *attention*: each place makes a query, a key and a value. The query looks at the keys so far,
#    their likeness says how much of each value it takes. Keys and values of earlier places do not
#    change when a letter is added, since those places cannot see it; so they are kept, the *KV
#    cache*, and each new letter costs one query. Four heads, each with a quarter of the numbers;
# 3. a small multilayer perceptron with ReLU at each place;
# 4. a matrix to 27 logits, a softmax, and the loss -ln p(next letter).
#
# What 2 and 3 compute is *added* to what came in, as in a residual block, so gradients have a
# straight way back. Before each of them a vector is divided by the root of its mean square (RMS
# norm: layer normalisation without the mean).
#
# **Before you run**: one name of eight letters makes nine losses. How many `Number` objects will
# its graph have: hundreds, thousands, or tens of thousands?


# %%
def linear(x: list, columns: list) -> list:
    return [sum((a * b for a, b in zip(x, c, strict=True)), Number(0.0)) for c in columns]


def norm(x: list) -> list:
    mean = linear(x, [x])[0] * Number(1 / D) + Number(1e-6)
    return [a * mean.bent(mean.value**-0.5, -0.5 * mean.value**-1.5) for a in x]


def softmax(x: list) -> list:
    powers = [a.bent(math.exp(a.value), math.exp(a.value)) for a in x]
    total = sum(powers, Number(0.0))
    return [p * total.bent(1 / total.value, -(total.value**-2)) for p in powers]


def scalar_loss(name: str, w: dict) -> Number:
    ids, keys, values, total, E = [SIGNS.index(c) for c in f".{name}."], [], [], Number(0.0), D // H
    for place, (token, following) in enumerate(pairwise(ids)):
        x, mixed = [a + b for a, b in zip(w["token"][token], w["place"][place], strict=True)], []
        h = norm(x)
        query, key, value = (linear(h, w[n]) for n in ("query", "key", "value"))
        keys.append(key)
        values.append(value)
        for first in range(0, D, E):
            part = slice(first, first + E)
            likeness = linear(query[part], [key[part] for key in keys])
            looks = softmax([a * Number(E**-0.5) for a in likeness])
            mixed += linear(looks, list(zip(*[value[part] for value in values], strict=True)))
        x = [a + b for a, b in zip(x, linear(mixed, w["out"]), strict=True)]
        wide = [a.bent(max(a.value, 0.0), a.value > 0) for a in linear(norm(x), w["up"])]
        x = [a + b for a, b in zip(x, linear(wide, w["down"]), strict=True)]
        p = softmax(linear(norm(x), w["head"]))[following]
        total += p.bent(-math.log(p.value), -1 / p.value)
    return total * Number(1 / (len(ids) - 1))


def scalar_step(name: str) -> tuple[float, dict]:
    Number.tape = []
    w = {n: [[Number(v) for v in row] for row in (a if n in TABLES else a.T)]
         for n, a in WEIGHTS.items()}  # fmt: skip
    loss = scalar_loss(name, w)
    fill_slopes(loss)
    return loss.value, w


# %% [markdown]
# The same for N names at once. Sums have become matrix products, the loop over places a mask: a
# place sees those before it. So all places are computed side by side, though a letter that is
# written must wait for the one before it. Which loops run below is the tensors' `backend`.
#
# **Before you run**: by which factor will arrays be faster than numbers as objects, for one name
# and for all 570 at once? And C than NumPy, for one name?


# %%
def logits(ids: td.Tensor, w: dict) -> td.Tensor:
    N, steps = ids.shape
    x = td.embedding(w["token"], ids) + w["place"][:steps]
    h = td.rms_norm(x)
    q, k, v = ((h @ w[n]).reshape(N, steps, H, D // H).transpose((0, 2, 1, 3))
               for n in ("query", "key", "value"))  # fmt: skip
    mixed = td.scaled_dot_product_attention(q, k, v, causal=True).transpose((0, 2, 1, 3))
    x = x + mixed.reshape(N, steps, D) @ w["out"]
    x = x + td.relu(td.rms_norm(x) @ w["up"]) @ w["down"]
    return td.rms_norm(x) @ w["head"]


def update(names: list[str], w: dict, rule: Adam) -> float:
    ids = np.full((len(names), T + 1), -1)  # -1 behind a name's end counts nothing
    for row, name in zip(ids, names, strict=True):
        row[: len(name) + 2] = [SIGNS.index(c) for c in f".{name}."]
    x, y = (td.Tensor(a, backend=rule.parameters[0].backend)
            for a in (np.maximum(ids[:, :-1], 0), ids[:, 1:]))  # fmt: skip
    rule.zero_grad()
    loss = nn.cross_entropy(logits(x, w), y, ignore_index=-1)
    loss.backward()
    rule.step()
    return loss.item()


def rate(step, names: list[str]) -> float:
    step()
    began, calls = perf_counter(), 0
    while calls < 2 or perf_counter() - began < (0.1 if FAST else 1.0):
        step()
        calls += 1
    return calls * sum(len(name) + 1 for name in names) / (perf_counter() - began)


# Before they race, the rungs must agree: in the loss and in every slope, to 1e-10 in float64.
loss, numbers = scalar_step("rosalind")
print(f"{len(Number.tape):,} numbers in the graph of one name, loss {loss:.6f}")
RUNGS, TRAINED = {"scalar graph, 1": rate(lambda: scalar_step("rosalind"), ["rosalind"])}, {}
for label, backend in (("NumPy", "numpy"), ("C", "cpu"), ("OpenCL", "opencl")):
    try:
        exact, w = ({n: td.Tensor(a, backend=backend, dtype=kind, requires_grad=True)
                     for n, a in WEIGHTS.items()} for kind in ("float64", "float32"))  # fmt: skip
    except DeviceError:
        continue  # no OpenCL here
    assert abs(update(["rosalind"], exact, Adam(exact.values(), lr=0.0)) - loss) < 1e-10
    for name, rows in numbers.items():
        slope = exact[name].grad.numpy() if name in TABLES else exact[name].grad.numpy().T
        assert np.abs(slope - [[number.grad for number in row] for row in rows]).max() < 1e-10
    TRAINED[label] = w, Adam(w.values(), lr=0.01)
    for names in (["rosalind"], NAMES):
        step = partial(update, names, *TRAINED[label])
        RUNGS[f"{label}, {len(names)}"] = rate(step, names)
for label, value in RUNGS.items():
    if not FAST:
        note(f"tokens per second, {label}", value)
    print(f"{label:>16} at once {value:12,.0f} tokens per second")
figure, axis = drawing.plt.subplots(figsize=(6.4, 2.6))
axis.barh(list(RUNGS)[::-1], list(RUNGS.values())[::-1], color=BLUE)
axis.set(xscale="log", xlabel="tokens per second, forward, backward and update")
drawing.save(
    figure,
    "42_rungs.png",
    alt="Tokens per second on a logarithmic axis: the scalar graph with one name, then NumPy, C "
    "and OpenCL with one name and with all; each is faster with all.",
)

# %% [markdown]
# ![Tokens per second](../docs/figures/42_rungs.png)
#
# On the machine of the record (which had other work to do) the scalar graph reads 4 (recorded:
# tokens per second, scalar graph, 1) tokens a second; NumPy 440 (recorded: tokens per second,
# NumPy, 1) with one name and 16,177 (recorded: tokens per second, NumPy, 570) with all, C 939
# (recorded: tokens per second, C, 1) and 24,382 (recorded: tokens per second, C, 570). An object
# for each number costs far more than the one multiplication in it. With one name, calling an
# operation costs more than its arithmetic, whoever does it. With all of them the loops
# (`csrc/matmul.c`, `csrc/attention.c`) have something to do. Now the C rung goes on, and writes.

# %%
w, rule = TRAINED["C"]
losses = [update(NAMES, w, rule) for _ in range(20 if FAST else 400)]
for name in ["."] * 10:
    while name == "." or (name[-1] != "." and len(name) < T):
        last = logits(td.Tensor([[SIGNS.index(c) for c in name]]), w)[0, -1]
        p = td.softmax(last).detach().numpy().astype(np.float64)
        name += SIGNS[rng.choice(V, p=p / p.sum())]
    print(name.strip("."), end=" ")
print(f"\nloss {losses[0]:.2f} -> {losses[-1]:.2f}; a letter drawn evenly has {math.log(V):.2f}")
assert losses[-1] < math.log(V) - 0.5

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/42.py`. Try first.
#
# 1. Count by hand: how many weights has the network, with 27 signs, width 16 and T places? Which
#    part has most?
# 2. In the scalar graph, how many multiplications does the query of one place need, and how many
#    `Number` objects does `linear` make for it?
# 3. Without the scale E ** -0.5 in front of the likeness, what changes at the beginning of
#    training? Compute the likeness's spread for random weights.
# 4. Exchange two letters inside a name. Without the vectors of places, which later outputs would
#    stay the same?
# 5. What would the KV cache save in writing a name of 8 letters: how many keys are computed with
#    it, and how many without?
#
# ## What to take along
#
# - A GPT is: vectors for letters and places, attention and a small network, both added, a softmax.
#   All of it fits on a page.
# - A mask lets all places learn at once; a cache lets them be written one by one.
# - The same numbers by four ways: check before you race.
# - Speed is work per call: objects, then calls, then bytes, then arithmetic.
#
# Go on with page 28: what the vector of a word can know.
