"""One prediction at a time: a thread that works off a short queue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from queue import Full, Queue
from threading import Thread
from time import monotonic
from typing import Any

from ..errors import TinydlError


class Busy(TinydlError, RuntimeError):
    """The queue is full, or the answer has not come in time."""


class Worker:
    """`ask(call, until)`: call() in the worker's own thread, behind at most `waiting` others."""

    def __init__(self, waiting: int) -> None:
        self._queue: Queue[tuple[Future[Any], Callable[[], Any]] | None] = Queue(waiting)
        self._thread = Thread(target=self._work, daemon=True, name="tinydl-serve")
        self._thread.start()

    def ask(self, call: Callable[[], Any], until: float) -> Any:
        """The result of call(), or what it raised; Busy where the queue is full, or at the time
        `until` (of `monotonic`): what has not begun by then is left out."""
        promised: Future[Any] = Future()
        try:
            self._queue.put_nowait((promised, call))
        except Full:
            raise Busy("serve: too many are waiting; try again") from None
        try:
            return promised.result(max(0.0, until - monotonic()))
        except TimeoutError:
            if promised.done():  # the call's own TimeoutError
                raise
            promised.cancel()
        except CancelledError:
            pass
        raise Busy("serve: the answer did not come in time; try again, or something smaller")

    def close(self) -> None:
        """No further call begins; waits for the one that runs."""
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except Full:
                waiting = self._queue.get()
                if waiting is not None:
                    waiting[0].cancel()
        self._thread.join(5.0)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            promised, call = item
            if not promised.set_running_or_notify_cancel():
                continue
            try:
                promised.set_result(call())
            except BaseException as error:
                promised.set_exception(error)
