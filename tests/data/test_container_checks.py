"""The checks that zip, tar and gzip have are finished: CRC, length, end mark, and the two places in
which a zip file describes a member."""

import gzip
import io
import zipfile
from contextlib import suppress

import pytest
from test_archives import FILES, everything, make

from tinydl.data.formats.archives import members, read_bytes
from tinydl.errors import FormatError


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_tar_ends_where_it_says(tmp_path, kind):
    """Cut at every block, with one bit of every header's byte turned, or followed by something."""
    raw = make(tmp_path, "tar").read_bytes()
    path = tmp_path / f"x.{kind}"

    def read(content):
        path.write_bytes(gzip.compress(content) if kind == "tar.gz" else content)
        return dict(members(path, everything))

    end = raw.rindex(b"folder/empty") + 512
    assert read(raw[: end + 1024]) == FILES and read(raw + bytes(512)) == FILES
    damaged = [raw[:k] for k in range(0, end + 1024, 512)] + [raw[: end + 1023]]
    damaged += [raw + raw, raw + b"x", raw[: end + 512] + b"x" * 512, raw + bytes(1 << 23)]
    damaged += [raw[:-1], raw + b"\0"]
    for place in (0, 1024, end - 512):  # the three headers
        for k in range(0, 512, 7):
            flipped = bytearray(raw)
            flipped[place + k] ^= 4
            damaged.append(bytes(flipped))
    for content in damaged:
        with suppress(FormatError):
            assert read(content) == FILES  # the blank behind a number may be another blank
    for content in damaged[: -3 * 74]:
        with pytest.raises(FormatError):
            read(content)


@pytest.mark.parametrize("build", ["plain", "stored", "streamed", "64 bits", "commented"])
def test_every_byte_of_a_zip_that_matters_is_checked(tmp_path, build):
    """Each byte in turn, three ways: the same members come out, or an error; nothing is selected
    that the damage could hide in."""
    stream, path = io.BytesIO(), tmp_path / "x.zip"
    target = Unseekable(stream) if build == "streamed" else stream
    method = zipfile.ZIP_STORED if build == "stored" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in {"a.txt": b"alpha" * 9, "b/c.bin": b"beta", "é": b""}.items():
            with archive.open(name, "w", force_zip64=build == "64 bits") as file:
                file.write(data)
        archive.comment = b"a comment" if build == "commented" else b""
    content = stream.getvalue()
    path.write_bytes(content)
    expected = dict(members(path, everything))
    assert list(expected) == ["a.txt", "b/c.bin", "é"]
    accepted = 0
    for place in range(len(content)):
        for mask in (1, 0x20, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= mask
            path.write_bytes(bytes(damaged))
            try:
                assert dict(members(path, everything)) == expected, (place, mask)
                accepted += 1
            except FormatError:
                continue
    assert accepted < 3 * len(content) / 2  # dates, versions, attributes
    for damaged in (content[30:], b"x" + content, content + b"x", content[:-1], content + content):
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            dict(members(path, everything))


class Unseekable(io.RawIOBase):
    """As a socket: sizes and CRC come behind the content."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def test_members_that_overlap(tmp_path):
    """Two names for one content: a bomb needs no more."""
    content = bytearray(make(tmp_path, "zip", {"a": b"x" * 99, "b": b"y" * 99}).read_bytes())
    second = content.rfind(b"PK\1\2")
    content[second + 42 : second + 46] = bytes(4)
    path = tmp_path / "x.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(FormatError, match="overlaps"):
        dict(members(path, everything))


def test_a_name_that_promises_gzip(tmp_path):
    for name in ("a.csv.gz", "a.tgz"):
        (tmp_path / name).write_bytes(b"a,b\n1,2\n")
        for read in (read_bytes, lambda path: dict(members(path, everything))):
            with pytest.raises(FormatError, match="does not start like gzip"):
                read(tmp_path / name)


def test_a_shifted_header_whose_sum_is_right_by_chance(tmp_path):
    """One byte lost: the header gives its first letter away and gets the content's, the same."""
    path = tmp_path / "x.tar"
    path.write_bytes(make(tmp_path, "tar", {"b": b"b", "a1": b"awful"}).read_bytes())
    content = path.read_bytes()
    path.write_bytes(content[:1000] + content[1001:])
    with pytest.raises(FormatError, match="no whole number of blocks"):
        dict(members(path, everything))
