"""A name for the arrows of the sidebar, which fold what is below a page: the theme gives them none,
and a screen reader has nothing to say."""

from __future__ import annotations

from pathlib import Path

ARROW = '<summary><span class="toctree-toggle" role="presentation">'
NAMED = ARROW.replace("<summary>", '<summary aria-label="Pages below">')


def _name(app, failed):
    for path in Path(app.outdir).rglob("*.html") if failed is None else ():
        text = path.read_text(encoding="utf-8")
        if ARROW in text:
            path.write_text(text.replace(ARROW, NAMED), encoding="utf-8")


def setup(app):
    app.connect("build-finished", _name)
