"""docs/models.md, book_errors.md and coming_from.md are what docs/tables.py writes; what they name
exists."""

import re
from pathlib import Path

import numpy as np
import pytest
from support import script

import tinydl as td
from tinydl.recipes import RECIPES, find

ROOT = Path(__file__).resolve().parents[2]
ERRORS = (ROOT / "docs" / "book_errors.md").read_text()


@pytest.fixture(scope="module")
def tables():
    return script(ROOT / "docs" / "tables.py")


def test_the_pages_are_current_and_the_readme_leads_to_them(tables):
    assert tables.stale() == [], "run `python docs/tables.py`"
    readme = (ROOT / "README.md").read_text()
    for page in ("models", "book_errors", "coming_from", "parallel"):
        assert f"docs/{page}.md" in readme


def test_only_measured_figures_may_differ(tables):
    page = "before | after\n| a | here, % | b |\n|---|---|---|\n| 1 | {} | {} |\n\n| c | d |\n"
    first, other, wrong = (page.format(*v) for v in (("98.0", 2), ("-", 2), ("98.0", 3)))
    assert tables.without_measured(first) == tables.without_measured(other)
    assert tables.without_measured(first) != tables.without_measured(wrong)
    assert "| c | d |" in tables.without_measured(first)


def test_every_recipe_and_model_has_its_row():
    page = (ROOT / "docs" / "models.md").read_text()
    for recipe in RECIPES.values():
        assert page.count(f"\n| `{recipe.name}` |") == 1
        assert f"| `{recipe.program.model.__name__}` |" in page


def test_notes_on_errors_of_recipes_belong_to_one_error_each(tables):
    texts = {text for recipe in RECIPES.values() for text in recipe.errors}
    for start in tables.errata()[1]:
        assert sum(text.startswith(start) for text in texts) == 1, start


def test_what_shows_an_error_exists():
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", ERRORS))
    assert len(named) >= 30
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), (file, name)
    for number in set(re.findall(r"tutorial (\d+)", ERRORS)):
        assert list((ROOT / "tutorials").glob(f"{int(number):02d}_*.py")), number
    for name in set(re.findall(r"`tinydl (?:recipes|reproduce) ([\w-]+)", ERRORS)) - {"NAME"}:
        find(name)
    assert not re.search(r"\| (?:`tests/[^`:]*`|) \|$", ERRORS, re.MULTILINE)


def test_the_product_that_a_book_calls_elementwise():
    a, b = td.tensor([[8.0, 4, 3], [10, 9, 2]]), td.tensor([[12.0, 6], [4, 5], [9, 1]])
    assert np.array_equal((a @ b).numpy(), [[139, 71], [174, 107]])
