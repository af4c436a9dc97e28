"""What loaders and makers of data return: arrays with their names. A type of one loader alone
stands beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..errors import ConfigError, DTypeError, FormatError
from ..quoting import quoted, shown
from .batches import take
from .formats.archives import Archive
from .formats.images import decode_image
from .split import stratified_split

if TYPE_CHECKING:
    from ..random import Generator


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Training and test samples: x (N, ...), y (N,) int64 class indices into `classes`."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x_train.shape[1:]

    def __iter__(self) -> Never:
        raise DTypeError(
            "Dataset: is no tuple; its parts are .x_train, .y_train, .x_test, .y_test, as in "
            "x, y = digits.x_train, digits.y_train"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labelled samples without a split of their own: x (N, ...), y (N,) int64 class indices."""

    name: str
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x.shape[1:]

    def split(self, test_fraction: float, rng: Generator) -> Dataset:
        """A stratified cut (`stratified_split`) into training and test samples, in file order."""
        train, test = stratified_split(self.y, test_fraction, rng)
        x, y = self.x, self.y
        return Dataset(self.name, take(x, train), y[train], take(x, test), y[test], self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Rows of named numbers with a number each: x (N, D) and y (N,) float32, as stored."""

    name: str
    columns: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Labelled rows of named numbers: x (N, D) float64, one column per name; y (N,) int64."""

    name: str
    columns: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]

    def column(self, name: str) -> np.ndarray:
        """The column `name` (N,); ConfigError if there is none."""
        return self.x[:, self._place(name)]

    def drop(self, *names: str) -> Table:
        """The table without these columns."""
        gone = {self._place(name) for name in names}
        kept = [k for k in range(len(self.columns)) if k not in gone]
        columns = tuple(self.columns[k] for k in kept)
        return replace(self, columns=columns, x=np.ascontiguousarray(self.x[:, kept]))

    def to_samples(self) -> Samples:
        """The same rows as float32 samples, to be split and batched."""
        return Samples(self.name, self.x.astype(np.float32), self.y, self.classes)

    def _place(self, name: str) -> int:
        if name not in self.columns:
            raise ConfigError(f"{self.name}: no column {quoted(name)}, there are {self.columns}")
        return self.columns.index(name)


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """K ratings: users and items (K,) int64 index `user_ids` (U,) and `item_ids` (I,).

    stars (K,) int64, times (K,) int64 seconds since 1970. titles: one per item, "" if unknown. Ids
    are numbered in the order of their first appearance.
    """

    name: str
    users: np.ndarray
    items: np.ndarray
    stars: np.ndarray
    times: np.ndarray
    user_ids: np.ndarray
    item_ids: np.ndarray
    titles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.stars)

    def take(self, indices: np.ndarray) -> Ratings:
        """Only these of the K ratings; the numbering of users and items stays."""
        chosen = (array[indices] for array in (self.users, self.items, self.stars, self.times))
        users, items, stars, times = chosen
        return replace(self, users=users, items=items, stars=stars, times=times)

    def matrix(self) -> np.ndarray:
        """(U, I) float32, the stars, 0 where there is no rating."""
        table = np.zeros((len(self.user_ids), len(self.item_ids)), dtype=np.float32)
        table[self.users, self.items] = self.stars
        return table


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """N texts: y (N,) int64 is 1 for a positive one, stars (N,) int64 in 1 ... 10 (0: unknown)."""

    texts: tuple[str, ...]
    y: np.ndarray
    stars: np.ndarray
    classes: tuple[str, ...] = ("negative", "positive")

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N pictures, each with its K boxes; pictures are decoded when asked for.

    ids: names of the pictures, ascending. sizes (N, 2) int64: height, width. boxes: per picture
    (K, 4) float32 as x_min, y_min, x_max, y_max in pixels, x to the right, y down. labels: per
    picture (K,) int64 into `classes`. ignore: per picture (K,) bool, boxes that count neither as
    found nor as missed ("difficult" in VOC, crowds in COCO). skipped: boxes that were left out for
    having no area. splits: name -> ids, as the set defines them. members: per picture its name in
    `archive`, which is None if there are only annotations.
    """

    name: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    sizes: np.ndarray
    boxes: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    ignore: tuple[np.ndarray, ...]
    skipped: int
    splits: dict[str, tuple[str, ...]]
    members: tuple[str, ...]
    archive: Archive | None

    def __len__(self) -> int:
        return len(self.ids)

    def image(self, index: int) -> np.ndarray:
        """Picture `index` as uint8 (H, W, 3); needs Pillow. FormatError if it has another size."""
        if self.archive is None:
            raise ConfigError(f"{self.name}: only annotations were read, no pictures")
        member = self.members[index]
        image = decode_image(self.archive.read(member), f"{self.archive.path}: {member}")
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        if image.shape[:2] != tuple(self.sizes[index]):
            size = self.sizes[index]
            raise FormatError(
                f"{self.name}: {shown(member)} is {image.shape[:2]}, annotated as {size}"
            )
        return image

    def part(self, split: str) -> Detections:
        """The pictures of one of `splits`; ConfigError if there is none of that name."""
        if split not in self.splits:
            known = ", ".join(self.splits) or "none"
            raise ConfigError(f"{self.name}: no split {quoted(split)}, there are {known}")
        place = {name: k for k, name in enumerate(self.ids)}
        if missing := [name for name in self.splits[split] if name not in place]:
            raise FormatError(
                f"{self.name}: split {split} names {quoted(missing[0])}, which is not there"
            )
        return self.take([place[name] for name in self.splits[split]])

    def take(self, indices: list[int]) -> Detections:
        """Only these pictures, in this order; `skipped` stays that of the whole set."""
        pick = ("ids", "boxes", "labels", "ignore", "members")
        chosen: dict[str, Any] = {n: tuple(getattr(self, n)[k] for k in indices) for n in pick}
        return replace(self, sizes=self.sizes[indices], **chosen)
