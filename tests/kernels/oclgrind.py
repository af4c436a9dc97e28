"""Every OpenCL kernel once, at small sizes, in Oclgrind, which runs work-items one by one and
reports memory errors, data races and uninitialised values (Debian's package `oclgrind`):

    python tests/kernels/oclgrind.py                    # memory errors and data races
    python tests/kernels/oclgrind.py --uninitialized    # and uninitialised values, not optimised

Both run the kernels of a CPU device and those of a GPU, compare the results with the reference, and
end with 1 after any report or wrong result. What no call needed is named at the end. `-k TEXT`
takes the calls of that name, `--kind gpu` one of the two.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("cpu", "gpu")
#: (key, offset, ...): Oclgrind 21.10 loses the carry where blocks of a vector pass 2^32.
RANDOM = ("uniform", "normal", "bernoulli")
WRONG = 3  # how the process inside says that a result was wrong


def small_calls():
    """(name, arguments): each row of tests/cases/kernels.py, and tiles of every shape."""
    from cases.kernels import ROWS

    from tinydl.geometry import conv2d_geometry
    from tinydl.testing import Draw

    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    for case in ROWS:
        for seed in range(3):
            dtype = "float32" if "float32" in case.dtypes else case.dtypes[0]
            yield case.name, case.draw(Draw(seed), np.dtype(dtype)), case
    for rows in range(1, 11):
        for columns in (3, 20):
            yield "matmul", (normal(rows, 3), normal(3, columns)), None
            yield "matmul", (normal(columns, rows), normal(rows, 1)), None
            g = conv2d_geometry((1, 3, rows + 2, 2), (3, 3, 2, columns), 1, (0, 0))
            yield "conv2d", (normal(*g.x_shape), normal(*g.weight_shape), None, g), None
            yield "conv2d_input_grad", (normal(*g.y_shape), normal(*g.weight_shape), g), None
            length = conv2d_geometry((1, 2, 3, rows), (1, 1, rows, columns), 2)
            pair = (normal(*length.x_shape), normal(*length.y_shape), length)
            yield "conv2d_weight_grad", pair, None
        for stride in (1, 2):
            g = conv2d_geometry((2, 3, rows, 9), (3, 3, 1, 9), stride, 1, 1, 9)
            yield "conv2d", (normal(*g.x_shape), normal(*g.weight_shape), normal(9), g), None
            yield "conv2d_input_grad", (normal(*g.y_shape), normal(*g.weight_shape), g), None
            yield "conv2d_weight_grad", (normal(*g.x_shape), normal(*g.y_shape), g), None


def same(got, want, case):
    """Whether a result is the reference's, roughly: what is tested here is memory."""
    if got.shape != want.shape:
        return False
    if want.dtype.kind != "f":
        return bool(np.array_equal(got, want))
    scale = np.abs(want).max(initial=1.0, where=np.isfinite(want))
    with np.errstate(invalid="ignore"):
        near = (np.abs(got - want) <= 1e-2 * scale) | (got == want)
    return bool(np.all(near | (np.isnan(got) & np.isnan(want))))


def arrays_of(results):
    return [r for r in (results if isinstance(results, tuple) else (results,)) if r is not None]


def run(only: str) -> int:
    """All calls on the device that is there; the number of wrong results and missing kernels."""
    from cases.kernels import REFERENCE

    from tinydl.backend import get

    cl, wrong, begin = get("opencl"), 0, time.monotonic()
    launched = watch_launches(cl.runtime)
    fill_padding(cl.runtime)
    for count, (name, args, case) in enumerate(small_calls()):
        if (name in RANDOM and args[1] > 1 << 31) or (name == "dropout" and args[2] > 1 << 31):
            continue
        if only not in name or sum(a.size for a in args if isinstance(a, np.ndarray)) > 20_000:
            continue

        turned = case is not None and count % 3 == 2 and not case.writes
        there = functools.partial(uploaded, cl, turned=turned)
        print(f"{count} {name}", file=sys.stderr, flush=True)
        made = arrays_of(getattr(cl, name)(*[there(a) for a in args]))
        mine = [cl.to_numpy(r) for r in made]
        wanted = arrays_of(getattr(REFERENCE, name)(*args))
        if not all(same(g, w, case) for g, w in zip(mine, wanted, strict=True)):
            print(f"WRONG: {name} {[getattr(a, 'shape', a) for a in args]}")
            wrong += 1
    print(f"{cl.runtime.kind}: {len(launched)} kernels, {time.monotonic() - begin:.0f} s")
    print(f"  results that are not the reference's: {wrong}")
    print(json.dumps({"launched": sorted(launched), "known": sorted(known(cl.runtime))}))
    return wrong


def uploaded(cl, a, turned):
    """An argument on the device; `turned`: matrices as views of their transposed copy."""
    if isinstance(a, list):
        return [uploaded(cl, x, turned) for x in a]
    if not isinstance(a, np.ndarray | np.generic):
        return a
    a = np.array(a)
    if turned and a.ndim > 1:
        return cl.transpose(cl.asarray(a.T.copy()), tuple(range(a.ndim))[::-1])
    return cl.asarray(a)


def fill_padding(runtime) -> None:
    """What follows an array may be read and computed with, though it changes no result (see
    kernels_cl/prelude.cl): it is made known, so that a report is one about an array's elements."""
    import pyopencl as cl

    plain = runtime.allocate

    def allocate(elements, dtype, shape):
        buffer, used = plain(elements, dtype, shape), elements * dtype.itemsize
        cl.enqueue_fill_buffer(runtime.queue, buffer, np.uint8(0), used, buffer.size - used)
        return buffer

    runtime.allocate = allocate


def watch_launches(runtime) -> set[str]:
    """The names of the kernels that are launched from now on, as they come."""
    launched: set[str] = set()
    plain = runtime._launch

    def launch(kernel, *rest):
        launched.add(kernel.name)
        plain(kernel, *rest)

    runtime._launch = launch
    return launched


def known(runtime) -> set[str]:
    """The kernels of the float32 programs that were built."""
    import pyopencl as cl

    found = set()
    for (stem, dtype), program in runtime._programs.items():
        if dtype == "f":
            names = program.get_info(cl.program_info.KERNEL_NAMES)
            found |= {f"{stem}.cl: {name}" for name in names.split(";")}
    return found


def families(names: set[str]) -> set[str]:
    """Without the sizes of tiles: what a device's registers cannot hold is not launched there."""
    return {re.sub(r"_\d+(x\d+)?$", "", name) for name in names}


def checked(kind: str, uninitialized: bool, only: str, seen: dict[str, set[str]]) -> int:
    """The calls of one kind in Oclgrind; 0 if there was no report and no wrong result. `seen`
    gets the kernels."""
    options = ["--data-races", "--max-errors", "1000"]
    if uninitialized:  # its LLVM has no `freeze`, which the optimiser makes
        options += ["--uninitialized", "--build-options", "-cl-opt-disable"]
    log = Path(os.environ.get("TMPDIR", "/tmp")) / f"oclgrind-{kind}-{os.getpid()}.log"
    environment = {**os.environ, "TINYDL_CL_KIND": kind, "TINYDL_CL_DEVICE": "oclgrind"}
    environment |= {"PYOPENCL_NO_CACHE": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    child = [sys.executable, __file__, "--inside", "-k", only]
    command = ["oclgrind", *options, "--log", str(log), *child]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    *told, last = ended.stdout.splitlines() or [""]
    print("\n".join(told))
    if last.startswith("{"):
        for what, names in json.loads(last).items():
            seen.setdefault(what, set()).update(names)
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    reports = re.findall(
        r"^(\S.*?)(?: at .*| memory address.*)?\n\s+Kernel: (.*)", text, re.MULTILINE
    )
    for what, kernel in dict.fromkeys(reports):
        print(f"  {reports.count((what, kernel))} x {kernel}: {what}")
    if ended.returncode not in (0, WRONG):
        print(f"  ended with {ended.returncode}: {ended.stderr[-800:]}")
    print(f"{kind}: {len(reports)} reports ({log})", flush=True)
    return len(reports) + abs(ended.returncode)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--uninitialized", action="store_true", help="and uninitialised values")
    parser.add_argument("--kind", choices=KINDS, help="kernels of that kind only")
    parser.add_argument("-k", default="", metavar="TEXT", help="calls of that name only")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return WRONG * (run(args.k) > 0)
    kinds = [args.kind] if args.kind else KINDS
    seen: dict[str, set[str]] = {}
    failures = [checked(kind, args.uninitialized, args.k, seen) for kind in kinds]
    if not args.k and not args.kind:
        missing = families(seen["known"]) - families(seen["launched"])
        print(f"in no call: {', '.join(sorted(missing)) or 'none'}")
    return int(sum(failures) > 0)


if __name__ == "__main__":
    sys.exit(main())
