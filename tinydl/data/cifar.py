"""CIFAR-10 and CIFAR-100 in their binary and their Python format. Pixels as stored, N H W C."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import members, read_bytes
from .catalog import CATALOG
from .datasets import Dataset
from .download import locate
from .pickles import read_pickle
from .record import DataSet
from .records_images import CIFAR100_COARSE_CLASSES

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MAX_MEMBER = 200_000_000  # the training file of CIFAR-100 has 155 MB
MAX_TOTAL = 400_000_000
Batch = tuple[np.ndarray, np.ndarray]


def cifar10(edition: str = "binary") -> Dataset:
    """CIFAR-10 (Krizhevsky 2009): x uint8 (50000 and 10000, 32, 32, 3), y (N,) in 0 ... 9.

    edition: "binary" or "python", the two official archives of the same images (170 MB), or
    "subset", a selection of 20000 + 5000 images whose results compare with nothing else. Found in
    TINYDL_DATA/cifar10, else in the user cache, else downloaded. Raises DataError when it cannot be
    had, FormatError for a damaged file, ConfigError for another edition.
    """
    entries = {"binary": "cifar10", "python": "cifar10_python", "subset": "cifar10_subset"}
    dataset = _entry(entries, edition)
    paths = [locate(dataset, file) for file in dataset.files]
    if edition == "subset":
        parts = [read_cifar_binary(read_bytes(path, MAX_MEMBER), 1, str(path)) for path in paths]
        train, test = parts[:-1], parts[-1:]
    else:
        names = [f"data_batch_{k}" for k in range(1, 6)], ["test_batch"]
        read = _read_binary_tar if edition == "binary" else _read_python_tar
        train, test = (read(paths[0], part, b"labels") for part in names)
    return _dataset(dataset, dataset.classes, train, test)


def cifar100(edition: str = "binary", labels: str = "fine") -> Dataset:
    """CIFAR-100 (Krizhevsky 2009): shapes of `cifar10`; 100 fine or 20 coarse classes.

    labels: "fine" (bicycle, bus, ...) or "coarse" (vehicles_1, ...). Editions "binary" and
    "python"; errors of `cifar10`.
    """
    if labels not in ("fine", "coarse"):
        raise ConfigError(f"cifar100: labels must be 'fine' or 'coarse', got {labels!r}")
    dataset = _entry({"binary": "cifar100", "python": "cifar100_python"}, edition)
    path = locate(dataset, dataset.files[0])
    key = f"{labels}_labels".encode()
    read = _read_binary_tar if edition == "binary" else _read_python_tar
    train, test = (read(path, [part], key) for part in ("train", "test"))
    classes = dataset.classes if labels == "fine" else CIFAR100_COARSE_CLASSES
    return _dataset(dataset, classes, train, test)


def read_cifar_binary(data: bytes, label_bytes: int, name: str, label: int = 0) -> Batch:
    """(x (N, 32, 32, 3) uint8, y (N,) int64) of records of `label_bytes` + 3072 bytes.

    A record is its labels (1 for CIFAR-10; coarse and fine for CIFAR-100), then the red, green and
    blue planes, each in rows. label: which of the labels. FormatError unless the records are whole.
    """
    size = label_bytes + PIXELS
    if not data or len(data) % size:
        raise FormatError(
            f"cifar: {name} has {len(data)} bytes, not a whole number of records of {size}"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, size)
    return _images(records[:, label_bytes:]), records[:, label].astype(np.int64)


def read_cifar_python(data: bytes, label_key: bytes, name: str) -> Batch:
    """(x, y) as `read_cifar_binary`, of a pickled dict {b"data": (N, 3072) uint8, label_key: [N]}.

    The pickle is read as data (`read_pickle`); nothing in it is run.
    """
    content = read_pickle(data, name)
    if type(content) is not dict:
        raise FormatError(f"cifar: {name} is not a dict")
    content = {k.encode("latin1") if isinstance(k, str) else k: v for k, v in content.items()}
    pixels, labels = content.get(b"data"), content.get(label_key)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise FormatError(f"cifar: {name} has no uint8 matrix 'data'")
    if pixels.shape[1] != PIXELS or type(labels) is not list or len(labels) != len(pixels):
        raise FormatError(
            f"cifar: {name} has data {pixels.shape} and no {len(pixels)} labels for it, expected "
            f"(N, {PIXELS}) and N"
        )
    if not all(type(value) is int and 0 <= value < 256 for value in labels):
        raise FormatError(f"cifar: {name} has labels that are no class numbers")
    return _images(pixels), np.array(labels, dtype=np.int64)


def _entry(entries: dict[str, str], edition: str) -> DataSet:
    if edition not in entries:
        raise ConfigError(f"cifar: edition must be one of {', '.join(entries)}, got {edition!r}")
    return CATALOG[entries[edition]]


def _images(planes: np.ndarray) -> np.ndarray:
    """(N, 3 * 32 * 32) colour planes -> (N, 32, 32, 3)."""
    return np.ascontiguousarray(planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _read_binary_tar(path: Path, names: list[str], key: bytes) -> list[Batch]:
    label_bytes = 1 if key == b"labels" else 2
    label = 1 if key == b"fine_labels" else 0
    found = _members(path, [f"{name}.bin" for name in names])
    return [read_cifar_binary(data, label_bytes, name, label) for name, data in found]


def _read_python_tar(path: Path, names: list[str], key: bytes) -> list[Batch]:
    return [read_cifar_python(data, key, name) for name, data in _members(path, names)]


def _members(path: Path, names: list[str]) -> list[tuple[str, bytes]]:
    """The members with these file names in whatever folder, in the order of `names`."""

    def select(member: str) -> bool:
        return PurePosixPath(member).name in names

    found = {}
    for member, data in members(path, select, MAX_MEMBER, MAX_TOTAL):
        found[PurePosixPath(member).name] = (f"{path}: {member}", data)
    if missing := [name for name in names if name not in found]:
        raise FormatError(f"cifar: {path} has no {', '.join(missing)}")
    return [found[name] for name in names]


def _dataset(
    dataset: DataSet, classes: tuple[str, ...], train: list[Batch], test: list[Batch]
) -> Dataset:
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    x_test, y_test = (np.concatenate(parts) for parts in zip(*test, strict=True))
    largest = max(y_train.max(), y_test.max())
    if largest >= len(classes):
        raise FormatError(f"cifar: {dataset.name} has the label {largest} of {len(classes)}")
    return Dataset(dataset.name, x_train, y_train, x_test, y_test, classes)
