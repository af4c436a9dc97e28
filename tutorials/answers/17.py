# %% [markdown]
# # Answers to page 17: detection

# %%
from __future__ import annotations

import numpy as np

from tinydl.metrics import box_iou
from tinydl.models.detection.boxes import encode
from tinydl.models.detection.nms import nms

# %% [markdown]
# ## 1. By hand
#
# Shared: x from 3 to 6, y from 1 to 4, 9. Areas 24 and 24. 9 / 39 = 0.23.

# %%
a, b = np.array([[0.0, 0, 6, 4]]), np.array([[3.0, 1, 9, 5]])
assert abs(box_iou(a, b)[0, 0] - 9 / 39) < 1e-12

# %% [markdown]
# ## 2. Very many numbers
#
# 8,732 boxes, each with 4 offsets and 20 + 1 scores: 218,300.

# %%
boxes = sum(n * n * k for n, k in zip((38, 19, 10, 5, 3, 1), (4, 6, 6, 6, 4, 4), strict=True))
assert boxes * (4 + 21) == 218_300

# %% [markdown]
# ## 3. An encoded box
#
# The default box has its centre at (20, 20) and is 20 wide and 20 high; the true one's centre is
# (20, 15), 20 wide and 10 high. So (0, -5/20, log 1, log 1/2) = (0, -0.25, 0, -0.69).

# %%
offsets = encode(np.array([10.0, 10, 30, 20]), np.array([20.0, 20, 20, 20]), (1.0, 1.0, 1.0, 1.0))
print("offsets:", np.round(offsets, 3))
assert np.allclose(offsets, [0, -0.25, 0, np.log(0.5)])

# %% [markdown]
# ## 4. Precision and recall
#
# Precision 1, 1/2, 2/3, 3/4; recall 1/4, 1/4, 2/4, 3/4.

# %%
hits = np.cumsum([1, 0, 1, 1])
assert np.allclose(hits / np.arange(1, 5), [1, 1 / 2, 2 / 3, 3 / 4])
assert np.allclose(hits / 4, [0.25, 0.25, 0.5, 0.75])

# %% [markdown]
# ## 5. Limits
#
# At 0.9 nearly every box stays: one thing is reported many times, and each but the first counts as
# wrong. At 0.05 two things that touch become one: recall falls.

# %%
one_thing = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 1, 10, 11]])
neighbours = np.array([[0.0, 0, 10, 10], [9, 0, 19, 10]])
scores = np.array([0.9, 0.8, 0.7])
assert len(nms(one_thing, scores, 0.9)) == 3 and len(nms(one_thing, scores, 0.45)) == 1
assert len(nms(neighbours, scores[:2], 0.05)) == 1 and len(nms(neighbours, scores[:2], 0.45)) == 2
