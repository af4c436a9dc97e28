"""What a file of another library is, by its first bytes, and who opens it.

A name says nothing: HDF5 is found under `model.keras`, pickles under `model.h5`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigError
from ..foreign import read_start
from ..nn.module import Module
from ..quoting import shown

START = 64  # bytes that are looked at


class Kind(NamedTuple):
    """title: in messages; loader: the function of `tinydl` that makes a module of the path alone,
    "" where there is none; why: what is said then."""

    title: str
    loader: str = ""
    why: str = ""


KINDS = {
    "onnx": Kind("an ONNX file", "load_onnx"),
    "keras": Kind("a Keras file", "load_keras"),
    "hdf5": Kind("an HDF5 file", "load_keras"),
    "safetensors": Kind(
        "a safetensors file", why="it holds weights and no net; td.load(path) gives the arrays"
    ),
    "npz": Kind("a NumPy archive", why="it holds arrays and no net"),
    "pickle": Kind(
        "a pickle", why="reading it would run code; in PyTorch: torch.onnx.export(model, example, "
        "'model.onnx'), or safetensors.torch.save_file(model.state_dict(), 'w.safetensors')",
    ),
    "tflite": Kind("a TFLite file", why="that format is not read; export the model as ONNX"),
    "zip": Kind("a zip archive", why="it is neither a Keras model nor a NumPy archive"),
    "unknown": Kind("of no format that is known here", why="ONNX, Keras and safetensors are read"),
}  # fmt: skip


def kind_of(path: str | Path) -> str:
    """The key of KINDS for a file; raises MissingFileError and DataError."""
    start, size = read_start(path, START, "import")
    header = int.from_bytes(start[:8], "little")
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if start[4:8] == b"TFL3":
        return "tflite"
    if len(start) > 8 and start[8:9] in b"{ " and 2 <= header <= size - 8:
        return "safetensors"
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    return "onnx" if start[:1] in (b"\x08", b"\x12", b"\x1a", b"\x3a", b"\x42") else "unknown"


def _zipped(path: str | Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:10_000]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return "zip"
    if "config.json" in names:
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        return "pickle"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def open_model(path: str | Path, options: Mapping[str, Any] | None = None) -> tuple[Module, str]:
    """(the net in a file of whatever kind, the key of its kind); ConfigError for what holds none.

    options: `inputs` and `shapes` of load_onnx, which no other format takes."""
    from .. import interop

    kind, given = kind_of(path), {k: v for k, v in (options or {}).items() if v}
    row = KINDS[kind]
    load = getattr(interop, row.loader, None) if row.loader else None
    if load is None:
        why = row.why or "this version does not import that format"
        raise ConfigError(f"import: {shown(path)} is {row.title}: {why}")
    if given and kind != "onnx":
        raise ConfigError(f"import: {shown(path)} is {row.title}; --input, --shape are for ONNX")
    return load(path, **given), kind
