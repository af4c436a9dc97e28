"""Several trainings side by side, each in a process of its own with its share of the cores."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from ..arguments import whole
from ..blocks import block
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..recipes import find
from ..train import History
from .run import Outcome, Settings, train

#: The processes load what they need themselves: after a fork threads of kernels would hang.
SPAWN = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Job:
    """One training: of the recipe of that name with so many epochs (None: its own)."""

    name: str
    epochs: int | None
    settings: Settings

    def recipe(self) -> Recipe:
        return find(self.name).changed(epochs=self.epochs)

    def __str__(self) -> str:
        return f"{self.name}, seed {self.settings.seed}"


def trained(job: Job) -> dict[str, Any]:
    """What one training gave, but for the recipe."""
    outcome = train(job.recipe(), job.settings)
    names = ("test", "numbers", "split", "seconds", "cpu_seconds")
    return {"rows": outcome.history.rows, **{name: getattr(outcome, name) for name in names}}


def outcomes(
    jobs: Sequence[Job], workers: int, act: Callable[[Job], dict[str, Any]] = trained
) -> Iterator[tuple[int, Outcome]]:
    """(place among the jobs, outcome) as trainings end, `workers` of them at a time, bitwise what
    one after the other gives. Each has cores / workers threads, 1 at least, where OMP_NUM_THREADS
    does not say how many.

    Whatever ends this ends all processes: an exception in one (ConfigError with its training's
    name), its death, Ctrl-C, or a caller that asks for no more. ConfigError for workers < 1.
    """
    threads = _threads(whole("reproduce", "workers", workers, 1))
    waiting = list(enumerate(jobs))
    running: dict[Any, tuple[Any, int, Job]] = {}
    with _ended(running):
        while waiting or running:
            while waiting and len(running) < workers:
                place, job = waiting.pop(0)
                here, there = SPAWN.Pipe(duplex=False)
                process = SPAWN.Process(target=_work, args=(there, job, act, threads), daemon=True)
                process.start()
                there.close()
                running[here] = process, place, job
            for told in wait(list(running)):
                process, place, job = running[told]
                found = _told(told, process, job)
                process.join()
                del running[told]
                history = History(found.pop("rows"))
                yield place, Outcome(job.recipe(), job.settings, history, **found)


def _threads(workers: int) -> int:
    """Of each process; 0: as OMP_NUM_THREADS says."""
    from ..backend.cpu import _runtime

    return 0 if "OMP_NUM_THREADS" in os.environ else max(1, _runtime.threads() // workers)


def _told(here: Any, process: Any, job: Job) -> dict[str, Any]:
    try:
        found = here.recv()
    except EOFError:
        process.join()
        raise ConfigError(
            f"reproduce: the process of {job} ended with code {process.exitcode}"
        ) from None
    if isinstance(found, str):
        raise ConfigError(f"reproduce: {job}: {found}")
    return found


@block
def _ended(running: dict[Any, tuple[Any, int, Job]]) -> Iterator[None]:
    """Nothing runs on behind the block."""
    try:
        yield
    finally:
        for process, _, _ in running.values():
            process.kill()
        for process, _, _ in running.values():
            process.join()


def _work(there: Connection, job: Job, act: Callable[[Job], Any], threads: int) -> None:
    """The process: Ctrl-C is its parent's, which ends it."""
    from ..backend.cpu import _runtime

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if threads:
        _runtime.set_threads(threads)
    try:
        there.send(act(job))
    except Exception as error:
        there.send(f"{type(error).__name__}: {error}")
