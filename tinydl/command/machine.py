"""The subcommands `tinydl info`, `data`, `gradcheck`, `bench` and `profile`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..tables import Column, Page, Table, facts, show

if TYPE_CHECKING:
    from ..data.inventory import Row
    from ..measure.profiler import Profile

Arguments = argparse.Namespace


def add_data(sub: Parser) -> None:
    """The arguments of `tinydl data` but for --json."""
    sub.add_argument("action", choices=("list", "fetch", "verify"))
    sub.add_argument("names", metavar="NAME", nargs="*", help="data sets (list, verify: all)")
    sub.add_argument("--online", action="store_true", help="verify: try every mirror too")


def add_gradcheck(sub: Parser) -> None:
    """The arguments of `tinydl gradcheck`."""
    sub.add_argument("op", help="operation, such as conv2d")
    sub.add_argument(
        "--order", type=int, default=2, help="highest order of derivatives (default 2)"
    )
    sub.add_argument("--examples", type=int, default=20, help="how many (default 20)")
    sub.add_argument("--seed", type=int, default=0, help="of the examples (default 0)")
    sub.add_argument("--backend", default="numpy", help="numpy (default), cpu, opencl, opencl:1")


def add_bench(sub: Parser) -> None:
    """The arguments of `tinydl bench`."""
    sub.add_argument("groups", metavar="GROUP", nargs="*", help="gemm, conv, ... (default: all)")
    peers = (
        "numpy, torch, jax, tensorflow, onnxruntime, openvino, or [LABEL=]PYTHON with its tinydl "
        "(default numpy,torch)"
    )
    sub.add_argument("--against", type=str, default="numpy,torch", help=peers)
    sub.add_argument("--threads", default="1", help="such as 1,2 (default 1)")
    sub.add_argument("--backend", default="cpu", help="ours: cpu (default), opencl, opencl:1")
    sub.add_argument("--rounds", type=int, help="interleaved rounds (default 7, --quick 3)")
    sub.add_argument("--quick", action="store_true", help="a few cells of each group")
    sub.add_argument("--json", metavar="OUT", help="write the rows into this file")
    sub.add_argument("--out", metavar="FOLDER", help="add rows, tables and pictures to a folder")


def add_profile(sub: Parser) -> None:
    """The arguments of `tinydl profile` but for --backend and --data."""
    sub.add_argument("recipe", help="recipe, recipe/variant, or folder of an imported net")
    sub.add_argument("--batches", type=int, default=5, help="training steps (default 5)")
    sub.add_argument("--by-shape", action="store_true", help="one row per operation and shapes")
    sub.add_argument("--out", metavar="PNG", help="draw the roofline")


def info_command(args: Arguments) -> int:
    """What this machine offers, and with --peaks how fast it is."""
    from ..measure.machine import facts as machine_facts
    from ..measure.machine import measured, told

    found, peaks = machine_facts(), measured() if args.peaks else []
    if args.json:
        print_json(found | ({"peaks": [vars(p) for p in peaks]} if peaks else {}))
        return 0
    show(told(found))
    for one in peaks:
        show(f"\n{one.text()}")
    return 0


# -- data ------------------------------------------------------------------------------------------

SETS = (
    Column("data set", bold=True),
    Column("status", marks=True),
    Column("what it is", least=30),
    Column("licence", least=24, spare=2),
    Column("folder", least=24, spare=1),
)
FILES = (
    Column("status", marks=True),
    Column("data set", bold=True),
    Column("file", least=26),
    Column("where", least=16),
    Column("", least=16),
)


def data_command(args: Arguments) -> int:
    """List, fetch or verify data sets."""
    from .. import data

    if args.action == "fetch" and not args.names:
        raise ConfigError(f"data fetch: name a data set of {', '.join(data.CATALOG)}")
    names = args.names or list(data.CATALOG)
    if args.action == "list":
        known = [data.lookup(name).name for name in names]
        rows = [row for row in data.list_datasets() if row["name"] in known]
    elif args.action == "fetch":
        rows = [row for name in names for row in data.fetch(name)]
    else:
        rows = [row for name in names for row in data.verify(name, online=args.online)]
    if args.json:
        print_json(rows)
    elif args.action == "list":
        show(_cards(rows) if args.names else _sets(rows))
    else:
        told = any(row["detail"] for row in rows)
        show(Table(FILES if told else FILES[:-1], [_file(row)[: 4 + told] for row in rows]))
    return int(args.action == "verify" and any(row["status"] != "ok" for row in rows))


def _file(row: Row) -> list[str]:
    folder = row["path"].removesuffix(f"/{row['file']}")
    return [row["status"], row["name"], row["file"], folder, row["detail"]]


def _sets(rows: Sequence[Row]) -> Page:
    """One row per data set; what else there is to say stands on its card."""
    from ..data import CATALOG

    cells = []
    for row in rows:
        known = CATALOG[row["name"]]
        what = f"{known.description} ({known.records})"
        cells.append([row["name"], row["status"], what, known.licence, row["path"]])
    more = (
        "`tinydl data list NAME`: folder, source, licence, citation of one. `tinydl data fetch "
        "NAME`: gets what is missing."
    )
    return Page([Table(SETS, cells), "", more])


def _cards(rows: Sequence[Row]) -> Page:
    """Everything that the catalogue says about each of these data sets."""
    from ..data import CATALOG

    page = Page()
    for row in rows:
        known = CATALOG[row["name"]]
        entries = {
            "data set": known.name, "status": row["status"], "what it is": known.description,
            "records": known.records, "classes": ", ".join(known.classes),
            "differs": known.fidelity, "files": ", ".join(f.name for f in known.files),
            "folder": row["path"], "source": known.source, "licence": known.licence,
            "citation": known.citation, "by hand": known.by_hand,
        }  # fmt: skip
        page.parts += [
            *([""] if page.parts else []),
            facts((k, v) for k, v in entries.items() if v),
        ]
    return page


# -- measuring -------------------------------------------------------------------------------------


def gradcheck_command(args: Arguments) -> int:
    """The derivatives of one operation against differences."""
    from ..testing import GradientError, gradcheck_op

    if args.order < 1 or args.examples < 1:
        raise ConfigError("gradcheck: --order and --examples must be >= 1")
    try:
        show(str(gradcheck_op(args.op, args.order, args.examples, args.seed, args.backend)))
    except GradientError as error:
        print(f"tinydl: {error}", file=sys.stderr)
        return 1
    return 0


def bench_command(args: Arguments) -> int:
    """Our kernels beside other libraries'."""
    from ..bench.harness import check_places, own_specs, peer_specs, run_benchmarks, select
    from ..bench.told import means

    try:
        threads = [int(n) for n in args.threads.split(",")]
    except ValueError:
        threads = [0]
    rounds = args.rounds if args.rounds is not None else 3 if args.quick else 7
    if min(threads) < 1 or rounds < 1:
        raise ConfigError("bench: --threads (such as 1,2) and --rounds must be numbers >= 1")
    cases = select(args.groups, args.quick)
    peers = peer_specs([name for name in args.against.split(",") if name])
    own_specs(args.backend)
    check_places(args.json, args.out)
    target = 0.005 if args.quick else 0.02
    rows = run_benchmarks(cases, peers, threads, rounds, target, show, args.backend)
    show(Page(["", *means(rows)]))
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    if args.out:
        from ..bench.results import write_results

        for path in write_results(rows, args.out):
            show(f"written: {path}")
    return int(any(row["problems"] for row in rows))


def _profile_imported(args: Arguments) -> Profile:
    """Forward passes of an imported net, over one sample each."""
    from ..backend import use_backend
    from ..bench.profile import profile_net
    from ..nn.watch import one_sample
    from ..runs.imported import ImportedRun
    from .importing import example_of

    with use_backend(args.backend):
        net, shape = example_of("profile", ImportedRun(args.recipe))
        net.to(args.backend)
        return profile_net(net, one_sample("profile", net, shape), args.batches)


def profile_command(args: Arguments) -> int:
    """Where the time of a recipe's training steps, or of an imported net's passes, goes."""
    from ..bench.profile import profile_recipe, report
    from ..runs.imported import is_imported

    if is_imported(args.recipe):
        found = _profile_imported(args)
    else:
        found = profile_recipe(args.recipe, args.batches, args.backend)
    report(found, args.recipe, args.by_shape, args.out, teller(args))
    if args.json:
        print_json(found.to_json())
    return 0
