# %% [markdown]
# # 33. Few-shot learning: classes that were never trained on
#
# **You need**: a *convolution* (page 5), *softmax*, *cross-entropy* and a *test set* (page 40), an
# *LSTM* (page 9), *attention* (page 27).
#
# **You will be able to** set up a test of n-way, k-shot episodes; score a query by prototypes, by
# attention and by pairs; put an interval to an accuracy; and find out what a perfect answer would
# score in somebody's protocol before you believe its table.
#
# A person who has seen one letter of a strange alphabet finds it again on the next page. A
# classifier cannot: its classes are rows of its last layer, and a new row needs training. The way
# out is to learn not classes but *comparing*: from many small tasks, each with other classes, so
# that what remains to be learnt is what all tasks share. This page invents an alphabet, compares
# four ways to compare, and looks at how a test can fool its author.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.models import MatchingNet, MemoryNet, PrototypicalNet, SiameseNet
from tinydl.optim import Adam
from tinydl.programs.episode_lessons import (
    ByEpisodes,
    ByPairs,
    Sights,
    Ways,
    books_ceiling,
    books_episode,
    drawn_episode,
)

SIDE = 16

# %% [markdown]
# ## An invented alphabet
#
# A character is three strokes between points of chance; whoever writes it misses the points a
# little, and moves the whole.


# %%
def alphabet(classes, each, seed):
    """Pictures (classes, each, SIDE, SIDE, 1)."""
    rng = np.random.default_rng(seed)
    strokes = rng.uniform(0.15, 0.85, (classes, 1, 3, 2, 2))
    hand = rng.normal(0, 0.045, (classes, each, 3, 2, 2)) + rng.normal(
        0, 0.05, (classes, each, 1, 1, 2)
    )
    ends = strokes + hand
    grid = (np.arange(SIDE) + 0.5) / SIDE
    pixels = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
    a, b = (ends[..., k, :][..., None, None, :] for k in (0, 1))
    along = ((pixels - a) * (b - a)).sum(-1) / np.maximum(((b - a) ** 2).sum(-1), 1e-6)
    near = a + np.clip(along, 0, 1)[..., None] * (b - a)
    away = np.sqrt(((pixels - near) ** 2).sum(-1)).min(axis=2)
    return np.clip(1.6 - away * SIDE, 0, 1)[..., None].astype(np.float32)


known, strange = alphabet(60, 12, 1), alphabet(30, 12, 2)
figure, axes = plt.subplots(4, 9, figsize=(6.4, 3.0))
for row, pictures in zip(axes, strange, strict=False):
    for cell, picture in zip(row, pictures, strict=False):
        cell.imshow(picture[..., 0], cmap="gray_r", vmin=0, vmax=1)
        cell.axis("off")
figure.suptitle("four strange characters, each by nine hands", fontsize=10)
drawing.save(
    figure,
    "33-alphabet.png",
    alt="Four invented characters of three strokes each, every one written by nine hands.",
)

# %% [markdown]
# ![Four strange characters](../docs/figures/33-alphabet.png)
#
# ## An episode
#
# Draw five classes, one example of each (the *support*), and other images of the same five to be
# told (the *queries*): an *episode*, "5-way, 1-shot". Training episodes come from the known
# characters, test episodes from the strange ones: no class of the test was ever trained on. Which
# number a class has is dealt anew in every episode, so nothing can be learnt by heart; what helps
# in the next episode is how to compare.
#
# Chance is 20 %. An honest baseline compares pixels: which example is nearest?
#
# **Before you run**: how far will the nearest example by pixels get, if a hand moves the whole
# character by a pixel or two?

# %%
episode = drawn_episode(strange.shape[:2], 5, 1, 2, Generator(0))
print("classes of the examples:", episode.examples[:, 0, 0], "; to be told:", episode.labels)
exam = Ways({"1-shot": (5, 1), "5-shot": (5, 5)}, queries=3, tested=150 if FAST else 600)
rows = strange.reshape(*strange.shape[:2], -1)


def nearest_mean(examples, queries):
    means = examples.mean(axis=1)
    return 2 * queries @ means.T - (means**2).sum(axis=1)


found = {"mean of pixels": exam.tried(rows, nearest_mean)}

# %% [markdown]
# ## Prototypes, attention, pairs
#
# All three send images through an encoder, convolutions that end in a vector, the code; they differ
# in how codes are compared.
#
# - A *prototypical network* (Snell et al. 2017) takes the mean m_k of a class's codes for the
#   class, and the scores -|q - m_k|^2 of a query's code q go into a softmax.
# - A *matching* network (Vinyals et al. 2016) averages the examples' labels, weighted by a softmax
#   of cosines between codes: attention over the examples, a nearest neighbour that can be
#   differentiated.
# - A *siamese network* (Koch et al. 2015) learns from pairs whether two images show the same, and
#   is asked once for each example.
#
# The first two are trained by what they are tested by, the cross-entropy of queries in episodes:
# the gradient goes through the comparison into the encoder, which learns to put images of one class
# together, whatever the class.
#
# **Before you run**: which gains most from five examples of each class in place of one: one of
# these three, or the pixels?

# %%
EPOCHS = 2 if FAST else 10


def train(model, lesson, lr, epochs):
    optimizer, rng = Adam(model.named_parameters(), lr), Generator(4)
    ready = lesson.prepared(known, Generator(3))
    for _ in range(epochs):
        for loss, _ in lesson.steps(model, known, ready, rng):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


tinydl.seed(1)
sizes = {"picture": (SIDE, SIDE, 1), "filters": 24, "blocks": 3}
lesson = ByEpisodes(ways=10, shots=1, queries=4, episodes=40 if FAST else 60)
for name, model in (
    ("prototypes", PrototypicalNet(**sizes)),
    ("matching", MatchingNet(**sizes)),
):
    found[name] = exam.asked(train(model, lesson, 0.004, EPOCHS), strange)
twin = SiameseNet((SIDE, SIDE, 1), filters=16, kernel=5, width=40)
pairs = ByPairs(1_500 if FAST else 8_000, 50)
found["siamese"] = exam.asked(train(twin, pairs, 0.001, 2 * EPOCHS), strange)
for name, row in found.items():
    print(f"{name:15} 1-shot {row['1-shot']:.1%} +- {row['1-shot_interval']:.1%}, ", end="")
    print(f"5-shot {row['5-shot']:.1%} +- {row['5-shot_interval']:.1%}")
    if not FAST:
        note(f"1-shot of {name}", row["1-shot"])
        note(f"5-shot of {name}", row["5-shot"])
if FAST and figures("33"):
    print("recorded at full length:")
    for name in found:
        told = (figures("33")[f"{shots} of {name}"] for shots in ("1-shot", "5-shot"))
        print(f"{name:15} 1-shot {next(told):.1%}, 5-shot {next(told):.1%}")
assert found["prototypes"]["1-shot"] > found["mean of pixels"]["1-shot"]

# %% [markdown]
# At full length prototypes tell 92.2 % (recorded: 1-shot of prototypes) of the queries from one
# example and 98.2 % (recorded: 5-shot of prototypes) from five; pairs 70.8 % (recorded: 1-shot of
# siamese) and 78.0 % (recorded: 5-shot of siamese). Pixels gain most by five examples, from 71.0 %
# (recorded: 1-shot of mean of pixels) to 87.5 % (recorded: 5-shot of mean of pixels): a mean
# averages out what the hands did, and good codes have learnt to leave that out. (Each figure has an
# interval: episodes differ, and a mean over n of them is uncertain by 1.96 times their standard
# deviation, divided by the root of n.)
#
# ## A table that falls by itself
#
# Liu and Mehta (*Hands-On Deep Learning Architectures with Python*, chapter 8) train a siamese
# network on forty faces and show a table: 96 % of 4 ways, 66 % of 40. The fall looks like the
# growing difficulty of the task. But the other faces of an episode are drawn *with* replacement
# from all forty people, the one looked for among them, and only place 0 counts as right.
#
# **Before you run**: what would a judge that never errs score in that test?
#
# It must guess among equals, and scores E[1 / (1 + B)], where B of the n - 1 draws hit the person:
# (1 - (39/40)^n) / (n/40). We play it, too.

# %%
ways = np.array([4, 9, 16, 25, 36, 40])
book, pixels = [0.963, 0.931, 0.845, 0.767, 0.679, 0.659], [0.876, 0.752, 0.663, 0.55, 0.497, 0.478]
chance, played = np.random.default_rng(0), []
for n in ways:
    right, rng = [], Generator(int(n))
    for _ in range(60 if FAST else 1_000):
        drawn = books_episode((40, 10), int(n), rng)
        equal = np.flatnonzero(drawn.examples[:, 0, 0] == drawn.queries[0, 0])
        right.append(chance.choice(equal) == 0)
    played.append(np.mean(right))
figure, axes = plt.subplots(1, 2, figsize=(8.8, 3.2))
many = np.arange(2, 41)
axes[0].plot(many, [books_ceiling(n) for n in many], color=MUTED, label="perfect judge, formula")
axes[0].plot(ways, played, "o", color=MUTED, mfc="white", label="perfect judge, played")
axes[0].plot(ways, book, "s", color=BLUE, label="the book's siamese network")
axes[0].plot(ways, pixels, "^", color=ORANGE, label="the book's 1-NN on pixels")
axes[0].set(xlabel="ways n", ylabel="accuracy", ylim=(0.4, 1.02), title="drawn with replacement")
axes[0].legend(fontsize=8)
gap = max(abs(books_ceiling(n) - b) for n, b in zip(ways.tolist(), book, strict=True))
print(f"the book's network lies within {gap:.3f} of the ceiling of its own protocol")
assert gap < 0.03

# %% [markdown]
# The printed figures are those of a judge without fault: the table shows its protocol, and nothing
# of the network. Always ask what perfect and what chance would score. (What else is wrong there
# stands in docs/book_errors.md; `tinydl recipes siamese-orl` has the book's protocol and the right
# one side by side.)
#
# ## A memory that is empty at first
#
# Or the images come one after the other, and a label is told one step late. The weights cannot know
# which label means what, it is dealt anew in every stream; what was seen must be written down.
# `MemoryNet` (after Santoro et al. 2016) writes pairs (key, label) into rows, into the least used
# one or the one last read, and reads by the cosine of keys: attention over what was written. The
# mechanism works before anything is learnt, if the codes are good; here they are clusters of noise
# around five directions.
#
# **Before you run**: what will its accuracy be when it sees a class for the first time? Chance is
# 20 %.

# %%
rng = np.random.default_rng(5)
directions = np.linalg.qr(rng.normal(size=(24, 24)))[0][:, :5].T
order = np.stack([rng.permutation(np.repeat(np.arange(5), 10)) for _ in range(100)])
codes = directions[order] + 0.2 * rng.normal(size=(*order.shape, 24))
tinydl.seed(2)
memory = MemoryNet((8, 8, 1), classes=5, filters=24, blocks=3, width=24, rows=40).astype("float64")
memory.key.weight.assign(np.eye(24))
memory.addressing.weight.assign(np.zeros((24, 2)))  # strength 10, and always a new row
with no_grad():
    told = np.eye(5)[order]
    read = memory.remembered(Tensor(codes), Tensor(told)).numpy()[..., 24:]
by_sight = Sights(5, 10, 100).by_sight(read.argmax(axis=-1) == order, order)
print("  ".join(f"{k.replace('_', ' ')}: {v:.0%}" for k, v in by_sight.items()))
axes[1].plot(range(1, 11), list(by_sight.values()), color=GREEN, marker="o")
axes[1].axhline(0.2, color=VIOLET, linestyle=":", label="chance")
axes[1].set(xlabel="sight of a class", ylabel="accuracy", ylim=(0, 1.05), title="read from memory")
axes[1].legend(fontsize=8)
drawing.save(
    figure,
    "33-protocol_and_memory.png",
    alt="Left: accuracy against the number of ways; the printed figures of a siamese network "
    "lie on the curve of a perfect judge under the same protocol. Right: accuracy of a "
    "memory by sight of a class: below chance at the first, near 1 from the second on.",
)
assert by_sight["sight_1"] < 0.2 < 0.8 < by_sight["sight_5"]

# %% [markdown]
# ![The protocol's curve, and a memory](../docs/figures/33-protocol_and_memory.png)
#
# At first sight it answers with a label that others already have, which is wrong for certain: below
# chance. Learning all this is slow: Santoro et al. took 100,000 batches with an LSTM that had to
# find out by itself that an image and the next step's label belong together. `tinydl recipes
# memory-omniglot` learns the encoder and the addressing with that pairing built in.
#
# ## Exercises
#
# Answers are in `tutorials/answers/33.py`. Try first.
#
# 1. By hand: two classes with the examples (0, 0), (2, 0) and (0, 3), (0, 5). Where are the
#    prototypes, and what does a softmax over minus the squared distances say of the query (1, 2)?
# 2. Show that a prototypical network is a linear classifier of the query's code. Which are its
#    weights and biases?
# 3. A matching network's softmax is over cosines. How sure can it be at most, 5-way, 1-shot? What
#    if the cosines are multiplied by 10?
# 4. An episode has 15 queries; in 600 episodes the accuracies have the mean 0.90 and the standard
#    deviation 0.08. What is the interval? How many episodes halve it?
# 5. Predict, then try: let the test draw its classes from the *known* alphabet. How much does the
#    accuracy flatter?
#
# ## What to take along
#
# - What is learnt is comparing; classes are given as examples, in every episode others.
# - The test must hold out classes, not only images.
# - Know what chance and what a faultless judge score under the protocol, and give an interval.
#
# Go on with page 34: learning when nobody says what was right.
