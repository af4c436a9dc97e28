"""Words for the pictures that tutorials draw: `drawing.save` keeps them in the file."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes


def described(path: Path) -> str:
    """The text "Description" of a PNG file; empty without one."""
    from PIL import Image

    with Image.open(path) as picture:
        return str(getattr(picture, "text", {}).get("Description", "")).strip()


def _describe(app, doctree):
    page = app.env.docname
    title = next((node.astext() for node in doctree.findall(nodes.title)), page)
    for node in doctree.findall(nodes.image):
        if node.get("alt"):
            continue
        path = Path(app.srcdir, node["uri"].lstrip("/"))
        told = described(path) if path.suffix == ".png" and path.is_file() else ""
        node["alt"] = told or f"A picture of “{title}”"


def setup(app):
    app.connect("doctree-read", _describe)
