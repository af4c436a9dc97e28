"""Pages that are documents of the repository: README, docs/, benchmarks/; and what the pages that
are written here name of it."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

from definitions import (
    Definition,
    MarkerError,
    cython_definitions,
    definitions,
    python_definitions,
)
from kernel_pages import RESULTS
from places import Places

#: Document -> page, in the order of the lists of pages.
DOCUMENTS = {
    "README.md": "start",
    "docs/models.md": "read/models",
    "docs/book_errors.md": "read/book_errors",
    "docs/figures/README.md": "read/figures",
    "docs/coming_from.md": "read/coming_from",
    "docs/conventions.md": "read/conventions",
    "docs/kernels.md": "read/kernels",
    "docs/random.md": "read/random",
    "docs/parallel.md": "read/parallel",
    "docs/environment.md": "read/environment",
    "CONTRIBUTING.md": "read/contributing",
    "CHANGELOG.md": "read/changelog",
    "benchmarks/README.md": "benchmarks/running",
    "benchmarks/limits.md": "benchmarks/limits",
}
#: Those of the small site.
FEW = ("README.md", "docs/models.md", "docs/coming_from.md", "CONTRIBUTING.md",
       f"{RESULTS}/bench.md", f"{RESULTS}/studies.md", "benchmarks/limits.md")  # fmt: skip
FILE = re.compile(r"\(source:([\w./-]+)(?:#([\w.]+))?\)|\"source:([\w./-]+)(?:#([\w.]+))?\"")
#: On the front page.
PICTURE = "study_degradation.png"
SHOWN = re.compile(r"^<!-- show ([\w./-]+) ([\w.]+) -->$", re.MULTILINE)


def name_pages(places: Places) -> None:
    for path in sorted((places.repository / "docs").glob("*.md")):
        file = f"docs/{path.name}"
        places.pages[file] = DOCUMENTS.get(file, f"read/{path.stem}")
    places.pages |= DOCUMENTS
    for path in sorted((places.repository / RESULTS).glob("*.md")):
        places.pages[f"{RESULTS}/{path.name}"] = f"benchmarks/{path.stem}"
    if places.few:
        for file in set(places.pages) - set(FEW):
            del places.pages[file]


def write(places: Places) -> None:
    places.copy(places.repository / f"docs/figures/{PICTURE}", f"pictures/{PICTURE}")
    documents = [file for file in places.pages if file.endswith(".md")]
    for file in documents:
        page = places.pages[file]
        text = (places.repository / file).read_text(encoding="utf-8")
        text = _one_title(places.rewritten(text, file, page))
        if file == "README.md":
            text = text.replace("# tinydl\n", "# Start here\n", 1)
        if page.startswith("benchmarks/"):
            text += _pictures(places, page)
        places.write(f"{page}.md", text)
    about = (
        "All models and recipes, all errors of the books, and what holds in tinydl where libraries "
        "differ."
    )
    _index(places, "read", "Models, conventions, changes", about)
    about = "Every figure with its machine and date, from the files that the benchmarks wrote."
    _index(places, "benchmarks", "Benchmarks", about)


def _title(places: Places, file: str) -> str:
    found = re.search(r"^# (.+)$", (places.repository / file).read_text(encoding="utf-8"), re.M)
    return found.group(1) if found else file


def _one_title(text: str) -> str:
    """Later first-level headings go down a level: a page has one title."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    seen = False
    for k in range(0, len(parts), 2):
        lines = parts[k].split("\n")
        for n, line in enumerate(lines):
            if line.startswith("# "):
                lines[n] = "#" + line if seen else line
                seen = True
        parts[k] = "\n".join(lines)
    return "".join(parts)


def _index(places: Places, folder: str, title: str, about: str) -> None:
    named = {
        p: f for f, p in places.pages.items() if f.endswith(".md") and p.startswith(f"{folder}/")
    }
    order = [p for p in DOCUMENTS.values() if p in named] + [
        p for p in named if p not in DOCUMENTS.values()
    ]
    if folder == "benchmarks":
        order.sort(key=lambda p: p in DOCUMENTS.values())
    rows = "\n".join(
        f'- <a href="{p.rpartition("/")[2]}.html">{html.escape(_title(places, named[p]))}</a>'
        for p in order
    )
    entries = "\n".join(p.rpartition("/")[2] for p in order)
    places.write(
        f"{folder}/index.md",
        f"# {title}\n\n{about}\n\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n",
    )


def _pictures(places: Places, page: str) -> str:
    """The pictures that the benchmark wrote beside its tables, where the document shows none."""
    stem = page.rpartition("/")[2]
    found = sorted((places.repository / RESULTS).glob(f"{stem}*_1.png")) + sorted(
        (places.repository / RESULTS).glob(f"{stem}.png")
    )
    lines = []
    for path in found:
        places.copy(path, f"pictures/{path.name}")
        name = path.stem.removeprefix("bench_").removesuffix("_1")
        lines.append(
            f"![{name}: tinydl beside other libraries, one thread](../pictures/{path.name})"
        )
    return "\n\n## Pictures\n\n" + "\n\n".join(lines) + "\n" if lines else ""


# -- pages that are written here -------------------------------------------------------------------


def filled(text: str, places: Places, page: str = "index") -> str:
    """`(source:FILE#NAME)` becomes a link to the line, `<!-- show FILE NAME -->` the code."""

    def link(found: re.Match) -> str:
        file, name = found.group(1) or found.group(3), found.group(2) or found.group(4)
        target = places.link(page, places.source(file), _line(places, file, name) if name else None)
        return f"({target})" if found.group(1) else f'"{target}"'

    def show(found: re.Match) -> str:
        file, name = found.groups()
        there = _named(places, file, name)
        href = places.link(page, places.source(file), there.first)
        language = {".py": "python", ".pyx": "cython"}.get(Path(file).suffix, "c")
        return (
            f'<p class="where"><a href="{href}">{file}, line {there.first}</a></p>\n\n'
            f"``````````{language}\n{there.text}\n``````````"
        )

    return SHOWN.sub(show, FILE.sub(link, text))


def _named(places: Places, file: str, name: str):
    path = places.repository / file
    if file.endswith(".py"):
        there = python_definitions(path) + _assigned(path)
    elif file.endswith(".pyx"):
        there = cython_definitions(path)
    else:
        there = definitions(path.read_text(encoding="utf-8"))
    for definition in there:
        if definition.name == name:
            return definition
    raise MarkerError(f"{file}: no {name}")


def _line(places: Places, file: str, name: str) -> int:
    return _named(places, file, name).first


def _assigned(path: Path) -> list:
    """Classes, and names that a class of a room assigns: `matmul = compiled.matmul`."""
    text = path.read_text(encoding="utf-8")
    lines, found = text.splitlines(), []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            found.append(Definition(node.name, node.lineno, node.end_lineno, body, False, False))
            for inner in node.body:
                if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                    body = "\n".join(lines[node.lineno - 1 : inner.end_lineno])
                    name = inner.targets[0].id
                    found.append(
                        Definition(name, node.lineno, inner.end_lineno, body, False, False)
                    )
    return found
