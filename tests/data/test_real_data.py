"""The real files: counts, first labels and means as published. Nothing is downloaded here."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from tinydl.data import CATALOG, digits, fashion_mnist, fetch, list_datasets, mnist, verify
from tinydl.errors import DataError
from tinydl.random import Generator

MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture
def real_data(monkeypatch, tmp_path):
    """TINYDL_DATA at real files (as set, else ../shared/data beside the checkout), offline."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TINYDL_DATA") or beside)
    if not (folder / "mnist").is_dir():
        pytest.skip("no real data: neither TINYDL_DATA nor ../shared/data holds mnist/")
    monkeypatch.setenv("TINYDL_DATA", str(folder))
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path))
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    return folder


def test_mnist(real_data):
    data = mnist()
    assert data.x_train.shape == (60000, 28, 28) and data.x_test.shape == (10000, 28, 28)
    assert data.x_train.dtype == data.x_test.dtype == np.uint8
    assert data.y_train.dtype == data.y_test.dtype == np.int64
    assert data.input_shape == (28, 28) and len(data.classes) == 10
    assert np.bincount(data.y_train).tolist() == MNIST_TRAIN
    assert np.bincount(data.y_test).tolist() == MNIST_TEST
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


def test_fashion_mnist(real_data):
    data = fashion_mnist()
    assert np.bincount(data.y_train).tolist() == [6000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.classes[data.y_train[0]] == "Ankle boot"
    assert data.x_train.mean() / 255 == pytest.approx(0.28604, abs=5e-6)
    assert data.x_train.std() / 255 == pytest.approx(0.35302, abs=5e-6)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_catalogue_sizes_are_those_of_the_files(real_data, name):
    for file in CATALOG[name].files:
        packed = (real_data / CATALOG[name].folder / file.name).read_bytes()
        assert len(packed) == file.size
        assert len(gzip.decompress(packed)) == file.unpacked_size
    assert {row["status"] for row in verify(name)} == {"ok"}
    assert [row["status"] for row in fetch(name)] == ["ok"] * 4


def test_a_changed_file_in_the_users_folder_is_named(real_data, tmp_path, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for file in CATALOG["mnist"].files:
        (folder / file.name).write_bytes((real_data / "mnist" / file.name).read_bytes())
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    data = bytearray(labels.read_bytes())
    data[1000] ^= 1
    labels.write_bytes(bytes(data))
    monkeypatch.setenv("TINYDL_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"t10k-labels.*not the original file: SHA-256"):
        mnist()
    assert [row["status"] for row in verify("mnist")] == ["ok", "ok", "ok", "wrong"]


def test_digits():
    pytest.importorskip("sklearn", reason="needs scikit-learn (the extra `data`)")
    data = digits()
    assert data.x.shape == (1797, 8, 8) and data.x.dtype == np.float32
    assert data.y.shape == (1797,) and data.y.dtype == np.int64
    assert data.x.min() == 0 and data.x.max() == 16
    assert np.bincount(data.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    parts = data.split(0.2, Generator(0))
    assert len(parts.x_test) == len(parts.y_test) == 359 and len(parts.x_train) == 1438
    assert np.array_equal(
        np.sort(np.concatenate([parts.x_train, parts.x_test]).sum((1, 2))),
        np.sort(data.x.sum((1, 2))),
    )
    assert fetch("digits")[0]["status"] == verify("digits")[0]["status"] == "ok"


def test_list_shows_every_set(real_data):
    rows = {row["name"]: row for row in list_datasets()}
    assert list(rows) == list(CATALOG) and next(iter(rows)) == "digits"
    assert rows["mnist"]["status"] == rows["fashion_mnist"]["status"] == "ok"
    assert rows["mnist"]["path"] == str(real_data / "mnist")
    assert "MIT" in rows["fashion_mnist"]["detail"]
