# %% [markdown]
# # 5. Convolution is a matrix product
#
# **You need**: the *matrix product*, a *gradient*, *broadcasting* (pages 1 and 2).
#
# **You will be able to** compute a convolution by hand and predict its size; write it as one matrix
# product, and its gradients as two more; and say which pixels a stride leaves out.
#
# A *convolution* slides a small window over an image and asks at every place: does it look like my
# pattern here? The pattern is a little table of weights, the *kernel*. This page does the
# arithmetic once by hand. Then it turns the whole thing into one matrix product, for which
# computers are built, and finds the gradients with what page 2 knows of matrix products.

# %%
from __future__ import annotations

import inspect
import os
from pathlib import Path

import drawing
import numpy as np
from drawing import BLUE, INK, MUTED, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, plt
from matplotlib.patches import Rectangle

import tinydl
from tinydl import Tensor
from tinydl.backend.reference.conv import Conv, _taps
from tinydl.data import digits, mnist
from tinydl.geometry import conv2d_geometry, pool2d_geometry

# %% [markdown]
# ## The arithmetic, once
#
# A 5 x 5 image of zeros and ones and a 3 x 3 kernel. Lay the kernel on the shaded corner,
# multiply cell by cell, add up. That is one output. The kernel fits into 3 x 3 places, so the
# output, called a *feature map*, is 3 x 3. (In mathematics this is called cross-correlation: a true
# convolution would flip the kernel first. Deep learning says convolution anyway, since the kernel
# is learned and can flip itself.)
#
# **Before you run**: the first row of the image begins 0 1 1, the second 1 0 0, the third 0 0 1;
# the kernel is 1 0 1, 0 2 0, 1 0 1. What is the first output?

# %%
rows = ["01110", "10010", "00110", "01001", "11110"]
image = np.array([[float(cell) for cell in row] for row in rows])
kernel = np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0], [1.0, 0.0, 1.0]])

feature_map = np.empty((3, 3))
for i in range(3):
    for j in range(3):
        feature_map[i, j] = (image[i : i + 3, j : j + 3] * kernel).sum()

x = Tensor(image.reshape(1, 5, 5, 1), requires_grad=True)  # (N, H, W, C)
weight = Tensor(kernel.reshape(3, 3, 1, 1), requires_grad=True)  # (KH, KW, C, F)
y = tinydl.conv2d(x, weight)
print("by hand:\n", feature_map, "\nconv2d gives shape", y.shape)
assert np.array_equal(y.numpy()[0, :, :, 0], feature_map)

# %%
row, column = 0, 1
window = {(i, j): PALE_BLUE for i in range(row, row + 3) for j in range(column, column + 3)}
figure, axes = plt.subplots(figsize=(8.4, 4.2))
drawing.blank(axes, "One output cell of a convolution")
drawing.draw_cells(axes, image, 0, 0, window)
drawing.draw_cells(axes, kernel, 6.4, 1, {(i, j): PALE_ORANGE for i in range(3) for j in range(3)})
drawing.draw_cells(axes, feature_map, 10.8, 1, {(row, column): PALE_GREEN})
for x_text, symbol in ((5.7, "*"), (10.1, "=")):
    axes.text(x_text, -2.5, symbol, fontsize=18, ha="center", va="center")
for x_text, label in ((2.5, "image 5 x 5"), (7.9, "kernel 3 x 3"), (12.3, "output 3 x 3")):
    axes.text(x_text, 0.3, label, ha="center", color=MUTED)
patch = image[row : row + 3, column : column + 3]
terms = " + ".join(f"{p:g}·{k:g}" for p, k in zip(patch.ravel(), kernel.ravel(), strict=True))
axes.text(6.9, -5.7, f"{terms} = {feature_map[row, column]:g}", ha="center", fontsize=9)
axes.set(xlim=(-0.3, 14.1), ylim=(-6, 0.8))
drawing.save(
    figure,
    "05_arithmetic.png",
    alt="A 5 x 5 image with a shaded 3 x 3 window, the kernel beside it, and the output in which "
    "one cell is shaded: the sum of the nine products.",
)

# %% [markdown]
# ![One output cell of a convolution](../docs/figures/05_arithmetic.png)
#
# On a real digit it looks like this: at one moment the window is here, at the next moment one pixel
# further right. The kernel below likes dark-to-bright edges.

# %%
samples = digits()
digit = samples.x[np.flatnonzero(samples.y == 0)[0]] / 16  # (8, 8), ink is 1
edge = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)  # Sobel's
response = tinydl.conv2d(
    Tensor(digit.reshape(1, 8, 8, 1)), Tensor(edge.reshape(3, 3, 1, 1))
).numpy()[0, :, :, 0]


def frame(axes, left: int, top: int, size: int, color: str, width: float) -> None:
    """Outline size x size pixels of an image whose pixel centres are whole numbers."""
    corner = (left - 0.5, top - 0.5)
    style = {"facecolor": "none", "edgecolor": color, "linewidth": width}
    axes.add_patch(Rectangle(corner, size, size, **style))


figure, panels = plt.subplots(1, 4, figsize=(11, 2.9), width_ratios=(8, 6, 8, 6))
row, column = 2, 1
for k, name in enumerate(("step n", "step n + 1")):
    picture, output = panels[2 * k], panels[2 * k + 1]
    place = column + k
    drawing.blank(picture, name)
    picture.imshow(digit, cmap="gray_r", vmin=0, vmax=1)
    frame(picture, 0, 0, 8, MUTED, 0.8)
    frame(picture, place, row, 3, ORANGE, 3)
    drawing.blank(output, f"output here: {response[row, place]:+.2f}\n(purple +, orange -)")
    seen = response.copy()
    seen.ravel()[row * 6 + place + 1 :] = np.nan  # places not visited yet
    output.imshow(seen, cmap="PuOr", vmin=-4, vmax=4)
    frame(output, 0, 0, 6, MUTED, 0.8)
    frame(output, place, row, 1, INK, 2)
drawing.save(
    figure,
    "05_sliding.png",
    alt="The window on a digit at two neighbouring places, and the output, filled up to the place "
    "of the window.",
)

# %% [markdown]
# ![The window at two steps, on a digit](../docs/figures/05_sliding.png)
#
# ## The same as a matrix product
#
# Each output is a dot product between a window and the kernel. So copy every window into one row of
# a matrix and write the kernel as one column. Then all outputs at once are
#
#     [windows x cells of a window] @ [cells of a window x filters]
#
# The copying has a name, im2col. More kernels are simply more columns.

# %%
columns = tinydl.im2col(x, kernel_size=3)
product = columns @ weight.reshape(9, 1)
print("\nim2col:", x.shape, "->", columns.shape, "  then @", (9, 1), "->", product.shape)
assert np.array_equal(product.numpy().reshape(3, 3), feature_map)

# %%
figure, axes = plt.subplots(figsize=(9.4, 5))
drawing.blank(axes, "im2col: every window becomes a row")
shaded = 1  # the window of the first figure: row 0, column 1
drawing.draw_cells(axes, image, 0, 2, window)
drawing.draw_cells(axes, columns.numpy(), 7, 0, {(shaded, j): PALE_BLUE for j in range(9)}, size=9)
filled = {(j, 0): PALE_ORANGE for j in range(9)}
drawing.draw_cells(axes, kernel.reshape(9, 1), 17.3, 0, filled, size=9)
drawing.draw_cells(axes, product.numpy(), 19.6, 0, {(shaded, 0): PALE_GREEN}, size=9)
axes.annotate("", xy=(6.9, -1.5), xytext=(4.1, -3.2),
              arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 1.5})  # fmt: skip
for x_text, symbol in ((16.6, "@"), (18.95, "=")):
    axes.text(x_text, -4.5, symbol, fontsize=14, ha="center", va="center")
labels = ((2.5, -7.6, "image"), (11.5, -10.1, "windows\n(9, 9)"), (17.8, -10.1, "kernel\n(9, 1)"),
          (20.3, -10.1, "output\n(9, 1)"))  # fmt: skip
for x_text, y_text, label in labels:
    axes.text(x_text, y_text, label, ha="center", color=MUTED, fontsize=9)
axes.set(xlim=(-0.3, 21.8), ylim=(-10.4, 0.5))
drawing.save(
    figure,
    "05_im2col.png",
    alt="Each of the nine windows of the image is a row of nine numbers; this table times the "
    "kernel as a column gives the nine outputs.",
)

# %% [markdown]
# ![im2col: every window becomes a row](../docs/figures/05_im2col.png)
#
# In the library, the readable version is exactly this. Copying window by window would be a slow
# loop in Python over thousands of places. So the loop goes over the cells of the kernel instead,
# nine of them: for each cell, `_taps` says which rows and columns of the image that cell sees, over
# all windows at once.

# %%
print(inspect.getsource(_taps))
g = conv2d_geometry((1, 5, 5, 1), (3, 3, 1, 1))
for kh, kw, seen_rows, seen_columns in list(_taps(g))[:4]:
    print(f"cell ({kh}, {kw}) sees rows {seen_rows.start} to {seen_rows.stop - 1}, "
          f"columns {seen_columns.start} to {seen_columns.stop - 1}")  # fmt: skip
print(inspect.getsource(Conv.im2col))
print(inspect.getsource(Conv.conv2d))

# %% [markdown]
# It holds for images with *channels*, several numbers for each pixel such as red, green and blue (a
# window is then a small block), for whole batches, for strides (the window moves by more than one
# pixel) and for *padding* (zeros around the image). One check with uneven sizes:

# %%
rng = np.random.default_rng(0)
x = Tensor(rng.normal(size=(2, 9, 7, 3)), requires_grad=True)
weight = Tensor(rng.normal(size=(3, 2, 3, 4)), requires_grad=True)
settings = {"stride": (2, 1), "padding": (1, 1)}
y = tinydl.conv2d(x, weight, **settings)
columns = tinydl.im2col(x, (3, 2), **settings)
product = (columns @ weight.reshape(3 * 2 * 3, 4)).reshape(y.shape)
difference = np.abs(product.numpy() - y.numpy()).max()
print(f"x {x.shape}, weight {weight.shape} -> y {y.shape}; largest difference {difference:.1e}")
assert difference < 1e-12

# %% [markdown]
# The fast kernels of tinydl do not really build this matrix: every pixel would be copied up to nine
# times. They read the windows where they lie. But the sums are the same, and so are the counts.
#
# **Before you run**: from 28 x 28 pixels to 64 maps of 26 x 26. How many weights has the
# convolution (3 x 3), and how many a layer in which every output is connected with every pixel?

# %%
first_layer = conv2d_geometry((1, 28, 28, 1), (3, 3, 1, 64))
dense_weights = 28 * 28 * first_layer.OH * first_layer.OW * 64
conv_weights = int(np.prod(first_layer.weight_shape))
print(f"\nfrom a 28x28 image to {first_layer.OH}x{first_layer.OW}x64:")
print(f"  {conv_weights:,} weights, shared by all places; a dense layer needs {dense_weights:,}")
print(f"  {first_layer.multiply_adds:,} multiply-adds")
assert conv_weights == 576 and dense_weights > 30_000_000

# %% [markdown]
# ## The gradients
#
# For a matrix product C = A B we know both gradients (page 2): dA = dC B^T and dB = A^T dC. So
#
#     dL/dweight  = windows^T @ dL/dy
#     dL/dwindows = dL/dy @ weight^T
#
# Only the last step is new. A pixel was copied into several windows. Copying forward means *adding*
# backward (page 2): every entry of dL/dwindows is added back to the pixel it came from. This is the
# reverse of im2col, called col2im.

# %%
incoming = rng.normal(size=y.shape)
y.backward(incoming)

grad_rows = incoming.reshape(-1, 4)
weight_gradient = columns.numpy().T @ grad_rows
grad_columns = Tensor(grad_rows @ weight.numpy().reshape(-1, 4).T)
x_gradient = tinydl.col2im(grad_columns, x.shape, (3, 2), **settings).numpy()
print("\nby the matrix product and by conv2d's own backward:")
for name, ours, tensor in (("weight", weight_gradient, weight), ("x", x_gradient, x)):
    difference = np.abs(ours.reshape(tensor.shape) - tensor.grad.numpy()).max()
    print(f"  gradient of {name:<6} largest difference {difference:.1e}")
    assert difference < 1e-10

# %% [markdown]
# How often is each pixel used? Put a 1 into every window cell and add back.
#
# **Before you run**: how many of the nine windows see the middle pixel of the 5 x 5 image, and how
# many a corner?

# %%
ones = Tensor(np.ones((9, 9)))
use = tinydl.col2im(ones, (1, 5, 5, 1), 3).numpy()[0, :, :, 0]
padded_use = tinydl.col2im(Tensor(np.ones((25, 9))), (1, 5, 5, 1), 3, padding="same").numpy()
figure, panels = plt.subplots(1, 2, figsize=(6.6, 3.3))
for axes, counts, title in zip(
    panels, (use, padded_use[0, :, :, 0]), ("no padding", "padding 'same'"), strict=True
):
    drawing.blank(axes, title)
    shades = plt.get_cmap("Blues")
    fill = {place: shades(0.06 * count) for place, count in np.ndenumerate(counts)}
    drawing.draw_cells(axes, counts, 0, 0, fill)
figure.suptitle("How many windows see each pixel", y=1.0)
drawing.save(
    figure,
    "05_col2im.png",
    alt="How many windows see each pixel of a 5 x 5 image: nine in the middle and one in the "
    "corners without padding, nine and four with padding.",
)
assert use[2, 2] == 9 and use[0, 0] == 1 and padded_use[0, 0, 0, 0] == 4

# %% [markdown]
# ![How many windows see each pixel](../docs/figures/05_col2im.png)
#
# The middle is seen by all nine windows, a corner by one. Corners have little say; padding helps
# them.
#
# A compact way to say "col2im is the reverse of im2col": for any image x and any matrix m,
# <im2col(x), m> = <x, col2im(m)>, where < , > multiplies cell by cell and adds up.

# %%
m = rng.normal(size=columns.shape)
left = (columns.numpy() * m).sum()
right = (x.numpy() * tinydl.col2im(Tensor(m), x.shape, (3, 2), **settings).numpy()).sum()
print(f"<im2col(x), m> = {left:.10f} and <x, col2im(m)> = {right:.10f}")
assert abs(left - right) < 1e-9

# %% [markdown]
# ## Sizes
#
# Along one axis, with p zeros on both sides and stride s:
#
#     OH = floor((H + 2 p - KH) / s) + 1
#
# The floor matters when the stride does not divide. Then the last window would hang over the edge,
# so it is left out, and some pixels are never seen. Their gradient is zero. Padding "same" means:
# as many zeros as it takes for OH = H / s, rounded up, so that with stride 1 the size stays.

# %%
print("\n  H  KH  stride  padding   OH")
table = [(5, 3, 1, 0), (28, 3, 1, 0), (28, 3, 1, "same"), (28, 3, 2, "same")]
table += [(7, 3, 2, 0), (8, 3, 2, 0)]
for H, K, stride, padding in table:
    g = conv2d_geometry((1, H, H, 1), (K, K, 1, 1), stride, padding)
    print(f" {H:2d} {K:3d} {stride:6d}   {padding!s:>7} {g.OH:5d}")
    if isinstance(padding, int):
        assert (H + 2 * padding - K) // stride + 1 == g.OH
    else:
        assert -(-H // stride) == g.OH

probe = Tensor(np.ones((1, 8, 8, 1)), requires_grad=True)
tinydl.conv2d(probe, Tensor(np.ones((3, 3, 1, 1))), stride=2).sum().backward()
unseen = probe.grad.numpy()[0, :, :, 0] == 0
print("8 pixels, window 3, stride 2: column", np.flatnonzero(unseen.all(axis=0)), "is never seen")
assert unseen[:, 7].all() and not unseen[:, :7].all(axis=0).any()

# %%
figure, axes = plt.subplots(figsize=(7, 2.7))
drawing.blank(axes, "8 pixels, window 3, stride 2: three windows, one pixel left over")
drawing.draw_cells(axes, np.arange(8), 0, 0, {(0, 7): PALE_ORANGE})
for k in range(3):
    bar = (2 * k + 0.06, -1.55 - 0.42 * k)
    axes.add_patch(Rectangle(bar, 2.88, 0.3, facecolor=BLUE, alpha=0.75, linewidth=0))
    axes.text(2 * k + 3.1, -1.4 - 0.42 * k, f"window {k}", va="center", fontsize=9, color=BLUE)
axes.text(7.5, -1.25, "never seen", ha="center", va="center", color=ORANGE, fontsize=9)
axes.set(xlim=(-0.2, 8.6), ylim=(-2.7, 0.2))
drawing.save(
    figure,
    "05_stride.png",
    alt="Eight pixels in a row and three windows of three pixels with stride 2; the eighth pixel "
    "is in none of them.",
)

# %% [markdown]
# ![Stride 2 over eight pixels](../docs/figures/05_stride.png)
#
# Atienza's network for MNIST (Advanced Deep Learning with TensorFlow 2 and Keras, 2020) goes 28 ->
# 26 -> 13 -> 11 -> 5 -> 3. One of the listings prints "(5.5, 5)" in the middle; there is no half
# pixel, the floor makes it 5.

# %%
size, sizes = 28, [28]
for kind in ("conv", "pool", "conv", "pool", "conv"):
    if kind == "conv":
        size = conv2d_geometry((1, size, size, 1), (3, 3, 1, 1)).OH
    else:
        size = pool2d_geometry((1, size, size, 1), 2).OH
    sizes.append(size)
print("sizes through that network:", " -> ".join(map(str, sizes)))
assert sizes == [28, 26, 13, 11, 5, 3]

# %% [markdown]
# ## Max pooling
#
# *Pooling* keeps the strongest answer of each window, usually 2 x 2 with stride 2. The image
# halves, and a small shift of the pattern changes little. The gradient goes only to the winner.

# %%
grid = np.array([[1, 3, 2, 1], [4, 2, 0, 5], [3, 1, 1, 0], [0, 2, 6, 2]], np.float64)
x = Tensor(grid.reshape(1, 4, 4, 1), requires_grad=True)
pooled = tinydl.max_pool2d(x, 2)
pooled.backward(np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(1, 2, 2, 1))
largest = pooled.numpy()[0, :, :, 0]
back = x.grad.numpy()[0, :, :, 0]
print("\nmax pooling:", grid.tolist(), "->", largest.tolist())
assert np.array_equal(largest, grid.reshape(2, 2, 2, 2).max(axis=(1, 3)))
assert back[1, 0] == 10 and back[1, 3] == 20 and np.count_nonzero(back) == 4

quarters = {(i, j): (PALE_BLUE, PALE_ORANGE, PALE_GREEN, "#e5d9f0")[2 * (i // 2) + j // 2]
            for i in range(4) for j in range(4)}  # fmt: skip
halves = {(i, j): quarters[2 * i, 2 * j] for i in range(2) for j in range(2)}
winners = {place: quarters[place] for place, value in np.ndenumerate(back) if value}
figure, axes = plt.subplots(figsize=(9, 3.2))
drawing.blank(axes, "Max pooling 4 x 4 -> 2 x 2, and its gradient")
drawing.draw_cells(axes, grid, 0, 0, quarters)
drawing.draw_cells(axes, largest, 5.4, 1, halves)
drawing.draw_cells(axes, np.array([[10, 20], [30, 40]]), 8.8, 1, halves)
drawing.draw_cells(axes, back, 12.2, 0, winners)
for start, end in ((4.2, 5.2), (10.9, 12.0)):
    arrow = {"arrowstyle": "-|>", "color": INK}
    axes.annotate("", xy=(end, -2), xytext=(start, -2), arrowprops=arrow)
for x_text, label in ((2, "input"), (6.4, "largest"), (9.8, "gradient in"), (14.2, "gradient out")):
    axes.text(x_text, 0.25, label, ha="center", color=MUTED)
axes.set(xlim=(-0.3, 16.5), ylim=(-4.2, 0.8))
drawing.save(
    figure,
    "05_max_pool.png",
    alt="Max pooling of a 4 x 4 table to 2 x 2: each quarter keeps its largest number, and only "
    "that cell gets the gradient.",
)

# %% [markdown]
# ![Max pooling and its gradient](../docs/figures/05_max_pool.png)
#
# ## What a kernel can see
#
# Two kernels at once are a weight of shape (3, 3, 1, 2). The first answers to vertical edges, the
# second to horizontal ones. Nobody will set them by hand in a network: training finds such
# patterns. If TINYDL_DATA names a folder with MNIST, the image is a 28 x 28 digit, else a small 8 x
# 8 one.

# %%
folder = os.environ.get("TINYDL_DATA")
if folder and (Path(folder) / "mnist").is_dir():
    data = mnist()
    picture = data.x_train[np.flatnonzero(data.y_train == 3)[2]].astype(np.float32) / 255
else:
    picture = samples.x[np.flatnonzero(samples.y == 3)[0]] / 16
height, width = picture.shape
both = np.stack([edge, edge.T], axis=-1).reshape(3, 3, 1, 2)
answers = tinydl.conv2d(Tensor(picture.reshape(1, height, width, 1)), Tensor(both), padding="same")
vertical, horizontal = answers.numpy()[0, :, :, 0], answers.numpy()[0, :, :, 1]
assert answers.shape == (1, height, width, 2)
assert np.abs(vertical).max() > 1 and np.abs(horizontal).max() > 1

figure, panels = plt.subplots(1, 4, figsize=(11, 3))
shown = (
    (picture, "the digit\n", "gray_r"),
    (vertical, "vertical edges\n(purple +, orange -)", "PuOr"),
    (horizontal, "horizontal edges\n(purple +, orange -)", "PuOr"),
    (np.hypot(vertical, horizontal), "all edges\n", "gray_r"),
)
for axes, (values, title, colors) in zip(panels, shown, strict=True):
    drawing.blank(axes, title)
    low = -np.abs(values).max() if colors == "PuOr" else 0
    axes.imshow(values, cmap=colors, vmin=low, vmax=np.abs(values).max())
drawing.save(
    figure,
    "05_edges.png",
    alt="A digit, the answers of a kernel for vertical edges and of one for horizontal edges, "
    "positive and negative in two colours, and the size of both together.",
)

# %% [markdown]
# ![What two kernels see](../docs/figures/05_edges.png)
#
# ## Exercises
#
# Answers are in `tutorials/answers/05.py`. Try first.
#
# 1. By hand: the sizes of the output for 32 x 32 pixels with a 5 x 5 kernel, padding 2, stride 1;
#    and with a 3 x 3 kernel, padding 1, stride 2.
# 2. How many weights has a convolution 3 x 3 from 16 to 32 channels, and how many multiply-adds on
#    a map of 20 x 20 (padding 1)?
# 3. Write `im2col` for one image and stride 1 yourself: two loops, one line inside. Compare.
# 4. Predict: the image is moved one pixel to the right. What happens to the feature map, and what
#    to the feature map after 2 x 2 pooling?
# 5. Write the convolution of a row of five numbers with (1, 0, -1) as a matrix times the row. How
#    is that matrix related to the gradient by the row?
#
# ## What to take along
#
# - a convolution multiplies every window with the same small table of weights;
# - written as rows (im2col), all of it is one matrix product, and so are its gradients;
# - copying forward is adding backward: col2im;
# - sizes are floor((H + 2p - K) / s) + 1, and what no window sees gets no gradient.
#
# Go on with page 14: networks made of convolutions, from LeNet to ResNet.
