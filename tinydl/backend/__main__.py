"""`python -m tinydl.backend`: the table kernel x backend x dtype, with every deliberate exception
named."""

from __future__ import annotations

import sys

from ..console import command
from ..tables import Column, Page, Table, show, wrapped
from .listing import types, types_in_c
from .reference import STEMS

SHORT = {
    "float32": "f32",
    "float64": "f64",
    "int32": "i32",
    "int64": "i64",
    "uint8": "u8",
    "bool": "bool",
}


def kernels(room: type) -> list[str]:
    """The public methods of one stem's mixin class, in the order of the file."""
    return [name for name in vars(room) if not name.startswith("_")]


def _short(names: tuple[str, ...]) -> str:
    return " ".join([SHORT[name] for name in names])


def page() -> Page:
    """One row per kernel, by stem: the types that it takes, and which of them the cpu backend
    computes in C (the others are NumPy's there); a star leads to the exceptions below the table."""
    try:
        from .cpu import CpuBackend

        numpy_taken = CpuBackend.uses_numpy
        cpu_note = ""
    except ImportError as error:
        numpy_taken, cpu_note = {}, f"cpu: not built ({error})"
    from .opencl import OpenCLBackend

    round_trips = OpenCLBackend.host_round_trip
    rows: list[list[str] | str] = []
    count = 0
    for stem, room in STEMS.items():
        rows.append(stem)
        for kernel in kernels(room):
            every = _short(types(kernel))
            compiled = _short(types_in_c(kernel, numpy_taken))
            cpu = "-" if cpu_note else compiled if compiled else "NumPy *"
            rows.append([kernel, every, cpu, "host *" if kernel in round_trips else "as numpy"])
            count += 1
    lines = [f"{count} kernels; types that are not in the column of cpu are NumPy's there"]
    if cpu_note:
        lines.append(cpu_note)
    lines += [f"* cpu takes {k} from NumPy: {why}" for k, why in numpy_taken.items()]
    lines += [f"* opencl does {k} on the host: {why}" for k, why in round_trips.items()]
    return Page([Table(COLUMNS, rows), "", *(wrapped(line, indent="  ") for line in lines)])


COLUMNS = (
    Column("kernel", bold=True),
    Column("numpy", least=12),
    Column("cpu, in C", least=12),
    Column("opencl"),
)


if __name__ == "__main__":
    sys.exit(command(lambda: show(page()), "tinydl.backend"))
