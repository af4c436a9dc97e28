# %% [markdown]
# # 42. A GPT, from one number at a time to SIMD
#
# A language model is a loop: look at what was written, say how likely each sign is next, draw one.
# Here the network inside is written twice and run four times: as a *scalar graph*, in which every
# number is an object that remembers what it was made of; and with arrays, on NumPy, on C loops
# whose instructions take 8 or 16 numbers at once (*SIMD*), and on OpenCL. The results are the same.
# How many *tokens* (here letters) are read a second is not. `names.txt` says its licence (CC0).

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
# The network, letter by letter. Each place makes a query, a key and a value. The query looks at the
# keys so far, their likeness says how much of each value it takes; keeping both is the *KV cache*.
# A small network follows; both are *added* to what came in. The loss is -log p(next letter).


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
# place sees those before it. Which loops run below is the tensors' `backend`.


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
    print(f"{label:>16} at once {value:12,.0f} tokens per second")
figure, axis = drawing.plt.subplots(figsize=(6.4, 2.6))
axis.barh(list(RUNGS)[::-1], list(RUNGS.values())[::-1], color=BLUE)
axis.set(xscale="log", xlabel="tokens per second, forward, backward and update")
drawing.save(figure, "42_rungs.png", alt="Tokens per second of the four rungs, a name or many.")

# %% [markdown]
# With one name, calling an operation costs more than its arithmetic. With all of them the loops
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
