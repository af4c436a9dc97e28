"""Pictures in files, in the place of an array of pictures: decoded when asked for, in threads, with
a cache of bounded size."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import integers, is_whole, number, sizes, texts, whole
from ...doors import checked
from ...errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ...foreign import read_regular
from ...quoting import quoted
from ..formats.images import MAX_BYTES
from .form import PictureForm
from .walk import checked_path

MOST_WORKERS = 8
STRETCH = 8  # pictures that a thread decodes before it asks for more


class Cache:
    """Decoded pictures, the first that come, in at most `bound` bytes: an epoch asks for each
    picture once, so that what makes room for others would never be there when asked for."""

    def __init__(self, files: int, shape: tuple[int, ...], bound: int) -> None:
        self.capacity = min(files, bound // max(1, int(np.prod(shape))))
        self.block = np.empty((self.capacity, *shape), np.uint8)  # pages are taken when written
        self.places = np.full(files, -1, np.int64)  # of each file its row in the block
        self._free = count()

    def keep(self, file: int, pixels: np.ndarray) -> None:
        """Keep a picture if there is room; from any thread."""
        if self.capacity and self.places[file] < 0:
            place = next(self._free)
            if place < self.capacity:
                self.block[place] = pixels
                self.places[file] = place  # last: whoever sees it finds the pixels


class Pictures:
    """N pictures in files, (N, H, W, C) uint8 by the rule `form`; nothing is opened before a
    picture is asked for.

    `x[k]` decodes picture k, an array (H, W, C); `x[2:5]`, `x[[3, 1]]` and `x.take(indices)` are
    `Pictures` again and decode nothing; `np.asarray(x)` decodes all. `Batches`, `fit`, `evaluate`,
    `predict` and the splits take it where they take an array, and decode a batch at a time.

    root, paths: the folder, and the files relative to it. form: size, fit and channels. cache: how
    many bytes of decoded pictures are kept. workers: threads that decode (None: a processor each,
    at most 8); the pictures do not depend on it. whole: check that each file has all of its pixels
    (`read_image`), which doubles the time; without, what a decoder fills in goes unnoticed.

    A file that cannot be decoded is a FormatError with its name when it is asked for.
    """

    @checked
    def __init__(
        self,
        root: str | Path,
        paths: Sequence[str],
        form: PictureForm,
        cache: int = 0,
        workers: int | None = None,
        whole: bool = False,
    ) -> None:
        bound = _whole("cache", cache, 0)
        self.root, self.form = checked_path("Pictures", "root", root), form
        self.paths = texts("Pictures", "paths", paths)
        self.workers = processors() if workers is None else _whole("workers", workers, 1)
        self.whole = whole
        self.cache = Cache(len(self.paths), form.shape, bound)
        self.files = np.arange(len(self.paths))  # of each picture its place in `paths`
        self.dtype, self.divisor = np.dtype(np.uint8), 1.0

    # -- as an array -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C)."""
        return (len(self.files), *self.form.shape)

    @property
    def ndim(self) -> int:
        """Four."""
        return 4

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"Pictures({self.shape}, {self.dtype}, in files)"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ShapeError("Pictures: an array of them is always a copy: they are in files")
        found = self.rows(np.arange(len(self)))
        return found if dtype is None else found.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._of(self.files[key])
        if is_whole(key):
            return self.rows(np.array([key]))[0]
        if isinstance(key, tuple):
            raise ShapeError(
                f"Pictures: {quoted(key)} has several axes, and pictures in files have one; "
                "np.asarray(x[:100]) decodes a hundred"
            )
        found = np.asarray(key)
        if found.dtype == bool:
            if found.shape != (len(self),):
                raise ShapeError(f"Pictures: a mask must be ({len(self)},), got {found.shape}")
            found = np.flatnonzero(found)
        return self.take(found)

    def take(self, indices: np.ndarray) -> Pictures:
        """The pictures of these indices (K,), which share the cache; nothing is decoded."""
        return self._of(self.files[self._within(indices)])

    def scaled(self, divisor: float = 255.0, dtype: str = "float32") -> Pictures:
        """The same with values divided by `divisor`, as floats; they share the cache, which stays
        uint8. ConfigError for 0, DTypeError for what is no float."""
        by, kind = number("Pictures.scaled", "divisor", divisor), np.dtype(dtype)
        if by == 0:
            raise ConfigError("Pictures.scaled: divisor must not be 0")
        if kind.kind != "f":
            raise DTypeError(f"Pictures.scaled: dtype must be a float, got {kind}")
        found = self._of(self.files)
        found.dtype, found.divisor = kind, self.divisor * by
        return found

    # -- decoding ----------------------------------------------------------------------------------

    def rows(self, indices: np.ndarray) -> np.ndarray:
        """The pictures of these indices (K,), decoded: (K, H, W, C)."""
        missing = (self.cache.places[self.files[self._within(indices)]] < 0).sum()
        if min(self.workers, missing) < 2:
            return self.begun(indices)()
        with ThreadPoolExecutor(min(self.workers, missing), "tinydl-decode") as pool:
            return self.begun(indices, pool)()

    def begun(
        self, indices: np.ndarray, pool: ThreadPoolExecutor | None = None
    ) -> Callable[[], np.ndarray]:
        """What gives `rows(indices)` when called; the threads of `pool` decode them from now on.
        Whoever wants many batches begins the next before asking for one, so that no thread waits
        for the slowest at the end of each."""
        files = self.files[self._within(indices)]
        sizes("Pictures", (len(files), *self.form.shape), self.dtype.itemsize)
        found = np.empty((len(files), *self.form.shape), self.dtype)
        if pool is None:
            return lambda: self._filled(found, files)
        length = max(1, min(STRETCH, -(-len(files) // self.workers)))
        waiting = [
            pool.submit(self._filled, found[k : k + length], files[k : k + length])
            for k in range(0, len(files), length)
        ]

        def finished() -> np.ndarray:
            for one in waiting:  # in order, so that of two faults the first is told
                one.result()
            return found

        return finished

    def path(self, index: int) -> str:
        """The file of picture `index`."""
        return os.path.join(self.root, self.paths[self.files[self._within([index])][0]])

    def _filled(self, found: np.ndarray, files: np.ndarray) -> np.ndarray:
        """`found` with the pictures of these files in it, from the cache where they are there."""
        places = self.cache.places[files]
        if len(files) and (places >= 0).all():
            self._put(np.take(self.cache.block, places, axis=0), found)
            return found
        for row, (file, place) in enumerate(zip(files.tolist(), places.tolist(), strict=True)):
            pixels = self.cache.block[place] if place >= 0 else self._decoded(file)
            self._put(pixels, found[row])
        return found

    def _put(self, pixels: np.ndarray, found: np.ndarray) -> None:
        """uint8 pixels as this object's values, in the thread that has just decoded them."""
        if self.dtype.kind == "u":
            found[...] = pixels
        else:
            np.divide(pixels, self.dtype.type(self.divisor), out=found)

    def _decoded(self, file: int) -> np.ndarray:
        path = os.path.join(self.root, self.paths[file])
        data = read_regular(path, MAX_BYTES, "read_image")
        pixels = self.form.decoded(data, path, self.whole)
        self.cache.keep(file, pixels)
        return pixels

    def _within(self, indices: Any) -> np.ndarray:
        found = integers("Pictures", "indices", indices)
        if found.ndim != 1:
            raise ShapeError(f"Pictures: indices must be (K,), got {found.shape}")
        if found.size and not -len(self) <= found.min() <= found.max() < len(self):
            raise IndexRangeError(f"Pictures: an index is out of range for {len(self)} pictures")
        return found

    def _of(self, files: np.ndarray) -> Pictures:
        """Others of the same files; everything else is shared."""
        found = object.__new__(Pictures)
        found.__dict__.update(self.__dict__)
        found.files = files
        return found


def processors() -> int:
    """Those that this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(MOST_WORKERS, os.cpu_count() or 1)


def _whole(name: str, value: int, least: int) -> int:
    return whole("Pictures", name, value, least)
