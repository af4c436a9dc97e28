"""A Keras file as plain data: its configuration (JSON) and its arrays by place.

`.keras` is a zip file with config.json, metadata.json and model.weights.h5; `.h5` is HDF5 with the
configuration in an attribute; weights alone are HDF5 without one. What a file is, its first bytes
say, not its name. HDF5 is read by hdf5.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...data.formats.archives import members
from ...errors import ConfigError, FormatError, how_to_install
from ...foreign import MAX_JSON, boundary, parse_json, read_regular, read_start
from ...quoting import shown
from . import hdf5

OP = "load_keras"
MOST_BYTES = 1 << 31
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK"
PARTS = ("config.json", "metadata.json", "model.weights.h5")
SECONDS = 600  # of the clock; of the processor hdf5.limited allows less
APART = True  # whether HDF5 is read in a process of its own


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
                told = self.attributes[part]
                found += told if isinstance(told, list) else [told]
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
        with boundary(path, OP):
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


def _version(root: Place) -> str:
    return str(root.attributes.get("keras_version", ""))


def _hdf5(path: str | Path, data: bytes) -> KerasFile:
    root = read_hdf5(data, path)
    version = _version(root)
    told = root.attributes.get("model_config")
    if told is not None:
        config = _described(str(told).encode(), path)
        return KerasFile(config, version, root.groups.get("model_weights", root), True)
    if "layer_names" not in root.attributes and "layer_names0" not in root.attributes:
        if not any(n in root.groups for n in ("layers", "vars", "_layer_checkpoint_dependencies")):
            raise FormatError(f"{OP}: {shown(path)} is HDF5, but nothing that Keras wrote")
        return KerasFile(None, version, root, False)
    version = version or _version(root)
    return KerasFile(None, version, root, True)


# -- HDF5 ------------------------------------------------------------------------------------------


def read_hdf5(data: bytes, path: str | Path) -> Place:
    """All groups, attributes and arrays of numbers in the bytes of an HDF5 file."""
    with boundary(path, OP):
        try:
            tree, numbers = apart(data, path) if APART else hdf5.read(data)
        except hdf5.Lie as error:
            raise FormatError(f"{OP}: {shown(path)}: {shown(error, 200)}") from error
        return _place(tree, numbers)


def apart(data: bytes, path: str | Path) -> tuple[dict[str, Any], bytes]:
    """`hdf5.read` in a process of its own: the library may hang or crash on a damaged file."""
    command = [sys.executable, "-P", hdf5.__file__]
    place = f"{OP}: {shown(path)} is damaged"
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FormatError(f"{place}: HDF5's library does not come back from it") from error
    if done.returncode == hdf5.WRONG:
        raise FormatError(f"{place} or lies: {shown(done.stderr.decode(errors='replace'), 300)}")
    if done.returncode:
        raise FormatError(f"{place}: HDF5's library ends its process ({done.returncode})")
    size = int.from_bytes(done.stdout[:8], "little")
    return json.loads(done.stdout[8 : 8 + size]), done.stdout[8 + size :]


def _place(tree: dict[str, Any], numbers: bytes) -> Place:
    arrays = {
        name: np.frombuffer(numbers[begin:end], kind).reshape(shape)
        for name, (kind, shape, begin, end) in tree["arrays"].items()
    }
    groups = {name: _place(below, numbers) for name, below in tree["groups"].items()}
    return Place(groups, arrays, tree["attributes"])
