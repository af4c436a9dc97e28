"""CIFAR's formats and what their files may hold; whole archives are rows of cases/loaders.py."""

import gzip
import pickle
from functools import partial

import numpy as np
import pytest
from cases.archives import cifar_records, planes, tar
from support import empty_folders, install_set

from tinydl.data import cifar10, cifar100, read_cifar_binary, read_cifar_python
from tinydl.errors import ConfigError, DataError, FormatError
from tinydl.random import Generator


def images(n, seed):
    return Generator(seed).integers(0, 256, (n, 32, 32, 3)).astype(np.uint8)


def batch(x, protocol=2, **labels):
    content = {name.encode(): list(map(int, values)) for name, values in labels.items()}
    content[b"data"] = planes(x)
    return pickle.dumps(content, protocol)


@pytest.fixture
def install(monkeypatch, tmp_path):
    empty_folders(monkeypatch, tmp_path)
    return partial(install_set, monkeypatch, tmp_path)


def test_the_planes_become_channels():
    x = images(3, 0)
    read, y = read_cifar_binary(cifar_records(x, [7, 0, 9]), 1, "x")
    assert np.array_equal(read, x) and y.tolist() == [7, 0, 9] and y.dtype == np.int64
    assert read.flags.c_contiguous
    data = cifar_records(x, [1, 2, 3], [50, 60, 70])
    assert read_cifar_binary(data, 2, "x")[1].tolist() == [1, 2, 3]
    assert read_cifar_binary(data, 2, "x", label=1)[1].tolist() == [50, 60, 70]
    assert np.array_equal(read_cifar_binary(data, 2, "x")[0], x)


@pytest.mark.parametrize("edition", ["binary", "python"])
@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_cifar100_archives(install, edition, kind):
    train, test = images(3, 0), images(2, 1)
    fine, coarse = [[99, 0, 50], [1, 2]], [[19, 0, 7], [3, 4]]
    if edition == "binary":
        files = {
            "cifar-100-binary/train.bin": cifar_records(train, coarse[0], fine[0]),
            "cifar-100-binary/test.bin": cifar_records(test, coarse[1], fine[1]),
        }
    else:
        files = {
            f"cifar-100-python/{name}": batch(x, fine_labels=f, coarse_labels=c)
            for name, x, f, c in zip(("train", "test"), (train, test), fine, coarse, strict=True)
        }
    install("cifar100" if edition == "binary" else "cifar100_python", [tar(files)])
    data = cifar100(edition, kind)
    expected = fine if kind == "fine" else coarse
    assert [data.y_train.tolist(), data.y_test.tolist()] == expected
    assert np.array_equal(data.x_train, train) and np.array_equal(data.x_test, test)
    assert len(data.classes) == (100 if kind == "fine" else 20)


@pytest.mark.parametrize("cut", [0, 1, 3072, 3074, 6145])
def test_truncated_records(cut):
    data = cifar_records(images(2, 0), [1, 2])
    with pytest.raises(FormatError, match="not a whole number of records of 3073"):
        read_cifar_binary(data[:cut], 1, "x")


def test_labels_beyond_the_classes(install):
    files = {f"b/data_batch_{k}.bin": cifar_records(images(1, k), [9]) for k in range(1, 6)}
    install("cifar10", [tar(files | {"b/test_batch.bin": cifar_records(images(1, 0), [10])})])
    with pytest.raises(FormatError, match="label 10 of 10"):
        cifar10()
    install("cifar10", [tar(files)])
    with pytest.raises(FormatError, match=r"has no test_batch\.bin"):
        cifar10()


def loose(folder, edition, train=(3, 10, 1), packed=False):
    """Batches 1, 3 and 10 with their number as the first label, and a test batch."""
    folder.mkdir(exist_ok=True)
    for name, k in [*((f"data_batch_{k}", k) for k in train), ("test_batch", 0)]:
        x = images(2, k)
        if edition == "binary":
            content = cifar_records(x, [k % 10, 5])
            name += ".bin" + ".gz" * packed
        else:
            content = batch(x, labels=[k % 10, 5])
        (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("edition, packed", [("binary", 0), ("binary", 1), ("python", 0)])
def test_loose_files(tmp_path, edition, packed):
    data = cifar10(edition, folder=loose(tmp_path / "x", edition, packed=packed))
    assert data.y_train.tolist() == [1, 5, 3, 5, 0, 5] and data.y_test.tolist() == [0, 5]
    expected = np.concatenate([images(2, k) for k in (1, 3, 10)])
    assert np.array_equal(data.x_train, expected) and np.array_equal(data.x_test, images(2, 0))
    assert data.classes[1] == "automobile"


def test_folders_that_hold_no_batches(tmp_path):
    folder = loose(tmp_path / "x", "binary")
    with pytest.raises(DataError, match=r"has no data_batch\*, as the python edition is called"):
        cifar10("python", folder=str(folder))
    (folder / "data_batch_3.bin.gz").write_bytes(b"")
    with pytest.raises(FormatError, match=r"has one batch twice"):
        cifar10(folder=folder)
    (folder / "data_batch_3.bin.gz").unlink()
    (folder / "data_batch_3.bin").write_bytes(b"123")
    with pytest.raises(FormatError, match="not a whole number of records of 3073"):
        cifar10(folder=folder)
    (folder / "test_batch.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no test_batch\*\.bin, as the binary edition"):
        cifar10(folder=folder)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        cifar10(folder=tmp_path / "none")
    with pytest.raises(ConfigError, match="edition must be one of binary, python"):
        cifar10("subset", folder=folder)
    with pytest.raises(ConfigError, match="folder must be a path, got 3"):
        cifar10(folder=3)


def test_python_batches_that_are_none():
    x = images(2, 0)
    planes = x.transpose(0, 3, 1, 2).reshape(2, -1)
    good = {b"data": planes, b"labels": [1, 2]}
    assert np.array_equal(read_cifar_python(pickle.dumps(good), b"labels", "x")[0], x)
    for content in (
        [1, 2],
        {b"labels": [1, 2]},
        {b"data": planes},
        good | {b"labels": [1]},
        good | {b"labels": [1, "a"]},
        good | {b"labels": [1, 256]},
        good | {b"labels": [1, True]},
        good | {b"data": planes.astype(np.int16)},
        good | {b"data": planes[:, :-1]},
        good | {b"data": planes[0]},
    ):
        with pytest.raises(FormatError, match="cifar: x"):
            read_cifar_python(pickle.dumps(content), b"labels", "x")


def test_wrong_arguments_and_missing_files(install):
    with pytest.raises(ConfigError, match="edition must be one of binary, python, subset"):
        cifar10("matlab")
    with pytest.raises(ConfigError, match="'fine' or 'coarse'"):
        cifar100(labels="both")
    with pytest.raises(DataError, match="TINYDL_OFFLINE forbids"):
        cifar10()
    with pytest.raises(DataError, match="cannot be downloaded: it was selected for"):
        cifar10("subset")
