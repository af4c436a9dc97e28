"""Ranks that are threads of one process: the training of `mpirun` where there is no MPI.

To try a program, to learn what data parallelism does, to test it; not to save time, for which
processes are made.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any, TypeVar

import numpy as np

from ..arguments import whole
from ..doors import checked
from .parallel import Ranks

Anything = TypeVar("Anything")


@checked
def in_threads(count: int, job: Callable[[Ranks], Anything]) -> list[Anything]:
    """[job(ranks) of each of `count` ranks], in their order; every rank is a thread.

    Sums are taken in the order of the ranks, so results are equal from run to run. A thread begins
    with an empty context: a default generator of its own (`td.seed` in the job), the default
    backend. An exception on one rank ends all of them and is raised here; of several the one of the
    first rank. ConfigError for a count below 1.
    """
    meeting = _Meeting(whole("in_threads", "count", count, 1))
    found: list[Any] = [None] * count
    errors: dict[int, BaseException] = {}

    def one(rank: int) -> None:
        try:
            found[rank] = job(Threads(meeting, rank))
        except BrokenBarrierError:
            return  # another rank's exception
        except BaseException as error:
            errors[rank] = error
            meeting.barrier.abort()

    threads = [Thread(target=one, args=(rank,), daemon=True) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[min(errors)]
    return found


class _Meeting:
    """Where ranks put what the others may take."""

    def __init__(self, size: int) -> None:
        self.size, self.barrier, self.values = size, Barrier(size), [None] * size

    def exchanged(self, rank: int, value: Any) -> list[Any]:
        self.values[rank] = value
        self.barrier.wait()
        found = list(self.values)
        self.barrier.wait()
        return found


class Threads(Ranks):
    """A rank of `in_threads`, which makes them."""

    def __init__(self, meeting: _Meeting, rank: int) -> None:
        self._meeting = meeting
        self._numbered(rank, meeting.size)

    @property
    def local(self) -> int:
        return self.rank

    def share_cores(self) -> None:
        """All threads are one process's, which has its cores."""

    def _add(self, sums: np.ndarray) -> None:
        given = self._meeting.exchanged(self.rank, sums.copy())
        sums[...] = np.sum(given, axis=0)

    def all_of(self, value: Anything) -> list[Anything]:
        return self._meeting.exchanged(self.rank, value)

    def from_first(self, value: Anything) -> Anything:
        return self._meeting.exchanged(self.rank, value)[0]
