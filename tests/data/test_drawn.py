"""Roads and faces that are drawn: what was drawn is what the targets say."""

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import KEYPOINTS, Samples, drawn_faces, face_patches, factor_pictures, roads
from tinydl.data.synthetic.roads import CAMERA_HEIGHT, SHARPEST
from tinydl.errors import ConfigError


def test_a_road_bends_as_its_curvature_says():
    """The grass at both sides of far rows: its middle runs as k d^2 / 2, up to offset, heading."""
    made = roads(12, Generator(0), 66, 200)
    assert made.x.shape == (12, 66, 200, 3) and made.x.min() >= 0 and made.x.max() <= 1
    assert made.y.dtype == np.float32 and np.abs(made.y).max() <= SHARPEST
    rows = np.arange(26, 60)
    distance = 120 * CAMERA_HEIGHT / (rows + 0.5 - 19.8)
    for picture, curvature in zip(made.x, made.y, strict=True):
        green = picture[..., 1] - np.maximum(picture[..., 0], picture[..., 2])
        on_road = green < 0.06
        middles, used = [], []
        for row, d in zip(rows, distance, strict=True):
            columns = np.flatnonzero(on_road[row])
            if columns.min() > 3 and columns.max() < 196:  # both edges are in the picture
                middles.append((np.median(columns) + 0.5 - 100) * d / 120)
                used.append(d)
        if len(used) < 6:
            continue
        found = 2 * np.polyfit(used, middles, 2)[0]
        assert found == pytest.approx(curvature, abs=0.006)


def test_keypoints_are_where_it_is_dark():
    made = drawn_faces(40, Generator(1), 48)
    assert made.x.shape == (40, 48, 48, 1) and made.y.shape == (40, 10)
    assert made.columns[:2] == ("left eye x", "left eye y") and len(KEYPOINTS) == 5
    for picture, y in zip(made.x[..., 0], made.y, strict=True):
        face = np.median(picture[picture > 0.5]) if (picture > 0.5).any() else 0.55
        for x_eye, y_eye in y[:4].reshape(2, 2):
            assert picture[int(y_eye * 48), int(x_eye * 48)] < face - 0.15
        assert y[0] < y[2] and y[1] < y[7]  # left eye left of the right one, above the mouth
        points = y.reshape(5, 2)
        eyes, mouth = points[1] - points[0], points[4] - points[3]
        down = (points[3] + points[4] - points[0] - points[1]) / 2
        slant = abs(eyes @ down) / np.linalg.norm(eyes) / np.linalg.norm(down)
        assert slant < 0.25 and eyes @ mouth > 0  # turned, not sheared
    assert made.y.min() > 0 and made.y.max() < 1


def test_they_are_functions_of_the_generator():
    for draw in (roads, drawn_faces):
        a, b, c = (draw(2, Generator(s)).x for s in (3, 3, 4))
        assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_bad_arguments_are_named():
    with pytest.raises(ConfigError, match="roads: needs n >= 1"):
        roads(0, Generator(0))
    with pytest.raises(ConfigError, match=r"drawn_faces: needs .* size >= 16"):
        drawn_faces(1, Generator(0), 8)


def test_patches_hold_faces_where_they_say():
    """Bright squares stand for photographs: their mass is in the middle for faces only."""
    people = np.repeat(np.arange(40), 10)
    photographs = np.full((400, 112, 92), 255, np.uint8)
    photographs[people >= 30] = 128  # other people look different
    made = face_patches(Samples("squares", photographs, people, ()), 40, 12, Generator(0), 32)
    assert made.x_train.shape == (40, 32, 32, 1) and made.y_train.shape == (40, 1, 1)
    assert made.y_train.ravel().tolist() == [1, 0] * 20 and made.y_test.sum() == 6
    middle = made.x_train[:, 8:24, 8:24, 0].std(axis=(1, 2))
    faces = made.y_train.ravel() == 1
    assert middle[faces].max() < 0.05  # covered by the square whole
    assert np.median(middle[~faces]) > 2 * middle[faces].max()
    assert made.x_train[faces, 16, 16].min() > 0.6 > 0.56 > made.x_test[::2, 16, 16].max()
    with pytest.raises(ConfigError, match="two patches each"):
        face_patches(Samples("none", photographs, people, ()), 1, 12, Generator(0))


def test_every_picture_of_the_factors_is_there_once_and_shows_them():
    made = factor_pictures(16, 5, 3)
    assert made.x.shape == (5 * 5 * 3 * 3, 16, 16, 1) and set(np.unique(made.x)) == {0.0, 1.0}
    assert len(np.unique(made.factors, axis=0)) == len(made.x)
    assert len(np.unique(made.x.reshape(len(made.x), -1), axis=0)) == len(made.x)
    ink = made.x[..., 0] / made.x.sum(axis=(1, 2, 3))[:, None, None]
    centre = np.arange(16)
    column, row = ink.sum(axis=1) @ centre, ink.sum(axis=2) @ centre
    for k, place in enumerate((column, row)):
        assert np.corrcoef(place, made.factors[:, k])[0, 1] > 0.95
    area, shape = made.x.sum(axis=(1, 2, 3)), made.factors[:, 3]
    squares = [area[(shape == 0) & (made.factors[:, 2] == k)].mean() for k in range(3)]
    assert squares[0] < squares[1] < squares[2]
    assert area[shape == 2].mean() < area[shape == 1].mean() < area[shape == 0].mean()
    with pytest.raises(ConfigError, match="factor_pictures: needs size >= 8"):
        factor_pictures(7)
