"""The subcommand `tinydl serve`: a page on this machine that asks a run."""

from __future__ import annotations

import argparse

from ..console import Parser, print_json, teller
from ..quoting import shown
from ..tables import wrapped
from .runs import open_run


def add_serve(sub: Parser) -> None:
    """The arguments of `tinydl serve` but for --backend."""
    sub.add_argument("folder", metavar="RUN", help="run folder, or a name of `tinydl zoo`")


def serve_command(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C; with --json the address is the JSON value."""
    from ..serving.kinds import asked
    from ..serving.server import Server

    run = asked(open_run(args), args.backend)
    facts = run.facts()
    server = Server(facts, run.questions)
    try:
        tell = teller(args)
        tell(wrapped(f"{shown(facts['name'], 60)}: {shown(facts['title'], 120)}"))
        tell(f"  {server.url}")
        tell("answers this machine alone, and only under this address; Ctrl-C ends it")
        if args.json:
            print_json({"run": args.folder, "url": server.url, "asks": list(run.questions)})
        server.serve_forever()
    finally:
        server.close()
    return 0
