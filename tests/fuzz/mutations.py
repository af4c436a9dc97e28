"""Damage to a file's bytes, as disks, transfers and attackers do it; each from a seeded generator.

`MUTATIONS` maps a name to a function of (bytes, random.Random) that returns other bytes. None is
the identity, but some may leave the content as it was by chance.
"""

import gzip
import struct
import zlib


def flip(data, rng):
    """One to four bits."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def overwrite(data, rng):
    start = rng.randrange(len(data))
    size = min(rng.choice((1, 2, 4, 8, 64, 512)), len(data) - start)
    fill = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    return data[:start] + fill + data[start + size :]


def cut_end(data, rng):
    return data[: rng.randrange(len(data))]


def cut_start(data, rng):
    return data[rng.randrange(1, len(data) + 1) :]


def cut_middle(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 2, 30, 512, 1024, len(data) // 3)) :]


def insert(data, rng):
    start = rng.randrange(len(data) + 1)
    size = rng.choice((1, 2, 7, 512, 1024))
    return data[:start] + rng.choice((bytes(size), rng.randbytes(size))) + data[start:]


def duplicate(data, rng):
    size = rng.choice((1, 8, 64, 512, 1024))
    start = size * rng.randrange(len(data) // size + 1)
    return data[: start + size] + data[start:]


def swap(data, rng):
    """Two blocks of equal size change places: also fields of sizes beside each other."""
    size = rng.choice((1, 2, 4, 8, 512))
    if len(data) < 2 * size:
        return data[::-1]
    a, b = sorted((rng.randrange(len(data) - size + 1), rng.randrange(len(data) - size + 1)))
    if b < a + size:
        b = min(a + size, len(data) - size)
        a = min(a, b - size)
    return (
        data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size] + data[b + size :]
    )


def lie(data, rng):
    """A number of 2, 4 or 8 bytes, wherever it stands, becomes an extreme or a neighbour."""
    width = rng.choice((2, 4, 8))
    if len(data) < width:
        return data + b"\xff"
    start = rng.randrange(len(data) - width + 1)
    order = rng.choice(("little", "big"))
    value = int.from_bytes(data[start : start + width], order)
    top = 256**width
    other = rng.choice((0, 1, top - 1, top // 2, top // 2 - 1, value + 1, value - 1, 2 * value))
    return data[:start] + (other % top).to_bytes(width, order) + data[start + width :]


def digits(data, rng):
    """A digit of a text, also of a tar's octal numbers, becomes another character."""
    places = [k for k, c in enumerate(data[:20_000]) if 48 <= c <= 57]
    if not places:
        return flip(data, rng)
    k = rng.choice(places)
    other = rng.choice(
        (b"9", b"0", b"-", b"+", b"_", b" ", b"e", b".", b"99999999", b"", b"\xd9\xa1")
    )
    return data[:k] + other + data[k + 1 :]


def append(data, rng):
    return data + rng.choice(
        (b"\0", b"\n", rng.randbytes(30), bytes(10_240), b"PK\5\6" + bytes(18))
    )


def twice(data, rng):
    """The file behind itself, as two transfers into one file leave it."""
    return data + data


def other_kind(data, rng):
    """Something else under the name."""
    empty_zip = b"PK\5\6" + bytes(18)
    return rng.choice(
        (b"", b"\0" * 1024, b"<html>404</html>", gzip.compress(b"x"), empty_zip, b"\x1f\x8b", b"PK",
         rng.randbytes(200), b"[" * 5000, b"(" * 5000)
    )  # fmt: skip


def unpacked_damage(data, rng):
    """Damage below the compression, packed again with a right checksum: a liar, not an accident."""
    try:
        inner = zlib.decompress(data, wbits=31)
    except zlib.error:
        return flip(data, rng)
    return gzip.compress(
        rng.choice((flip, cut_end, lie, duplicate, append))(inner or b"\0", rng), 1
    )


def lie_in_zip(data, rng):
    """A field of a header of a zip file becomes an extreme."""
    marks = [k for m in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for k in [data.find(m)] if k >= 0]
    if not marks:
        return lie(data, rng)
    start = rng.choice(marks) + rng.randrange(4, 46)
    if start + 4 > len(data):
        return data[:-1]
    value = rng.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, rng.randrange(1 << 16)))
    return data[:start] + struct.pack("<I", value) + data[start + 4 :]


MUTATIONS = {
    f.__name__: f
    for f in (
        *(flip, overwrite, cut_end, cut_start, cut_middle, insert, duplicate, swap, lie, digits),
        *(append, twice, other_kind, unpacked_damage, lie_in_zip),
    )
}
#: These damage below the checksum and repair it: what is read then is what the liar wrote.
FORGED = {"unpacked_damage"}
