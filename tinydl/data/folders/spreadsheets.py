"""Tables of a folder, each read once: which columns there are, which lack values or never vary,
which rows are there twice."""

from __future__ import annotations

import os

import numpy as np

from ...errors import DataError, FormatError
from ...foreign import parse_number
from ...quoting import quoted
from ..formats.archives import read_bytes
from ..formats.columns import MISSING, Columns, read_columns
from .contents import Facts, broken, digest_of, named, wrong_encoding
from .problems import Problem
from .recognise import LARGEST, Found

NUMBERS = 0.9  # a column of which this share are numbers is one of numbers


def look_at_tables(found: Found) -> tuple[Facts, list[Problem]]:
    """Rows and columns of each file, and their problems."""
    facts: Facts = []
    problems: list[Problem] = []
    seen: dict[bytes, tuple[int, int]] = {}  # of a row the file and part where it came first
    for k in np.argsort(found.part, kind="stable"):  # training first
        file = found.files[k]
        path = os.path.join(found.root, file.path)
        try:
            data = read_bytes(path, LARGEST["csv"])
            data.decode("utf-8-sig")
            table = read_columns(path)
        except UnicodeDecodeError as error:
            problems.append(Problem("encoding", file.path, wrong_encoding(data, error)))
            continue
        except (FormatError, DataError) as error:
            problems.append(broken(file.path, error, found.root))
            continue
        facts.append((file.path, f"{len(table):,} rows of {len(table.names)} columns: "
                      f"{named(table.names, 8)}"))  # fmt: skip
        problems += [Problem(p.kind, file.path, p.text) for p in table.problems]
        problems += [problem for name, cells in zip(table.names, table.cells, strict=True)
                     for problem in _column(file.path, name, cells)]  # fmt: skip
        problems += _twice(found, int(k), table, seen)
    return facts, problems


def _column(path: str, name: str, cells: tuple[str, ...]) -> list[Problem]:
    """What is wrong with a column."""
    there = [cell for cell in cells if cell not in MISSING]
    told = f"has a column {quoted(name, 60)}"
    if not there:
        return [Problem("column", path, f"{told} without any value")]
    found = []
    if len(there) < len(cells):
        lacking = len(cells) - len(there)
        found.append(f"{told} that lacks {lacking:,} of {len(cells):,} values")
    if len(set(there)) == 1 and len(cells) > 1:
        found.append(f"{told} with one value, {quoted(there[0], 40)}")
    odd = [cell for cell in there if not _is_number(cell)]
    if odd and len(odd) <= (1 - NUMBERS) * len(there):
        found.append(f"{told} of numbers, of which {len(odd):,} are none: {named(odd)}")
    return [Problem("column", path, text) for text in found]


def _is_number(cell: str) -> bool:
    try:
        parse_number(cell)
    except FormatError:
        return False
    return True


def _twice(
    found: Found, k: int, table: Columns, seen: dict[bytes, tuple[int, int]]
) -> list[Problem]:
    """Rows of this file that came before, in it or in another."""
    counts: dict[int, list[int]] = {}
    for line, *row in zip(table.lines, *table.cells, strict=True):
        key = digest_of("\0".join(row).encode()).tobytes()
        first = seen.setdefault(key, (k, line))
        if first != (k, line):
            counts.setdefault(first[0], []).append(line)
    problems = []
    for other, lines in counts.items():
        leak = found.part[other] != found.part[k]
        where = "above" if other == k else f"in {quoted(found.files[other].path, 200)}"
        many = f"{len(lines):,} rows that are" if len(lines) > 1 else "a row that is"
        text = f"has {many} {where} too, the first in line {lines[0]:,}"
        second = "" if other == k else found.files[other].path
        problems.append(Problem("leak" if leak else "duplicate", found.files[k].path, text, second))
    return problems
