# %% [markdown]
# # 27. Attention and translation
#
# A network that translates reads one sequence and writes another, of another length, in another
# order. Two recurrent networks can do that: an *encoder* reads, a *decoder* writes. What passes
# between them is the question of this tutorial: one vector, or a look back at every word.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import CharacterTokenizer, dates, pad_sequences
from tinydl.metrics import bleu, exact_match
from tinydl.models import EncoderDecoder
from tinydl.models.sequence.attention_decoder import END
from tinydl.models.sequence.search import beam, greedy
from tinydl.optim import Adam, clip_by_global_norm

# %% [markdown]
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
# The probability of a sentence is a product over its words,
#
# $$ p(y \mid x) = \prod_t p(y_t \mid y_1 \dots y_{t-1}, x), $$
#
# so the decoder is trained to name each word when all the words before it are the *true* ones,
# whatever it would have written itself. All steps of a batch are then one call, and the loss is the
# cross-entropy of each word, padding left out.
#
# Without attention the decoder begins with the encoder's last state and has nothing else. With
# attention every state $s_t$ asks all the encoder's states $m_j$,
#
# $$ a_{tj} = \mathrm{softmax}_j(s_t W m_j), \qquad c_t = \sum_j a_{tj} m_j, $$
#
# and the word is chosen by $c_t$ and $s_t$ together. A weighted mean has a derivative: nobody has
# to say which letter belongs to which.


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

# %%
figure, ax = plt.subplots(figsize=(5.4, 2.8))
for (name, (_, losses)), color in zip(networks.items(), (BLUE, ORANGE), strict=True):
    ax.plot(range(1, EPOCHS + 1), losses, color=color, label=name)
ax.set(xlabel="epoch", ylabel="cross-entropy per letter", yscale="log")
ax.legend()
drawing.save(figure, "27_losses.png")

# %% [markdown]
# Exact matches count whole dates. BLEU counts pieces of one to four tokens that the reference has
# too, and punishes what is too short; it forgives one wrong digit, which a calendar does not. Which
# of the two is right depends on the use.
#
# ## Where it looked
#
# The weights $a_{tj}$ are a picture for free: rows are what is written, columns what is read. The
# year is copied digit by digit; the month is looked at in its name.

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
drawing.save(figure, "27_attention.png")

# %% [markdown]
# ## Greedy, and beams
#
# To take the most probable word each time need not give the most probable sentence: a good word may
# lead nowhere. A *beam* keeps the best few beginnings of each length. As $\log p$ falls with every
# word, sentences are compared by $\log p / ((5 + T)/6)^\alpha$, else short ones win.
#
# A network of chance shows it best: on a trained one of so small a task, both write the same. More
# beginnings are not always better: what is dropped early is gone.

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
drawing.save(figure, "27_beams.png")

# %% [markdown]
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
# ## On real sentences
#
# `tinydl train tatoeba-swe` translates everyday Swedish, and `tinydl predict RUN --text "..."` what
# is typed. Beside it stands a table that replaces each word in its place by the one it occurs with
# most: for short sentences of two related languages that is a strong baseline, and a BLEU without
# it says little. `tinydl train chatbot` trains the same network on questions and answers: it learns
# them by heart, and the nearest question that it knows is printed beside what it invents.
# `tinydl train captions` exchanges the encoder: convolutions read a picture, and the same decoder
# looks at its places.
#
# ## What to take along
#
# - Training knows the true words before; writing does not. The difference is the search.
# - Attention is a weighted mean that is asked for: differentiable, and a picture of itself.
# - Hold out by sentence, not by pair: one sentence may have several translations.
