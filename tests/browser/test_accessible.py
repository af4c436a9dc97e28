"""The site for who reads by keyboard, in the dark, on a phone, without scripts or by ear: axe-core
finds nothing serious on a page of each kind."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
#: A page of each kind.
KINDS = ("index", "way", "search", "tutorials/index", "tutorials/05_convolution_is_a_matmul",
         "kernels/index", "kernels/softmax", "api/tinydl.testing", "books/index",
         "books/deep-learning-with-keras/chapter01", "shelf", "draw", "read/coming_from",
         "benchmarks/index", "benchmarks/limits", "sources/csrc/softmax.c")  # fmt: skip
#: Those with colours of their own.
COLOURED = ("index", "draw", "search", "books/deep-learning-with-keras/chapter01",
            "kernels/softmax")  # fmt: skip

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="an installed package has no pages")


@pytest.fixture
def findings(needs):
    """`findings(page)`: what axe-core calls serious or critical, in words."""
    needs("docs-test", "axe_playwright_python")
    axe = importlib.import_module("axe_playwright_python.sync_playwright").Axe()

    def found(page, rules=None):
        # preload: it would fetch style sheets again, and leave some behind when the page is left.
        options = {"resultTypes": ["violations"], "preload": False}
        options |= {} if rules is None else {"runOnly": rules}
        told = []
        for problem in axe.run(page, options=options).response["violations"]:
            if problem["impact"] in ("serious", "critical"):
                where = [node["html"][:160] for node in problem["nodes"][:3]]
                told.append(f"{problem['id']}, {len(problem['nodes'])} times: {where}")
        return told

    return found


@pytest.mark.parametrize(
    ("scheme", "width", "names", "rules"),
    [("light", 1300, KINDS, None), ("dark", 420, COLOURED, ["color-contrast"])],
    ids=["light", "dark"],
)
def test_nothing_serious_on_a_page_of_each_kind(
    address, pages, findings, scheme, width, names, rules
):
    page = pages.open(f"{address}index.html", width=width)
    page.set_default_timeout(120_000)  # ms: axe-core takes its time over long code
    page.emulate_media(color_scheme=scheme)
    problems = {}
    for name in names:
        page.goto(f"{address}{name}.html")
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        problems |= {name: told} if (told := findings(page, rules)) else {}
    assert problems == {}


def test_a_page_without_contrast_is_seen(pages, findings, tmp_path):
    page = "<!doctype html><html lang=en><title>page</title><main><h1>a</h1><p style='{}'>text"
    (tmp_path / "grey.html").write_text(page.format("color: #bbbbbb"))
    (found,) = findings(pages.open((tmp_path / "grey.html").as_uri()))
    assert found.startswith("color-contrast, 1 times")
    (tmp_path / "black.html").write_text(page.format("color: #000000"))
    assert findings(pages.open((tmp_path / "black.html").as_uri())) == []


def test_by_keyboard_to_the_text_and_through_the_columns(address, pages):
    """The first stop leads past the navigation; columns of code that scroll are stops, too."""
    page = pages.open(f"{address}kernels/pool.html", width=1300)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#main-content') !== null")
    stops = page.locator(".kernel-columns pre").evaluate_all(
        "all => all.filter(p => p.scrollWidth > p.clientWidth).map(p => p.tabIndex)"
    )
    assert len(stops) > 5 and set(stops) == {0}
