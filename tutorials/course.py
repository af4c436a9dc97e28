"""The course that the pages of this folder make: course.toml, read, and the table of README.md.

python tutorials/course.py            # write the table into README.md
python tutorials/course.py --minutes  # what each page takes to read, beside what course.toml says
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- course: written by tutorials/course.py -->", "<!-- end of course -->"
WORDS, LINES, EXERCISE = 150, 20, 3  # words and lines of code in a minute; minutes for an exercise


@dataclass(frozen=True)
class Page:
    """A page of the course, as course.toml names it."""

    number: int
    file: str
    part: str
    title: str
    question: str
    needs: tuple[str, ...]
    teaches: tuple[str, ...]
    minutes: int

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.file}.py"

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Course:
    """All pages in the order in which they are read; `parts` gives the title of a letter."""

    parts: dict[str, str]
    pages: tuple[Page, ...]

    def teacher(self, term: str) -> Page:
        """The page that teaches a term; KeyError if none does."""
        for page in self.pages:
            if term in page.teaches:
                return page
        raise KeyError(f"no page of course.toml teaches {term!r}")

    def before(self, page: Page) -> list[Page]:
        """The pages whose terms a page needs, in the order of the course."""
        wanted = {self.teacher(term).file for term in page.needs}
        return [other for other in self.pages if other.file in wanted]

    def after(self, page: Page) -> Page | None:
        """The next page, or None behind the last one."""
        place = self.pages.index(page) + 1
        return self.pages[place] if place < len(self.pages) else None


def read(path: Path = FOLDER / "course.toml") -> Course:
    """The course of a file."""
    with open(path, "rb") as file:
        parts = tomllib.load(file)["part"]
    pages = [
        Page(
            number=int(row["file"][:2]),
            file=row["file"],
            part=part["letter"],
            title=row["title"],
            question=row["question"],
            needs=tuple(row["needs"]),
            teaches=tuple(row["teaches"]),
            minutes=row["minutes"],
        )
        for part in parts
        for row in part["page"]
    ]
    return Course({part["letter"]: part["title"] for part in parts}, tuple(pages))


def cells(source: str) -> list[tuple[bool, str]]:
    """(is it text?, content) of each cell of a page; comment signs of text cells are taken off."""
    found = []
    for cell in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]:
        head, _, body = cell.partition("\n")
        text = head.strip() == "[markdown]"
        found.append((text, re.sub(r"^# ?", "", body, flags=re.MULTILINE) if text else body))
    return found


def minutes(source: str) -> int:
    """To read a page: text at 150 words and code at 20 lines a minute, and 3 for each exercise."""
    text = "\n".join(body for is_text, body in cells(source) if is_text)
    code = "\n".join(body for is_text, body in cells(source) if not is_text)
    lines = sum(bool(line.strip()) for line in code.splitlines())
    _, _, exercises = text.partition("## Exercises")
    tasks = len(re.findall(r"^\d+\. ", exercises, re.MULTILINE))
    return round(len(re.findall(r"\w+", text)) / WORDS + lines / LINES + EXERCISE * tasks)


def table(course: Course) -> str:
    """The course as a table of each part, in Markdown; links are those of README.md."""
    lines = []
    for letter, title in course.parts.items():
        pages = [page for page in course.pages if page.part == letter]
        lines += [f"**Part {letter}: {title}** ({sum(p.minutes for p in pages)} minutes)", ""]
        lines += ["| page | the question it answers | needs | minutes |", "|---|---|---|---|"]
        for page in pages:
            link = f"[{page.number}. {page.title}](tutorials/{page.file}.py)"
            needs = ", ".join(str(other.number) for other in course.before(page)) or "-"
            lines.append(f"| {link} | {page.question} | {needs} | {page.minutes} |")
        lines.append("")
    return "\n".join(lines)


def with_table(readme: str, course: Course) -> str:
    """The text of README.md with the course between its marks."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table(course)}\n{END}{tail}"


def main(arguments: list[str]) -> None:
    course = read()
    if arguments == ["--minutes"]:
        for page in course.pages:
            print(f"{page.file:<40} {page.minutes:>3} {minutes(page.text):>3}")
    else:
        README.write_text(with_table(README.read_text(), course))


if __name__ == "__main__":
    from tinydl.console import command

    sys.exit(command(lambda: main(sys.argv[1:]), "course"))
