# %% [markdown]
# # 27. Attention and translation
#
# **You need**: a *recurrent network* and a *GRU* (page 9), a *language model* (page 26), a
# *softmax* and a *cross-entropy* (page 40), the *matrix product* (page 2), a *gradient check* (page
# 3).
#
# **You will be able to** compute attention and its gradient by hand, and check them; say what
# teacher forcing is and what it hides; read a picture of where a network looked; search for a
# sentence with a beam; and explain self-attention, its mask and its scale.
#
# A network that translates reads one sequence and writes another, of another length, in another
# order. Two recurrent networks can do that: an *encoder* reads, a *decoder* writes, as a language
# model does, but knowing what was read. What passes between them is the question of this page: one
# vector, or a look back at every word.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor, no_grad, scaled_dot_product_attention, softmax
from tinydl.data import CharacterTokenizer, dates, pad_sequences
from tinydl.metrics import bleu, exact_match
from tinydl.models import EncoderDecoder
from tinydl.models.sequence.attention_decoder import END
from tinydl.models.sequence.search import beam, greedy
from tinydl.optim import Adam, clip_by_global_norm
from tinydl.testing import check_grads

# %% [markdown]
# ## Attention by hand
#
# An encoder that has read S words has a state for each, m_1 ... m_S: numbers that say what stands
# there. When the decoder is about to write a word, it would like the one that it needs now. It
# could pick the one that fits best. But picking has no derivative: if the choice moves not at all
# or jumps, no gradient can say how to choose better. So it takes a *weighted mean* of all, with
# large weights where it fits.
#
# 1. a *query* q says what is wanted, a *key* k_j what place j offers; the score of the place is e_j
#    = q . k_j, large if they point the same way;
# 2. a softmax over the places makes weights of the scores: positive, with the sum 1;
# 3. the answer is the mean of *values* v_j with these weights, c = sum_j a_j v_j.
#
# That is *attention*. In this page's translator keys and values are both the encoder's states.
#
# By hand: q = (1, 0), keys (2, 0), (1, 5), (0, 1), and values 10, 20, 60, one number each.
#
# **Before you run**: which place gets the largest weight? Does it matter that the second key is so
# long?

# %%
q, keys = np.array([1.0, 0.0]), np.array([[2.0, 0.0], [1.0, 5.0], [0.0, 1.0]])
values = np.array([[10.0], [20.0], [60.0]])
scores = keys @ q
a = np.exp(scores) / np.exp(scores).sum()
c = a @ values
print("scores", scores, " weights", np.round(a, 3), " answer", np.round(c, 2))
assert np.allclose(a, [0.665, 0.245, 0.090], atol=0.001) and abs(c[0] - 16.95) < 0.01

# %% [markdown]
# Only what points along q counts: the scores are 2, 1 and 0, and the weights those of page 40.
#
# ## Its gradient, checked
#
# How does the loss get back to the scores? Say that g = dL/dc. Each step of it is known:
#
# - c = sum of a_j v_j is a matrix product: dL/dv_j = a_j g, and dL/da_j = g . v_j;
# - the slope of a softmax: da_j/de_i = a_j ((1 if i = j) - a_i). So dL/de_i = a_i (g . v_i - sum_j
#   a_j g . v_j), and the sum is g . c:
#
#     dL/de_i = a_i  g . (v_i - c)
#
# - e_i = q . k_i: dL/dq = sum_i dL/de_i k_i, and dL/dk_i = dL/de_i q.
#
# The line in the middle says everything about how attention learns. The score of a place rises if
# what stands there is *better than the mean* that was taken, and by the more, the more it was
# already looked at. Nobody has to say which word belongs to which: it is enough that the loss
# falls. As on page 3: move every number a little to both sides, and measure.

# %%
g = np.array([-1.0])  # the loss falls if c grows
d_scores = a * ((values - c) @ g)
by_hand = {"query": d_scores @ keys, "keys": np.outer(d_scores, q), "values": np.outer(a, g)}
parts = {"query": q, "keys": keys, "values": values}


def loss_of(query, keys, values):
    weights = np.exp(keys @ query)
    return float(g @ (weights @ values / weights.sum()))


def measured(name, h=1e-5):
    """dL / d part, number by number."""
    slope = np.zeros_like(parts[name])
    for place in np.ndindex(slope.shape):
        sides = []
        for step in (h, -h):
            moved = {n: x.copy() for n, x in parts.items()}
            moved[name][place] += step
            sides.append(loss_of(*moved.values()))
        slope[place] = (sides[0] - sides[1]) / (2 * h)
    return slope


for name, slope in by_hand.items():
    away = np.abs(slope - measured(name)).max()
    print(f"{name:7} by hand {np.round(slope.ravel(), 3)}, measured: {away:.0e} away")
    assert away < 1e-7

given = [Tensor(part, requires_grad=True) for part in (q[None], keys, values)]
answer = scaled_dot_product_attention(*given, scale=1.0)
(answer * Tensor(g)).sum().backward()
for tensor, slope in zip(given, by_hand.values(), strict=True):
    assert np.abs(tensor.grad.numpy() - slope).max() < 1e-9
check_grads(lambda *x: scaled_dot_product_attention(*x, scale=1.0), given)

# %% [markdown]
# (The third place says 60, far more than the mean of 17, so its score should rise although it has
# the smallest weight; those of the others should fall.)
#
# ## A small language pair
#
# Dates as people write them, and the same dates as ISO 8601 has them. Reordering, names that become
# numbers, letters to be ignored: a translation in small. Letters are tokens; each row ends with
# END, and what is behind it is padding.

# %%
MARKS = ("<pad>", "<start>", "<end>")
pairs = dates(1_600 if FAST else 6_000, Generator(0))
for k in range(4):
    print(f"{pairs.sources[k]:>30}  ->  {pairs.targets[k]}")

texts = (pairs.sources, pairs.targets)
sides = [CharacterTokenizer((*MARKS, *sorted(set("".join(side))))) for side in texts]
x, y = (
    pad_sequences([[*tokens.encode(text), END] for text in side], padding="post")
    for tokens, side in zip(sides, texts, strict=True)
)
held = 200
print("sources", x.shape, "targets", y.shape)

# %% [markdown]
# ## Teacher forcing
#
# The probability of a sentence is a product over its words, each given those before it and what was
# read,
#
#     p(y | x) = product over t of p(y_t | y_1 ... y_{t-1}, x)
#
# so the decoder is trained to name each word when all the words before it are the *true* ones,
# whatever it would have written itself. This is *teacher forcing*. (When it writes, there is no
# teacher: its input is the word that it has just written.) All steps of a batch are then one call,
# and the loss is the cross-entropy of each word, padding left out. The price: in training it never
# meets its own mistakes.
#
# Two networks, both of GRUs. Without attention the decoder begins with the encoder's last state and
# has nothing else. With attention every state s_t of the decoder asks all the encoder's states m_j,
# by the query s_t W,
#
#     a_tj = softmax over j of (s_t W m_j),     c_t = sum over j of a_tj m_j
#
# and the word is chosen by c_t and s_t together. W is learnt: what the decoder knows and what the
# encoder knows need not be in the same directions.
#
# **Before you run**: both networks have 48 numbers in a state. Which will be right more often, and
# on which part of a date will the other one err?


# %%
def trained(attention, epochs):
    """A network, and its loss after every epoch."""
    tinydl.seed(1)
    model = EncoderDecoder(
        len(sides[0]), len(sides[1]), embedding=24, hidden=48, attention=attention
    )
    optimizer, order, losses = Adam(model.named_parameters(), 0.006), Generator(2), []
    for _ in range(epochs):
        total = []
        rows = held + order.permutation(len(x) - held)
        for k in range(0, len(rows), 50):
            some = rows[k : k + 50]
            loss = model.loss(Tensor(x[some]), Tensor(y[some]))
            optimizer.zero_grad()
            loss.backward()
            clip_by_global_norm(model.parameters(), 1.0)
            optimizer.step()
            total.append(loss.item())
        losses.append(float(np.mean(total)))
    return model, losses


EPOCHS = 4 if FAST else 6
networks = {name: trained(a, EPOCHS) for name, a in (("attention", True), ("one vector", False))}


def read_out(words):
    """The tokens of rows of numbers, up to END."""
    return [[sides[1].vocabulary[w] for w in row if w > END] for row in words.tolist()]


right = [[list(target)] for target in pairs.targets[:held]]
for name, (model, losses) in networks.items():
    made = read_out(greedy(model, Tensor(x[:held]), 20).words)
    print(
        f"{name:>11}: loss {losses[-1]:.3f}, exact {exact_match(made, right):.2f}, "
        f"BLEU {bleu(made, right):.3f}"
    )
    if not FAST:
        note(f"loss of {name} after 2 epochs", losses[1])
        note(f"exact with {name}", exact_match(made, right))
        note(f"BLEU with {name}", bleu(made, right))
if FAST and figures("27"):
    kept = figures("27")
    for name in networks:
        print(f"recorded with 6,000 pairs, {name}: exact {kept[f'exact with {name}']:.2f}, "
              f"BLEU {kept[f'BLEU with {name}']:.3f}")  # fmt: skip

# %%
figure, ax = plt.subplots(figsize=(5.4, 2.8))
for (name, (_, losses)), color in zip(networks.items(), (BLUE, ORANGE), strict=True):
    ax.plot(range(1, EPOCHS + 1), losses, color=color, label=name)
ax.set(xlabel="epoch", ylabel="cross-entropy per letter", yscale="log")
ax.legend()
drawing.save(
    figure,
    "27_losses.png",
    alt="Cross-entropy per letter by epoch on a logarithmic axis: with attention it falls far "
    "below that with one vector.",
)

# %% [markdown]
# ![Loss with attention and with one vector](../docs/figures/27_losses.png)
#
# At full length, six epochs over 6,000 pairs, both learn these short dates: 1.00 (recorded: exact
# with attention) of them are exactly right with attention, 0.995 (recorded: exact with one vector)
# with one vector. The difference is how soon. After two epochs the loss of a letter is 0.009
# (recorded: loss of attention after 2 epochs) with attention and 0.289 (recorded: loss of one
# vector after 2 epochs) with one vector. Everything that the decoder will need of thirty letters
# has to go through that vector, decided before the first word is written, and its gradient has to
# travel back through all steps; attention's goes straight from the word to the place.
#
# Exact matches count whole dates. *BLEU* (Papineni et al. 2002) counts pieces: of all runs of 1, 2,
# 3 and 4 tokens in the translation, which share stands in the reference too? The geometric mean of
# the four shares, made smaller for translations that are too short. It forgives one wrong digit,
# which a calendar does not. Which of the two is right depends on the use.
#
# ## Where it looked
#
# The weights a_tj are a picture for free: rows are what is written, columns what is read.
#
# **Before you run**: where will the row of the month's first digit be dark, if the month is written
# as a name?

# %%
model = networks["attention"][0]
chosen = next(k for k in range(held) if pairs.sources[k].count(" ") >= 2)
source = pairs.sources[chosen]
found = greedy(model, Tensor(x[chosen : chosen + 1]), 20)
written = [*read_out(found.words)[0], "END"]
weights = found.weights[0][: len(written), : len(source) + 1]
figure, ax = plt.subplots(figsize=(7, 3))
ax.imshow(weights, cmap="Greens", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(source) + 1), [*source, "END"], fontsize=8)
ax.set_yticks(range(len(written)), written, fontsize=8)
ax.grid(False)
ax.set(xlabel="read", ylabel="written")
drawing.save(
    figure,
    "27_attention.png",
    alt="A table of weights: rows are the digits written, columns the letters read; dark "
    "cells connect each digit of the year with its own, and the month with letters of its "
    "name.",
)

# %% [markdown]
# ![Where it looked](../docs/figures/27_attention.png)
#
# The year is copied digit by digit; the month is looked at in its name, at letters that tell it
# from the other eleven. (An encoder's state at a letter knows the letters before it as well, so the
# place may lie behind what one would point at. Such a picture says where the vectors came from, not
# why.)
#
# ## Greedy, and beams
#
# To take the most probable word each time need not give the most probable sentence: a good word may
# lead nowhere. Trying all sentences is too much: 7 words in 6 places are 117,649. A *beam* keeps
# the best few beginnings of each length, goes on from all of them by every word, and keeps the best
# few again. As log p falls with every word, finished sentences are compared by log p / ((5 + T) /
# 6)^alpha (Wu et al. 2016), else short ones win.
#
# A network with random weights shows it best: on a trained one of so small a task, both write the
# same.
#
# **Before you run**: can keeping more beginnings give a *less* probable sentence?

# %%
tinydl.seed(5)
wild = EncoderDecoder(len(sides[0]), 7, embedding=6, hidden=8)
for _, parameter in wild.named_parameters():
    parameter.assign(4 * parameter.numpy())
asked = Tensor(x[:100])
widths, gains = [1, 2, 4, 8], []
for width in widths:
    gains.append(float(beam(wild, asked, 6, width, alpha=0.0).scores.mean()))
    print(f"width {width}: mean log p of what is written {gains[-1]:.3f}")
figure, ax = plt.subplots(figsize=(4.6, 2.6))
ax.plot(widths, gains, "o-", color=GREEN)
ax.axhline(float(greedy(wild, asked, 6).scores.mean()), color=MUTED, linewidth=1)
ax.set(xlabel="beginnings kept", ylabel="mean log p")
drawing.save(
    figure,
    "27_beams.png",
    alt="Mean log probability of what is written, by the number of beginnings kept: higher "
    "than greedy for two and more, and not always rising.",
)

# %% [markdown]
# ![What a beam gains](../docs/figures/27_beams.png)
#
# On the average a beam gains. But more is not always better: with four beginnings one that would
# have ended best can be pushed out early by others that look better then.
#
# ## What the network has not understood
#
# It has learnt pairs. A form that it never saw is read like those it knows, here often rightly, and
# nothing in its answer says so; only its probability may. The last one is no date at all.

# %%
for text in ("3 May 1979", "3. May 1979", "May the 3rd 1979", "Sunday dinner"):
    codes = [c for c in text if c in sides[0].vocabulary]
    row = np.array([[*sides[0].encode("".join(codes)), END]])
    with no_grad():
        answer = greedy(model, Tensor(row), 20)
    print(
        f"{text:>18} -> {''.join(read_out(answer.words)[0]):<12} p {np.exp(answer.scores[0]):.2f}"
    )

# %% [markdown]
# ## Attention without recurrence
#
# If places can be asked directly, what is the recurrence for? The Transformer (Vaswani et al. 2017)
# leaves it out. In *self-attention* the words ask each other: query, key and value of each place
# are three matrix products of the same vector x_t, so all places are computed at once, and any two
# are one step apart. Four things have to be added:
#
# - a *mask*: a language model must not see what comes next. Scores of later places are set to minus
#   infinity before the softmax, so their weights are exactly 0;
# - a *scale*: q . k is a sum of d products. If their entries have the variance 1, so has each
#   product, and the sum has the variance d (page 40). Scores of size 8 for d = 64 make the softmax
#   nearly a choice, whose gradient a_i (v_i - c) is nearly 0. So scores are divided by the root of
#   d;
# - *heads*: the vector is cut in several parts, and each has an attention of its own, since one
#   mean can look at one thing at a time;
# - *positions*: a weighted mean does not know the order of what it averages, so a vector for each
#   place is added to the words.
#
# **Before you run**: a causal attention reads six words, and the last word is exchanged. Which
# outputs change?

# %%
rng = np.random.default_rng(0)
words = rng.normal(size=(6, 64))
others = words.copy()
others[-1] = rng.normal(size=64)
seen = [
    scaled_dot_product_attention(*[Tensor(w)] * 3, causal=True).numpy() for w in (words, others)
]
changed = np.abs(seen[0] - seen[1]).max(axis=1) > 0
print("outputs that changed:", changed)
assert changed.tolist() == [False] * 5 + [True]

largest = {}
for scale in (1.0, 64**-0.5):
    scores = scale * rng.normal(size=(1_000, 1, 64)) @ rng.normal(size=(1_000, 64, 6))
    weights = softmax(Tensor(scores)).numpy()
    largest[scale] = weights.max(axis=-1).mean()
    print(
        f"scores times {scale:.3f}: the largest of six weights is {largest[scale]:.2f} on average"
    )
assert largest[1.0] > 0.85 > 0.6 > largest[0.125]

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/27.py`. Try first.
#
# 1. By hand: a query fits two places with the scores 0 and ln 3. Their values are 4 and 8. What is
#    the answer, and what is the slope of it by each score?
# 2. All values are the same. What does attention answer, and what are the gradients of the scores?
#    Why does that make sense?
# 3. Show that exchanging two places (keys and values together) changes nothing. What follows for a
#    language model without positions?
# 4. BLEU by hand, but with runs of one and two letters only: the reference is "abcd", the
#    translation "abdc". What are the two shares, and their geometric mean?
# 5. Find probabilities for sentences of two words for which greedy search misses the most probable
#    sentence, and a beam of two finds it.
#
# ## What to take along
#
# - Attention is a weighted mean that is asked for: differentiable, and a picture of itself.
# - A score rises if its value is better than the mean: a_i g . (v_i - c).
# - Training knows the true words before; writing does not. The difference is the search.
# - Self-attention: queries, keys and values from one sequence; a mask for order in time, a scale
#   for the softmax, positions for order in space.
# - Hold out by sentence, not by pair: one sentence may have several translations.
#
# `tinydl train tatoeba-swe` translates everyday Swedish, and `tinydl predict RUN --text "..."` what
# is typed. Beside it stands a table that replaces each word in its place by the one it occurs with
# most: for short sentences of two related languages that is a strong baseline, and a BLEU without
# it says little. `tinydl train chatbot` trains the same network on questions and answers, `tinydl
# train captions` exchanges the encoder: convolutions read a picture, and the same decoder looks at
# its places. Go on with page 42: a whole GPT of this attention, from one number at a time.
