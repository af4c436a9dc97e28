# %% [markdown]
# # 28. Words by their company, sentences by their branches
#
# A word is a number in a list; what it means is in how it is used. This page learns a *word vector*
# for each from nothing but its neighbours, and then puts vectors together along the branches of a
# sentence, until the sentence has one too.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt

from tinydl import Generator, Tensor, random
from tinydl.data import (
    LOGIC_LABELS,
    LOGIC_WORDS,
    logic_tree,
    near_counts,
    neighbours,
    pack_trees,
    surroundings,
    word_corpus,
)
from tinydl.models import CBOW, GloVe, RecursiveNet, RecursiveTensorNet, SkipGram
from tinydl.models.words.embeddings import analogy, nearest
from tinydl.optim import Adam

# %% [markdown]
# ## Text with a secret
#
# Made-up sentences: men and women, boys and girls do things. Who rules wears a crown, who is young
# plays; he and she go with each kind. Nothing says that a king is to a queen as a man is to a
# woman: that must be found in who stands beside whom.

# %%
PEOPLE = {
    "king": ("he", "rules"), "queen": ("she", "rules"), "man": ("he", "works"),
    "woman": ("she", "works"), "boy": ("he", "plays"), "girl": ("she", "plays"),
}  # fmt: skip
DOES = {"rules": ("crown", "throne"), "works": ("plough", "mill"), "plays": ("ball", "kite")}


def sentence(rng: Generator) -> str:
    name = list(PEOPLE)[int(rng.integers(0, 6))]
    pronoun, verb = PEOPLE[name]
    thing = DOES[verb][int(rng.integers(0, 2))]
    own = "his" if pronoun == "he" else "her"
    forms = (f"the {name} {verb} with {own} {thing}", f"{pronoun} is a {name} and has a {thing}")
    return forms[int(rng.integers(0, 2))]


rng = Generator(0)
corpus = word_corpus([sentence(rng) for _ in range(1_500)], 1)
print(len(corpus.words), "words,", len(corpus.vocabulary), "different:", *corpus.vocabulary[:8])

# %% [markdown]
# ## Three losses
#
# **Skip-gram** lets a word w tell its neighbour c from k words drawn at random (negative sampling):
#
#     L = -ln s(v_w . u_c) - sum of k draws j of ln s(-v_w . u_j)        s: the sigmoid
#
# Every word has two vectors, v as the one who looks and u as the one who is seen. **CBOW** turns it
# round: the mean of the neighbours' v tells the word between. **GloVe** counts first, X_ij times
# i and j near each other, and fits v_i . u_j + b_i + c_j to ln X_ij, rare pairs weighing less.

# %%
V, D, WINDOW = len(corpus.vocabulary), 10, 4
draws = (corpus.counts**0.75 / (corpus.counts**0.75).sum()).cumsum()


def learnt(kind: type, updates: int) -> np.ndarray:
    random.seed(0)
    model, rng = kind(V, D), Generator(1)
    optimizer = Adam(model.parameters(), lr=0.02)
    if kind is SkipGram:
        rows = tuple(neighbours(corpus.words, corpus.texts, WINDOW, rng).T)
    elif kind is CBOW:
        rows = (surroundings(corpus.words, corpus.texts, WINDOW), corpus.words)
    else:
        pairs, counts = near_counts(corpus.words, corpus.texts, WINDOW)
        rows = (*pairs.T, counts)
    for _ in range(updates):
        chosen = rng.integers(0, len(rows[0]), 256)
        arrays = [row[chosen] for row in rows]
        if kind is not GloVe:
            arrays.append(np.searchsorted(draws, rng.uniform(16)).clip(0, V - 1))
        loss = model.loss(*map(Tensor, arrays))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.vectors()


vectors = {kind.__name__: learnt(kind, 200 if FAST else 1_500) for kind in (SkipGram, CBOW, GloVe)}
place = corpus.vocabulary.index
for name, v in vectors.items():
    near = [corpus.vocabulary[k] for k in nearest(v, v[[place("king")]], 4)[0][1:]]
    found = corpus.vocabulary[analogy(v, place("man"), place("woman"), place("king"))[0]]
    print(f"{name:9} near king: {', '.join(near):28} man : woman = king : {found}")

# %% [markdown]
# The vectors of the six people on the two directions in which they differ most (principal
# components). Where the three arrows from he to she point the same way, the difference "woman less
# man" has become a direction, and the analogy works.

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
for axis, (name, v) in zip(axes, vectors.items(), strict=True):
    people = v[[place(p) for p in PEOPLE]]
    people = people - people.mean(axis=0)
    flat = people @ np.linalg.svd(people, full_matrices=False)[2][:2].T
    for k, (person, colour) in enumerate(zip(PEOPLE, [BLUE, BLUE, ORANGE] * 2, strict=True)):
        axis.scatter(*flat[k], color=colour)
        axis.annotate(person, flat[k], textcoords="offset points", xytext=(4, 4))
    for k in (0, 2, 4):
        axis.annotate("", flat[k + 1], flat[k], arrowprops={"arrowstyle": "->", "color": MUTED})
    axis.set_title(name)
drawing.save(figure, "28_people.png")

# %% [markdown]
# ## Along the branches
#
# A sentence is a tree. A recursive network makes of two children's vectors a and b their parent's,
#
#     p = tanh([a; b] W + c)                                  plain
#     p_k = tanh([a; b]' V_k [a; b] + ([a; b] W + c)_k)       with a tensor
#
# always by the same W and V, and reads a label off every node. The made-up language is logic, and
# "x and y" is the tree (x (and y)): "and F" is a function too, the one that is never true. So every
# node has a meaning, a truth value or a function.

# %%
tree = logic_tree(2, Generator(4))
print(tree)


def told(node, depth: int = 0) -> None:
    print("   " * depth + (node.word or "o"), "->", LOGIC_LABELS[node.label])
    for child in (node.left, node.right):
        if child is not None:
            told(child, depth + 1)


told(tree)

# %% [markdown]
# Both learn sentences of at most three operators one within the other, and are asked about deeper
# ones. A sum of what a and b say cannot let "not" turn whatever follows: the product can.

# %%
UPDATES = 50 if FAST else 600
shares: dict[str, list[float]] = {}
rng = Generator(9)
deep = {d: pack_trees([logic_tree(d, rng) for _ in range(60)], LOGIC_WORDS) for d in range(1, 7)}
for kind in (RecursiveNet, RecursiveTensorNet):
    random.seed(0)
    net, rng = kind(6, 12), Generator(2)
    optimizer = Adam(net.parameters(), lr=0.02)
    for _ in range(UPDATES):
        depths = rng.integers(1, 4, 30)
        loss = net.loss(pack_trees([logic_tree(int(d), rng) for d in depths], LOGIC_WORDS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    shares[kind.__name__] = [
        float(np.mean(net(f).numpy().argmax(axis=1) == f.labels)) for f in deep.values()
    ]
    print(kind.__name__, "right nodes by depth:", [f"{s:.2f}" for s in shares[kind.__name__]])

# %%
figure, axis = plt.subplots(figsize=(6, 3.2))
for (name, values), colour in zip(shares.items(), (VIOLET, GREEN), strict=True):
    axis.plot(list(deep), values, marker="o", color=colour, label=name)
axis.axvline(3.5, color=MUTED, linestyle=":")
axis.set_xlabel("operators nested (trained to 3)")
axis.set_ylabel("share of nodes right")
axis.legend()
drawing.save(figure, "28_depth.png")
