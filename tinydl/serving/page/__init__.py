"""The page's files, in memory: {name: (type, bytes)}; "" is the page itself."""

from __future__ import annotations

from pathlib import Path

_TYPES = {
    "page.html": "text/html",
    "page.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}
FILES = {name: (kind, (Path(__file__).parent / name).read_bytes()) for name, kind in _TYPES.items()}
FILES[""] = FILES.pop("page.html")
