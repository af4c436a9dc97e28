"""`tinydl detect`: boxes come back in pixels of the picture; bad input is one clear message."""

import json

import numpy as np
import pytest
from closeness import assert_close
from support import by_hand

from tinydl import Generator
from tinydl.command.main import main
from tinydl.data import fit_image, pad_planes, pad_rows, shapes
from tinydl.errors import DTypeError, ShapeError
from tinydl.metrics import Found
from tinydl.programs.parts import Parts
from tinydl.recipes import RECIPES
from tinydl.runs.detect import detect
from tinydl.runs.run import OpenRun, begin, train_into
from tinydl.viz import draw_boxes

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of ssd-shapes, one epoch on four pictures."""
    scenes = shapes(4, Generator(3), size=64)
    part = (scenes.x, pad_rows(scenes.boxes, scenes.labels))
    folder = tmp_path_factory.mktemp("runs") / "ssd"
    folder.mkdir()
    recipe = RECIPES["ssd-shapes"].changed(epochs=1)
    train_into(folder, begin(recipe, data=Parts(part, None, part, scenes.classes)), False)
    return folder


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "one.png"
    pixels = (shapes(1, Generator(5), size=64).x[0] * 255).astype(np.uint8)
    Image.fromarray(np.repeat(np.repeat(pixels, 2, 0), 3, 1)).save(path)  # 128 high, 192 wide
    return path


def test_pictures_with_boxes_are_written(run, picture, tmp_path, capsys):
    out = tmp_path / "out"
    code = main(["detect", str(run), str(picture), "--score", "0.02", "--out", str(out), "--json"])
    (entry,) = json.loads(capsys.readouterr().out)
    assert code == 0 and entry["image"] == str(picture) and entry["boxes"]
    assert np.asarray(Image.open(out / "one.png")).shape == (128, 192, 3)
    for box in entry["boxes"]:
        left, top, right, bottom = box["box"]
        assert 0 <= left <= right <= 192 and 0 <= top <= bottom <= 128
        assert box["class"] in ("square", "disk", "triangle") and box["score"] >= 0.02


def test_regions_are_searched_on_pictures_of_the_recipes_size(picture, tmp_path, monkeypatch):
    """An R-CNN's input is a region; the picture that it is cut from is larger."""
    scenes, folder, seen = shapes(2, Generator(3), size=64), tmp_path / "run", []
    part = (scenes.x, pad_rows(scenes.boxes, scenes.labels))
    folder.mkdir()
    recipe = RECIPES["rcnn-shapes"].changed(epochs=1)
    train_into(folder, begin(recipe, data=Parts(part, None, part, scenes.classes)), False)

    def detect_on(model, x, score, overlap):
        seen.append(x.shape)
        return [Found(np.array([[4.0, 8, 20, 24]]), np.array([0]), np.array([0.9]))]

    monkeypatch.setattr("tinydl.models.RCNN.detect", detect_on)
    (one,) = detect(OpenRun(folder), [np.asarray(Image.open(picture))])
    assert seen == [(1, 64, 64, 3)] and one.boxes.tolist() == [[12, 24, 60, 72]]


def test_boxes_are_in_pixels_of_the_picture(run, picture, monkeypatch):
    """The model sees 64x64, of which the picture fills 43 rows: a box there is scaled by three."""
    opened = OpenRun(run)
    model = opened.model()
    boxes = np.array([[4.0, 8, 20, 24], [2, 50, 30, 60]])  # the second lies in the added border
    found = Found(boxes, np.array([0, 2]), np.array([0.9, 0.8]))
    monkeypatch.setattr(model, "found", lambda *rest: [found], raising=False)
    monkeypatch.setattr(opened, "model", lambda backend=None: model, raising=False)
    (one,) = detect(opened, [np.asarray(Image.open(picture))])
    assert_close(one.boxes, [[12, 24, 60, 72]], 1e-7)
    assert one.labels.tolist() == [0] and one.scores.tolist() == [0.9]


def test_masks_come_back_in_pixels_of_the_picture(picture, tmp_path, monkeypatch, capsys):
    scenes, folder = shapes(2, Generator(3), size=64), tmp_path / "run"
    part = (scenes.x, pad_planes(scenes.masks, scenes.labels))
    folder.mkdir()
    recipe = RECIPES["mask-rcnn-shapes"].changed(epochs=1)
    train_into(folder, begin(recipe, data=Parts(part, None, part, scenes.classes)), False)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 8:24, 4:20] = True
    box = Found(np.array([[4.0, 8, 20, 24]]), np.array([1]), np.array([0.9]), mask)
    monkeypatch.setattr("tinydl.models.MaskRCNN.detect_masks", lambda *rest: [box])
    image = np.asarray(Image.open(picture))
    (one,) = detect(OpenRun(folder), [image])
    wanted = np.zeros((1, 128, 192), bool)  # three times as large, without the rows that were added
    wanted[0, 24:72, 12:60] = True
    assert one.boxes.tolist() == [[12, 24, 60, 72]] and np.array_equal(one.masks, wanted)
    assert main(["detect", str(folder), str(picture), "--out", str(tmp_path / "out")]) == 0
    drawn = np.asarray(Image.open(tmp_path / "out" / "one.png"))
    inner = (slice(28, 68), slice(16, 56))
    colour = np.array([60, 180, 75])
    np.testing.assert_array_equal(drawn[inner], image[inner] // 2 + colour // 2)
    with pytest.raises(ShapeError, match=r"masks must be \(1, 64, 192\), got \(1, 128, 192\)"):
        draw_boxes(image[:64], one, scenes.classes)


def test_bad_input(run, picture, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def message(*arguments):
        assert main(["detect", *map(str, arguments)]) == 2
        found = capsys.readouterr().err
        assert found.startswith("tinydl: error: ") and found.count("\n") == 1
        return found

    config = json.loads((run / "config.json").read_text())
    other = tmp_path / "digits"
    other.mkdir()
    (other / "config.json").write_text(by_hand(config, RECIPES["mlp-digits"]))
    assert "mlp-digits, which is a classifier" in message(other, picture)
    assert "is no run folder" in message(tmp_path, picture)
    assert "there is no file" in message(run, tmp_path / "none.png")
    assert "score must be in [0, 1], got 3.0" in message(run, picture, "--score", 3)
    (tmp_path / "text.png").write_text("no picture")
    assert "is not a readable image" in message(run, tmp_path / "text.png")
    Image.new("RGB", (5, 40)).save(tmp_path / "thin.png")
    assert "at least 8 pixels on a side" in message(run, tmp_path / "thin.png")
    Image.new("F", (20, 20)).save(tmp_path / "float.tiff")
    assert "no known range" in message(run, tmp_path / "float.tiff")
    assert "text.png is a file, pictures need" in message(run, picture, "--out", "text.png")
    assert "is one of the images" in message(run, picture, "--out", tmp_path)
    assert "two images would both become" in message(run, picture, tmp_path / "b" / "one.jpg")
    assert main(["predict", str(run), str(picture)]) == 2
    assert "ssd-shapes, which is a detector; `tinydl predict` needs" in capsys.readouterr().err


def test_fitting_keeps_the_aspect():
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, 20:] = 255
    fitted, scale = fit_image(image, 64, 64)
    assert scale == 1.6 and fitted.shape == (64, 64, 3) and fitted.dtype == np.float32
    assert not fitted[:32, :30].any() and (fitted[:32, 34:] == 1).all()
    assert_close(fitted[32:], 0.5, 1e-7)
    grey, _ = fit_image(image[:, :, 0], 64, 64)
    assert np.array_equal(grey, fitted)
    for bad, error in (
        (image / 255, DTypeError),
        (image[:7], ShapeError),
        (image[..., :2], ShapeError),
    ):
        with pytest.raises(error, match="fit_image: the image must be"):
            fit_image(bad, 64, 64)


def test_frames_are_drawn_where_the_boxes_are():
    found = Found(np.array([[10.0, 30, 40, 50]]), np.array([1]), np.array([0.5]))
    drawn = draw_boxes(np.zeros((60, 80), np.uint8), found, ("a", "b"))
    green = (drawn == (60, 180, 75)).all(axis=2)
    assert green[30, 10:40].all() and green[49, 10:40].all() and green[30:50, 10].all()
    assert green[30:50, 39].all() and not green[30:50, 40:].any() and not green[50:].any()
    assert drawn[15:29, 10:40].any()  # the name stands above
    with pytest.raises(DTypeError, match="must be uint8"):
        draw_boxes(np.zeros((6, 8)), found, ("a", "b"))
    with pytest.raises(ShapeError, match="must be"):
        draw_boxes(np.zeros((6, 8, 4), np.uint8), found, ("a", "b"))
