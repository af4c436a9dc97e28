"""A page of HTML that runs nothing: elements, tables, pictures inside as `data:`.

Every text passes `escaped`, the only place where a string becomes markup; what was made here is an
`Html` and is taken as it is. The page's policy allows inline styles and `data:` pictures alone.
"""

from __future__ import annotations

import html
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..quoting import printable


class Html(str):
    """Markup that was made here."""


def escaped(text: Any) -> Html:
    """Any text as what a browser shows as that text: & < > " ' are written as entities, characters
    that are not printed or turn the direction of a line as their escapes."""
    return text if isinstance(text, Html) else Html(html.escape(printable(str(text), "\n")))


def element(tag: str, *inside: Any, **attributes: Any) -> Html:
    """<tag attribute="...">inside</tag>, every text in it escaped."""
    told = "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{told}>{''.join(map(escaped, inside))}</{tag}>")


def paragraph(*inside: Any) -> Html:
    return element("p", *inside)


def section(title: str, *inside: Any) -> Html:
    return element("section", element("h2", title), *inside)


def table(heads: Sequence[Any], rows: Iterable[Sequence[Any]], text: Sequence[int] = (0,)) -> Html:
    """A table in a box that scrolls where the page is narrower; columns in `text` stand left, the
    others, numbers, right. A cell that is an element "td" already stays."""

    def cell(k: int, value: Any, tag: str) -> Html:
        if isinstance(value, Html) and value.startswith("<td"):
            return value
        return element(tag, value, style="text-align:left") if k in text else element(tag, value)

    head = element("tr", *(cell(k, h, "th") for k, h in enumerate(heads)))
    body = [element("tr", *(cell(k, v, "td") for k, v in enumerate(row))) for row in rows]
    return element("div", element("table", head, *body), style="overflow-x:auto")


def image(content: bytes, alt: str, width: int | None = None, pixelated: bool = False) -> Html:
    """A PNG inside the page; alt: what it shows, for who does not see it."""
    style = "max-width:100%" + (f";width:{width}px" if width else "")
    style += ";image-rendering:pixelated" if pixelated else ""
    source = f"data:image/png;base64,{b64encode(content).decode()}"
    return Html(f'<img src="{source}" alt="{escaped(alt)}" style="{style}">')


def png(pixels: np.ndarray) -> bytes:
    """uint8 (H, W, 3) as a PNG file: the signature, its size, the filtered rows, the end.
    ISO/IEC 15948, sections 5 and 11; each row is filtered by none (0)."""
    if pixels.dtype != np.uint8:
        raise DTypeError(f"png: pixels must be uint8, got {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ShapeError(f"png: pixels must be (H, W, 3), got {pixels.shape}")
    H, W, _ = pixels.shape
    rows = np.zeros((H, 1 + 3 * W), np.uint8)
    rows[:, 1:] = pixels.reshape(H, 3 * W)

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    size = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)  # 8 bits, RGB
    parts = [(b"IHDR", size), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in parts)


POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;background:#fff;max-width:72rem;
margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.2rem;margin:2em 0 .4em;
border-bottom:1px solid #ccd}
h3{font-size:1rem;margin:1.2em 0 .3em}
table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.15rem .6rem;text-align:right;border-bottom:1px solid #e4e7eb;vertical-align:top}
th{color:#52606d;font-weight:600}
code{font:.9em/1.4 ui-monospace,monospace;background:#f5f7fa;padding:.1em .3em;
overflow-wrap:anywhere}
.passage{font:.9rem/1.7 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;
border-left:3px solid #ccd;padding-left:.6rem;margin:.5rem 0}
.row{display:flex;flex-wrap:wrap;gap:1rem}.row figure{margin:0}
figcaption,.small{font-size:.85rem;color:#52606d}
"""


def page(title: str, *sections: Html) -> str:
    """The whole document."""
    head = [
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{escaped(POLICY)}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        element("title", title),
        Html(f"<style>{STYLE}</style>"),
    ]
    body = element("body", *sections)
    return f'<!doctype html>\n<html lang="en">{element("head", *head)}{body}</html>\n'


def figure(picture: Html, *told: Any) -> Html:
    """A picture with its caption."""
    return element("figure", picture, element("figcaption", *told))


def row(*inside: Html) -> Html:
    return Html(f'<div class="row">{"".join(inside)}</div>')
