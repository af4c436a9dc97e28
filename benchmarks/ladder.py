"""NumPy, Cython loops, C, vectors, threads: the ladder of every kernel, as table and picture.

`python benchmarks/ladder.py [NAME...] [--threads 2] [--rounds 7] [--out FOLDER]`; a minute.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # NumPy's rung has one thread; ours set their own

from tinydl.bench import ladder  # noqa: E402
from tinydl.bench.harness import machine  # noqa: E402
from tinydl.console import command  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(ladder.LADDERS))
    parser.add_argument("--threads", default="2", help="rungs of more threads, such as 2,4")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try it out")
    parser.add_argument("--out", type=Path, help="folder for ladder.json, ladder.md, ladder.png")
    args = parser.parse_args()
    threads = [int(n) for n in args.threads.split(",") if n]
    rungs = []
    for name in args.names or ladder.LADDERS:
        found = ladder.climb(name, threads, args.rounds, small=args.small)
        print(ladder.table(found), flush=True)
        rungs += found
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        where = machine()
        rows = [asdict(rung) | where for rung in rungs]
        (args.out / "ladder.json").write_text(json.dumps(rows, indent=1) + "\n")
        head = f"# The ladder\n\n{where['machine']}, {where['date'][:10]}, {where['commit']}\n\n"
        (args.out / "ladder.md").write_text(head + ladder.table(rungs))
        ladder.draw(rungs, args.out / "ladder.png")


if __name__ == "__main__":
    sys.exit(command(main, "ladder"))
