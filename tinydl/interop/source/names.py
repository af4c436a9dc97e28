"""Names of a file as names and comments of source: whatever they hold, they are only that."""

from __future__ import annotations

import keyword
import re

RESERVED = {
    "self",
    "ops",
    "nn",
    "td",
    "np",
    "Path",
    "load",
    "operator",
    "list",
    "zip",
    "print",
    "input",
}


def identifier(name: str, taken: set[str] | None = None, default: str = "x") -> str:
    """A Python name in ASCII letters, digits and underscores, at most 24 long, that is new.

    >>> identifier("input:0"), identifier("3 'x'); import os"), identifier("class")
    ('input_0', 'x_3_x_import_os', 'class_')
    """
    text = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")[:24].strip("_") or default
    text = f"{default}_{text}" if text[0].isdigit() else text
    while (
        keyword.iskeyword(text)
        or keyword.issoftkeyword(text)
        or text in RESERVED | (taken or set())
    ):
        text += "_"
    return text


def comment(name: str, most: int = 40) -> str:
    """Text that stands in a comment or a docstring: printable ASCII without quotes, backslashes
    and braces, on one line."""
    plain = re.sub(r"[^ -~]|[\"'\\{}#]", "?", name)
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."
