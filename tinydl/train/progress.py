"""How far a training is: a line drawn anew on a terminal, now and then one everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from ..tables import can_move, wide, width
from .metrics import Means

REDRAWN, SAID = 0.1, 10.0  # seconds between two drawings on a terminal, two lines in a file
LEAST, MOST = 8, 30  # columns of the bar
UNSAID = ("epoch", "seconds")  # columns of the history that the line says otherwise


class Bar:
    """`with Bar(data, first, last, progress) as bar:` and bar.step(epoch, means) per batch.

    progress: False for nothing, None for a line on a terminal only, True for one there and, where
    stderr is no terminal or one whose cursor does not move (TERM=dumb), a line of text at the end
    of an epoch, at most every ten seconds.
    """

    def __init__(self, data: Any, first: int, last: int, progress: bool | None) -> None:
        stream = sys.stderr
        moves = stream is not None and stream.isatty() and can_move()
        shown = progress is not False and stream is not None and (moves or progress is True)
        self.out = stream if shown else None
        self.moves, self.first, self.last = moves, first, last
        self.steps = max(1, len(data)) if hasattr(data, "__len__") else None
        self.epoch, self.step_in_epoch = first, 0
        self.values: dict[str, float] = {}
        self.started = self.drawn = perf_counter()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.out is not None and self.moves and (self.values or self.step_in_epoch):
            self._write(f"\r{self.line(width(self.out) - 1)}\x1b[K\n")

    def step(self, epoch: int, means: Means) -> None:
        """A batch more of the epoch (from 0) that runs."""
        if self.out is None:
            return
        self.step_in_epoch = self.step_in_epoch + 1 if epoch == self.epoch else 1
        self.epoch = epoch
        if self.moves and perf_counter() - self.drawn >= REDRAWN:
            self.values.update(means.fetched() or {})
            self._draw()

    def show(self, values: Mapping[str, float]) -> None:
        """An epoch is over: its row of the history."""
        self.advance(self.epoch + 1, values)

    def advance(self, epoch: int, values: Mapping[str, float]) -> None:
        """So many epochs are done; the row of the last one."""
        if self.out is None:
            return
        self.epoch, self.step_in_epoch = epoch, 0
        self.values.update({k: v for k, v in values.items() if k not in UNSAID})
        if perf_counter() - self.drawn < (REDRAWN if self.moves else SAID):
            return
        if self.moves:
            self._draw()
        else:
            self.drawn = perf_counter()
            self._write(f"{self.line(10**6)}\n")

    def _draw(self) -> None:
        self.drawn = perf_counter()
        self._write(f"\r{self.line(width(self.out) - 1)}\x1b[K")

    def _write(self, text: str) -> None:
        if self.out is not None:
            self.out.write(text)
            self.out.flush()

    # -- the line --------------------------------------------------------------------------------

    def done(self) -> float:
        """The share of the training that is done."""
        part = self.step_in_epoch / self.steps if self.steps else 0.0
        return (self.epoch - self.first + min(part, 1.0)) / max(1, self.last - self.first)

    def line(self, limit: int) -> str:
        """epoch, bar, share, loss and metrics, time left; what has no room is left out: the bar
        first, then the last metrics."""
        done = min(1.0, self.done())
        head = f"epoch {min(self.epoch + (self.step_in_epoch > 0), self.last)}/{self.last}"
        told = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in self.values.items()]
        passed = perf_counter() - self.started
        if done == 1:
            time = f"{clock(passed)} in all"
        else:
            time = f"{clock(passed / done - passed)} left" if done else ""
        parts = [f"{100 * done:3.0f} %", *told, *([time] if time else [])]
        while len(parts) > 3 and wide("  ".join([head, *parts])) > limit:
            parts.pop(-2)
        room = limit - wide("  ".join([head, *parts])) - 1
        if self.moves and room >= LEAST:
            head = f"{head} {self._bar(done, min(MOST, room))}"
        return "  ".join([head, *parts])

    def _bar(self, done: float, columns: int) -> str:
        full, rest = "━─"
        try:
            (full + rest).encode(getattr(self.out, "encoding", None) or "ascii")
        except (LookupError, UnicodeEncodeError):
            full, rest = "#."
        filled = round(columns * done)
        return full * filled + rest * (columns - filled)


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, from an hour on with the hours.

    >>> clock(5), clock(65), clock(3725)
    ('0:05', '1:05', '1:02:05')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
