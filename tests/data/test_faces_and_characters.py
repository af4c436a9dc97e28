"""PGM pictures, ORL faces and Omniglot, from archives made here."""

import io
import zipfile

import numpy as np
import pytest
from cases.archives import zipped

from tinydl.data import omniglot, read_omniglot, read_omniglot_runs, read_orl_faces, read_pgm
from tinydl.errors import ConfigError, FormatError

# -- PGM -------------------------------------------------------------------------------------------


def test_pgm():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    for header in (b"P5\n3 2\n255\n", b"P5 3 2 5 ", b"P5\n# a comment\n3 #x\n 2\n255\n"):
        assert np.array_equal(read_pgm(header + pixels.tobytes(), "x"), pixels)
    tricky = np.array([[10, 32, 35]], np.uint8)  # pixels that look like white space and a comment
    assert np.array_equal(read_pgm(b"P5\n3 1\n255\n" + tricky.tobytes(), "x"), tricky)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P5",
        b"P2\n1 1\n255\n0",
        b"P6\n1 1\n255\nabc",
        b"P5\n3 2\n255\n12345",
        b"P5\n3 2\n255\n1234567",
        b"P5\n0 2\n255\n",
        b"P5\n1 1\n0\n\0",
        b"P5\n1 1\n65535\n\0\0",
        b"P5\n1 1\n4\n\5",
        b"P5\n-1 1\n255\n\0",
        b"P5\n999999999 999999999\n255\n\0",
        b"P5\n" + b"#" * 10_000,
        b"P5 " + b" " * 100_000 + b"1 1 255 \0",
    ],
)
def test_pgm_that_is_none(data):
    with pytest.raises(FormatError, match="pgm: x"):
        read_pgm(data, "x")


def face(s, k):
    return b"P5\n92 112\n255\n" + bytes([s, k]) * (92 * 112 // 2)


def faces(path, leave_out=(), **extra):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(1, 11):
            for s in range(40, 0, -1):
                if (s, k) not in leave_out:
                    archive.writestr(f"att_faces/s{s}/{k}.pgm", face(s, k))
        for name, data in extra.items():
            archive.writestr(name, data)
    return path


def test_orl_faces_are_sorted_by_number(tmp_path):
    data = read_orl_faces(faces(tmp_path / "x.zip", README=b"hello"))
    assert data.x.shape == (400, 112, 92) and data.x.dtype == np.uint8
    assert np.array_equal(data.y, np.arange(400) // 10) and data.classes[9] == "s10"
    assert (data.x[:, 0, 0] == data.y + 1).all() and (
        data.x[:, 0, 1] == np.arange(400) % 10 + 1
    ).all()


def test_orl_faces_that_are_incomplete(tmp_path):
    with pytest.raises(FormatError, match="has 399 pictures"):
        read_orl_faces(faces(tmp_path / "a.zip", [(40, 10)]))
    with pytest.raises(FormatError, match="has 401 pictures"):
        read_orl_faces(faces(tmp_path / "b.zip", **{"att_faces/s41/1.pgm": face(41, 1)}))
    turned = face(1, 1).replace(b"92 112", b"112 92")
    with pytest.raises(FormatError, match=r"is \(92, 112\), not \(112, 92\)"):
        read_orl_faces(faces(tmp_path / "c.zip", [(1, 1)], **{"att_faces/s1/1.pgm": turned}))


# -- Omniglot --------------------------------------------------------------------------------------

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


def png(column, size=(105, 105)):
    """A drawing with ink in one column."""
    pixels = np.ones((size[1], size[0]), bool)
    pixels[:, column] = False
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("1").save(stream, "PNG")
    return stream.getvalue()


def archive(path, files):
    path.write_bytes(zipped(files))
    return path


DRAWINGS = {
    "bg/": b"",
    "bg/Tagalog/character01/0900_02.png": png(4),
    "bg/Greek/character02/0411_01.png": png(3),
    "bg/Greek/character01/0410_02.png": png(2),
    "bg/Greek/character01/0410_01.png": png(1),
    "__MACOSX/Greek/character01/0410_01.png": b"junk",
}


def test_omniglot_drawings(tmp_path):
    data = read_omniglot(archive(tmp_path / "x.zip", DRAWINGS))
    assert data.characters == ("Greek/character01", "Greek/character02", "Tagalog/character01")
    assert data.alphabets == ("Greek", "Tagalog")
    assert data.y.tolist() == [0, 0, 1, 2] and data.alphabet.tolist() == [0, 0, 0, 1]
    assert data.drawer.tolist() == [0, 1, 0, 1]
    assert data.x.shape == (4, 105, 105) and data.x.dtype == np.uint8
    assert np.array_equal(data.x.sum((1, 2)), [105] * 4)  # ink is 1
    assert [int(x[0].argmax()) for x in data.x] == [1, 2, 3, 4]


def test_omniglot_that_is_none(tmp_path):
    with pytest.raises(FormatError, match="holds no drawings"):
        read_omniglot(archive(tmp_path / "a.zip", {"readme": b""}))
    name = "bg/Greek/character01/0410_03.png"
    with pytest.raises(FormatError, match="expected"):
        read_omniglot(archive(tmp_path / "b.zip", DRAWINGS | {name: png(1, (104, 105))}))
    with pytest.raises(FormatError, match="pixels, more than 11025"):
        read_omniglot(archive(tmp_path / "c.zip", DRAWINGS | {name: png(1, (5000, 5000))}))
    with pytest.raises(FormatError, match="not a readable image"):
        read_omniglot(archive(tmp_path / "d.zip", DRAWINGS | {name: png(1)[:60]}))
    with pytest.raises(ConfigError, match="part must be one of small1, small2"):
        omniglot("large")


def run_files(pairs=((1, 2), (2, 1))):
    files = {f"run01/training/class0{k}.png": png(k) for k in (1, 2)}
    files |= {f"run01/test/item0{k}.png": png(10 + k) for k in (1, 2)}
    lines = [f"run01/test/item0{a}.png run01/training/class0{b}.png" for a, b in pairs]
    return files | {"run01/class_labels.txt": "\n".join(lines).encode()}


def test_omniglot_runs(tmp_path):
    (run,) = read_omniglot_runs(archive(tmp_path / "x.zip", run_files()))
    assert run.name == "run01" and run.answers.tolist() == [1, 0]
    assert [int(x[0].argmax()) for x in run.training] == [1, 2]
    assert [int(x[0].argmax()) for x in run.test] == [11, 12]
    for pairs in (((1, 2),), ((1, 2), (2, 3)), ((1, 2), (3, 1))):
        with pytest.raises(FormatError, match="omniglot: "):
            read_omniglot_runs(archive(tmp_path / "x.zip", run_files(pairs)))
    files = run_files()
    del files["run01/class_labels.txt"]
    with pytest.raises(FormatError, match="holds no run"):
        read_omniglot_runs(archive(tmp_path / "x.zip", files))
