"""Augmentation: identities, and boxes that follow the pixels, checked by brute force on masks."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from tinydl.data import (
    Batches,
    Brightness,
    Compose,
    Contrast,
    Crop,
    CutOut,
    Each,
    Flip,
    MixUp,
    Pad,
    Rotate,
    Sample,
    Saturation,
    Shift,
    Zoom,
    boxes_of_masks,
    transformed,
)
from tinydl.data.augment.colour import gamma, grey
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.random import Generator

H, W = 20, 28


def picture(seed, dtype=np.float32, channels=3, height=H, width=W):
    values = Generator(seed).uniform((height, width, channels))
    return (values * 255).astype(np.uint8) if dtype == np.uint8 else values.astype(dtype)


def scene(seed, things=4, height=H, width=W):
    """A picture with rectangles: whole-number boxes and exactly their masks."""
    rng = Generator(seed)
    corners = np.stack(
        [rng.integers(0, width - 6, things), rng.integers(0, height - 6, things)], axis=1
    )
    boxes = np.concatenate([corners, corners + rng.integers(1, 7, (things, 2))], axis=1)
    masks = np.zeros((things, height, width), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    image = picture(seed, height=height, width=width)
    return Sample(image, boxes.astype(np.float32), np.arange(things), masks)


def same(a, b):
    for name in ("image", "boxes", "labels", "masks"):
        left, right = getattr(a, name), getattr(b, name)
        assert (left is None) == (right is None), name
        if left is not None:
            assert left.dtype == right.dtype and np.array_equal(left, right), name


def check_boxes_are_those_of_the_masks(sample):
    assert len(sample.boxes) == len(sample.labels) == len(sample.masks)
    assert np.array_equal(boxes_of_masks(sample.masks), sample.boxes)


SIZE_KEEPING = {
    "flip": Flip(),
    "flip upside down": Flip(horizontal=False),
    "shift": Shift(0.3, 0.3),
    "quarter turn": lambda s, rng: transformed(s, np.array([[0, 1.0], [-1, 0]])),
    "half turn": lambda s, rng: transformed(s, -np.eye(2)),
}
EXACT = SIZE_KEEPING | {"pad": Pad(3), "crop": Crop(11, 13), "centre": Crop(9, 9, centre=True)}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("seed", range(6))
def test_boxes_follow_the_pixels(name, seed):
    size = 22 if "turn" in name else None
    sample = scene(seed, height=size or H, width=size or W)
    before = Sample(*(a.copy() for a in (sample.image, sample.boxes, sample.labels, sample.masks)))
    result = EXACT[name](sample, Generator(seed))
    check_boxes_are_those_of_the_masks(result)
    same(sample, before)  # the input is not changed
    # The pixels under each mask are the same pixels: their sums agree for what is wholly inside.
    for label, mask in zip(result.labels, result.masks, strict=True):
        if mask.sum() == sample.masks[label].sum():
            assert_close(
                np.sort(result.image[mask].ravel()),
                np.sort(sample.image[sample.masks[label]].ravel()),
                1e-5,
            )
    # What is gone has no pixel left.
    for label in set(range(4)) - set(result.labels.tolist()):
        alone = Sample(sample.image, masks=sample.masks[label].astype(np.int64))
        assert EXACT[name](alone, Generator(seed)).masks.sum() == 0


@pytest.mark.parametrize("step", [Rotate(40), Zoom(0.6, 1.7)], ids=["rotate", "zoom"])
@pytest.mark.parametrize("seed", range(8))
def test_turned_and_zoomed_boxes_enclose_their_pixels(step, seed):
    sample = scene(seed)
    result = step(sample, Generator(seed))
    tight = boxes_of_masks(result.masks)
    seen = result.masks.any((1, 2))
    assert (tight[seen, :2] >= result.boxes[seen, :2] - 1).all()
    assert (tight[seen, 2:] <= result.boxes[seen, 2:] + 1).all()
    if isinstance(step, Zoom):  # upright boxes stay tight, up to the nearest pixel
        assert abs(tight - result.boxes)[seen].max() <= 1


def reference(image, matrix, move, fill, value):
    """Bilinear interpolation by its definition, one pixel at a time."""
    height, width = image.shape[:2]
    inverse, result = np.linalg.inv(matrix), np.empty_like(image)
    for row in range(height):
        for column in range(width):
            point = np.array([column + 0.5 - width / 2 - move[0], row + 0.5 - height / 2 - move[1]])
            x, y = inverse @ point + [width / 2 - 0.5, height / 2 - 0.5]
            total = 0
            for j in (int(np.floor(y)), int(np.floor(y)) + 1):
                for i in (int(np.floor(x)), int(np.floor(x)) + 1):
                    inside = 0 <= i < width and 0 <= j < height
                    pixel = image[min(max(j, 0), height - 1), min(max(i, 0), width - 1)]
                    pixel = pixel if inside or fill == "nearest" else value
                    total = total + (1 - abs(x - i)) * (1 - abs(y - j)) * pixel
            result[row, column] = total
    return result


@pytest.mark.parametrize("fill, value", [("constant", 0.0), ("constant", 0.7), ("nearest", 0.0)])
def test_interpolation_is_bilinear(fill, value):
    image = picture(3, np.float64, height=7, width=9)
    matrix = np.array([[0.8, -0.5], [0.3, 1.3]])
    result = transformed(Sample(image), matrix, (0.7, -1.2), fill, value)
    assert_close(result.image, reference(image, matrix, (0.7, -1.2), fill, value), 1e-5, atol=1e-7)
    labels = (image[:, :, 0] * 5).astype(np.int64)
    one_hot = transformed(Sample(image, masks=labels), matrix, (0.7, -1.2), fill, value).masks
    assert set(np.unique(one_hot)) <= {0, *np.unique(labels)}  # nearest: no class is made up


def test_turns_agree_with_numpy():
    sample = scene(0, height=16, width=16)
    left = transformed(sample, np.array([[0, 1.0], [-1, 0]]))
    assert np.array_equal(left.image, np.rot90(sample.image))
    assert np.array_equal(left.masks, np.rot90(sample.masks, axes=(1, 2)))
    up = Rotate(90)
    draws = [up(sample, Generator(k)).image for k in range(5)]
    assert len({d.tobytes() for d in draws}) == 5
    # Positive angles turn counter-clockwise: what was at the right goes up.
    spot = np.zeros((11, 11), np.float32)
    spot[5, 9] = 1
    rng = Generator(0)
    angle = Generator(0).uniform(1, low=-90.0, high=90.0, dtype=np.float64)[0]
    row = (Rotate(90)(Sample(spot), rng).image.sum(axis=1) * np.arange(11)).sum()
    assert (row < 5) == (angle > 0)


IDENTITIES = {
    "flip never": Flip(0.0),
    "flip twice": Compose(Flip(1.0), Flip(1.0)),
    "upside down twice": Compose(Flip(1.0, False), Flip(1.0, False)),
    "pad 0": Pad(0),
    "pad and crop": Compose(Pad(4, "reflect"), Crop(H, W, centre=True)),
    "crop all": Crop(H, W),
    "rotate 0": Rotate(0),
    "shift 0": Shift(0, 0),
    "zoom 1": Zoom(1, 1),
    "brightness 0": Brightness(0),
    "cut-out never": CutOut(5, probability=0.0),
    "four quarter turns": Compose(
        *[lambda s, rng: transformed(s, np.array([[0, 1.0], [-1, 0]]), fill="nearest")] * 4
    ),
    "nothing": Compose(),
}


@pytest.mark.parametrize("name", IDENTITIES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_identities(name, dtype):
    square = name == "four quarter turns"
    sample = scene(1, height=W if square else H)
    image = picture(1, dtype, height=W if square else H)
    sample = Sample(image, sample.boxes, sample.labels, sample.masks)
    same(IDENTITIES[name](sample, Generator(2)), sample)


@pytest.mark.parametrize("dtype, atol", [(np.uint8, 0), (np.float32, 1e-6)])
@pytest.mark.parametrize("step", [Contrast(0), Saturation(0)], ids=["contrast", "saturation"])
def test_colour_identities(step, dtype, atol):
    image = picture(1, dtype)
    result = step(Sample(image), Generator(0)).image
    assert result.dtype == dtype
    assert_close(result, image, 1e-5, atol=atol)


@given(st.integers(0, 10_000))
def test_a_seed_decides(seed):
    step = Compose(Flip(), Shift(0.2, 0.2), Rotate(10), Brightness(0.2), CutOut(4))
    sample = scene(0)
    same(step(sample, Generator(seed)), step(sample, Generator(seed)))


def test_flip_pixels_and_probability():
    image = picture(0)
    assert np.array_equal(Flip(1.0)(Sample(image), Generator(0)).image, image[:, ::-1])
    assert np.array_equal(Flip(1.0, False)(Sample(image), Generator(0)).image, image[::-1])
    rng = Generator(0)
    flipped = sum(Flip(0.3)(Sample(image), rng).image is not image for _ in range(400))
    assert 90 < flipped < 150


def test_crops_reach_every_place_and_drop_what_is_cut():
    image = np.arange(12).reshape(3, 4).astype(np.float32)
    rng = Generator(0)
    corners = {Crop(2, 2)(Sample(image), rng).image[0, 0] for _ in range(200)}
    assert corners == {0, 1, 2, 4, 5, 6}
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 4, 3]], np.float32)
    sample = Sample(image, boxes, np.array([7, 8, 9]))
    middle = Crop(1, 2, centre=True)
    result = middle(sample, rng)  # rows 1, columns 1 and 2
    assert result.boxes.tolist() == [[0, 0, 1, 1], [0, 0, 2, 1]] and result.labels.tolist() == [
        7,
        8,
    ]
    strict = Crop(1, 2, centre=True, min_area=0.3)
    assert strict(sample, rng).labels.tolist() == [8]  # a quarter and a half are left
    with pytest.raises(ShapeError, match="a part of 4 x 2"):
        Crop(4, 2)(sample, rng)


def test_pad_values_and_modes():
    sample = Sample(np.ones((2, 3), np.uint8), np.array([[0, 0, 3, 2]], np.float32))
    padded = Pad(1, value=9)(sample, Generator(0))
    assert padded.image.tolist() == [[9] * 5, [9, 1, 1, 1, 9], [9, 1, 1, 1, 9], [9] * 5]
    assert padded.boxes.tolist() == [[1, 1, 4, 3]]
    masked = Sample(np.ones((2, 3), np.uint8), masks=np.ones((2, 3), np.int64))
    assert Pad(1, value=9)(masked, Generator(0)).masks.sum() == 6
    assert Pad(1, "edge")(masked, Generator(0)).masks.sum() == 20
    with pytest.raises(ConfigError, match="Pad: needs pixels >= 0"):
        Pad(-1)


def test_shift_moves_whole_pixels():
    image = picture(0)
    seen = set()
    for seed in range(60):
        result = Shift(0.1, 0.1)(Sample(image), Generator(seed)).image
        x, y = next(
            (dx, dy)
            for dx in range(-2, 3)
            for dy in range(-2, 3)
            if np.array_equal(result[5:15, 5:20], image[5 - dy : 15 - dy, 5 - dx : 20 - dx])
        )
        seen.add((x, y))
    assert {x for x, _ in seen} == {-2, -1, 0, 1, 2} == {y for _, y in seen}


def test_zoom_magnifies():
    image = np.zeros((60, 60), np.float32)
    image[20:40, 20:40] = 1
    assert Zoom(2, 2)(Sample(image), Generator(0)).image.sum() == pytest.approx(1600, rel=0.02)
    assert Zoom(0.5, 0.5)(Sample(image), Generator(0)).image.sum() == pytest.approx(100, rel=0.02)
    with pytest.raises(ConfigError, match="0 < low <= high"):
        Zoom(0, 1)


def test_colours_by_their_formulas():
    image = picture(0, np.uint8)
    rng = Generator(5)
    d = 255 * Generator(5).uniform(1, low=-0.3, high=0.3, dtype=np.float64)[0]
    result = Brightness(0.3)(Sample(image), rng).image
    assert np.array_equal(result, np.clip(np.rint(image + d), 0, 255).astype(np.uint8))
    f = Generator(5).uniform(1, low=0.5, high=1.5, dtype=np.float64)[0]
    shade = image @ np.array([0.299, 0.587, 0.114])
    expected = np.clip(np.rint(shade.mean() + f * (image - shade.mean())), 0, 255)
    assert np.array_equal(Contrast(0.5)(Sample(image), Generator(5)).image, expected)
    expected = np.clip(np.rint(shade[:, :, None] + f * (image - shade[:, :, None])), 0, 255)
    assert np.array_equal(Saturation(0.5)(Sample(image), Generator(5)).image, expected)
    assert_close(grey(image), shade, 1e-5)


def test_colours_keep_the_range_and_leave_geometry():
    sample = scene(0)
    for step in (Brightness(0.9), Contrast(0.9), Saturation(1.0)):
        for seed in range(5):
            result = step(sample, Generator(seed))
            assert result.image.min() >= 0 and result.image.max() <= 1
            assert result.boxes is sample.boxes and result.masks is sample.masks
    lone = Sample(picture(0, channels=1))
    assert Saturation(0.5)(lone, Generator(0)) is lone
    with pytest.raises(DTypeError, match="uint8 or float"):
        Brightness(0.1)(Sample(np.zeros((3, 3), np.int64)), Generator(0))


def test_cut_out():
    image = np.ones((20, 30, 3), np.float32)
    areas = set()
    for seed in range(40):
        result = CutOut(6, value=0)(Sample(image), Generator(seed)).image
        hole = result[:, :, 0] == 0
        box = boxes_of_masks(hole[None])[0]
        area = (box[2] - box[0]) * (box[3] - box[1])
        assert hole.sum() == area and 9 <= area <= 36  # one whole rectangle
        areas.add(int(area))
    assert 36 in areas and len(areas) > 1  # it may reach beyond the edge
    assert image.min() == 1


def test_mix_up():
    x, y = picture(0)[:, :, 0], np.eye(H, dtype=np.float32)
    mixed, targets = MixUp(0.4)((x, y), Generator(0))
    assert mixed.shape == x.shape and mixed.dtype == np.float32
    assert_close(targets.sum(1), 1, 1e-5)
    assert_close(mixed, targets @ x, 1e-5, atol=1e-6)  # images are mixed as their targets are
    shares = np.sort(targets, axis=1)[:, -2:]
    assert 0 < shares[:, 0].max() < 1  # with another one, by one share for the batch
    assert len(np.unique(np.round(shares[shares[:, 0] > 0], 5), axis=0)) == 1
    with pytest.raises(DTypeError, match="one-hot"):
        MixUp()((x, np.arange(H)), Generator(0))
    with pytest.raises(ConfigError, match="alpha must be > 0"):
        MixUp(0)


@pytest.mark.parametrize("shape", [0.2, 1.0, 3.5])
def test_gamma_has_its_moments(shape):
    rng = Generator(1)
    draws = np.array([gamma(shape, rng) for _ in range(800)])
    assert draws.mean() == pytest.approx(shape, rel=0.15)
    assert draws.var() == pytest.approx(shape, rel=0.35)


def test_as_a_transform_of_batches():
    x, y = Generator(0).uniform((12, 8, 8, 3)), np.arange(12)
    step = Each(Compose(Pad(2), Crop(8, 8), Flip()))

    def run():
        return list(Batches((x, y), 5, rng=Generator(3), transform=step, prefetch=2))

    first, second = run(), run()
    assert [b[0].shape for b in first] == [(5, 8, 8, 3), (5, 8, 8, 3), (2, 8, 8, 3)]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])
    images = np.concatenate([b[0] for b in first])
    assert not any(np.array_equal(i, j) for i in images for j in x[:3])


def test_samples_must_fit_together():
    image = np.zeros((4, 5), np.float32)
    boxes = np.zeros((2, 4), np.float32)
    for arguments, message in (
        ((np.zeros(4),), r"image must be"),
        ((image, boxes[:, :3]), "boxes must be"),
        ((image, boxes, np.zeros(3)), "3 labels for 2 boxes"),
        ((image, boxes, None, np.zeros((3, 4, 5), bool)), "3 masks for 2 boxes"),
        ((image, None, None, np.zeros((5, 4))), "do not fit the image"),
    ):
        with pytest.raises(ShapeError, match=message):
            Sample(*arguments)
    with pytest.raises(ConfigError, match="probability must be in"):
        Flip(1.5)
    with pytest.raises(ConfigError, match="fill must be"):
        Rotate(3, fill="mirror")(Sample(image), Generator(0))


def test_compose_takes_steps_or_a_list_and_looks_at_them_when_it_is_made():
    steps = Flip(1.0), Pad(2)
    image = np.arange(48.0).reshape(4, 4, 3)
    for made in (Compose(*steps), Compose(list(steps)), Compose(steps)):
        found = made(Sample(image), Generator(0)).image
        np.testing.assert_array_equal(found, np.pad(image[:, ::-1], ((2, 2), (2, 2), (0, 0))))
    for wrong, sentence in (
        (3, "must be a function of .sample, rng., got 3"),
        (Flip, r"got .*Flip.*: write Flip\(\.\.\.\)"),
        ([Flip(), [Pad(2)]], "must be a function"),
        (MixUp(), "MixUp changes whole batches"),
        (Each(Flip()), r"Each changes whole batches.*Batches\(transform"),
    ):
        with pytest.raises(ConfigError, match=f"Compose: .*{sentence}"):
            Compose(wrong)
    with pytest.raises(ConfigError, match="Each: Each changes whole batches"):
        Each(Each(Flip()))


def test_batches_say_that_a_step_is_for_one_picture():
    for step in (Flip(), Compose([Flip()])):
        with pytest.raises(ConfigError, match=r"changes one picture.*transform=Each\("):
            Batches(np.ones((4, 3, 3, 1)), batch_size=2, transform=step)
