# %% [markdown]
# # 18. Segmentation: a class for every pixel, a mask for every thing
#
# **You need**: a *convolution* (page 5), *intersection over union* and a *default box* (page 17).
#
# **You will be able to** compute a transposed convolution by hand; say why pixel accuracy flatters
# and what is taken in its place; draw a U-Net; and say what a mask head needs from its detector.
#
# A box is a rough answer. This page asks each pixel what it belongs to (*semantic segmentation*:
# FCN, U-Net), measures how well the answers lie on the truth, and then asks a detector for the
# outline of each of its things (instance segmentation: a mask head). Everything is done on drawn
# shapes, whose masks are exact.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, ORANGE, plt
from matplotlib.colors import ListedColormap, to_rgb
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import Batches, pad_rows, shapes
from tinydl.metrics import class_iou, mask_iou, mean_iou
from tinydl.models import MaskRCNN, UNet
from tinydl.models.detection.mask_rcnn import mask_rcnn_loss, mask_targets, paste_masks
from tinydl.models.segmentation.pixels import upsampling
from tinydl.optim import Adam, Cosine
from tinydl.train import LearningRateSchedule, fit

SIDE = 48
scenes = shapes(48 if FAST else 600, Generator(1), size=SIDE)
unseen = shapes(16 if FAST else 100, Generator(2), size=SIDE)
NAMES = ("background", *scenes.classes)
PAPER_COLOURS = ListedColormap(["#e4e9ee", BLUE, ORANGE, GREEN])


def found_in_full(name: str) -> str:
    """In fast mode: what the full run of this page found, to be printed behind a figure."""
    kept = figures("18")
    return f" (full run: {kept[name]:.3f})" if FAST and name in kept else ""


# %% [markdown]
# ## Small maps made large: upsampling that can learn
#
# A classifier halves its maps until little of "where" is left. FCN (Long, Shelhamer and Darrell
# 2015) makes the scores of the last map large again with a *transposed convolution*. A convolution
# reads a window of its input and adds up, weighted by a pattern, to one cell. The transposed one
# goes the other way: each cell lays the pattern, times its value, on the result, s pixels apart,
# and the copies add up where they overlap. (As a matrix it is the transpose, which page 5 met as
# the gradient of a convolution.)
#
# By hand, in one dimension: cells 1 and 3, pattern (1, 2, 1), s = 2. The first lays 1 2 1 on places
# 0 to 2, the second 3 6 3 on places 2 to 4. Together: 1 2 4 6 3.
#
# If the pattern, 2s pixels wide, is a tent (high in the middle, falling to 0 at its border), the
# sum is bilinear interpolation; and that is how training starts. It may learn a better pattern.
#
# **Before you run**: what does the layer make of 4 x 4 cells with s = 8? Which side has the result?

# %%
tinydl.seed(0)
cells, pattern = np.array([1.0, 3]).reshape(1, 1, 2, 1), np.array([1.0, 2, 1]).reshape(1, 3, 1, 1)
laid = ops.conv_transpose2d(Tensor(cells), Tensor(pattern), stride=(1, 2)).numpy().ravel()
print("cells 1 and 3, pattern 1 2 1:", laid)
assert laid.tolist() == [1, 2, 4, 6, 3]
small = np.random.default_rng(0).uniform(size=(1, 4, 4, 1)).astype(np.float32)
layer = upsampling(1, 8)
with no_grad():
    large = layer(Tensor(small)).numpy()[0, ..., 0]
    interpolated = ops.resize(Tensor(small), (32, 32), "bilinear").numpy()[0, ..., 0]
    spot = np.zeros_like(small)
    spot[0, 1, 2] = 1
    tent = layer(Tensor(spot)).numpy()[0, ..., 0]
inner = slice(4, 28)  # at the border the tents of cells beyond are missing
gap = abs(large - interpolated)[inner, inner].max()
print(f"transposed convolution and interpolation differ by {gap:.1e} at most")
assert gap < 1e-6

figure, axes = plt.subplots(1, 4, figsize=(11, 3))
panels = (
    ("4x4 scores", small[0, ..., 0]),
    ("what one cell lays down", tent),
    ("all 16 together, 32x32", large),
    ("interpolation", interpolated),
)
for ax, (title, values) in zip(axes, panels, strict=True):
    drawing.blank(ax, title).imshow(values, cmap="viridis", vmin=0, vmax=1)
drawing.save(
    figure,
    "18_upsampling.png",
    alt="Four cells a side of scores; the tent that one cell lays down; all sixteen tents together "
    "on 32 x 32 pixels; bilinear interpolation, which looks the same inside.",
)

# %% [markdown]
# ![A transposed convolution that interpolates](../docs/figures/18_upsampling.png)
#
# FCN-32s does that once, by 32, and its outlines are blobs: a cell of the last map knows what is
# there, but not where within its 32 pixels. FCN-16s and 8s first add scores read from finer maps on
# the way: small networks of 1x1 convolutions, almost free.

# %%
extra = 512 * 21 + 21 + 256 * 21 + 21  # score4 and score3
ups = [(2 * s) ** 2 * 21 * 21 for s in (32, 2, 2, 8)]
published = 136_152_917
print(f"FCN-32s {published:,}, FCN-8s {published - ups[0] + sum(ups[1:]) + extra:,} parameters")
assert published - ups[0] + sum(ups[1:]) + extra == 134_489_759

# %% [markdown]
# ## U-Net
#
# *U-Net* (Ronneberger, Fischer and Brox 2015) goes the same way more thoroughly. On the way down
# convolutions and poolings halve the maps, level by level; on the way up each level doubles them
# again, and the map of the same level of the way down is laid beside, all channels of it, and two
# convolutions look at both. The coarse map says what, the fine one says where the edge is. Drawn,
# the way down and the way up make a U:
#
#     48 x 48 x 8   -------- laid beside -------->   48 x 48 x 8  -> a score per class and pixel
#       24 x 24 x 16  ---- laid beside ---->   24 x 24 x 16
#                     12 x 12 x 32
#
# The loss is that of a classifier, the cross-entropy, for every pixel. The rate falls to 0 along
# half a cosine: with a fixed one the last steps are as large as the first, and classes are still
# confused at the end (page 7: a rate that shrinks settles).

# %%
tinydl.seed(1)
unet = UNet(3, 4, (8, 16, 32))
data = Batches(scenes.x, scenes.semantic, batch_size=8, rng=Generator(0))
epochs = 25 if FAST else 15
falling = LearningRateSchedule(Cosine(0.005, epochs))
optimizer = Adam(unet.parameters(), lr=0.005)
history = fit(unet, data, "cross_entropy", optimizer, epochs, callbacks=[falling], progress=False)
curve = [row["loss"] for row in history.rows]
print(f"U-Net, {unet.count_parameters():,} parameters: loss {curve[0]:.3f} -> {curve[-1]:.3f}")
note("U-Net, first loss", curve[0])
note("U-Net, last loss", curve[-1])
assert curve[-1] < 0.6 * curve[0]

# %% [markdown]
# ## How good? Mean intersection over union
#
# Four pixels of five are background, so "background, everywhere" has an accuracy to be proud of.
# The intersection over union of page 17 works for any set of pixels: for each class the pixels that
# are of it in both, divided by those that are of it in either. The mean over classes is the usual
# number.
#
# **Before you run**: what is the IoU of "background, everywhere" for the background, if 80 % of all
# pixels are background? What for the three shapes, and what is the mean of the four?

# %%
with no_grad():
    answers = unet.eval()(Tensor(unseen.x)).numpy().argmax(axis=3)
nothing = np.zeros_like(unseen.semantic)
for title, guess in (("nothing, everywhere", nothing), ("U-Net", answers)):
    right = (guess == unseen.semantic).mean()
    score = mean_iou(unseen.semantic, guess, 4)
    full = found_in_full(f"{title}: mean IoU")
    print(f"{title}: {right:.1%} of pixels right, mean IoU {score:.3f}{full}")
    note(f"{title}: pixels right", right)
    note(f"{title}: mean IoU", score)
by_hand = [
    ((answers == c) & (unseen.semantic == c)).sum()
    / ((answers == c) | (unseen.semantic == c)).sum()
    for c in range(4)
]
each = class_iou(unseen.semantic, answers, 4)
print("by class: " + ", ".join(f"{n} {v:.3f}" for n, v in zip(NAMES, each, strict=True)))
assert np.allclose(each, by_hand)
assert mean_iou(unseen.semantic, nothing, 4) < 0.25 < mean_iou(unseen.semantic, answers, 4)
assert FAST or mean_iou(unseen.semantic, answers, 4) > 0.7

figure, axes = plt.subplots(3, 5, figsize=(10, 6.2))
for column, k in zip(axes.T, range(5), strict=True):
    drawing.blank(column[0]).imshow(unseen.x[k])
    for ax, classes in ((column[1], unseen.semantic[k]), (column[2], answers[k])):
        drawing.blank(ax).imshow(classes, cmap=PAPER_COLOURS, vmin=0, vmax=3)
for ax, title in zip(axes[:, 0], ("picture", "truth", "U-Net"), strict=True):
    ax.set_title(title, loc="left")
drawing.save(
    figure,
    "18_unet.png",
    alt="Five drawn scenes; below them the true class of each pixel in colours, and below that "
    "what the U-Net says.",
)

# %% [markdown]
# ![Masks of a U-Net beside the truth](../docs/figures/18_unet.png)
#
# "Nothing, everywhere" has 0.8 for the background (of all pixels, which it claims, 0.8 are right)
# and 0 for each shape, in the mean 0.2: far from the 80 % of its pixel accuracy.
#
# ## Things, not only stuff: a mask for each box
#
# Two squares side by side are one region of "square". To tell them apart, find boxes first. Mask
# R-CNN (He et al. 2017) has a detector with anchors, which are default boxes by another name (page
# 17). It cuts each box that was found out of the feature maps and lets a small convolutional
# network, the mask head, say which of its pixels are the thing. The true mask is cut to the box and
# stretched to the same small square, and the answer goes back the same way. How much is lost on
# that round trip?
#
# **Before you run**: a mask through 4 x 4 cells and back, or through 28 x 28: which IoU with
# itself?

# %%
figure, axes = plt.subplots(1, 4, figsize=(10, 2.8))
picked = next(k for k, label in enumerate(unseen.labels) if label[0] == 2)  # a triangle
box, mask = unseen.boxes[picked][:1].astype(np.float64), unseen.masks[picked][:1]
drawing.blank(axes[0], "the true mask").imshow(mask[0], cmap="Blues")
for ax, bins in zip(axes[1:], (4, 14, 28), strict=True):
    square = mask_targets(mask, box, bins)
    back = paste_masks(np.where(square, 30.0, -30.0), box, (SIDE, SIDE))
    both = (back & mask).sum() / (back | mask).sum()
    drawing.blank(ax, f"through {bins}x{bins}: IoU {both:.2f}").imshow(back[0], cmap="Blues")
    print(f"a mask through {bins}x{bins} and back: IoU {both:.3f}")
assert both > 0.9
drawing.save(
    figure,
    "18_round_trip.png",
    alt="A mask of a triangle, and the same after a way through 4 x 4, 14 x 14 and 28 x 28 cells: "
    "rough, good, the same.",
)

# %% [markdown]
# Where the region is cut matters. A map here has a cell for 8 x 8 pixels, and a box's corner falls
# somewhere within a cell. Fast R-CNN's pooling rounds corners to whole cells: no harm to a class,
# but a mask would be off by half a cell. *RoIAlign* rounds nothing: it reads the map between its
# cells, by interpolation. Its derivative goes back to the maps, none to the corners.
#
# **Before you run**: a map whose values rise by 1 from cell to cell, and a box that moves to the
# right by one pixel, 8 times. By how much does the answer of each grow at each step?

# %%
ramp = Tensor(
    np.arange(6, dtype=np.float32).reshape(1, 1, 6, 1) * np.ones((1, 6, 1, 1), np.float32)
)
moved = [np.array([[8.0 + d, 8, 32 + d, 32]]) for d in range(0, 8)]
pooled = [ops.roi_pool(ramp, b, [0], 1, 1 / 8).numpy().item() for b in moved]
aligned = [ops.roi_align(ramp, b, [0], 1, 1 / 8).numpy().item() for b in moved]
print(f"a box moved by 0 ... 7 pixels, RoI pooling: {np.round(pooled, 2)}")
print(f"                               RoIAlign:    {np.round(aligned, 2)}")
assert len(set(pooled)) == 2 and np.allclose(np.diff(aligned), 1 / 8, atol=1e-5)

# %% [markdown]
# Now all of it together: proposals, boxes, classes and masks, one loss. Masks of different classes
# do not compete: each class has its own, and only that of the true class learns.

# %%
tinydl.seed(2)
model = MaskRCNN((SIDE, SIDE), 3, (8, 16, 32), sizes=(10, 16, 24), hidden=64, limit=20)
few = 16 if FAST else 300
rows = pad_rows(scenes.boxes[:few], scenes.labels[:few], 3)
masks = np.zeros((few, 3, SIDE, SIDE), np.float32)
for k in range(few):
    masks[k, : len(scenes.masks[k])] = scenes.masks[k]
optimizer = Adam(model.parameters(), lr=0.003)
losses = []
for x, own_rows, own_masks in [
    batch
    for _ in range(4 if FAST else 14)
    for batch in Batches((scenes.x[:few], rows, masks), 8, rng=Generator(3))
]:
    loss = mask_rcnn_loss(model(Tensor(x)), own_rows, own_masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"Mask R-CNN: loss {losses[0]:.2f} -> {np.mean(losses[-5:]):.2f} in {len(losses)} steps")
note("Mask R-CNN, steps", len(losses))
assert np.mean(losses[-2:]) < 0.7 * losses[0]

found = model.detect_masks(unseen.x, score=0.1 if FAST else 0.3)
overlaps = []
for report, true in zip(found, unseen.masks, strict=True):
    overlaps += mask_iou(true, report.masks).max(axis=1, initial=0.0).tolist()
full = found_in_full("mean IoU of masks")
print(f"each true mask and the best of those found: mean IoU {np.mean(overlaps):.3f}{full}")
note("mean IoU of masks", np.mean(overlaps))
assert FAST or np.mean(overlaps) > 0.5

figure, axes = plt.subplots(2, 4, figsize=(10, 5.2))
for ax, image, report in zip(axes.ravel(), unseen.x, found, strict=False):
    painted = image.copy()
    for label, one in zip(report.labels, report.masks, strict=True):
        colour = np.array(to_rgb((BLUE, ORANGE, GREEN)[label]), np.float32)
        painted[one] = 0.35 * painted[one] + 0.65 * colour
    drawing.blank(ax).imshow(painted, extent=(0, SIDE, SIDE, 0))
    for x1, y1, x2, y2 in report.boxes:
        ax.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color="white", linewidth=1.2)
squares = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in (BLUE, ORANGE, GREEN)]
figure.legend(squares, scenes.classes, loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.02))
drawing.save(
    figure,
    "18_instances.png",
    alt="Eight drawn scenes that training never saw, with the boxes that were found and the pixels "
    "of each thing painted in the colour of its class.",
)

# %% [markdown]
# ![Boxes and masks of single things](../docs/figures/18_instances.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/18.py`. Try first.
#
# 1. By hand: a transposed convolution in one dimension, cells 2, 0, 1, pattern (1, 1), stride 2.
#    And with stride 1?
# 2. By hand: four pixels are truly 1 1 0 0, the guess is 1 0 0 0 (classes 0 and 1). What is the
#    pixel accuracy, the IoU of each class, the mean IoU?
# 3. Predict, then try: a mask of a square that fills its box, through 4 x 4 cells and back. How
#    much is lost?
# 4. Why must masks of different classes not compete, as classes of pixels do in a U-Net?
# 5. Change a line: a U-Net of one level more, `UNet(3, 4, (8, 16, 32, 64))`. How many parameters,
#    and why must the side be divisible by 8 then?
#
# ## What to take along
#
# - A transposed convolution is a convolution's transpose: it lays patterns down where the other
#   picks them up. Started as a tent it interpolates; training may find something better.
# - "What" needs wide views and small maps, "where" needs fine ones: every network here joins both.
# - Pixel accuracy flatters; intersection over union does not.
# - A mask head is small. What it needs is a box that is right, and a cut that is not rounded.
#
# `tinydl train unet-shapes`, `fcn8s-shapes`, `pspnet-shapes` and `mask-rcnn-shapes` train larger
# ones. Go on with page 19, where the image is what is trained.
