"""The site in a browser: built small (tutorials shown, not run), every page of it opened.

The whole site is the same pages, more of each kind: `sphinx-build -W --keep-going docs/site
build/site`. Without the extra `docs` these tests are skipped, and the reason says so.
"""

from __future__ import annotations

import importlib
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

import tinydl
from tinydl.backend.reference import STEMS
from tinydl.runs.reproduce import load_measured

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = REPOSITORY / "docs" / "site"
WORDS = ("pooling", "convolution", "gradient", "softmax", "attention", "OpenCL", "LSTM", "dropout",
         "roofline", "momentum")  # fmt: skip
WIDE, NARROW = 1300, 420  # pixels

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="an installed package has no pages")


class Page(HTMLParser):
    """Anchors, links, and pictures without words, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.silent = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        target = given.get("href") or given.get("src")
        if target:
            self.links.append(target)
        if tag == "img" and not given.get("alt", "").strip():
            self.silent.append(target)


def read(site):
    return {
        p.relative_to(site).as_posix(): Page(p.read_text(encoding="utf-8"))
        for p in sorted(site.rglob("*.html"))
        if "_static" not in p.parts  # templates of the theme
    }


def broken(site, pages):
    """Links of the site that lead nowhere in it."""
    found = []
    for name, page in pages.items():
        for link in page.links:
            if "://" in link or link.startswith(("data:", "mailto:", "#__")):
                continue
            path, anchor = urldefrag(urljoin(f"/{name}", link))
            path = unquote(path.partition("?")[0]).lstrip("/") or "index.html"
            gone = not (site / path).exists()
            if gone or (anchor and path in pages and unquote(anchor) not in pages[path].anchors):
                found.append(f"{name}: {link}")
    return found


def test_every_link_leads_to_a_page_and_every_anchor_is_there(site):
    pages = read(site)
    assert len(pages) > 60
    assert broken(site, pages) == []
    assert [(name, page.silent) for name, page in pages.items() if page.silent] == []


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "a.html").write_text("<a href='b.html#there'></a><a href='b.html#gone'></a>")
    (tmp_path / "b.html").write_text("<p id='there'></p><a href='c.html'></a>")
    assert broken(tmp_path, read(tmp_path)) == ["a.html: b.html#gone", "b.html: c.html"]


def test_pages_load_without_an_error(site, address, pages):
    """One window goes through a page of each kind; the fixture fails by what goes wrong there."""
    names = ["index", "way", "start", "search", "genindex", "kernels/index", "api/index",
             "read/models", "tutorials/index", "benchmarks/bench", "books/index", "shelf",
             "books/deep-learning-with-keras/chapter01",
             "sources/csrc/pool.c"]  # fmt: skip
    names += [f"api/{p.stem}" for p in site.glob("api/tinydl*.html")]
    names += [f"tutorials/{p.stem}" for p in site.glob("tutorials/[0-9]*.html")]
    page = pages.open(f"{address}index.html", width=NARROW)
    for name in names:
        page.goto(f"{address}{name}.html")
        assert page.locator("h1").first.inner_text().strip(), name
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW, f"{name} is {wide} pixels wide in a window of {NARROW}"


def columns(page):
    """For each row of a kernel page the places of its three columns, and the code in them."""
    return page.locator(".kernel-columns").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll(':scope .sd-col')].map(c => "
        "[c.getBoundingClientRect().x, c.getBoundingClientRect().y, "
        "[...c.querySelectorAll('pre')].map(p => p.innerText).join('').trim().length]))"
    )


def stem_pages():
    return ["indexing" if stem == "index" else stem for stem in STEMS]


def test_three_columns_beside_each_other_or_below(address, pages):
    page = pages.open(f"{address}index.html")
    for name in stem_pages():
        page.goto(f"{address}kernels/{name}.html")
        assert page.locator("math").count() >= 1, name
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            rows = columns(page)
            assert any(all(length > 40 for _, _, length in row) for row in rows), name
            for row in rows:
                (x1, y1, _), (x2, y2, _), (x3, y3, _) = row
                beside, below = x1 < x2 < x3 and y1 == y2 == y3, x1 == x2 == x3 and y1 < y2 < y3
                assert beside if width == WIDE else below, (name, width, row)


def rows(page):
    """The rows of the tables of a page, as lists of cells."""
    return [
        [cell.strip() for cell in row.split("\t")]
        for row in page.locator("table tr").all_inner_texts()
    ]


def test_the_books_number_stands_beside_ours(address, pages):
    """Of one recipe, from recipes/measured.json; its names are links, its errors have evidence."""
    page = pages.open(f"{address}books/deep-learning-with-keras/chapter01.html", width=WIDE)
    (row,) = [row for row in rows(page) if row[0] == "mnist-v2"]
    recipe, measured = tinydl.recipes.RECIPES["mnist-v2"], load_measured()["mnist-v2"]
    assert row[1:4] == ["MLP", "mnist", "accuracy"]
    assert row[4] == f"{100 * recipe.reported['test']:.2f}"
    assert row[5].startswith(f"{100 * measured['test']:.2f}")
    (error,) = [row for row in rows(page) if row[0].startswith("The perceptron is called")]
    page.get_by_role("link", name=error[2]).click()
    assert page.locator("h1").inner_text().startswith("tests/models/test_beginnings.py")


def test_a_card_of_the_shelf(address, pages):
    page = pages.open(f"{address}shelf.html", width=WIDE)
    card = page.locator(".sd-card", has_text="lenet-mnist").first.inner_text()
    told = tinydl.zoo.card("lenet-mnist")
    for words in (f"{told.parameters:,} parameters, 416,520 multiply-adds", "124 kB as float16",
                  f"accuracy {100 * told.test['accuracy']:.2f} %"):  # fmt: skip
        assert words in card
    picture = page.locator(".sd-card", has_text="vae-plane").locator("img")
    assert picture.evaluate("p => p.naturalWidth") > 200


#: What is asked, the clicks from the front page by words of their links, and what answers.
WALKS = [
    (["Kernels", "Pooling"], "the first of equal ones"),
    (["Check gradients"], "check_grads"),
    (["Benchmarks", "tinydl beside other libraries"], "lenet step N128"),
    (["Kernels", "Recurrent networks"], "lstm"),
]


@pytest.mark.parametrize(("clicks", "answer"), WALKS, ids=["ties", "check", "lenet", "lstm"])
def test_a_newcomer_needs_three_clicks_at_most(address, pages, clicks, answer):
    page = pages.open(f"{address}index.html", width=WIDE)
    for words in clicks:
        page.locator(".sd-card, a", has_text=words).first.click()
    assert len(clicks) <= 3
    page.locator("#main-content").get_by_text(answer).first.wait_for(state="attached")


def test_ten_words_are_found(address, pages):
    page = pages.open(f"{address}search.html")
    for word in WORDS:
        page.goto(f"{address}search.html?q={word}")
        page.locator("#search-results li").first.wait_for()
        assert page.locator("#search-results li").count() >= 1, word


def test_the_six_stops_lead_to_their_lines(address, pages):
    page = pages.open(f"{address}index.html", width=WIDE)
    links = page.locator("svg.way a")
    stops = links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert len(stops) == 6 and all(
        "#L-" in stop for stop in stops
    )  # that they exist is tested above
    links.last.click()
    assert page.url.endswith(stops[-1])
    assert page.locator("h1").inner_text().startswith("csrc/matmul.c")
    place = page.locator(f"#{stops[-1].partition('#')[2]}").bounding_box()
    assert 0 <= place["y"] <= 900


def test_it_reads_without_scripts(address, pages):
    page = pages.open(f"{address}kernels/pool.html", scripts=False)
    pages.expected += ["/_static/scripts/"]  # asked for ahead, and then not needed
    assert "max_pool2d" in page.locator("h2").first.inner_text()
    assert page.locator("math").first.bounding_box()["height"] > 15
    assert page.locator("pre").first.is_visible()


def test_every_public_name_has_its_entry(tmp_path):
    """Whole, from the sources of the pages: the small site has some of them."""
    sys.path.insert(0, str(SITE))
    try:
        pages, places = importlib.import_module("api_pages"), importlib.import_module("places")
    finally:
        sys.path.remove(str(SITE))
    operations = pages.write(places.Places(REPOSITORY, tmp_path))
    modules = pages.public_modules()
    assert {"tinydl", "tinydl.nn", "tinydl.optim", "tinydl.data", "tinydl.train"} <= set(modules)
    for module in modules:
        text = (tmp_path / "api" / f"{module}.rst").read_text()
        for name in importlib.import_module(module).__all__:
            entry = f":: {module}.{name}\n" in text or f":doc:`tinydl.{name}`" in text
            assert entry, f"{module}.{name}"
    assert set(tinydl.ops.__all__) <= set(tinydl.__all__)
    assert {"pool", "matmul", "softmax"} <= {s for s, found in operations.items() if found}
    assert "max_pool2d" in operations["pool"] and "exp" in operations["elementwise"]


def test_a_name_that_is_gone_stops_the_build(tmp_path):
    sys.path.insert(0, str(SITE))
    try:
        found = importlib.import_module("definitions")
    finally:
        sys.path.remove(str(SITE))
    path = REPOSITORY / "csrc" / "pool.c"
    (kernel,) = found.select(path, ["max_pool2d"])
    assert "NAME(max_pool2d)(" in kernel.text and kernel.text.endswith("}")
    with pytest.raises(found.MarkerError, match="no definition of max_pool9d"):
        found.select(path, ["max_pool9d"])
