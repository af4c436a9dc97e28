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
from ..measure.machine import Peaks
from .builds import MARK, Build, build_peers, is_build
from .cases import BARS, CASES, GROUPS, WITH_FILES, Case
from .told import ABOVE_ONE, OURS, row_cells, row_lines

REFERENCE = "reference"
PEERS = {
    "numpy": "tinydl.bench.peer_numpy:",
    "torch": "tinydl.bench.peer_torch:",
    "torch_channels_last": "tinydl.bench.peer_torch:channels_last",
    "jax": "tinydl.bench.peer_jax:",
    "tensorflow": "tinydl.bench.peer_tensorflow:",
    "onnxruntime": "tinydl.bench.peer_onnx:onnxruntime",
    "openvino": "tinydl.bench.peer_onnx:openvino",
}
OWN = {
    OURS: "tinydl.bench.peer_tinydl:cpu",
    REFERENCE: "tinydl.bench.peer_tinydl:numpy",
}
#: Another backend than `cpu` stands beside it: to it as to a build goes a ratio of its own.
CPU = f"{MARK}cpu"
TOLERANCE = 1e-3  # of the largest value: float32 sums in another order, never a wrong formula
#: Where a peer's x lies beyond the kink of leaky ReLU, by rounding, its gradient is another by a
#: factor of 5, and some of 2 million x do: a DCGAN's step at the book's widths is off by 0.0015
#: from float64 in tinydl and in PyTorch, by 7e-5 without the kinks; in float64 the two agree to
#: 9e-13 (tests/bench/test_game_steps.py compares them there).
TOLERANCE_OF = {"gan": 5e-3}
Row = dict[str, Any]


class WorkerProcess:
    """A peer's process and the line protocol of `worker.py`.

    Between two requests the process is stopped: its idle threads would look out for work, which is
    what makes them fast, on the cores of the next peer.
    """

    def __init__(self, name: str, spec: str | Build, threads: int) -> None:
        self.name = name
        count = str(threads)
        environment = {
            **os.environ, "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
            "MKL_NUM_THREADS": count, "POCL_MAX_PTHREAD_COUNT": count,
            "PYTHONSAFEPATH": "1",  # this package, not a source tree in the current folder
        }  # fmt: skip
        if isinstance(spec, Build):
            command = spec.command(threads)
            environment.pop("PYTHONPATH", None)  # it would lead to this build
        else:
            root = str(Path(__file__).resolve().parents[2])
            paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
            environment["PYTHONPATH"] = os.pathsep.join(paths)
            command = [sys.executable, "-m", "tinydl.bench.worker", spec, count]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        hello = self._hello(spec.python) if isinstance(spec, Build) else self._read()
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

    def _hello(self, python: str) -> dict[str, Any]:
        """The first answer of a build, which may be anything: ConfigError if it is no tinydl's."""
        line = self.process.stdout.readline(4096) if self.process.stdout else ""
        try:
            hello = json.loads(line)
            why = hello.get("missing")
            if not why and not isinstance(hello["version"], str):
                raise ValueError
        except (ValueError, KeyError, AttributeError):
            why = "it is no Python, or ended" if not line else f"it answered {line.strip()!r:.80}"
        if why:
            self.process.kill()
            self.close()
            raise ConfigError(f"bench: {python} has no tinydl that can be measured ({why})")
        return hello

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
    """The cells of some groups (none named: all that need no files); ConfigError for an unknown
    one."""
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise ConfigError(f"bench: no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    chosen = groups or [g for g in GROUPS if g not in WITH_FILES]
    return [c for c in CASES if c.group in chosen and (c.quick or not quick)]


def peer_specs(given: Sequence[str]) -> dict[str, str | Build]:
    """Workers of the named libraries and builds (`builds.py`): torch stands for both of its image
    layouts."""
    names = [name for name in given if not is_build(name)]
    known = sorted({name.partition("_")[0] for name in PEERS})
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(
            f"bench: no peer {', '.join(unknown)}; there are {', '.join(known)}, self, and the "
            "path of an interpreter with another tinydl"
        )
    libraries = {k: v for k, v in PEERS.items() if k.partition("_")[0] in names}
    return libraries | build_peers([name for name in given if is_build(name)])


def own_specs(backend: str) -> dict[str, str | Build]:
    """Workers of this build: the one that is measured, the reference, and beside another backend
    than `cpu` the cpu backend. ConfigError for one that is not measured."""
    if backend == "cpu":
        return dict(OWN)
    if backend.partition(":")[0] != "opencl":
        raise ConfigError(f"bench: --backend {backend!r} is none of cpu, opencl, opencl:1")
    return {**OWN, OURS: f"tinydl.bench.peer_opencl:{backend}", CPU: OWN[OURS]}


def run_benchmarks(
    cases: Sequence[Case],
    peers: Mapping[str, str | Build],
    threads: Sequence[int] = (1,),
    rounds: int = 7,
    target: float = 0.02,
    tell: Callable[[str], None] = lambda line: None,
    backend: str = "cpu",
) -> list[Row]:
    """Measure the cells and return one row each; `peers` maps names to "module:argument", or to
    a build. `backend` is ours.

    `target` is the seconds of one timed block. `tell` gets the table's lines as they come.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        reference = os.path.join(folder, "reference.npz")
        for count in threads:
            workers: dict[str, WorkerProcess] = {}
            specs = {**own_specs(backend), **peers}
            try:  # builds first: one that is none ends it at once
                for name in sorted(specs, key=lambda name: not isinstance(specs[name], Build)):
                    workers[name] = WorkerProcess(name, specs[name], count)
                present = {name: workers[name] for name in specs}
                rows += _measure_all(cases, present, count, rounds, target, reference, tell)
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
    lines = row_lines(cases, names)
    tell(f"\n{threads} thread{'s' * (threads > 1)}, ms; {ABOVE_ONE}\n{lines.top()}")
    head["peaks"] = asdict(peaks)
    rows = []
    for case in cases:
        row = _measure(case, present, threads, rounds, target, reference) | head
        if row["seconds"] and (case.flops or case.traffic):
            row["peak_share"] = peaks.least_seconds(case.flops, case.traffic) / row["seconds"]
        rows.append(row)
        tell(lines.row(row_cells(row, names)))
        for name, why in row["problems"].items():
            tell(f"    {name}: {why}")
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
    launches = None
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
            launches = answer.get("launches", launches)
            if float(answer["error"]) > TOLERANCE_OF.get(case.group, TOLERANCE):
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
    row = _row(case, threads, rounds, errors, problems, seconds)
    return row if launches is None else row | {"launches": launches}


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
    libraries = [n for n in peers if not n.startswith(MARK)]
    bars = [n for n in BARS.get(case.group, ()) if n in peers] or libraries
    best = min(bars, key=lambda n: typical[n], default=None)
    compared = peers[best] if best and ours else {}
    return {
        "name": case.name, "group": case.group, "threads": threads, "rounds": rounds,
        "seconds": ours, "error": errors.get(OURS),
        "gflops": case.flops / ours / 1e9 if ours and case.flops else None,
        "peers": peers, "best_peer": best,
        "ratio": compared.get("ratio"), "spread": compared.get("spread"),
        "gbps": case.traffic / ours / 1e9 if ours and case.traffic else None,
        "tokens_per_second": case.tokens / ours if ours and case.tokens else None,
        "peak_share": None,
        "problems": dict(problems),
    }  # fmt: skip


def _typical(seconds: list[float], threads: int) -> float:
    return statistics.median(seconds) if threads == 1 else min(seconds)


def machine() -> dict[str, Any]:
    """Where and when: processor, instruction level, date, commit (None outside a clone)."""
    from ..backend.cpu import _runtime

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
