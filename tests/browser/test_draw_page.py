"""Draw a digit: the page of the site whose network runs on our C kernels as WebAssembly."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close
from strokes import SEVEN, stroke

import tinydl as td

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
ASKED = """async ({given, ink}) => {
  const {net, prepared} = await window.tinydl.ready;
  return {outputs: net.outputs(Float32Array.from(given)).map((y) => Array.from(y)),
          pictures: ink.map((one) => Array.from(prepared(Uint8Array.from(one), 280)))};
}"""

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="an installed package has no pages")


@pytest.fixture
def drawn(address, pages, without):
    """`drawn(width=...)`: the page, ready to be drawn on."""

    def opened(**options):
        page = pages.open(f"{address}draw.html", **options)
        if page.locator("#canvas").count() == 0:
            without("the page was built without clang, lld and wasi-libc")
        page.locator("#drawn").wait_for()
        return page

    return opened


@pytest.mark.parametrize("width", [420, 1300])
def test_a_drawn_seven_is_a_seven_while_it_is_drawn(drawn, width):
    page = drawn(width=width)
    stroke(page, SEVEN)
    page.locator(".bars li").first.wait_for()  # before the pen is lifted
    page.mouse.up()
    told = page.locator("#told")
    assert told.inner_text().startswith("7 (")
    assert float(re.search(r"([\d.]+) %", told.inner_text()).group(1)) > 90
    names = page.locator(".bars .name").all_inner_texts()
    assert names == [str(digit) for digit in range(10)]
    assert page.locator(".layer").count() == 11
    assert page.locator(".maps canvas").count() == 3 * 6 + 3 * 16 + 5
    lit = page.locator(".layer canvas").first.evaluate(
        "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert lit > 20
    page.get_by_text("GFLOP/s").first.wait_for()
    assert float(re.search(r"([\d.]+) GFLOP/s", page.locator("#speed").inner_text()).group(1)) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#clear").click()
    assert page.locator(".bars").count() == 0 and page.locator("#inside").is_hidden()


def test_every_layer_gives_what_the_cpu_backend_gives(drawn):
    """To 1e-5 of the largest number of the layer; the drawing becomes the same picture, too."""
    model = td.zoo.load("lenet-mnist", backend="cpu")
    rng = np.random.default_rng(0)
    x = rng.random((28, 28), np.float32) * (rng.random((28, 28)) < 0.3)
    ink = np.zeros((3, 280, 280), np.uint8)
    ink[0, 40:200, 90:121] = rng.integers(1, 256, (160, 31))
    ink[1, 7:31, 11:274] = 255
    ink[1, 31:47, 200:260] = 200  # a centre of mass between two pixels: no rounding moves the box
    ink[2, 100, 33] = 9
    told = drawn().evaluate(
        ASKED, {"given": x.reshape(-1).tolist(), "ink": ink.reshape(3, -1).tolist()}
    )
    for one, picture in zip(ink, told["pictures"], strict=True):
        assert_close(np.reshape(picture, (28, 28)), td.data.prepare_digit(one), 1e-5)
    found = td.nn.activations(model, x[None, :, :, None])
    modules = dict(model.named_modules())
    inner = [y for name, y in found.items() if not list(modules[name].children())]
    shares = td.softmax(td.tensor(inner[-1], backend="cpu")).numpy()
    for got, want in zip(told["outputs"], [*inner, shares], strict=True):
        assert_close(np.reshape(got, want.shape), want, 1e-5)


@pytest.mark.parametrize("stem", ["matmul", "conv", "pool", "elementwise", "softmax"])
def test_the_kernel_pages_measure_the_fourth_column(drawn, address, stem):
    page = drawn()
    page.goto(f"{address}kernels/{stem}.html")
    page.locator("button[data-measure]").click()
    told = page.locator(".measure output")
    told.get_by_text(" ms, ").wait_for()
    seconds = float(re.search(r": ([\d.e+]+) ms", told.inner_text()).group(1))
    assert seconds > 0


def test_without_the_compiler_a_sentence_stands_in_its_place(monkeypatch, tmp_path):
    sys.path.insert(0, str(SITE))
    try:
        page, wasm = importlib.import_module("draw_page"), importlib.import_module("wasm")
        places = importlib.import_module("places")
    finally:
        sys.path.remove(str(SITE))
    monkeypatch.setenv("PATH", str(tmp_path))
    why = page.write(places.Places(SITE.parents[1], tmp_path / "pages"))
    assert "apt-get install clang lld wasi-libc" in why
    text = page.filled((SITE / "pages" / "draw.md").read_text(encoding="utf-8"), why)
    assert why in text and "<canvas" not in text and "<!--" not in text
    assert page.fourth(places.Places(SITE.parents[1], tmp_path), "kernels/conv", "conv") == ""
    numbers = wasm.operations(SITE.parents[1])
    assert numbers["negative"] == 0 and numbers["add"] == numbers["cos"] + 1
