"""Pictures in folders: what one becomes, that they stand where an array does, the cache."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close
from support import script

from tinydl import nn, seed
from tinydl.data import Batches, PictureForm, Pictures, Samples, image_folder, take
from tinydl.data.prepare import resize_matrix
from tinydl.errors import (
    ConfigError,
    DataError,
    DTypeError,
    FormatError,
    IndexRangeError,
    ShapeError,
)
from tinydl.random import Generator
from tinydl.train import evaluate, fit, predict

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


def photo(height=40, width=60, rng=None):
    """Smooth colour, as a photograph has."""
    rows, columns = np.mgrid[:height, :width]
    start = 0 if rng is None else int(rng.integers(0, 90, ()))
    pixels = np.stack([rows * 3 + start, columns * 2 + start, rows + columns], axis=2)
    return (pixels % 256).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures of two classes, each of one value of its own; sizes as they come."""
    for k in range(12):
        path = tmp_path / ("odd" if k % 2 else "even") / f"{k:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((5 + k, 9, 3), 20 * k, np.uint8)).save(path)
    return tmp_path


# -- one picture -----------------------------------------------------------------------------------


def test_a_picture_of_the_size_is_itself(tmp_path):
    pixels = photo(20, 30)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for fit_ in ("crop", "stretch", "pad"):
        form = PictureForm((20, 30), fit_)
        assert np.array_equal(form.read(tmp_path / "a.png"), pixels)
        assert np.array_equal(form.of(pixels), pixels)


@pytest.mark.parametrize("size", [(10, 20), (20, 20), (100, 70)])
def test_stretch_is_the_triangle_filter(size):
    pixels = photo()
    rows, columns = (resize_matrix(old, new) for old, new in zip((40, 60), size, strict=True))
    wanted = np.einsum("ih,hwc,jw->ijc", rows, pixels.astype(np.float32), columns)
    found = PictureForm(size, "stretch").of(pixels).astype(np.float32)
    assert_close(found, wanted, 0.0, atol=1.51)  # rounded after each axis


def test_crop_takes_the_middle_of_the_short_side():
    pixels = photo(40, 60)
    assert np.array_equal(PictureForm((40, 40)).of(pixels), pixels[:, 10:50])
    assert np.array_equal(PictureForm((20, 60)).of(pixels), pixels[10:30])
    halved = PictureForm((20, 20)).of(pixels)
    assert np.array_equal(halved, PictureForm((20, 30), "stretch").of(pixels)[:, 5:25])


def test_pad_keeps_all_of_it_on_its_mean_colour():
    pixels = np.full((10, 40, 3), 200, np.uint8)
    pixels[:, :20] = 100
    found = PictureForm((20, 20), "pad").of(pixels)
    assert (found[:7] == 150).all() and (found[12:] == 150).all()
    assert (found[7:12, :9] == 100).all() and (found[7:12, 11:] == 200).all()


def test_modes_become_one(tmp_path):
    ramp = np.arange(100, dtype=np.uint8).reshape(10, 10) * 2
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    Image.fromarray(ramp).convert("P").save(tmp_path / "palette.gif")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(np.dstack([ramp, ramp, ramp, np.full_like(ramp, 255)])).save(
        tmp_path / "alpha.png"
    )
    for name in ("grey.png", "palette.gif", "deep.png", "alpha.png"):
        colour = PictureForm((10, 10)).read(tmp_path / name)
        assert np.array_equal(colour, np.repeat(ramp[:, :, None], 3, axis=2)), name
        grey = PictureForm((10, 10), channels=1).read(tmp_path / name)
        assert np.array_equal(grey, ramp[:, :, None]), name
    colour = PictureForm((40, 60), channels=1).of(photo())
    assert colour.shape == (40, 60, 1)
    assert_close(colour[..., 0], photo() @ np.array([0.299, 0.587, 0.114]), 0.0, atol=0.51)


def test_orientation_is_applied(tmp_path):
    pixels = photo(40, 60)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    found = PictureForm((60, 40)).read(tmp_path / "turned.png")
    assert np.array_equal(found, np.rot90(pixels, -1))


@pytest.mark.parametrize("turn", [1, 6])
def test_a_large_jpeg_is_decoded_small(tmp_path, turn):
    """At an eighth, and still nearly what all of its pixels give."""
    exif = Image.Exif()
    exif[0x0112] = turn
    rows, columns = np.mgrid[:480, :640]
    pixels = np.stack([rows // 2, columns // 3, (rows + columns) // 5], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.jpg", quality=95, exif=exif)
    form = PictureForm((30, 40) if turn == 1 else (40, 30))
    upright = pixels if turn == 1 else np.rot90(pixels, -1)
    assert_close(form.read(tmp_path / "large.jpg").astype(int), form.of(upright).astype(int), 0.02)


def test_settings():
    for size in (3, (0, 3), (3,), (3.0, 3), (3, 20_000), None, (True, 3)):
        with pytest.raises(ShapeError, match="rows, columns"):
            PictureForm(size)
    with pytest.raises(ConfigError, match="one of crop, stretch, pad"):
        PictureForm((3, 3), "cover")
    with pytest.raises(ConfigError, match="channels must be 1 or 3"):
        PictureForm((3, 3), channels=4)
    with pytest.raises(DTypeError, match="uint8"):
        PictureForm((3, 3)).of(np.ones((3, 3)))
    with pytest.raises(ShapeError, match="must be"):
        PictureForm((3, 3)).of(np.ones((3, 3, 2), np.uint8))
    form = PictureForm([3, 4], "pad", 1)
    assert PictureForm(**form.to_json()) == form and form.shape == (3, 4, 1)


# -- many ------------------------------------------------------------------------------------------


def test_class_folders_as_samples(folder):
    found = image_folder(folder, (8, 8))
    assert isinstance(found, Samples) and found.classes == ("even", "odd")
    assert found.x.shape == (12, 8, 8, 3) and found.input_shape == (8, 8, 3)
    assert found.y.tolist() == [0] * 6 + [1] * 6
    values = [0, 40, 80, 120, 160, 200, 20, 60, 100, 140, 180, 220]
    assert np.asarray(found.x)[:, 3, 3, 0].tolist() == values
    assert found.x[-1].shape == (8, 8, 3) and found.x[-1][0, 0, 0] == 220
    assert [int(one[0, 0, 0]) for one in found.x] == values
    assert found.x.path(0).endswith("even/00.png")


def test_what_is_indexed_stays_in_files(folder, monkeypatch):
    x = image_folder(folder, (4, 4)).x
    monkeypatch.setattr(PictureForm, "decoded", None)  # whatever decodes fails
    some = x[2:8][[0, 5]]
    mask = np.arange(12) % 5 == 0
    for part, names in [(some, ["04", "03"]), (x[mask], ["00", "10", "09"]),
                        (take(x, np.array([-1])), ["11"]), (x.scaled()[:1], ["00"])]:  # fmt: skip
        assert isinstance(part, Pictures)
        assert [part.path(k)[-6:-4] for k in range(len(part))] == names


def test_a_split_decodes_nothing_and_batches_decode_theirs(folder):
    data = image_folder(folder, (4, 4)).split(0.25, Generator(0))
    assert isinstance(data.x_train, Pictures) and len(data.x_test) == 3
    whole = np.asarray(data.x_train)
    for shuffle in (False, True):
        lazy, plain = (
            list(Batches((x, data.y_train), 4, shuffle=shuffle, rng=Generator(1), prefetch=2))
            for x in (data.x_train, whole)
        )
        assert len(lazy) == 3
        for found, wanted in zip(lazy, plain, strict=True):
            assert np.array_equal(found[0], wanted[0]) and np.array_equal(found[1], wanted[1])
            assert found[0].flags.c_contiguous and found[0].flags.writeable


def test_exact_resume(folder):
    def batches():
        found = image_folder(folder, (4, 4), cache=1000)
        return Batches((found.x, found.y), 5, rng=Generator(3), prefetch=1)

    one, parts = batches(), []
    for batch in one:
        parts.append(batch)
        if len(parts) == 2:
            state = one.state_dict()
            break
    other = batches()
    other.load_state_dict(state)
    rest = list(other)
    again = [*batches()]
    assert np.array_equal(np.concatenate([b[0] for b in [*parts, *rest]]),
                          np.concatenate([b[0] for b in again]))  # fmt: skip


def test_training_as_with_arrays(folder):
    found = image_folder(folder, (4, 4))
    losses = []
    for x in (found.x.scaled(), np.asarray(found.x) / np.float32(255)):
        seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
        history = fit(model, (x, found.y), "cross_entropy", "sgd", epochs=2, batch_size=5,
                      validation=0.0 + 1 / 6, metrics=["accuracy"])  # fmt: skip
        scores = evaluate(model, (x, found.y), "cross_entropy")
        losses.append([*history["loss"], *history["val_loss"], scores["loss"]])
        outputs = predict(model, x, batch_size=5)
        assert outputs.shape == (12, 2)
    assert losses[0] == losses[1]


def test_values_are_scaled(folder):
    x = image_folder(folder, (4, 4)).x
    half = x.scaled(2.0, "float64")
    assert half.dtype == np.float64 and half[1][0, 0, 0] == 20
    assert np.asarray(x.scaled()).max() == np.float32(220 / 255)
    assert np.asarray(half, np.float32).dtype == np.float32
    with pytest.raises(ConfigError, match="must not be 0"):
        x.scaled(0.0)
    with pytest.raises(DTypeError, match="must be a float"):
        x.scaled(dtype="int64")


def test_the_cache_is_bounded_and_shared(folder, monkeypatch):
    decoded = []
    original = PictureForm.decoded

    def counting(self, data, name, whole=True):
        decoded.append(name)
        return original(self, data, name, whole)

    monkeypatch.setattr(PictureForm, "decoded", counting)
    x = image_folder(folder, (4, 4), cache=7 * 48 + 47, workers=2).x
    first = np.asarray(x)
    assert x.cache.block.nbytes == 7 * 48 and len(decoded) == 12
    assert np.array_equal(np.asarray(x), first) and len(decoded) == 12 + 5
    assert np.array_equal(np.asarray(x[::-1].scaled(1.0)), first[::-1])
    all_of_them = image_folder(folder, (4, 4), cache=1 << 20).x
    assert all_of_them.cache.block.nbytes == 12 * 48


def test_threads_end_and_do_not_change_pictures(folder):
    one, many = (np.asarray(image_folder(folder, (6, 6), workers=n).x) for n in (1, 5))
    assert np.array_equal(one, many)
    assert not [t for t in threading.enumerate() if t.name.startswith("tinydl-decode")]


def decoders():
    return [t for t in threading.enumerate() if t.name.startswith("tinydl-decode")]


def test_the_next_batch_is_decoded_ahead_and_no_more(folder, monkeypatch):
    """With prefetch 1: handed out, waiting, in the thread's hands, and one that is begun."""
    decoded, original = [], PictureForm.decoded

    def counting(self, data, name, whole=True):
        decoded.append(name)
        return original(self, data, name, whole)

    monkeypatch.setattr(PictureForm, "decoded", counting)
    x = image_folder(folder, (4, 4), workers=2).x.scaled()
    batches = Batches((x, np.arange(12)), 2, shuffle=False, prefetch=1)
    for images, numbers in batches:
        assert np.array_equal(images, np.asarray(x[numbers]))
        break
    decoded.clear()
    for _ in batches:
        until = time.monotonic() + 20
        while len(decoded) < 8 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)  # for a ninth that should not come
        assert len(decoded) == 8 and decoders()
        break
    assert not decoders()


def test_a_broken_file_is_told_when_its_batch_is_asked_for(folder):
    (folder / "even" / "08.png").write_bytes(b"no picture")  # the fifth
    x = image_folder(folder, (4, 4), workers=2).x
    for prefetch in (0, 2):
        seen = []
        with pytest.raises(FormatError, match=r"08\.png"):
            for _, numbers in Batches((x, np.arange(12)), 2, shuffle=False, prefetch=prefetch):
                seen.extend(numbers.tolist())
        assert seen == [0, 1, 2, 3] and not decoders()


def test_a_broken_file_is_named(folder):
    (folder / "even" / "04.png").write_bytes(b"no picture")
    x = image_folder(folder, (4, 4), workers=2).x
    with pytest.raises(FormatError, match=r"even/04.png is not a readable image"):
        np.asarray(x)
    found = image_folder(folder, (4, 4), leave_out=["even/04.png"])
    assert np.asarray(found.x).shape[0] == 11 and found.y.tolist() == [0] * 5 + [1] * 6


def test_wrong_indices(folder):
    x = image_folder(folder, (4, 4)).x
    with pytest.raises(IndexRangeError, match="12 pictures"):
        x[12]
    with pytest.raises(ShapeError, match="several axes"):
        x[:, 0]
    with pytest.raises(ShapeError, match="mask"):
        x[np.ones(3, bool)]
    with pytest.raises(ShapeError, match=r"\(K,\)"):
        x[np.ones((2, 2), int)]
    with pytest.raises(DTypeError, match="integers"):
        x[[0.5]]
    with pytest.raises(ShapeError, match="copy"):
        np.array(x, copy=False)
    assert len(x[[]]) == 0


def test_parts(tmp_path):
    for part, n in [("train", 3), ("valid", 2), ("test", 1)]:
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for k in range(n):
                Image.fromarray(np.full((4, 4), k, np.uint8)).save(
                    tmp_path / part / name / f"{k}.png"
                )
    found = image_folder(tmp_path, (4, 4), channels=1)
    assert found.x_train.shape == (6, 4, 4, 1) and found.y_test.tolist() == [0, 1]
    assert image_folder(tmp_path, (4, 4), part="val").y.tolist() == [0, 0, 1, 1]
    with pytest.raises(ConfigError, match="no part 'dev', there are: train, val, test"):
        image_folder(tmp_path, (4, 4), part="dev")
    for name in ("a", "b"):
        (tmp_path / "test" / name / "0.png").unlink()
    with pytest.raises(ConfigError, match="parts train and val and not train and test"):
        image_folder(tmp_path, (4, 4))


def test_folders_that_hold_something_else(tmp_path, folder):
    with pytest.raises(DataError, match="lie in no class folders"):
        image_folder(folder / "even", (4, 4))
    found = image_folder(folder / "even", (4, 4), labels=False)
    assert found.classes == () and found.y.tolist() == [0] * 6
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    with pytest.raises(DataError, match="holds text, not pictures"):
        image_folder(tmp_path / "texts", (4, 4))
    with pytest.raises(DataError, match="no folder"):
        image_folder(tmp_path / "gone", (4, 4))


def test_the_benchmark_reads_what_it_makes(tmp_path):
    """Small, and without torchvision, which the extra `bench` brings."""
    bench = script(Path(__file__).resolve().parents[2] / "benchmarks" / "folders.py")
    for kind, size in bench.SIZES.items():
        root = tmp_path / kind
        bench.make(root, kind, 12, 7)
        first, second = bench.passes(bench.OURS, str(root), size, 12)
        assert first > 0 and second > 0
        images, labels = next(iter(bench.our_batches(str(root), size, 0)))
        assert images.shape == (12, size, size, 3) and images.dtype == np.float32
        assert sorted(labels.tolist()) == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    found = bench.looked_at(str(tmp_path / "png"))
    assert found["problems"] >= 5  # the links are copies
