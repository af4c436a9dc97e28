"""Which array of a Keras file is which array of which layer.

`.keras` has a group for every layer, named by its class and a number, below it one for every part
(`layers/bidirectional/forward_layer/cell/vars/0`). `.h5` has for every layer of the outermost model
the list of its arrays, those that are trained before the others, also from the inside of models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ...errors import FormatError
from ...quoting import quoted
from .description import Layer
from .kinds import KINDS
from .kinds.table import Slot
from .stored import KerasFile, Place

Arrays = dict[int, dict[str, np.ndarray]]
OLD = "_layer_checkpoint_dependencies"  # Keras 2.12's .keras


def slots_of(layer: Layer) -> list[Slot]:
    return KINDS[layer.kind].slots(layer) if layer.kind in KINDS else []


def found_arrays(model: Layer, file: KerasFile) -> Arrays:
    """The arrays of every layer, by `id(layer)`, under the names of its slots.

    Raises one FormatError that lists everything missing."""
    found: Arrays = {}
    missing: list[str] = []
    if file.in_order:
        _by_lists(model, file.weights, found, missing)
    else:
        root = file.weights
        if "layers" not in root.groups and OLD in root.groups:
            root = Place({"layers": root.groups[OLD]}, root.arrays, root.attributes)
        _by_groups(model, root, found, missing)
    if missing:
        more = f", and {len(missing) - 6} more" if len(missing) > 6 else ""
        raise FormatError(f"the file lacks weights: {', '.join(missing[:6])}{more}")
    return found


def _by_groups(layer: Layer, place: Place | None, found: Arrays, missing: list[str]) -> None:
    for slot in slots_of(layer):
        array = None
        for group in (slot.group, f"_{slot.group}"):  # Keras 2's .keras has `_query_dense`
            above = "/".join(filter(None, (group, "vars", str(slot.place))))
            if array is None and place is not None:
                array = place.array(above)
        if array is None:
            missing.append(f"{quoted(layer.name, 40)} {slot.name}")
        else:
            found.setdefault(id(layer), {})[slot.name] = as_float(array)
    for path, child in layer.children:
        _by_groups(child, place.at(path) if place is not None else None, found, missing)


def as_float(array: np.ndarray) -> np.ndarray:
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def in_order(layer: Layer, trainable: bool = True) -> Iterator[tuple[Layer, Slot, bool]]:
    """(layer, slot, whether it is trained) of everything below a layer, in the file's order before
    what is trained is put first."""
    trainable = trainable and layer.config.get("trainable", True) is not False
    for slot in slots_of(layer):
        yield layer, slot, trainable and slot.trainable
    for _, child in layer.children:
        yield from in_order(child, trainable)


def _by_lists(model: Layer, root: Place, found: Arrays, missing: list[str]) -> None:
    for _, layer in model.children or [("", model)]:
        wanted = list(in_order(layer))
        wanted = [w for w in wanted if w[2]] + [w for w in wanted if not w[2]]
        if not wanted:
            continue
        group = root.groups.get(layer.name) or root.at(layer.name)
        names = None if group is None else group.names("weight_names")
        if group is None or names is None:
            missing.append(quoted(layer.name, 40))
            continue
        if len(names) != len(wanted):
            raise FormatError(
                f"{layer.kind} {quoted(layer.name, 60)}: the file has {len(names)} arrays "
                f"({quoted(', '.join(names), 160)}), the configuration needs {len(wanted)}"
            )
        for name, (owner, slot, _) in zip(names, wanted, strict=True):
            array = group.array(name)
            if array is None:
                missing.append(quoted(name, 60))
                continue
            _check_name(owner, slot, name)
            found.setdefault(id(owner), {})[slot.name] = as_float(array)


def _check_name(layer: Layer, slot: Slot, name: str) -> None:
    """The last part of a stored name, where it is the name of another array of the layer."""
    plain = re.sub(r"(_\d+)?(:\d+)?$", "", name.rpartition("/")[2])
    if plain != slot.name and plain in {s.name for s in slots_of(layer)}:
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {quoted(name, 60)} stands where {slot.name} "
            "should"
        )
