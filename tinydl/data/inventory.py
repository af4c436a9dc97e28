"""What is there and what is missing: `tinydl data list | fetch | verify`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from ..errors import DataError, how_to_install
from .catalog import CATALOG, lookup
from .download import fault_of, locate, offline, place, present, size_fault, stream
from .record import DataFile, DataSet, Mirror

_INSTALL = how_to_install("data")


class Row(TypedDict):
    """One line of `tinydl data list | fetch | verify`; `path`: a path, address or package."""

    name: str
    file: str
    path: str
    status: str
    detail: str


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
    rows = [_file_row(dataset, file, fault_of) for file in dataset.files]
    if online:
        rows += [_mirror_row(dataset, f, mirror) for f in dataset.files for mirror in f.mirrors]
    return rows


def list_datasets() -> list[Row]:
    """One row per known data set: "ok" if every file has the right size (hashes: `verify`)."""
    rows = []
    for name, dataset in CATALOG.items():
        if dataset.files:
            parts = [_file_row(dataset, file, size_fault) for file in dataset.files]
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
    path = place(dataset, file)
    if not present(path):
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
    from .web import TransferError

    try:
        stream(url, file, None)
    except TransferError as failure:
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
