"""Text of strangers in messages: file contents, file names, a server's words, arguments.

Whoever controls such text could clear the terminal, forge a second line, turn the reading direction
or print a megabyte. `quoted` and `shown` make it printable and short; `printable` is what every
tinydl error does to its whole message, so that what was forgotten does no harm either.
"""

from __future__ import annotations

import reprlib

QUOTED, SHOWN = 80, 300

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 8
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200


def quoted(value: object, limit: int = QUOTED) -> str:
    """`repr(value)` in at most about `limit` characters, everything unprintable escaped; the
    middle is left out. Arrays and tensors by type, dtype and shape.

    >>> quoted("cos\\x1b[2J")
    "'cos\\\\x1b[2J'"
    >>> quoted("a" * 1000, 20)
    "'aaaaaaaaa...aaaaaa'"
    """
    if isinstance(value, str | bytes | bytearray):
        edge = value[: 2 * limit], value[len(value) - 2 * limit :]
        short = value if len(value) <= 4 * limit else edge[0] + edge[1]  # type: ignore[operator]
        return _cut(printable(repr(short)), limit, len(short) < len(value))
    try:
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if shape and isinstance(shape, tuple) and dtype is not None:
            text = f"{type(value).__name__} {dtype} {shape}"
        else:
            text = _SHORT.repr(value)
    except Exception:  # a stranger's __repr__
        text = f"<{type(value).__name__}>"
    return _cut(printable(text), limit)


def shown(value: object, limit: int = SHOWN) -> str:
    """`str(value)` without quotes, for names and others' error messages: one printable line of at
    most about `limit` characters, the middle left out.

    >>> shown("a\\nb\\u202e.txt")
    'a\\\\nb\\\\u202e.txt'
    """
    text = str(value)
    if len(text) > 4 * limit:
        return _cut(printable(text[: 2 * limit] + text[-2 * limit :]), limit, True)
    return _cut(printable(text), limit)


def printable(text: str, kept: str = "") -> str:
    """The text with every character that is not printable, control and bidi characters among
    them, as Python escapes it, but for those in `kept`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _escape(c) for c in text)


def _escape(character: str) -> str:
    return repr(character)[1:-1]


def _cut(text: str, limit: int, always: bool = False) -> str:
    if len(text) <= limit and not always:
        return text
    head = max(1, (limit - 3) * 3 // 5)
    return f"{text[:head]}...{text[len(text) - max(1, limit - 3 - head) :]}"
