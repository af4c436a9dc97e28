"""The page of `tinydl serve` in a browser: drawn on, dropped on, typed into, by keyboard too."""

import json
from io import BytesIO

import numpy as np
import pytest
from fuzz.run_folders import imported_net
from served import page_of, running
from strokes import SEVEN, stroke

from tinydl.runs.importing import Wanted, write_imported

#: The contrast of every text on the page with what lies behind it (WCAG 2.2, 1.4.3), the smallest.
CONTRAST = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) =>
      v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(n).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  let least = [99, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.getClientRects().length) continue;
    const bar = node.closest("li") && node.closest("li").querySelector(".bar");
    for (const ground of [behind(node), ...(bar ? [behind(bar)] : [])]) {
      const pair = [light(numbers(getComputedStyle(node).color).slice(0, 3)), light(ground)];
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < least[0]) least = [ratio, texts.currentNode.data];
    }
  }
  return least;
}"""
UNLABELLED = """() => [...document.querySelectorAll("canvas, input, textarea, button")]
  .filter((n) => n.getClientRects().length)
  .filter((n) => !(n.labels && n.labels.length) && !n.getAttribute("aria-label")
    && !n.textContent.trim()).length"""


@pytest.fixture(scope="module")
def lenet():
    with running(page_of("lenet-mnist")) as server:
        yield server


def draw(page, points):
    stroke(page, points)
    page.mouse.up()


def bars(page):
    page.locator(".bars li").first.wait_for()
    return page.locator(".bars li").evaluate_all(
        "rows => rows.map(r => [r.querySelector('.name').textContent,"
        " r.querySelector('.bar').getBoundingClientRect().width / r.getBoundingClientRect().width])"
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_a_drawn_seven_is_the_longest_bar(lenet, pages, width):
    page = pages.open(lenet.url, width=width)
    page.locator("#drawing").wait_for()
    assert page.title() == "lenet-mnist - tinydl serve"
    draw(page, SEVEN)
    found = bars(page)
    assert found[0][0] == "7" and found[0][1] > 0.9 and max(w for _, w in found[1:]) < 0.1
    assert page.locator("#told").inner_text().startswith("7 (")
    assert page.locator(".figures canvas").count() == 2
    assert page.locator(".layer h3").first.inner_text() == "features.layers.0 (Conv2d)"
    lit = page.locator(".layer canvas").first.evaluate(
        "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert lit > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(UNLABELLED) == 0
    sides = [page.locator(f"#{name}").bounding_box() for name in ("give", "answer")]
    assert (sides[0]["x"] < sides[1]["x"]) == (width > 800)  # beside each other, or below
    page.locator("#clear").click()
    assert page.locator(".bars").count() == 0 and page.locator("#inside").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(lenet, pages, scheme):
    page = pages.open(lenet.url)
    page.emulate_media(color_scheme=scheme)
    page.locator("#drawing").wait_for()
    draw(page, SEVEN)
    bars(page)
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, text


def test_a_one_is_drawn_by_keyboard_alone(lenet, pages):
    page = pages.open(lenet.url)
    page.locator("#drawing").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "canvas"
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "]:
        page.keyboard.press(key)
    assert bars(page)[0][0] == "1"
    assert "The pen is up at 50 % across, 82 % down." in page.locator("#pen").inner_text()
    page.keyboard.press("Delete")
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    page.get_by_text("28 x 28").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "clear"
    page.keyboard.press("Enter")
    assert page.locator("#told").inner_text() == "Nothing is drawn."


def test_an_answer_to_what_was_cleared_is_not_shown(lenet, pages):
    page, held = pages.open(lenet.url), []
    page.locator("#drawing").wait_for()
    page.route("**/drawing", lambda route: held.append(route))
    page.locator("#canvas").focus()
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    page.locator("body[aria-busy]").wait_for()
    while not held:
        page.wait_for_timeout(10)
    page.locator("#clear").click()
    for route in held:
        route.continue_()
    page.locator("body:not([aria-busy])").wait_for()
    assert page.locator("#told").inner_text() == "Nothing is drawn."


def picture(pixels):
    image = pytest.importorskip("PIL.Image")
    stream = BytesIO()
    image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_a_picture_is_chosen_or_dropped_and_what_is_none_is_a_sentence(lenet, pages):
    pixels = np.full((40, 30), 255, np.uint8)
    pixels[5:35, 13:17] = 0
    page = pages.open(lenet.url)
    page.locator("#filing").wait_for()
    file = {"name": "one.png", "mimeType": "image/png", "buffer": picture(pixels)}
    page.locator("#file").set_input_files(file)
    assert bars(page)[0][0] == "1"
    page.locator("#file").set_input_files({**file, "buffer": b"no picture"})
    page.locator("#told.error").wait_for()
    assert "not a readable image" in page.locator("#told").inner_text()
    assert page.locator(".bars").count() == 0
    pages.expected += ["422: ", "status of 422"]
    page.locator("#file").set_input_files({**file, "buffer": bytes(8_000_001)})
    page.get_by_text("At most 8,000,000 bytes are read, these are 8,000,001.").wait_for()
    page.evaluate(
        """bytes => { const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], "one.png"));
        const event = new DragEvent("drop", {dataTransfer: data, bubbles: true});
        document.body.dispatchEvent(event); }""",
        list(picture(pixels)),
    )
    assert bars(page)[0][0] == "1"


def test_a_text_goes_on(pages):
    with running(page_of("char-lstm")) as server:
        page = pages.open(server.url, width=360)
        page.locator("#typing").wait_for()
        assert page.locator("#drawing").is_hidden() and page.locator("#filing").is_hidden()
        page.get_by_label("A text to go on with").fill("<b>To be</b>, or not")
        page.locator("#typing button").click()
        bars(page)
        assert page.locator(".written").inner_text().startswith("<b>To be</b>, or not")
        assert len(page.locator(".written b").inner_text()) > 50
        assert page.locator(".tokens span").count() == 20
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


MARKUP = "<img src=x onerror=document.title='ran'><script>document.title='ran'</script>"


def test_class_names_of_strangers_are_text(pages, tmp_path):
    """An imported net, whose names and file name are markup."""
    wanted = Wanted(labels=tuple(f"{MARKUP}{k}" for k in range(10)))
    write_imported(tmp_path, imported_net(), f"{MARKUP}.onnx", "onnx", wanted)
    with running(page_of(str(tmp_path))) as server:
        page = pages.open(server.url, width=360)
        page.locator("#drawing").wait_for()
        draw(page, SEVEN)
        assert all(name.startswith(MARKUP) for name, _ in bars(page))
        assert MARKUP in page.locator("#told").inner_text()
        assert MARKUP in page.locator("h1").inner_text() and "onerror" in page.title()
        assert page.title() != "ran" and page.locator("img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_another_page_gets_nothing(lenet, pages, tmp_path):
    """Not with the token even: a script elsewhere can neither read nor ask."""
    (tmp_path / "evil.html").write_text("<!doctype html><title>evil</title>")
    page = pages.open((tmp_path / "evil.html").as_uri())
    for options in ({}, {"method": "POST", "body": "x" * 78_400}, {"mode": "no-cors"}):
        told = page.evaluate(
            "([url, options]) => fetch(url, options).then(r => r.text(), e => 'refused')",
            [lenet.url + "drawing" if "method" in options else lenet.url + "run", options],
        )
        assert told in ("refused", "")
    framed = page.evaluate(
        """url => new Promise(done => { const frame = document.createElement("iframe");
        frame.onload = () => { try { done(frame.contentDocument.title) } catch { done("") } };
        frame.src = url; document.body.append(frame); })""",
        lenet.url,
    )
    assert framed == ""
    assert pages.problems
    pages.expected += [lenet.url, "console: "]  # each refusal is told there


def test_without_scripts_it_says_what_else_there_is(lenet, pages):
    page = pages.open(lenet.url, scripts=False)
    assert "tinydl predict" in page.locator("noscript").inner_text()


def test_a_server_that_has_gone_is_told(pages):
    server = page_of("synthetic-digits")
    with running(server):
        page = pages.open(server.url)
        page.locator("#drawing").wait_for()
    draw(page, SEVEN)
    page.locator("#told.error").wait_for()
    assert "still running?" in page.locator("#told").inner_text()
    pages.expected += ["drawing", "ERR_CONNECTION"]


def test_the_drawing_bars_and_maps_serve_other_pages(lenet, pages):
    """`window.tinydl` alone, as a page without `data-tinydl` has it."""
    page = pages.open(lenet.url)
    rows = [{"name": "a", "share": 0.25}, {"name": "b", "share": 2}]
    shown = page.evaluate(
        """rows => { const list = window.tinydl.bars(rows);
        return [...list.querySelectorAll(".bar")].map(b => b.style.width); }""",
        rows,
    )
    assert shown == ["25%", "100%"]
    names = page.evaluate("Object.keys(window.tinydl).sort()")
    assert names == ["bars", "drawing", "figure", "layers", "paint"]
    assert json.dumps(page.evaluate("window.tinydl.drawing.length")) == "4"
