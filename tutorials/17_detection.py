# %% [markdown]
# # 17. Detection: from boxes to pictures
#
# **You need**: a *convolution* and a *feature map* (page 5), the *cross-entropy* (page 40).
#
# **You will be able to** compute the overlap of two boxes; give true boxes to default boxes by
# hand; write non-maximum suppression in eight lines; and read an average precision.
#
# A classifier says what is in an image. A detector says what is where, and it does not know
# beforehand how many things there are. This page follows SSD (Liu et al. 2016) through that
# difficulty step by step: boxes that are there before any image is, how true boxes are given to
# them, what numbers the network is asked for, and how its several hundred answers become two or
# three.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, GREEN, INK, ORANGE, plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from recorded import figures, note, quote

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
scenes = shapes(200 if FAST else 800, Generator(1), size=SIDE)
unseen = shapes(40 if FAST else 100, Generator(2), size=SIDE)
NAMES = scenes.classes


def outline(ax: Axes, box: np.ndarray, color: str, text: str = "", **style: object) -> None:
    """A box of corners in pixels on an image."""
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
# ## How much do two boxes overlap?
#
# A box is written by its corners: x1, y1 at the upper left, x2, y2 at the lower right. Whether one
# box "is" another is a question of degree, and the measure is the *intersection over union*, IoU:
# the area that both share, divided by the area that either covers.
#
# Two boxes: (0, 0, 4, 4) and (2, 1, 6, 5). They share x from 2 to 4 and y from 1 to 4, an area of
# 2 * 3 = 6. Together they cover 16 + 16 - 6 = 26: what is shared must not count twice. IoU = 6/26 =
# 0.23. It is 1 for equal boxes and 0 for boxes that do not touch.
#
# **Before you run**: half of a box is covered by an equally large one beside it. Is the IoU 1/2?


# %%
def overlap_of(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)  # negative: they do not touch
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return float(shared / (area_a + area_b - shared))


first_box, other_box = np.array([0.0, 0, 4, 4]), np.array([2.0, 1, 6, 5])
half = overlap_of(first_box, np.array([2.0, 0, 6, 4]))
print(f"IoU of the two boxes {overlap_of(first_box, other_box):.3f}; half covered: {half:.3f}")
assert abs(overlap_of(first_box, other_box) - 6 / 26) < 1e-12 and abs(half - 1 / 3) < 1e-12
assert abs(box_iou(first_box[None], other_box[None])[0, 0] - 6 / 26) < 1e-12

figure, ax = plt.subplots(figsize=(4.2, 3.4))
for box, color in ((first_box, BLUE), (other_box, ORANGE)):
    outline(ax, box, color, linewidth=2.2)
ax.add_patch(Rectangle((2, 1), 2, 3, facecolor=GREEN, alpha=0.35))
ax.text(3, 2.5, "shared\n2 x 3 = 6", ha="center", va="center", fontsize=9)
ax.text(0.2, 0.5, "16", color=BLUE)
ax.text(5.3, 4.7, "16", color=ORANGE)
ax.set(xlim=(-0.5, 6.5), ylim=(5.5, -0.5), aspect="equal", title="IoU = 6 / (16 + 16 - 6) = 0.23")
drawing.save(
    figure,
    "17_iou.png",
    alt="Two boxes of area 16 that share a shaded area of 6: their intersection over union is "
    "6/26.",
)

# %% [markdown]
# ![Intersection over union](../docs/figures/17_iou.png)
#
# Half covered is 8 / (16 + 16 - 8) = 1/3, not 1/2. An IoU above 0.5 is a good fit.
#
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
drawing.save(
    figure,
    "17_proposals.png",
    alt="Left: shapes with their true boxes. Middle: regions of like colour. Right: all proposals "
    "of selective search in white, the best for each shape in orange.",
)

# %% [markdown]
# ![Selective search](../docs/figures/17_proposals.png)
#
# ## Boxes before there is an image
#
# SSD (2016) looks once. At every cell of a few feature maps it holds some *default boxes*, always
# the same, small ones on the fine map and large ones on the coarse. For each of them the network
# answers two questions: what, if anything, is in you, and how would you have to move to fit it?

# %%
tinydl.seed(0)
model = SmallSSD(
    image=(SIDE, SIDE),
    classes=3,
    widths=(8, 16, 32, 32),  # channels of the stages; the last three are the maps
    sizes=(11, 17, 24, 32),  # sides of the boxes in pixels: 11 on the fine map, 17, 24
    ratios=((), (), ()),  # only squares
)
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
drawing.save(
    figure,
    "17_default_boxes.png",
    alt="The same image under grids of 12, 6 and 3 cells a side, with the two default boxes of "
    "one cell: small ones on the fine grid, large ones on the coarse.",
)

# %% [markdown]
# ![Default boxes at one cell of each map](../docs/figures/17_default_boxes.png)
#
# The network is short: convolutions with stride 2 make maps of 12 x 12, 6 x 6 and 3 x 3 cells, and
# on each of the three a last convolution, the head, gives numbers for every cell: for each of its
# two boxes 4 for the place and 4 for the class (three shapes, and "nothing").

# %%
with no_grad():
    maps = model.features(Tensor(image[None]))
    answer = model(Tensor(image[None]))
print("maps:", [m.shape for m in maps], " answer:", answer.shape)
assert answer.shape == (1, len(defaults), 4 + 1 + 3)

figure, ax = plt.subplots(figsize=(9.6, 2.8))
drawing.blank(ax, "SmallSSD: three maps, three heads, one list of answers")
style = {"boxstyle": "round,pad=0.5", "edgecolor": INK, "linewidth": 0.8}
names = [("image\n48 x 48 x 3", 0, 0)]
names += [(f"map\n{m.shape[1]} x {m.shape[2]} x {m.shape[3]}", 3 + 2.6 * k, 0)
          for k, m in enumerate(maps)]  # fmt: skip
names += [(f"head\n{n} boxes x 8", 3 + 2.6 * k, -2) for k, n in enumerate(counts)]
names += [(f"together\n{len(defaults)} x 8", 11.4, -2)]
for text, x, y in names:
    color = "#cfe0f2" if text.startswith("map") else "#f9d9c8" if "head" in text else "white"
    ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox={**style, "facecolor": color})
arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 26, "shrinkB": 26}
for start, end in (((0, 0), (3, 0)), ((3, 0), (5.6, 0)), ((5.6, 0), (8.2, 0))):
    ax.annotate("", xy=end, xytext=start, arrowprops=arrow)
for k in range(3):
    down = {**arrow, "shrinkA": 18, "shrinkB": 18}
    ax.annotate("", xy=(3 + 2.6 * k, -2), xytext=(3 + 2.6 * k, 0), arrowprops=down)
for x, sign in ((4.3, "+"), (6.9, "+"), (9.8, "=")):
    ax.text(x, -2, sign, ha="center", va="center", fontsize=14)
ax.set(xlim=(-1.3, 12.8), ylim=(-3, 0.9))
drawing.save(
    figure,
    "17_network.png",
    alt="The image goes through convolutions to maps of 12, 6 and 3 cells a side; below each map "
    "a head gives eight numbers for every box, together 378 rows of eight.",
)

# %% [markdown]
# ![Three maps, three heads](../docs/figures/17_network.png)

# %% [markdown]
# ## Who is responsible
#
# A true box is given to the default box that overlaps it most, whatever the overlap: so that none
# is forgotten. Every other default box with an *intersection over union* (IoU) above 0.5 takes its
# best true box too. The rest is background, and there is very much of it.
#
# By hand, with five default boxes and two true ones, A = (1, 1, 5, 5) and B = (6, 2, 9, 5):
#
# | default box | IoU with A | IoU with B |
# |---|---|---|
# | 1: (0, 0, 4, 4) | 9/23 = 0.39 | 0 |
# | 2: (1, 1, 5, 6) | 16/20 = 0.80 | 0 |
# | 3: (1, 0, 5, 5) | 16/20 = 0.80 | 0 |
# | 4: (4, 4, 8, 8) | 1/31 = 0.03 | 2/23 = 0.09 |
# | 5: (7, 3, 11, 7) | 0 | 4/21 = 0.19 |
#
# **Before you run**: which default box gets which true one, and which are background?
#
# A goes to 2, which overlaps it most (3 as much: the first one wins). B goes to 5, although 0.19 is
# little: none fits better. Then 3 takes A too, with 0.80. 1 and 4 are background: 0.39 is below
# 0.5.

# %%
five = np.array([[0, 0, 4, 4], [1, 1, 5, 6], [1, 0, 5, 5], [4, 4, 8, 8], [7, 3, 11, 7]], np.float64)
two = np.array([[1, 1, 5, 5], [6, 2, 9, 5]], np.float64)
print(np.round(box_iou(five, two), 2))
print("true box of each default box (-1: background):", match(five, two))
assert match(five, two).tolist() == [-1, 0, 0, -1, 1]

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
drawing.save(
    figure,
    "17_matching.png",
    alt="For each shape its true box in colour and, in white, the default boxes that are matched "
    "with it.",
)

# %% [markdown]
# ![Which default boxes are matched](../docs/figures/17_matching.png)
#
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
# Smooth L1 is x^2 / 2 near 0 and |x| - 1/2 farther out: a large mistake pulls with slope 1 and no
# more. Liu and Mehta (Hands-On Deep Learning Architectures with Python, 2019) print the change from
# one to the other at |x| = 0.5. There the parabola has reached 1/8, and |x| - 1/2 is 0: the
# function would fall by 1/8 as the mistake grows. At 1 both are 1/2, and both have slope 1.

# %%
x = np.linspace(-2, 2, 401)
ours = smooth_l1(Tensor(x), Tensor(0 * x), "none").numpy()
printed = np.where(abs(x) < 0.5, x * x / 2, abs(x) - 0.5)
figure, ax = plt.subplots(figsize=(5.5, 3))
ax.plot(x, printed, color=ORANGE, label="as printed: change at 1/2")
ax.plot(x, ours, color=BLUE, label="smooth L1: change at 1")
ax.set_xlabel("distance")
ax.legend()
drawing.save(
    figure,
    "17_smooth_l1.png",
    alt="Smooth L1, a parabola that goes over into straight lines at distance 1, and the printed "
    "one, which jumps at one half.",
)
assert abs(np.diff(ours)).max() < 0.011 and abs(np.diff(printed)).max() > 0.1

# %% [markdown]
# ![Smooth L1, and how it is printed](../docs/figures/17_smooth_l1.png)
#
# ## Training

# %%
data = Batches((scenes.x, targets), 16, rng=Generator(0))
epochs = 20
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
# the surest stays; the *lower scored* one goes: *non-maximum suppression*. In eight lines:
#
# **Before you run**: three boxes of one class with scores 0.9, 0.8, 0.7; the second overlaps the
# first by 0.6 and the third by 0.6; the third overlaps the first by 0.3. Which stay?


# %%
def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float) -> list[int]:
    """Positions of the boxes that stay, the surest first."""
    waiting, stay = list(np.argsort(-scores)), []
    while waiting:
        surest = int(waiting.pop(0))
        stay.append(surest)
        waiting = [k for k in waiting if overlap_of(boxes[surest], boxes[k]) <= limit]
    return stay


three = np.array([[0.0, 0, 10, 10], [2.5, 0, 12.5, 10], [5, 0, 15, 10]])
print("three boxes:", np.round(box_iou(three, three), 2).tolist())
print("stay:", suppress(three, np.array([0.9, 0.8, 0.7]), 0.45))
assert suppress(three, np.array([0.9, 0.8, 0.7]), 0.45) == [0, 2]

# %% [markdown]
# The first takes the second away, and so the second cannot take the third away. Two things of one
# class that overlap by more than the limit become one: that is the price. (The book lets boxes
# "over a score" go.) Now on the answers of the network:

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
by_hand = [
    k
    for c in range(3)
    for k in np.flatnonzero(what == c)[suppress(where[what == c], score[what == c], 0.45)]
]
print(f"{len(where)} default boxes report something; {len(left)} boxes stay")
assert len(left) < len(where) and by_hand == left.tolist()

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
drawing.save(
    figure,
    "17_suppression.png",
    alt="Left: what is there. Middle: all boxes that report something, several on each shape. "
    "Right: those that stay, with class and score.",
)

# %% [markdown]
# ![Boxes that report, and those that stay](../docs/figures/17_suppression.png)
#
# ## How good? Mean average precision
#
# Take all detections of a class on all test images, the surest first. Each is right (IoU of at
# least 0.5 with a true box nobody has claimed yet) or wrong. After each: *precision*, the share of
# right ones so far, and *recall*, the share of true boxes found so far. Average precision is the
# area below that curve (VOC 2007: the mean of eleven points); mAP is its mean over the classes.

# %%
truths = [Truth(b, c) for b, c in zip(unseen.boxes, unseen.labels, strict=True)]
result = mean_average_precision(found, truths, 3)
for name, value in zip(NAMES, result.per_class, strict=True):
    print(f"{name}: average precision {value:.3f}")
print(f"mAP {result.value:.3f} on {len(truths)} images never seen")
if FAST and "mAP" in figures("17"):
    print(f"(with four times as many images to learn from: {quote('17', 'mAP'):.3f})")
note("mAP", result.value)
assert result.value > (0.3 if FAST else 0.7)


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
drawing.save(
    figure,
    "17_precision_recall.png",
    alt="Precision against recall for each class: near 1 at first, falling where recall is large.",
)

# %% [markdown]
# ![Precision over recall](../docs/figures/17_precision_recall.png)
#
# And images it has never seen, with everything it is at least half sure of.

# %%
figure, axes = plt.subplots(2, 4, figsize=(10, 5.2))
for ax, one, report in zip(axes.ravel(), unseen.x, found, strict=False):
    show(ax, one)
    for box, label, s in zip(report.boxes, report.labels, report.scores, strict=True):
        if s >= 0.5:
            outline(ax, box, COLOURS[label], f"{NAMES[label]} {s:.2f}")
drawing.save(
    figure,
    "17_found.png",
    alt="Eight images that training never saw, with the boxes, classes and scores that were found.",
)

# %% [markdown]
# ![Detections on images never seen](../docs/figures/17_found.png)
#
# ## The same idea elsewhere: anchors
#
# Faster R-CNN (2015) calls default boxes *anchors* and has one map: at every cell of 16 pixels nine
# of them, three areas in three shapes, where the shapes of one area differ in width and height and
# not in area. Its network says for each whether there is anything; a second one, what.

# %%
HEIGHT, WIDTH, STRIDE = 600, 800, 16
anchors = grid_anchors(HEIGHT // STRIDE, WIDTH // STRIDE, STRIDE, (128, 256, 512))
middle = anchors.reshape(HEIGHT // STRIDE, WIDTH // STRIDE, 9, 4)[18, 25]
print(f"anchors of an image of {WIDTH} x {HEIGHT}: {len(anchors):,}, 9 at each cell")
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
ax.set(xlabel="pixels", ylabel="pixels", title="The nine anchors of one cell, and the image")
ax.legend(title="area, width : height", loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
drawing.save(
    figure,
    "17_anchors.png",
    alt="The outline of an image of 800 x 600 pixels and nine boxes around one point: three "
    "areas, each in three shapes.",
)

# %% [markdown]
# ![The nine anchors of one cell](../docs/figures/17_anchors.png)
#
# What the book has wrong about detectors stands in docs/book_errors.md.
#
# ## Exercises
#
# Answers are in `tutorials/answers/17.py`. Try first.
#
# 1. By hand: the IoU of (0, 0, 6, 4) and (3, 1, 9, 5).
# 2. SSD300 has maps of 38, 19, 10, 5, 3 and 1 cells a side with 4, 6, 6, 6, 4, 4 boxes a cell. How
#    many numbers does it answer for 20 classes?
# 3. By hand: encode the true box (10, 10, 30, 20) against the default box (10, 10, 30, 30), without
#    the division by 0.1 and 0.2.
# 4. Four detections, the surest first, are right, wrong, right, right; there are four true boxes.
#    What are precision and recall after each?
# 5. Change a line: suppress with a limit of 0.9, and with 0.05. What goes wrong in each case?
#
# ## What to take along
#
# - Intersection over union says how much a box is another.
# - A fixed list of default boxes turns "how many things?" into many small questions of one form.
# - Matching decides what is learned; encoding makes it easy; hard negatives keep it balanced.
# - The network is half of a detector. Matching, coding and suppression are the other half, and each
#   has a slow, obvious form to test it against.
#
# `tinydl train ssd-shapes` trains a larger one, `ssd-bccd` counts blood cells, `tinydl detect RUN
# IMAGES...` writes pictures with boxes. YOLO and Faster R-CNN are in the same folder of models. Go
# on with page 18: which pixels belong to a thing.
