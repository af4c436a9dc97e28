"""Folders of strangers: what is listed, what is passed over by name, and what kind they are."""

import json
import os

import pytest

from tinydl.data.folders import walk as walking
from tinydl.data.folders.recognise import kind_of, recognise
from tinydl.data.folders.walk import walk
from tinydl.errors import ConfigError, DataError, MissingFileError


def made(root, *names, content=b"x"):
    """A file of each name below the root."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def told(problems, kind=None):
    return [(p.kind, p.path) for p in problems if kind in (None, p.kind)]


# -- the walk --------------------------------------------------------------------------------------


def test_files_by_path_with_sizes(tmp_path):
    made(tmp_path, "b/1.png", "a/2/3.txt", "a.txt", "猫/é.png", "a/.hidden", ".git/x", "Thumbs.db")
    found = walk(tmp_path)
    assert [f.path for f in found.files] == ["a.txt", "a/2/3.txt", "b/1.png", "猫/é.png"]
    assert {f.size for f in found.files} == {1}
    assert found.folders == ("a", "a/2", "b", "猫")
    assert found.hidden == 3 and not found.problems


def test_links_are_followed_inside_alone(tmp_path):
    outside = made(tmp_path / "secret", "1.png")
    root = made(tmp_path / "data", "a/1.png")
    (root / "twice.png").symlink_to("a/1.png")
    (root / "also").symlink_to("a")
    (root / "out").symlink_to(outside)
    (root / "out.png").symlink_to(outside / "1.png")
    (root / "gone").symlink_to("nothing")
    found = walk(root)
    assert [f.path for f in found.files] == ["a/1.png", "also/1.png", "twice.png"]
    assert told(found.problems) == [("link", "gone"), ("link", "out"), ("link", "out.png")]
    taken = walk(root, follow_links=True)
    assert {"out/1.png", "out.png"} <= {f.path for f in taken.files}
    assert told(taken.problems) == [("link", "gone")]


def test_circles_end(tmp_path):
    root = made(tmp_path / "data", "a/1.png", "b/1.png")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "other").symlink_to("../b")
    (root / "b" / "other").symlink_to("../a")
    (root / "itself").symlink_to("itself")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "above").symlink_to(tmp_path)
    for follow in (False, True):
        found = walk(root, follow_links=follow)
        circles = {path for _, path in told(found.problems, "link")}
        assert {"a/up", "itself", "one", "two", "above", "a/other/other"} <= circles
        assert {"a/1.png", "b/1.png"} <= {f.path for f in found.files}
        assert len(found.files) <= 8


def test_many_links_cannot_multiply(tmp_path):
    """Twelve folders of which each has a link to each: 12! ways, read twice at most."""
    for k in range(12):
        made(tmp_path, f"f{k:02}/x.png")
    for k in range(12):
        for j in range(12):
            (tmp_path / f"f{k:02}" / f"to{j:02}").symlink_to(f"../f{j:02}")
    found = walk(tmp_path)
    assert len(found.files) <= 24
    assert told(found.problems, "link")


def test_pipes_and_sockets_are_named(tmp_path):
    made(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link").symlink_to("/dev/zero")
    found = walk(tmp_path, follow_links=True)
    assert told(found.problems) == [("special", "link"), ("special", "pipe.png")]
    assert [f.path for f in found.files] == ["a.png"]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_names_that_are_no_text(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.png"), "wb"):
        pass
    (problem,) = walk(tmp_path).problems
    assert problem.kind == "name" and problem.is_note
    assert str(problem) == "\\udcff.png has a name that is not UTF-8"


def test_folders_that_may_not_be_read(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    made(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a").chmod(0)
    try:
        found = walk(tmp_path)
    finally:
        (tmp_path / "a").chmod(0o700)
    assert told(found.problems) == [("unreadable", "a")]
    assert [f.path for f in found.files] == ["b/1.png"]


def test_a_folder_that_fails_is_named(tmp_path, monkeypatch):
    """As above, also for root: the system's call refuses."""
    made(tmp_path, "a/1.png", "b/1.png")
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    (problem,) = walk(tmp_path).problems
    assert str(problem) == "a cannot be listed (Permission denied)"


def test_limits(tmp_path, monkeypatch):
    deep = tmp_path / "/".join("d" * 70)
    deep.mkdir(parents=True)
    (problem,) = walk(tmp_path).problems
    assert problem.kind == "unreadable" and "deeper than 64" in problem.text
    made(tmp_path, "1", "2", "3")
    monkeypatch.setattr(walking, "MAX_FILES", 2)
    with pytest.raises(DataError, match="more than 2 files"):
        walk(tmp_path)


def test_what_is_no_folder(tmp_path):
    with pytest.raises(MissingFileError, match="there is no folder"):
        walk(tmp_path / "nothing")
    with pytest.raises(DataError, match="a pipe or a device"):
        walk("/dev/null")
    with pytest.raises(ConfigError, match="follow_links"):
        walk(tmp_path, follow_links="yes")
    assert [f.path for f in walk(made(tmp_path, "iris.csv") / "iris.csv").files] == ["iris.csv"]


# -- what it holds ---------------------------------------------------------------------------------


def test_kinds_by_name():
    names = {"a.JPG": "pictures", "a/b.csv.gz": "csv", ".png": "", "x.tar.gz": "", "y": "",
             "z.txt": "text", "a.b.wav": "wav"}  # fmt: skip
    assert {name: kind_of(name) for name in names} == names


def seen(found):
    return found.kind, found.base, found.parts, found.classes, found.counts().tolist()


def test_pictures_in_class_folders(tmp_path):
    made(tmp_path, *[f"{c}/{k}.png" for c in ("dog", "cat") for k in range(12)], "cat/deep/x.JPG")
    found = recognise(tmp_path)
    assert seen(found) == ("pictures", "", ("",), ("cat", "dog"), [[13], [12]])
    assert not found.problems
    assert found.label.tolist() == [0] * 13 + [1] * 12


def test_parts_have_other_names_too(tmp_path):
    made(tmp_path, *[f"set/{p}/{c}/{k}.png" for p in ("Training", "valid", "test")
                     for c in ("a", "b") for k in range(10)])  # fmt: skip
    made(tmp_path, "set/cover.png")
    found = recognise(tmp_path)
    assert seen(found)[1:4] == ("set/", ("train", "val", "test"), ("a", "b"))
    assert found.counts().tolist() == [[10, 10, 10]] * 2
    assert told(found.problems) == [("stray", "set/cover.png")]


def test_a_train_may_be_a_class(tmp_path):
    made(tmp_path, *[f"{c}/{k}.png" for c in ("bus", "test", "train") for k in range(10)])
    assert seen(recognise(tmp_path))[2:4] == (("",), ("bus", "test", "train"))


def test_pictures_without_classes(tmp_path):
    made(tmp_path, "1.png", "2.png")
    assert seen(recognise(tmp_path)) == ("pictures", "", ("",), (), [[2]])
    made(tmp_path / "parts", "train/1.png", "train/2.png", "test/1.png", "x.png")
    found = recognise(tmp_path / "parts")
    assert seen(found) == ("pictures", "", ("train", "test"), (), [[2, 1]])
    assert told(found.problems) == [("stray", "x.png")]


def test_classes_that_lack_something(tmp_path):
    made(tmp_path, *[f"train/{c}/{k}.png" for c in ("a", "b") for k in range(10)], "test/a/1.png",
         "train/few/1.png", "test/few/1.png", "train/A/1.png", "test/A/2.png")  # fmt: skip
    (tmp_path / "train" / "none").mkdir()
    found = recognise(tmp_path)
    texts = sorted(p.text for p in found.problems if p.kind == "class")
    assert texts == [
        "class 'A' has only 1 of at least 10 samples in train",
        "class 'a' differs from 'A' in capitals alone",
        "class 'b' has no sample in test",
        "class 'few' has only 1 of at least 10 samples in train",
        "is a folder without any sample",
    ]


def test_other_files_are_named(tmp_path):
    made(tmp_path, *[f"a/{k}.png" for k in range(10)], "a/notes.txt", "labels.csv", "x.exe")
    made(tmp_path, "a/empty.png", content=b"")
    with open(tmp_path / "a" / "huge.png", "wb") as file:
        file.truncate(1 << 40)  # a sparse file: nothing of it is read
    found = recognise(tmp_path)
    assert told(found.problems, "other") == [
        ("other", "a/notes.txt"), ("other", "labels.csv"), ("other", "x.exe")
    ]  # fmt: skip
    assert told(found.problems, "large") == [("large", "a/huge.png")]
    assert told(found.problems, "damaged") == [("damaged", "a/empty.png")]
    assert len(found.files) == 10


def test_boxes_texts_sounds_and_tables(tmp_path):
    voc = made(tmp_path / "voc", "Annotations/1.xml", "JPEGImages/1.jpg", "ImageSets/Main/a.txt")
    found = recognise(voc)
    assert (found.kind, len(found.files), found.problems) == ("voc", 1, ())
    coco = made(tmp_path / "coco", "images/1.jpg", "other.json")
    content = {"images": [], "annotations": [], "categories": []}
    (coco / "boxes.json").write_text(json.dumps(content))
    found = recognise(coco)
    assert (found.kind, found.annotations) == ("coco", ("boxes.json",))
    assert told(found.problems) == [("other", "other.json")]
    wav = made(tmp_path / "wav", *[f"{c}/{k}.wav" for c in ("no", "yes") for k in range(10)])
    assert seen(recognise(wav)) == ("wav", "", ("",), ("no", "yes"), [[10], [10]])
    text = made(tmp_path / "text", "train.txt", "valid.txt", "test.txt")
    assert seen(recognise(text))[:4] == ("text", "", ("train", "val", "test"), ())
    assert seen(recognise(made(tmp_path / "t", "iris.csv"))) == ("csv", "", ("",), (), [[1]])
    (tmp_path / "nothing").mkdir()
    assert recognise(tmp_path / "nothing").kind == "nothing"
