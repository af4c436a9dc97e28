"""The subcommand `tinydl look`: what a folder holds, before any training."""

from __future__ import annotations

import argparse
import os
import sys
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..quoting import shown
from ..tables import Column, Page, Table, can_move, facts

if TYPE_CHECKING:
    from ..data.folders.looking import Look
    from ..data.folders.problems import Problem

MOST_CLASSES, MOST_SHOWN = 60, 8
KIND_NAMES = {
    "pictures": "pictures",
    "wav": "sounds",
    "csv": "tables",
    "text": "texts",
    "voc": "pictures with boxes in VOC's form",
    "coco": "pictures with boxes in COCO's form",
    "nothing": "nothing that is known",
}
PROBLEM = (Column("", least=24), Column("", least=24))


def add_look(sub: Parser) -> None:
    """The arguments of `tinydl look` but for --json."""
    sub.add_argument("path", metavar="PATH", help="a folder, or one table or text")
    sub.add_argument("--out", metavar="PNG", help="write a sheet of samples")
    sub.add_argument("--force", action="store_true", help="--out may replace a file")
    sub.add_argument("--strict", action="store_true", help="exit code 1 if there is a problem")
    sub.add_argument("--follow-links", action="store_true", help="take links that leave PATH")


def look_command(args: argparse.Namespace) -> int:
    """Say what is there and what is wrong; nothing below PATH is changed."""
    from ..data.folders.looking import look

    out = None if args.out is None else _target(args)
    with _Counting(args.json) as counting:
        seen = look(args.path, args.follow_links, counting.told)
    tell = teller(args)
    tell(Page(described(seen, args.path)))
    if out is not None:
        from ..viz.sheet import contact_sheet

        contact_sheet(seen, out)
        tell(f"samples are drawn in {shown(out)}")
    if args.json:
        print_json(seen.to_json())
    return int(args.strict and bool(seen.serious))


def _target(args: argparse.Namespace) -> Path:
    """Where the sheet goes: not into what is looked at, nor over a file that is there."""
    out = Path(args.out)
    if out.suffix.lower() != ".png":
        raise ConfigError(f"look: --out writes a PNG file, 'samples.png', got {shown(out)}")
    root, target = os.path.realpath(args.path), os.path.realpath(out)
    if target.startswith(root.rstrip(os.sep) + os.sep):
        raise ConfigError(f"look: --out {shown(out)} would lie in the folder that is looked at")
    if out.exists() and not args.force:
        raise ConfigError(f"look: {shown(out)} exists; --force replaces it")
    return out


def described(seen: Look, path: str) -> list[Table | str]:
    """What people read."""
    found = seen.found
    rows = [("kind", KIND_NAMES[found.kind]), ("files", f"{len(found.files):,}")]
    rows += [("within", shown(found.base))] if found.base else []
    rows += [("classes", f"{len(found.classes):,}")] if found.classes else []
    rows += [(shown(what), text) for what, text in seen.facts]
    rows += [("passed over", f"{found.hidden:,} hidden names")] if found.hidden else []
    parts: list[Table | str] = [shown(path), facts(rows), ""]
    if found.classes or len(found.parts) > 1:
        parts += [_counts(seen), ""]
    return [*parts, *_problems(seen.problems)]


def _counts(seen: Look) -> Table:
    """Samples of each class and part."""
    found = seen.found
    columns = [Column("nr", right=True), Column("class", least=12, bold=True)]
    columns += [Column(part or "samples", right=True) for part in found.parts]
    counts = found.counts()
    names = found.classes or ("(no classes)",)
    rows = [
        [str(k + 1), shown(name, 60), *(f"{n:,}" for n in row)]
        for k, (name, row) in enumerate(zip(names, counts, strict=True))
    ][:MOST_CLASSES]
    if len(names) > MOST_CLASSES:
        rows.append(["", f"and {len(names) - MOST_CLASSES:,} more", *["" for _ in found.parts]])
    if len(names) > 1:
        rows.append(["", "together", *(f"{n:,}" for n in counts.sum(axis=0))])
    return Table(columns, rows)


def _problems(problems: tuple[Problem, ...]) -> list[Table | str]:
    """By kind, the first few of each."""
    from ..data.folders.problems import KINDS

    if not problems:
        return ["no problem was found"]
    serious = sum(not p.is_note for p in problems)
    rows: list[tuple[str, str] | str] = []
    for kind, those in groupby(problems, key=lambda p: p.kind):
        group = list(those)
        note = ", a note" if group[0].is_note else ""
        rows.append(f"{KINDS[kind]} ({len(group):,}{note})")
        rows += [(shown(p.path, 120), shown(p.text)) for p in group[:MOST_SHOWN]]
        if len(group) > MOST_SHOWN:
            rows.append(("", f"and {len(group) - MOST_SHOWN:,} more: --json names all"))
    notes = len(problems) - serious
    count = f"{serious:,} problem{'s'[: serious != 1]}, {notes:,} note{'s'[: notes != 1]}:"
    return [count, Table(PROBLEM, rows)]


class _Counting:
    """How many files are done, on a terminal: once a second, in one line that is then removed."""

    def __init__(self, json: bool) -> None:
        self.stream = sys.stderr
        self.moves = not json and self.stream.isatty() and can_move()
        self.last, self.written = monotonic(), False

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *rest: object) -> None:
        if self.written:
            print("\r\x1b[K", end="", file=self.stream, flush=True)

    def told(self, done: int, files: int) -> None:
        if self.moves and monotonic() - self.last >= 1:
            self.last, self.written = monotonic(), True
            text = f"\r{done:,} of {files:,} files\x1b[K"
            print(text, end="", file=self.stream, flush=True)
