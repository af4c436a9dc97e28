"""ChatterBot's English corpus: questions and answers to imitate."""

from __future__ import annotations

from pathlib import Path

from ...doors import checked
from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import locate
from ..formats.archives import members
from ..pairs import Pairs
from ..record import DataFile, DataSet

MAX_BYTES = 1 << 24

DIALOGUE = DataSet(
    name="dialogue",
    folder="dialogue",
    files=(
        DataFile(
            "chatterbot_english.zip",
            "65a89b72be32f272c6a91a11615984f9fe20262a390dce93e26236c6582b9c0a",
            44_196,
        ),
    ),
    classes=(),
    records="2026 conversations on 21 subjects, 2307 pairs of turns",
    description="questions with answers in English, many of them given several times",
    source="https://github.com/gunthercox/chatterbot-corpus",
    licence="BSD 3-clause",
    citation="G. Cox, ChatterBot Language Training Corpus (2012-2025)",
    by_hand="zip the folder chatterbot_corpus/data/english of the source",
    fidelity="complete: the folder of English conversations at commit a01efec, zipped",
)


@checked
def dialogue() -> Pairs:
    """2307 pairs of a turn and the next one, of 2026 conversations, most of them of two turns.

    Of a turn with several lines (program text) the first one. Found in TINYDL_DATA/dialogue or in
    the user cache; DataError otherwise, FormatError for a damaged file.
    """
    return read_dialogue(locate(DIALOGUE, DIALOGUE.files[0]))


@reader("dialogue")
def read_dialogue(path: str | Path) -> Pairs:
    """A zip file, tar file or folder with files `NAME.yml`, read in the order of their names.

    Of YAML only this shape is understood: after a line `conversations:` a line `- - TURN` begins a
    conversation, `  - TURN` goes on with it, a line with four blanks goes on with the turn; of a
    block (`|`) only the first line is kept.
    """
    files = dict(members(path, lambda name: name.endswith(".yml"), MAX_BYTES, MAX_BYTES))
    sources, targets = [], []
    for name, content in sorted(files.items()):
        for turns in _conversations(content, f"{path}: {name}"):
            sources += turns[:-1]
            targets += turns[1:]
    if not sources:
        raise FormatError(f"dialogue: {shown(path)} has no conversation")
    return Pairs("dialogue", tuple(sources), tuple(targets))


def _conversations(content: bytes, where: str) -> list[list[str]]:
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FormatError(f"dialogue: {shown(where)} is not UTF-8") from None
    if "conversations:" not in lines:
        raise FormatError(f"dialogue: {shown(where)} has no line conversations:")
    found: list[list[str]] = []
    for line in lines[lines.index("conversations:") + 1 :]:
        if line.startswith("- - "):
            found.append([line[4:].strip()])
        elif line.startswith("  - ") and found:
            found[-1].append(line[4:].strip())
        elif line.startswith("    ") and found:
            found[-1][-1] = _continued(found[-1][-1], line.strip())
    return [[_unquoted(turn) for turn in turns] for turns in found]


def _continued(turn: str, line: str) -> str:
    """A sentence goes on after a blank; of a block, which begins with |, the first line counts."""
    if turn == "|":
        return f"|{line}"
    return turn if turn.startswith("|") else f"{turn} {line}"


def _unquoted(turn: str) -> str:
    """Without what YAML puts around it."""
    if len(turn) > 1 and turn[0] == turn[-1] and turn[0] in "'\"":
        quote = turn[0]
        return turn[1:-1].replace(2 * quote if quote == "'" else '\\"', quote)
    return turn.removeprefix("|")
