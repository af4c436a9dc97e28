"""docs/environment.md names every variable that the source reads, and where."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "environment.md"
SOURCES = ("tinydl", "csrc", "tests", "tutorials", "docs", "benchmarks", "setup.py")
SUFFIXES = {".py", ".pyx", ".pxd", ".c", ".h"}
QUOTED = re.compile(r"""["'](TINYDL_[A-Z_]+)["']""")

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no pages")


def files():
    for source in SOURCES:
        path = ROOT / source
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from [p for p in found if p.suffix in SUFFIXES and p != Path(__file__).resolve()]


def rows():
    """{variable: the file that reads it} of the page."""
    cells = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {c[1].strip(" `"): c[-2].strip(" `") for c in cells}


def test_the_table_is_what_the_source_reads():
    read = {name for path in files() for name in QUOTED.findall(path.read_text())}
    assert set(rows()) == read


@pytest.mark.parametrize("variable", sorted(rows()) if PAGE.exists() else [])
def test_the_file_named_beside_it_reads_it(variable):
    assert variable in (ROOT / rows()[variable]).read_text()


def test_no_text_speaks_of_a_variable_that_nothing_reads():
    """A row of tinydl/habits named one that there is not. TINYDL_OPENMP is a macro of the build."""
    texts = [p for name in ("tinydl", "docs", "tutorials", "benchmarks") for p in
             (ROOT / name).rglob("*") if p.suffix in {".py", ".md", ".txt"}]  # fmt: skip
    texts += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = {name for path in texts for name in re.findall(r"\bTINYDL_[A-Z_]+", path.read_text())}
    assert named - {"TINYDL_OPENMP"} <= set(rows())
