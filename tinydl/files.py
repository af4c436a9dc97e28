"""Files written whole or not at all, and folders that one process holds. Reading: foreign.py."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from .errors import ConfigError

LOCK = ".lock"


def write_atomically(path: str | Path, content: bytes) -> None:
    """Replace the file `path` by one that holds `content`: temporary file, fsync, rename, fsync of
    the folder.

    A process killed in between leaves `path` as it was, and at most one hidden `.NAME.part` beside
    it, which the next write replaces. One writer per file. Raises OSError.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # of a killed process, or whatever bears its name
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)  # the commit point
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def remove_parts(folder: Path) -> None:
    """Remove what killed writers left: only for who holds the folder."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            part.unlink()


def is_empty(folder: Path) -> bool:
    """Nothing in it but the lock and the parts of a killed process. Raises OSError."""
    return all(p.name == LOCK or (p.name[0] == "." and p.suffix == ".part") for p in
               folder.iterdir())  # fmt: skip


class FolderLock:
    """A folder that one process writes into: `with FolderLock(folder) as lock:`.

    Taken when it is made; ConfigError if somebody holds the folder. The lock belongs to the open
    file `.lock`, not to its existence: it ends with its process, however that dies.
    """

    _descriptor = -1

    def __init__(self, folder: Path) -> None:
        self.folder, self._owner = folder, os.getpid()
        self._descriptor = _locked(folder)

    def release(self) -> None:
        if self._descriptor >= 0:
            if os.getpid() == self._owner:  # and not a forked child that ends
                with suppress(OSError):  # the folder may be gone
                    (self.folder / LOCK).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    __del__ = release


def _locked(folder: Path) -> int:
    """The descriptor of the folder's locked file."""
    import fcntl

    path = folder / LOCK
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:
            descriptor = os.open(path, flags, 0o644)
        except OSError as error:
            raise ConfigError(f"cannot write into {folder} ({error.strerror})") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False)):
                return descriptor
            os.close(descriptor)  # its holder removed it between our two calls: once more
        except FileNotFoundError:
            os.close(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise ConfigError(f"another process is writing into {folder}") from None
        except OSError as error:
            os.close(descriptor)
            raise ConfigError(f"cannot lock {path} ({error.strerror})") from None


def _sync_folder(folder: Path) -> None:
    """The rename itself survives a power failure only once the folder is on disk (POSIX)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
