# %% [markdown]
# # Answers to page 18: segmentation

# %%
from __future__ import annotations

import numpy as np

from tinydl import ops
from tinydl.metrics import class_iou, mean_iou
from tinydl.models import UNet
from tinydl.models.detection.mask_rcnn import mask_targets, paste_masks
from tinydl.tensor import Tensor

# %% [markdown]
# ## 1. Laying patterns down
#
# Stride 2: 2 2 | 0 0 | 1 1, nothing overlaps. Stride 1: 2 2 0 0, 0 0 0 0, 0 0 1 1 added: 2 2 1 1.

# %%
cells, pattern = np.array([2.0, 0, 1]).reshape(1, 1, 3, 1), np.ones((1, 2, 1, 1))
for stride, expected in ((2, [2, 2, 0, 0, 1, 1]), (1, [2, 2, 1, 1])):
    laid = ops.conv_transpose2d(Tensor(cells), Tensor(pattern), stride=(1, stride))
    assert laid.numpy().ravel().tolist() == expected

# %% [markdown]
# ## 2. Three of four
#
# Accuracy 3/4. Class 1: one pixel in both, two in either, 1/2. Class 0: two in both, three in
# either, 2/3. Mean 7/12 = 0.58.

# %%
true, guess = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 0]])
assert np.abs(class_iou(true, guess, 2) - [2 / 3, 1 / 2]).max() < 1e-12
assert abs(mean_iou(true, guess, 2) - 7 / 12) < 1e-12

# %% [markdown]
# ## 3. A square in its box
#
# Nothing: every cell is full, whatever their number. What is lost are edges that run through the
# box, those of a disk or a triangle.

# %%
mask = np.zeros((1, 48, 48), bool)
mask[0, 10:30, 12:36] = True
box = np.array([[12.0, 10, 36, 30]])
cut = mask_targets(mask, box, 4)
back = paste_masks(np.where(cut, 30.0, -30.0), box, (48, 48))
assert cut.all() and np.array_equal(back, mask)

# %% [markdown]
# ## 4. Who decides the class
#
# The box's class is decided already, by the detector's other head. The mask has to say only which
# pixels, for this class. If classes competed in every pixel, an unsure class would tear holes into
# the mask; so each class has a mask of its own, with a sigmoid per pixel, and only that of the true
# class learns.
#
# ## 5. One level more
#
# The side is halved three times and has to come back to the same length: a side of 12 would give 6,
# 3, 1, and 1 becomes 2, not 3. More than four times the parameters: the widest level has the most.

# %%
small, large = UNet(3, 4, (8, 16, 32)), UNet(3, 4, (8, 16, 32, 64))
print(f"{small.count_parameters():,} and {large.count_parameters():,} parameters")
assert large.count_parameters() > 4 * small.count_parameters()
assert large(Tensor(np.zeros((1, 48, 48, 3), np.float32))).shape == (1, 48, 48, 4)
