"""The page of `tinydl report` in a browser: names made of markup run no script."""

import numpy as np
import pytest

from tinydl import Generator, data, nn, relu
from tinydl.experiment.datasets import DATASETS
from tinydl.recipes import RECIPES
from tinydl.reporting.report import write_report
from tinydl.runs.run import begin, claim, train_into

pytest.importorskip("matplotlib", reason='curves are drawn: pip install ".[plot]"')
NAMES = (
    "<script>document.title='ran'</script>",
    '"><img src=x onerror="document.title=\'ran\'">',
    "</title></style><svg onload=\"document.title='ran'\"></svg>",
)


class Small(nn.Module):
    def __init__(self):
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(relu(self.conv(x)).mean(axis=(1, 2)))


def pictures():
    made = data.synthetic_digits(200, Generator(0), size=8)
    x = (255 * made.x).astype(np.uint8)
    return data.Samples("marked", x[made.y < 3], made.y[made.y < 3], NAMES)


def test_no_script_runs_and_the_page_fits_two_widths(pages, tmp_path, monkeypatch):
    recipe = RECIPES["synthetic-digits"].replaced(
        name="pictures", dataset="marked pictures", epochs=1, model=Small, architecture={},
        input_shape=(8, 8, 1), scale=255.0, baselines=(), fast={}, parameters=1,
    )  # fmt: skip
    monkeypatch.setitem(DATASETS, "marked pictures", pictures)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    with claim(folder, recipe.name) as lock:
        train_into(lock, begin(recipe), False)
    path = write_report(str(folder))
    for width in (1280, 400):
        page = pages.open(path.as_uri(), width=width)
        assert page.title() == f"{folder.name}: report"
        assert page.locator("script, svg, [onerror], [onload]").count() == 0
        assert NAMES[0] in page.locator("body").inner_text()
        seen = page.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
        assert len(seen) > 10 and min(seen) > 0  # the policy lets pictures in
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"the page is {wide} pixels wide in a window of {width}"
