"""The idx reader: every type, every way a file can lie, and how much memory a lie costs."""

import gzip
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.data.formats.idx import TYPES, read_idx
from tinydl.errors import FormatError


def idx_bytes(array, code=0x08):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(TYPES[code]).tobytes()


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(7,), (3, 2, 4), (0,), (2, 0, 3), (1,) * 8])
def test_round_trip_of_every_type(tmp_path, code, packed, shape):
    values = (np.arange(np.prod(shape)).reshape(shape) * 3).astype(TYPES[code])
    raw = idx_bytes(values, code)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    array = read_idx(path, shape=shape)
    assert array.shape == shape
    assert array.dtype == np.dtype(TYPES[code]).newbyteorder("=")
    assert array.dtype.isnative
    assert np.array_equal(array, values)
    assert array.flags.writeable


GOOD = idx_bytes(np.arange(6).reshape(2, 3))
HOSTILE = {
    "empty": (b"", "truncated"),
    "two bytes": (GOOD[:2], "truncated"),
    "no axes": (GOOD[:4], "truncated"),
    "half an axis": (GOOD[:10], "truncated"),
    "no values": (GOOD[:12], "truncated, 0 of 6"),
    "last value missing": (GOOD[:-1], "truncated, 5 of 6"),
    "one byte too many": (GOOD + b"\0", "bytes follow the 6"),
    "first byte": (b"\1" + GOOD[1:], "magic"),
    "unknown type": (b"\0\0\x0a" + GOOD[3:], "magic"),
    "zero axes": (b"\0\0\x08\0", "magic"),
    "nine axes": (b"\0\0\x08\x09" + b"\0\0\0\1" * 9 + b"x", "magic"),
    "text": (b"<html>404</html>", "magic"),
    "2^64 values": (b"\0\0\x08\2" + b"\xff" * 8 + b"x", "above"),
    "0 x 2^96": (b"\0\0\x08\4" + b"\0" * 4 + b"\xff" * 12, "above"),
    "8 GiB of doubles": (struct.pack(">BBBBI", 0, 0, 0x0E, 1, 1 << 30) + b"x", "above"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("packed", [False, True])
def test_hostile_files_are_format_errors(tmp_path, name, packed):
    data, message = HOSTILE[name]
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(FormatError, match=message) as error:
        read_idx(path)
    assert str(path) in str(error.value)


def test_another_shape_than_expected(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(GOOD)
    with pytest.raises(FormatError, match=r"declares \(2, 3\), expected \(3, 2\)"):
        read_idx(path, shape=(3, 2))


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-5],  # the checksum is cut
        lambda b: b[:-8] + b"\0\0\0\0" + b[-4:],  # another checksum
        lambda b: b[:12] + bytes(c ^ 0x55 for c in b[12:16]) + b[16:],  # broken deflate stream
        lambda b: b + b"garbage",
    ],
)
def test_damaged_gzip(tmp_path, damage):
    path = tmp_path / "file.gz"
    path.write_bytes(damage(gzip.compress(GOOD)))
    with pytest.raises(FormatError, match=r"gzip|bytes follow"):
        read_idx(path)


def test_missing_file_is_an_ordinary_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")


def peak_bytes(path, **options):
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            read_idx(path, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_costs_one_buffer(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(1000)) + bytes(100_000_000)))
    assert path.stat().st_size < 200_000
    assert peak_bytes(path, shape=(1000,)) < 4_000_000


def test_a_header_that_promises_much_allocates_little(tmp_path):
    path = tmp_path / "liar"
    path.write_bytes(struct.pack(">BBBBI", 0, 0, 0x08, 1, 1_000_000_000) + b"abc")
    assert peak_bytes(path) < 4_000_000
    assert peak_bytes(path, max_bytes=10) < 4_000_000


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 255)), max_size=4), st.integers(0, 200)
)
@pytest.mark.parametrize("packed", [False, True])
def test_any_damage_is_a_format_error_or_harmless(tmp_path_factory, packed, flips, cut):
    data = bytearray(gzip.compress(GOOD) if packed else GOOD)
    for position, mask in flips:
        data[position % len(data)] ^= mask
    path = tmp_path_factory.getbasetemp() / f"mutant{packed}"
    path.write_bytes(bytes(data[: max(1, len(data) - cut % 8)]))
    with suppress(FormatError):
        assert read_idx(path, shape=(2, 3)).shape == (2, 3)
