"""NumPy's .npz files from strangers: numbers as NumPy reads them, arrays of objects as plain
data."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from .archives import members
from .pickles import read_pickle

MAX_HEADER = 10_000
_MAGIC = (b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00")
_HEADER = re.compile(
    rb"\{'descr': '([<>|](?:b1|[iu][1248]|f[248])|\|O)', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,15}, ?)*(?:\d{1,15})?)\), \} *\n"
)


@reader("npz")
def read_npz(
    path: str | Path, names: tuple[str, ...], max_bytes: int = 1 << 29
) -> dict[str, np.ndarray | list]:
    """The arrays called `names` of an .npz file; an array of objects (N,) becomes a list.

    Unlike `np.load(allow_pickle=True)` this runs nothing (`read_pickle`). Raises FormatError for a
    missing or damaged array and for more than `max_bytes` after decompression.
    """
    wanted = {f"{name}.npy": name for name in names}
    found = {
        wanted[member]: read_npy(data, f"{path}: {member}")
        for member, data in members(path, wanted.__contains__, max_bytes, max_bytes)
    }
    if missing := [name for name in names if name not in found]:
        raise FormatError(f"npz: {shown(path)} has no {', '.join(missing)}")
    return found


@reader("npy", called="name")
def read_npy(data: bytes, name: str) -> np.ndarray | list:
    """The array in the bytes of a .npy file; the declared size must be the actual one.

    Versions 1 and 2 of the format, headers as NumPy writes them: they are matched, not evaluated.
    """
    length = 2 if data[:8] == b"\x93NUMPY\x01\x00" else 4
    start = 8 + length
    end = start + int.from_bytes(data[8:start], "little")
    header = _HEADER.fullmatch(data[start:end]) if end <= start + MAX_HEADER else None
    if data[:8] not in _MAGIC or header is None or end > len(data):
        raise FormatError(f"npy: {shown(name)} does not begin with a header of versions 1 or 2")
    kind, fortran, sizes = (group.decode() for group in header.groups())
    shape = tuple(int(n) for n in sizes.split(",") if n.strip())
    content = data[end:]
    if kind == "|O":
        values = read_pickle(content, name)
        if type(values) is not list or shape != (len(values),):
            raise FormatError(f"npy: {shown(name)}: the pickle is not a row of {shape} objects")
        return values
    dtype = np.dtype(kind)
    if prod(shape) * dtype.itemsize != len(content):
        raise FormatError(
            f"npy: {shown(name)}: the header declares {shape} of {dtype}, {len(content)} bytes are "
            "there"
        )
    flat = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order="F" if fortran == "True" else "C")
