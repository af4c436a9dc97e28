"""The books: a page for each book and for each of its chapters, with its systems, its figures
beside ours, and its errors with what shows them.

Everything is read from docs/systems.txt and from the tables of docs/models.md and
docs/book_errors.md, which are generated themselves; here names become links.
"""

from __future__ import annotations

import importlib
import inspect
import re

import docstrings
from definitions import MarkerError
from places import Places

from tinydl.recipes import RECIPES

#: Rows of docs/systems.txt and of recipes that stand outside of the chapters.
OUTSIDE = "-"
#: The book of the small site.
FEW = "Deep Learning with Keras"
#: "4, CNN Architecture" and "5, Word Embeddings (named only)" of a recipe.
TITLE = re.compile(r"(\d+), (?!listing|table)([^(]+?)(?: \(.*)?")


def tables(text: str) -> dict[str, list[dict[str, str]]]:
    """Heading -> the rows of the table below it, each as heading of the column -> cell."""
    found: dict[str, list[dict[str, str]]] = {}
    heading, heads = "", None
    for line in text.splitlines():
        if line.startswith("#"):
            heading, heads = line.lstrip("# "), None
        elif line.startswith("|"):
            cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
            if heads is None:
                heads = cells
            elif set("".join(cells)) - set("-: "):
                found.setdefault(heading, []).append(dict(zip(heads, cells, strict=True)))
    return found


def systems(text: str) -> dict[str, list[list[str]]]:
    """Book -> its rows (chapter, system, where it is here) of docs/systems.txt."""
    books = {}
    for section in text.split("\n[")[1:]:
        name, _, lines = section.partition("]\n")
        books[name] = [line.split(" | ") for line in lines.splitlines() if line]
    books.pop("named only")
    return books


class Books:
    """The rows of each book and chapter, and the links in them."""

    def __init__(self, places: Places) -> None:
        self.places = places
        read = {
            name: (places.repository / "docs" / name).read_text(encoding="utf-8")
            for name in ("systems.txt", "models.md", "book_errors.md")
        }
        self.systems = systems(read["systems.txt"])
        self.models = tables(read["models.md"])
        self.errors = tables(read["book_errors.md"])
        self.recipes = {row["recipe"].strip("`"): row for row in self.models["Recipes"]}
        self.named = {row["system"]: row["why not here"] for row in self.models["Named only"]}

    def rows(self, book: str) -> dict[str, dict[str, list]]:
        """Chapter -> its systems, recipes and errors."""
        found: dict[str, dict[str, list]] = {}

        def of(chapter: str) -> dict[str, list]:
            number = re.match(r"\d+", chapter)
            key = number.group() if number else OUTSIDE
            return found.setdefault(key, {"systems": [], "recipes": [], "errors": []})

        for chapter, system, here in self.systems[book]:
            of(chapter)["systems"].append((system, here))
        for name, recipe in RECIPES.items():
            if same_book(book, recipe.book):
                of(recipe.chapter)["recipes"].append(name)
        for named, rows in self.errors.items():
            for row in rows if same_book(book, named) else ():
                of(row["chapter"])["errors"].append(row)
        return dict(sorted(found.items(), key=lambda item: int(item[0]) if item[0] != "-" else 99))

    # -- links -----------------------------------------------------------------------------------

    def linked(self, text: str, page: str) -> str:
        """Names in code become links to what they name: recipes, models, tests, files; so do
        tutorials by number."""
        text = re.sub(r"`([^`]+)`", lambda m: self.name(m.group(1), page, code=True), text)
        return re.sub(r"\btutorial (\d+)\b", lambda m: self.name(m.group(), page), text)

    def name(self, name: str, page: str, code: bool = False) -> str:
        shown = f"`{name}`" if code or " " not in name else name
        target = self.target(name)
        if target is None:
            return shown
        there, anchor = target
        return f'<a href="{self.places.link(page, there)}{anchor}">{shown}</a>'

    def target(self, name: str) -> tuple[str, str] | None:
        """(page, anchor) of a recipe, tutorial, study, test, public name or model."""
        places = self.places
        if name in RECIPES:
            return self.recipe(name)
        if found := re.fullmatch(r"tutorial (\d+)", name):
            start = f"tutorials/{int(found.group(1)):02d}_"
            return next(((p, "") for f, p in places.pages.items() if f.startswith(start)), None)
        if name.startswith("study "):
            page = places.pages.get("benchmarks/results/studies.md")
            return (page, "") if page else None
        if found := re.fullmatch(r"(tests/[\w/]+\.py)(?:::(\w+).*)?", name):
            return self.line(found.group(1), found.group(2))
        if re.fullmatch(r"[\w.]+", name):
            return self.public(name) or self.member(name)
        return None

    def recipe(self, name: str) -> tuple[str, str] | None:
        """Where it is written; where it is listed, for one that a loop writes."""
        places = self.places
        folder = places.repository / "tinydl" / "recipes"
        for written in (f'name="{name}"', f'"{name}":'):
            for path in sorted(folder.glob("*.py")):
                lines = path.read_text(encoding="utf-8").splitlines()
                for k, line in enumerate(lines):
                    if written in line:
                        file = path.relative_to(places.repository).as_posix()
                        return places.source(file), f"#L-{k + 1}"
        return None

    def line(self, file: str, function: str | None) -> tuple[str, str] | None:
        path = self.places.repository / file
        if not path.exists():
            raise MarkerError(f"docs/book_errors.md names {file}, which is not there")
        if function is None:
            return self.places.source(file), ""
        lines = path.read_text(encoding="utf-8").splitlines()
        for k, line in enumerate(lines):
            if line.startswith(f"def {function}("):
                return self.places.source(file), f"#L-{k + 1}"
        raise MarkerError(f"docs/book_errors.md names {file}::{function}, which is not there")

    def public(self, name: str) -> tuple[str, str] | None:
        """A name of a module with a page of its own: `nn.Linear`."""
        module, _, member = name.rpartition(".")
        page = f"api/tinydl.{module}" if module else "api/tinydl"
        if (self.places.root / f"{page}.rst").exists():
            exported = importlib.import_module(page.removeprefix("api/")).__all__
            return (page, f"#tinydl.{name}") if member in exported else None
        return None

    def member(self, name: str) -> tuple[str, str] | None:
        """A class or function that has no page, in its source."""
        place, _, member = name.rpartition(".")
        models = {r.program.model.__name__: r.program.model for r in RECIPES.values()}
        try:
            there = importlib.import_module(f"tinydl.{place or 'models'}")
            value = models[name] if name in models else getattr(there, member)
            file = docstrings.of_repository(inspect.getsourcefile(value))
            line = inspect.getsourcelines(value)[1]
        except (ImportError, AttributeError, TypeError, OSError):
            return None
        return (self.places.source(file), f"#L-{line}") if file else None


def same_book(book: str, other: str) -> bool:
    """Whether both name one book; its edition is written in several ways."""
    return _words(book) == _words(other)


def _words(book: str) -> tuple[str, list[str]]:
    return book.partition(" (")[0], re.findall(r"\d{4}", book)


# -- pages -----------------------------------------------------------------------------------------


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


def _systems(books: Books, page: str, rows: list[tuple[str, str]]) -> str:
    made = []
    for system, here in rows:
        if here == "named only":
            why = next((w for name, w in books.named.items() if name in system), "")
            made.append((system, f"named only: {books.linked(why, page)}"))
        elif here.startswith("pending: "):
            made.append((system, f"being built: {here.removeprefix('pending: ')}"))
        else:
            names = [books.name(n, page) for n in here.split(", ")]
            made.append((system, ", ".join(dict.fromkeys(names))))
    return f"## Systems\n\n{_table(('system', 'here'), made)}"


def _figures(books: Books, page: str, names: list[str]) -> str:
    heads = ("recipe", "model", "data", "score", "book, %", "here, %", "seeds", "beside it, %",
             "tutorial")  # fmt: skip
    made = []
    for name in names:
        row = books.recipes[name]
        cells = [books.linked(row[head], page) for head in heads[:-1]]
        numbers = [n for n in row["tutorial"].split(", ") if n != "-"]
        links = [books.name(f"tutorial {n}", page).replace(">tutorial ", ">") for n in numbers]
        made.append((*cells, ", ".join(links).replace("tutorial ", "") or "-"))
    about = (
        "Scores on the test part, in percent where they are shares; `-`: the book prints none. "
        "`tinydl reproduce NAME` makes the row anew."
    )
    return f"## The book's figures and ours\n\n{about}\n\n{_table(heads, made)}"


def _errors(books: Books, page: str, rows: list[dict[str, str]]) -> str:
    heads = ("printed, and what is right", "here", "shown by")
    made = [tuple(books.linked(row[head], page) for head in heads) for row in rows]
    return f"## Errors\n\n{_table(heads, made)}"


def _title(book: str, chapter: str) -> str:
    if chapter == OUTSIDE:
        return "Outside of its chapters"
    for recipe in RECIPES.values():
        found = TITLE.fullmatch(recipe.chapter)
        if same_book(book, recipe.book) and found and found.group(1) == chapter:
            return f"{chapter}. {found.group(2)}"
    return f"Chapter {chapter}"


def write(places: Places) -> None:
    books = Books(places)
    cards, entries = [], []
    for book in books.systems:
        if places.few and not book.startswith(FEW):
            continue
        name = re.sub(r"[^a-z0-9]+", "-", book.partition(" (")[0].lower())
        chapters = books.rows(book)
        for chapter, rows in chapters.items():
            _chapter(books, book, name, chapter, rows)
        _book(places, book, name, chapters)
        counts = _told(chapters.values())
        card = f"::::{{grid-item-card}} {book}\n:link: {name}/index\n:link-type: doc"
        cards.append(f"{card}\n\n{counts}\n::::")
        entries.append(f"{name}/index")
    text = (
        "# The books\n\nFive books, every system that they build, describe or name, with the "
        "numbers that they print beside the ones that were measured here, and what they have "
        "wrong.\n\n"
        ":::::{grid} 1 2 3 3\n:gutter: 3\n\n" + "\n".join(cards) + "\n:::::\n\n"
        "```{toctree}\n:hidden:\n\n" + "\n".join(entries) + "\n```\n"
    )
    places.write("books/index.md", text)


def _told(chapters) -> str:
    systems, recipes, errors = (
        sum(len(rows[kind]) for rows in chapters) for kind in ("systems", "recipes", "errors")
    )
    return f"{systems} systems, {recipes} recipes, {errors} errors."


def _book(places: Places, book: str, name: str, chapters: dict[str, dict[str, list]]) -> None:
    rows = [
        (f'<a href="{_file(chapter)}.html">{_title(book, chapter)}</a>', _told([found]))
        for chapter, found in chapters.items()
    ]
    entries = "\n".join(_file(chapter) for chapter in chapters)
    places.write(
        f"books/{name}/index.md",
        f"# {book}\n\n{_table(('chapter', 'here'), rows)}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{entries}\n```\n",
    )


def _file(chapter: str) -> str:
    return "outside" if chapter == OUTSIDE else f"chapter{int(chapter):02d}"


def _chapter(books: Books, book: str, name: str, chapter: str, rows: dict[str, list]) -> None:
    page = f"books/{name}/{_file(chapter)}"
    parts = [f"# {_title(book, chapter)}", f'Of <a href="index.html">{book}</a>.']
    if rows["systems"]:
        parts.append(_systems(books, page, rows["systems"]))
    if rows["recipes"]:
        parts.append(_figures(books, page, rows["recipes"]))
    if rows["errors"]:
        parts.append(_errors(books, page, rows["errors"]))
    books.places.write(f"{page}.md", "\n\n".join(parts) + "\n")
