"""Image files: every pixel format, hostile files; the fit to a model's input against Pillow."""

import builtins
import struct
import zlib

import numpy as np
import pytest
from closeness import assert_close

from tinydl.data import decode_image, prepare_colour_image, prepare_image, read_image
from tinydl.errors import ConfigError, DataError, DTypeError, FormatError, ShapeError

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")

RAMP = np.arange(12 * 9, dtype=np.uint8).reshape(12, 9) * 2
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP // 2], axis=2)


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tiff", "pgm"])
def test_grey_files(tmp_path, suffix):
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(RAMP).save(path)
    image = read_image(path)
    assert image.dtype == np.uint8 and image.flags.writeable
    assert np.array_equal(image if image.ndim == 2 else image[:, :, 0], RAMP)
    assert np.array_equal(decode_image(path.read_bytes(), "a ramp"), image)


def test_colour_palette_bilevel_and_16_bit(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "rgb.png")
    assert np.array_equal(read_image(tmp_path / "rgb.png"), COLOUR)
    Image.fromarray(COLOUR).convert("P").save(tmp_path / "palette.png")
    assert read_image(tmp_path / "palette.png").shape == (12, 9, 3)
    Image.fromarray(RAMP > 100).save(tmp_path / "bilevel.png")
    assert np.array_equal(read_image(tmp_path / "bilevel.png"), (RAMP > 100) * np.uint8(255))
    Image.fromarray(RAMP.astype(np.uint16) * 256 + 77).save(tmp_path / "deep.png")
    assert np.array_equal(read_image(tmp_path / "deep.png"), RAMP)
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "print.tiff")
    assert read_image(tmp_path / "print.tiff").shape == (12, 9, 3)


def test_transparent_parts_are_white(tmp_path):
    alpha = np.zeros((12, 9), dtype=np.uint8)
    alpha[3:6] = 255
    Image.fromarray(np.dstack([COLOUR, alpha])).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert np.array_equal(image[3:6], COLOUR[3:6])
    assert (image[:3] == 255).all() and (image[6:] == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    Image.fromarray(RAMP).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "turned.png"), np.rot90(RAMP, -1))


def png_of(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_hostile_files_are_format_errors(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "good.png")
    good = (tmp_path / "good.png").read_bytes()
    Image.fromarray(COLOUR).save(tmp_path / "rare.tga")
    cases = {
        "empty": b"",
        "text": b"this is no image",
        "cut": good[: len(good) // 2],
        "broken": good[:60] + b"\0\0\0\0" + good[64:],
        "huge": png_of(30_000, 30_000),
        "large": png_of(8_000, 8_000),
        "rare": (tmp_path / "rare.tga").read_bytes(),  # decoders beyond the list are never tried
        "script": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    }
    for name, data in cases.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(data)
        with pytest.raises(FormatError, match=f"read_image: .*{name}.png") as error:
            read_image(path)
        assert "\n" not in str(error.value)


def test_the_pixel_limit_is_checked_before_decoding(tmp_path, monkeypatch):
    from PIL.ImageFile import ImageFile

    (tmp_path / "large.png").write_bytes(png_of(8_000, 8_000))
    monkeypatch.setattr(ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(FormatError, match="8000 x 8000 pixels, more than 50000000"):
        read_image(tmp_path / "large.png")
    Image.fromarray(RAMP).save(tmp_path / "small.png")
    with pytest.raises(FormatError, match="9 x 12 pixels, more than 107"):
        read_image(tmp_path / "small.png", max_pixels=107)


def test_float_images_and_missing_files(tmp_path):
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "float.tiff")
    with pytest.raises(FormatError, match="no known range"):
        read_image(tmp_path / "float.tiff")
    with pytest.raises(DataError, match="there is no file"):
        read_image(tmp_path / "nothing.png")


def test_without_pillow_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "PIL" or name.startswith("PIL."):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r'pip install "\.\[data\]"'):
        read_image(tmp_path / "x.png")


def test_an_image_of_the_right_size_is_only_scaled():
    result = prepare_image(RAMP, 12, 9, invert=False)
    assert result.dtype == np.float32
    assert_close(result, RAMP / 255, 1e-5, atol=1e-6)
    assert_close(prepare_image(RAMP[:, :, None], 12, 9, invert=False), RAMP / 255, 1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 5), (28, 28), (40, 40), (17, 17), (100, 100)])
def test_resize_equals_pillows_antialiased_bilinear(size):
    square = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    reference = Image.fromarray(square.astype(np.float32) / 255)  # mode F: no rounding
    expected = np.asarray(reference.resize(size, Image.Resampling.BILINEAR))
    assert_close(prepare_image(square, *size, invert=False), expected, 1e-5, atol=2e-6)


def test_grey_weights_equal_pillows():
    flat = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(flat).convert("L"))
    assert np.abs(prepare_image(flat, 16, 16, invert=False) * 255 - expected).max() <= 0.51


def drawn(ink, paper, height=60, width=60):
    image = np.full((height, width), paper, dtype=np.uint8)
    image[15 : height - 15, 25:35] = ink
    return image


def test_auto_invert_gives_white_on_black():
    white_ink, black_ink = (
        prepare_image(drawn(255, 0), 28, 28),
        prepare_image(drawn(0, 255), 28, 28),
    )
    assert_close(white_ink, black_ink, 1e-5, atol=1e-6)
    assert white_ink[0].max() < 1e-6 and white_ink[14, 14] > 0.9
    by_hand = prepare_image(drawn(0, 255), 28, 28, invert=True)
    assert np.array_equal(by_hand, black_ink)
    assert prepare_image(drawn(0, 255), 28, 28, invert=False)[0].min() > 0.999


@pytest.mark.parametrize("height, width", [(120, 60), (60, 120), (1, 1), (2, 300)])
def test_aspect_ratio_is_kept_and_the_rest_is_background(height, width):
    image = np.full((height, width), 200, dtype=np.uint8)
    image[height // 4 : height // 2] = 230  # a band over the whole width
    result = prepare_image(image, 28, 28, invert=False)
    assert result.shape == (28, 28) and np.isfinite(result).all()
    if height == 120:
        assert_close(result[10, 7:21], 230 / 255, 1e-5, atol=1e-3)
        assert_close(result[:, :7], 200 / 255, 1e-5)
        assert_close(result[:, 21:], 200 / 255, 1e-5)
    if width == 120:
        assert_close(result[:7], 200 / 255, 1e-5)
        assert_close(result[21:], 200 / 255, 1e-5)
        assert_close(result[12], 230 / 255, 1e-5, atol=1e-3)


def test_a_file_of_a_digit_comes_back(tmp_path):
    from tinydl.data import synthetic_digits
    from tinydl.random import Generator

    digits = synthetic_digits(20, Generator(0), size=28, noise=0.0)
    for digit in digits.x:
        pixels = np.round(digit * 255).astype(np.uint8)
        for name, ink in (("white", pixels), ("black", 255 - pixels)):
            Image.fromarray(ink).save(tmp_path / f"{name}.png")
            back = prepare_image(read_image(tmp_path / f"{name}.png"), 28, 28)
            assert np.abs(back - digit).max() < 0.003, name


def test_bad_arguments():
    with pytest.raises(DTypeError, match="uint8"):
        prepare_image(RAMP / 255, 28, 28)
    for shape in [(3,), (2, 2, 2), (1, 2, 2, 3), (0, 5)]:
        with pytest.raises(ShapeError, match="image must be"):
            prepare_image(np.zeros(shape, dtype=np.uint8), 28, 28)
    with pytest.raises(ShapeError, match="height and width"):
        prepare_image(RAMP, 0, 28)
    with pytest.raises(ConfigError, match="invert"):
        prepare_image(RAMP, 28, 28, invert="yes")


# -- colour ----------------------------------------------------------------------------------------


def test_a_colour_image_covers_the_output_and_loses_its_margins():
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 255, 102, 0  # the middle square
    image[:, :20, 2] = 255
    result = prepare_colour_image(image, 10, 10)
    assert result.shape == (10, 10, 3) and result.dtype == np.float32
    assert_close(result[:, 2:8], np.broadcast_to([1, 0.4, 0], (10, 6, 3)), 1e-7, atol=1e-6)
    same = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    assert_close(prepare_colour_image(same, 5, 4), same / 255, 1e-7, atol=1e-6)


def test_colour_resizing_equals_pillows():
    image_module = pytest.importorskip("PIL.Image")
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    small = image_module.fromarray(image).resize((12, 12), image_module.Resampling.BILINEAR)
    found = prepare_colour_image(image, 12, 12) * 255
    assert np.abs(found - np.asarray(small)).max() <= 1.01


def test_grey_becomes_three_equal_channels_and_other_shapes_are_refused():
    result = prepare_colour_image(RAMP, 12, 9)
    assert_close(result, np.repeat((RAMP / 255)[:, :, None], 3, axis=2), 1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match=r"must be \(H, W\), \(H, W, 1\) or \(H, W, 3\)"):
        prepare_colour_image(np.zeros((4, 4, 2), np.uint8), 4, 4)
    with pytest.raises(DTypeError, match="must be uint8"):
        prepare_colour_image(np.zeros((4, 4, 3)), 4, 4)
