# %% [markdown]
# # 28. Words by their company, sentences by their branches
#
# **You need**: the *sigmoid* and *backpropagation* (page 1), *gradient descent* (page 7), the
# *matrix product* (page 2), *softmax* and *cross-entropy* (page 40).
#
# **You will be able to** turn a text into vectors that know which words are alike, without a label;
# write down the loss of skip-gram with negative sampling and its gradient; solve an analogy by
# adding and subtracting; and compute a vector for a sentence along its tree.
#
# A word is a number in a list; that "queen" is number 17 says nothing about queens. What a word
# means is in how it is used. This page learns a *word vector* for each from nothing but its
# neighbours, and then puts vectors together along the branches of a sentence, until the sentence
# has one too.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, VIOLET, plt
from recorded import note

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
# **Skip-gram** (Mikolov et al. 2013): a word should tell its neighbours. As a classifier it would
# need a softmax over the whole vocabulary, and a gradient for each word in it, for every pair in
# the text. *Negative sampling* asks something cheaper: is c a true neighbour of w, or a word drawn
# at random? (The drawn ones are needed: with true neighbours alone the loss would be smallest if
# all vectors were long and alike.) Every word has two vectors, v as the one who looks and u as the
# one who is seen: with one for both, v_w . v_w is never small, so each word would be told as its
# own neighbour, which it hardly ever is. With s the sigmoid, one true neighbour c and k drawn words
# j,
#
#     L = -ln s(v_w . u_c) - sum over the k drawn words of ln s(-v_w . u_j)
#
# It is the cross-entropy of page 40 for two classes. So is its gradient, "what was said less what
# is so":
#
#     dL/dv_w = (s(v_w . u_c) - 1) u_c + sum over j of s(v_w . u_j) u_j
#
# v_w is pulled towards the u of its neighbours and pushed away from all others. Two words that have
# the same neighbours are pulled to the same place. That is the whole secret.
#
# **CBOW** turns it round: the mean of the neighbours' v tells the word between. **GloVe**
# (Pennington et al. 2014) counts first, X_ij times i and j near each other, and fits v_i . u_j +
# b_i + c_j to ln X_ij, rare pairs weighing less.
#
# **Before you run**: "king" and "queen" never stand in one sentence. Which words will lie next to
# "king"?

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
assert (
    corpus.vocabulary[nearest(vectors["SkipGram"], vectors["SkipGram"][[place("king")]], 2)[0][1]]
    in PEOPLE
)

# %% [markdown]
# Those that could stand in its place: other people, not crowns. (The neighbours themselves are told
# by v . u, not by v . v.)
#
# The analogy is arithmetic: the word nearest to king - man + woman. Why should that work? If "he"
# and "his" stand beside king, man and boy and "she" and "her" beside the others, then each of the
# three pairs was pulled apart by the same words, in the same direction.
#
# **Before you run**: in the plane in which the six people differ most, how will the arrows from
# king to queen, from man to woman and from boy to girl lie?

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
for axis, (name, v) in zip(axes, vectors.items(), strict=True):
    people = v[[place(p) for p in PEOPLE]]
    people = people - people.mean(axis=0)
    flat = people @ np.linalg.svd(people, full_matrices=False)[2][:2].T
    for k, (person, colour) in enumerate(zip(PEOPLE, [BLUE, ORANGE] * 3, strict=True)):
        axis.scatter(*flat[k], color=colour)
        axis.annotate(person, flat[k], textcoords="offset points", xytext=(4, 4))
    for k in (0, 2, 4):
        axis.annotate("", flat[k + 1], flat[k], arrowprops={"arrowstyle": "->", "color": MUTED})
    axis.set_title(name)
drawing.save(
    figure,
    "28_people.png",
    alt="For skip-gram, CBOW and GloVe the six people on a plane, with arrows from king to queen, "
    "man to woman and boy to girl: nearly parallel for CBOW, less so for the others.",
)

# %% [markdown]
# ![Six people on a plane](../docs/figures/28_people.png)
#
# Where the three arrows point the same way, "woman less man" has become a direction. (A plane shows
# two of ten directions. At full length the arrows of CBOW are nearly parallel in it, of GloVe's one
# points elsewhere, and all the same its analogy comes out right.)
#
# ## Along the branches
#
# A sentence is more than the mean of its words: "not true" and "true not" have the same mean. It is
# a tree. A *recursive network* (Socher et al. 2011) makes of two children's vectors a and b their
# parent's,
#
#     p = tanh([a; b] W + c)                                  plain
#     p_k = tanh([a; b]' V_k [a; b] + ([a; b] W + c)_k)       with a tensor
#
# where [a; b] is one vector behind the other: always by the same W and V, as a recurrent network
# has the same weights at every step. Its gradient is backpropagation along the tree. A label is
# read off every node by a softmax.
#
# The made-up language is logic, and "x and y" is the tree (x (and y)): "and F" is a function too,
# the one that is never true. So every node has a meaning, a truth value or a function.

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
# ones.
#
# **Before you run**: in the plain network what a says and what b says are added before the tanh.
# Should "not" turn whatever follows? Which of the two will keep its share on deeper sentences?

# %%
EARLY, UPDATES = 50, 50 if FAST else 600
shares: dict[str, list[float]] = {}
rng = Generator(9)
deep = {d: pack_trees([logic_tree(d, rng) for _ in range(60)], LOGIC_WORDS) for d in range(1, 7)}
for kind in (RecursiveNet, RecursiveTensorNet):
    random.seed(0)
    net, rng = kind(6, 12), Generator(2)
    optimizer = Adam(net.parameters(), lr=0.02)
    for update in range(1, UPDATES + 1):
        depths = rng.integers(1, 4, 30)
        loss = net.loss(pack_trees([logic_tree(int(d), rng) for d in depths], LOGIC_WORDS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update in (EARLY, UPDATES):
            right = [
                float(np.mean(net(f).numpy().argmax(axis=1) == f.labels)) for f in deep.values()
            ]
            shares.setdefault(kind.__name__, right)  # those after the first 50 updates are drawn
            told = " ".join(f"{share:.2f}" for share in right)
            print(f"{kind.__name__:18} after {update:3d} updates, right nodes by depth: {told}")
            if not FAST:
                note(f"{kind.__name__} after {update}", right[-1])

# %%
figure, axis = plt.subplots(figsize=(6, 3.2))
for (name, values), colour in zip(shares.items(), (VIOLET, GREEN), strict=True):
    axis.plot(list(deep), values, marker="o", color=colour, label=name)
axis.axvline(3.5, color=MUTED, linestyle=":")
axis.set_xlabel("operators nested (trained to 3)")
axis.set_ylabel("share of nodes right")
axis.legend()
drawing.save(
    figure,
    "28_depth.png",
    alt="Share of nodes told right after 50 updates against the number of nested operators, "
    "trained up to three: the tensor network stays at 1, the plain one falls slowly.",
)

# %% [markdown]
# ![Right nodes by depth](../docs/figures/28_depth.png)
#
# After 50 updates the plain network tells 0.94 (recorded: RecursiveNet after 50) of the nodes at
# depth 6, the other one 1.00 (recorded: RecursiveTensorNet after 50); after 600 both are right
# nearly everywhere, 1.00 (recorded: RecursiveNet after 600) and 1.00 (recorded: RecursiveTensorNet
# after 600). A sum of what a and b say cannot let "not" turn what follows: moving b by some vector
# moves the sum by the same amount whatever a is, and only the tanh makes a difference: with twelve
# numbers and training enough that suffices for so small a logic. The product a' V b can: its slope
# by b *is* made of a. One wrong node spoils all above it, so small faults grow with the depth.
#
# ## Exercises
#
# Answers are in `tutorials/answers/28.py`. Try first.
#
# 1. By hand: v = (1, 0), the true neighbour has u = (0, 1), one drawn word has u = (2, 0). What is
#    L, and what is dL/dv? In which direction does v move?
# 2. Derive: for one pair of words, of all the times that w and c could meet, a share p is true and
#    1 - p drawn. Which value of v . u makes L smallest? What does it become for a pair that is
#    never true?
# 3. A text of 10,000 different words and 1,000,000 pairs: how many gradients of u vectors does one
#    pass need with a softmax, and how many with 16 drawn words?
# 4. Say first, then try: which word is to "his" as woman is to man, and which is to "works" as king
#    is to man?
# 5. Show that no plain node without its tanh can compute "xor" of two children in {-1, 1}, and give
#    one V for which a product can.
#
# ## What to take along
#
# - Words are alike if they have the same neighbours; no label is needed.
# - A few drawn words replace the whole vocabulary: a small question many times.
# - A difference that shows in the company of words becomes a direction.
# - One small network, used at every branch, gives every sentence a vector; products let one child
#   change what the other means.
#
# `tinydl recipes` lists the word vectors and trees on real text. Go on with page 29: words that are
# spoken, and written by a pen.
