# %% [markdown]
# # 26. Writing text: what may come next
#
# A recurrent network reads one step after the other and keeps a state (tutorial 09). What it is
# given and what it gives can be cut in four ways; the most surprising use of one of them is a
# network that reads its own output, and so writes.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, MUTED, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, plt
from matplotlib.patches import FancyBboxPatch

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
drawing.save(figure, "26_patterns.png")

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
# A tagger shows why the state matters: "will" is a name, a noun or an auxiliary, and only its
# neighbours tell. It reads from both ends, and knows the words to the right as well. A table of
# every word's most frequent tag knows no neighbours:


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
# A language model is the synced pattern with y_t = x_{t+1}: after "l" comes "e", after "le" comes
# "a". Of "learn" the targets are "earni", the last one from beyond the window (the book's text
# says "earn"). No labels are needed, only text. Here it is made up: 150 words of few letters, so
# that seconds are enough; `tinydl train char-lstm` reads Shakespeare.

# %%
text = Text(random_text(15_000 if FAST else 60_000, Generator(26), words=150))
print(f"{text.tokens} characters, {len(text.train):,} to learn, {len(text.test):,} held out")
print(text.decoded(text.train[:70]))

# %% [markdown]
# The text is cut into 16 stretches that are read side by side, 40 characters at a time. The state
# at the end of a window is the beginning of the next, so the past is never forgotten by force;
# gradients stop at the window's edge, or a step would cost the whole text (truncated
# back-propagation through time: Williams and Peng 1990).
#
# The loss is -log P(character), the mean in nats. Divided by log 2 it is bits per character: the
# length of the text if a perfect packer used these probabilities.

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
# ## Good, compared with what?
#
# With guessing: log2 of the number of characters. With counting how often each comes. With
# counting what follows the last one, two, ... five: an n-gram, where each length is interpolated
# with the next shorter one by a rule of Witten and Bell. On a small text long contexts are mostly
# new, so the curve bends up again; a network shares what it knows between similar pasts. It has to
# lie below the whole curve to have learnt something that counting has not. Made-up words that never
# change are counting's home ground, and a few seconds are little for a network; what minutes on
# Shakespeare give stands in `tinydl recipes char-lstm`, beside counting and beside xz.


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
drawing.save(figure, "26_bits.png")

# %% [markdown]
# ## Drawing the next character
#
# The network gives probabilities; a writer has to choose. Taking the likeliest always (greedy, the
# book's way) is one choice of many:
#
# - temperature: p ~ exp(logits / T). T < 1 trusts the likely ones more, T > 1 less; T = 0 is greedy
# - top-k: only the k likeliest, whatever they sum to
# - top-p, the nucleus: the fewest whose sum reaches p, so that many are left where the network is
#   unsure, and few where it is sure

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
drawing.save(figure, "26_drawing.png")


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
# Greedy text soon goes round in a circle: the likeliest continuation of a loop is the loop. The
# book's samples do so too ("the same to me, the same to me").
#
# Every step reads one character from the state before it, so the thousandth costs what the first
# one did. The book reads the last hundred characters anew for each.
#
# ## On real books
#
# `tinydl train char-lstm` learns Shakespeare's lines, `char-lstm/war-and-peace` the novel;
# `text-vanilla-book` and `text-lstm-book` are the book's nets in their full size.
# `tinydl sample RUN --prompt "What say you" --temperature 0.7 --top-p 0.9` goes on from there.
#
# ## What to take along
#
# - Four patterns, one loop: what differs is at which steps something goes in or comes out.
# - Bits per character of text that was held out, beside counting: a low loss on the text that was
#   learnt may be memory.
# - The model gives probabilities; how they are drawn from is a choice of its own.
