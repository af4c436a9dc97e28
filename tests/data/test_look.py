"""A look at a folder: everything planted in it is named, and nothing is changed."""

import io
import json
import zlib

import numpy as np
import pytest

from tinydl.command.main import main
from tinydl.data import image_folder, look
from tinydl.data.folders import scan as scanning
from tinydl.data.folders.alike import difference_hashes, distance, near_pairs
from tinydl.data.formats.wav import encode_wav
from tinydl.errors import ConfigError
from tinydl.viz import contact_sheet

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


def scene(rng, side=48):
    """A picture of blobs: no two are alike."""
    coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    return coarse.resize((side, side), Image.Resampling.BICUBIC)


def packed(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def bomb(side):
    """A PNG whose head promises side x side pixels."""
    content = bytearray(packed(Image.new("1", (8, 8))))
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="module")
def scenes():
    rng = np.random.default_rng(0)
    return [scene(rng) for _ in range(120)]


def sound_folder(root, scenes):
    """Two classes of ten pictures in two parts, nothing wrong with them."""
    names = [f"{p}/{c}/{k}.png" for p in ("train", "test") for c in ("a", "b") for k in range(10)]
    return plant(root, {n: packed(s) for n, s in zip(names, scenes, strict=False)})


def told(seen):
    return [(p.kind, p.path) for p in seen.problems]


def state(root):
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}


# -- pictures --------------------------------------------------------------------------------------


def test_a_sound_folder_has_no_problem(tmp_path, scenes):
    root = sound_folder(tmp_path, scenes)
    before = state(root)
    counted = []
    seen = look(root, progress=lambda done, files: counted.append((done, files)))
    assert not seen.problems and not seen.serious
    assert seen.found.counts().tolist() == [[10, 10]] * 2
    assert dict(seen.facts) == {"sizes": "all 48 x 48", "modes": "RGB 40", "formats": "PNG 40"}
    assert counted == [(40, 40)]
    assert state(root) == before


def test_what_is_broken_is_named(tmp_path, scenes):
    root = sound_folder(tmp_path, scenes)
    whole = packed(scenes[50])
    jpeg = packed(scenes[51], "JPEG")
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 1
    plant(root, {
        "train/a/cut.png": whole[:-100],
        "train/a/bit.png": bytes(broken),
        "train/a/cut.jpg": jpeg[: len(jpeg) // 2],
        "train/a/text.png": b"<html>not found</html>",
        "train/a/bomb.png": bomb(60_000), "train/a/large.png": bomb(9_000),
        "train/a/empty.png": b"",
        "train/a/really.png": jpeg,
        "train/a/other.dat": packed(scenes[52]),
        "train/a/notes.txt": b"shot in May",
    })  # fmt: skip
    seen = look(root)
    assert told(seen) == [
        ("damaged", "train/a/bit.png"), ("damaged", "train/a/cut.jpg"),
        ("damaged", "train/a/cut.png"), ("damaged", "train/a/empty.png"),
        ("damaged", "train/a/text.png"),
        ("large", "train/a/bomb.png"), ("large", "train/a/large.png"),
        ("extension", "train/a/other.dat"), ("extension", "train/a/really.png"),
        ("other", "train/a/notes.txt"),
    ]  # fmt: skip
    sentences = {p.path.rpartition("/")[2]: str(p) for p in seen.problems}
    assert "more than 50,000,000 pixels" in sentences["bomb.png"]
    assert sentences["large.png"] == "train/a/large.png has 9,000 x 9,000 pixels"
    assert sentences["really.png"] == "train/a/really.png is a JPEG picture"
    assert "begins as no picture does" in sentences["text.png"]
    assert not any(str(root) in one for one in sentences.values())
    left = image_folder(root, (8, 8), leave_out=sorted(seen.unusable))
    assert np.asarray(left.x_train).shape == (21, 8, 8, 3)  # 20, and the misnamed JPEG
    assert len(seen.serious) == 9


def test_files_that_may_not_be_read(tmp_path, scenes, monkeypatch):
    """Also for root, whom the system lets read: the call itself refuses."""
    root = sound_folder(tmp_path, scenes)
    read = scanning.read_regular

    def refusing(path, *rest):
        if path.endswith("train/a/3.png"):
            raise scanning.DataError(f"read_image: cannot read {path} (Permission denied)")
        return read(path, *rest)

    monkeypatch.setattr(scanning, "read_regular", refusing)
    (problem,) = look(root).problems
    assert str(problem) == "train/a/3.png cannot be read (Permission denied)"
    assert problem.kind == "unreadable"


def test_copies_within_and_across_parts(tmp_path, scenes):
    root = sound_folder(tmp_path, scenes)
    plant(root, {
        "train/a/again.png": packed(scenes[0], compress_level=0),  # other bytes, the same pixels
        "train/b/wrong.png": packed(scenes[0]),
        "test/b/seen.png": packed(scenes[1]),
        "train/a/small.png": packed(scenes[2].resize((40, 40), Image.Resampling.BILINEAR)),
        "test/a/bright.png": packed(scenes[3].point(lambda v: v * 1.1)),
    })  # fmt: skip
    seen = look(root)
    assert told(seen) == [
        ("leak", "test/b/seen.png"), ("near leak", "test/a/bright.png"),
        ("duplicate", "train/a/again.png"), ("duplicate", "train/b/wrong.png"),
        ("near", "train/a/small.png"),
    ]  # fmt: skip
    assert seen.problems[0].other == "train/a/1.png"
    assert "of another class" in seen.problems[0].text
    assert "of another class" in seen.problems[3].text
    assert seen.problems[4].is_note and len(seen.serious) == 4


def test_planted_copies_are_found(tmp_path, scenes):
    """50 re-encoded, resized or brightened copies of training pictures in the test part: at least
    45, and nothing else."""
    changes = (
        lambda s: packed(s, "JPEG", quality=75),
        lambda s: packed(s.resize((40, 40), Image.Resampling.BILINEAR)),
        lambda s: packed(s.resize((64, 64), Image.Resampling.BICUBIC)),
        lambda s: packed(s.point(lambda v: min(255, v * 1.2))),
        lambda s: packed(s.point(lambda v: v * 0.8)),
    )
    files = {f"train/a/{k:03}.png": packed(s) for k, s in enumerate(scenes)}
    files |= {f"test/a/{k:03}.png": changes[k % 5](scenes[k]) for k in range(50)}
    seen = look(plant(tmp_path, files))
    leaks = [p for p in seen.problems if p.kind in ("leak", "near leak")]
    right = [p for p in leaks if p.path[-7:-4] == p.other[-7:-4]]
    assert len(right) >= 45 and len(leaks) == len(right)


def test_pictures_of_one_grey_are_no_copies(tmp_path):
    files = {f"a/{k}.png": packed(Image.new("L", (12, 12), k)) for k in range(30)}
    assert not look(plant(tmp_path, files)).problems


# -- the hash --------------------------------------------------------------------------------------


def test_the_hash_by_hand():
    grey = np.tile(np.arange(9, dtype=np.uint8), (8, 1))
    falling = grey.copy()
    falling[0] = falling[0, ::-1]
    hashes = difference_hashes(np.stack([grey, falling, grey * 0]))
    assert hashes.tolist() == [2**64 - 1, 2**56 - 1, 0]
    assert distance(hashes[:, None], hashes[None]).tolist() == [[0, 8, 64], [8, 0, 56], [64, 56, 0]]


def test_bands_find_every_pair():
    """As comparing each with each, of groups that differ in 0 to 6 bits."""
    rng = np.random.default_rng(1)
    greys = rng.integers(0, 256, (40, 8, 9), dtype=np.uint8)
    greys = np.concatenate([greys + rng.integers(0, 2, greys.shape, dtype=np.uint8) * 9
                            for _ in range(8)]).clip(0, 255).astype(np.uint8)  # fmt: skip
    hashes = difference_hashes(greys)
    flat = greys.reshape(len(greys), -1).astype(float)
    wanted = (distance(hashes[:, None], hashes[None]) <= 4) & (np.corrcoef(flat) >= 0.98)
    pairs, complete = near_pairs(greys)
    assert complete and len(pairs) > 100
    assert np.array_equal(pairs, np.argwhere(np.triu(wanted, 1)))


def test_too_many_alike_are_cut_off(monkeypatch):
    monkeypatch.setattr("tinydl.data.folders.alike.MOST_COMPARED", 500)
    greys = np.tile(np.arange(72, dtype=np.uint8).reshape(8, 9), (100, 1, 1))
    pairs, complete = near_pairs(greys)
    assert not complete and 0 < len(pairs) <= 500


# -- other kinds -----------------------------------------------------------------------------------


def test_tables(tmp_path):
    plant(tmp_path, {
        "train.csv": b"age,kind,none,id\n31,x,,1\n32,x,,2\n31,x,,1\n33,x,NA,4\n"
                     + b"".join(b"%d,x,,%d\n" % (k, k) for k in range(40, 50)),
        "test.csv": b"age,kind,none,id\n31,x,,1\n77,y,1,9\n,z,2,8\n",
    })  # fmt: skip
    seen = look(tmp_path)
    texts = [str(p) for p in seen.problems]
    assert "train.csv has a column 'none' without any value" in texts
    assert "train.csv has a column 'kind' with one value, 'x'" in texts
    assert "test.csv has a column 'age' that lacks 1 of 3 values" in texts
    assert "train.csv has a row that is above too, the first in line 4" in texts


def test_rows_of_both_parts_are_a_leak(tmp_path):
    plant(tmp_path, {"train.csv": b"a,b\n1,2\n3,4\n", "test.csv": b"a,b\n5,6\n1,2\n"})
    (problem,) = look(tmp_path).problems
    assert (problem.kind, problem.path, problem.other) == ("leak", "test.csv", "train.csv")
    assert problem.text == "has a row that is in 'train.csv' too, the first in line 3"


def test_rows_that_do_not_fit(tmp_path):
    seen = look(plant(tmp_path, {"odd.csv": b"a,b\n1,2\n3\n2,3\n"}))
    assert [str(p) for p in seen.problems] == ["odd.csv line 3 has 1 fields, not 2"]
    (problem,) = look(plant(tmp_path, {"odd.csv": b"a,a\n1,2\n"})).problems
    assert problem.kind == "damaged" and "equal names" in problem.text
    (problem,) = look(plant(tmp_path, {"odd.csv": b"caf\xe9,b\n1,2\n"})).problems
    assert str(problem) == "odd.csv is not UTF-8 (byte 0xe9 in line 1)"


def test_columns_of_numbers_with_a_word(tmp_path):
    rows = b"".join(b"%d\n" % k for k in range(40)) + b"seven\n"
    (problem,) = look(plant(tmp_path, {"a.csv": b"n\n" + rows})).problems
    assert str(problem) == "a.csv has a column 'n' of numbers, of which 1 are none: 'seven'"


def test_texts(tmp_path):
    plant(tmp_path, {
        "a.txt": b"to be or not\nto be", "b.txt": b"to be or not\nto be\n",
        "c.txt": "caf\xe9".encode("latin1"), "d.txt": "text".encode("utf-16"), "e.txt": b"a\0b",
    })  # fmt: skip
    seen = look(tmp_path)
    assert [str(p) for p in seen.problems] == [
        "e.txt holds zero bytes: it is no text",
        "c.txt is not UTF-8 (byte 0xe9 in line 1)",
        "d.txt is not UTF-8 but UTF-16 (byte 0xff in line 1)",
        "b.txt has the same text as 'a.txt'",
    ]
    assert seen.facts == (("texts", "37 characters in 4 lines"),)


def test_sounds(tmp_path):
    wave = np.sin(np.arange(4000) / 5)
    files = {f"train/{c}/{k}.wav": encode_wav(wave * (k + 1) / 20 * s, 8000)
             for c, s in (("no", 1), ("yes", -1)) for k in range(10)}  # fmt: skip
    files |= {f"test/{c}/9.wav": encode_wav(wave * 0.9, 16000) for c in ("no", "yes")}
    files["test/no/0.wav"] = files["train/no/3.wav"]
    files["train/no/cut.wav"] = files["train/no/0.wav"][:-5]
    seen = look(plant(tmp_path, files))
    assert told(seen) == [("damaged", "train/no/cut.wav"), ("leak", "test/no/0.wav"),
                          ("duplicate", "test/yes/9.wav"),
                          ("rate", "test/no/9.wav"), ("rate", "test/yes/9.wav")]  # fmt: skip
    assert dict(seen.facts)["rates"] == "8,000 Hz 21, 16,000 Hz 2"
    assert contact_sheet(seen).shape == (2 * 98 + 2, 8 * 98 + 2 + 120, 3)


def test_boxes(tmp_path, scenes):
    jpeg = {f"images/{k}.jpg": packed(s, "JPEG") for k, s in enumerate(scenes[:3])}
    content = {
        "images": [{"id": k, "file_name": f"{k}.jpg", "height": 48, "width": 48} for k in (0, 1)],
        "categories": [{"id": 5, "name": "blob"}],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 5, "bbox": [4, 4, 20, 30]}],
    }
    seen = look(plant(tmp_path, {**jpeg, "boxes.json": json.dumps(content).encode()}))
    assert told(seen) == [("class", ""), ("stray", "")]
    assert dict(seen.facts)["boxes"] == "1 in 2 pictures: blob 1"
    page = contact_sheet(seen)
    assert page.shape == (98 + 2, 3 * 98 + 2, 3) or page.shape == (98 + 2, 8 * 98 + 2, 3)
    assert (np.abs(page.astype(int) - (230, 25, 75)).max(axis=2) < 40).sum() > 20  # the frame
    content["annotations"][0]["image_id"] = 7
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    problems = [str(p) for p in look(tmp_path).problems if p.kind == "damaged"]
    assert problems == ["boxes.json cannot be used: annotation 1 refers to nothing"]
    (tmp_path / "boxes.json").write_text(json.dumps(content | {"images": []}))
    assert [p.text for p in look(tmp_path).problems] == [
        "cannot be read: boxes.json has no pictures, or an id twice"
    ]


# -- the command -----------------------------------------------------------------------------------


def test_the_command(tmp_path, scenes, capsys):
    root = sound_folder(tmp_path / "data", scenes)
    out = tmp_path / "sheet.png"
    assert main(["look", str(root), "--out", str(out), "--strict"]) == 0
    said = capsys.readouterr().out
    assert "no problem was found" in said and "sheet.png" in said
    with Image.open(out) as image:
        page = np.asarray(image)
    assert page.shape == (2 * 98 + 2, 8 * 98 + 2 + 120, 3)
    first = np.asarray(scenes[20].resize((96, 96), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(page[2:98, 122:218] - first).max() <= 1
    assert main(["look", str(root), "--out", str(out)]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert main(["look", str(root), "--out", str(root / "new.png")]) == 2
    assert "in the folder that is looked at" in capsys.readouterr().err
    assert main(["look", str(root), "--out", str(tmp_path / "x.gif")]) == 2


def test_strict_and_json(tmp_path, scenes, capsys):
    root = sound_folder(tmp_path, scenes)
    plant(root, {"train/a/readme.txt": b"x"})
    assert main(["look", str(root), "--strict"]) == 0  # a note alone
    plant(root, {"train/a/x\x1b[2J.png": b"x", "train/a/猫.png": b"x"})
    capsys.readouterr()
    assert main(["look", str(root)]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\\x1b[2J.png" in said and "猫.png" in said
    assert main(["look", str(root), "--strict", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["counts"]["a"] == {"train": 12, "test": 10}
    assert {p["path"] for p in content["problems"]} == {
        "train/a/readme.txt", "train/a/x\x1b[2J.png", "train/a/猫.png"
    }  # fmt: skip


def test_many_problems_are_cut_in_tables_alone(tmp_path, capsys):
    root = plant(tmp_path, {f"c{k}/{j}.png": b"x" for k in range(70) for j in range(2)})
    assert main(["look", str(root)]) == 0
    said = capsys.readouterr().out
    assert "and 10 more" in said and "and 132 more: --json names all" in said
    assert max(map(len, said.splitlines())) <= 80


def test_what_has_no_sheet(tmp_path, capsys):
    plant(tmp_path, {"a.txt": b"text"})
    assert main(["look", str(tmp_path), "--out", "never.png"]) == 2
    assert "has no pictures" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no file can be read"):
        contact_sheet(look(plant(tmp_path / "b", {"a/1.png": b"x"})))
