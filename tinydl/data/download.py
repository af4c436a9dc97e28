"""Finding data files: TINYDL_DATA, else the user cache, else a checked download.

A download goes to a temporary file beside its target, is hashed while it streams, never grows
beyond the known size, and is moved into place (`os.replace`) only if its SHA-256 is right; a killed
process leaves no half file under the final name. A file lock lets two processes download once.
`TINYDL_OFFLINE=1` never opens a socket.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, TypedDict

from ..errors import DataError
from .catalog import CATALOG, lookup
from .record import DataFile, DataSet, Mirror

TIMEOUT = 30.0  # seconds without a byte
MINIMUM_RATE = 10_000  # bytes per second on average, or the next mirror is tried
LOCK_TIMEOUT = 3600.0  # seconds to wait for another process
_CHUNK = 1 << 16
_INSTALL = 'pip install "tinydl[data]"'


class Row(TypedDict):
    """One line of `tinydl data list | fetch | verify`; `path`: a path, address or package."""

    name: str
    file: str
    path: str
    status: str
    detail: str


class _MirrorFailure(Exception):
    """Why one address did not deliver the file; the next one is tried."""


def offline() -> bool:
    """True when TINYDL_OFFLINE is set to anything but an empty string or 0."""
    return os.environ.get("TINYDL_OFFLINE", "") not in ("", "0")


def data_folder() -> Path | None:
    """The folder named by TINYDL_DATA (only ever read), or None."""
    value = os.environ.get("TINYDL_DATA", "")
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """$TINYDL_CACHE, else $XDG_CACHE_HOME/tinydl, else ~/.cache/tinydl."""
    if value := os.environ.get("TINYDL_CACHE", ""):
        return Path(value).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "tinydl"


def locate(dataset: DataSet, file: DataFile) -> Path:
    """The path of `file`, its SHA-256 checked; downloads it to the user cache if it is nowhere.

    A wrong file in TINYDL_DATA is an error (it is the user's, tinydl does not touch it); a wrong
    file in the cache is replaced. Raises DataError: missing while offline, wrong, or no mirror
    delivered it.
    """
    folder = data_folder()
    if folder is not None and (path := folder / dataset.folder / file.name).is_file():
        if fault := _fault(path, file):
            raise DataError(f"data: {path} is not the original file: {fault}")
        return path
    path = cache_folder() / dataset.folder / file.name
    if path.is_file() and not _fault(path, file):
        return path
    if not file.mirrors:
        raise DataError(_missing_by_hand(dataset, file, path))
    if offline():
        raise DataError(_missing_offline(dataset, file, path))
    _download_once(dataset, file, path)
    return path


def first_present(*names: str) -> DataSet:
    """The first of these entries whose files are all there in the right size, else the first.

    For entries with the same content in different packing: what lies on the disk is preferred to a
    download.
    """
    for dataset in map(lookup, names):
        if all(_file_row(dataset, f, _size_fault)["status"] == "ok" for f in dataset.files):
            return dataset
    return lookup(names[0])


def fetch(name: str) -> list[Row]:
    """Makes every file of the data set `name` available; one row per file. Raises as `locate`."""
    dataset = lookup(name)
    if not dataset.files:
        row = _package_row(dataset)
        if row["status"] != "ok":
            raise DataError(f"data: {dataset.name} ships inside scikit-learn: {_INSTALL}")
        return [row]
    return [
        Row(name=name, file=f.name, path=str(locate(dataset, f)), status="ok", detail="")
        for f in dataset.files
    ]


def verify(name: str, online: bool = False) -> list[Row]:
    """Checks size and SHA-256 of every file of `name`, downloading nothing; one row per file.

    Status is "ok", "missing" or "wrong". With `online`, one more row per mirror and file: the whole
    file is streamed and hashed, nothing is kept; "ok" or "failed" with the reason. DataError if
    offline then.
    """
    dataset = lookup(name)
    if online and offline():
        raise DataError("data: verify --online needs a network, but TINYDL_OFFLINE is set")
    if not dataset.files:
        return [_package_row(dataset)]
    rows = [_file_row(dataset, file, _fault) for file in dataset.files]
    if online:
        rows += [_mirror_row(dataset, f, mirror) for f in dataset.files for mirror in f.mirrors]
    return rows


def list_datasets() -> list[Row]:
    """One row per known data set: "ok" if every file has the right size (hashes: `verify`)."""
    rows = []
    for name, dataset in CATALOG.items():
        if dataset.files:
            parts = [_file_row(dataset, file, _size_fault) for file in dataset.files]
            faults = [part["status"] for part in parts if part["status"] != "ok"]
            row = Row(
                name=name,
                file=f"{len(parts)} file{'s' if len(parts) > 1 else ''}",
                path=str(Path(parts[0]["path"]).parent),
                status=faults[0] if faults else "ok",
                detail="",
            )
        else:
            row = _package_row(dataset)
        parts_of_detail = (dataset.records, dataset.description, dataset.licence, dataset.fidelity)
        row["detail"] = "; ".join(part for part in parts_of_detail if part)
        rows.append(row)
    return rows


def _file_row(dataset: DataSet, file: DataFile, check: Callable[[Path, DataFile], str]) -> Row:
    folder = data_folder()
    path = None if folder is None else folder / dataset.folder / file.name
    if path is None or not path.is_file():
        path = cache_folder() / dataset.folder / file.name
    if not path.is_file():
        status, detail = "missing", f"run: tinydl data fetch {dataset.name}"
        if not file.mirrors:
            detail = f"no download: {dataset.by_hand}"
    else:
        detail = check(path, file)
        status = "wrong" if detail else "ok"
        if detail and (owner := _other_owner(dataset, file, path)):
            status, detail = "missing", f"the file there is that of {owner}"
    return Row(name=dataset.name, file=file.name, path=str(path), status=status, detail=detail)


def _other_owner(dataset: DataSet, file: DataFile, path: Path) -> str:
    """The entry with a file of this name, and of the size at `path`, in the same folder, or ""."""
    size = path.stat().st_size
    for name, other in CATALOG.items():
        fits = [f for f in other.files if f.name == file.name and f.size == size != file.size]
        if fits and name != dataset.name and other.folder == dataset.folder:
            return name
    return ""


def _mirror_row(dataset: DataSet, file: DataFile, mirror: Mirror) -> Row:
    url = mirror.address(file.name)
    status, detail = "ok", "" if mirror.checked else "could not be opened when catalogued"
    try:
        _stream(url, file, None)
    except _MirrorFailure as failure:
        status, detail = "failed", str(failure)
    return Row(name=dataset.name, file=file.name, path=url, status=status, detail=detail)


def _package_row(dataset: DataSet) -> Row:
    found = find_spec("sklearn") is not None
    return Row(
        name=dataset.name,
        file="(none)",
        path="scikit-learn",
        status="ok" if found else "missing",
        detail="" if found else f"run: {_INSTALL}",
    )


def _size_fault(path: Path, file: DataFile) -> str:
    size = path.stat().st_size
    return "" if size == file.size else f"{size} bytes instead of {file.size}"


def _fault(path: Path, file: DataFile) -> str:
    """What is wrong with the file at `path`, or an empty string."""
    if fault := _size_fault(path, file):
        return fault
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return "" if digest == file.sha256 else f"SHA-256 {digest} instead of {file.sha256}"


def _missing(dataset: DataSet, file: DataFile, cached: Path) -> str:
    folder = data_folder()
    searched = [str(cached.parent)]
    if folder is not None:
        searched.insert(0, f"{folder / dataset.folder} (TINYDL_DATA)")
    found = f" (the file {cached} is there but damaged)" if cached.is_file() else ""
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
            if not target.is_file() or _fault(target, file):
                _download(dataset, file, target)
    except filelock.Timeout:
        raise DataError(
            f"data: waited {LOCK_TIMEOUT:.0f} s for another process to download {target}"
        ) from None
    except OSError as error:
        raise DataError(
            f"data: cannot write {target} ({error}); TINYDL_CACHE names another folder"
        ) from error


def _download(dataset: DataSet, file: DataFile, target: Path) -> None:
    failures = []
    for mirror in file.mirrors:
        url = mirror.address(file.name)
        try:
            with _replacing(target) as handle:
                _stream(url, file, handle)
            return
        except _MirrorFailure as failure:
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


def _stream(url: str, file: DataFile, handle: IO[bytes] | None) -> None:
    """Copies `url` to `handle` (or nowhere); _MirrorFailure unless it was exactly `file`."""
    digest, received = hashlib.sha256(), 0
    with _progress(file) as advance:
        for chunk in _chunks(url, time.monotonic() + TIMEOUT + file.size / MINIMUM_RATE):
            received += len(chunk)
            if received > file.size:
                raise _MirrorFailure(f"sent more than the {file.size} bytes of the original")
            digest.update(chunk)
            if handle is not None:
                handle.write(chunk)
            advance(len(chunk))
    if received != file.size:
        raise _MirrorFailure(f"truncated, {received} of {file.size} bytes arrived")
    if digest.hexdigest() != file.sha256:
        raise _MirrorFailure(f"wrong SHA-256 {digest.hexdigest()}, expected {file.sha256}")


def _chunks(url: str, deadline: float) -> Iterator[bytes]:
    """The body of `url` in pieces; whatever the network does wrong becomes _MirrorFailure."""
    # Here and not above: `import tinydl` loads no network library.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    # Some servers answer 403 to the user agent "Python-urllib".
    request = Request(url, headers={"User-Agent": "tinydl"})
    try:
        with urlopen(request, timeout=TIMEOUT) as response:
            # read1 returns what has arrived, so that a server that drips bytes meets the deadline.
            while chunk := response.read1(_CHUNK):
                yield chunk
                if time.monotonic() > deadline:
                    raise _MirrorFailure(f"slower than {MINIMUM_RATE} bytes per second")
    except HTTPError as error:
        error.close()
        raise _MirrorFailure(f"HTTP {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise _MirrorFailure(f"{type(error).__name__}: {reason}") from None


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
