# %% [markdown]
# # Answers to page 1: derivatives by hand and by graph

# %%
from __future__ import annotations

import math
from heapq import heappop, heappush


class Number:
    """The Number of the page, with `exp`."""

    def __init__(self, value: float, made_of: tuple[tuple[Number, float], ...] = ()) -> None:
        self.value, self.made_of, self.grad = value, made_of, 0.0
        self.age = 1 + max((p.age for p, _ in made_of), default=0)

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number) -> Number:
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def sigmoid(self) -> Number:
        z = 1 / (1 + math.exp(-self.value))
        return Number(z, ((self, z * (1 - z)),))

    def exp(self) -> Number:
        y = math.exp(self.value)
        return Number(y, ((self, y),))


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


# %% [markdown]
# ## 1. Three nodes
#
# x, x * x, and (x * x) * x. The last product gives x * x the slope 2 and x the slope 4; x * x then
# gives x another 2 * 2 twice. Together 4 + 4 + 4 = 12 = 3 x^2, after three visits.

# %%
x = Number(2.0)
assert youngest_first(x * x * x) == 3 and x.grad == 12

# %% [markdown]
# ## 2. The sigmoid
#
# z = 1 / u with u = 1 + e^-s. dz/du = -1 / u^2 and du/ds = -e^-s, so dz/ds = e^-s / u^2. Now
# 1 / u = z and e^-s / u = (u - 1) / u = 1 - z. The product is z (1 - z).

# %%
s, h = 0.7, 1e-6
z = Number(s).sigmoid()
measured = (Number(s + h).sigmoid().value - Number(s - h).sigmoid().value) / (2 * h)
assert abs(z.value * (1 - z.value) - measured) < 1e-9

# %% [markdown]
# ## 3. XOR
#
# The loss stops at 1: every answer is 0.5, and four times 0.5^2 is 1. No weights do better, since
# one neuron divides the plane by one straight line (page 13 is about that).

# %%
XOR = (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0))
w1, w2, b = Number(0.3), Number(-0.2), Number(0.1)
for _ in range(600):
    loss = Number(0.0)
    for (x1, x2), target in XOR:
        miss = (w1 * Number(x1) + w2 * Number(x2) + b).sigmoid() + Number(-target)
        loss = loss + miss * miss
    youngest_first(loss)
    w1, w2, b = (Number(w.value - w.grad) for w in (w1, w2, b))
print(f"loss on XOR after 600 rounds: {loss.value:.4f}")
assert abs(loss.value - 1) < 0.01

# %% [markdown]
# ## 4. exp
#
# The slope of e^x is e^x itself; the method is in the class above. Here for e^x * x, whose slope is
# e^x (x + 1).

# %%
x = Number(0.5)
youngest_first(x.exp() * x)
measured = (math.exp(0.5 + h) * (0.5 + h) - math.exp(0.5 - h) * (0.5 - h)) / (2 * h)
assert abs(x.grad - measured) < 1e-8


# %% [markdown]
# ## 5. Last in, first out
#
# Let b = a + a and c = b + b, and d = c * b. The list holds c, then b; b is popped first, with only
# half of its gradient, and passes that on. What arrives from c comes too late. For a = 1 the true
# slope is 16, since d = 8 a^2.


# %%
def last_in_first_out(result: Number) -> None:
    result.grad = 1.0
    waiting, known = [result], {result}
    while waiting:
        node = waiting.pop()
        for p, slope in node.made_of:
            p.grad += slope * node.grad
            if p not in known:
                known.add(p)
                waiting.append(p)


found = []
for walk in (youngest_first, last_in_first_out):
    a = Number(1.0)
    b = a + a
    walk((b + b) * b)
    found.append(a.grad)
print("youngest first and last in, first out:", found)
assert found[0] == 16 != found[1]
