# %% [markdown]
# # 17. Detection: from boxes to pictures
#
# A classifier says what is on a picture. A detector says what is where, and it does not know
# beforehand how many things there are. This page follows SSD through that difficulty step by step:
# boxes that are there before any picture is, how true boxes are given to them, what numbers the
# network is asked for, and how its several hundred answers become two or three.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, ORANGE, plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.data import Batches, shapes
from tinydl.metrics import Truth, box_iou, mean_average_precision
from tinydl.models import SSD300, SmallSSD
from tinydl.models.detection.anchors import grid_anchors
from tinydl.models.detection.boxes import VARIANCES, decode, encode, to_corners
from tinydl.models.detection.matching import match
from tinydl.models.detection.nms import nms
from tinydl.models.detection.selective_search import segment, selective_search
from tinydl.models.detection.ssd import NEGATIVES, multibox_loss
from tinydl.nn import smooth_l1
from tinydl.optim import Adam
from tinydl.train import fit

SIDE = 48
COLOURS = ("#38a8f0", ORANGE, "#4dc46a")  # seen on dark pictures as well as on paper
scenes = shapes(64 if FAST else 800, Generator(1), size=SIDE)
unseen = shapes(16 if FAST else 100, Generator(2), size=SIDE)
NAMES = scenes.classes


def outline(ax: Axes, box: np.ndarray, color: str, text: str = "", **style: object) -> None:
    """A box of corners in pixels on a picture."""
    x1, y1, x2, y2 = box
    options = {"linewidth": 1.6, "fill": False, "edgecolor": color, **style}
    ax.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **options))
    if text:
        plate = {"facecolor": color, "edgecolor": color, "pad": 0.8}
        ax.text(x1, y1 - 0.4, text, color="white", fontsize=7, va="bottom", bbox=plate)


def show(ax: Axes, image: np.ndarray, title: str = "") -> Axes:
    drawing.blank(ax, title).imshow(image, extent=(0, SIDE, SIDE, 0))
    return ax


# %% [markdown]
# ## The old way: propose, cut out, classify
#
# R-CNN (2014) leaves the "where" to a method that does not learn. Selective search first joins
# neighbouring pixels of like colour into regions, then regions into larger ones, the most similar
# pair first, and every region on that way is a proposal. Each is cut out, stretched to a square
# and classified: one run of the network per proposal, and there are up to 2000 of them on a photo.

# %%
CHOSEN = 3
image, boxes, labels = scenes.x[CHOSEN], scenes.boxes[CHOSEN], scenes.labels[CHOSEN]
proposals = selective_search(image)
overlap = box_iou(boxes.astype(np.float64), proposals)
for name, row in zip((NAMES[k] for k in labels), overlap, strict=True):
    print(f"{name}: the best of {len(proposals)} proposals overlaps by IoU {row.max():.2f}")
assert (overlap.max(axis=1) > 0.5).all()

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
for box, label in zip(boxes, labels, strict=True):
    outline(axes[0], box, COLOURS[label], NAMES[label])
show(axes[0], image, "what is there")
regions = segment(image, 0.2)
drawing.blank(axes[1], f"{regions.max() + 1} regions of like colour").imshow(
    regions, cmap="tab20", extent=(0, SIDE, SIDE, 0), interpolation="nearest"
)
show(axes[2], image, f"{len(proposals)} proposals, the best in colour")
for box in proposals:
    outline(axes[2], box, "white", alpha=0.3, linewidth=1.0)
for box in proposals[overlap.argmax(axis=1)]:
    outline(axes[2], box, ORANGE, linewidth=2.2)
drawing.save(figure, "17_proposals.png")

# %% [markdown]
# ## Boxes before there is a picture
#
# SSD (2016) looks once. At every cell of a few feature maps it holds some *default boxes*, always
# the same, small ones on the fine map and large ones on the coarse. For each of them the network
# answers two questions: what, if anything, is in you, and how would you have to move to fit it?

# %%
tinydl.seed(0)
model = SmallSSD((SIDE, SIDE), 3, (8, 16, 32, 32), (11, 17, 24, 32), ((), (), ()))
defaults = to_corners(model.defaults) * SIDE
counts = [2 * n * n for n in (12, 6, 3)]
print(f"maps of 12x12, 6x6 and 3x3 cells, two boxes each: {counts}, together {len(defaults)}")
assert sum(counts) == len(defaults)
print("SSD300: 38x38x4 + 19x19x6 + 10x10x6 + 5x5x6 + 3x3x4 + 1x1x4 =", end=" ")
published = sum(n * n * k for n, k in zip((38, 19, 10, 5, 3, 1), (4, 6, 6, 6, 4, 4), strict=True))
print(f"{published:,}")
assert published == 8732 and SSD300.__doc__ is not None and "8,732" in SSD300.__doc__

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
start = 0
for ax, cells, count in zip(axes, (12, 6, 3), counts, strict=True):
    show(ax, image, f"{cells}x{cells} cells, {count} boxes")
    for line in np.linspace(0, SIDE, cells + 1):
        ax.plot([0, SIDE], [line, line], color="white", linewidth=0.4, alpha=0.6)
        ax.plot([line, line], [0, SIDE], color="white", linewidth=0.4, alpha=0.6)
    middle = start + 2 * ((cells // 2) * cells + cells // 2)
    for k in (middle, middle + 1):
        outline(ax, defaults[k], ORANGE)
    start += count
drawing.save(figure, "17_default_boxes.png")

# %% [markdown]
# Faster R-CNN (2015) calls them *anchors* and has one map: at every cell of 16 pixels three areas
# in three shapes, each of a shape's boxes with the same area. Its network says for each whether
# there is anything; a second one, what.

# %%
HEIGHT, WIDTH, STRIDE = 600, 800, 16
anchors = grid_anchors(HEIGHT // STRIDE, WIDTH // STRIDE, STRIDE, (128, 256, 512))
middle = anchors.reshape(HEIGHT // STRIDE, WIDTH // STRIDE, 9, 4)[18, 25]
print(f"anchors of a picture of {WIDTH} x {HEIGHT}: {len(anchors):,}, 9 at each cell")
assert np.allclose(middle[:, 2] * middle[:, 3], np.repeat([128**2, 256**2, 512**2], 3))
figure, ax = plt.subplots(figsize=(6.4, 4.8))
for k, box in enumerate(to_corners(middle)):
    color, style = (BLUE, ORANGE, GREEN)[k // 3], ("--", "-", ":")[k % 3]
    ratio = ("1:2", "1:1", "2:1")[k % 3]
    name = f"{round(np.sqrt(middle[k, 2] * middle[k, 3]))}², {ratio}"
    x1, y1, x2, y2 = box
    ax.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], style, color=color, label=name)
ax.add_patch(Rectangle((0, 0), WIDTH, HEIGHT, fill=False, edgecolor=INK, linewidth=2))
ax.scatter(*middle[0, :2], color=INK, s=12)
ax.set(xlim=(-40, WIDTH + 40), ylim=(HEIGHT + 90, -90), aspect="equal")
ax.set(xlabel="pixels", ylabel="pixels", title="The nine anchors of one cell, and the picture")
ax.legend(title="area, width : height", loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
drawing.save(figure, "17_anchors.png")

# %% [markdown]
# ## Who is responsible
#
# A true box is given to the default box that overlaps it most, whatever the overlap: so that none
# is forgotten. Every other default box with an *intersection over union* (IoU) above 0.5 takes its
# best true box too. The rest is background, and there is very much of it.

# %%
matched = match(defaults, boxes.astype(np.float64))
on = matched >= 0
print(f"{on.sum()} of {len(defaults)} default boxes are matched with {len(boxes)} true ones")
assert set(matched[on]) == set(range(len(boxes)))  # each has at least one

figure, axes = plt.subplots(1, len(boxes), figsize=(3.4 * len(boxes), 3.4), squeeze=False)
for k, ax in enumerate(axes[0]):
    own = defaults[matched == k]
    show(ax, image, f"{NAMES[labels[k]]}: {len(own)} default boxes")
    for box in own:
        outline(ax, box, "white", linewidth=1.0, alpha=0.8)
    outline(ax, boxes[k], COLOURS[labels[k]], linewidth=2.4)
drawing.save(figure, "17_matching.png")

# %% [markdown]
# ## What the network is asked for
#
# Not for corners: for the way from the default box d to the true box g, in units of d,
#
#     (g_x - d_x) / d_w,  (g_y - d_y) / d_h,  log(g_w / d_w),  log(g_h / d_h),
#
# divided by 0.1, 0.1, 0.2, 0.2 (the authors' code), so that the four are of like size. A small and
# a large thing then make mistakes of like size, and a width can never be negative.

# %%
first = int(np.flatnonzero(on)[0])
true = boxes[matched[first]].astype(np.float64) / SIDE
default = model.defaults[first]
by_hand = [
    ((true[0] + true[2]) / 2 - default[0]) / default[2] / 0.1,
    ((true[1] + true[3]) / 2 - default[1]) / default[3] / 0.1,
    np.log((true[2] - true[0]) / default[2]) / 0.2,
    np.log((true[3] - true[1]) / default[3]) / 0.2,
]
offsets = encode(true, default, VARIANCES)
print(f"offsets of one matched box: {np.round(offsets, 2)}")
assert np.allclose(offsets, by_hand) and np.allclose(decode(offsets, default, VARIANCES), true)

# %% [markdown]
# ## The loss, and why most of the background is left out
#
# Matched boxes pay for their offsets (smooth L1) and their class; background boxes pay if they
# claim to see something. With all of them in the sum the answer "nothing, everywhere" would be
# nearly right. So only the background boxes with the largest loss count, three for each match.

# %%
targets = np.stack([model.targets(b, c) for b, c in zip(scenes.boxes, scenes.labels, strict=True)])
share = (targets[..., 0] > 0).mean()
print(f"{share:.1%} of all default boxes hold a thing")
with no_grad():
    some, wanted = Tensor(scenes.x[:8]), Tensor(targets[:8])
    outputs = model(some)
    loss = multibox_loss(outputs, wanted).item()
    classes = targets[:8, :, 0].astype(np.int64)
    rows = outputs[..., 4:].reshape(-1, 4)
    losses = ops.cross_entropy_per_row(rows, Tensor(classes.reshape(-1))).numpy()
losses, told = losses.reshape(classes.shape), outputs.numpy()[..., :4]
total, matches = 0.0, int((classes > 0).sum())
for n in range(8):
    things = classes[n] > 0
    hard = np.sort(losses[n][~things])[::-1][: NEGATIVES * int(things.sum())]
    apart = abs(told[n][things] - targets[n][things][:, 1:])
    total += np.where(apart < 1, apart**2 / 2, apart - 0.5).sum()
    total += losses[n][things].sum() + hard.sum()
print(f"the loss {loss:.4f}, and by this loop {total / matches:.4f}")
assert abs(loss - total / matches) < 1e-4 * loss

# %% [markdown]
# The book prints smooth L1 with its bend at |x| = 0.5. There the parabola x^2 / 2 has reached 1/8,
# and |x| - 1/2 is 0: the function would fall by 1/8 as the mistake grows. At 1 both are 1/2, and
# both have slope 1.

# %%
x = np.linspace(-2, 2, 401)
ours = smooth_l1(Tensor(x), Tensor(0 * x), "none").numpy()
printed = np.where(abs(x) < 0.5, x * x / 2, abs(x) - 0.5)
figure, ax = plt.subplots(figsize=(5.5, 3))
ax.plot(x, printed, color=ORANGE, label="as printed: bend at 1/2")
ax.plot(x, ours, color=BLUE, label="smooth L1: bend at 1")
ax.set_xlabel("distance")
ax.legend()
drawing.save(figure, "17_smooth_l1.png")
assert abs(np.diff(ours)).max() < 0.011 and abs(np.diff(printed)).max() > 0.1

# %% [markdown]
# ## Training

# %%
data = Batches((scenes.x, targets), 16, rng=Generator(0))
epochs = 15 if FAST else 20
history = fit(
    model, data, multibox_loss, Adam(model.parameters(), lr=0.004), epochs, progress=False
)
curve = [row["loss"] for row in history.rows]
print(f"loss {curve[0]:.2f} -> {curve[-1]:.2f} in {epochs} epochs")
assert curve[-1] < 0.5 * curve[0]

# %% [markdown]
# ## From answers to boxes: suppression
#
# Every default box near a thing reports it. Of boxes of one class that overlap by more than 0.45,
# the surest stays; the *lower scored* one goes: non-maximum suppression. (The book lets boxes "over
# a score" go.)

# %%
model.eval()
with no_grad():
    answers = model(Tensor(unseen.x)).numpy()
found = model.found(answers)


def claims(one: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, classes and scores of the default boxes of one picture that claim a thing."""
    shares = np.exp(one[:, 4:]) / np.exp(one[:, 4:]).sum(axis=1, keepdims=True)
    score, label = shares[:, 1:].max(axis=1), shares[:, 1:].argmax(axis=1)
    kept = score >= least
    where = decode(one[kept, :4].astype(np.float64), model.defaults[kept], VARIANCES) * SIDE
    return where, label[kept], score[kept]


busiest = int(np.argmax([len(b) for b in unseen.boxes]))
where, what, score = claims(answers[busiest], 0.3)
left = np.concatenate(
    [np.flatnonzero(what == c)[nms(where[what == c], score[what == c], 0.45)] for c in range(3)]
)
print(f"{len(where)} default boxes report something; {len(left)} boxes stay")
assert len(left) < len(where)

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
panels = (
    ("what is there", unseen.boxes[busiest], unseen.labels[busiest], None),
    (f"{len(where)} boxes report", where, what, None),
    (f"{len(left)} stay", where[left], what[left], score[left]),
)
for ax, (title, some_boxes, some_labels, scores) in zip(axes, panels, strict=True):
    show(ax, unseen.x[busiest], title)
    for k, (box, label) in enumerate(zip(some_boxes, some_labels, strict=True)):
        text = "" if scores is None else f"{NAMES[label]} {scores[k]:.2f}"
        outline(ax, box, COLOURS[label], text)
drawing.save(figure, "17_suppression.png")

# %% [markdown]
# ## How good? Mean average precision
#
# Take all detections of a class on all test pictures, the surest first. Each is right (IoU of at
# least 0.5 with a true box nobody has claimed yet) or wrong. After each: precision, the share of
# right ones so far, and recall, the share of true boxes found so far. Average precision is the area
# below that curve (VOC 2007: the mean of eleven points); mAP is its mean over the classes.

# %%
truths = [Truth(b, c) for b, c in zip(unseen.boxes, unseen.labels, strict=True)]
result = mean_average_precision(found, truths, 3)
for name, value in zip(NAMES, result.per_class, strict=True):
    print(f"{name}: average precision {value:.3f}")
print(f"mAP {result.value:.3f} on {len(truths)} pictures never seen")
assert result.value > (0.1 if FAST else 0.7)


def precision_and_recall(label: int) -> tuple[np.ndarray, np.ndarray]:
    """By the plain meaning of the words."""
    rows = [
        (s, n, box)
        for n, f in enumerate(found)
        for box, c, s in zip(f.boxes, f.labels, f.scores, strict=True)
        if c == label
    ]
    free = [list(t.boxes[t.labels == label]) for t in truths]
    total = sum(len(f) for f in free)
    right = []
    for _, n, box in sorted(rows, key=lambda row: -row[0]):
        overlaps = [float(box_iou(box[None], t[None])[0, 0]) for t in free[n]]
        hit = bool(overlaps) and max(overlaps) >= 0.5
        if hit:
            free[n].pop(int(np.argmax(overlaps)))
        right.append(hit)
    hits = np.cumsum(right)
    return hits / np.arange(1, len(right) + 1), hits / total


figure, ax = plt.subplots(figsize=(5, 3.4))
for label, name in enumerate(NAMES):
    precision, recall = precision_and_recall(label)
    ax.plot(recall, precision, color=COLOURS[label], label=f"{name}: {result.per_class[label]:.2f}")
ax.set_xlabel("recall")
ax.set_ylabel("precision")
ax.set_ylim(0, 1.05)
ax.legend(title="average precision")
drawing.save(figure, "17_precision_recall.png")

# %% [markdown]
# And pictures it has never seen, with everything it is at least half sure of.

# %%
figure, axes = plt.subplots(2, 4, figsize=(10, 5.2))
for ax, one, report in zip(axes.ravel(), unseen.x, found, strict=False):
    show(ax, one)
    for box, label, s in zip(report.boxes, report.labels, report.scores, strict=True):
        if s >= 0.5:
            outline(ax, box, COLOURS[label], f"{NAMES[label]} {s:.2f}")
drawing.save(figure, "17_found.png")

# %% [markdown]
# ## Where the book is wrong
#
# - SSD's smooth L1 is printed with the bend at 1/2 (above), its confidence loss with two minus
#   signs, and its localisation loss compares raw boxes: they must be encoded, and only matched
#   boxes count.
# - "Six more layers of convolution": six is the number of maps that predict. The layers behind VGG
#   are conv6 ... conv11_2, ten of them.
# - The 3x3 convolution of Faster R-CNN's proposal network does not resize the map "to a fixed
#   size": it slides over it, and two 1x1 layers beside each other read 2k scores and 4k offsets.
# - R-CNN is followed by Faster R-CNN without Fast R-CNN between, and the last classifier, which is
#   Fast R-CNN's, is called the "R-CNN module".
# - Five values of a YOLO box are listed as four; the fifth is the confidence, and two terms of the
#   loss hold it, not one.
# - `ssd_mobilenet_v2` is taken for SSDLite: it keeps full convolutions in its heads.
# - The detection script draws every box, without a threshold on scores, and a number for a name.
#
# ## What to take along
#
# - A fixed list of default boxes turns "how many things?" into many small questions of one form.
# - Matching decides what is learned; encoding makes it easy; hard negatives keep it balanced.
# - The network is half of a detector. Matching, coding and suppression are the other half, and each
#   has a slow, obvious form to test it against.
#
# `tinydl train ssd-shapes` trains a larger one, `ssd-bccd` counts blood cells, `tinydl detect RUN
# IMAGES...` writes pictures with boxes. YOLO and Faster R-CNN are in the same folder of models, and
# with a mask head on Faster R-CNN (`MaskRCNN`) a detector says which pixels, too.
