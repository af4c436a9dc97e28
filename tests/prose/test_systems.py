"""docs/systems.txt: every system of the five books is here, is being built, or says why not."""

import importlib.util
from pathlib import Path

import pytest

from tinydl.recipes import RECIPES
from tinydl.recipes.sources import BEYOND, PAPERS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_system_of_the_books_is_somewhere(tables):
    books, named = tables.systems()
    assert len(books) == 5 and all(len(row) == 3 for row in named)
    told = {row[0]: row[2] for row in named}
    pending, missing, only = [], [], set()
    for book, rows in books.items():
        for chapter, system, here in rows:
            if here.startswith("pending: "):
                pending.append((system, here))
            elif here == "named only":
                only.add(system)
                assert any(name in system for name in told), f"no word why not: {system}"
            else:
                lost = [name for name in here.split(", ") if not tables.resolved(name)]
                missing += [(book, chapter, system, lost)] if lost else []
    print(f"\n{sum(map(len, books.values()))} systems, {len(pending)} being built")
    assert not missing, f"docs/systems.txt names what is not here: {missing}"
    assert len(only) == len(named) and all(len(why) > 40 for why in told.values())


def test_what_is_only_named_points_at_what_exists(tables):
    for _, _, why in tables.systems()[1]:
        for name in why.split("`")[1::2]:
            assert tables.resolved(name) or name in ("predict", "fit"), name


def test_a_name_that_is_nowhere_is_seen(tables):
    for name in ("mlp-mnist", "VAE", "nn.LSTM", "tutorial 13", "study degradation"):
        assert tables.resolved(name), name
    for name in ("mlp-mnists", "VAEE", "nn.LSTMM", "tutorial 99", "study nothing", "nnn.LSTM"):
        assert not tables.resolved(name), name


def test_books_are_those_of_the_recipes(tables):
    """Every book of a recipe is one of the five, whatever edition it writes."""
    words = {book.split(" (")[0].split(" with ")[0] for book in tables.systems()[0]}
    books = {r.book for r in RECIPES.values()} - {"tinydl", PAPERS, BEYOND}
    assert all(any(b.startswith(word) for word in words) for b in books), books
