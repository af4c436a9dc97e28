"""What is wrong with a folder, or only to be known: small records, each with a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...quoting import shown

#: Kind of a problem: what a listing says above those of that kind.
PROBLEMS = {
    "unreadable": "may not or cannot be read",
    "link": "links that lead out of the folder, nowhere, or in a circle",
    "special": "pipes, sockets and devices",
    "damaged": "damaged, cut off, or not what their name says",
    "large": "too large",
    "extension": "of another format than the name says",
    "encoding": "text in another encoding than UTF-8",
    "class": "classes",
    "stray": "outside of the class folders",
    "leak": "the same in two parts",
    "near leak": "nearly the same in two parts",
    "duplicate": "the same twice",
    "column": "columns",
}
#: The same for what is only to be known: `--strict` lets it pass.
NOTES = {
    "near": "nearly the same, to be looked at",
    "rate": "sounds of another rate than most",
    "name": "names",
    "other": "of another kind",
}
KINDS = PROBLEMS | NOTES
#: A file that has one of these cannot be used.
UNUSABLE = frozenset({"unreadable", "damaged", "large", "encoding", "special"})


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: of `KINDS`. path: relative to the folder, with `/` between names; "" is the folder
    itself. text: what is said of it, without the path. other: a second file that it is about."""

    kind: str
    path: str
    text: str
    other: str = ""

    def __str__(self) -> str:
        return f"{shown(self.path)} {self.text}" if self.path else self.text

    @property
    def is_note(self) -> bool:
        """Whether it is only to be known."""
        return self.kind in NOTES

    def to_json(self) -> dict[str, Any]:
        """The fields under their names."""
        return asdict(self)
