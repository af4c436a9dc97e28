# %% [markdown]
# # 19. Style transfer: a picture as the thing that is trained
#
# **You need**: a *convolution* and a *feature map* (page 5), *Adam* (page 11).
#
# **You will be able to** compute a Gram matrix by hand and say what it forgets; write a loss for
# pixels and train them; and say what the network that looks has to know, and what not.
#
# Every page so far changed weights to fit pictures. This one keeps the weights and changes the
# picture: it should hold what one picture shows and look as another one is painted. All *style
# transfer* takes is a loss that says what "shows" and "is painted" mean, and gradients down to the
# pixels (Gatys, Ecker and Bethge 2015).

# %%
from __future__ import annotations

import os

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, MUTED, ORANGE, plt
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.data import shapes
from tinydl.models.style.transfer import StyleFeatures, gram, style_loss, transfer
from tinydl.nn import mse, total_variation
from tinydl.programs.parts import load_parts
from tinydl.runs.run import OpenRun
from tinydl.studies.style import features_of

SIDE = 32 if FAST else 96

# %% [markdown]
# ## Two pictures
#
# Content: drawn shapes, a little noisy. (On ground that is perfectly flat all pixels would get the
# same gradient, and no stripe could begin.) Style: slanting stripes with a slow change of colour,
# drawn by formulas.

# %%
scene = shapes(12, Generator(19), size=SIDE, noise=0.1)
busy = int(np.argmax([masks.sum() for masks in scene.masks]))
content = scene.x[busy : busy + 1]
y, x = np.mgrid[:SIDE, :SIDE] * (96 / SIDE)
waves = np.sin(0.55 * x + 0.35 * y + 2.5 * np.sin(0.09 * y))
red, green, blue = 0.6 + 0.4 * waves, 0.45 + 0.3 * waves * np.cos(0.05 * x), 0.45 - 0.3 * waves
style = np.stack([red, green, blue], axis=2)[None].clip(0, 1).astype(np.float32)

# %% [markdown]
# ## The network that looks
#
# Pixel by pixel, a picture moved by one pixel is another picture. So the losses do not compare
# pixels but feature maps of a convolutional network, whose weights stay as they are. The paper
# takes VGG19 (page 14), trained on a million photographs. Ours has VGG's form in small, three
# stages of two convolutions. With random kernels, never trained, it is enough for the textures of
# this page (Ustyuzhaninov et al. 2016, arXiv 1606.00021). Trained ones see more: `tinydl train
# vgg-cifar --out RUN` makes a classifier of small photographs in some twenty minutes, and with
# `TINYDL_STYLE_RUN=RUN` in front of the command this page looks through its features. What still
# better ones would change is the last section's matter.

# %%
RUN = os.environ.get("TINYDL_STYLE_RUN")
tinydl.seed(0)
if RUN:
    run = OpenRun(RUN)
    features = features_of(run, load_parts(run.recipe).train[0][:500])
else:
    features = StyleFeatures((16, 32, 32))
print(f"{features.count_parameters():,} numbers, {'trained on CIFAR-10' if RUN else 'random'}")

# %% [markdown]
# ## Content: where things are
#
# The maps of the last stage, compared place by place: mean (F - F_content)^2. Coarse maps forgive a
# changed pixel, but not a moved corner.
#
# ## Style: what goes with what
#
# What makes a painting look as it does is not where things are, but what goes with what: "orange is
# where stripes of this slant are". The *Gram matrix* of a map says that and forgets places
# altogether: entry (i, j) is the mean over all places of channel i times channel j.
#
# By hand, two channels at four places: a = (1, 0, 2, 1), b = (0, 3, 0, 1). Entry (a, a) is (1 + 0 +
# 4 + 1) / 4 = 1.5, (b, b) is (0 + 9 + 0 + 1) / 4 = 2.5, and (a, b) is (0 + 0 + 0 + 1) / 4 = 0.25:
# they are seldom large at the same place. The style loss is the mean squared difference of the Gram
# matrices of picture and style, summed over the stages.
#
# **Before you run**: shuffle the places of a map, all channels in the same way. Which of the two
# losses notices, that of the content or that of the style?

# %%
a, b = np.array([1.0, 0, 2, 1]), np.array([0.0, 3, 0, 1])
by_hand = gram(Tensor(np.stack([a, b], axis=1).reshape(1, 2, 2, 2))).numpy()[0]
print("Gram matrix by hand:", by_hand.tolist())
assert by_hand.tolist() == [[1.5, 0.25], [0.25, 2.5]]

with no_grad():
    maps = features(Tensor(style))
    grams = [gram(m).numpy()[0] for m in maps]
    first = maps[0].numpy()
shuffled = first.reshape(-1, first.shape[3])[np.random.default_rng(0).permutation(SIDE * SIDE)]
again = gram(Tensor(shuffled.reshape(first.shape))).numpy()[0]
print(f"Gram matrix after shuffling the places: changed by {abs(again - grams[0]).max():.1e}")
assert np.allclose(again, grams[0], rtol=1e-3)
moved = mse(Tensor(shuffled.reshape(first.shape)), Tensor(first)).item()
assert moved > 1e-3

with no_grad():
    plain = [gram(m).numpy()[0] for m in features(Tensor(content))]
figure, axes = plt.subplots(2, 4, figsize=(11, 5.4))
for row, title, image, own in zip(
    axes, ("content", "style"), (content, style), (plain, grams), strict=True
):
    drawing.blank(row[0], title).imshow(image[0])
    for k, (ax, matrix) in enumerate(zip(row[1:], own, strict=True)):
        largest = max(plain[k].max(), grams[k].max())
        drawing.blank(ax, f"Gram matrix of stage {k + 1}").imshow(
            np.sqrt(np.maximum(matrix, 0)), cmap="magma", vmin=0, vmax=np.sqrt(largest)
        )
drawing.save(
    figure,
    "19_gram.png",
    alt="The content and the style, and beside each the Gram matrices of the three stages as "
    "squares of colour; those of the style have other bright cells.",
)

# %% [markdown]
# ![Gram matrices of content and style](../docs/figures/19_gram.png)
#
# (Drawn are square roots: a few channels answer much more than the others.) The Gram matrix is a
# mean over places, and a mean does not ask for the order: it stays the same, while the content loss
# sees another picture.
#
# ## Smoothness
#
# The third part, *total variation*, adds up the differences of neighbouring pixels, without their
# signs. Without it the picture fills with speckles, which the features hardly see: a convolution
# that averages, and a pooling behind it, hide what changes from pixel to pixel. Its weight grows
# with that of the style.
#
# ## The pixels learn
#
# The loss is content + strength * style + weight * total variation. Its gradient goes through the
# network as always, but it is that of the *input* that is used: Adam changes the 3 H W numbers of
# the picture, from the content picture on. First the slope, checked as on page 3: the loss changes
# along a random direction as the gradient says. (At a picture with a little noise: on flat ground
# all four pixels of a pooling window are equally large, and there is no one slope.)

# %%
check = StyleFeatures((16, 32, 32)).astype("float64")
rng = np.random.default_rng(1)
corner = content[:, SIDE // 4 : SIDE // 4 + 24, SIDE // 4 : SIDE // 4 + 24]
start = corner + 0.05 * rng.normal(size=corner.shape)
picture = Tensor(start, requires_grad=True)
with no_grad():
    target = check(Tensor(corner[:, ::-1].astype(np.float64)))[-1]
    wanted = [gram(m) for m in check(Tensor(style.astype(np.float64)))]
style_loss(check(picture), target, wanted, picture, (1.0, 10.0, 0.0)).backward()
direction = rng.normal(size=corner.shape)
ends = []
for sign in (1, -1):
    p = Tensor(start + sign * 1e-8 * direction)
    with no_grad():
        ends.append(style_loss(check(p), target, wanted, p, (1.0, 10.0, 0.0)).item())
slope, told = (ends[0] - ends[1]) / 2e-8, float((picture.grad.numpy() * direction).sum())
print(f"slope along a random direction: {told:.6e}, measured {slope:.6e}")
assert abs(slope - told) < 1e-3 * abs(told)

# %% [markdown]
# **Before you run**: the style counts 0.3, 3 and 30 times. What happens to the distance from the
# content, and to that from the style? (With trained features the three strengths are smaller.)

# %%
steps = 25 if FAST else 250
STRENGTHS = (0.1, 1.0, 10.0) if RUN else (0.3, 3.0, 30.0)
results, courses = [], []
for strength in STRENGTHS:
    made, losses = transfer(
        features,
        Tensor(content),
        Tensor(style),
        steps,
        0.03,
        (1.0, strength, 0.02 * strength / SIDE**2),
    )
    results.append(made)
    courses.append(losses)
    print(f"style x {strength:g}: loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    assert losses[-1] < losses[0]


def distances(image: Tensor) -> tuple[float, float, float]:
    """How far a picture is from the content and from the style, and its variation per pixel."""
    with no_grad():
        seen, shown = features(image), features(Tensor(content))[-1]
        painted = features(Tensor(style))
        far = sum(mse(gram(a), gram(b)).item() for a, b in zip(seen, painted, strict=True))
        rough = total_variation(image).item() / (SIDE * SIDE)
        return mse(seen[-1], shown).item(), far, rough


print("                 from content   from style   variation")
table = [distances(Tensor(content)), *(distances(made) for made in results)]
for name, values in zip(
    ("the content", *(f"style x {s:g}" for s in STRENGTHS)), table, strict=True
):
    print(f"{name:<14}" + "".join(f"{v:>13.4f}" for v in values))
assert table[3][1] < table[1][1] < table[0][1]  # the more it counts, the nearer the style
assert table[3][0] > table[1][0]  # and the farther the content
for s, (content_away, style_away, _) in zip(STRENGTHS, table[1:], strict=True):
    note(f"style x {s:g}: from content", content_away)
    note(f"style x {s:g}: from style", style_away)
if FAST and figures("19"):
    print("full run, 250 steps on 96 x 96 pixels:")
    for name, value in figures("19").items():
        print(f"    {name} {value:.4f}")

# %%
figure, axes = plt.subplots(1, 5, figsize=(13, 3))
panels = [("content", content), ("style", style)]
panels += [(f"style x {s:g}", made.numpy()) for s, made in zip(STRENGTHS, results, strict=True)]
for ax, (title, image) in zip(axes, panels, strict=True):
    drawing.blank(ax, title).imshow(image[0])
drawing.save(
    figure,
    "19_pictures.png",
    alt="The content (drawn shapes), the style (slanting stripes), and three pictures in which the "
    "shapes are covered more and more by the stripes' colours and slants.",
)

figure, ax = plt.subplots(figsize=(5.5, 3))
for s, losses, colour in zip(STRENGTHS, courses, (BLUE, ORANGE, GREEN), strict=True):
    ax.semilogy(np.array(losses) / losses[0], color=colour, label=f"style x {s:g}")
ax.axhline(1, color=MUTED, linewidth=1)
ax.set_xlabel("step")
ax.set_ylabel("loss / its first value")
ax.legend(loc="upper right", bbox_to_anchor=(1, 0.95))
drawing.save(
    figure,
    "19_losses.png",
    alt="The loss by step, as a share of its first value, for three strengths: all fall, fast at "
    "first.",
)

# %% [markdown]
# ![One content, one style, three strengths](../docs/figures/19_pictures.png)
#
# (The picture that is kept here was drawn with the trained features of `vgg-cifar`, so its
# strengths are smaller.) The more the style counts, the nearer its Gram matrices are, and the
# farther the content: one cannot have both, and the strength says how much of each.
#
# ## What training changes, and what a pre-trained VGG would
#
# Random kernels answer to edges, slants and colours, each stage to those of a wider receptive field
# (page 14): 5, 14 and 32 pixels here. So content survives as outlines, and style arrives as colour
# and slanting dabs, not as whole stripes.
#
# Kernels that were trained to tell ten kinds of small photographs apart (`vgg-cifar`) lay down
# stripes that run on over many pixels, around the shapes. They need one more step. The answers of
# their channels differ in size by orders of magnitude, and the largest alone would be the style:
# `balance` divides every channel by what it answers to photographs, and the next convolution
# multiplies that into its weights. As relu(s h) = s relu(h) for s > 0, no map changes but by its
# factors.
#
# `python -m tinydl.studies.style RUN CONTENT STYLE` paints with them from two files.
#
# They have seen 32 x 32 pixels and ten kinds of things. VGG19's last stages, five poolings deep,
# know windows and eyes; a picture may move a line by ten pixels there and still hold a house, which
# leaves the style more room. The losses, the slope and the loop above would not change by a line.
#
# ## Exercises
#
# Answers are in `tutorials/answers/19.py`. Try first.
#
# 1. By hand: two channels at three places, a = (1, 2, 0), b = (2, 0, 1). What is the Gram matrix?
# 2. Derive: G = F^T F / P with F of shape (P, C), one row for each place. Why is G symmetric, why
#    has a^T G a >= 0 for every vector a? What size has it for an image twice as large?
# 3. Predict, then try: the picture is mirrored, left for right. Does the Gram matrix of its
#    *pixels* change? And that of maps behind a 3 x 3 convolution?
# 4. Change a line: start from noise instead of the content picture. What would you expect with
#    style alone (content weight 0)?
# 5. By hand: the total variation of the row 0 1 0 1 and of the row 0 0 1 1.
#
# ## What to take along
#
# - Whatever a loss can be differentiated by can be trained: here, pixels.
# - A mean of products over all places keeps what goes with what, and forgets where.
# - The weights of the three parts are taste. Look at the pictures.
#
# Go on with page 32: what pooling forgets, and capsules that keep it.
