"""The bytes of an HDF5 file as plain data. As a program: bytes in, JSON and raw numbers out.

HDF5's library, in C, loops without end or ends its process on some damaged files, so `stored.py`
runs this file as a process of its own, with limits of time and memory. It needs h5py and nothing
of tinydl. Hard links only, no data outside of the file, no filters but those that h5py brings, no
array that claims more than its stored bytes can hold, and of the attributes only names and
versions.

The output: 8 bytes, the length of the JSON; the JSON, a tree {"groups", "attributes", "arrays":
{name: [type, shape, begin, end]}}; the numbers.
"""

from __future__ import annotations

import io
import json
import sys
from math import prod
from typing import Any

MOST_BYTES = 1 << 31
MOST_AXES = 16
DEEPEST = 40
FILTERS = ("gzip", "lzf", None)
DEFLATE = 1100  # at most so many bytes come out of one of deflate's
ATTRIBUTES = ("layer_names", "weight_names", "model_config", "keras_version")
WRONG = 3  # the exit status for a file that is refused; the reason is on stderr


class Lie(ValueError):
    """What a file claims and does not hold."""


class Reading:
    """One file: what is left to be followed, and the numbers that were found."""

    def __init__(self, h5py: Any, size: int) -> None:
        self.h5py, self.links = h5py, size
        self.parts: list[bytes] = []
        self.end = 0

    def group(self, group: Any, above: tuple[int, ...] = ()) -> dict[str, Any]:
        address = self.h5py.h5o.get_info(group.id).addr
        if len(above) > DEEPEST or address in above:
            raise Lie(f"the group {group.name!r} is in itself")
        found: dict[str, Any] = {"groups": {}, "arrays": {}, "attributes": self.attributes(group)}
        for name in group:
            self.links -= 1
            if self.links < 0:
                raise Lie("more names than bytes")
            if name in ("optimizer_weights", "optimizer") and len(above) == 0:
                continue
            if not isinstance(group.get(name, getlink=True), self.h5py.HardLink):
                raise Lie(f"{name!r} is a link to somewhere else")
            item = group[name]
            if isinstance(item, self.h5py.Group):
                found["groups"][name] = self.group(item, (*above, address))
            elif isinstance(item, self.h5py.Dataset):
                found["arrays"][name] = self.array(item, repr(name))
        return found

    def attributes(self, group: Any) -> dict[str, Any]:
        """Texts and lists of texts."""
        found = {}
        for name in group.attrs:
            if name.rstrip("0123456789") not in ATTRIBUTES:
                continue
            value = group.attrs[name]
            value = value.tolist() if hasattr(value, "tolist") else value
            items = value if isinstance(value, list) else [value]
            texts = [v.decode() if isinstance(v, bytes) else v for v in items]
            if all(isinstance(v, str) for v in texts):
                found[name] = texts if isinstance(value, list) else texts[0]
        return found

    def array(self, item: Any, where: str) -> list[Any]:
        """[type, shape, begin, end] of a stored array; what is no array of numbers is empty."""
        shape, dtype = item.shape, item.dtype
        if shape is None or dtype.kind not in "fiub" or len(shape) > MOST_AXES:
            return ["<f4", [0], self.end, self.end]
        if item.external or item.is_virtual:
            raise Lie(f"{where} keeps its numbers outside of the file")
        if item.compression not in FILTERS:
            raise Lie(f"{where} is compressed by {item.compression!r}")
        claimed, stored = prod(shape) * dtype.itemsize, item.id.get_storage_size()
        most = DEFLATE * stored + 64 if item.compression is not None else stored
        if claimed > min(most, MOST_BYTES) or self.end + claimed > MOST_BYTES:
            raise Lie(f"{where} claims {claimed} bytes {shape}, {stored} are there")
        data = item[()].astype(dtype.newbyteorder("<")).tobytes()
        self.parts.append(data)
        self.end += len(data)
        return [dtype.newbyteorder("<").str, list(shape), self.end - len(data), self.end]


def read(data: bytes) -> tuple[dict[str, Any], bytes]:
    """(the tree, the numbers). Raises Lie, and whatever h5py raises of a damaged file."""
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        reading = Reading(h5py, len(data))
        return reading.group(file["/"]), b"".join(reading.parts)


def limited(size: int) -> None:
    """Seconds of processor time and bytes of memory, where the system can."""
    try:
        import resource

        seconds, memory = 5 + size // 10_000_000, (4 << 30) + 6 * size
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def main() -> int:
    data = sys.stdin.buffer.read()
    limited(len(data))
    try:
        tree, numbers = read(data)
        told = json.dumps(tree).encode()
    except Exception as error:
        kind = "" if isinstance(error, Lie) else f"{type(error).__name__}: "
        sys.stderr.buffer.write(f"{kind}{error}"[:400].encode(errors="replace"))
        return WRONG
    sys.stdout.buffer.write(len(told).to_bytes(8, "little") + told + numbers)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
