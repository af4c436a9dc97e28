"""A folder with everything wrong at once: each fault is named, training goes on without what is
broken, and nothing is changed."""

import io
import os
import sys

import numpy as np
import pytest

from tinydl import nn, seed
from tinydl.command.main import main
from tinydl.data import Batches, image_folder, look
from tinydl.errors import DataError, FormatError, MissingFileError
from tinydl.random import Generator
from tinydl.train import fit

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")

#: One class in each script, one that is markup, one with a line's end and an escape in it.
CLASSES = ("cats", "кошки", "猫", "القطط", "बिल्लियाँ", "<b>&cats", "a\n\x1b[31mb", "e\u0301te\u0301")
EACH, BROKEN = 25, 10  # 5 % of 200 files


def packed(pixels, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((20, 20), Image.Resampling.BICUBIC).save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """(folder, {relative path: kind of its problem})."""
    root = tmp_path_factory.mktemp("damaged")
    rng = np.random.default_rng(2)
    wrong, names = {}, []
    for name in CLASSES:
        (root / name).mkdir()
        for k in range(EACH):
            names.append(f"{name}/{k:02}.png")
            content = packed(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
            (root / names[-1]).write_bytes(content)
    for path in rng.choice(names, BROKEN, replace=False):
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: int(rng.integers(1, len(content) - 12))])
        wrong[str(path)] = "damaged"
    jpeg = packed(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), "JPEG")
    (root / "cats" / "jpeg.png").write_bytes(jpeg)
    (root / "cats" / "page.jpg").write_bytes(b"<!doctype html>")
    wrong |= {"cats/jpeg.png": "extension", "cats/page.jpg": "damaged"}
    with open(root / "cats" / "huge.bmp", "wb") as file:
        file.truncate(1 << 33)
    wrong["cats/huge.bmp"] = "large"
    (root / "one").mkdir()
    (root / "one" / "1.png").write_bytes(packed(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)))
    wrong[""] = "class"
    (root / "cats" / "up").symlink_to("..")
    (root / "round").symlink_to("round")
    (root / "out").symlink_to("/usr")
    wrong |= dict.fromkeys(("cats/up", "round", "out"), "link")
    os.mkfifo(root / "cats" / "pipe.png")
    wrong["cats/pipe.png"] = "special"
    return root, wrong


def state(root):
    """What is there: names, sizes, times of every entry; nothing is opened."""
    return {
        path: (found.st_size, found.st_mtime_ns, found.st_mode)
        for folder, names, files in os.walk(root)
        for path in (os.path.join(folder, name) for name in (*names, *files))
        for found in [os.lstat(path)]
    }


def test_each_fault_is_named_and_nothing_is_changed(damaged, tmp_path, capsys):
    root, wrong = damaged
    before = state(root)
    seen = look(root)
    assert {p.path: p.kind for p in seen.problems} == wrong
    assert seen.found.classes == tuple(sorted([*CLASSES, "one"]))
    assert len(seen.found.files) == len(CLASSES) * EACH + 3
    sheet = tmp_path / "sheet.png"
    assert main(["look", str(root), "--strict", "--out", str(sheet)]) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out and "猫" in said.out and "القطط" in said.out
    assert "class 'one' has only 1 of at least 10 samples" in said.out
    with Image.open(sheet) as page:
        assert page.height == 9 * 98 + 2
    assert state(root) == before


def test_training_goes_on_without_what_is_broken(damaged):
    root, _ = damaged
    before = state(root)
    whole = image_folder(root, (8, 8))
    with pytest.raises(FormatError, match="is not a readable image"):
        for _ in Batches((whole.x, whole.y), 32, rng=Generator(0), prefetch=2):
            pass
    left = image_folder(root, (8, 8), leave_out=sorted(look(root).unusable))
    assert len(left.y) == len(CLASSES) * EACH - BROKEN + 2  # and the misnamed one, and "one"
    seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, len(left.classes)))
    history = fit(model, (left.x.scaled(), left.y), "cross_entropy", "sgd", epochs=2)
    assert np.isfinite(history["loss"]).all()
    assert state(root) == before


def test_folders_and_files_without_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip(
            "root reads what nobody may read: the refused calls are in test_walk, test_look"
        )
    (tmp_path / "a").mkdir()
    for k in range(10):
        (tmp_path / "a" / f"{k}.png").write_bytes(packed(np.full((4, 4, 3), 20 * k, np.uint8)))
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "3.png").chmod(0)
    (tmp_path / "b").chmod(0)
    try:
        kinds = {p.path: p.kind for p in look(tmp_path).problems if p.path}
    finally:
        (tmp_path / "b").chmod(0o700)
    assert kinds == {"a/3.png": "unreadable", "b": "unreadable"}


def test_files_that_change_after_the_listing(tmp_path):
    """One is gone, one has become a pipe: an error that names it, and nothing waits."""
    for k in range(10):
        path = tmp_path / "a" / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(packed(np.full((4, 4, 3), 20 * k, np.uint8)))
    x = image_folder(tmp_path, (8, 8)).x
    (tmp_path / "a" / "3.png").unlink()
    (tmp_path / "a" / "4.png").unlink()
    os.mkfifo(tmp_path / "a" / "4.png")  # is refused, not waited for
    with pytest.raises(MissingFileError, match=r"there is no file .*a/3\.png"):
        x[3]
    with pytest.raises(DataError, match="a pipe or a device"):
        x[4]


def test_without_pillow_it_is_one_sentence(tmp_path, monkeypatch):
    """And not every file a damaged one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(packed(np.zeros((4, 4, 3), np.uint8)))
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (lambda: look(tmp_path), lambda: image_folder(tmp_path, (4, 4))):
        with pytest.raises(DataError, match="needs Pillow"):
            call()
