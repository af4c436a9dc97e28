"""Compare with other libraries, honestly.

One pinned process per peer and number of threads, so that no library's thread pool or allocator
disturbs another's; rounds are interleaved (A B A B); one thread is measured in CPU time, more in
wall time, best of several; a cell is timed only after its result agreed with the reference kernels.
ratio = the peer's time / ours, so above 1 means that tinydl is faster: on one thread the median of
the ratios of the rounds, on more the ratio of the best times. peak_share is the time that the
measured roofs of the machine allow / ours: 1 is perfect.
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from errno import EACCES
from pathlib import Path
from typing import Any

from ..errors import ConfigError, TinydlError
from ..machine import Peaks
from .cases import BARS, CASES, GROUPS, Case

OURS, REFERENCE = "tinydl", "reference"
PEERS = {
    "numpy": "tinydl.bench.peer_numpy:",
    "torch": "tinydl.bench.peer_torch:",
    "torch_channels_last": "tinydl.bench.peer_torch:channels_last",
    "jax": "tinydl.bench.peer_jax:",
    "tensorflow": "tinydl.bench.peer_tensorflow:",
}
OWN = {
    OURS: "tinydl.bench.peer_tinydl:cpu",
    REFERENCE: "tinydl.bench.peer_tinydl:numpy",
}
TOLERANCE = 1e-3  # of the largest value: float32 sums in another order, never a wrong formula
Row = dict[str, Any]


class WorkerProcess:
    """A peer's process and the line protocol of `worker.py`.

    Between two requests the process is stopped: its idle threads would look out for work, which is
    what makes them fast, on the cores of the next peer.
    """

    def __init__(self, name: str, spec: str, threads: int) -> None:
        self.name = name
        count = str(threads)
        environment = {
            **os.environ, "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "PYTHONSAFEPATH": "1",  # this package, not a source tree in the current folder
        }  # fmt: skip
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinydl.bench.worker", spec, count],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        hello = self._read()
        self.missing: str | None = hello.get("missing")
        self.version: str = hello.get("version", "")
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:  # a peer that is not installed has ended
            self.process.send_signal(number)

    def _read(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise TinydlError(f"bench: the worker of {self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        self._signal(signal.SIGCONT)
        if self.process.stdin:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self._read()
        self._signal(signal.SIGSTOP)
        return answer

    def close(self) -> None:
        """End of input ends the worker."""
        self._signal(signal.SIGCONT)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process.wait()


def select(groups: Sequence[str], quick: bool) -> list[Case]:
    """The cells of some groups (none named: all); ConfigError for an unknown one."""
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise ConfigError(f"bench: no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    return [c for c in CASES if c.group in (groups or GROUPS) and (c.quick or not quick)]


def peer_specs(names: Sequence[str]) -> dict[str, str]:
    """Workers of the named libraries: torch stands for both of its image layouts."""
    known = sorted({name.partition("_")[0] for name in PEERS})
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"bench: no peer {', '.join(unknown)}; there are {', '.join(known)}")
    return {k: v for k, v in PEERS.items() if k.partition("_")[0] in names}


def run_benchmarks(
    cases: Sequence[Case],
    peers: Mapping[str, str],
    threads: Sequence[int] = (1,),
    rounds: int = 7,
    target: float = 0.02,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Measure the cells and return one row each; `peers` maps names to "module:argument".

    `target` is the seconds of one timed block. `tell` gets the table's lines as they come.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        reference = os.path.join(folder, "reference.npz")
        for count in threads:
            workers: dict[str, WorkerProcess] = {}
            try:
                for name, spec in {**OWN, **peers}.items():
                    workers[name] = WorkerProcess(name, spec, count)
                rows += _measure_all(cases, workers, count, rounds, target, reference, tell)
            finally:
                for worker in workers.values():
                    worker.close()
    return rows


def _measure_all(
    cases: Sequence[Case],
    workers: Mapping[str, WorkerProcess],
    threads: int,
    rounds: int,
    target: float,
    reference: str,
    tell: Callable[[str], None],
) -> list[Row]:
    present = {name: w for name, w in workers.items() if w.missing is None}
    for name, worker in workers.items():
        tell(f"{name}: {worker.version or f'not installed ({worker.missing})'}")
    names = [n for n in present if n != REFERENCE]
    head = {**machine(), "versions": {n: present[n].version for n in names}}
    head["missing"] = {n: w.missing for n, w in workers.items() if w.missing is not None}
    peaks = Peaks(**present[OURS].ask(do="peaks"))
    tell(peaks.text())
    tell(_line(f"{threads} thread{'s' * (threads > 1)}", [f"{n} ms" for n in names], "ratio"))
    head["peaks"] = asdict(peaks)
    rows = []
    for case in cases:
        row = _measure(case, present, threads, rounds, target, reference) | head
        if row["seconds"] and (case.flops or case.traffic):
            row["peak_share"] = peaks.least_seconds(case.flops, case.traffic) / row["seconds"]
        rows.append(row)
        tell(_row_line(row, names))
    return rows


def _measure(
    case: Case,
    workers: Mapping[str, WorkerProcess],
    threads: int,
    rounds: int,
    target: float,
    reference: str,
) -> Row:
    request = {"do": "prepare", "case": asdict(case), "reference": reference, "target": target}
    errors: dict[str, Any] = {}
    problems: dict[str, str] = {}
    made = workers[REFERENCE].ask(**request, write=True)
    if "error" not in made:
        problems[REFERENCE] = made.get("failure", "has no such cell")
    for name, worker in workers.items():
        if name == REFERENCE or REFERENCE in problems:
            continue
        answer = worker.ask(**request)
        if "failure" in answer:
            problems[name] = answer["failure"]
        elif "error" in answer:
            errors[name] = answer["error"]
            if float(answer["error"]) > TOLERANCE:
                problems[name] = f"wrong result: off by {float(answer['error']):.2g}; not timed"
    timed = [name for name in errors if name not in problems]
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(rounds):
        for name in timed:
            answer = workers[name].ask(do="time")
            if "seconds" in answer:
                seconds[name].append(answer["seconds"])
            else:
                problems[name] = answer["failure"]
    return _row(case, threads, rounds, errors, problems, seconds)


def _row(
    case: Case,
    threads: int,
    rounds: int,
    errors: Mapping[str, Any],
    problems: Mapping[str, str],
    seconds: Mapping[str, list[float]],
) -> Row:
    timed = {n: s for n, s in seconds.items() if n not in problems}
    typical = {n: _typical(s, threads) for n, s in timed.items()}
    ours = typical.get(OURS)
    peers: dict[str, Any] = {}
    for name, own in timed.items():
        if name == OURS:
            continue
        peers[name] = {"seconds": typical[name], "error": errors[name]}
        if ours:
            each = [p / o for p, o in zip(own, timed[OURS], strict=True)]
            ratio = statistics.median(each) if threads == 1 else typical[name] / ours
            peers[name] |= {"ratio": ratio, "spread": [min(each), max(each)]}
    bars = [n for n in BARS.get(case.group, ()) if n in peers] or peers
    best = min(bars, key=lambda n: typical[n], default=None)
    compared = peers[best] if best and ours else {}
    return {
        "name": case.name, "group": case.group, "threads": threads, "rounds": rounds,
        "seconds": ours, "error": errors.get(OURS),
        "gflops": case.flops / ours / 1e9 if ours and case.flops else None,
        "peers": peers, "best_peer": best,
        "ratio": compared.get("ratio"), "spread": compared.get("spread"),
        "gbps": case.traffic / ours / 1e9 if ours and case.traffic else None,
        "peak_share": None,
        "problems": dict(problems),
    }  # fmt: skip


def _typical(seconds: list[float], threads: int) -> float:
    return statistics.median(seconds) if threads == 1 else min(seconds)


def geometric_means(rows: Sequence[Row]) -> dict[tuple[str, int], tuple[float, float, int]]:
    """(group, threads) -> geometric mean and smallest of the ratios to the best peer, and count."""
    found: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        if row["ratio"]:
            found.setdefault((row["group"], row["threads"]), []).append(row["ratio"])
    return {
        key: (math.exp(statistics.fmean(map(math.log, r))), min(r), len(r))
        for key, r in found.items()
    }


def means_text(rows: Sequence[Row]) -> str:
    """The geometric means as a table."""
    lines = [f"{'group':<20}{'threads':>8}{'cells':>7}{'geometric mean':>16}{'worst':>8}"]
    for (group, threads), (mean, worst, count) in geometric_means(rows).items():
        lines.append(f"{group:<20}{threads:>8}{count:>7}{mean:>16.2f}{worst:>8.2f}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Where and when: processor, instruction level, date, commit (None outside a clone)."""
    from ..backend import _runtime

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "machine": f"{model}, {os.cpu_count()} cores", "level": _runtime.level(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit(),
    }  # fmt: skip


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def _line(name: str, cells: Sequence[str], ratio: str) -> str:
    return f"{name:<38}" + "".join(f"{c:>{max(11, len(c) + 2)}}" for c in cells) + f"  {ratio}"


def _row_line(row: Row, names: Sequence[str]) -> str:
    cells = []
    for name in names:
        value = row["seconds"] if name == OURS else row["peers"].get(name, {}).get("seconds")
        width = len(f"{name} ms")
        cells.append(f"{f'{1e3 * value:.4g}' if value else '-':>{width}}")
    ratio = "-"
    if row["ratio"]:
        low, high = row["spread"]
        ratio = f"{row['ratio']:.2f} ({low:.2f}-{high:.2f}) to {row['best_peer']}"
    text = _line(row["name"], cells, ratio)
    return "\n".join([text, *(f"    {name}: {why}" for name, why in row["problems"].items())])


def check_places(file: str | None, folder: str | None) -> None:
    """Results that cannot be written are an error before minutes of measuring, not after them."""
    try:
        if file:
            Path(file).open("a").close()
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(EACCES, "Permission denied", folder)
    except OSError as error:
        raise ConfigError(f"bench: cannot write {error.filename}: {error.strerror}") from None
