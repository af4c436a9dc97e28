"""One peer in one pinned process: JSON lines in on stdin, JSON lines out on stdout.

`python -m tinydl.bench.worker MODULE:ARGUMENT THREADS`. Requests: {"do": "prepare", "case": {...},
"reference": FILE, "write": bool, "target": seconds}, {"do": "time"} and {"do": "peaks"}, which
measures the machine's roofs; end of input ends it. Other builds run this file too (builds.py): at
its top it imports of tinydl only what is old and public.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from importlib import import_module
from typing import Any

import numpy as np

from .cases import Case
from .inputs import inputs

WALL_REPEATS = 3  # with 2 threads: best of these in each round, a neighbour may take a core


def pin(threads: int) -> None:
    """Keep to the last `threads` cores (core 0 answers most interrupts); where the system can."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])


def difference(found: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """Largest |found - reference| / max |reference| over the arrays; inf for shapes or NaN.

    An array which is small beside the others (a gradient that is zero but for rounding) counts as
    if its largest value were a thousandth of theirs.
    """
    if [f.shape for f in found] != [r.shape for r in reference]:
        return float("inf")
    sizes = [float(np.max(np.abs(r), initial=0.0)) for r in reference]
    worst, least = 0.0, 1e-3 * max(sizes, default=0.0)
    for f, r, size in zip(found, reference, sizes, strict=True):
        scale = max(size, least) or 1.0
        error = float(np.max(np.abs(f - r), initial=0.0)) / scale
        worst = max(worst, error if error == error else float("inf"))
    return worst


class Worker:
    """The cell prepared last, and its clock."""

    def __init__(self, peer: Any, threads: int) -> None:
        self.peer, self.threads = peer, threads
        self.run: Callable[[], Any] | None = None
        self.count = 1

    def prepare(self, request: dict[str, Any]) -> dict[str, Any]:
        """Build the cell, verify its first result, warm up, choose the repetitions."""
        self.run = None
        case = Case(**request["case"])
        cell = self.peer.build(case, inputs(case))
        if cell is None:
            return {"absent": True}
        run, export = cell
        result = [np.asarray(r) for r in export(run())]
        if request.get("write"):
            np.savez(request["reference"], *result)
            return {"error": 0.0}
        with np.load(request["reference"], allow_pickle=False) as stored:
            error = difference(result, [stored[name] for name in stored.files])
        self.run = run
        self._warm_up(request["target"])
        answer: dict[str, Any] = {"error": error if np.isfinite(error) else "inf"}
        if hasattr(self.peer, "launches"):  # a device's peer
            answer["launches"] = self.peer.launches(run)
        return answer

    def _warm_up(self, target: float) -> None:
        """Find the calls that take `target` seconds together. Of two blocks the shorter one counts:
        one interrupted call must not pass for the length of all."""
        self.count = 1
        seconds = min(self._block(), self._block())
        while seconds < target / 2 and self.count < 1 << 20:
            self.count *= 2
            seconds = min(self._block(), self._block())
        self.count = max(1, round(target * self.count / max(seconds, 1e-9)))

    def _block(self) -> float:
        run, clock = self.run, time.process_time if self.threads == 1 else time.perf_counter
        if run is None:
            raise RuntimeError("time: no cell is prepared")
        with getattr(run, "within", nullcontext)():
            begin = clock()
            for _ in range(self.count):
                run()
            if hasattr(self.peer, "finish"):  # a queue has yet to run what was called
                self.peer.finish()
            return clock() - begin

    def time(self) -> dict[str, float]:
        """Seconds per call: CPU time on 1 thread, the best wall time of a few blocks on more."""
        blocks = 1 if self.threads == 1 else WALL_REPEATS
        return {"seconds": min(self._block() for _ in range(blocks)) / self.count}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request."""
        if request["do"] == "peaks":  # asked of this build only, as what follows __main__
            from ..measure.machine import peaks

            return asdict(peaks(self.threads))
        return self.prepare(request) if request["do"] == "prepare" else self.time()


def main(arguments: list[str], place: str = "") -> int:
    """Answer until stdin ends. What libraries print goes to stderr, stdout is the protocol's.

    place: where the library lies, if its version is to say so."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    (module, _, argument), threads = arguments[0].partition(":"), int(arguments[1])
    pin(threads)

    def say(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=out, flush=True)

    try:
        worker = Worker(import_module(module).open_peer(argument, threads), threads)
    except ImportError as error:
        say({"missing": str(error)})
        return 0
    say({"version": worker.peer.version + (f", {place}" if place else "")})
    for line in sys.stdin:
        try:
            say(worker.answer(json.loads(line)))
        except Exception as error:
            # A peer's failure belongs to its cell; the other cells go on.
            say({"failure": f"{type(error).__name__}: {error}"})
    return 0


if __name__ == "__main__":
    from ..console import command

    sys.exit(command(lambda: main(sys.argv[1:]), "worker"))
