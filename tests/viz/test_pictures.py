"""Pictures are PNG files of a sensible size; bad shapes, no matplotlib: one sentence."""

import builtins

import numpy as np
import pytest

from tinydl.errors import ConfigError, ShapeError
from tinydl.train import History
from tinydl.viz import image_grid, plot_boxes, plot_curves, plot_masks

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
    with pytest.raises(ConfigError, match=r'pip install "tinydl\[plot\]"'):
        plot_curves(History(ROWS), tmp_path / "curves.png")
    for draw in (plot_boxes, plot_masks):
        with pytest.raises(ConfigError, match=r'pip install "tinydl\[plot\]"'):
            draw(np.zeros((4, 4)), np.zeros((4, 4)))
