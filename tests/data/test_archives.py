"""Archives from strangers: names, sizes, links, bombs; and that honest ones come through whole."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.data.formats import archives
from tinydl.data.formats.archives import Archive, is_safe_name, members, read_bytes
from tinydl.errors import FormatError

FILES = {"a.txt": b"alpha", "folder/b.bin": bytes(range(256)) * 40, "folder/empty": b""}
KINDS = ["zip", "tar", "tar.gz", "folder"]


def everything(name):
    return True


def make(tmp_path, kind, files=FILES):
    path = tmp_path / f"archive.{kind}"
    if kind == "folder":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            for name, data in files.items():
                add(archive, name, data)
    return path


def add(archive, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(data))


def hostile_tar(path, *rows):
    with tarfile.open(path, "w") as archive:
        for name, fields in rows:
            add(archive, name, b"x" if "type" not in fields else b"", **fields)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_honest_archives_come_through(tmp_path, kind):
    path = make(tmp_path, kind)
    assert dict(members(path, everything)) == FILES
    assert dict(members(path, lambda name: name.startswith("folder/b"))) == {
        "folder/b.bin": FILES["folder/b.bin"]
    }
    if kind == "tar.gz":
        with pytest.raises(FormatError, match="compressed as a whole"):
            Archive(path)
    else:
        with Archive(path) as archive:
            assert sorted(archive.names) == sorted(FILES)
            for name in reversed(archive.names):
                assert archive.read(name) == FILES[name]
            with pytest.raises(FormatError, match="no member 'c'"):
                archive.read("c")


@pytest.mark.parametrize(
    "name, safe",
    [
        ("a/b.txt", True),
        ("a..b/c", True),
        (".hidden", True),
        ("", False),
        ("/etc/passwd", False),
        ("../up", False),
        ("a/../../up", False),
        ("a/..", False),
        ("C:/x", False),
        ("a\\..\\b", False),
        ("a\0b", False),
    ],
)
def test_safe_names(name, safe):
    assert is_safe_name(name) is safe


@pytest.mark.parametrize("name", ["../../escaped", "/absolute", "a/../../b", "..\\up"])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_name_that_leaves_the_archive(tmp_path, kind, name):
    path = make(tmp_path, kind, {"good": b"1", name: b"2"})
    with pytest.raises(FormatError, match="leaves the archive"):
        dict(members(path, everything))
    with pytest.raises(FormatError, match="leaves the archive"):
        dict(members(path, "good".__eq__))  # refused as a whole, selected or not
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name]
    assert not (tmp_path.parent / "escaped").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "good"},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
    ],
)
def test_links_and_devices(tmp_path, fields):
    path = hostile_tar(tmp_path / "x.tar", ("good", {}), ("bad", fields))
    with pytest.raises(FormatError, match="'bad' is a link, a device or sparse"):
        dict(members(path, everything))


def test_links_in_a_folder_are_not_followed(tmp_path):
    folder = make(tmp_path, "folder")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert dict(members(folder, everything)) == FILES


def test_a_name_that_comes_twice(tmp_path):
    path = hostile_tar(tmp_path / "x.tar", ("a", {}), ("a", {}))
    with pytest.raises(FormatError, match="'a' comes twice"):
        dict(members(path, everything))
    path = tmp_path / "x.zip"
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    with pytest.raises(FormatError, match="'a' comes twice"):
        dict(members(path, everything))


def test_more_members_than_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    for kind in KINDS:
        with pytest.raises(FormatError, match="more than 2 members"):
            dict(members(make(tmp_path, kind), everything))


def peak(action):
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as error:
            action()
        return str(error.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_bomb_costs_nothing(tmp_path, kind):
    path = make(tmp_path, kind, {f"{k}": bytes(8_000_000) for k in range(5)})
    if kind != "tar":
        assert path.stat().st_size < 100_000
    message, memory = peak(lambda: dict(members(path, everything, 1_000_000)))
    assert "above 1000000" in message and memory < 2_000_000
    message, memory = peak(lambda: dict(members(path, everything, 1 << 30, 20_000_000)))
    assert "unpacks to" in message
    assert memory < (20_000_000 if kind == "zip" else 45_000_000)
    assert peak(lambda: read_bytes(path, 100))[1] < 1_000_000


def test_a_compressed_tar_is_bounded_even_where_nothing_is_selected(tmp_path):
    path = make(tmp_path, "tar.gz", {"big": bytes(30_000_000), "small": b"1"})
    message, memory = peak(lambda: dict(members(path, "small".__eq__, 1000, 10_000_000)))
    assert "unpacks to more than 10000000" in message and memory < 5_000_000


def test_a_tar_header_that_promises_a_long_name(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 32
    path = tmp_path / "x.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(100_000))
    message, memory = peak(lambda: dict(members(path, everything, 1_000_000)))
    assert "a header declares" in message and memory < 3_000_000


def test_zip_oddities(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", "1" * 100)
    with pytest.raises(FormatError, match="encrypted or not deflated"):
        dict(members(path, everything))
    data = bytearray(make(tmp_path, "zip").read_bytes())
    for start in (data.find(b"PK\3\4") + 6, data.find(b"PK\1\2") + 8):
        data[start] |= 1  # the flag "encrypted"
    path.write_bytes(bytes(data))
    with pytest.raises(FormatError, match="encrypted"):
        dict(members(path, everything))


def test_a_zip_that_lies_about_a_size(tmp_path):
    data = bytearray(make(tmp_path, "zip", {"a": b"x" * 1000}).read_bytes())
    directory, header = data.find(b"PK\1\2") + 24, data.find(b"PK\3\4") + 22
    path = tmp_path / "liar.zip"
    for size in (10, 5000):
        for places, message in (([directory], "differ"), ([directory, header], "CRC|of 5000")):
            for place in places:
                data[place : place + 4] = size.to_bytes(4, "little")
            path.write_bytes(bytes(data))
            with pytest.raises(FormatError, match=message):
                dict(members(path, everything))


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_no_archive_at_all(tmp_path, kind):
    path = make(tmp_path, kind)
    for data in (b"", b"PK", b"\x1f\x8b", b"<html>404</html>" * 100, path.read_bytes()[:60]):
        path.write_bytes(data)
        with pytest.raises(FormatError):
            dict(members(path, everything))
    with pytest.raises(FileNotFoundError):
        dict(members(tmp_path / "nothing", everything))


def test_read_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"plain")
    assert read_bytes(path) == b"plain" and read_bytes(path, 5) == b"plain"
    with pytest.raises(FormatError, match="more than 4 bytes"):
        read_bytes(path, 4)
    path.write_bytes(gzip.compress(b"packed"))
    assert read_bytes(path) == b"packed"
    for damage in (path.read_bytes()[:-3], path.read_bytes()[:-8] + b"\0" * 8):
        path.write_bytes(damage)
        with pytest.raises(FormatError, match="damaged"):
            read_bytes(path)


def test_an_abandoned_archive_is_closed(tmp_path):
    archive = Archive(make(tmp_path, "zip"))
    file = archive._file
    del archive
    assert file.closed


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), min_size=1, max_size=6))
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_any_damage_is_a_format_error_or_harmless(tmp_path_factory, kind, flips):
    folder = tmp_path_factory.getbasetemp() / f"mutants-{kind}"
    folder.mkdir(exist_ok=True)
    path = make(folder, kind)
    data = bytearray(path.read_bytes())
    for position, mask in flips:
        data[position % len(data)] ^= mask
    path.write_bytes(bytes(data))
    with suppress(FormatError):
        dict(members(path, everything, 1 << 20, 1 << 20))
