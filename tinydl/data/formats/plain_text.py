"""Text files in UTF-8."""

from __future__ import annotations

from pathlib import Path

from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from .archives import read_bytes

MAX_BYTES = 1 << 28


@reader("text")
def read_text(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """A UTF-8 text file (gzip or not); CR LF and lone CR become LF, a byte order mark is dropped.

    Raises FormatError if it is not UTF-8, holds zero bytes, which no text does, or has more than
    `max_bytes` after decompression.
    """
    try:
        text = read_bytes(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"text: {shown(path)} is not UTF-8 ({error})") from None
    if "\0" in text:
        raise FormatError(f"text: {shown(path)} holds zero bytes: it is no text")
    return text.replace("\r\n", "\n").replace("\r", "\n")
