"""`python -m tinydl.backend`: the table kernel x backend x dtype, with every deliberate exception
named."""

from __future__ import annotations

from .reference import STEMS


def kernels(room: type) -> list[str]:
    """The public methods of one stem's mixin class, in the order of the file."""
    return [name for name in vars(room) if not name.startswith("_")]


def table() -> str:
    """One row per kernel; a star points to the list of exceptions below the table."""
    try:
        from .cpu import CpuBackend

        numpy_taken = CpuBackend.uses_numpy
        cpu_note = ""
    except ImportError as error:
        numpy_taken, cpu_note = {}, f"cpu: not built ({error})"
    from .opencl import OpenCLBackend

    round_trips = OpenCLBackend.host_round_trip
    lines = [f"{'stem':<12} {'kernel':<20} {'numpy':<10} {'cpu':<10} {'opencl':<10}"]
    count = 0
    for stem, room in STEMS.items():
        for kernel in kernels(room):
            cpu = "-" if cpu_note else ("NumPy *" if kernel in numpy_taken else "f32 f64")
            opencl = "host *" if kernel in round_trips else "f32 f64"
            lines.append(f"{stem:<12} {kernel:<20} {'f32 f64':<10} {cpu:<10} {opencl:<10}")
            count += 1
    lines.append(f"\n{count} kernels")
    if cpu_note:
        lines.append(cpu_note)
    lines += [f"* cpu takes {k} from NumPy: {why}" for k, why in numpy_taken.items()]
    lines += [f"* opencl does {k} on the host: {why}" for k, why in round_trips.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
