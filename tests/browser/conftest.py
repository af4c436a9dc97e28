"""A real browser for pages: Debian's Chromium, driven by playwright (extra `docs-test`).

Nothing here downloads a browser. Where playwright or Chromium is missing the tests are skipped, and
the reason says what to install; TINYDL_REQUIRE_BROWSER=1 turns that skip into a failure.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tinydl.errors import how_to_install

CHROMIUM = "/usr/bin/chromium"  # where Debian's package puts it
SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
SPHINX = ("sphinx", "myst_nb", "jupytext", "sphinx_design", "pydata_sphinx_theme")
#: Schemes that never leave the machine; http does only for another host than this one.
WITHIN = ("about", "blob", "data", "file")


def missing(what: str):
    if os.environ.get("TINYDL_REQUIRE_BROWSER") == "1":
        pytest.fail(f"TINYDL_REQUIRE_BROWSER=1, but {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def needs():
    """`needs(extra, *modules)` skips, or fails where a browser is required, without these."""

    def check(extra: str, *modules: str) -> None:
        lacking = [name for name in modules if importlib.util.find_spec(name) is None]
        if lacking:
            missing(f"no {', '.join(lacking)}: {how_to_install(extra)}")

    return check


@pytest.fixture
def without():
    """`without(what)` skips for something that is missing, or fails where a browser is required."""
    return missing


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; skips where it or playwright is missing."""
    os.environ["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"
    try:
        api = importlib.import_module("playwright.sync_api")
    except ImportError:
        missing(f"no playwright: {how_to_install('docs-test')}")
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if path is None:
        missing("no Chromium: apt-get install chromium")
    # Its own sandbox is refused to root, in containers above all.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=flags)
        yield made
        made.close()


def left(request) -> bool:
    """Whether the page was left while this was loading: what a server refuses, and what does not
    answer, has another reason."""
    return request.failure == "net::ERR_ABORTED"


class Pages:
    """Opens pages, and writes down what went wrong in any of them.

    `problems`: an error of a script or of the console (a refusal by the page's CSP is one), a
    request that failed or was answered by 400 or more, and one that would leave this machine, which
    is stopped. What is left at the end fails the test, but for what has one of the texts
    `expected` in it: some are told late.
    """

    def __init__(self, browser) -> None:
        self.browser, self.problems, self.contexts = browser, [], []
        self.expected: list[str] = []

    def open(self, url: str, width: int = 1280, height: int = 900, scripts: bool = True):
        """The page at a URL, in a profile of its own; scripts=False: JavaScript is off."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=scripts
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)  # ms: the machine may be busy
        told = self.problems.append
        page.on("pageerror", lambda error: told(f"script: {error}"))
        page.on("console", lambda m: m.type == "error" and told(f"console: {m.text}"))
        page.on("requestfailed", lambda request: left(request) or told(f"failed: {request.url}"))
        page.on("response", lambda r: r.status >= 400 and told(f"{r.status}: {r.url}"))
        page.route(lambda url: not within(url), self._stop)
        page.goto(url)
        return page

    def _stop(self, route) -> None:
        self.problems.append(f"left the machine: {route.request.url}")
        route.abort()


def within(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in WITHIN or parts.hostname == "127.0.0.1"


@pytest.fixture
def pages(browser):
    """`pages.open(url)`: pages in the browser; the test fails by what went wrong in them."""
    made = Pages(browser)
    yield made
    for context in made.contexts:
        context.close()
    left = [p for p in made.problems if not any(text in p for text in made.expected)]
    assert left == []


# -- the site --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site(tmp_path_factory, needs):
    """The folder of the site in its small form (docs/site/conf.py); a warning of Sphinx fails."""
    needs("docs", *SPHINX)
    out = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "site_form=few",
               "-D", "nb_execution_mode=off", str(SITE), str(out)]  # fmt: skip
    done = subprocess.run(command, cwd=out.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return out


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served: below a path, which it must not care about."""
    handler = functools.partial(Quiet, directory=str(site.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/site/"
    server.shutdown()
    thread.join()
    server.server_close()
