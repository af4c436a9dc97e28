# %% [markdown]
# # Answers to page 7: pictures of gradient descent

# %%
from __future__ import annotations

from collections.abc import Callable


def descend(
    slope: Callable[[float], float], x: float, rate: float, steps: int, decay: float = 1.0
) -> float:
    """Where the walk ends; infinity when it has left the map."""
    for _ in range(steps):
        x -= rate * slope(x)
        rate *= decay
        if abs(x) > 1e6:
            return float("inf")
    return x


def two_valleys(x: float) -> float:
    """The slope of x^4 - 0.2 x^3 - 5 x^2."""
    return x * (4 * x * x - 0.6 * x - 10)


# %% [markdown]
# ## 1. Two steps
#
# The slope is 6x. After one step 1 - 0.1 * 6 = 0.4, after two 0.4 - 0.1 * 2.4 = 0.16: each step
# multiplies by 0.4.

# %%
assert abs(descend(lambda x: 6 * x, 1.0, 0.1, 1) - 0.4) < 1e-12
assert abs(descend(lambda x: 6 * x, 1.0, 0.1, 2) - 0.16) < 1e-12

# %% [markdown]
# ## 2. The border
#
# y'' = 6, so the factor is 1 - 6 rate. It is -1 at rate 1/3: from there on it never settles. It is
# 0 at rate 1/6: one step.

# %%
assert abs(descend(lambda x: 6 * x, 1.0, 1 / 6, 1)) < 1e-12
assert abs(descend(lambda x: 6 * x, 1.0, 0.32, 200)) < 0.01
assert descend(lambda x: 6 * x, 1.0, 0.34, 2000) == float("inf")

# %% [markdown]
# ## 3. On the top of the hill
#
# The slope is exactly 0, so it stays for ever. A thousandth beside it the slope is tiny but not 0:
# the walk rolls down to the right, slowly at first. Real networks start at random and never stand
# exactly on a hill.

# %%
assert descend(two_valleys, 0.0, 0.01, 2000) == 0
assert abs(descend(two_valleys, 0.001, 0.01, 2000) - 1.66) < 0.01

# %% [markdown]
# ## 4. Too fast a decay
#
# All rates together are 0.15 (1 + 0.5 + 0.25 + ...) = 0.3. The first step jumps the hill, a few
# more go downhill, then the rate is gone before the bottom is reached. How close it comes is luck.
# With 0.95 they add up to 3.

# %%
end = descend(two_valleys, -2.0, 0.15, 2000, decay=0.5)
print(f"with decay 0.5 the walk ends at {end:.3f}; the minimum is at 1.658")
assert end > 0.1 and abs(end - 1.658) > 0.01

# %% [markdown]
# ## 5. A flat bottom
#
# The factor of a step is 1 - rate * 4 x^2, for the slope is 4 x^3. Far out any rate explodes: it
# must be below 2 / (4 x^2) = 1 / (2 x^2) at the start. Near the minimum the factor tends to 1: it
# settles, but ever more slowly, like 1 / sqrt(8 rate n) after n steps.

# %%
assert descend(lambda x: 4 * x**3, 3.0, 0.1, 100) == float("inf")
end = descend(lambda x: 4 * x**3, 1.0, 0.1, 10_000)
assert abs(end - (8 * 0.1 * 10_000) ** -0.5) < 0.001
