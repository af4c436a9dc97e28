"""What the theme and Sphinx write that a screen reader cannot make sense of, mended in pages."""

from __future__ import annotations

from pathlib import Path

ARROW = '<summary><span class="toctree-toggle" role="presentation">'
PARAMETERS = '<dl>\n<dd><em class="sig-param">'
MENDED = {
    # The arrows of the sidebar, which fold what is below a page, have no name.
    ARROW: ARROW.replace("<summary>", '<summary aria-label="Pages below">'),
    # The parameters of a long signature are a list of definitions of nothing.
    PARAMETERS: PARAMETERS.replace("<dl>", '<dl role="presentation">'),
}


def mended(text: str) -> str:
    for found, better in MENDED.items():
        text = text.replace(found, better)
    return text


def _mend(app, failed):
    for path in Path(app.outdir).rglob("*.html") if failed is None else ():
        text = path.read_text(encoding="utf-8")
        if (better := mended(text)) != text:
            path.write_text(better, encoding="utf-8")


def setup(app):
    app.connect("build-finished", _mend)
