"""Mini-batches of NumPy arrays: a generator of its own, optional prefetch thread, exact resume."""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from collections.abc import Generator as PyGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import numpy as np

from ..arguments import array as as_array
from ..arguments import axes, integers, is_tensor, is_whole, whole
from ..doors import checked, first_annotation
from ..errors import ConfigError, DataError, DTypeError, IndexRangeError, ShapeError
from ..quoting import quoted
from ..random import Generator, default_generator

Batch = tuple[np.ndarray, ...]
Transform = Callable[[Batch, Any], Batch]
State = dict[str, Any]
Rows = TypeVar("Rows")  # an array, or what reads its rows when asked for
PreparedBatches = PyGenerator[tuple[Batch, State | None], None, None]


class Batches:
    """`Batches(x, y, batch_size=32)` or `Batches((x, y), 32)`: aligned arrays in mini-batches;
    every `for` loop is one epoch.

    arrays: ndarrays of one first size N, copied once if not C-contiguous; tensors, by their values;
        lists of numbers, as float32 or int64; `Pictures` in files, of which each batch is decoded
        when it is its turn.
    batch_size: samples per batch B; the last batch holds the remaining N mod B unless `drop_last`.
    shuffle: a new order every epoch, drawn from `rng`.
    rng: is asked for one `spawn()` here and never used again, so other users of it do not disturb
        the order. None: the default generator (`tinydl.seed`), if anything is to be drawn.
    transform: called as transform(batch, rng) -> batch, with a generator of its own, spawned each
        epoch; it runs in the prefetch thread, so it must handle NumPy arrays only. A new thread
        starts with an empty context: `no_grad` and the default backend of the caller are not seen
        there.
    prefetch: how many batches a thread prepares ahead; 0 prepares each when it is asked for. The
        batches are the same for every value.

    Yields tuples of fresh C-contiguous ndarrays (B, ...) with the dtypes of `arrays`; conversion
    and scaling belong to the transform or the caller. Only the newest iterator is valid.

    `state_dict()` is JSON-able and describes the last batch handed out; an equal `Batches` that
    loads it finishes that epoch (possibly with no batch left) in its next `for` loop, and goes on
    with the same epochs. Raises ConfigError, ShapeError or DTypeError for arguments that do not
    fit.
    """

    @checked
    def __init__(
        self,
        *arrays: Any,
        batch_size: int | None = None,
        shuffle: bool = True,
        rng: Generator | None = None,
        drop_last: bool = False,
        transform: Transform | None = None,
        prefetch: int = 0,
    ) -> None:
        arrays, batch_size = _parted(arrays, batch_size)
        self.arrays = _aligned(arrays)
        self.samples = len(self.arrays[0])
        self.batch_size = batch_size = _check_count("batch_size", batch_size, 1)
        self.prefetch = _check_count("prefetch", prefetch, 0)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.transform = transform
        if transform is not None and first_annotation(transform) == "Sample":
            raise ConfigError(
                f"Batches: {type(transform).__name__} changes one picture, a transform whole "
                f"batches; write transform=Each({type(transform).__name__}(...))"
            )
        if drop_last and self.samples < batch_size:
            raise ConfigError(
                f"Batches: drop_last drops all {self.samples} samples at batch_size {batch_size}"
            )
        if rng is None and (shuffle or transform is not None):
            rng = default_generator()
        self._rng = None if rng is None else rng.spawn()
        self._epoch = 0  # the epoch that `_batch` counts in
        self._batch = 0  # batches handed out in this epoch
        self._epoch_state = self._rng_state(self._rng)  # of `_rng` when this epoch began
        self._transform_state: State | None = None  # after the last batch handed out
        self._resuming = False
        self._newest: object = None  # token of the newest iterator

    def __len__(self) -> int:
        """Batches per epoch: ceil(N / B), or floor(N / B) with `drop_last`."""
        if self.drop_last:
            return self.samples // self.batch_size
        return -(-self.samples // self.batch_size)

    @property
    def epoch(self) -> int:
        """How many epochs have been finished or abandoned."""
        return self._epoch

    def __iter__(self) -> Iterator[Batch]:
        if self._batch and not self._resuming:
            self._epoch += 1  # the last epoch was abandoned
            self._batch = 0
        if not self._resuming:
            self._epoch_state, self._transform_state = self._rng_state(self._rng), None
        self._resuming = False
        # Always in this order, so that resuming draws the same permutation and the same child
        # again.
        order = self._rng.permutation(self.samples) if self.shuffle and self._rng else None
        transform_rng = self._rng.spawn() if self._rng else None
        if transform_rng is not None and self._transform_state is not None:
            transform_rng.load_state_dict(self._transform_state)
        self._newest = token = object()
        return self._hand_out(token, self._prepare(order, transform_rng, self._batch))

    def state_dict(self) -> State:
        """Position after the last batch handed out: integers, strings and nested dicts of them."""
        return {
            "samples": self.samples,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "epoch": self._epoch,
            "batch": self._batch,
            "rng": _copied(self._epoch_state),
            "transform_rng": _copied(self._transform_state),
        }

    def load_state_dict(self, state: State) -> None:
        """Continue where `state` was taken; ConfigError if sizes or settings differ."""
        own = self.state_dict()
        if state.keys() != own.keys():
            raise ConfigError(f"Batches: the state has keys {sorted(state)}, not {sorted(own)}")
        for key in ("samples", "batch_size", "shuffle", "drop_last"):
            if state[key] != own[key]:
                raise ConfigError(
                    f"Batches: the state has {key} {quoted(state[key])}, not {own[key]!r}"
                )
        if _check_count("batch", state["batch"], 0) > len(self):
            raise ConfigError(f"Batches: the state has batch {state['batch']} of {len(self)}")
        if (state["rng"] is None) != (self._rng is None):
            raise ConfigError("Batches: one of the state and this object has no rng")
        epoch = _check_count("epoch", state["epoch"], 0)
        if self._rng is not None:  # everything is checked: from here on it changes
            self._rng.load_state_dict(state["rng"])
        self._epoch = epoch
        self._batch = state["batch"]
        self._epoch_state = _copied(state["rng"])
        self._transform_state = _copied(state["transform_rng"])
        self._resuming = True
        self._newest = None

    @staticmethod
    def _rng_state(rng: Generator | None) -> State | None:
        return None if rng is None else rng.state_dict()

    def _prepare(
        self, order: np.ndarray | None, rng: Generator | None, first: int
    ) -> PreparedBatches:
        """Batches first, first + 1, ... of an epoch, each with the transform's rng state after."""
        lazy = self.prefetch and any(map(is_lazy, self.arrays))
        with closing(self._ahead(order, first) if lazy else self._drawn(order, first)) as drawn:
            for batch in drawn:
                if self.transform is not None:
                    batch = self.transform(batch, rng)
                yield batch, self._rng_state(rng)

    def _drawn(self, order: np.ndarray | None, first: int) -> PyGenerator[Batch, None, None]:
        """The samples of batches first, first + 1, ..."""
        for k in range(first, len(self)):
            start, stop = k * self.batch_size, min((k + 1) * self.batch_size, self.samples)
            if order is None:
                yield tuple(_stretch(array, start, stop) for array in self.arrays)
            else:
                yield tuple(_rows(array, order[start:stop]) for array in self.arrays)

    def _ahead(self, order: np.ndarray | None, first: int) -> PyGenerator[Batch, None, None]:
        """As `_drawn`, where some are in files: the threads that decode have the next batch to go
        on with while one is waited for, transformed and handed over."""
        places = np.arange(self.samples) if order is None else order
        lazy: list[Any] = [array for array in self.arrays if is_lazy(array)]
        workers = max(array.workers for array in lazy)
        pool = ThreadPoolExecutor(workers, "tinydl-decode")
        begun: deque[list[Any]] = deque()
        try:
            for k in range(first, len(self)):
                rows = places[k * self.batch_size : (k + 1) * self.batch_size]
                begun.append([_begun(array, rows, pool) for array in self.arrays])
                if len(begun) > 1:
                    yield tuple(one() for one in begun.popleft())
            while begun:
                yield tuple(one() for one in begun.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _hand_out(self, token: object, prepared: PreparedBatches) -> Iterator[Batch]:
        """Counts what the consumer has received; the prefetch thread may be further on."""
        source = prefetched(prepared, self.prefetch) if self.prefetch else prepared
        with closing(source):
            for batch, transform_state in source:
                self._check_newest(token)
                self._batch += 1
                self._transform_state = transform_state
                yield batch
                self._check_newest(token)
        self._check_newest(token)
        self._epoch, self._batch, self._transform_state = self._epoch + 1, 0, None
        self._epoch_state = self._rng_state(self._rng)

    def _check_newest(self, token: object) -> None:
        if self._newest is not token:
            raise ConfigError("Batches: this iterator is stale, a newer one or a load replaced it")


def is_lazy(value: Any) -> bool:
    """Whether it stands in the place of an array and reads rows when asked for, as `Pictures`."""
    return hasattr(type(value), "begun") and hasattr(type(value), "take")


def _stretch(array: Any, start: int, stop: int) -> np.ndarray:
    return array.rows(np.arange(start, stop)) if is_lazy(array) else array[start:stop].copy()


def _rows(array: Any, indices: np.ndarray) -> np.ndarray:
    return array.rows(indices) if is_lazy(array) else take(array, indices)


def _begun(array: Any, indices: np.ndarray, pool: ThreadPoolExecutor) -> Callable[[], np.ndarray]:
    return array.begun(indices, pool) if is_lazy(array) else lambda: take(array, indices)


@checked
def take(array: Rows, indices: np.ndarray) -> Rows:
    """array[indices] along axis 0 as a fresh C-contiguous array; IndexRangeError out of range.

    Negative indices count from the end. For a C-contiguous array this is one memory copy per row;
    np.take would first copy any other array whole. Of `Pictures` in files those, nothing decoded.
    """
    if is_lazy(array):
        return array.take(indices)  # type: ignore[attr-defined]
    return _taken(as_array("take", "array", array), indices)  # type: ignore[return-value]


def _taken(array: np.ndarray, indices: np.ndarray) -> np.ndarray:
    axes("take", "array", array)
    indices = integers("take", "indices", indices)
    if indices.size and not -len(array) <= indices.min() <= indices.max() < len(array):
        raise IndexRangeError(f"take: an index is out of range for {len(array)} rows")
    if not array.flags.c_contiguous:
        return np.ascontiguousarray(array[indices])
    return np.take(array, indices, axis=0)


def prefetched(source: Iterator[Any], depth: int) -> PyGenerator[Any, None, None]:
    """The items of `source`, drawn by a daemon thread up to `depth` + 1 items ahead.

    An exception of the source is raised here, with its traceback. Closing the generator, or
    dropping it, stops the thread after the item that it is working on and waits for it.
    """
    items: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_produce, args=(source, items, stop), name="tinydl-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            kind, value = _next_item(items, thread)
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stop.set()
        # One producer, so at most one put is waiting: emptying the queue lets it through to see
        # `stop`.
        while not items.empty():
            items.get_nowait()
        if not sys.is_finalizing():  # the thread is gone then, and Python >= 3.14 raises in join
            thread.join()


def _produce(source: Iterator[Any], items: queue.Queue, stop: threading.Event) -> None:
    try:
        for item in source:
            items.put(("item", item))
            if stop.is_set():
                return
        items.put(("end", None))
    except BaseException as error:
        items.put(("error", error))


def _next_item(items: queue.Queue, thread: threading.Thread) -> tuple[str, Any]:
    while True:
        try:
            return items.get(timeout=1.0)
        except queue.Empty:
            # After os.fork() the child has the queue but not the thread.
            if not thread.is_alive() and items.empty():
                raise DataError("Batches: the prefetch thread is gone (after a fork?)") from None


def _copied(state: State | None) -> State | None:
    return None if state is None else dict(state)


def _parted(given: tuple[Any, ...], batch_size: int | None) -> tuple[tuple[Any, ...], int]:
    """(arrays, batch_size) of what stands before the keywords: x, y or (x, y), perhaps a size."""
    if len(given) > 1 and is_whole(given[-1]):
        if batch_size is not None:
            raise ConfigError(f"Batches: batch_size is given twice, {given[-1]} and {batch_size}")
        *given, batch_size = given  # type: ignore[assignment]
    if len(given) > 1 and isinstance(given[-1], bool):
        raise ConfigError(
            f"Batches: shuffle is given by its name: Batches((x, y), 32, shuffle={given[-1]})"
        )
    for i, one in enumerate(given):
        if one is None or isinstance(one, bool | int | float | Generator):
            raise ConfigError(
                f"Batches: number {i + 1} is {quoted(one)}, no array; after the arrays comes "
                "batch_size, everything else by its name: Batches((x, y), 32, shuffle=False)"
            )
    if len(given) == 1 and (isinstance(given[0], tuple) or is_row_of_arrays(given[0])):
        given = tuple(given[0])
    if not given:
        raise ConfigError("Batches: needs a tuple of at least one array, as in Batches((x, y), 32)")
    if batch_size is None:
        raise ConfigError("Batches: needs a batch_size, as in Batches(x, y, batch_size=32)")
    return tuple(given), batch_size


def is_row_of_arrays(value: Any) -> bool:
    """Whether a list holds arrays and tensors, rather than numbers."""
    row = isinstance(value, list) and bool(value)
    return row and all(isinstance(one, np.ndarray) or is_tensor(one) or is_lazy(one)
                       for one in value)  # fmt: skip


def host_array(op: str, name: str, value: Any) -> np.ndarray:
    """An ndarray, the values of a tensor, or a list of numbers as float32 or int64; what reads its
    rows when asked for (`is_lazy`) as it is; DTypeError."""
    if is_lazy(value):
        return value
    if is_tensor(value):
        value = value.numpy()
    found = value
    if isinstance(value, list | tuple):
        try:
            found = np.asarray(value)
        except ValueError:
            raise DTypeError(
                f"{op}: {name} has rows of different length; pad_sequences makes them equal"
            ) from None
        found = found.astype({"f": np.float32, "i": np.int64}.get(found.dtype.kind, found.dtype))
    if not isinstance(found, np.ndarray) or found.dtype.hasobject:
        kind = getattr(found, "dtype", type(value).__name__)
        own = " (its arrays are .x and .y)" if hasattr(value, "x") and hasattr(value, "y") else ""
        raise DTypeError(f"{op}: {name} must be an array of numbers, got {kind}{own}")
    return found


def _aligned(arrays: tuple[Any, ...]) -> Batch:
    """Arrays of one first size, which is not 0."""
    found = [host_array("Batches", f"arrays[{i}]", one) for i, one in enumerate(arrays)]
    shapes = [array.shape for array in found]
    if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
        raise ShapeError(f"Batches: arrays must agree in their first size, got {shapes}")
    if not shapes[0][0]:
        raise ShapeError("Batches: there are no samples")
    return tuple([one if is_lazy(one) else np.ascontiguousarray(one) for one in found])


def _check_count(name: str, value: int, minimum: int) -> int:
    return whole("Batches", name, value, minimum)
