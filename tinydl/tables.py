"""Tables and paragraphs as wide as the terminal: plain text, or drawn by rich where that can show.

One layout for both: `Table` decides how wide every column is and where its cells go on in the next
line; rich only draws what was laid out. Cells may hold text of strangers: it is made printable
here, and no markup in it means anything.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .quoting import printable

GAP = 2  # blanks between columns
NARROWEST = 40
RULES = "─━"
BLANK = re.compile(r" (?!%)")  # between words; "5 %" is one
SEAMS = re.compile(r" |(?<=-)")  # where a head may go on in the next line

#: Cells of a column with `marks` that are more than text, and how rich shows them: colours that
#: stand out on light and on dark ground.
MARKS = {
    **dict.fromkeys(("ok", "yes"), "green"),
    **dict.fromkeys(("wrong", "failed", "NO"), "bold red"),
}


def width(stream: Any = None) -> int:
    """Columns of the terminal that a stream (None: stdout) leads to, as COLUMNS or the terminal
    says it; 80 where there is none."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns < 1:
        try:
            columns = os.get_terminal_size((stream or sys.stdout).fileno()).columns
        except (AttributeError, ValueError, OSError):  # no stream, a closed one, no terminal
            columns = 0
    return max(NARROWEST, columns or 80)


def wide(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining
    one.

    >>> wide("abc"), wide("十二"), wide("e\\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    import unicodedata  # here: few need it

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrapped(text: str, limit: int | None = None, indent: str = "") -> str:
    """A paragraph in lines of at most `limit` columns (None: the terminal's), those after the first
    behind `indent`. Words stay whole, also those that are too long: paths, commands."""
    limit = width() if limit is None else limit
    words = BLANK.split(text.lstrip(" "))
    lines, line = [], text[: len(text) - len(text.lstrip(" "))] + words[0]
    for word in words[1:]:
        if wide(line) + 1 + wide(word) > limit:
            lines.append(line.rstrip(" "))
            line = indent + word
        else:
            line = f"{line} {word}"
    return "\n".join([*lines, line])


class Column(NamedTuple):
    """head: its name, which may take several lines. right: numbers. least: the width down to which
    its text may be broken into lines (0: never). spare: left out where the table would not fit, the
    smallest number first (0: never). marks: its cells are those of MARKS. bold: by rich."""

    head: str
    right: bool = False
    least: int = 0
    spare: int = 0
    marks: bool = False
    bold: bool = False


class Table:
    """Rows of cells below heads; a row that is a text is the heading of those after it.

    Where columns were left out, a last line names them.
    """

    def __init__(self, columns: Sequence[Column], rows: Iterable[Sequence[str] | str] = ()) -> None:
        self.columns = columns
        self.rows = [
            printable(r) if isinstance(r, str) else [printable(c) for c in r] for r in rows
        ]

    def __str__(self) -> str:
        return self.text()

    def text(self, limit: int | None = None) -> str:
        """The table in plain characters, as wide as `limit` (None: the terminal)."""
        laid = _Layout(self, width() if limit is None else limit)
        lines = laid.top() if laid.heads() else []
        for row in self.rows:
            lines += ["", row] if isinstance(row, str) else laid.lines(laid.kept(row))
        return "\n".join([*lines, *laid.left_out()])


class _Layout:
    """Which columns stand, and how wide each is."""

    def __init__(self, table: Table, limit: int) -> None:
        self.columns, self.limit = table.columns, limit
        rows = [row for row in table.rows if not isinstance(row, str)]
        cells = [max((wide(row[i]) for row in rows), default=0) for i in range(len(self.columns))]
        heads = [c.head for c in self.columns]
        words = [max(map(wide, SEAMS.split(head)), default=0) for head in heads]
        whole = [max(pair) for pair in zip(cells, map(wide, heads), strict=True)]
        split = [max(pair) for pair in zip(cells, words, strict=True)]
        least = [
            min(natural, max(c.least, word)) if c.least else natural
            for c, natural, word in zip(self.columns, split, words, strict=True)
        ]
        self.places = self._standing(least)
        wanted = whole if self._fits([whole[i] for i in self.places]) else split
        self.widths = self._shared(
            [wanted[i] for i in self.places], [least[i] for i in self.places]
        )

    def _fits(self, widths: Sequence[int]) -> bool:
        return sum(widths) + GAP * (len(widths) - 1) <= self.limit

    def _standing(self, least: Sequence[int]) -> list[int]:
        places = list(range(len(least)))
        spare = sorted((i for i in places if self.columns[i].spare), key=self._spare)
        while spare and not self._fits([least[i] for i in places]):
            places.remove(spare.pop(0))
        return places

    def _spare(self, place: int) -> int:
        return self.columns[place].spare

    def _shared(self, wanted: list[int], least: list[int]) -> list[int]:
        """The widest column that may be broken gives way, down to its least, then down to 8."""
        widths = list(wanted)
        for bottom in (least, [8 if self.columns[i].least else 10**6 for i in self.places]):
            while not self._fits(widths):
                able = [k for k, w in enumerate(widths) if w > bottom[k]]
                if not able:
                    break
                widths[max(able, key=lambda k: widths[k])] -= 1
        return widths

    def kept(self, row: Sequence[str]) -> list[str]:
        return [row[i] for i in self.places]

    def heads(self) -> list[str]:
        heads = [self.columns[i].head for i in self.places]
        return heads if any(heads) else []

    def broken(self, cells: Sequence[str], head: bool = False) -> list[list[str]]:
        return [
            broken(cell, w) if head or self.columns[place].least else [cell]
            for place, cell, w in zip(self.places, cells, self.widths, strict=True)
        ]

    def lines(self, cells: Sequence[str], head: bool = False) -> list[str]:
        """A row; heads stand low, cells high."""
        columns = self.broken(cells, head)
        height = max(map(len, columns))
        blanks = [[""] * (height - len(lines)) for lines in columns]
        filled = [b + c if head else c + b for b, c in zip(blanks, columns, strict=True)]
        return [self._line([lines[k] for lines in filled]) for k in range(height)]

    def _line(self, cells: Sequence[str]) -> str:
        padded = []
        for place, cell, w in zip(self.places, cells, self.widths, strict=True):
            blank = " " * (w - wide(cell))
            padded.append(blank + cell if self.columns[place].right else cell + blank)
        return (" " * GAP).join(padded).rstrip()

    def top(self) -> list[str]:
        """The heads and the rule below them."""
        rule = (" " * GAP).join("-" * w for w in self.widths)
        return [*self.lines(self.heads(), head=True), rule]

    def left_out(self) -> list[str]:
        names = [c.head for i, c in enumerate(self.columns) if i not in self.places]
        if not names:
            return []
        return ["", wrapped(f"(a wider terminal also shows: {', '.join(names)})", self.limit)]


def broken(text: str, limit: int) -> list[str]:
    """The text in lines of at most `limit` columns: between words, else behind / . _ - within a
    word, else anywhere."""
    lines, line = [], ""
    for word in BLANK.split(text):
        if line and wide(line) + 1 + wide(word) <= limit:
            line = f"{line} {word}"
            continue
        lines += [line] * bool(line)
        while wide(word) > limit:
            head = _head(word, limit)
            lines.append(head)
            word = word[len(head) :]
        line = word
    return [*lines, line]


def _head(word: str, limit: int) -> str:
    """The part of a too long word that stands on a line of its own."""
    end = limit
    while end > 1 and wide(word[:end]) > limit:
        end -= 1
    seam = max(word.rfind(mark, limit // 2, end) for mark in "/._-,")
    return word[: seam + 1 if seam > 0 else end]


class Lines:
    """A table whose rows come one by one: laid out by `samples`, rows as wide as they will be."""

    def __init__(self, columns: Sequence[Column], samples: Iterable[Sequence[str]]) -> None:
        self._laid = _Layout(Table(columns, samples), width())

    def top(self) -> str:
        """The heads, and what has no room."""
        return "\n".join([*(self._laid.left_out()[1:]), *self._laid.top()])

    def row(self, cells: Sequence[str]) -> str:
        return "\n".join(self._laid.lines(self._laid.kept([printable(c) for c in cells])))


# -- showing ---------------------------------------------------------------------------------------


class Page:
    """Tables and paragraphs, one below the other; "" is an empty line."""

    def __init__(self, parts: Iterable[Table | str] = ()) -> None:
        self.parts = list(parts)

    def __str__(self) -> str:
        return "\n".join(str(p) if isinstance(p, Table) else wrapped(p) for p in self.parts)


def facts(entries: Iterable[tuple[str, str]]) -> Table:
    """Names to the left, what is to be said of each to the right."""
    return Table((Column("", bold=True), Column("", least=30)), list(entries))


def show(what: Table | Page | str, stream: Any = None) -> None:
    """Print it: by rich on a terminal that can draw, plain everywhere else."""
    stream = sys.stdout if stream is None else stream
    console, limit = drawing(stream), width(stream)
    for part in what.parts if isinstance(what, Page) else [what]:
        if isinstance(part, str):
            lines = printable(part, "\n").split("\n")
            print("\n".join(wrapped(line, limit) for line in lines), file=stream)
        elif console is None:
            print(part.text(limit), file=stream)
        else:
            _draw(part, console)
    stream.flush()


def drawing(stream: Any) -> Any:
    """rich's console for a stream that is a terminal with moving cursor and line characters; None
    for any other, and without rich."""
    if not (stream.isatty() and can_move()):
        return None
    try:
        RULES.encode(stream.encoding)
        from rich.console import Console
    except (ImportError, LookupError, TypeError, UnicodeEncodeError):
        return None
    return Console(
        file=stream, width=width(stream), markup=False, highlight=False, emoji=False, soft_wrap=True
    )


def can_move() -> bool:
    """Whether the terminal is one whose cursor moves."""
    return os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def _draw(table: Table, console: Any) -> None:
    """Every stretch of rows between two headings is a table of rich's, all of the same widths."""
    from rich.text import Text

    laid = _Layout(table, console.width)
    drawn = _rich_table(laid, laid.heads())
    for row in table.rows:
        if isinstance(row, str):
            _print_rows(drawn, console)
            console.print(Text(f"\n{row}", "bold"))
            drawn = _rich_table(laid, [])
        else:
            drawn.add_row(*_texts(laid, laid.kept(row)))
    _print_rows(drawn, console)
    for line in laid.left_out():
        console.print(Text(line, "dim"))


def _rich_table(laid: _Layout, heads: Sequence[str]) -> Any:
    """An empty one, in the widths that were laid out."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0),
        show_header=bool(heads), header_style="bold", border_style="dim",
    )  # fmt: skip
    lines = laid.broken(heads, head=True) if heads else [[""] for _ in laid.places]
    for place, head, w in zip(laid.places, lines, laid.widths, strict=True):
        column = laid.columns[place]
        justify: Any = "right" if column.right else "left"
        style = "bold" if column.bold else ""
        drawn.add_column(Text("\n".join(head)), justify=justify, width=w, no_wrap=True, style=style)
    return drawn


def _texts(laid: _Layout, cells: Sequence[str]) -> list[Any]:
    """rich's texts, in which no markup means anything."""
    from rich.text import Text

    marked = [laid.columns[place].marks for place in laid.places]
    return [
        Text("\n".join(lines), MARKS.get(cell, "") if marks else "")
        for cell, lines, marks in zip(cells, laid.broken(cells), marked, strict=True)
    ]


def _print_rows(drawn: Any, console: Any) -> None:
    if drawn.row_count or drawn.show_header:
        console.print(drawn)
