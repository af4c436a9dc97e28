"""CIFAR-10 and CIFAR-100 in their binary and their Python format. Pixels as stored, N H W C."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError, MissingFileError
from ...foreign import boundary, reader
from ...quoting import quoted, shown
from ..download import locate
from ..formats.archives import members, read_bytes
from ..formats.pickles import read_pickle
from ..record import DataFile, DataSet, Mirror
from ..types import Dataset

# Sizes and SHA-256 sums of files that were not at hand are those which TensorFlow Datasets and
# Keras publish; no mirror could be opened when this was written.
_TORONTO = (
    Mirror("https://www.cs.toronto.edu/~kriz/"),
    Mirror("https://cave.cs.toronto.edu/kriz/"),
)

_KRIZHEVSKY = (
    "A. Krizhevsky, Learning multiple layers of features from tiny images, technical report, "
    "University of Toronto (2009)"
)

_CIFAR_LICENCE = "no formal licence; research use with citation"
_CIFAR_SOURCE = "https://www.cs.toronto.edu/~kriz/cifar.html"

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

# Alphabetical, as the official fine_label_names.txt and coarse_label_names.txt.
CIFAR100_CLASSES = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle"),
    *("bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle"),
    *("caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch"),
    *("crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest"),
    *("fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard"),
    *("lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse"),
    *("mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck"),
    *("pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray"),
    *("road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail"),
    *("snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank"),
    *("telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle"),
    *("wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)

CIFAR100_COARSE_CLASSES = (
    *("aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables"),
    *("household_electrical_devices", "household_furniture", "insects", "large_carnivores"),
    *("large_man-made_outdoor_things", "large_natural_outdoor_scenes"),
    *("large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates", "people"),
    *("reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2"),
)

CIFAR10 = DataSet(
    name="cifar10",
    folder="cifar10",
    files=(
        DataFile(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
            mirrors=_TORONTO,
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="50000 train + 10000 test",
    description="photographs of ten things, 32x32 colour, binary records",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)

CIFAR10_PYTHON = DataSet(
    name="cifar10_python",
    folder="cifar10",
    files=(
        DataFile(
            "cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            170_498_071,
            mirrors=(
                *_TORONTO,
                Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
            ),
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="50000 train + 10000 test",
    description="CIFAR-10 as Python pickles (read without running them)",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)

CIFAR10_SUBSET = DataSet(
    name="cifar10_subset",
    folder="cifar10",
    files=(
        DataFile(
            "data_batch_1.bin.gz",
            "2e59c1daf3bfd87ca04d1ac69028a7753e0fb8d22f14a06d6c26c50adaf01339",
            28_215_797,
        ),
        DataFile(
            "data_batch_2.bin.gz",
            "49439036bff271fe434e902335e567eac13d4be80a3b9d1543f4fca9e6b988c0",
            28_293_269,
        ),
        DataFile(
            "test_batch_5000.bin.gz",
            "da6550cbf25dac0388a7c0c245f230b2591b7ef92747fd7e879788c6bf91bcde",
            14_147_760,
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="20000 train + 5000 test",
    description="a part of CIFAR-10 in its binary format",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
    by_hand="it was selected for this project's tests; use cifar10, which can be downloaded",
    fidelity=(
        "subset: 2000 training and 500 test images per class, pixels unchanged, own selection and "
        "order, so results do not compare with those on the 50000 images"
    ),
)

CIFAR100 = DataSet(
    name="cifar100",
    folder="cifar100",
    files=(
        DataFile(
            "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            168_513_733,
            mirrors=_TORONTO,
        ),
    ),
    classes=CIFAR100_CLASSES,
    records="50000 train + 10000 test",
    description="photographs of 100 things in 20 groups, 32x32 colour, binary records",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)

CIFAR100_PYTHON = DataSet(
    name="cifar100_python",
    folder="cifar100",
    files=(
        DataFile(
            "cifar-100-python.tar.gz",
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            169_001_437,
            mirrors=(
                *_TORONTO,
                Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
            ),
        ),
    ),
    classes=CIFAR100_CLASSES,
    records="50000 train + 10000 test",
    description="CIFAR-100 as Python pickles (read without running them)",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MAX_MEMBER = 200_000_000  # the training file of CIFAR-100 has 155 MB
MAX_TOTAL = 400_000_000
Batch = tuple[np.ndarray, np.ndarray]


@checked
def cifar10(edition: str = "binary", *, folder: str | Path | None = None) -> Dataset:
    """CIFAR-10 (Krizhevsky 2009): x uint8 (50000 and 10000, 32, 32, 3), y (N,) in 0 ... 9.

    edition: "binary" or "python", the two official archives of the same images (170 MB), or
    "subset", a selection of 20000 + 5000 images whose results compare with nothing else. Found in
    TINYDL_DATA/cifar10, else in the user cache, else downloaded. folder: loose files of that
    edition instead, as the archive unpacks to, all that are there: data_batch_*.bin and
    test_batch*.bin (.gz too), or data_batch_* and test_batch* of the Python edition. Raises
    DataError when it cannot be had, FormatError for a damaged file, ConfigError for another
    edition.
    """
    if folder is not None:
        return _from_folder(folder, edition)
    entries = {"binary": CIFAR10, "python": CIFAR10_PYTHON, "subset": CIFAR10_SUBSET}
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


@checked
def cifar100(edition: str = "binary", labels: str = "fine") -> Dataset:
    """CIFAR-100 (Krizhevsky 2009): shapes of `cifar10`; 100 fine or 20 coarse classes.

    labels: "fine" (bicycle, bus, ...) or "coarse" (vehicles_1, ...). Editions "binary" and
    "python"; errors of `cifar10`.
    """
    if labels not in ("fine", "coarse"):
        raise ConfigError(f"cifar100: labels must be 'fine' or 'coarse', got {quoted(labels)}")
    dataset = _entry({"binary": CIFAR100, "python": CIFAR100_PYTHON}, edition)
    path = locate(dataset, dataset.files[0])
    key = f"{labels}_labels".encode()
    read = _read_binary_tar if edition == "binary" else _read_python_tar
    train, test = (read(path, [part], key) for part in ("train", "test"))
    classes = dataset.classes if labels == "fine" else CIFAR100_COARSE_CLASSES
    return _dataset(dataset, classes, train, test)


@reader("cifar", called="name")
def read_cifar_binary(data: bytes, label_bytes: int, name: str, label: int = 0) -> Batch:
    """(x (N, 32, 32, 3) uint8, y (N,) int64) of records of `label_bytes` + 3072 bytes.

    A record is its labels (1 for CIFAR-10; coarse and fine for CIFAR-100), then the red, green and
    blue planes, each in rows. label: which of the labels. FormatError unless the records are whole.
    """
    size = label_bytes + PIXELS
    if not data or len(data) % size:
        raise FormatError(
            f"cifar: {shown(name)} has {len(data)} bytes, not a whole number of records of {size}"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, size)
    return _images(records[:, label_bytes:]), records[:, label].astype(np.int64)


@reader("cifar", called="name")
def read_cifar_python(data: bytes, label_key: bytes, name: str) -> Batch:
    """(x, y) as `read_cifar_binary`, of a pickled dict {b"data": (N, 3072) uint8, label_key: [N]}.

    The pickle is read as data (`read_pickle`); nothing in it is run.
    """
    content = read_pickle(data, name)
    if type(content) is not dict:
        raise FormatError(f"cifar: {shown(name)} is not a dict")
    content = {k.encode("latin1") if isinstance(k, str) else k: v for k, v in content.items()}
    pixels, labels = content.get(b"data"), content.get(label_key)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise FormatError(f"cifar: {shown(name)} has no uint8 matrix 'data'")
    if pixels.shape[1] != PIXELS or type(labels) is not list or len(labels) != len(pixels):
        raise FormatError(
            f"cifar: {shown(name)} has data {pixels.shape} and no {len(pixels)} labels for it, "
            f"expected (N, {PIXELS}) and N"
        )
    if not all(type(value) is int and 0 <= value < 256 for value in labels):
        raise FormatError(f"cifar: {shown(name)} has labels that are no class numbers")
    return _images(pixels), np.array(labels, dtype=np.int64)


def _from_folder(given: str | Path, edition: str) -> Dataset:
    """What the loose files hold, data_batch_2 before data_batch_10."""
    if not isinstance(given, str | Path):
        raise ConfigError(f"cifar10: folder must be a path, got {quoted(given)}")
    folder = Path(given)
    dataset = _entry({"binary": CIFAR10, "python": CIFAR10_PYTHON}, edition)
    tail = r"\.bin(\.gz)?" if edition == "binary" else ""
    with boundary(folder, "cifar"):
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else None
    if names is None:
        raise MissingFileError(f"cifar: there is no folder {shown(folder)}")
    parts: list[list[Path]] = []
    for pattern in ("data_batch_[0-9]{1,3}", "test_batch(_[0-9]{1,6})?"):
        found = [name for name in names if re.fullmatch(pattern + tail, name)]
        if not found:
            name = pattern.partition("_batch")[0] + "_batch*" + (".bin" if tail else "")
            raise MissingFileError(
                f"cifar: {shown(folder)} has no {name}, as the {edition} edition is called"
            )
        stems = [name.partition(".")[0] for name in found]
        if len(set(stems)) != len(stems):
            raise FormatError(f"cifar: {shown(folder)} has one batch twice among {sorted(found)}")
        found.sort(key=lambda name: (len(name.partition(".")[0]), name))
        parts.append([folder / name for name in found])
    train, test = ([_loose(path, edition) for path in part] for part in parts)
    return _dataset(dataset, dataset.classes, train, test)


def _loose(path: Path, edition: str) -> Batch:
    data = read_bytes(path, MAX_MEMBER)
    if edition == "binary":
        return read_cifar_binary(data, 1, str(path))
    return read_cifar_python(data, b"labels", str(path))


def _entry(entries: dict[str, DataSet], edition: str) -> DataSet:
    if edition not in entries:
        raise ConfigError(
            f"cifar: edition must be one of {', '.join(entries)}, got {quoted(edition)}"
        )
    return entries[edition]


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
        if PurePosixPath(member).name in found:
            raise FormatError(f"cifar: {shown(path)} has {PurePosixPath(member).name} twice")
        found[PurePosixPath(member).name] = (f"{path}: {member}", data)
    if missing := [name for name in names if name not in found]:
        raise FormatError(f"cifar: {shown(path)} has no {', '.join(missing)}")
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
