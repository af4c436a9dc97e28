"""`prepare_digit`: a drawn sign becomes what MNIST and Optdigits hold."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl.data import mnist, prepare_digit
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.runs.run import OpenRun
from tinydl.zoo import shelf


def drawn(top, left, height, width, size=280):
    """A heavy bar with a foot: ink that is no symmetric box."""
    ink = np.zeros((size, size), np.uint8)
    ink[top : top + height, left : left + width // 2] = 255
    ink[top + height - height // 4 : top + height, left : left + width] = 255
    return ink


def box_of(picture):
    return [np.flatnonzero(picture.any(axis=axis))[[0, -1]].tolist() for axis in (1, 0)]


def test_the_longer_side_is_20_pixels_and_the_mass_is_in_the_middle():
    """Wherever and however large it was drawn."""
    found = [prepare_digit(drawn(*where)) for where in
             [(10, 20, 200, 100), (70, 150, 200, 100), (100, 100, 100, 50)]]  # fmt: skip
    for picture in found:
        assert picture.shape == (28, 28) and picture.dtype == np.float32 and picture.max() == 1
        (top, bottom), (left, right) = box_of(picture)
        assert (bottom - top + 1, right - left + 1) == (20, 10)
        y, x = np.mgrid[:28, :28] + 0.5
        centre = [(picture * place).sum() / picture.sum() for place in (y, x)]
        assert 14 <= min(centre) <= max(centre) < 15
    assert_close(found[1], found[0], 1e-6)
    assert_close(found[2], found[0], 1e-2)


def test_optdigits_counts_black_pixels():
    """A box of 20 x 32 pixels in the middle of 32 x 32: whole numbers of sixteenths."""
    ink = np.zeros((100, 200), np.uint8)
    ink[10:90, 50:110] = 200
    picture = prepare_digit(ink, 8)
    assert_close(picture, np.tile([0, 0.5, 1, 1, 1, 1, 0.5, 0], (8, 1)), 0, atol=0)
    ring = prepare_digit(drawn(10, 20, 200, 100), 8) * 16
    assert_close(ring, ring.round(), 0, atol=0)


def test_optdigits_have_no_slant_and_a_one_stays_narrow():
    upright = np.zeros((200, 200), np.uint8)
    upright[20:180, 90:110] = 255
    slanted = np.stack([np.roll(row, (100 - k) // 4) for k, row in enumerate(upright)])
    one = prepare_digit(upright, 8)
    assert np.flatnonzero(one.any(axis=0)).tolist() == [3, 4]
    assert_close(prepare_digit(slanted, 8), one, 0, atol=1e-6)
    assert prepare_digit(slanted, 28)[0:9].argmax(axis=1).max() > 14  # MNIST's keep theirs


@pytest.mark.parametrize("side", [28, 8])
def test_no_ink_is_no_digit_and_a_dot_fills_the_box(side):
    assert not prepare_digit(np.zeros((280, 280), np.uint8), side).any()
    assert not prepare_digit(np.zeros((0, 5), np.uint8), side).any()
    dot = np.zeros((280, 280), np.uint8)
    dot[-1, -1] = 255
    assert prepare_digit(dot, side).sum() == (400 if side == 28 else 8 * 5)


def test_wrong_ink():
    with pytest.raises(DTypeError, match="must be uint8"):
        prepare_digit(np.zeros((28, 28)))
    with pytest.raises(ShapeError, match=r"must be \(H, W\)"):
        prepare_digit(np.zeros((28, 28, 3), np.uint8))
    with pytest.raises(ConfigError, match="must be 28"):
        prepare_digit(np.zeros((28, 28), np.uint8), 32)


def test_mnist_drawn_again_is_known(data_folder, monkeypatch):
    """MNIST's own digits, ten times as large and moved, come back as they were, nearly."""
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    digits = mnist()
    x, y = digits.x_test[:300], digits.y_test[:300]
    again = np.stack(
        [prepare_digit(np.pad(np.kron(one, np.ones((10, 10), np.uint8)), 30)) for one in x]
    )
    assert np.abs(again - x / np.float32(255)).mean() < 0.02
    model = OpenRun(shelf.folder("lenet-mnist")).model().eval()
    with td.no_grad():
        found = model(td.tensor(again[..., None])).numpy().argmax(axis=1)
    assert (found == y).mean() > 0.97
