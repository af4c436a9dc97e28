"""Writes the sources of all pages; conf.py calls it before Sphinx reads any."""

from __future__ import annotations

from pathlib import Path

import api_pages
import book_pages
import document_pages
import draw_page
import kernel_pages
import shelf_page
import source_pages
import tutorial_pages
from places import Places


def assemble(
    repository: Path, out: Path, here: Path, few: bool = False, runs: bool = False
) -> Path:
    """The folder with the sources: beside the site that is made of them. Pages of an earlier build
    that are no longer made are removed."""
    root = out.parent / f"{out.name}-source"
    places = Places(repository, root, few, runs)
    before = {p for p in root.rglob("*") if p.is_file() and "jupyter_execute" not in p.parts}
    written: set[Path] = set()
    keep, places.write = places.write, _noting(places.write, written, root)
    keep_copy, places.copy = places.copy, _noting(places.copy, written, root, at=1)
    document_pages.name_pages(places)
    tutorial_pages.name_pages(places)
    source_pages.name_pages(places)
    api = api_pages.write(places)
    kernel_pages.write(places, api)
    document_pages.write(places)
    book_pages.write(places)
    shelf_page.write(places)
    tutorial_pages.write(places)
    why = draw_page.write(places)
    for page in sorted((here / "pages").glob("*.md")):
        text = draw_page.filled(page.read_text(encoding="utf-8"), why)
        places.write(page.name, document_pages.filled(text, places))
    source_pages.write(places)
    places.write, places.copy = keep, keep_copy
    for path in before - written:
        path.unlink()
    return root


def _noting(function, written: set[Path], root: Path, at: int = 0):
    def noted(*arguments):
        written.add(root / arguments[at])
        return function(*arguments)

    return noted
