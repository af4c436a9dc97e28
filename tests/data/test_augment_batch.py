"""ShiftFlip: whole batches moved and mirrored, equal to the slow augmentation image by image."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import Batches, ShiftFlip
from tinydl.errors import ConfigError, ShapeError

RNG = np.random.default_rng(0)


def shifted(image, rows, columns):
    """The image moved down by `rows` and right by `columns`, zeros coming in, pixel by pixel."""
    height, width = image.shape[:2]
    result = np.zeros_like(image)
    for y in range(height):
        for x in range(width):
            if 0 <= y - rows < height and 0 <= x - columns < width:
                result[y, x] = image[y - rows, x - columns]
    return result


def test_every_image_is_one_of_its_shifts_and_mirror_images():
    x = RNG.normal(size=(200, 3, 4, 2)).astype(np.float32)
    y, labels = ShiftFlip(1)((x, np.arange(200)), Generator(5))
    assert np.array_equal(labels, np.arange(200)) and y.dtype == x.dtype and y.shape == x.shape
    drawn = set()
    for before, after in zip(x, y, strict=True):
        found = [
            (rows, columns, mirrored)
            for rows in (-1, 0, 1)
            for columns in (-1, 0, 1)
            for mirrored in (False, True)
            if np.array_equal(
                after,
                shifted(before, rows, columns)[:, ::-1]
                if mirrored
                else shifted(before, rows, columns),
            )
        ]
        assert len(found) == 1
        drawn.add(found[0])
    assert len(drawn) == 18  # all of them occur


def test_without_pixels_and_chance_nothing_changes():
    x = RNG.normal(size=(5, 3, 4, 2))
    before = x.copy()
    assert np.array_equal(ShiftFlip(0, 0.0)((x,), Generator(0))[0], x)
    assert np.array_equal(ShiftFlip(0, 1.0)((x,), Generator(0))[0], x[:, :, ::-1])
    ShiftFlip()((x,), Generator(0))
    assert np.array_equal(x, before)


def test_it_is_a_transform_of_batches():
    x = RNG.normal(size=(6, 4, 4, 1))

    def drawn(seed):
        batches = Batches((x,), 3, rng=Generator(seed), transform=ShiftFlip(2))
        return np.concatenate([b for (b,) in batches])

    assert np.array_equal(drawn(1), drawn(1)) and not np.array_equal(drawn(1), drawn(2))


def test_bad_arguments_are_named():
    with pytest.raises(ConfigError, match="ShiftFlip: needs pixels >= 0"):
        ShiftFlip(-1)
    with pytest.raises(ConfigError, match="a probability"):
        ShiftFlip(4, 1.5)
    with pytest.raises(ShapeError, match=r"ShiftFlip: images must be \(N, H, W, C\)"):
        ShiftFlip()((np.zeros((2, 4, 4)),), Generator(0))
