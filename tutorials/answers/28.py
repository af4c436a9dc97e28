# %% [markdown]
# # Answers to page 28: words by their company

# %%
from __future__ import annotations

import math

import numpy as np

from tinydl import Generator, Tensor, random
from tinydl.data import neighbours, word_corpus
from tinydl.models import SkipGram
from tinydl.models.words.embeddings import analogy
from tinydl.optim import Adam

# %% [markdown]
# ## 1. By hand
#
# v . u is 0 for the neighbour and 2 for the drawn word. L = -ln 0.5 - ln s(-2) = 0.693 + 2.127 =
# 2.82. dL/dv = (0.5 - 1) (0, 1) + 0.881 (2, 0) = (1.76, -0.5). v moves against it: away from the
# drawn word, towards the neighbour.


# %%
def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


v, true, drawn, h = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([2.0, 0.0]), 1e-5


def loss(v: np.ndarray) -> float:
    return -math.log(s(v @ true)) - math.log(s(-(v @ drawn)))


measured = [(loss(v + h * e) - loss(v - h * e)) / (2 * h) for e in np.eye(2)]
print(f"L {loss(v):.2f}, gradient {np.round(measured, 3)}")
assert np.abs(np.array(measured) - ((s(0) - 1) * true + s(2) * drawn)).max() < 1e-8

# %% [markdown]
# ## 2. What the product learns
#
# L = -p ln s(x) - (1 - p) ln s(-x) has the slope s(x) - p: 0 at s(x) = p, so x = ln(p / (1 - p)).
# It is the logarithm of how much more frequent the pair is than by chance. A pair that is never
# true has no smallest value: x falls for ever.

# %%
p, x = 0.2, np.linspace(-5, 5, 10_001)
loss_of = p * np.log1p(np.exp(-x)) + (1 - p) * np.log1p(np.exp(x))
print(f"smallest at {x[loss_of.argmin()]:.3f}, ln(p / (1 - p)) = {math.log(p / (1 - p)):.3f}")
assert abs(x[loss_of.argmin()] - math.log(p / (1 - p))) < 0.001

# %% [markdown]
# ## 3. How many
#
# 10,000 for each pair: 10^10. With drawing 17 for each: 1.7 * 10^7, a 588th.

# %%
assert 10_000 * 1_000_000 == 10**10 and round(10_000 / 17) == 588

# %% [markdown]
# ## 4. Two more analogies
#
# The first is "her". For the second one would say "rules", since a king stands beside "rules" as a
# man beside "works"; but it is "queen". works + king - man is still nearest to king's own
# neighbourhood, since "king" and "man" differ in more than their verb and "works" is only one term
# of three. That an analogy comes out right is luck with lengths as well as directions: the word
# that was added is left out of the answers, and the next best one often is its neighbour.

# %%
PEOPLE = {"king": ("he", "rules"), "queen": ("she", "rules"), "man": ("he", "works"),
          "woman": ("she", "works"), "boy": ("he", "plays"), "girl": ("she", "plays")}  # fmt: skip
THINGS = {"rules": ("crown", "throne"), "works": ("plough", "mill"), "plays": ("ball", "kite")}
rng, sentences = Generator(0), []
for _ in range(1_500):
    name = list(PEOPLE)[int(rng.integers(0, 6))]
    pronoun, verb = PEOPLE[name]
    thing = THINGS[verb][int(rng.integers(0, 2))]
    sentences.append(f"the {name} {verb} with {'his' if pronoun == 'he' else 'her'} {thing}")
corpus = word_corpus(sentences, 1)
random.seed(0)
model, rng = SkipGram(len(corpus.vocabulary), 10), Generator(1)
optimizer = Adam(model.parameters(), lr=0.02)
words, beside = neighbours(corpus.words, corpus.texts, 4, rng).T
for _ in range(300):
    chosen = rng.integers(0, len(words), 256)
    others = rng.integers(0, len(corpus.vocabulary), 16)
    optimizer.zero_grad()
    model.loss(*map(Tensor, (words[chosen], beside[chosen], others))).backward()
    optimizer.step()
place = corpus.vocabulary.index
vectors, answers = model.vectors(), []
for first, second, third in (("man", "woman", "his"), ("man", "king", "works")):
    found = analogy(vectors, place(first), place(second), place(third))[0]
    answers.append(corpus.vocabulary[found])
    print(f"{first} : {second} = {third} : {answers[-1]}")
assert answers == ["her", "queen"]

# %% [markdown]
# ## 5. Xor
#
# A sum w1 a + w2 b + c has to be positive at (1, -1) and (-1, 1) and negative at (1, 1) and (-1,
# -1). The first two sum to 2c > 0, the last two to 2c < 0: impossible. The product -a b does it: V
# with -1/2 in the two places of a b.

# %%
V = np.array([[0, -0.5], [-0.5, 0]])
for a in (-1, 1):
    for b in (-1, 1):
        x = np.array([a, b])
        assert x @ V @ x == (1 if a != b else -1)
