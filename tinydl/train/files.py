"""Writing a file so that whoever looks finds the old content or the new, never a part."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: str | Path, content: bytes) -> None:
    """Replace the file `path` by one that holds `content`: temporary file, fsync, rename, fsync of
    the folder.

    A process killed in between leaves `path` as it was, and at most one hidden `.NAME.part` beside
    it, which the next write overwrites. One writer per file. Raises OSError.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)  # the commit point
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The rename itself survives a power failure only once the folder is on disk (POSIX)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
