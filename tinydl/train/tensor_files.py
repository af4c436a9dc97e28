"""safetensors files whose header holds a SHA-256 of what they say.

The format has no checksum of its own: a flipped bit is another weight. `write_tensors` adds the
key "sha256" to the header's metadata, which other readers ignore; `read_tensors` verifies it where
it stands. Files of other programs have none and are read as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DTypeError, FormatError
from ..files import write_atomically
from ..foreign import read_regular, read_start
from ..quoting import quoted, shown
from .schema import Rule, check, integer, keyed, listed, mapped, text

MOST_BYTES = 1 << 40
MOST_HEADER = 100_000_000  # bytes, as the format says
TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
READ = TYPES | {"BF16": "<u2"}  # NumPy lacks it: read as float32
NAMES = {code: name for name, code in TYPES.items()}
SIZE = integer(0, MOST_BYTES)
ENTRY: Rule = keyed(
    {"dtype": text(20), "shape": listed(SIZE, 0, 32), "data_offsets": listed(SIZE, 2, 2)}
)
METADATA: Rule = mapped(lambda value: None if isinstance(value, str) else "must be a text")


def write_tensors(
    path: str | Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """A safetensors file with these tensors, atomically; the metadata gets a "sha256".

    Equal tensors and metadata give equal bytes (the library's own writer keeps no order of the
    metadata): wide types first, so that every tensor is aligned, then by name.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    sealed = {**metadata, "sha256": digest(arrays, metadata)}
    header: dict[str, Any] = {"__metadata__": dict(sorted(sealed.items()))}
    place = 0
    for name in order:
        array = arrays[name]
        if array.dtype.str not in NAMES:
            raise DTypeError(f"safetensors: {name} is {array.dtype}, not of {', '.join(TYPES)}")
        ends = [place, place := place + array.nbytes]
        header[name] = {"dtype": NAMES[array.dtype.str], "shape": array.shape, "data_offsets": ends}
    told = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    told += b" " * (-len(told) % 8)
    parts = [len(told).to_bytes(8, "little"), told, *(arrays[name].tobytes() for name in order)]
    write_atomically(path, b"".join(parts))


def read_tensors(
    path: str | Path, most: int = MOST_BYTES
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """All tensors of a safetensors file of at most `most` bytes, and the metadata of its header.

    FormatError for a file that is missing, no regular file, too large, truncated, something else,
    or changed since its "sha256" was written; the message names the file. What the header says is
    compared with the size of the file before the tensors are read. Types: TYPES.
    """
    header, start, size = _header(path)
    where = f"safetensors: {path} is truncated or not a safetensors file ({size} bytes)"
    metadata = header.pop("__metadata__", {})
    check(metadata, METADATA, f"{where}: its metadata")
    check(header, mapped(ENTRY, 100_000), f"{where}: its header")
    entries = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    end = start
    for name, entry in entries:
        _check_place(name, entry, end - start, where)
        end = start + entry["data_offsets"][1]
    if end != size:
        raise FormatError(f"{where}: its header speaks of {end} bytes")
    data = memoryview(read_regular(path, most, "safetensors"))[start:]
    if len(data) != size - start:
        raise FormatError(f"safetensors: {path} changed while it was read")
    tensors = {name: _tensor(name, entry, data, where) for name, entry in entries}
    if metadata.get("sha256", "") not in ("", digest(tensors, metadata)):
        raise FormatError(f"safetensors: {path} is damaged: its SHA-256 does not fit its content")
    return tensors, metadata


def read_header(path: str | Path) -> dict[str, dict[str, Any]]:
    """{name: {"dtype", "shape", "data_offsets"}} of a safetensors file, without its tensors. Raises
    FormatError."""
    header, _, size = _header(path)
    where = f"safetensors: {path} is truncated or not a safetensors file ({size} bytes)"
    header.pop("__metadata__", None)
    check(header, mapped(ENTRY, 100_000), f"{where}: its header")
    return header


def digest(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 over names, types, shapes and bytes, and over the metadata without "sha256"; the
    order in the file is no part of it."""
    names = sorted(tensors)
    told = [[name, tensors[name].dtype.str, list(tensors[name].shape)] for name in names]
    rest = {k: v for k, v in metadata.items() if k != "sha256"}
    found = hashlib.sha256(json.dumps([told, rest], sort_keys=True).encode())
    for name in names:
        data: Any = tensors[name].reshape(-1).view(np.uint8) if tensors[name].size else b""
        found.update(data)
    return found.hexdigest()


def _header(path: str | Path) -> tuple[dict[str, Any], int, int]:
    """The header's object, where the data begin, and the size of the file."""
    first, total = read_start(path, 8, "safetensors")
    where = f"safetensors: {path} is truncated or not a safetensors file ({total} bytes)"
    size = int.from_bytes(first, "little")
    if total < 8 or size > min(MOST_HEADER, total - 8):
        raise FormatError(f"{where}: no header")
    try:
        header = json.loads(read_start(path, 8 + size, "safetensors")[0][8:])
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: its header is no JSON ({shown(error, 160)})") from None
    if not isinstance(header, dict):
        raise FormatError(f"{where}: its header is no object")
    return header, 8 + size, total


def _check_place(name: str, entry: Any, place: int, where: str) -> None:
    """FormatError unless the bytes begin where those of the tensor before end, and are as many as
    type and shape need."""
    kind, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if kind not in READ:
        raise FormatError(f"{where}: {quoted(name)} is {quoted(kind)}, not of {', '.join(READ)}")
    if begin != place or end - begin != prod(shape) * np.dtype(READ[kind]).itemsize:
        raise FormatError(
            f"{where}: {quoted(name)} {kind} {quoted(shape)[1:-1]} cannot be the bytes {begin} to "
            f"{end}"
        )


def _tensor(name: str, entry: Any, data: memoryview, where: str) -> np.ndarray:
    """One tensor, copied."""
    kind, (begin, end) = entry["dtype"], entry["data_offsets"]
    array = np.frombuffer(data[begin:end], READ[kind]).reshape(entry["shape"]).copy()
    if kind == "BF16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    if kind == "BOOL" and array.view(np.uint8).max(initial=0) > 1:
        raise FormatError(f"{where}: {quoted(name)} holds bytes that are neither true nor false")
    return array
