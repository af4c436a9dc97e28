"""The site: `python -m sphinx -W --keep-going docs/site build/site`, extra `docs`, no network.

Nothing is written twice: before Sphinx reads a page, `assemble.py` writes the sources of all pages
to build/site-source, from the pages here (pages/), the documents in docs/, the tutorials, the
docstrings, the kernels and the measured results. `-D nb_execution_mode=off` shows the tutorials
without running them; TINYDL_FAST=1 runs them in their short form; `-D site_form=few` makes the
small site of the tests.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
# A checkout in which nothing was built is read, not imported: the installed package is.
BUILT = any((REPOSITORY / "tinydl" / "backend" / "cpu").glob("_conv.*.so"))
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != REPOSITORY]
sys.path[:0] = [str(HERE), *[str(REPOSITORY)] * BUILT]

import assemble  # noqa: E402
import docstrings  # noqa: E402
import mathml  # noqa: E402
import mended  # noqa: E402
import pictures  # noqa: E402

import tinydl  # noqa: E402

project = "tinydl"
author = "the authors of tinydl"
version = release = tinydl.__version__
language = "en"

extensions = ["myst_nb", "sphinx_design", "sphinx.ext.autodoc", "sphinx.ext.linkcode"]
root_doc = "index"
exclude_patterns = ["shipped/**", "downloads/**", "jupyter_execute/**"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

# -- tutorials: run once, then taken from the cache until their code changes ----------------------
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 1800  # seconds a cell; TINYDL_FAST=1 needs less than 60
nb_merge_streams = True
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(REPOSITORY / "tutorials"), *[str(REPOSITORY)] * BUILT, os.environ.get("PYTHONPATH", "")]
)

# -- API -------------------------------------------------------------------------------------------
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False
html_math_renderer = "mathml"

# -- look ------------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "tinydl"
html_static_path = [str(HERE / "_static")]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "secondary_sidebar_items": {
        "api/*": ["page-toc"],
        "tutorials/*": ["page-toc"],
        "read/*": ["page-toc"],
    },
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 8,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
html_context = {"default_mode": "auto"}  # light or dark as the reader's system
html_show_search_summary = False  # a summary would fetch every page that is found
html_sidebars = {
    "index": [],
    "way": [],
    "draw": [],
    "shelf": [],
    "tutorials/index": [],
    "kernels/*": [],
    "sources/**": [],
    "benchmarks/*": [],
    "search": [],
}
copyright = "the authors of tinydl, MIT licence"


def linkcode_resolve(domain, info):
    return docstrings.source_link(info["module"], info["fullname"]) if domain == "py" else None


def setup(app):
    app.add_config_value("site_form", "whole", "env")
    few, runs = app.config.site_form == "few", app.config.nb_execution_mode != "off"
    app.srcdir = assemble.assemble(REPOSITORY, Path(app.outdir), HERE, few, runs)
    app.config.html_static_path.append(str(Path(app.srcdir, "shipped")))
    mathml.setup(app)
    docstrings.setup(app)
    pictures.setup(app)
    mended.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
