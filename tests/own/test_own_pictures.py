"""Pictures in class folders, or with boxes, from `train --on` to `predict` and `detect`."""

import json
import os

import numpy as np
import pytest
from commands import does, fails

from tinydl.data import Pictures, read_image
from tinydl.own import bind, pictures
from tinydl.own.models import FITS, fit_of, kinds_of, recipes_for
from tinydl.own.options import Options
from tinydl.recipes import RECIPES
from tinydl.runs.run import OpenRun

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")
FAST = ("--epochs", 3, "--batch-size", 4)


def draw(path, colour, rng, size=(24, 30)):
    """Noise in which one colour is stronger."""
    pixels = rng.integers(0, 90, (*size, 3)).astype(np.uint8)
    pixels[..., colour] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def flowers(folder, names=("blå", "red"), count=12, seed=0):
    rng = np.random.default_rng(seed)
    for colour, name in enumerate(names):
        for k in range(count):
            size = (20 + k, 30 - k)
            draw(folder / name / f"p{k % 6}-{k}.png", 2 * (1 - colour), rng, size)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return flowers(tmp_path_factory.mktemp("pictures") / "flowers")


@pytest.fixture(scope="module")
def run(folder):
    from tinydl.command.main import main

    out = folder.parent / "run"
    asked = ["train", "mlp-digits", "--on", folder, "--size", "8", "--epochs", 12, "--quiet"]
    assert main([str(a) for a in [*asked, "--batch-size", 4, "--out", out]]) == 0
    return out


def test_from_a_folder_to_an_answer(capsys, folder, run):
    assert json.loads(does(capsys, "evaluate", run, "--json"))["accuracy"] == 1
    picture = folder / "blå" / "p3-3.png"
    (found,) = json.loads(does(capsys, "predict", run, picture, "--json"))
    assert found["class"] == "blå" and found["file"] == str(picture)
    opened = OpenRun(run)
    (by_pixels,) = opened.probabilities([read_image(picture)])
    assert dict(zip(("blå", "red"), by_pixels, strict=True)) == pytest.approx(
        found["probabilities"], rel=1e-5
    )
    (top,) = json.loads(does(capsys, "classify", run, picture, "--top", 1, "--json"))
    assert [one["class"] for one in top["top"]] == ["blå"]


def test_what_is_kept(folder, run):
    own = OpenRun(run).config["own"]
    rule = {"height": 8, "width": 8, "channels": 3, "fit": "crop"}
    assert own["preparation"] == rule and own["classes"] == ["blå", "red"]
    assert own["kind"] == "pictures" and own["division"]["how"] == "stratified"


def test_a_report_names_the_folder_and_not_where_it_lies(folder, run, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason='curves are drawn: pip install ".[plot]"')
    from tinydl.reporting import told
    from tinydl.reporting.report import write_report

    monkeypatch.setattr(told, "roofline", lambda subject: None)  # takes a second
    page = write_report(str(run), str(tmp_path / "page.html")).read_text()
    assert "flowers (own data)" in page and "--on flowers" in page and "blå" in page
    for title in ("Scores by class", "What the model looks at", "Curves"):
        assert title in page, title
    moved = folder.rename(folder.parent / "elsewhere")
    without = write_report(str(run), str(tmp_path / "without.html")).read_text()
    moved.rename(folder)
    assert "The data are not here" in without and "Figures" in without
    assert all(str(folder.parent) not in text for text in (page, without))


def test_channels_and_sizes(capsys, tmp_path):
    rng = np.random.default_rng(1)
    for k in range(12):
        grey = rng.integers(0, 100, (16, 20)).astype(np.uint8) + np.uint8(100 * (k % 2))
        (tmp_path / "g" / str(k % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(tmp_path / "g" / str(k % 2) / f"{k}.png")
    out = does(capsys, "train", "lenet-mnist", "--on", tmp_path / "g", *FAST, "--out",
               tmp_path / "run", "--fit", "pad")  # fmt: skip
    assert "pictures become 28x28, grey, by the rule pad" in out
    assert OpenRun(tmp_path / "run").recipe.program.architecture["in_channels"] == 1
    out = does(capsys, "train", "resnet20-cifar", "--on", tmp_path / "g", "--epochs", 1,
               "--size", "8,12", "--out", tmp_path / "other")  # fmt: skip
    assert OpenRun(tmp_path / "other").recipe.program.input_shape == (8, 12, 1)
    err = fails(capsys, "train", "lenet-mnist", "--on", tmp_path / "g", "--size", "28,30")
    assert "takes squares" in err


def test_groups_resume_and_lazy_pictures(capsys, folder, tmp_path, monkeypatch):
    """A run stopped and resumed on pictures that stay in files is bitwise the one that nobody
    stopped, on an array."""
    asked = ("train", "cnn-mnist", "--on", folder, "--size", 18, "--batch-size", 8, "--seed", 3)
    asked += ("--group-by-prefix",)
    out = does(capsys, *asked, "--epochs", 3, "--out", tmp_path / "whole")
    assert "6 groups by file-name prefix" in out and "logistic regression" in out
    monkeypatch.setattr(pictures, "AT_ONCE", 10)  # as if they were too large for the memory
    monkeypatch.setattr(pictures, "CACHE", 3_000)
    does(capsys, *asked, "--epochs", 2, "--out", tmp_path / "run")
    run = OpenRun(tmp_path / "run")
    assert isinstance(run.recipe.load(run.settings()).train[0], Pictures)
    out = does(capsys, "train", "--resume", tmp_path / "run", "--epochs", 3)
    assert "majority class" in out and "logistic regression" not in out
    a, b = (OpenRun(tmp_path / name).model().state_dict() for name in ("run", "whole"))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    err = fails(capsys, "train", "mlp-mnist", "--on", folder, "--out", tmp_path / "other")
    assert "too many for mlp-mnist" in err


def test_damaged_folders(capsys, tmp_path):
    folder = flowers(tmp_path / "flowers")
    whole = (folder / "red" / "p1-1.png").read_bytes()
    (folder / "red" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "red" / "text.jpg").write_text("no picture")
    (folder / "one").mkdir()
    (folder / "one" / "p9-0.png").write_bytes(whole)
    (folder / "loop").symlink_to(folder)
    asked = ("train", "mlp-digits", "--on", folder, *FAST, "--out", tmp_path / "run")
    out = does(capsys, *asked)
    for told in ("red/cut.png cannot be used", "red/text.jpg cannot be used", "loop is a link",
                 "class 'one' has only 1"):  # fmt: skip
        assert told in out
    assert "0x" not in out
    assert OpenRun(tmp_path / "run").config["own"]["classes"] == ["blå", "one", "red"]
    assert "--strict" in fails(capsys, *asked[:-1], tmp_path / "other", "--strict")
    assert (folder / "red" / "text.jpg").exists()


def test_folders_that_say_their_parts(capsys, tmp_path):
    for part, count in (("train", 8), ("val", 3), ("test", 4)):
        flowers(tmp_path / "d" / part, count=count)
    run = tmp_path / "run"
    out = does(capsys, "train", "mlp-digits", "--on", tmp_path / "d", *FAST, "--out", run)
    assert (
        "16 train, 6 validation, 8 test" in out
        and "val_accuracy" in out + run.joinpath("history.csv").read_text()
    )
    assert "no --group" in fails(capsys, "train", "mlp-digits", "--on", tmp_path / "d",
                                 "--group-by-prefix")  # fmt: skip


def test_kinds_that_recipes_take():
    """Every model of the table is one of a recipe; every kind has recipes."""
    used = {recipe.program.model for recipe in RECIPES.values()}
    used |= {recipe.variant(v.name).program.model for recipe in RECIPES.values()
             for v in recipe.variants}  # fmt: skip
    assert set(FITS) <= used
    assert recipes_for("boxes")[0] == "ssd-bccd" and "lenet-mnist" in recipes_for("pictures")
    assert kinds_of(RECIPES["iris-softmax"]) == ("table",)
    assert kinds_of(RECIPES["mlp-mnist"]) == ("table", "pictures")
    assert kinds_of(RECIPES["gan-mnist"]) == () and fit_of(RECIPES["pilotnet-roads"]) is None
    assert set(bind.ROOMS) == {k for name in RECIPES for k in kinds_of(RECIPES[name])}


@pytest.mark.parametrize(
    "name", ["a\u200bb", "two\nlines", os.fsdecode(b"caf\xe9"), "100 %41 \x07"]
)
def test_a_folder_of_any_name(capsys, tmp_path, name):
    """What a system takes as a name is kept by the run, which finds its pictures again."""
    folder, run = flowers(tmp_path / name / "flowers", ("a\u200d", "b"), 6), tmp_path / "run"
    does(capsys, "train", "mlp-digits", "--on", folder, "--size", 8, "--epochs", 1, "--out", run)
    assert OpenRun(run).recipe.own.path == str(folder)
    assert json.loads(does(capsys, "evaluate", run, "--json"))["samples"] > 1
    does(capsys, "report", run)
    assert name not in (run / "report.html").read_text()


# -- boxes -----------------------------------------------------------------------------------------

XML = """<annotation><size><width>{w}</width><height>{h}</height></size>{things}</annotation>"""
THING = """<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>
<ymax>{y1}</ymax></bndbox></object>"""


def voc(folder, count=10):
    """White squares, one or two a picture."""
    rng = np.random.default_rng(2)
    for part in ("Annotations", "JPEGImages"):
        (folder / part).mkdir(parents=True)
    for k in range(count):
        pixels, things = np.zeros((60, 80, 3), np.uint8), []
        for _ in range(1 + k % 2):
            x, y = (int(v) for v in rng.integers(2, 40, 2))
            pixels[y : y + 16, x : x + 16] = 255
            things.append(THING.format(name="square", x0=x, y0=y, x1=x + 16, y1=y + 16))
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"{k}.png")
        told = XML.format(w=80, h=60, things="".join(things))
        (folder / "Annotations" / f"{k}.xml").write_text(told)
    return folder


def coco(folder, count=8):
    rng = np.random.default_rng(3)
    (folder / "images").mkdir(parents=True)
    rows = []
    for k in range(count):
        x, y = (int(v) for v in rng.integers(2, 40, 2))
        pixels = np.zeros((60, 80, 3), np.uint8)
        pixels[y : y + 16, x : x + 16] = 255
        Image.fromarray(pixels).save(folder / "images" / f"{k}.png")
        rows.append({"id": k, "image_id": k, "category_id": 7, "bbox": [x, y, 16, 16]})
    sizes = [{"id": k, "file_name": f"{k}.png", "height": 60, "width": 80} for k in range(count)]
    held = {"images": sizes, "annotations": rows, "categories": [{"id": 7, "name": "square"}]}
    (folder / "boxes.json").write_text(json.dumps(held))
    return folder


def test_boxes(capsys, tmp_path):
    folder, run = voc(tmp_path / "squares"), tmp_path / "run"
    (folder / "JPEGImages" / "3.png").write_bytes(b"no picture")
    (folder / "Annotations" / "7.xml").write_text("<annotation><size>")
    seen = does(capsys, "look", folder)
    assert "3.png" in seen and "Annotations/7.xml cannot be used: is not well-formed" in seen
    asked = ("train", "ssd-shapes", "--on", folder, "--size", "48,64", "--epochs", 2)
    out = does(capsys, *asked, "--batch-size", 4, "--out", run)
    assert "on 8 pictures, fitted into 48x64" in out and "3.png" in out and "mean box" in out
    assert "left out: Annotations/7.xml cannot be used" in out
    assert "--strict: 2 problems" in fails(capsys, *asked, "--strict", "--out", tmp_path / "no")
    assert "random 80/20" in out
    program = OpenRun(run).recipe.program
    assert program.architecture["classes"] == 1 and program.architecture["image"] == [48, 64]
    assert program.architecture["sizes"] == [10.5, 16.5, 22.5, 30.0]
    picture = folder / "JPEGImages" / "1.png"
    found = json.loads(does(capsys, "detect", run, picture, "--score", 0.01, "--out",
                            tmp_path / "drawn", "--json"))  # fmt: skip
    assert {box["class"] for box in found[0]["boxes"]} <= {"square"}
    other = coco(tmp_path / "others")
    (other / "images" / "0.png").unlink()
    measured = json.loads(does(capsys, "evaluate", run, "--on", other, "--json"))
    assert measured["samples"] == 7 and "map_square" in measured
    assert measured["problems"] == ["left out: 0.png cannot be used: is not there"]
    assert "left out: 0.png" in does(capsys, "evaluate", run, "--on", other)
    err = fails(capsys, "train", "lenet-mnist", "--on", folder)
    assert "boxes (VOC or COCO)" in err and "ssd-bccd" in err


def test_options_as_they_were_typed():
    """What a report prints is what trains such a run again."""
    assert Options().typed() == []
    given = Options(target="the price", size=(8, 9), by_prefix=True, fit="pad", strict=True)
    assert given.typed() == [
        "--target", "'the price'", "--size", "8,9", "--fit", "pad", "--group-by-prefix", "--strict"
    ]  # fmt: skip
