"""Docstrings as pages have them, and where a name is written.

Docstrings here are plain text: formulas such as `|a - b|`, shapes, indented examples. Nothing in
them is markup but single backquotes, so everything else is escaped before Sphinx sees it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from pathlib import Path

import tinydl

#: Filled by api_pages: full name -> lines of reStructuredText below its docstring; source files
#: that have a page.
BELOW: dict[str, list[str]] = {}
SOURCES: set[str] = set()
PACKAGE = Path(tinydl.__file__).resolve().parent

CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def _escaped(text: str) -> str:
    """Text with its code in double backquotes and every sign of markup escaped."""
    parts, at = [], 0
    for found in CODE.finditer(text):
        inner = found.group(2).strip()
        if not inner or "\n\n" in inner:
            continue
        parts += [
            _plain(text[at : found.start()]),
            _code(" ".join(inner.split()), text, found.end()),
        ]
        at = found.end()
    return "".join([*parts, _plain(text[at:])])


def _code(inner: str, text: str, end: int) -> str:
    glued = "\\ " if end < len(text) and text[end].isalnum() else ""
    return f"``{inner}``{glued}"


def _plain(text: str) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def to_rst(lines: list[str]) -> list[str]:
    """A docstring: paragraphs, lists of dashes, and what is indented or a `>>>` example as code."""
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    made: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        if not block.strip():
            continue
        first = block.splitlines()[0]
        if first.startswith(">>>"):
            made += ["::", "", *textwrap.indent(block, "    ").splitlines()]
        elif first.startswith(" "):
            made += ["::", "", *textwrap.indent(textwrap.dedent(block), "    ").splitlines()]
        else:
            made += _paragraph(block)
        made.append("")
    return made


def _paragraph(block: str) -> list[str]:
    """A paragraph; lines further in than its first are code, those with a dash a list."""
    made, lines, k = [], block.splitlines(), 0
    while k < len(lines):
        if lines[k].startswith(("- ", "* ")):
            item = [lines[k][2:]]
            while k + 1 < len(lines) and lines[k + 1].startswith("  "):
                k += 1
                item.append(lines[k].strip())
            made += ["", "* " + _escaped(" ".join(item)), ""]
        elif lines[k].startswith("    "):
            inner = [lines[k]]
            while k + 1 < len(lines) and lines[k + 1].startswith(" "):
                k += 1
                inner.append(lines[k])
            code = textwrap.indent(textwrap.dedent("\n".join(inner)), "    ").splitlines()
            made += ["", "::", "", *code, ""]
        else:
            run = [lines[k]]
            while k + 1 < len(lines) and not re.match(r"    |[-*] ", lines[k + 1]):
                k += 1
                run.append(lines[k].strip())
            made += _safe_start(_escaped("\n".join(run)))
        k += 1
    return made


def _safe_start(text: str) -> list[str]:
    """Lines none of which begins as a list, a field, a title or a directive would; one more space
    in front of a line would indent it, so that paragraphs become one line."""
    line = " ".join(text.split("\n"))
    if re.match(r"(\(?\w+[.)]\s|[-+•]\s|:|\.\.\s|>>>|[=\-~^\"'#+<>.,;:!?/]+$)", line):
        line = "\\ " + line
    if line.endswith("::"):
        line = line[:-1] + "\\:"
    return [line]


def _process(app, what, name, obj, options, lines):
    lines[:] = to_rst(list(lines))
    lines += ["", *BELOW.get(name, [])]


def find(module: str, fullname: str):
    """The object, or None for what has no place in a file."""
    found = importlib.import_module(module)
    for part in fullname.split("."):
        found = inspect.getattr_static(found, part, None) if inspect.isclass(found) else getattr(
            found, part, None
        )  # fmt: skip
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    if isinstance(found, property):
        found = found.fget
    return inspect.unwrap(found) if callable(found) else found


def place(obj) -> tuple[str, int] | None:
    """File of the repository and line."""
    try:
        file = Path(inspect.getsourcefile(obj)).resolve()
        line = inspect.getsourcelines(obj)[1]
    except (TypeError, OSError):
        return None
    if not file.is_relative_to(PACKAGE):
        return None
    return of_repository(file), max(line, 1)


def of_repository(file: str | Path) -> str:
    """A file of the package, installed or in place, as the repository names it."""
    return f"tinydl/{Path(file).resolve().relative_to(PACKAGE).as_posix()}"


def source_link(module: str, fullname: str) -> str | None:
    """From a page of api/ to the line where the name is written."""
    there = place(find(module, fullname)) if module else None
    if there is None or there[0] not in SOURCES:
        return None
    return f"../sources/{there[0]}.html#L-{there[1]}"


def setup(app):
    app.connect("autodoc-process-docstring", _process)
