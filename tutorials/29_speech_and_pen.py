# %% [markdown]
# # 29. Speech and pen
#
# Sound is thousands of numbers a second, writing a line that nobody has cut into letters. This page
# turns sound into spectra that look as the ear hears, lets a network spell a string without being
# told where a letter begins (CTC), and lets another make sound sample by sample (WaveNet).

# %%
from __future__ import annotations

from time import perf_counter

import drawing
import numpy as np
from drawing import BLUE, FAST, MUTED, ORANGE, VIOLET, plt

from tinydl import Generator, Tensor, no_grad, random
from tinydl.data import log_mel, mel_filters, mu_law, mu_law_inverse
from tinydl.data.formats.wav import write_wav
from tinydl.models import CTCLabeller, WaveNet
from tinydl.nn import ctc_beam
from tinydl.optim import Adam

RATE = 8_000

# %% [markdown]
# ## A picture of sound
#
# A stretch of 25 ms is short enough to sound the same throughout; every 10 ms one is taken, faded
# in and out, and split into frequencies. The ear hears ratios: triangles that widen with the
# frequency gather the power (the mel scale), and its logarithm is what counts. Here a made-up
# "vowel glide": a low voice whose overtones are lifted around a peak that moves.

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
drawing.save(figure, "29_spectrum.png")

# %% [markdown]
# ## Spelling without a cut
#
# The network gives every step a class or the blank "-". An alignment spells labels when repetitions
# and then blanks are dropped: "aa-b-" and "-abb-" both spell "ab". CTC (Graves et al. 2006) makes
# the sum over all alignments of the labels large, so that nobody need know which one is right:
#
#     L = -ln sum over the alignments that spell the labels of prod_t p_t(class_t)
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
    spelled = reader.spell(Tensor(x), steps)
    logits = reader(Tensor(x), steps)
right = [s == row[:n].tolist() for s, row, n in zip(spelled, labels, counts, strict=True)]
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}; {100 * np.mean(right):.0f} % of strings right")
best, log_p = ctc_beam(logits[:1], steps[:1])[0]
print("beam search:", [c - 1 for c in best], f"with probability {np.exp(log_p):.2f}; truth",
      labels[0][: counts[0]].tolist())  # fmt: skip

# %% [markdown]
# What it says at each step: spikes of a label, blanks between. Nobody told it where to put them.

# %%
shares = np.exp(logits.numpy()[0]) / np.exp(logits.numpy()[0]).sum(axis=1, keepdims=True)
figure, axis = plt.subplots(figsize=(7, 2.8))
names = ("blank", "left", "none", "right")
for k, colour in enumerate((MUTED, BLUE, ORANGE, VIOLET)):
    axis.plot(shares[: steps[0], k], color=colour, marker="o", label=names[k])
axis.set_xlabel("step of the pen")
axis.set_ylabel("probability")
axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
drawing.save(figure, "29_spikes.png")

# %% [markdown]
# ## Sample by sample
#
# WaveNet says what comes next, p(x_t | x_1 ... x_{t-1}), for one of 256 levels (here 32), fine
# where sound is quiet (the mu-law). Convolutions that see one sample 1, 2, 4, 8 ... steps back
# reach far with few layers: the field doubles from layer to layer.

# %%
LEVELS = 32
random.seed(2)
net = WaveNet(LEVELS, 12, 16, (1, 2, 4, 8, 16, 32))
tone = np.sin(2 * np.pi * 220 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 6 * t))  # it trembles
samples = mu_law(tone, LEVELS)
print("levels of quiet sound lie", np.diff(mu_law_inverse(np.arange(LEVELS), LEVELS))[[0, 15]])
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

# %% [markdown]
# To draw one sample after the other the whole field would be computed again for each. But each
# layer needs only what it computed `dilation` steps ago: kept in a ring, a step costs one product a
# layer, and gives the same numbers.

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
drawing.save(figure, "29_made.png")
