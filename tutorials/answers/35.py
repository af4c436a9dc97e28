# %% [markdown]
# # Answers to page 35: learning to learn

# %%
from __future__ import annotations

import numpy as np

import tinydl as td
from tinydl import Generator, Tensor
from tinydl.data import sinusoids
from tinydl.models import MAML
from tinydl.optim import Adam, clip_by_global_norm

# %% [markdown]
# ## 1. Two steps
#
# Each step multiplies the distance from a by 1 - alpha c: two give (1 - alpha c)^2. With alpha = 1
# / c the first step ends at a, wherever it began: the end does not depend on the beginning, and the
# gradient is 0.

# %%
c, a, alpha = 3.0, 1.0, 0.1


def after(w: float, steps: int, alpha: float) -> float:
    for _ in range(steps):
        w -= alpha * c * (w - a)
    return w


moved = (after(0.5 + 1e-6, 2, alpha) - after(0.5, 2, alpha)) / 1e-6
assert abs(moved - (1 - alpha * c) ** 2) < 1e-6 and abs(after(0.5, 1, 1 / c) - a) < 1e-12

# %% [markdown]
# ## 2. Two tasks
#
# After a step the loss is c (1 - alpha c)^2 (w - a)^2 / 2: each parabola counts by c (1 - alpha
# c)^2, 3 * 0.49 = 1.47 and 0.81. The best beginning is the weighted mean, (1.47 - 0.81) / 2.28 =
# 0.29. Without a step the weights are 3 and 1: 0.5. MAML leans less towards the steep task: its
# step helps itself.

# %%
c, a = np.array([3.0, 1.0]), np.array([1.0, -1.0])
w = np.linspace(-1, 1, 20_001)[:, None]
for alpha in (0.1, 0.0):
    loss = (c * ((1 - alpha * c) * (w - a)) ** 2 / 2).sum(axis=1)
    print(f"alpha {alpha}: best beginning {w[loss.argmin(), 0]:.3f}")
    assert abs(w[loss.argmin(), 0] - (0.2895 if alpha else 0.5)) < 1e-3

# %% [markdown]
# ## 3. Reptile
#
# k = 1 is gradient descent on the sum of the losses: it stays about 0.5. With many steps each task
# ends at its own a, and the beginning is pulled to 1 and to -1 alike: it stays about 0, the middle
# of the ends, whatever the curvatures.

# %%
for k, expected in ((1, 0.5), (100, 0.0)):
    w = 0.3
    for n in range(4_000):
        end = w
        for _ in range(k):
            end -= 0.1 * c[n % 2] * (end - a[n % 2])
        w += 0.1 * (end - w)
    print(f"k = {k}: stays near {w:.2f}")
    assert abs(w - expected) < 0.1

# %% [markdown]
# ## 4. The gradient of a step, checked
#
# The measured slope of L2(w - alpha L1'(w)) is that of the library, with the second derivative in
# it.


# %%
def through_a_step(w: Tensor) -> Tensor:
    (along,) = td.grad((3 * (w - 1) ** 2 / 2).sum(), w, create_graph=True)
    return (2 * (w - 0.1 * along + 1) ** 2 / 2).sum()


h = 1e-5
w = td.tensor([0.5], dtype="float64", requires_grad=True)
(by_library,) = td.grad(through_a_step(w), w)
sides = [
    through_a_step(td.tensor([0.5 + s], dtype="float64", requires_grad=True)).item()
    for s in (h, -h)
]
print(f"measured {(sides[0] - sides[1]) / (2 * h):.6f}, by the library {by_library.item():.6f}")
assert abs((sides[0] - sides[1]) / (2 * h) - by_library.item()) < 1e-8

# %% [markdown]
# ## 5. First order
#
# Little: both learn a beginning, of about the same error after five steps. The step is small (alpha
# = 0.01), so the factor 1 - alpha L1'' is near 1 in most directions.


# %%
def points(tasks: int, rng: Generator, *counts: int) -> list[Tensor]:
    drawn = sinusoids(tasks, rng)
    return [Tensor(array) for count in counts for array in drawn.points(count, rng)]


tested, found = points(100, Generator(9), 10, 50), {}
for first_order in (False, True):
    td.seed(0)
    model, rng = MAML(first_order=first_order), Generator(1)
    found["start"] = model.curve(*tested, 5)[5]
    optimizer = Adam(model.parameters(), 0.002)
    for _ in range(100):
        optimizer.zero_grad()
        model.outer(*points(25, rng, 10, 10), Generator(2))
        clip_by_global_norm(model.parameters(), 1.0)
        optimizer.step()
    found[first_order] = model.curve(*tested, 5)[5]
print({str(name): round(float(error), 2) for name, error in found.items()})
assert max(found[True], found[False]) < found["start"]
assert abs(found[True] - found[False]) < 0.5 * (found["start"] - found[False])
