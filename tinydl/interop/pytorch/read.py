"""The arrays of a safetensors or .npz file by name; what a file is, its first bytes say.

PyTorch's own files (.pt, .pth, .bin) are pickles, which are programs: they are refused with the two
lines that make a safetensors file of them where PyTorch is at hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...data.formats.archives import members
from ...data.formats.numpy_files import read_npy
from ...errors import ConfigError, FormatError
from ...foreign import boundary, read_start
from ...quoting import quoted, shown
from ...train.tensor_files import read_tensors

OP = "load_torch"
MOST_BYTES = 1 << 32
MOST_ARRAYS = 100_000
#: First bytes of what holds a pickle, and how it is opened elsewhere.
PICKLES = {
    b"\x80": "torch.load({}, weights_only=True, map_location='cpu')",
    b"\x04\x22\x4d\x18": "joblib.load({})",
    b"\x1f\x8b": "joblib.load({})",
    b"BZh": "joblib.load({})",
    b"x\x9c": "joblib.load({})",
    b"ZF": "joblib.load({})",
}
NAMED = {
    b"\x89HDF": "is HDF5, as Keras writes it: td.load_keras reads it",
    b"GGUF": "is a GGUF file, which is not imported",
    b"\x93NUMPY": "is a single array of NumPy: np.savez(path, **arrays) keeps names",
}


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """{name: array} of a safetensors or .npz file, nothing in it being run.

    Raises ConfigError for files that hold a pickle, with the lines that convert them, FormatError
    for what is damaged or of another format, MissingFileError."""
    start, size = read_start(path, 16, OP)
    for magic, opening in PICKLES.items():
        if start.startswith(magic) and not _is_safetensors(start, size):
            raise ConfigError(_converting(path, opening))
    for magic, reason in NAMED.items():
        if start.startswith(magic):
            raise ConfigError(f"{OP}: {shown(path)} {reason}")
    if start[4:8] == b"TFL3":
        raise ConfigError(f"{OP}: {shown(path)} is a TensorFlow Lite file, which is not imported")
    with boundary(path, OP):
        if start.startswith(b"PK"):
            return _zipped(path)
        if not _is_safetensors(start, size):
            raise FormatError(f"{OP}: {shown(path)} is neither a safetensors nor an .npz file")
        try:
            return read_tensors(path, MOST_BYTES)[0]
        except FormatError as error:
            raise FormatError(f"{OP}: {error}") from error


def _is_safetensors(start: bytes, size: int) -> bool:
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def _converting(path: str | Path, opening: str) -> str:
    """Two lines to be typed where PyTorch is at hand."""
    to = shown(repr(str(Path(path).with_suffix(".safetensors"))), 200)
    source = opening.format(shown(repr(str(path)), 200))
    library = "joblib" if opening.startswith("joblib") else "torch"
    return (
        f"{OP}: {shown(path)} holds a pickle, which is a program, and is not read; these two lines "
        "make a safetensors file of it where PyTorch is installed:\n"
        f"    import {library}; from safetensors.torch import save_file\n"
        f"    save_file({{k: v.contiguous() for k, v in {source}.items()}}, {to})"
    )


def _zipped(path: str | Path) -> dict[str, np.ndarray]:
    """An .npz file; a zip file with a pickle in it is PyTorch's own, or one of objects."""
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(("data.pkl", ".pkl")) for name in names):
        script = any("/code/" in name for name in names)
        opening = "torch.jit.load({}).state_dict()" if script else PICKLES[b"\x80"]
        raise ConfigError(_converting(path, opening))
    if len(names) > MOST_ARRAYS or not names or not all(n.endswith(".npy") for n in names):
        raise FormatError(f"{OP}: {shown(path)} is a zip file, but neither .npz nor PyTorch's")
    found = {}
    for member, data in members(path, lambda name: True, MOST_BYTES, MOST_BYTES):
        name = member.removesuffix(".npy")
        if b"'|O'" in data[:10_000]:
            raise ConfigError(_without_objects(path, name))
        found[name] = np.asarray(read_npy(data, f"{path}: {member}"))
    return found


def _without_objects(path: str | Path, name: str) -> str:
    to = shown(repr(str(Path(path).with_suffix(".numbers.npz"))), 200)
    return (
        f"{OP}: {shown(path)}: {quoted(name, 60)} is an array of objects, a pickle, which is a "
        "program, and is not read; these two lines make one of numbers, if you trust the file:\n"
        f"    import numpy as np; a = np.load({shown(repr(str(path)), 200)}, allow_pickle=True)\n"
        f"    np.savez({to}, **{{k: np.stack(a[k]).astype('float32') for k in a.files}})"
    )
