"""Named arrays in a safetensors file and back: `tinydl.save(model.state_dict(), "w.safetensors")`.

Written atomically, with a SHA-256 of what it says; nothing in such a file can run when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Never

import numpy as np

from .arguments import is_tensor
from .doors import fitting
from .errors import ConfigError, MissingFileError
from .quoting import quoted, shown

SUFFIX = ".safetensors"
USE = "td.save(model.state_dict(), 'weights.safetensors')"


@fitting
def save(state: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a dictionary of names and arrays, such as `model.state_dict()` or tensors.

    path ends in ".safetensors". Raises ConfigError for anything else, a model, a nested dictionary
    and the two in the other order among it, DTypeError for types that the format lacks, and
    MissingFileError where the folder does not exist.
    """
    from .train.tensor_files import write_tensors

    if isinstance(state, str | PathLike):
        raise ConfigError(f"save: what is saved comes first, then the path: {USE}")
    if hasattr(state, "state_dict"):
        raise ConfigError(
            f"save: a file holds arrays, no {type(state).__name__}: {USE}; to go on with a "
            "training later, train.Checkpoint keeps model, optimiser and place in the data"
        )
    if not isinstance(state, Mapping):
        raise ConfigError(
            f"save: takes a dictionary of names and arrays, got {quoted(state)}; "
            "td.save({'x': x}, path) for one array"
        )
    arrays = {_name(name): _array(name, value) for name, value in state.items()}
    place = _checked_path("save", path, USE)
    if not place.parent.is_dir():
        raise MissingFileError(f"save: there is no folder {shown(place.parent)}")
    write_tensors(place, arrays, {"format": "tinydl"})


@fitting
def load(path: str | PathLike[str], *others: Never) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file by name, for `model.load_state_dict(tinydl.load(path))`.

    Raises ConfigError for what is no path, FormatError for a file that is damaged or none of this
    format, MissingFileError where there is none.
    """
    from .train.tensor_files import read_tensors

    use = "model.load_state_dict(td.load('weights.safetensors'))"
    if others:
        raise ConfigError(f"load: takes a path alone and gives the arrays: {use}")
    return read_tensors(_checked_path("load", path, use))[0]


def _checked_path(op: str, path: Any, use: str) -> Path:
    if not isinstance(path, str | PathLike) or isinstance(path, bytes):
        raise ConfigError(f"{op}: the path must be a text, got {quoted(path)}: {use}")
    found = Path(path)
    if found.suffix != SUFFIX:
        raise ConfigError(
            f"{op}: files are safetensors and end in {SUFFIX}, got {quoted(path)}: {use}"
        )
    return found


def _name(name: Any) -> str:
    if isinstance(name, str):
        if name == "__metadata__" or any("\ud800" <= c <= "\udfff" for c in name):
            raise ConfigError(f"save: {quoted(name)} cannot be the name of an array in a file")
        return name
    raise ConfigError(f"save: names are texts, got {quoted(name)}")


def _array(name: str, value: Any) -> np.ndarray:
    if is_tensor(value):
        return np.asarray(value.numpy())
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        return np.asarray(value)
    if isinstance(value, Mapping):
        raise ConfigError(
            f"save: {name!r} is a dictionary itself; a file holds arrays alone. To go on with a "
            "training later, train.Checkpoint keeps model, optimiser and place in the data"
        )
    raise ConfigError(f"save: {name!r} must be an array or a tensor, got {quoted(value)}")
