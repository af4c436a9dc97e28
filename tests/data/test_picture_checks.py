"""That all of a picture was there: what Pillow shows black, grey or unchecked is refused."""

import io
import zlib

import numpy as np
import pytest

from tinydl.data import decode_image
from tinydl.data.formats import picture_checks
from tinydl.errors import FormatError

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


def chunk(kind, body):
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def colour_file(kind, **options):
    stream = io.BytesIO()
    pixels = np.random.default_rng(3).integers(0, 255, (9, 12, 3), np.uint8)
    Image.fromarray(pixels).resize((120, 90)).save(stream, kind, **options)
    return stream.getvalue()


def test_rows_that_are_missing(tmp_path):
    """Pillow alone shows black or grey rows without a word."""
    header = chunk(b"IHDR", (4).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0)))
    row, end = b"\0" + bytes(range(1, 5)), chunk(b"IEND", b"")

    def png_rows(count):
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(row * count)) + end

    assert decode_image(png_rows(4), "x").tolist() == [[1, 2, 3, 4]] * 4
    for count, message in ((0, "20 bytes early"), (3, "5 bytes early"), (5, "more pixels")):
        with pytest.raises(FormatError, match=f"x is not a readable image: .*{message}"):
            decode_image(png_rows(count), "x")
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 3}, {"subsampling": 0}):
        whole = colour_file("JPEG", **options)
        pixels = decode_image(whole, "x")
        scan = whole.rindex(b"\xff\xda")
        for keep in (0.3, 0.6, 0.9):
            cut = scan + int((len(whole) - scan) * keep)
            with pytest.raises(FormatError, match="end before the last row"):
                decode_image(whole[:cut] + b"\xff\xd9", "x")
        assert np.array_equal(decode_image(whole + b"trailer", "x"), pixels)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    "kind, shape", [("L", (9, 13)), ("RGB", (9, 13, 3)), ("1", (9, 13)), ("RGBA", (5, 3, 4))]
)
def test_every_byte_of_a_png_is_checked(kind, shape, interlaced):
    stream = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    picture = Image.fromarray(pixels) if kind != "1" else Image.fromarray(pixels > 127)
    picture.save(stream, "PNG")
    content = stream.getvalue() if not interlaced else adam7(np.asarray(picture), kind)
    expected = decode_image(content, "x")
    for place in range(8, len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            decode_image(bytes(damaged), "x")
    for end in range(len(content)):
        with pytest.raises(FormatError):
            decode_image(content[:end], "x")
    assert np.array_equal(decode_image(content + b"more", "x"), expected)


def adam7(pixels, kind):
    """The seven passes of an interlaced PNG, which Pillow reads and does not write."""
    rows = b""
    for top, down, first, across in picture_checks._ADAM7:
        part = pixels[top::down, first::across]
        for row in part if part.size else ():
            rows += b"\0" + (np.packbits(row) if kind == "1" else row).tobytes()
    height, width = pixels.shape[:2]
    depth, colour = {"1": (1, 0), "L": (8, 0), "RGB": (8, 2), "RGBA": (8, 6)}[kind]
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((depth, colour, 0, 0, 1))
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
