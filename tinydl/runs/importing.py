"""What an imported net is asked, and the writing of its run folder (see imported.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._version import __version__
from ..errors import ConfigError, TinydlError
from ..files import write_atomically
from ..interop.described import copied_weights, described, imported, restored
from ..interop.graph import Node, Wire
from ..interop.imported import Imported
from ..nn import Module
from ..quoting import shown
from ..train.tensor_files import write_tensors
from .folder import MODEL_FILE, write_config, write_sealed
from .imported import (
    BOXES,
    CLASSES,
    CONSTANTS,
    FIRST,
    FLAT,
    FORMAT,
    LAST,
    LEAST_SIDE,
    NET,
    NUMBERS,
    SOURCE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller of `tinydl import` says: None where he says nothing."""

    labels: tuple[str, ...] | None = None
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: str | None = None


def picture_of(net: Imported, wanted: Wanted) -> dict[str, Any] | None:
    """How a picture becomes the input; None for a net that takes none."""
    wires = list(net.inputs.values())
    if len(wires) != 1 or wires[0].dtype not in ("float32", "float64") or not wires[0].shape:
        return None
    sizes = [n if isinstance(n, int) else None for n in wires[0].shape]
    place = _place(sizes)
    if place is None or any(n is not None and n < LEAST_SIDE for n in place[1:3]):
        return None
    layout, height, width, depth = place
    told = _told_of_pictures(net.metadata)
    scale = told.get("scale", 1 / 255) if wanted.scale is None else wanted.scale
    channels = wanted.channels or told.get("channels", "rgb")
    mean, std = wanted.mean or told.get("mean", (0.0,)), wanted.std or told.get("std", (1.0,))
    for name, values in (("mean", mean), ("std", std)):
        if len(values) not in (1, depth):
            raise ConfigError(f"import: --{name} has {len(values)} numbers for {depth} channels")
    if not all(std):
        raise ConfigError("import: --std must not be 0")
    return {
        "layout": layout, "height": height, "width": width, "depth": depth, "scale": scale,
        "mean": list(mean), "std": list(std), "channels": channels, "one_by_one": sizes[0] == 1,
    }  # fmt: skip


def _place(sizes: Sequence[int | None]) -> tuple[str, int | None, int | None, int] | None:
    """(layout, height, width, channels) of an input that may be a picture."""
    if len(sizes) == 4 and sizes[1] in (1, 3):
        return FIRST, sizes[2], sizes[3], sizes[1]
    if len(sizes) == 4 and sizes[3] in (1, 3):
        return LAST, sizes[1], sizes[2], sizes[3]
    if len(sizes) == 2 and sizes[1] and round(sizes[1] ** 0.5) ** 2 == sizes[1]:
        return FLAT, round(sizes[1] ** 0.5), round(sizes[1] ** 0.5), 1
    return None


def _told_of_pictures(metadata: Mapping[str, str]) -> dict[str, Any]:
    """ONNX's metadata of image models."""
    found: dict[str, Any] = {}
    pixels = metadata.get("Image.BitmapPixelFormat", "")
    if pixels.lower().startswith(("rgb", "bgr")):
        found["channels"] = pixels[:3].lower()
    ranges: dict[str, dict[str, Any]] = {
        "NominalRange_0_255": {"scale": 1.0},
        "Normalized_0_1": {"scale": 1 / 255},
        "Normalized_1_1": {"scale": 1 / 127.5, "mean": (1.0,)},
    }
    return found | ranges.get(metadata.get("Image.NominalPixelRange", ""), {})


def answer_of(net: Imported) -> dict[str, Any]:
    """What the outputs mean, from their sizes and from the operators that make them."""
    wires = list(net.outputs.values())
    floats = [i for i, w in enumerate(wires) if w.dtype in ("float32", "float64") and w.shape]
    boxes = [i for i in floats if len(wires[i].shape or ()) == 3 and _last(wires[i]) == 4]
    scores = [i for i in floats if len(wires[i].shape or ()) == 3 and i not in boxes]
    if len(boxes) == 1 == len(scores):
        applied = _applied(net, list(net.outputs)[scores[0]])
        return {"kind": BOXES, "outputs": [boxes[0], scores[0]], "applied": applied}
    rows = [i for i in floats if len(wires[i].shape or ()) == 2]
    found = [(i, _applied(net, list(net.outputs)[i])) for i in rows]
    found.sort(key=lambda pair: pair[1] == "nothing")  # what is a probability already comes first
    if found and _last(wires[found[0][0]]) != 1:
        return {"kind": CLASSES, "outputs": [found[0][0]], "applied": found[0][1]}
    return {"kind": NUMBERS, "outputs": [0], "applied": "nothing"}


def _last(wire: Wire) -> Any:
    return (wire.shape or (None,))[-1]


PASSED = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Dropout", "Transpose")


def _applied(net: Imported, name: str) -> str:
    """The activation that a value comes from, by way of operators that change no number."""
    makers: dict[str, Node] = {n: node for node in net.program.nodes for n in node.outputs}
    for _ in range(100):
        node = makers.get(name)
        if node is None or node.kind not in PASSED:
            break
        name = node.inputs[0]
    known = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}
    return "nothing" if node is None else known.get(node.kind, "nothing")


# -- writing ---------------------------------------------------------------------------------------


def write_imported(
    folder: Path, net: Module, source: str, kind: str, wanted: Wanted, example: Any = None
) -> dict[str, Any]:
    """Write the folder of a net; returns its configuration. example: one batch, for a net that is
    no graph yet. ConfigError for labels or a preparation that do not fit."""
    graph = imported(net, example)
    picture, answer = picture_of(graph, wanted), answer_of(graph)
    labels = _labels(graph, answer, wanted)
    description, arrays = described(graph)
    clean = restored(source, description, arrays, 1 << 40)
    copied_weights(graph, clean)
    config = {
        "format": FORMAT, "tinydl": __version__, "source": shown(source, 200), "kind": kind,
        "parameters": sum(t.size for t in clean._state().values()), "classes": list(labels),
        "picture": picture, "answer": answer,
    }  # fmt: skip
    write_config(folder, config)
    write_sealed(folder / NET, description)
    write_tensors(folder / CONSTANTS, arrays, {})
    write_source(folder / SOURCE, clean, source)
    weights = {name: tensor.numpy() for name, tensor in clean._state().items()}
    write_tensors(folder / MODEL_FILE, weights, {})  # last: where it is, nothing is missing
    return config


def write_source(path: Path, net: Imported, origin: str) -> bool:
    """The net as source, where its sizes are known well enough; its own weights lie beside it only
    where `tinydl import --code` writes them."""
    from ..interop.source import source_of

    try:
        text = source_of(net, origin).text
    except TinydlError:
        return False
    write_atomically(path, text.encode())
    return True


def _labels(graph: Imported, answer: Mapping[str, Any], wanted: Wanted) -> tuple[str, ...]:
    """The caller's names of the classes, those of the file where there are as many, or numbers."""
    count = _last(list(graph.outputs.values())[answer["outputs"][-1]])
    known = isinstance(count, int) and answer["kind"] != NUMBERS
    if wanted.labels is None:
        told = _labels_told(graph.metadata)
        if told and answer["kind"] != NUMBERS and count in (len(told), None):
            return told
        return tuple(map(str, range(count))) if known else ()
    if answer["kind"] == NUMBERS:
        raise ConfigError("import: --labels: the outputs of this net are no classes")
    if known and len(wanted.labels) != count:
        raise ConfigError(f"import: --labels names {len(wanted.labels)}, the net has {count}")
    return wanted.labels


def _labels_told(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Names of classes that the exporter has put into the file: a JSON list or object of them."""
    for key in ("labels", "classes", "class_names", "names"):
        text_of = metadata.get(key, "")[: 1 << 20]
        try:
            found = json.loads(text_of)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and sorted(found) == sorted(map(str, range(len(found)))):
            found = [found[str(i)] for i in range(len(found))]
        if isinstance(found, list) and found and all(isinstance(n, str) for n in found):
            return tuple(shown(n, 150) for n in found)
    return None
