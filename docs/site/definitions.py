"""Functions, macros and rows of macros in C and OpenCL sources, found by name.

Kernel sources have one shape (clang-format): what stands at the left margin begins a definition,
and a closing brace there ends it. A definition takes the comment above it along.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

#: What a definition is called: the word before its parameters, within NAME( ) where it is a kernel.
FUNCTION = re.compile(r"(?:NAME\((\w+)\)|(\w+))\s*\((?!\()")
ROW = re.compile(r"^[A-Z][A-Z0-9_]*\((\w+)")
MACRO = re.compile(r"^#define (\w+)")
#: Words before a parenthesis that name no function.
NO_NAMES = {"__attribute__", "always_inline", "reqd_work_group_size", "aligned", "noinline"}


@dataclass(frozen=True)
class Definition:
    """Lines first ... last of a file, counted from 1."""

    name: str
    first: int
    last: int
    text: str
    is_macro: bool
    is_kernel: bool


class MarkerError(Exception):
    """A page names something that is no longer in the source."""


def _name(text: str) -> str | None:
    if macro := MACRO.match(text):
        return macro.group(1)
    if text.startswith(("typedef", "#", "enum", "struct", "union")):
        closing = re.search(r"^\} (\w+);", text, re.MULTILINE)
        return closing.group(1) if closing else None
    if (row := ROW.match(text)) and not text.startswith("NAME("):
        return row.group(1)
    for found in FUNCTION.finditer(text):
        name = found.group(1) or found.group(2)
        if name not in NO_NAMES and not name.isdigit():
            return name
    array = re.search(r"(\w+)\[\] = \{", text)
    return array.group(1) if array else None


def _end(lines: list[str], start: int) -> int:
    """The index after the definition that begins at lines[start]."""
    if lines[start].startswith("#"):
        while lines[start].endswith("\\"):
            start += 1
        return start + 1
    k = start
    while k < len(lines):
        line = re.sub(r"\s*(//.*|/\*.*\*/)$", "", lines[k])
        if line.startswith("}") or (k == start and "{" in line and line.rstrip().endswith("}")):
            return k + 1
        closed = line.count("(") <= line.count(")") and "{" not in "".join(lines[start : k + 1])
        if (
            closed
            and line.rstrip().endswith((";", ")"))
            and (k + 1 == len(lines) or not lines[k + 1].startswith((" ", "{")))
        ):
            return k + 1
        k += 1
    return k


def definitions(text: str) -> list[Definition]:
    """Everything that stands at the left margin and has a name, in the order of the file."""
    lines, found, k, comment = text.splitlines(), [], 0, None
    while k < len(lines):
        line = lines[k]
        if not line.strip():
            comment = None
        elif line.startswith(("/*", "//")):
            comment = k if comment is None else comment
            while line.startswith("/*") and "*/" not in lines[k]:
                k += 1
        elif not line.startswith((" ", "}")):
            end = _end(lines, k)
            body = "\n".join(lines[k:end])
            first = k if comment is None else comment
            if name := _name(body):
                kernel = "NAME(" in body.partition("{")[0] or body.startswith("kernel")
                whole = "\n".join(lines[first:end])
                macro = body.startswith("#define")
                found.append(Definition(name, first + 1, end, whole, macro, kernel))
            k, comment = end - 1, None
        k += 1
    return found


def select(path: Path, names: list[str]) -> list[Definition]:
    """The definitions of these names in the order of the file; MarkerError for one that is gone."""
    there = definitions(path.read_text(encoding="utf-8"))
    missing = sorted(set(names) - {d.name for d in there})
    if missing:
        raise MarkerError(f"{path}: no definition of {', '.join(missing)}")
    return [d for d in there if d.name in names]


def with_helpers(path: Path, names: list[str], shown: set[str]) -> list[Definition]:
    """These definitions and what they call in the same file, but for what is shown already and
    for other kernels."""
    there = definitions(path.read_text(encoding="utf-8"))
    wanted = {d.name for d in select(path, names)}
    while True:
        words = {w for d in there if d.name in wanted for w in re.findall(r"\w+", d.text)}
        more = {d.name for d in there if d.name in words and not d.is_kernel} - wanted
        if not more:
            return [
                d for d in there if d.name in wanted and (d.name in names or d.name not in shown)
            ]
        wanted |= more


def python_definitions(path: Path) -> list[Definition]:
    """Functions of a module and methods of its classes, in the order of the file."""
    text = path.read_text(encoding="utf-8")
    lines, found = text.splitlines(), []
    tree = ast.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(inner for c in classes for inner in c.body)]:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            body = "\n".join(line[node.col_offset :] for line in lines[first - 1 : node.end_lineno])
            found.append(Definition(node.name, first, node.end_lineno, body, False, False))
    return sorted(found, key=lambda d: d.first)


def cython_definitions(path: Path) -> list[Definition]:
    """Functions of a Cython module."""
    lines, found = path.read_text(encoding="utf-8").splitlines(), []
    for k, line in enumerate(lines):
        if started := re.match(r"(?:def|cp?def [\w ]+\*?) ?(\w+)\(", line):
            end = k + 1
            while end < len(lines) and (lines[end].startswith((" ", ")")) or not lines[end]):
                end += 1
            body = "\n".join(lines[k:end]).rstrip()
            last = k + 1 + body.count("\n")
            found.append(Definition(started.group(1), k + 1, last, body, False, False))
    return found
