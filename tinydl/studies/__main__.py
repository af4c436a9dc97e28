"""`python -m tinydl.studies NAME`: a study that the books do not run, its table and its picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..console import Parser, command
from ..tables import Column, Lines, Page, Table, show
from .comparisons import Cost, Course, courses, separable
from .pages import STUDIES, write

#: Cells as wide as they become.
SAMPLES = {
    Course: ("batch normalisation", "with, dropout 0.6", "1,234,567", *["12.345"] * 5),
    Cost: ("3x3", "32x32", "128", *["123.456"] * 5),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(
        description="studies that the books do not run",
        epilog="example: python -m tinydl.studies separable --tiny",
    )
    parser.add_argument("name", nargs="?", choices=STUDIES, help="(none: what there is)")
    parser.add_argument("--out", type=Path, help="folder for studies.json and studies.md")
    parser.add_argument("--figures", type=Path, help="folder for the picture (default: --out)")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, to try it out")
    args = parser.parse_args(arguments)
    if args.name is None:
        return show(Page([_studies(), "", "python -m tinydl.studies STUDY --out FOLDER"]))
    study = STUDIES[args.name]
    rows = []
    made = separable(args.tiny) if args.name == "separable" else courses(args.name, args.tiny)
    columns = [Column(head, right=k > 1, least=9 * (k < 2)) for k, head in enumerate(study.heads)]
    lines = Lines(columns, [SAMPLES[study.kind]])
    print(lines.top(), flush=True)
    for row in made:
        rows.append(row)
        print(lines.row(study.cells(row)), flush=True)
    if args.out:
        for path in write(args.name, rows, args.out, args.figures or args.out):
            show(f"written: {path}")


def _studies() -> Table:
    rows = [(name, study.title) for name, study in STUDIES.items()]
    return Table((Column("study", bold=True), Column("what it compares", least=30)), rows)


if __name__ == "__main__":
    sys.exit(command(main, "studies"))
