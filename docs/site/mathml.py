"""Formulas as MathML, written when the site is built.

Browsers show MathML themselves: nothing is fetched, nothing runs, and a page without JavaScript
reads the same. docutils, which Sphinx needs anyway, converts the LaTeX.
"""

from __future__ import annotations

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError


def convert(tex: str, *, as_block: bool) -> str:
    """`<math>` of a formula; a formula that is no LaTeX stops the build."""
    try:
        return tex2mathml(tex, as_block=as_block)
    except MathError as error:
        raise SphinxError(f"no formula: {tex!r}: {error}") from error


def _inline(translator, node):
    translator.body.append(convert(node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(translator, node):
    translator.body.append(convert(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
