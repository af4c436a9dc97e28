"""The page of a run: every kind of program has one, it runs nothing and names no place."""

import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from closeness import assert_close
from recipes.test_programs import MADE, SMALL, small
from test_terminal import imported_net

import tinydl as td
from tinydl.command.main import main
from tinydl.data import Samples
from tinydl.errors import ConfigError, ShapeError
from tinydl.experiment.datasets import DATASETS, load_dataset
from tinydl.metrics import Found, Truth, mean_average_precision, voc_average_precision
from tinydl.recipes import RECIPES
from tinydl.reporting import boxes, colours, html, told, words
from tinydl.reporting.report import target_of, write_report
from tinydl.runs.run import begin, claim, train_into

pytest.importorskip("matplotlib", reason='curves are drawn: pip install ".[plot]"')


class Read(HTMLParser):
    """The elements of a page, its texts, and what it would fetch."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.fetched, self.handlers, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "action", "data", "srcset", "poster"):
                self.fetched.append(value)
            if name.startswith("on") or "url(" in (value or ""):
                self.handlers.append((tag, name, value))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "section", "div"),
    *("table", "tr", "th", "td", "img", "figure", "figcaption", "span", "code", "strong"),
}


def checked_page(path):
    """The page read back; it holds nothing that runs or is fetched, nor where things lie."""
    text = path.read_text()
    assert len(text) < 10e6
    page = Read(text)
    assert set(page.tags) <= ALLOWED, set(page.tags) - ALLOWED
    assert page.handlers == []
    assert all(value.startswith("data:image/png;base64,") for value in page.fetched)
    assert html.POLICY in text.replace("&#x27;", "'")
    assert str(path.parent) not in text and str(td.__file__)[:12] not in text
    return page


def run_of(recipe, folder):
    with claim(folder, recipe.name) as lock:
        train_into(lock, begin(recipe), False)
    return folder


#: Kinds that are quick enough for every run of the suite; `-m recipes` takes all.
QUICK = ("synthetic-digits", "ring-gan", "rbm-digits", "capsnet-mnist", "imdb-bilstm", "dates")
KINDS = [
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.recipes])
    for name in (*SMALL, *MADE)
]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_program_has_a_page(name, tmp_path, monkeypatch):
    recipe = small(name, 3 if name == "dates" else 1)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    monkeypatch.setattr(told, "roofline", lambda subject: None)  # a second each
    run = run_of(recipe, tmp_path / "run")
    page = checked_page(write_report(str(run)))
    assert "Not shown" not in page.text and "not here" not in page.text
    for title in ("What was trained", "Figures", "Curves", "Layers", *SPECIAL.get(name, ())):
        assert title in page.text, title
    assert f"tinydl train {recipe.name} --seed 0 --epochs {recipe.epochs}" in page.text
    assert page.tags.count("img") >= 1 and recipe.program.what in page.text


CLASSIFIED = ("Scores by class", "What is taken for what", "The most confident mistakes")
SPECIAL = {
    "synthetic-digits": (*CLASSIFIED, "Reliability"),
    "capsnet-mnist": (*CLASSIFIED, "What the model looks at", "Grad-CAM"),
    "imdb-bilstm": (*CLASSIFIED, "Reliability"),
    "dates": ("The answers that are farthest off",),
}

# -- a picture classifier, with names made of markup -----------------------------------------------

NAMES = (
    "<script>document.title='ran'</script>",
    "\"><img src=x onerror=document.title='ran'>",
    "</style></title><svg onload=document.title='ran'>",
    "a $\\frac{1$ 'name'",
)


def named_pictures():
    made = td.data.synthetic_digits(300, td.Generator(0), size=8)
    x = (255 * made.x).astype(np.uint8)
    return Samples("named", x[made.y < 4], made.y[made.y < 4], NAMES)


def hostile(folder, monkeypatch):
    """A run whose classes have such names, in a folder that has one too."""
    recipe = RECIPES["synthetic-digits"].replaced(
        name="pictures", dataset="named pictures", epochs=2, model=Small, architecture={},
        input_shape=(8, 8, 1), scale=255.0, baselines=(), fast={}, parameters=1,
    )  # fmt: skip
    monkeypatch.setitem(DATASETS, "named pictures", named_pictures)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    return run_of(recipe, folder / "<b onclick=x()>run")


class Small(td.nn.Module):
    def __init__(self):
        self.conv, self.head = td.nn.Conv2d(1, 4, 3), td.nn.Linear(4, 4)

    def forward(self, x):
        return self.head(td.relu(self.conv(x)).mean(axis=(1, 2)))


@pytest.fixture
def hostile_page(tmp_path, monkeypatch):
    run = hostile(tmp_path, monkeypatch)
    assert main(["report", str(run)]) == 0
    return run / "report.html"


def test_names_made_of_markup_are_texts(hostile_page):
    page = checked_page(hostile_page)
    for name in NAMES:
        assert name in page.text
    assert "<b onclick=x()>run" in page.text
    for title in (*CLASSIFIED, "Reliability", "What the model looks at", "Roofline"):
        assert title in page.text
    assert re.search(r"gap [0-9.e-]+ of [+-]", page.text)
    maps = page.text[page.text.index("What the model looks at") :]
    assert "Grad-CAM" in maps and "occlusion" in maps


def test_a_page_is_not_overwritten_unless_it_is_said(hostile_page, capsys):
    run = str(hostile_page.parent)
    hostile_page.write_text("kept")
    assert main(["report", run]) == 2
    assert "--force writes it anew" in capsys.readouterr().err
    assert hostile_page.read_text() == "kept"
    assert main(["report", run, "--force", "--json"]) == 0
    assert hostile_page.read_text() != "kept" and '"bytes"' in capsys.readouterr().out


def test_where_a_page_goes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert target_of("lenet-mnist", None, False).name == "lenet-mnist-report.html"
    with pytest.raises(ConfigError, match="the shelf"):
        target_of(str(td.zoo.shelf.folder("xor-mlp")), None, False)
    with pytest.raises(ConfigError, match="no folder"):
        target_of("lenet-mnist", str(tmp_path / "none" / "a.html"), False)


def test_without_its_data_a_run_has_what_needs_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(tmp_path))
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    monkeypatch.setattr(told, "roofline", lambda subject: None)
    load_dataset.cache_clear()  # another test of this process may have read them
    page = checked_page(write_report("lenet-mnist", str(tmp_path / "lenet.html")))
    assert "The data are not here" in page.text and "98.86 %" in page.text
    assert "features.layers.0" in page.text and "Scores by class" not in page.text


def test_an_imported_net_is_shown_on_the_data_that_are_named(tmp_path, monkeypatch):
    from tinydl.runs.importing import Wanted, write_imported

    monkeypatch.setattr(told, "roofline", lambda subject: None)
    (tmp_path / "net").mkdir()
    write_imported(tmp_path / "net", imported_net(), "net.onnx", "onnx", Wanted())
    run, out = str(tmp_path / "net"), str(tmp_path / "alone.html")
    page = checked_page(write_report(run, out))
    assert "net.onnx" in page.text and "Scores by class" not in page.text
    page = checked_page(write_report(run, dataset="synthetic_digits"))
    for title in (*CLASSIFIED, "What the model looks at", "Layers"):
        assert title in page.text, title
    assert "Not shown" not in page.text


# -- parts -----------------------------------------------------------------------------------------


def test_every_text_is_escaped_once():
    assert "\u202e" not in html.escaped("a \u202e b")  # it would turn the line
    assert html.escaped("<a b='c'>&\"") == "&lt;a b=&#x27;c&#x27;&gt;&amp;&quot;"
    inner = html.element("p", "<", html.element("b", "&"), title='"')
    assert inner == '<p title="&quot;">&lt;<b>&amp;</b></p>'
    assert html.table(["<"], [["&"]]).count("&lt;") == 1


def test_png_is_what_the_standard_says():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.uint8)
    content = html.png(pixels)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = {}, 8
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        name, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        (check,) = struct.unpack(">I", content[place + 8 + size : place + 12 + size])
        assert check == zlib.crc32(name + body)
        found[name], place = body, place + 12 + size
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (5, 3, 8, 2, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(3, 16)
    assert (rows[:, 0] == 0).all() and (rows[:, 1:].reshape(3, 5, 3) == pixels).all()
    with pytest.raises(ShapeError, match="png"):
        html.png(pixels[..., 0])


def test_colours_of_maps():
    found = colours.signed(np.array([[2.0, 0.0, -2.0, 1.0]]))
    assert (found[0, 0] == colours.RED).all() and (found[0, 1] == 255).all()
    assert (found[0, 2] == colours.BLUE).all()
    assert (np.abs(found[0, 3] - (colours.RED + 255) / 2) <= 0.5).all()
    assert (colours.strength(np.zeros((2, 2))) == 255).all()


def test_worst_windows_are_the_largest_that_do_not_overlap():
    values = np.array([0, 5, 5, 0, 0, 1, 9, 1, 0, 0, 2, 2.0])
    assert words.worst_windows(values, 2, 3) == [1, 5, 10]  # by the order of their sums: 10, 10, 4
    assert words.worst_windows(values[:1], 4, 3) == [0]


def test_the_curve_of_a_detector_has_the_area_that_is_measured():
    r = np.random.default_rng(1)
    truths, found = [], []
    for _ in range(12):
        corner = r.uniform(0, 20, (3, 2))
        true = np.concatenate([corner, corner + r.uniform(4, 9, (3, 2))], axis=1)
        truths.append(Truth(true, r.integers(0, 2, 3)))
        near = np.concatenate([true + r.normal(0, 0.7, true.shape), true + 15])
        found.append(Found(near, np.tile(truths[-1].labels, 2), r.permutation(60)[:6] / 60))
    for label in (0, 1):
        (recall, precision), hits, total = boxes.precision_recall(found, truths, label)
        area = mean_average_precision(found, truths, 2, "voc").per_class[label]
        assert_close(voc_average_precision(recall, precision), area, 1e-12)
        assert total == sum((t.labels == label).sum() for t in truths) and 0 < hits <= total
