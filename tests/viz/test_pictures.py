"""Pictures are PNG files of a sensible size; bad shapes, no matplotlib: one sentence."""

import builtins

import numpy as np
import pytest

import tinydl
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.train import History
from tinydl.viz import image_grid, make_grid, plot_boxes, plot_curves, plot_masks, save_image

ROWS = [
    {"epoch": e, "loss": 1 / e, "accuracy": 1 - 1 / e, "val_loss": 1.1 / e, "seconds": 0.1}
    for e in (1, 2, 3)
]


def pixels(path):
    image = pytest.importorskip("PIL.Image")
    with image.open(path) as opened:
        assert opened.format == "PNG"
        return np.asarray(opened.convert("RGB")).astype(int)


def test_curves(tmp_path):
    pytest.importorskip("matplotlib")
    plot_curves(History(ROWS), tmp_path / "curves.png", "three epochs")
    found = pixels(tmp_path / "curves.png")
    assert found.shape[1] > 2 * found.shape[0]  # two panels
    assert (found.max(axis=(0, 1)) == 255).all() and found.std() > 5
    plot_curves(History(ROWS[:1]), tmp_path / "one.png")


def test_a_grid_shows_every_image_in_its_place(tmp_path):
    pytest.importorskip("matplotlib")
    images = np.zeros((25, 8, 8, 1), np.float32)
    images[7] = 1.0  # second row, third column
    image_grid(images, tmp_path / "grid.png")
    found = pixels(tmp_path / "grid.png")
    height, width = found.shape[0] / 5, found.shape[1] / 5
    for i in range(25):
        y, x = int((i // 5 + 0.5) * height), int((i % 5 + 0.5) * width)
        assert found[y, x, 0] == (255 if i == 7 else 0)


def test_colour_titles_and_bad_shapes(tmp_path):
    pytest.importorskip("matplotlib")
    image_grid(np.zeros((3, 4, 4, 3), np.uint8), tmp_path / "c.png", titles=["a", "b", "c"])
    assert (tmp_path / "c.png").stat().st_size > 100
    with pytest.raises(ShapeError, match="needs"):
        image_grid(np.zeros((4, 4)), tmp_path / "d.png")
    with pytest.raises(ShapeError, match="2 titles for 3 images"):
        image_grid(np.zeros((3, 4, 4)), tmp_path / "d.png", titles=["a", "b"])
    assert not (tmp_path / "d.png").exists()


def test_without_matplotlib_one_sentence(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r'pip install "\.\[plot\]"'):
        plot_curves(History(ROWS), tmp_path / "curves.png")
    for draw in (plot_boxes, plot_masks):
        with pytest.raises(ConfigError, match=r'pip install "\.\[plot\]"'):
            draw(np.zeros((4, 4)), np.zeros((4, 4)))


# -- pixels for pixels -----------------------------------------------------------------------------

GREYS = np.arange(5 * 2 * 4, dtype=np.float32).reshape(5, 2, 4) / 39


@pytest.mark.parametrize("columns, padding", [(2, 2), (3, 0), (8, 1), (1, 3)])
def test_every_pixel_of_a_page(columns, padding):
    page = make_grid(GREYS, columns, padding, background=7)
    wide, rows = min(columns, 5), -(-5 // columns)
    assert page.shape == (rows * (2 + padding) + padding, wide * (4 + padding) + padding, 3)
    expected = np.full(page.shape, 7)
    for k in range(5):
        top = padding + k // columns * (2 + padding)
        left = padding + k % columns * (4 + padding)
        expected[top : top + 2, left : left + 4] = np.round(GREYS[k] * 255)[..., None]
    np.testing.assert_array_equal(page, expected)


def test_what_is_black_and_white():
    signed = GREYS * 2 - 1
    np.testing.assert_array_equal(make_grid(signed, value_range=(-1, 1)), make_grid(GREYS))
    np.testing.assert_array_equal(make_grid(tinydl.tensor(GREYS)), make_grid(GREYS[..., None]))
    bright = np.full((1, 2, 2, 3), 200, np.uint8)
    assert (make_grid(bright, padding=0) == 200).all()
    assert (make_grid(bright, padding=0, value_range=(100, 225)) == 204).all()
    for wrong in (signed, GREYS * 255, GREYS * np.nan):
        with pytest.raises(
            ConfigError, match=r"the values go from .*, not within 0 \.\.\. 1; value_r"
        ):
            make_grid(wrong)
    for wrong in (1, (0,), (1, 0), (0, float("inf")), "ab"):
        with pytest.raises(ConfigError, match="value_range"):
            make_grid(GREYS, value_range=wrong)
    with pytest.raises(DTypeError, match="must be uint8 or floats, got int64"):
        make_grid(np.ones((1, 2, 2), int))
    with pytest.raises(ShapeError, match="the channels are the last axis here"):
        make_grid(np.ones((4, 3, 8, 8)))
    with pytest.raises(ShapeError, match="N >= 1"):
        make_grid(np.ones((0, 8, 8)))


def test_one_picture_or_many_as_a_file(tmp_path):
    path = tmp_path / "x.png"
    save_image(GREYS, path, 2, value_range=(0, 1))
    np.testing.assert_array_equal(pixels(path), make_grid(GREYS, 2))
    for one in (GREYS[0], GREYS[0][..., None], tinydl.tensor(GREYS[0])):
        save_image(one, str(path))
        np.testing.assert_array_equal(pixels(path)[..., 0], np.round(GREYS[0] * 255))
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    save_image(colour, path)
    np.testing.assert_array_equal(pixels(path), colour)
    with pytest.raises(ConfigError, match="save_image: the values go from 0 to 255"):
        save_image(GREYS * 255, path)
    for name in ("x.jpg", "x", 3):
        with pytest.raises(ConfigError, match=r"writes PNG files, 'name\.png', got"):
            save_image(colour, name)
