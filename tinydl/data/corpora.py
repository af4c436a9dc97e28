"""Long texts for models of characters."""

from __future__ import annotations

from pathlib import Path

from ..errors import FormatError
from .archives import read_bytes
from .catalog import CATALOG
from .download import first_present, locate

MAX_BYTES = 1 << 28


def tiny_shakespeare() -> str:
    """Lines from plays of Shakespeare (Karpathy 2015): 1115394 characters, 65 distinct.

    Found in TINYDL_DATA (tiny-shakespeare/input.txt or text/tinyshakespeare.txt.gz), else in the
    user cache, else downloaded (1 MB). Raises DataError when it cannot be had.
    """
    dataset = first_present("tiny_shakespeare", "tiny_shakespeare_packed")
    return read_text(locate(dataset, dataset.files[0]))


def war_and_peace() -> str:
    """Tolstoy's War and Peace in English: 3196231 bytes of UTF-8, 82 distinct characters.

    Found in TINYDL_DATA/text or in the user cache; DataError otherwise, it has no official address.
    """
    dataset = CATALOG["war_and_peace"]
    return read_text(locate(dataset, dataset.files[0]))


def read_text(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """A UTF-8 text file (gzip or not); CR LF and lone CR become LF, a byte order mark is dropped.

    Raises FormatError if it is not UTF-8 or has more than `max_bytes` after decompression.
    """
    try:
        text = read_bytes(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"text: {path} is not UTF-8 ({error})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
