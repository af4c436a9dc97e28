# %% [markdown]
# # 29. Speech and pen
#
# **You need**: a *recurrent network* (page 9), a *convolution* (page 5), *softmax* and
# *cross-entropy* (page 40), a *language model* with its *bits per character* and a *beam* (pages 26
# and 27), a *receptive field* (page 14).
#
# **You will be able to** read a spectrum on the mel scale; compute by hand the probability that
# steps spell a string, and say why CTC needs a blank; and compute how far back a stack of dilated
# convolutions sees.
#
# Sound is thousands of numbers a second, writing a line that nobody has cut into letters. This page
# turns sound into spectra that look as the ear hears, lets a network spell a string without being
# told where a letter begins (CTC), and lets another make sound sample by sample (WaveNet).

# %%
from __future__ import annotations

from itertools import product
from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST, MUTED, ORANGE, VIOLET, plt
from recorded import figures, note, quote

from tinydl import Generator, Tensor, no_grad, random
from tinydl.data import log_mel, mel_filters, mu_law, mu_law_inverse
from tinydl.data.formats.wav import write_wav
from tinydl.models import CTCLabeller, WaveNet
from tinydl.nn import ctc, ctc_beam
from tinydl.optim import Adam

RATE = 8_000

# %% [markdown]
# ## A picture of sound
#
# A network could read the samples themselves, 8,000 a second. But a vowel shifted by half a
# millisecond has all its samples changed and sounds the same; what stays is how strong each
# frequency is. So: a stretch of 25 ms is short enough to sound the same throughout; every 10 ms one
# is taken, faded in and out at its ends (a sudden end would sound like a click), and split into
# frequencies by the Fourier transform.
#
# The ear hears ratios: from 200 to 400 Hz is as far as from 2,000 to 4,000. The *mel scale* spaces
# frequencies so, m = 2595 log10(1 + f / 700); triangles that are equally wide in mel, so wider in
# Hz the higher they lie, gather the power. Its logarithm is what counts, since loudness goes by
# ratios too.
#
# Here is a made-up vowel glide: a low voice whose overtones are lifted around a peak that moves
# from 500 to 2,000 Hz in a second.
#
# **Before you run**: overtones lie at 140, 280, 420 ... Hz, all equally far apart. Will they look
# equally far apart in the mel spectrum? And the peak, which moves evenly in Hz: a straight line?

# %%
t = np.arange(RATE) / RATE
pitch = 2 * np.pi * 140 * t
peak = 500 + 1_500 * t  # Hz
harmonics = np.arange(1, 25)[:, None]
lifted = np.exp(-(((140 * harmonics - peak) / 300) ** 2)) + 0.05
wave = (lifted * np.sin(harmonics * pitch)).sum(axis=0)
wave /= np.abs(wave).max()
spectrum = log_mel(wave, RATE)
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
axes[0].plot(t[:400], wave[:400], color=BLUE)
axes[0].set_title("0.05 s of the wave")
axes[1].plot(np.fft.rfftfreq(200, 1 / RATE), mel_filters(12, 200, RATE), color=MUTED)
axes[1].set_title("12 mel bands over the frequencies")
axes[2].imshow(spectrum.T, origin="lower", aspect="auto", cmap="magma")
axes[2].grid(False)
axes[2].set_title("log mel: 32 bands, 98 steps")
drawing.save(
    figure,
    "29_spectrum.png",
    alt="Left: 0.05 s of a wave. Middle: twelve triangles over the frequencies, wider the "
    "higher. Right: a log mel spectrum of one second in which a bright band rises, "
    "steeply first and then more slowly.",
)

# %% [markdown]
# ![A wave, mel bands, a spectrum](../docs/figures/29_spectrum.png)
#
# Low overtones are lines of their own, high ones run together, and the band rises more slowly the
# higher it gets.
#
# ## Spelling without a cut
#
# A recording says "ab" in a hundred steps. Which steps are the a? Nobody cut it, and cutting by
# hand is dear. The network answers at every step: a class or the *blank* "-". An *alignment* spells
# a string by two rules: first drop repetitions, then blanks. "aa-b-" and "-abb-" both spell "ab";
# "a-a" spells "aa", and "aa" only "a". *CTC* (connectionist temporal classification, Graves et al.
# 2006) makes the *sum* over all alignments of the true string large, so that nobody need know which
# one is right:
#
#     L = -ln sum over the alignments that spell the string of prod over t of p_t(class_t)
#
# By hand: two steps, one label "a", p(a) = 0.6 and p(-) = 0.4 at both. The alignments aa, a- and -a
# spell "a": 0.36 + 0.24 + 0.24 = 0.84. L = 0.17.
#
# **Before you run**: there are many alignments, 3^T for two labels and a blank. How many spell "ab"
# in T = 4 steps? (Try to list them.)


# %%
def spelled(alignment: str) -> str:
    """What an alignment spells: repetitions dropped, then blanks."""
    kept = [c for k, c in enumerate(alignment) if k == 0 or c != alignment[k - 1]]
    return "".join(kept).replace("-", "")


p = {"a": 0.6, "-": 0.4}
total = sum(p[x] * p[y] for x, y in product("a-", repeat=2) if spelled(x + y) == "a")
logits = Tensor(np.log([[[0.4, 0.6]] * 2]).reshape(1, 2, 2))  # class 0 is the blank
by_library = ctc(logits, Tensor([[1]])).item()
print(f"p(a) = {total:.2f}, loss {-np.log(total):.4f}, the library's {by_library:.4f}")
assert abs(total - 0.84) < 1e-12 and abs(by_library + np.log(total)) < 1e-6
ways = ["".join(w) for w in product("ab-", repeat=4) if spelled("".join(w)) == "ab"]
print(len(ways), "of 81 spell ab:", *ways)

# %% [markdown]
# Summing over a list is hopeless for a hundred steps. But an alignment need only remember how much
# of the string is spelled: alpha_t(k), the summed probability of all beginnings of t steps that end
# at place k of "-a-b-", follows from those at t - 1: stay, go one on, or two on (from a to b, not
# from a to the same letter again: there the blank is needed). That is T times 5 numbers, and
# backpropagation goes through it as through any computation.
#
# Made-up pen strokes: a label is a bend to the left, to the right, or none, each 4 to 6 steps long.

# %%
rng = Generator(0)


def strokes(count: int) -> tuple[np.ndarray, ...]:
    """x (N, T, 2): the direction of the pen; and steps, labels, counts."""
    counts = rng.integers(2, 4, count)
    labels, x, steps = np.zeros((count, 3), np.int64), np.zeros((count, 18, 2), np.float32), []
    for row, n in enumerate(counts):
        turn, place = 0.0, 0
        for k in range(int(n)):
            labels[row, k] = rng.integers(0, 3)
            size = int(rng.integers(4, 7))
            for bend in np.r_[0, np.full(size - 1, (-0.7, 0, 0.7)[labels[row, k]])]:
                turn += bend
                x[row, place] = np.cos(turn), np.sin(turn)
                place += 1
            turn = 0.0  # every label begins towards the right
        steps.append(place)
    return x, np.array(steps), labels, counts


random.seed(1)
reader = CTCLabeller(2, 16, 3, 1)
optimizer, losses = Adam(reader.parameters(), lr=0.02), []
for _ in range(80 if FAST else 400):
    x, steps, labels, counts = strokes(25)
    loss = reader.loss(Tensor(x), steps, labels, counts)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
x, steps, labels, counts = strokes(60)
with no_grad():
    read = reader.spell(Tensor(x), steps)
    logits = reader(Tensor(x), steps)
right = [s == row[:n].tolist() for s, row, n in zip(read, labels, counts, strict=True)]
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}; {100 * np.mean(right):.0f} % of strings right")
if not FAST:
    note("strings right", np.mean(right))
elif figures("29"):
    print(f"recorded after 400 updates: {100 * quote('29', 'strings right'):.0f} %")
best, log_p = ctc_beam(logits[:1], steps[:1])[0]
print("beam search:", [c - 1 for c in best], f"with probability {np.exp(log_p):.2f}; truth",
      labels[0][: counts[0]].tolist())  # fmt: skip

# %% [markdown]
# **Before you run**: what will its answers look like over the steps of one string: each label for
# as long as its stroke lasts?

# %%
shares = np.exp(logits.numpy()[0]) / np.exp(logits.numpy()[0]).sum(axis=1, keepdims=True)
figure, axis = plt.subplots(figsize=(7, 2.8))
names = ("blank", "left", "none", "right")
for k, colour in enumerate((MUTED, BLUE, ORANGE, VIOLET)):
    axis.plot(shares[: steps[0], k], color=colour, marker="o", label=names[k])
axis.set_xlabel("step of the pen")
axis.set_ylabel("probability")
axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
drawing.save(
    figure,
    "29_spikes.png",
    alt="Probabilities over the steps of the pen: three times the same label for about four steps, "
    "and between them the blank.",
)

# %% [markdown]
# ![Labels and blanks](../docs/figures/29_spikes.png)
#
# At full length each label is said for about four steps, and blanks between: needed here, since the
# string is three times the same label. Nobody told it where to say what. Nothing in the loss asks a
# label to last as long as its stroke, either: one step is enough to spell it, and networks on long
# inputs often end in narrow spikes with blanks nearly everywhere.
#
# ## Sample by sample
#
# *WaveNet* (van den Oord et al. 2016) is a language model of sound: it says what comes next, p(x_t
# | x_1 ... x_{t-1}), for one of 256 levels (here 32), fine where sound is quiet (the mu-law). Its
# loss is a cross-entropy, in bits per sample. Sound needs a long past: a wave of 100 Hz alone is 80
# samples long. A stack of ordinary convolutions over 2 samples would see one more with each layer.
# *Dilated* ones look at x_t and at x_{t-d} with d = 1, 2, 4, 8 ...: the receptive field doubles
# from layer to layer.
#
# **Before you run**: six layers with the dilations 1, 2, 4, 8, 16 and 32: how many samples does the
# last one see?

# %%
LEVELS = 32
random.seed(2)
net = WaveNet(LEVELS, 12, 16, (1, 2, 4, 8, 16, 32))
tone = np.sin(2 * np.pi * 220 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 6 * t))  # it trembles
samples = mu_law(tone, LEVELS)
loud, quiet = np.diff(mu_law_inverse(np.arange(LEVELS), LEVELS))[[0, 15]]
print(f"neighbouring levels: {loud:.3f} apart where sound is loud, {quiet:.3f} where it is quiet")
optimizer = Adam(net.parameters(), lr=0.01)
bits = []
for _ in range(25 if FAST else 300):
    starts = rng.integers(0, len(samples) - 401, 4)
    loss = net.loss(Tensor(samples[starts[:, None] + np.arange(401)]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    bits.append(loss.item() / np.log(2))
print(f"sees {net.receptive_field} samples; {bits[0]:.2f} -> {bits[-1]:.2f} bits a sample, "
      f"chance {np.log2(LEVELS):.0f}")  # fmt: skip
assert net.receptive_field == 64

# %% [markdown]
# Itself, and 1 + 2 + 4 + 8 + 16 + 32 samples before: 64.
#
# To draw one sample after the other the whole field would be computed again for each. But each
# layer needs only what it computed d steps ago: kept in a ring, a step costs one product a layer,
# and gives the same numbers.

# %%
made, seconds = {}, {}
for cached in (False, True):
    begun = perf_counter()
    with no_grad():
        made[cached] = net.generate(60, Generator(5), samples[:64], cached=cached)
    seconds[cached] = perf_counter() - begun
print("the same samples:", np.array_equal(made[True], made[False]),
      f"- {seconds[False] / seconds[True]:.0f} times faster with a memory")  # fmt: skip
with no_grad():
    long = net.generate(1_000 if FAST else 8_000, Generator(5), samples[:64], temperature=0.8)
sound = mu_law_inverse(long, LEVELS)
drawing.FIGURES.mkdir(parents=True, exist_ok=True)
write_wav(drawing.FIGURES / "29_made.wav", sound, RATE)
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8))
axes[0].plot(sound[:400], color=BLUE)
axes[0].set_title("made by the network")
axes[1].imshow(log_mel(sound, RATE).T, origin="lower", aspect="auto", cmap="magma")
axes[1].grid(False)
axes[1].set_title("its spectrum")
drawing.save(
    figure,
    "29_made.png",
    alt="Left: 400 samples of a trembling wave made by the network. Right: its log mel "
    "spectrum, a steady bright line.",
)

# %% [markdown]
# ![Made by the network](../docs/figures/29_made.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/29.py`. Try first.
#
# 1. By hand: what do "hh-e-l-ll-o", "hello" and "hel-lo" spell? Which is the shortest alignment of
#    "hello"?
# 2. By hand: three steps with p(a) = p(b) = p(-) = 1/3 at each. What is the probability of "ab",
#    and what that of "aa"? Why are they not the same?
# 3. Write the recursion alpha in a few lines, and compare it with the sum over all alignments for T
#    = 6.
# 4. How many mel are 100 Hz at 200 Hz, and at 4,000 Hz?
# 5. How many layers with doubling dilations see a second of sound at 8,000 samples, and how many
#    without dilation?
#
# ## What to take along
#
# - Show a network what stays when the sound stays: power by frequency, spaced as the ear hears.
# - Where nobody cut, sum over all cuts: the sum is a short recursion, and has a gradient.
# - The blank keeps doubled letters apart, and lets a network wait.
# - Dilated convolutions double what they see; what they computed can be kept, so writing is cheap.
#
# `tinydl recipes wavenet-speech` is WaveNet on real speech. Go on with page 20: networks without an
# output.
