"""Finding data files: TINYDL_DATA, else the user cache, else a checked download.

A download goes to a temporary file beside its target, is hashed while it streams, never grows
beyond the known size, and is moved into place (`os.replace`) only if its SHA-256 is right; a killed
process leaves no half file under the final name. A file lock lets two processes download once; one
deadline and one count of bytes hold for everything a server sends (`web`).
`TINYDL_OFFLINE=1` never opens a socket.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import DataError, how_to_install
from ..foreign import boundary, open_regular
from ..quoting import shown
from .record import DataFile, DataSet

TIMEOUT = 30.0  # seconds without a byte
MINIMUM_RATE = 10_000  # bytes per second on average, or the next mirror is tried
LOCK_TIMEOUT = 3600.0  # seconds to wait for another process
_CHUNK = 1 << 16
_INSTALL = how_to_install("data")


def offline() -> bool:
    """True when TINYDL_OFFLINE is set to anything but an empty string or 0."""
    return os.environ.get("TINYDL_OFFLINE", "") not in ("", "0")


def data_folder() -> Path | None:
    """The folder named by TINYDL_DATA (only ever read), or None."""
    value = os.environ.get("TINYDL_DATA", "")
    return _expanded(value, "TINYDL_DATA") if value else None


def cache_folder() -> Path:
    """$TINYDL_CACHE, else $XDG_CACHE_HOME/tinydl, else ~/.cache/tinydl (DataError: no home)."""
    if value := os.environ.get("TINYDL_CACHE", ""):
        return _expanded(value, "TINYDL_CACHE")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else _expanded("~/.cache", "TINYDL_CACHE")) / "tinydl"


def _expanded(value: str, variable: str) -> Path:
    """The path with its ~ replaced; DataError where nobody has such a home (containers)."""
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise DataError(
            f"data: there is no home folder for {value}; set {variable} to a folder"
        ) from None


def locate(dataset: DataSet, file: DataFile) -> Path:
    """The path of `file`, its SHA-256 checked; downloads it to the user cache if it is nowhere.

    A wrong file in TINYDL_DATA is an error (it is the user's, tinydl does not touch it); a wrong
    file in the cache is replaced. Raises DataError: missing while offline, wrong, or no mirror
    delivered it.
    """
    folder = data_folder()
    if folder is not None and present(path := folder / dataset.folder / file.name):
        if fault := fault_of(path, file):
            raise DataError(f"data: {shown(path)} is not the original file: {fault}")
        return path
    path = cache_folder() / dataset.folder / file.name
    if present(path) and not fault_of(path, file):
        return path
    if not file.mirrors:
        raise DataError(_missing_by_hand(dataset, file, path))
    if offline():
        raise DataError(_missing_offline(dataset, file, path))
    _download_once(dataset, file, path)
    return path


def first_present(*datasets: DataSet) -> DataSet:
    """The first of these entries whose files are all there in the right size, else the first.

    For entries with the same content in different packing: what lies on the disk is preferred to a
    download.
    """
    for dataset in datasets:
        places = [(place(dataset, file), file) for file in dataset.files]
        if all(present(path) and not size_fault(path, file) for path, file in places):
            return dataset
    return datasets[0]


def place(dataset: DataSet, file: DataFile) -> Path:
    """Where the file is looked for: below TINYDL_DATA if it is there, else in the cache."""
    folder = data_folder()
    if folder is not None and present(path := folder / dataset.folder / file.name):
        return path
    return cache_folder() / dataset.folder / file.name


def present(path: Path) -> bool:
    """Whether a regular file is there; DataError where the system does not let us look."""
    with boundary(path):
        return path.is_file()


def size_fault(path: Path, file: DataFile) -> str:
    size = path.stat().st_size
    return "" if size == file.size else f"{size} bytes instead of {file.size}"


def fault_of(path: Path, file: DataFile) -> str:
    """What is wrong with the file at `path`, or an empty string."""
    if fault := size_fault(path, file):
        return fault
    with open_regular(path, file.size) as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return "" if digest == file.sha256 else f"SHA-256 {digest} instead of {file.sha256}"


def _missing(dataset: DataSet, file: DataFile, cached: Path) -> str:
    folder = data_folder()
    searched = [str(cached.parent)]
    if folder is not None:
        searched.insert(0, f"{folder / dataset.folder} (TINYDL_DATA)")
    found = f" (the file {cached} is there but damaged)" if present(cached) else ""
    where = " nor in ".join(searched)
    return f"data: {dataset.name} needs {file.name}, which is not in {where}{found}"


def _missing_by_hand(dataset: DataSet, file: DataFile, cached: Path) -> str:
    return (
        f"{_missing(dataset, file, cached)}, and it cannot be downloaded: {dataset.by_hand} "
        f"(source: {dataset.source})"
    )


def _missing_offline(dataset: DataSet, file: DataFile, cached: Path) -> str:
    return (
        f"{_missing(dataset, file, cached)}, and TINYDL_OFFLINE forbids a download; with a network "
        f"run `tinydl data fetch {dataset.name}`"
    )


def _download_once(dataset: DataSet, file: DataFile, target: Path) -> None:
    """Download under a lock; whoever waited for the lock finds the file already there."""
    try:
        import filelock
    except ImportError:
        raise DataError(f"data: downloading needs filelock: {_INSTALL}") from None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.parent / f".{file.name}.lock", timeout=LOCK_TIMEOUT):
            if not present(target) or fault_of(target, file):
                _download(dataset, file, target)
    except filelock.Timeout:
        raise DataError(
            f"data: waited {LOCK_TIMEOUT:.0f} s for another process to download {target}"
        ) from None
    except OSError as error:
        raise DataError(
            f"data: cannot write {shown(target)} ({shown(error)}); TINYDL_CACHE names another "
            "folder"
        ) from error


def _download(dataset: DataSet, file: DataFile, target: Path) -> None:
    from .web import TransferError

    failures = []
    for mirror in file.mirrors:
        url = mirror.address(file.name)
        try:
            with _replacing(target) as handle:
                stream(url, file, handle)
            return
        except TransferError as failure:
            failures.append(f"{url}: {failure}")
    raise DataError(
        f"data: no mirror delivered {file.name} of {dataset.name}; put the file into "
        f"{target.parent} by hand, or into TINYDL_DATA/{dataset.folder}. Tried: "
        + "; ".join(failures)
    )


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """A file beside `target` that takes its place if the block succeeds, else vanishes."""
    # Leftovers are of killed processes: this one holds the lock.
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        leftover.unlink()
    descriptor, name = tempfile.mkstemp(".part", f".{target.name}.", target.parent)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """The rename itself survives a power failure only once the folder is on disk (POSIX)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stream(url: str, file: DataFile, handle: IO[bytes] | None) -> None:
    """Copies `url` to `handle` (or nowhere); TransferError unless it was exactly `file`."""
    # Here and not above: `import tinydl` loads no network library.
    from .web import Exchange, TransferError, pieces

    deadline = time.monotonic() + TIMEOUT + file.size / MINIMUM_RATE
    slow = f"slower than {MINIMUM_RATE} bytes per second"
    exchange = Exchange(TIMEOUT, deadline, file.size, slow)
    digest, received = hashlib.sha256(), 0
    with _progress(file) as advance:
        for chunk in pieces(url, exchange):
            received += len(chunk)
            if received > file.size:
                raise TransferError(f"sent more than the {file.size} bytes of the original")
            digest.update(chunk)
            if handle is not None:
                handle.write(chunk)
            advance(len(chunk))
    if received != file.size:
        raise TransferError(f"truncated, {received} of {file.size} bytes arrived")
    if digest.hexdigest() != file.sha256:
        raise TransferError(f"wrong SHA-256 {digest.hexdigest()}, expected {file.sha256}")


@contextmanager
def _progress(file: DataFile) -> Iterator[Callable[[int], Any]]:
    """Advances a tqdm bar; silent when tqdm is not installed or stderr is no terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda count: None
        return
    with tqdm(total=file.size, desc=file.name, unit="B", unit_scale=True, disable=None) as bar:
        yield bar.update
