"""The course: course.toml agrees with the pages, with README's table, and with itself; each part
has its questions."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from support import script

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"^## (Part [A-E]: .*)$", re.MULTILINE)


def load():
    """tutorials/course.py; a dataclass looks for its module by name."""
    path = ROOT / "tutorials" / "course.py"
    before = sys.modules.copy()
    sys.modules["course"] = sys.modules["__main__"]
    try:
        return script(path)
    finally:
        sys.modules.clear()
        sys.modules.update(before)


course = load()
COURSE = course.read()
#: Pages that wait for their opening, questions and exercises.
WAITING: set[int] = set()
PAGES = [pytest.param(page, id=page.file) for page in COURSE.pages]


def numbered(page):
    """{heading of a part: numbers of its list}."""
    pieces = PART.split((ROOT / "docs" / page).read_text())[1:]
    return {
        title: [int(n) for n in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
        for title, text in zip(pieces[::2], pieces[1::2], strict=True)
    }


def test_each_part_has_ten_questions_and_each_question_its_key():
    questions = numbered("course_questions.md")
    assert list(questions) == [f"Part {k}: {v.lower()}" for k, v in COURSE.parts.items()]
    assert set(map(tuple, questions.values())) == {tuple(range(1, 11))}
    assert numbered("course_key.md") == questions


def test_every_tutorial_has_one_row():
    there = sorted(path.stem for path in (ROOT / "tutorials").glob("[0-9][0-9]_*.py"))
    rows = sorted(page.file for page in COURSE.pages)
    assert rows == there, "tutorials/course.toml needs one [[part.page]] for each tutorial"


def test_readme_has_the_table():
    readme = (ROOT / "README.md").read_text()
    assert course.BEGIN in readme and course.END in readme
    assert course.with_table(readme, COURSE) == readme, "run `python tutorials/course.py`"
    without = readme.replace(COURSE.pages[3].question, "What else?")
    assert course.with_table(without, COURSE) == readme


def test_a_term_is_taught_once():
    terms = [term for page in COURSE.pages for term in page.teaches]
    assert len(terms) == len(set(terms)) > 100


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_only_what_was_taught(page):
    taught = {t for other in COURSE.pages[: COURSE.pages.index(page)] for t in other.teaches}
    assert set(page.needs) <= taught
    assert page.question.endswith("?")


@pytest.mark.parametrize("page", PAGES)
def test_the_row_is_the_pages(page):
    text = page.text
    assert f"# # {page.number}. {page.title}\n" in text
    measured = course.minutes(text)
    assert abs(page.minutes - measured) <= max(2, measured // 4), (
        f"course.toml says {page.minutes} minutes, tutorials/course.py counts {measured}"
    )


def plain(text):
    return " ".join(re.sub(r"[*`_]", "", text).replace("-", " ").lower().split())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_the_terms_that_it_teaches(page):
    text = plain(" ".join(body for is_text, body in course.cells(page.text) if is_text))
    assert not [term for term in page.teaches if plain(term) not in text]


def test_minutes_are_counted():
    page = "# %% [markdown]\n# # 1. A\n" + "# word\n" * 299 + "# %%\n" + "x = 1\n" * 40
    assert course.minutes(page) == 4
    assert course.minutes(page + "# %% [markdown]\n# ## Exercises\n#\n# 1. Do.\n# 2. Do.\n") == 10


@pytest.mark.parametrize("page", PAGES)
def test_pictures_in_the_text_are_kept_and_described(page):
    text = "\n".join(body for is_text, body in course.cells(page.text) if is_text)
    for words, target in re.findall(r"!\[(.*?)\]\((.*?)\)", text):
        assert words and (page.path.parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES)
def test_the_opening_names_what_the_page_needs(page):
    """**You need** names every term of `needs` in italics, and the page that teaches it."""
    _, found, rest = page.text.partition("**You need**")
    if not found:
        assert page.number in WAITING
        return
    opening, _, _ = rest.partition("\n#\n")
    opening = " ".join(opening.replace("\n#", " ").split())
    assert set(re.findall(r"\*([^*]+)\*", opening)) == set(page.needs)
    pages = {int(n) for n in re.findall(r"\d+", " ".join(re.findall(r"\(pages? [^)]*\)", opening)))}
    assert pages == {other.number for other in COURSE.before(page)}
    for words in (
        "**You will be able to**",
        "**Before you run**",
        "# ## Exercises\n",
        "to take along",
    ):
        assert words in page.text, words


TERM = re.compile(r"^- \*\*(.+?)\*\* \(page (\d+)\): (.+)$", re.MULTILINE)


def test_the_glossary_has_each_term_once():
    """Sorted, and with the page that teaches it."""
    rows = TERM.findall((ROOT / "docs" / "glossary.md").read_text())
    assert {term: int(n) for term, n, _ in rows} == {
        term: page.number for page in COURSE.pages for term in page.teaches
    }
    names = [re.sub(r"\W", "", term).lower() for term, _, _ in rows]
    assert names == sorted(set(names))
    assert all(words.endswith(".") for _, _, words in rows)


def private_words(number, text):
    """(phrase as it stands, the term in its place) of tutorials/language.toml in a page."""
    with open(ROOT / "tutorials" / "language.toml", "rb") as file:
        rows = tomllib.load(file)["phrase"]
    text = " ".join(text.split())
    return [
        (found.group(0), row["term"])
        for row in rows
        if number in row.get("where", [number])
        for found in re.finditer(row["phrase"], text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("page", PAGES)
def test_terms_are_those_of_the_field(page):
    text = "\n".join(body for is_text, body in course.cells(page.text) if is_text)
    assert not private_words(page.file[:2], text)


def test_a_private_word_is_found():
    assert private_words("16", "why the narrow\nend must not bend") == [
        ("must not bend", "must be linear, have no activation function")
    ]
    assert private_words("14", "the curve bends between x and x + h") == []
    assert private_words("99", "one of the books says") == []
