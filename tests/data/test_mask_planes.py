"""Masks padded to planes, augmented, and the boxes around them."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import AugmentMasks, Flip, pad_planes, pad_rows, rows_of_planes, shapes
from tinydl.errors import ShapeError


def test_planes_hold_masks_and_classes():
    scenes = shapes(6, Generator(2), size=24)
    planes = pad_planes(scenes.masks, scenes.labels, 4)
    assert planes.shape == (6, 4, 24, 24) and planes.dtype == np.uint8
    for own, masks, labels in zip(planes, scenes.masks, scenes.labels, strict=True):
        for plane, mask, label in zip(own, masks, labels, strict=False):
            assert np.array_equal(plane > 0, mask) and set(np.unique(plane)) == {0, 1 + label}
        assert not own[len(masks) :].any()
    assert np.array_equal(rows_of_planes(planes), pad_rows(scenes.boxes, scenes.labels, 4))
    assert pad_planes(scenes.masks, scenes.labels).shape[1] == max(map(len, scenes.labels))
    assert np.array_equal(planes.max(axis=1), scenes.semantic)


def test_an_empty_plane_has_no_box():
    planes = np.zeros((1, 3, 4, 5), np.uint8)
    planes[0, 1, 2, 3] = 2
    assert rows_of_planes(planes)[0].tolist() == [[-1] * 5, [3, 2, 4, 3, 1], [-1] * 5]


def test_masks_move_with_the_picture():
    scenes = shapes(3, Generator(4), size=24)
    planes = pad_planes(scenes.masks, scenes.labels)
    before = planes.copy()
    x, moved = AugmentMasks(Flip(1.0))((scenes.x, planes), Generator(0))
    assert np.array_equal(x, scenes.x[:, :, ::-1]) and np.array_equal(planes, before)
    assert np.array_equal(moved, planes[..., ::-1])


def test_refusals():
    scenes = shapes(3, Generator(4), size=24)
    with pytest.raises(ShapeError, match=r"pad_planes: needs masks of one size, at most 1 a pict"):
        pad_planes(scenes.masks, scenes.labels, 1)
    with pytest.raises(ShapeError, match=r"got sizes \[\(24, 20\), \(24, 24\)\]"):
        pad_planes([scenes.masks[0], scenes.masks[1][:, :, :20]], scenes.labels[:2])
    with pytest.raises(ShapeError, match=r"planes must be \(N, K, H, W\), got \(24, 24\)"):
        rows_of_planes(np.zeros((24, 24), np.uint8))
