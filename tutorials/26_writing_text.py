# %% [markdown]
# # 26. Writing text: what may come next
#
# **You need**: a *recurrent network* with its *state*, an *LSTM* and *truncated back-propagation*
# (page 9); *softmax*, *cross-entropy* and *logit*s (page 40).
#
# **You will be able to** recognise the four ways in which a recurrent network is used; train a
# language model on any text, without labels; say in bits whether it has learnt more than counting;
# and choose how its next character is drawn.
#
# A recurrent network reads one step after the other and keeps a state. What it is given and what it
# gives can be cut in four ways; the most surprising use of one of them is a network that reads its
# own output, and so writes.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, plt
from matplotlib.patches import FancyBboxPatch
from recorded import note

import tinydl
from tinydl import Generator, Tensor, nn
from tinydl.baselines import WittenBell
from tinydl.data import (
    opinions,
    random_text,
    spelled_numbers,
    stateful_batches,
    tagged_sentences,
    uneven_waves,
)
from tinydl.models import Forecaster, LSTMGenerator, SentimentLSTM, Speller, Tagger
from tinydl.models.recurrent.writing import next_probabilities, write
from tinydl.optim import Adam, clip_by_global_norm
from tinydl.programs.language import Text, losses_of

# %% [markdown]
# ## Four patterns
#
# | pattern | in | out | here |
# |---|---|---|---|
# | one to many | one vector | T_y steps | `Speller`: digits to a number's name |
# | many to one | T_x steps | one vector | `SentimentLSTM`: a sentence to praise or not |
# | many to many, synced | T steps | T steps | `Tagger`: a tag per word; text generators |
# | many to many, unsynced | T_x steps | T_y steps | `Forecaster`: read to the end, then tell |
#
# Drawn unrolled: time goes to the right, every column is the same network at another step.

# %%
PATTERNS = (
    ("one to many", (0,), (0, 1, 2)),
    ("many to one", (0, 1, 2), (2,)),
    ("synced", (0, 1, 2), (0, 1, 2)),
    ("unsynced", (0, 1), (2, 3)),
)


def box(axes, x, y, colour, text):
    """A cell of the drawing."""
    axes.add_patch(FancyBboxPatch((x - 0.28, y - 0.2), 0.56, 0.4, boxstyle="round,pad=0.02",
                                  facecolor=colour, edgecolor=MUTED))  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", color=INK, fontsize=9)


def arrow(axes, start, end):
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": MUTED})


figure, grid = plt.subplots(1, 4, figsize=(9.6, 2.5))
for ax, (title, given, told) in zip(grid, PATTERNS, strict=True):
    last = max(*given, *told)
    for t in range(last + 1):
        box(ax, t, 1, PALE_GREEN, f"$s_{t + 1}$")
        if t:
            arrow(ax, (t - 0.7, 1), (t - 0.3, 1))
        if t in given:
            box(ax, t, 0, PALE_BLUE, f"$x_{t + 1}$")
            arrow(ax, (t, 0.22), (t, 0.78))
        if t in told:
            box(ax, t, 2, PALE_ORANGE, f"$y_{t - told[0] + 1}$")
            arrow(ax, (t, 1.22), (t, 1.78))
    drawing.blank(ax, title)
    ax.set_xlim(-0.6, 3.6)
    ax.set_ylim(-0.4, 2.4)
    ax.set_aspect("equal")
drawing.save(
    figure,
    "26_patterns.png",
    alt="Four unrolled networks, time to the right: one input and three outputs, three inputs "
    "and one output, three of each side by side, and two inputs followed by two outputs.",
)

numbers, waves = spelled_numbers(), uneven_waves(3, Generator(0))[0]
words, praise = tagged_sentences(400, Generator(0)), opinions(3, Generator(0))
tinydl.seed(26)
for name, model, x in (
    ("one to many ", Speller(), numbers.x[:3]),
    ("many to one ", SentimentLSTM(len(praise.vocabulary), 8, 8), praise.x),
    ("synced      ", Tagger(len(words.vocabulary), 9), words.x[:3]),
    ("unsynced    ", Forecaster(), waves),
):
    print(f"{name} {type(model).__name__:14} {x.shape} -> {model.eval()(Tensor(x)).shape}")

# %% [markdown]
# ![Four patterns](../docs/figures/26_patterns.png)
#
# Which pattern is right follows from one question: what is known when an output is wanted? A tag
# for a word may need the words behind it, so the tagger reads from both ends. A forecast cannot.
#
# A tagger shows why the state matters: "will" is a name, a noun or an auxiliary, and only its
# neighbours tell. A table of every word's most frequent tag knows no neighbours.
#
# **Before you run**: what does that table make of the last sentence, "will may watch the watch near
# rose wood", in which almost every word has two tags?


# %%
def tagged(model, sentence):
    """The words with the tags that the model gives."""
    ids = np.array([[words.vocabulary.index(word) for word in sentence.split()]])
    tags = model(Tensor(ids)).numpy()[0].argmax(axis=1)
    return " ".join(f"{w}/{words.classes[t]}" for w, t in zip(sentence.split(), tags, strict=True))


tagger = Tagger(len(words.vocabulary), len(words.classes))
optimizer = Adam(tagger.parameters(), lr=0.02)
for _ in range(8 if FAST else 20):
    for start in range(0, 300, 50):
        x, y = (Tensor(a[start : start + 50]) for a in (words.x, words.y))
        optimizer.zero_grad()
        nn.cross_entropy(tagger(x), y, ignore_index=-1).backward()
        optimizer.step()
x, y = words.x[300:], words.y[300:]
told = y >= 0
counts = np.zeros((len(words.vocabulary), len(words.classes)))
seen = words.y[:300] >= 0
np.add.at(counts, (words.x[:300][seen], words.y[:300][seen]), 1)
alone = (counts[x].argmax(axis=-1) == y)[told].mean()
right = (tagger.eval()(Tensor(x)).numpy().argmax(axis=-1) == y)[told].mean()
print(f"words right: {100 * right:.1f} %, by the most frequent tag alone {100 * alone:.1f} %")
print(tagged(tagger, "will may watch the watch near rose wood ."))
assert right > alone

# %% [markdown]
# ## A text is its own target
#
# A *language model* says what may come next: a probability for each character, given all those
# before it. That is the synced pattern with y_t = x_{t+1}. After "l" comes "e", after "le" comes
# "a"; of the window "learn" in "learning" the targets are "earni", the last one from beyond the
# window. No labels are needed, only text.
#
# The probability of a whole text is the product of those of its characters, each given what stands
# before it, and -ln of it is a sum: the cross-entropy of page 40, character by character. Divided
# by ln 2 it is counted in *bits per character*: the length of the text if a perfect packer used
# these probabilities. That gives the number a scale: 8 bits is the text as it lies in a file.
#
# Here the text is made up: 150 words of few letters, so that seconds are enough; `tinydl train
# char-lstm` reads Shakespeare.

# %%
text = Text(random_text(15_000 if FAST else 60_000, Generator(26), words=150))
print(f"{text.tokens} characters, {len(text.train):,} to learn, {len(text.test):,} held out")
print(text.decoded(text.train[:70]))

# %% [markdown]
# The text is cut into 16 stretches that are read side by side, 40 characters at a time. The state
# at the end of a window is the beginning of the next, so the past is not forgotten by force;
# gradients stop at the window's edge, or a step would cost the whole text.
#
# **Before you run**: there are 35 different characters. What is the loss of a fresh network, in
# bits?

# %%
tinydl.seed(0)
model = LSTMGenerator(text.tokens, hidden_size=64, num_layers=1, dropout=0.0)
optimizer = Adam(model.parameters(), lr=0.01)
course = []
for epoch in range(6 if FAST else 12):
    state, losses = None, []
    for x, y in stateful_batches(text.train, 16, 40):
        logits, state = model.run(Tensor(x), nn.detached(state))
        loss = nn.cross_entropy(logits, Tensor(y))
        optimizer.zero_grad()
        loss.backward()
        clip_by_global_norm(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    held = losses_of(model, text.test, int(text.train[-1])).mean() / np.log(2)
    course.append((np.mean(losses) / np.log(2), held))
    print(f"epoch {epoch + 1}: {course[-1][0]:.3f} bits while learning, {held:.3f} held out")
bits = course[-1][1]

# %% [markdown]
# (log2 35 = 5.1: it gives each of them about the same. The first epoch's mean is lower, since the
# network learns within it.)
#
# ## Good, compared with what?
#
# With guessing: log2 of the number of characters. With counting how often each comes. With counting
# what follows the last one, two, ... five characters: an *n-gram* model. What if those five never
# stood there before? Then what is known of the last four must do, and so on. The rule of Witten and
# Bell mixes all lengths: of n times that a context was seen, followed by d different characters,
#
#     p(c | context) = (times c followed it  +  d p(c | shorter context)) / (n + d)
#
# A context that was seen often and was followed by few kinds is trusted; one that was seen once is
# not.
#
# **Before you run**: longer contexts know more. Will the bits fall with each character of context?
#
# A network shares what it knows between similar pasts. It has to lie below the whole curve to have
# learnt something that counting has not. Made-up words that never change are counting's home
# ground, and a few seconds are little for a network; what minutes on Shakespeare give stands in
# `tinydl recipes char-lstm`, beside counting and beside xz.


# %%
class Counted:
    """What the baseline reads of a training."""


Counted.text = text
orders = range(6)
counted = [WittenBell(k)(Counted, "test")["bits"] for k in orders]
for k, value in zip(orders, counted, strict=True):
    print(f"behind the last {k} characters: {value:.3f} bits")
print(f"uniform {np.log2(text.tokens):.3f}, the network {bits:.3f} bits per character")
better = sum(bits < value for value in counted)
print(f"it is below {better} of the {len(counted)} counts")
if not FAST:
    note("bits of the network", bits)
    for k, value in zip(orders, counted, strict=True):
        note(f"bits by counting {k}", value)
assert bits < counted[1]

figure, (left, right_axes) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(np.arange(1, len(course) + 1), course, "o-", markersize=4)
left.legend(["while learning", "held out"])
left.set_xlabel("epoch")
left.set_ylabel("bits per character")
right_axes.plot(orders, counted, "s-", color=ORANGE, label="counted, Witten-Bell")
right_axes.axhline(bits, color=BLUE, label="LSTM of 64")
right_axes.axhline(np.log2(text.tokens), color=MUTED, linestyle="--", label="guessing")
right_axes.set_xlabel("characters of context")
right_axes.legend()
drawing.save(
    figure,
    "26_bits.png",
    alt="Left: bits per character by epoch, while learning and held out. Right: bits by "
    "counting against the characters of context, falling to three or four and rising "
    "again, beside the network's line.",
)

# %% [markdown]
# ![Bits of the network and of counting](../docs/figures/26_bits.png)
#
# The curve falls and then rises again: a context of five characters is nearly always new in so
# short a text, and what was seen once is little to go by. With the full text counting comes to 1.10
# (recorded: bits by counting 3) with three characters and to 1.18 (recorded: bits by counting 5)
# with five; the network, after 12 epochs, to 1.11 (recorded: bits of the network).
#
# ## Drawing the next character
#
# The network gives probabilities; a writer has to choose. Taking the likeliest always (*greedy*) is
# one choice of many:
#
# - *temperature*: p ~ exp(logits / T), which raises each probability to the power 1 / T and divides
#   by the new sum. T < 1 trusts the likely ones more, T > 1 less; T = 0 is greedy; - *top-k*: only
#   the k likeliest, whatever they sum to; - *top-p*, the nucleus: the fewest whose sum reaches p,
#   so that many are left where the network is unsure, and few where it is sure.
#
# **Before you run**: which of the six ways below will write the most varied text, and which will
# end in a circle?

# %%
prompt = text.tokenizer.encode(text.decoded(text.test[:30]))
logits = model.eval()(Tensor(prompt[None])).numpy()[0, -1]
ways = {
    "temperature 1": {},
    "temperature 0.5": {"temperature": 0.5},
    "temperature 1.5": {"temperature": 1.5},
    "top-k 3": {"top_k": 3},
    "top-p 0.8": {"top_p": 0.8},
    "greedy": {"temperature": 0.0},
}
order = np.argsort(-logits)[:12]
figure, grid = plt.subplots(2, 3, figsize=(9, 4.6), sharey=True, layout="constrained")
for ax, (name, how) in zip(grid.flat, ways.items(), strict=True):
    p = next_probabilities(logits, **how)
    ax.bar(range(12), p[order], color=GREEN)
    ax.set_xticks(range(12), [repr(text.tokenizer.vocabulary[k])[1:-1] for k in order])
    ax.set_title(name)
    assert abs(p.sum() - 1) < 1e-9
drawing.save(
    figure,
    "26_drawing.png",
    alt="Six bar charts of the probability of the twelve likeliest next characters: "
    "temperatures 1, 0.5 and 1.5, top-k, top-p and greedy, which has one bar.",
)


def variety(ids, n=6):
    """How many of the stretches of n characters are different ones."""
    return len({tuple(ids[k : k + n]) for k in range(len(ids) - n + 1)}) / (len(ids) - n + 1)


start = text.tokenizer.encode("\n")
found = {}
for name, how in ways.items():
    ids = write(model, start, 300 if FAST else 600, Generator(1), **how)
    found[name] = variety(ids)
    print(f"--- {name}: {100 * found[name]:.0f} % of its stretches of six are different")
    print(text.decoded(ids[:110]))
assert found["greedy"] < found["temperature 1"]

# %% [markdown]
# ![Six ways to draw](../docs/figures/26_drawing.png)
#
# Greedy text soon goes round in a circle: its next character depends on what it wrote before and on
# nothing else, so once it has come back to a state that it was in, or nearly, it writes the same
# again. ("The same to me, the same to me", goes the sample in Liu and Mehta, *Hands-On Deep
# Learning Architectures with Python*.)
#
# Every step reads one character from the state before it, so the thousandth costs what the first
# one did.
#
# ## Exercises
#
# Answers are in `tutorials/answers/26.py`. Try first.
#
# 1. By hand: a model gives the four characters of "abba" the probabilities 1/2, 1/4, 1/4 and 1/2.
#    How many bits per character is that, and how many bits is the text?
# 2. By hand: the logits are (2, 1, 0). What are the probabilities at the temperatures 1, 1/2 and 2,
#    and what are they for T towards 0 and towards infinity?
# 3. By hand, Witten and Bell: behind "th" there were 8 characters, 6 of them "e", 2 of them "a". A
#    model of the one character before gives "e" 0.4, "a" 0.3 and "r" 0.1. What are the three
#    probabilities behind "th"?
# 4. Predict, then try: a trained network reads held-out text, but its state is thrown away after
#    every w characters. How do the bits change for w = 1, 5 and 40? Which column of the counts
#    should w = 1 be compared with?
# 5. By hand: the next character has the probabilities 0.5, 0.2, 0.15, 0.1 and 0.05. What is left of
#    them by top-k 2, and what by top-p 0.8? And of 0.9, 0.06, 0.02, 0.01, 0.01?
#
# ## What to take along
#
# - Four patterns, one loop: what differs is at which steps something goes in or comes out.
# - A text is its own target: a language model needs no labels.
# - Bits per character of text that was held out, beside counting: a low loss on the text that was
#   learnt may be memory.
# - The model gives probabilities; how they are drawn from is a choice of its own.
#
# `tinydl train char-lstm` learns Shakespeare's lines, `char-lstm/war-and-peace` the novel;
# `text-vanilla-book` and `text-lstm-book` are a book's nets in their full size. `tinydl sample RUN
# --prompt "What say you" --temperature 0.7 --top-p 0.9` goes on from there. Go on with page 27:
# from one language to another.
