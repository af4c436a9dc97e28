# %% [markdown]
# # Answers to page 33: few-shot learning

# %%
from __future__ import annotations

import numpy as np

import tinydl
from tinydl import Generator
from tinydl.models import PrototypicalNet
from tinydl.optim import Adam
from tinydl.programs.episode_lessons import ByEpisodes, Ways

# %% [markdown]
# ## 1. By hand
#
# Prototypes (1, 0) and (0, 4). Squared distances 4 and 1 + 4 = 5: softmax of (-4, -5), 0.73 and
# 0.27.

# %%
q, means = np.array([1.0, 2.0]), np.array([[1.0, 0], [0, 4]])
scores = -((q - means) ** 2).sum(axis=1)
p = np.exp(scores) / np.exp(scores).sum()
print(scores, np.round(p, 2))
assert scores.tolist() == [-4, -5] and abs(p[0] - 0.731) < 0.001

# %% [markdown]
# ## 2. Linear
#
# -|q - m|^2 = -|q|^2 + 2 m . q - |m|^2. The first term is the same for every class, and a softmax
# does not see it. So the weights are 2 m and the bias is -|m|^2: a last layer that is computed from
# the examples in place of trained.

# %%
linear = 2 * means @ q - (means**2).sum(axis=1)
assert np.allclose(np.exp(linear) / np.exp(linear).sum(), p)

# %% [markdown]
# ## 3. How sure
#
# At best one cosine is 1 and four are -1: e / (e + 4 / e) = 0.65. Never surer: the loss has a
# floor, and its gradient never rests. Times 10: next to 1.

# %%
for sharpness in (1, 10):
    most = np.exp(sharpness) / (np.exp(sharpness) + 4 * np.exp(-sharpness))
    print(f"sharpness {sharpness}: at most {most:.4f}")
    assert (most < 0.65) == (sharpness == 1)

# %% [markdown]
# ## 4. An interval
#
# 1.96 * 0.08 / sqrt(600) = 0.0064: 90.0 +- 0.6 %. Four times as many, 2,400, halve it.

# %%
assert abs(1.96 * 0.08 / 600**0.5 - 0.0064) < 1e-5
assert np.isclose(1.96 * 0.08 / 2_400**0.5, 1.96 * 0.08 / 600**0.5 / 2)

# %% [markdown]
# ## 5. Known classes
#
# It flatters: the encoder was fitted to these very classes. Here the alphabets are rows of numbers
# in place of images (a class is a centre, hands scatter around it), so that it takes a second: a
# net of convolutions on 8 x 8 patterns of noise.


# %%
def patterns(classes: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(classes, 1, 8, 8, 1))
    return (centres + 1.5 * draw.normal(size=(classes, 12, 8, 8, 1))).astype(np.float32)


known, strange = patterns(20, 1), patterns(20, 2)
tinydl.seed(1)
model = PrototypicalNet((8, 8, 1), filters=16, blocks=2)
lesson, rng = ByEpisodes(ways=5, shots=1, queries=4, episodes=60), Generator(4)
optimizer, ready = Adam(model.named_parameters(), 0.005), lesson.prepared(known, Generator(3))
for _ in range(3):
    for loss, _ in lesson.steps(model, known, ready, rng):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
exam = Ways({"1-shot": (5, 1)}, queries=3, tested=150)
told = {
    name: exam.asked(model, x)["1-shot"] for name, x in (("known", known), ("strange", strange))
}
print({name: round(float(value), 3) for name, value in told.items()})
assert told["known"] > told["strange"] + 0.1
