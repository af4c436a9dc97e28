"""The subcommand `tinydl zoo`: the trained models that come with the package."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..console import Parser, print_json, teller
from ..tables import Column, Page, Table, facts
from ..zoo import Card, card, names

if TYPE_CHECKING:
    from ..experiment.program import Program

HEADS = (
    Column("name", bold=True),
    Column("what", least=20),
    Column("score", right=True),
    Column("beside", right=True, least=12),
    Column("kB", right=True),
)


def add_zoo(sub: Parser) -> None:
    """The arguments of `tinydl zoo` but for --json."""
    sub.add_argument("name", nargs="?", help="one of them: its card")


def zoo_command(args: argparse.Namespace) -> int:
    """List the shelf, or print the card of one entry."""
    cards = [card(args.name)] if args.name else [card(name) for name in names()]
    tell = teller(args)
    tell(_page(cards[0]) if args.name else Table(HEADS, [_cells(c) for c in cards]))
    if args.json:
        told = [asdict(c) for c in cards]
        print_json(told[0] if args.name else told)
    return 0


def _program(entry: Card) -> Program:
    from ..runs.run import OpenRun
    from ..zoo.shelf import folder

    return OpenRun(folder(entry.name)).recipe.program


def _cells(entry: Card) -> list[str]:
    beside = [found[entry.score] for found in entry.baselines.values() if entry.score in found]
    share = _program(entry).is_share(entry.score)
    score, last = [
        "-" if value is None else f"{100 * value:.2f} %" if share else f"{value:.4g}"
        for value in (entry.test[entry.score], beside[-1] if beside else None)
    ]
    return [entry.name, entry.title, score, last, f"{entry.bytes / 1000:,.0f}"]


def _page(entry: Card) -> Page:
    measures = ", ".join(f"{name} {value:.4g}" for name, value in entry.test.items())
    beside = [
        (f"beside: {name}", ", ".join(f"{k} {v:.4g}" for k, v in found.items() if v is not None))
        for name, found in entry.baselines.items()
    ]
    told = [
        ("measured", measures),
        *beside,
        ("made by", f"{entry.command} ({entry.date}, commit {entry.commit})"),
        ("data", f"{entry.data}: {entry.licence}"),
        ("source", entry.source or "-"),
        ("parameters", f"{entry.parameters:,}"),
        ("weights", f"{entry.bytes:,} bytes, {entry.stored}"),
        ("SHA-256", entry.sha256),
    ]
    return Page([f"{entry.name}: {entry.title}", facts(told)])
