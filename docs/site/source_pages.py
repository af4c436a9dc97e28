"""A page for each source file that another page leads to: its text with a number and an anchor
(`#L-12`) for each line."""

from __future__ import annotations

import html
from pathlib import Path

from places import Places, kernel_page
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from tinydl.backend.reference import STEMS

LEXERS = {".py": "python", ".pyx": "cython", ".pxd": "cython", ".pyi": "python"}
#: What is always there; modules of public names are added where these are documented.
ALWAYS = (
    "csrc/*.c", "csrc/*.h", "csrc/*.pyx", "csrc/shared/*", "kernels_cl/*.cl", "tinydl/*.py",
    "tinydl/ops/*.py", "tinydl/backend/*.py", "tinydl/backend/*/*.py", "tinydl/models/*/*.py",
    "tinydl/inference/**/*.py", "setup.py",
)  # fmt: skip


def name_pages(places: Places) -> None:
    for pattern in () if places.few else ALWAYS:
        for path in sorted(places.repository.glob(pattern)):
            places.source(path.relative_to(places.repository).as_posix())


def write(places: Places) -> None:
    for file in sorted(places.sources):
        page = f"sources/{file}.md"
        there, path = places.root / page, places.repository / file
        newest = max(path.stat().st_mtime, Path(__file__).stat().st_mtime)
        if there.exists() and there.stat().st_mtime > newest:
            places.write(page, there.read_text(encoding="utf-8"))
        else:
            places.write(page, _page(places, file, path))


def _page(places: Places, file: str, path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    formatter = HtmlFormatter(linenos="inline", lineanchors="L", cssclass="highlight source-text")
    lexer = get_lexer_by_name(LEXERS.get(path.suffix, "c"), stripnl=False)
    code = highlight(text, lexer, formatter)
    code = code.replace("<pre>", f'<pre tabindex="0" aria-label="{html.escape(file)}">', 1)
    return (
        f"---\norphan: true\n---\n\n# {file}\n\n{_about(places, file)}\n\n"
        f"``````````{{raw}} html\n{code}``````````\n"
    )


def _about(places: Places, file: str) -> str:
    """Which kernel page shows the file, for a file of a stem."""
    stem = Path(file).stem.lstrip("_").split("_")[0]
    rooms = ("csrc/", "kernels_cl/", "tinydl/backend/", "tinydl/ops/")
    if stem in STEMS and file.startswith(rooms):
        there = places.link(f"sources/{file}", kernel_page(stem))
        return (
            f'Side by side with the same stem elsewhere: <a href="{there}">kernels of {stem}</a>.'
        )
    return ""
