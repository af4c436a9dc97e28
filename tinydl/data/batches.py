"""Mini-batches of NumPy arrays: explicit rng, optional prefetch thread, exact resume."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from collections.abc import Generator as PyGenerator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, DataError, DTypeError, ShapeError

if TYPE_CHECKING:
    from ..random import Generator

Batch = tuple[np.ndarray, ...]
Transform = Callable[[Batch, Any], Batch]
State = dict[str, Any]
PreparedBatches = PyGenerator[tuple[Batch, State | None], None, None]


class Batches:
    """Iterates over aligned arrays in mini-batches; every `for` loop is one epoch.

    arrays: tuple of ndarrays with the same first size N; copied once if not C-contiguous.
    batch_size: samples per batch B; the last batch holds the remaining N mod B unless `drop_last`.
    shuffle: a new order every epoch, drawn from `rng` (then required).
    rng: is asked for one `spawn()` here and never used again, so other users of it do not disturb
        the order.
    transform: called as transform(batch, rng) -> batch, with a generator of its own, spawned each
        epoch (None if `rng` is None); it runs in the prefetch thread, so it must handle NumPy
        arrays only. A new thread starts with an empty context: `no_grad` and the default backend of
        the caller are not seen there.
    prefetch: how many batches a thread prepares ahead; 0 prepares each when it is asked for. The
        batches are the same for every value.

    Yields tuples of fresh C-contiguous ndarrays (B, ...) with the dtypes of `arrays`; conversion
    and scaling belong to the transform or the caller. Only the newest iterator is valid.

    `state_dict()` is JSON-able and describes the last batch handed out; an equal `Batches` that
    loads it finishes that epoch (possibly with no batch left) in its next `for` loop, and goes on
    with the same epochs. Raises ConfigError, ShapeError or DTypeError for arguments that do not
    fit.
    """

    def __init__(
        self,
        arrays: Batch,
        batch_size: int,
        shuffle: bool = True,
        rng: Generator | None = None,
        drop_last: bool = False,
        transform: Transform | None = None,
        prefetch: int = 0,
    ) -> None:
        self.arrays = _check_arrays(arrays)
        self.samples = len(self.arrays[0])
        self.batch_size = _check_count("batch_size", batch_size, 1)
        self.prefetch = _check_count("prefetch", prefetch, 0)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.transform = transform
        if shuffle and rng is None:
            raise ConfigError("Batches: shuffle=True needs an explicit rng=tinydl.Generator(seed)")
        if drop_last and self.samples < batch_size:
            raise ConfigError(
                f"Batches: drop_last drops all {self.samples} samples at batch_size {batch_size}"
            )
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
                raise ConfigError(f"Batches: the state has {key} {state[key]!r}, not {own[key]!r}")
        if _check_count("batch", state["batch"], 0) > len(self):
            raise ConfigError(f"Batches: the state has batch {state['batch']} of {len(self)}")
        if (state["rng"] is None) != (self._rng is None):
            raise ConfigError("Batches: one of the state and this object has no rng")
        if self._rng is not None:
            self._rng.load_state_dict(state["rng"])
        self._epoch = _check_count("epoch", state["epoch"], 0)
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
        for k in range(first, len(self)):
            start, stop = k * self.batch_size, min((k + 1) * self.batch_size, self.samples)
            if order is None:
                batch = tuple(array[start:stop].copy() for array in self.arrays)
            else:
                batch = tuple(take(array, order[start:stop]) for array in self.arrays)
            if self.transform is not None:
                batch = self.transform(batch, rng)
            yield batch, self._rng_state(rng)

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


def take(array: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """array[indices] along axis 0 as a fresh C-contiguous array; IndexError out of range.

    For a C-contiguous array this is one memory copy per row; np.take would first copy any other
    array whole.
    """
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


def _check_arrays(arrays: Batch) -> Batch:
    if not isinstance(arrays, tuple | list) or not arrays:
        raise ConfigError("Batches: arrays must be a tuple of at least one ndarray")
    for i, array in enumerate(arrays):
        if not isinstance(array, np.ndarray) or array.dtype.hasobject:
            kind = getattr(array, "dtype", type(array).__name__)
            raise DTypeError(f"Batches: arrays[{i}] must be a numeric ndarray, got {kind}")
        if array.ndim == 0 or len(array) != len(arrays[0]):
            shapes = [a.shape for a in arrays if isinstance(a, np.ndarray)]
            raise ShapeError(f"Batches: arrays must agree in their first size, got {shapes}")
    if len(arrays[0]) == 0:
        raise ShapeError("Batches: there are no samples")
    return tuple(np.ascontiguousarray(array) for array in arrays)


def _check_count(name: str, value: int, minimum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"Batches: {name} must be an integer >= {minimum}, got {value!r}")
    return value
