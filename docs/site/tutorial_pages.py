"""The tutorials as notebooks, which MyST-NB shows and runs, with downloads; and the list of them by
the parts of tutorials/course.toml."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path

import jupytext
import nbformat
from places import Places

#: The tutorials of the small site.
FEW = ("03_checking_gradients", "05_convolution_is_a_matmul")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def name_pages(places: Places) -> None:
    for path in _scripts(places):
        places.pages[f"tutorials/{path.name}"] = f"tutorials/{path.stem}"


def _scripts(places: Places) -> list:
    found = sorted((places.repository / "tutorials").glob("[0-9][0-9]_*.py"))
    return [path for path in found if path.stem in FEW or not places.few]


def write(places: Places) -> None:
    parts = _parts(places)
    for page in (page for _, pages in parts for page in pages):
        places.write(f"tutorials/{page['file']}.ipynb", _notebook(places, page))
        script = places.repository / "tutorials" / f"{page['file']}.py"
        places.copy(script, f"downloads/{page['file']}.py")
    places.copy(places.repository / "tutorials" / "drawing.py", "downloads/drawing.py")
    places.write("tutorials/index.md", _index(places, parts))


def _parts(places: Places) -> list[tuple[str, list[dict]]]:
    """(title of a part, its pages in their order); without a course one part, by number."""
    scripts = {path.stem: path for path in _scripts(places)}
    course = places.repository / "tutorials" / "course.toml"
    if not course.exists():
        return [("", [{"file": s, "title": _title(p)} for s, p in scripts.items()])]
    table = tomllib.loads(course.read_text(encoding="utf-8"))
    parts = [(f"{part['letter']}. {part['title']}", list(part["page"])) for part in table["part"]]
    if places.few:
        parts = [(title, [p for p in pages if p["file"] in FEW]) for title, pages in parts]
        parts = [part for part in parts if part[1]]
    named = {page["file"] for _, pages in parts for page in pages}
    if named - set(scripts):
        raise FileNotFoundError(f"course.toml names {sorted(named - set(scripts))}")
    rest = [{"file": s, "title": _title(p)} for s, p in scripts.items() if s not in named]
    return [*parts, *([("Further", rest)] if rest else [])]


def _title(path) -> str:
    found = re.search(r"^# # (?:\d+\. )?(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1)


def _notebook(places: Places, page: dict) -> str:
    """The percent script as a notebook, with links in its texts and what to do with it at the top.
    The cells of code are the script's, so that one run serves every page that is made of it."""
    name = page["file"]
    path = places.repository / "tutorials" / f"{name}.py"
    notebook = jupytext.read(path, fmt="py:percent")
    for cell in notebook.cells:
        cell.metadata.clear()
        if cell.cell_type == "markdown":
            cell.source = places.rewritten(
                cell.source, f"tutorials/{path.name}", f"tutorials/{name}"
            )
    places.write(f"downloads/{name}.ipynb", _text(notebook))
    minutes = f"; {page['minutes']} minutes to read" if page.get("minutes") else ""
    about = (
        f"Run it yourself, from a clone: `python tutorials/{name}.py`{minutes}.\n\n"
        f"Download: {{download}}`script </downloads/{name}.py>`, "
        f"{{download}}`notebook </downloads/{name}.ipynb>`, and what both import, "
        f"{{download}}`drawing.py </downloads/drawing.py>`."
    )
    if page.get("question"):
        about = f"*{page['question']}*\n\n{about}"
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(about))
    if found := _recorded(places, name):
        notebook.cells.append(nbformat.v4.new_markdown_cell(found))
    answers = places.repository / "tutorials" / "answers" / f"{name[:2]}.py"
    if answers.exists():
        notebook.cells.append(nbformat.v4.new_markdown_cell(_folded(answers)))
    return _text(notebook)


def _recorded(places: Places, name: str) -> str:
    """What a run at full length found (tutorials/recorded), with its pictures where this build does
    not run the page itself; empty where none was recorded."""
    path = places.repository / "tutorials" / "recorded" / f"{name[:2]}.json"
    if not path.exists():
        return ""
    told = json.loads(path.read_text(encoding="utf-8"))
    text = [
        "## Recorded at full length",
        f"{told['machine']}, {told['date']}, {told['seconds']} s.",
    ]
    if told["figures"]:
        rows = [f"| {key} | {value:.6g} |" for key, value in told["figures"].items()]
        text.append("\n".join(["| figure | value |", "|---|---|", *rows]))
    captions = {} if places.runs else _captions(places)
    for picture in told["pictures"]:
        if (stem := picture.removesuffix(".png")) in captions:
            places.copy(places.repository / "docs" / "figures" / picture, f"pictures/{picture}")
            text.append(f"![{captions[stem]}](../pictures/{picture})")
    return "\n\n".join(text)


def _folded(answers: Path) -> str:
    """The answers to the exercises, which a reader opens."""
    code = answers.read_text(encoding="utf-8").rstrip()
    return f"::::{{dropdown}} Answers to the exercises\n\n`````python\n{code}\n`````\n\n::::"


def _text(notebook) -> str:
    notebook.metadata = {"kernelspec": KERNEL}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for k, cell in enumerate(notebook.cells):
        cell.id = f"cell-{k}"
    return nbformat.writes(notebook)


def _captions(places: Places) -> dict[str, str]:
    """{picture of docs/figures: what it shows}, as its own page has it."""
    figures = runpy.run_path(str(places.repository / "docs" / "figures.py"))
    return {
        name: told
        for name, told in figures["captions"]().items()
        if (places.repository / "docs" / "figures" / f"{name}.png").exists()
    }


def _card(places: Places, page: dict, captions: dict[str, str]) -> str:
    number = page["file"][:2]
    lines = [f"::::{{grid-item-card}} {page['title']}", f":link: {page['file']}", ":link-type: doc"]
    pictures = [name for name in captions if name.startswith(f"{number}_")]
    if pictures:
        source = places.repository / "docs" / "figures" / f"{pictures[-1]}.png"
        places.copy(source, f"pictures/{source.name}")
        lines += [f":img-bottom: ../pictures/{source.name}", f":img-alt: {captions[pictures[-1]]}"]
    told = page.get("question") or _lead(places, page["file"])
    return "\n".join([*lines, "", told, "::::", ""])


def _lead(places: Places, name: str) -> str:
    """The first sentence below the title."""
    text = (places.repository / "tutorials" / f"{name}.py").read_text(encoding="utf-8")
    first = text.split("# %%")[1].split("\n#\n")
    paragraph = " ".join(line.lstrip("# ") for line in first[1].splitlines()) if first[1:] else ""
    return re.split(r"(?<=[.?!])\s", paragraph.strip())[0]


def _index(places: Places, parts: list[tuple[str, list[dict]]]) -> str:
    captions = _captions(places)
    text = [
        "# Tutorials",
        "Each is a script that the tests run; what is claimed in it is asserted.",
    ]
    for title, pages in parts:
        text += [f"## {title}"] * bool(title)
        cards = "\n".join(_card(places, page, captions) for page in pages)
        text.append(f":::::{{grid}} 1 2 3 3\n:gutter: 3\n\n{cards}\n:::::")
        entries = "\n".join(page["file"] for page in pages)
        caption = f":caption: {title}\n" if title else ""
        text.append(f"```{{toctree}}\n:hidden:\n{caption}\n{entries}\n```")
    return "\n\n".join(text) + "\n"
