"""The subcommand `tinydl report`: a run on one page."""

from __future__ import annotations

import argparse

from ..console import Parser, print_json, teller
from ..quoting import shown


def add_report(sub: Parser) -> None:
    """The arguments of `tinydl report` but for --backend and --data."""
    sub.add_argument("folder", metavar="RUN", help="run folder, or a name of `tinydl zoo`")
    sub.add_argument("--out", metavar="FILE", help="the page (default RUN/report.html)")
    sub.add_argument("--force", action="store_true", help="write over a page that is there")
    sub.add_argument(
        "--dataset", metavar="NAME", help="for an imported net: the data, such as mnist"
    )


def report_command(args: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    from ..reporting.report import write_report

    path = write_report(
        args.folder, args.out, args.force, args.recipe_file, args.backend, args.dataset or ""
    )
    size = path.stat().st_size
    teller(args)(f"wrote {shown(path)}, {size / 1e6:.1f} MB: open it in any browser")
    if args.json:
        print_json({"run": args.folder, "out": str(path), "bytes": size})
    return 0
