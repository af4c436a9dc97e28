"""Where the time of a computation goes: `with tinydl.profile() as p: ...; print(p)`.

Every operation is timed, forward and backward, and compared with what the measured peaks of this
machine allow for its arithmetic and its memory traffic (`tinydl info --peaks`). Counts of
operations come from the operations themselves, which take them from `geometry.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .. import instruments
from ..blocks import block
from ..errors import ConfigError
from ..tables import Column, Page, Table

if TYPE_CHECKING:
    from .machine import Peaks

Shapes = tuple[tuple[int, ...], ...]
COLUMNS = (
    Column("operation", bold=True, least=20),
    Column("phase"),
    Column("calls", right=True),
    Column("ms", right=True),
    Column("%", right=True),
    Column("MB", right=True, spare=1),
    Column("MFLOP", right=True, spare=2),
    Column("GB/s", right=True),
    Column("GFLOP/s", right=True),
    Column("of roof", right=True),
)


@dataclass
class Row:
    """Everything that one operation did in one phase, on inputs of the same shapes.

    phase: "forward", "backward" (inside a backward walk) or "update" (an optimiser's step). flops,
    traffic: operations, and bytes read and written, of all calls.
    """

    op: str
    phase: str
    backend: str
    dtype: str
    shapes: Shapes | None  # None: of any shapes
    calls: int = 0
    seconds: float = 0.0
    flops: int = 0
    traffic: int = 0
    least: float | None = field(default=0.0)  # seconds that the roofs allow; None: not on this CPU

    @property
    def share(self) -> float | None:
        """Of the roof: 1 is as fast as this machine could be; None where it is not known."""
        return self.least / self.seconds if self.least and self.seconds else None

    @property
    def intensity(self) -> float:
        """Operations per byte: where the row stands on the roofline's horizontal axis."""
        return self.flops / self.traffic if self.traffic else 0.0


class Profile:
    """What ran inside a `with tinydl.profile()` block: `rows`, `str(p)`, `to_json`, `plot`."""

    def __init__(self) -> None:
        self.seconds = 0.0  # inside operations
        self.wall = 0.0  # of the whole block
        self._found: dict[tuple, Row] = {}

    def add(
        self, op: str, phase: str, arrays: Any, backend: Any, seconds: float, flops: int,
        traffic: int,
    ) -> None:  # fmt: skip
        """One call; `tinydl/instruments.py` tells."""
        place = "cpu" if backend is None else backend.name
        shapes = tuple([tuple(a.shape) for a in arrays])
        key = (op, phase, place, str(arrays[0].dtype), shapes)
        row = self._found.get(key)
        if row is None:
            row = self._found[key] = Row(*key)
        row.calls += 1
        row.seconds += seconds
        row.flops += flops
        row.traffic += traffic
        self.seconds += seconds

    def peaks(self) -> Peaks:
        """This machine's roofs with the kernels' present number of threads, measured once."""
        from .machine import peaks

        return peaks()

    def rows(self, by_shape: bool = False) -> list[Row]:
        """Rows sorted by time, the slowest first: one per operation, phase, backend and dtype, or
        also per shapes. Views, which touch no memory, are left out."""
        rows = [self._with_roof(row) for row in self._found.values() if row.flops or row.traffic]
        if not by_shape:
            rows = list(_merged(rows))
        return sorted(rows, key=lambda row: -row.seconds)

    def _with_roof(self, row: Row) -> Row:
        least = None
        if row.backend in ("cpu", "numpy"):
            each = self.peaks().least_seconds(
                row.flops / row.calls, row.traffic / row.calls, row.dtype
            )
            least = each * row.calls
        return Row(**{**vars(row), "least": least})

    def __str__(self) -> str:
        return self.table()

    def table(self, by_shape: bool = False) -> str:
        """`rows` as text, and below it what they leave over."""
        return str(self.page(by_shape))

    def page(self, by_shape: bool = False) -> Page:
        """The same, for a terminal of any width."""
        columns = [*COLUMNS, *([Column("shapes", least=16)] if by_shape else [])]
        table = Table(columns, [_cells(row, self.wall, by_shape) for row in self.rows(by_shape)])
        rest = max(self.wall - self.seconds, 0.0)
        share = 100 * rest / self.wall if self.wall else 0.0
        told = (
            f"in all {1e3 * self.wall:.2f} ms, of which {1e3 * rest:.2f} ms ({share:.0f} %) "
            "outside operations: Python, the graph, data"
        )
        return Page([table, "", told])

    def to_json(self) -> dict[str, Any]:
        """Rows by shapes, with shares, and the peaks that they are shares of."""
        rows = [{**asdict(row), "share": row.share} for row in self.rows(by_shape=True)]
        head = {"wall": self.wall, "in_operations": self.seconds}
        return {**head, "peaks": asdict(self.peaks()), "rows": rows}

    def plot(self, path: str | Path, title: str = "") -> None:
        """The rows below this machine's roofs, as PNG; ConfigError without matplotlib."""
        from ..viz.roofline import plot_roofline

        points = [row for row in self.rows() if row.flops and row.traffic and row.least]
        plot_roofline([self.peaks()], points, path, title)

    def write_json(self, path: str | Path) -> None:
        """`to_json` into a file."""
        Path(path).write_text(json.dumps(self.to_json(), indent=1) + "\n")


@block
def profile() -> Iterator[Profile]:
    """`with tinydl.profile() as p:` times every operation inside the block; then `print(p)`.

    One at a time in a process (ConfigError); operations of all threads count. An OpenCL device is
    waited for after each operation, so a profiled step takes longer than it otherwise does.
    """
    if instruments.profiler is not None:
        raise ConfigError("profile: another profile is running; they cannot be nested")
    found = Profile()
    instruments.profiler = found
    instruments.refresh()
    started = perf_counter()
    try:
        yield found
    finally:
        found.wall = perf_counter() - started
        instruments.profiler = None
        instruments.refresh()


def _merged(rows: Iterable[Row]) -> Iterable[Row]:
    found: dict[tuple, Row] = {}
    for row in rows:
        key = (row.op, row.phase, row.backend, row.dtype, None)
        total = found.setdefault(key, Row(*key))
        total.calls += row.calls
        total.seconds += row.seconds
        total.flops += row.flops
        total.traffic += row.traffic
        total.least = None if row.least is None else (total.least or 0.0) + row.least
    return found.values()


def _cells(row: Row, wall: float, by_shape: bool) -> list[str]:
    seconds = max(row.seconds, 1e-12)
    name = row.op if row.backend == "cpu" else f"{row.op} ({row.backend})"
    shapes = " ".join("x".join(map(str, s)) or "1" for s in row.shapes or ())
    return [
        name, row.phase, f"{row.calls:,}",
        f"{1e3 * seconds:.3f}", f"{100 * seconds / wall:.1f}" if wall else "-",
        f"{row.traffic / 1e6:.2f}", f"{row.flops / 1e6:.2f}",
        f"{row.traffic / seconds / 1e9:.1f}", f"{row.flops / seconds / 1e9:.1f}",
        f"{100 * row.share:.0f} %" if row.share is not None else "-",
        *([shapes] if by_shape else []),
    ]  # fmt: skip
