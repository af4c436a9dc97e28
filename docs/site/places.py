"""Which page shows which file of the repository, and links between pages."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

#: A link or picture of Markdown, and a file named in code.
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<![\[`\w])`([\w./-]+\.(?:py|pyx|c|h|cl|md))`(?![`\]])")


def kernel_page(stem: str) -> str:
    """The page of a stem; `index` is the name of the list of pages."""
    return "kernels/indexing" if stem == "index" else f"kernels/{stem}"


class Places:
    """`pages`: file of the repository -> page without ending; `root`: where the pages are written;
    `few`: the small site of the tests, with some pages of each kind; `runs`: this build runs the
    tutorials."""

    def __init__(self, repository: Path, root: Path, few: bool = False, runs: bool = False) -> None:
        self.repository, self.root, self.few, self.runs = repository, root, few, runs
        self.pages: dict[str, str] = {}
        self.sources: set[str] = set()

    def write(self, page: str, text: str) -> None:
        """The source of a page; a file that would not change keeps its time, so that only changed
        pages are read again."""
        path = self.root / page
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)

    def copy(self, file: Path, page: str) -> None:
        path = self.root / page
        path.parent.mkdir(parents=True, exist_ok=True)
        data = file.read_bytes()
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)

    def source(self, file: str) -> str:
        """The page that shows a source file; it will be made."""
        self.sources.add(file)
        self.pages[file] = f"sources/{file}"
        return f"sources/{file}"

    def link(self, page: str, target: str, line: int | None = None) -> str:
        """From one page to another, as HTML has it."""
        path = posixpath.relpath(f"{target}.html", posixpath.dirname(page) or ".")
        return path if line is None else f"{path}#L-{line}"

    def rewritten(self, text: str, file: str, page: str) -> str:
        """Markdown of a file of the repository for its page: links lead to pages, pictures come
        along, and what has no page stays as text."""
        parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
        for k in range(0, len(parts), 2):
            parts[k] = LINK.sub(lambda m: self._link(m, file, page), parts[k])
            parts[k] = CODE.sub(lambda m: self._code(m, page), parts[k])
        return "".join(parts)

    def _link(self, found: re.Match, file: str, page: str) -> str:
        picture, text, target = found.groups()
        if "://" in target or target.startswith("#"):
            return found.group()
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if picture:
            self.copy(self.repository / path, f"pictures/{posixpath.basename(path)}")
            up = posixpath.relpath(f"pictures/{posixpath.basename(path)}", posixpath.dirname(page))
            return f"![{text}]({up})"
        if path in self.pages:
            there = self.link(page, self.pages[path])
            return f'<a href="{there}{"#" + anchor if anchor else ""}">{text}</a>'
        return text if text.startswith("`") else f"{text} (`{path}`)"

    def _code(self, found: re.Match, page: str) -> str:
        file = found.group(1)
        if file not in self.pages:
            return found.group()
        return f'<a href="{self.link(page, self.pages[file])}">`{file}`</a>'
