"""A Keras file as plain data: its configuration (JSON) and its arrays by place.

`.keras` is a zip file with config.json, metadata.json and model.weights.h5; `.h5` is HDF5 with the
configuration in an attribute; weights alone are HDF5 without one. What a file is, its first bytes
say, not its name. HDF5 is read by h5py from memory: hard links only, no data outside the file, no
filters but the four that HDF5 brings, and no array that claims more than its stored bytes can hold.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...data.formats.archives import members
from ...errors import ConfigError, FormatError, how_to_install
from ...foreign import MAX_JSON, boundary, parse_json, read_regular, read_start
from ...quoting import quoted, shown

OP = "load_keras"
MOST_BYTES = 1 << 31
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK"
PARTS = ("config.json", "metadata.json", "model.weights.h5")
FILTERS = {"gzip", "lzf", None}
DEFLATE = 1100  # at most so many bytes come out of one of deflate's
MOST_AXES = 16


@dataclass
class Place:
    """A group of an HDF5 file: what is below it, and the names of arrays in their order."""

    groups: dict[str, Place] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def at(self, path: str) -> Place | None:
        """The group below by its path, None where there is none."""
        found: Place | None = self
        for part in filter(None, path.split("/")):
            found = found.groups.get(part) if found is not None else None
        return found

    def array(self, path: str) -> np.ndarray | None:
        """The array below by its path, None where there is none."""
        above, _, name = path.rpartition("/")
        group = self.at(above)
        return None if group is None else group.arrays.get(name)

    def names(self, attribute: str) -> list[str] | None:
        """A list of names in an attribute, which Keras cuts into several where it is long."""
        parts, found = [attribute, *(f"{attribute}{k}" for k in range(10_000))], []
        if attribute not in self.attributes and parts[1] not in self.attributes:
            return None
        for part in parts:
            if part in self.attributes:
                found += [text(n) for n in np.asarray(self.attributes[part]).reshape(-1)]
            elif part != attribute:
                break
        return found


@dataclass
class KerasFile:
    """config: None for weights alone. version: of the Keras that wrote it, "" if it does not say.
    in_order: arrays by the list of each layer's names (.h5), else by groups (.keras)."""

    config: dict[str, Any] | None
    version: str
    weights: Place
    in_order: bool


def text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def h5py_package() -> Any:
    """The `h5py` package; ConfigError where it is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise ConfigError(
            f"{OP}: needs the package h5py; {how_to_install('keras')} brings it"
        ) from error
    return h5py


def read_file(path: str | Path) -> KerasFile:
    """What a Keras file says. Raises FormatError for what is damaged, lying or no Keras file,
    ConfigError for other formats, MissingFileError."""
    start, size = read_start(path, 8, OP)
    if start.startswith(ZIP):
        return _archive(path)
    if start == HDF5:
        h5py_package()
        return _hdf5(path, read_regular(path, MOST_BYTES, OP))
    if start[4:8] == b"TFL3":
        raise ConfigError(f"{OP}: {shown(path)} is a TensorFlow Lite file, which is not imported")
    if not size:
        raise FormatError(f"{OP}: {shown(path)} is empty")
    raise FormatError(f"{OP}: {shown(path)} is neither .keras (a zip file) nor HDF5 (.h5)")


def _archive(path: str | Path) -> KerasFile:
    h5py_package()
    with boundary(path, OP):
        found = dict(members(path, PARTS.__contains__, MOST_BYTES, MOST_BYTES))
    if missing := [part for part in (PARTS[0], PARTS[2]) if part not in found]:
        raise FormatError(f"{OP}: {shown(path)} is a zip file without {' and '.join(missing)}")
    config = _described(found[PARTS[0]], path)
    told = parse_json(found.get(PARTS[1], b"{}"), path, OP)
    version = told.get("keras_version", "") if isinstance(told, dict) else ""
    return KerasFile(config, str(version), read_hdf5(found[PARTS[2]], path), False)


def _described(data: bytes, path: str | Path) -> dict[str, Any]:
    if len(data) > MAX_JSON:
        raise FormatError(f"{OP}: {shown(path)}: the configuration takes {len(data)} bytes")
    config = parse_json(data, path, OP)
    if not isinstance(config, dict):
        raise FormatError(f"{OP}: {shown(path)}: the configuration is no object")
    return config


def _hdf5(path: str | Path, data: bytes) -> KerasFile:
    root = read_hdf5(data, path)
    version = text(root.attributes.get("keras_version", ""))
    told = root.attributes.get("model_config")
    if told is not None:
        config = _described(text(told).encode(), path)
        return KerasFile(config, version, root.groups.get("model_weights", root), True)
    if "layer_names" not in root.attributes and "layer_names0" not in root.attributes:
        if not any(n in root.groups for n in ("layers", "vars", "_layer_checkpoint_dependencies")):
            raise FormatError(f"{OP}: {shown(path)} is HDF5, but nothing that Keras wrote")
        return KerasFile(None, version, root, False)
    version = version or text(root.attributes.get("keras_version", ""))
    return KerasFile(None, version, root, True)


# -- HDF5 ------------------------------------------------------------------------------------------


def read_hdf5(data: bytes, path: str | Path) -> Place:
    """All groups, attributes and arrays of numbers in the bytes of an HDF5 file."""
    h5py = h5py_package()
    with boundary(path, OP), h5py.File(io.BytesIO(data), "r") as file:
        return _group(h5py, file, path, [len(data)], 0, set())


def _group(h5py: Any, group: Any, path: Any, left: list[int], depth: int, seen: set) -> Place:
    """left: how many links may still be followed, in a list of one."""
    address = h5py.h5o.get_info(group.id).addr
    if depth > 40 or address in seen:
        raise FormatError(f"{OP}: {shown(path)}: the group {quoted(group.name, 60)} is in itself")
    place = Place(attributes=dict(_attributes(group)))
    for name in group:
        left[0] -= 1
        if left[0] < 0:
            raise FormatError(f"{OP}: {shown(path)} holds more names than bytes")
        if name == "optimizer_weights" or (depth == 0 and name == "optimizer"):
            continue
        where = f"{OP}: {shown(path)}: {quoted(name, 60)}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise FormatError(f"{where} is a link to somewhere else")
        item = group[name]
        if isinstance(item, h5py.Group):
            inside = _group(h5py, item, path, left, depth + 1, seen | {address})
            place.groups[name] = inside
        elif isinstance(item, h5py.Dataset):
            place.arrays[name] = _array(item, where)
    return place


def _attributes(group: Any) -> Iterator[tuple[str, Any]]:
    """What is read of a group's attributes: names and versions, not a training's settings."""
    wanted = ("layer_names", "weight_names", "model_config", "keras_version", "backend", "name")
    for name in group.attrs:
        if name.rstrip("0123456789") in wanted:
            yield name, group.attrs[name]


def _array(item: Any, where: str) -> np.ndarray:
    """A stored array, once what it claims and what is stored agree."""
    shape, dtype = item.shape, item.dtype
    if shape is None or dtype.kind not in "fiub" or len(shape) > MOST_AXES:
        return np.zeros(0, np.float32) if dtype.kind in "OSV" else _refuse(where, dtype, shape)
    if item.external or item.is_virtual:
        raise FormatError(f"{where} keeps its numbers outside of the file")
    if item.compression not in FILTERS:
        raise FormatError(f"{where} is compressed by {quoted(item.compression, 40)}")
    claimed, stored = prod(shape) * dtype.itemsize, item.id.get_storage_size()
    packed = item.compression is not None
    if claimed > MOST_BYTES or claimed > (DEFLATE * stored + 64 if packed else stored):
        raise FormatError(f"{where} claims {claimed} bytes {quoted(shape, 80)}, {stored} are there")
    return np.asarray(item[()])


def _refuse(where: str, dtype: Any, shape: Any) -> Any:
    raise FormatError(f"{where} is of type {quoted(str(dtype), 40)} and shape {quoted(shape, 80)}")
