"""Boxes padded to rows, augmented and brought back."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import AugmentBoxes, Flip, half_size_rows, pad_rows, unpad_rows
from tinydl.data.box_rows import halved
from tinydl.errors import ShapeError

BOXES = [np.array([[1, 2, 3, 4], [0, 0, 5, 5]], np.float32), np.zeros((0, 4), np.float32)]
LABELS = [np.array([2, 0]), np.zeros(0, np.int64)]


def test_padding_and_back():
    rows = pad_rows(BOXES, LABELS, 3)
    assert rows.shape == (2, 3, 5) and rows[0, 2].tolist() == [-1] * 5
    for row, boxes, labels in zip(rows, BOXES, LABELS, strict=True):
        assert np.array_equal(unpad_rows(row)[0], boxes)
        assert np.array_equal(unpad_rows(row)[1], labels)
    assert pad_rows(BOXES, LABELS).shape == (2, 2, 5) and pad_rows(BOXES[1:], LABELS[1:]).shape[1]
    with pytest.raises(ShapeError, match="has 2 boxes, more than 1"):
        pad_rows(BOXES, LABELS, 1)
    with pytest.raises(ShapeError, match=r"rows must be \(K, 5\)"):
        unpad_rows(rows)


def test_boxes_move_with_the_picture():
    x = np.arange(2 * 6 * 8 * 3, dtype=np.float32).reshape(2, 6, 8, 3)
    flipped, rows = AugmentBoxes(Flip(1.0))((x, pad_rows(BOXES, LABELS)), Generator(0))
    assert np.array_equal(flipped, x[:, :, ::-1])
    assert rows[0].tolist() == [[5, 2, 7, 4, 2], [3, 0, 8, 5, 0]] and (rows[1] == -1).all()


def test_half_size_takes_means():
    image = np.array([[0, 2, 9], [4, 7, 9], [9, 9, 9]], np.uint8)[:, :, None]
    assert halved(image).tolist() == [[[3]]]


class Pictures:
    """As much of a detection set as half_size_rows reads."""

    name = "two pictures"
    boxes, labels = BOXES, LABELS

    def __init__(self, *sizes):
        self.sizes = np.array(sizes)

    def __len__(self):
        return len(self.sizes)

    def image(self, k):
        return np.full((*self.sizes[k], 3), 10 * k, np.uint8)


def test_half_size_rows_halve_boxes_too():
    x, rows = half_size_rows(Pictures((4, 6), (4, 6)))
    assert x.shape == (2, 2, 3, 3) and x[:, 0, 0, 0].tolist() == [0, 10]
    assert rows[0].tolist() == [[0.5, 1, 1.5, 2, 2], [0, 0, 2.5, 2.5, 0]] and (rows[1] == -1).all()
    with pytest.raises(ShapeError, match="the pictures of two pictures have several sizes"):
        half_size_rows(Pictures((4, 6), (4, 8)))
