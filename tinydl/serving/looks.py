"""What is drawn of an answer: pictures and maps as bytes, what a model looked at, what its layers
gave. Everything here becomes JSON; numbers that are none become 0."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import numpy as np

from ..attribution.asking import recorded
from ..data.prepare import resize_matrix
from ..errors import TinydlError
from ..function import grad
from ..interop.imported import Imported
from ..interop.tracing import results
from ..nn import Embedding, Module, activations
from ..nn.watch import shadowing
from ..tensor import Tensor

CHANNELS, LAYERS = 16, 16  # shown of a layer, of a model
SIDE, ROW = 64, 256  # numbers a side of a map, of a row: larger ones are averaged
PREVIEW = 480  # pixels a side of a picture that is sent back
#: What gives on what it was given, or moves it: nothing to see.
SILENT = ("Dropout", "Flatten", "Reshape", "Identity")
MOVED = (*SILENT, "Cast", "Concat", "Expand", "Gather", "Pad", "Shape", "Slice", "Split", "Squeeze",
         "Transpose", "Unsqueeze")  # fmt: skip


def picture(pixels: np.ndarray) -> dict[str, Any]:
    """Pixels (H, W) or (H, W, 3) of 0 ... 1 as bytes."""
    pixels = np.nan_to_num(np.asarray(pixels, np.float64))
    whole = np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
    depth = 1 if whole.ndim == 2 else whole.shape[2]
    return {"height": whole.shape[0], "width": whole.shape[1], "depth": depth, "data": _text(whole)}


def preview(image: np.ndarray) -> dict[str, Any]:
    """A uint8 picture, (H, W) or (H, W, 3), shrunk to at most `PREVIEW` pixels a side."""
    scale = min(1.0, PREVIEW / max(image.shape[:2]))
    rows, columns = (max(1, round(n * scale)) for n in image.shape[:2])
    pixels = np.asarray(image, np.float32) / 255
    if scale < 1:
        pixels = np.tensordot(resize_matrix(image.shape[0], rows), pixels, (1, 0))
        pixels = np.tensordot(resize_matrix(image.shape[1], columns), pixels, (1, 1)).swapaxes(0, 1)
    return picture(pixels)


def heat(values: np.ndarray, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    """Numbers (H, W) as bytes: 0 is `low`, 255 is `high` (the smallest, the largest of them)."""
    values = np.nan_to_num(np.asarray(values, np.float64))
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    return picture((values - low) / (high - low) if high > low else np.zeros_like(values))


def _text(array: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


# -- what an answer depends on ---------------------------------------------------------------------


def word_saliency(model: Module, score: Callable[[], Tensor]) -> np.ndarray | None:
    """|<d score / de, e>| of every token's embedding e in the call score(), (T,): how much of the
    answer falls to it, to first order. None where the model embeds nothing."""
    leaves: list[Tensor] = []

    def wrap(name: str, module: Module, forward: Callable[..., Any]) -> Callable[..., Any] | None:
        if not isinstance(module, Embedding):
            return None

        def watched(*given: Any) -> Tensor:
            leaves.append(
                Tensor(forward(*given).numpy(), backend=model.backend, requires_grad=True)
            )
            return leaves[-1]

        return watched

    with recorded(model), shadowing(model, wrap):
        found = score()
        if len(leaves) != 1:
            return None
        (slope,) = grad(found, leaves[0])
    return np.abs((slope.numpy() * leaves[0].numpy()).sum(axis=-1))[0]


def or_reason(make: Callable[[], Any]) -> tuple[Any, str]:
    """(make(), ""), or (None, why not): a net of strangers may have parts without a derivative."""
    try:
        return make(), ""
    except TinydlError as error:
        return None, str(error)


# -- what the layers gave --------------------------------------------------------------------------


def layers(model: Module, x: np.ndarray) -> list[dict[str, Any]]:
    """The outputs of the model's innermost modules (of a net from a file: of its nodes) for one
    sample x (1, ...), in their order, of the first `LAYERS` of them."""
    if isinstance(model, Imported):
        made = [_shown(name, kind, output) for name, kind, output in results(model, x)
                if kind not in MOVED]  # fmt: skip
        return [row for row in made if row is not None][:LAYERS]
    inner = {name: m for name, m in model.named_modules() if name and not list(m.children())}
    shown = [name for name, m in inner.items() if type(m).__name__ not in SILENT]
    found = activations(model, x) if shown else {}
    rows = [_layer(name, inner[name], found[name]) for name in shown if name in found]
    return [row for row in rows if row is not None][:LAYERS]


def _layer(name: str, module: Module, output: np.ndarray) -> dict[str, Any] | None:
    return _shown(name, type(module).__name__, output)


def _shown(name: str, kind: str, output: np.ndarray) -> dict[str, Any] | None:
    maps = maps_of(output)
    return None if maps is None else {"name": name, "kind": kind, **maps}


def maps_of(output: np.ndarray) -> dict[str, Any] | None:
    """An output (1, H, W, C), (1, T, D) or (1, D) as maps on one scale, the largest `CHANNELS` of
    many by their spread; None for another shape."""
    if output.ndim not in (2, 3, 4) or output.shape[0] != 1 or output.size == 0:
        return None
    values = np.nan_to_num(output[0].astype(np.float64))
    values = values.reshape(-1) if values.shape[:-1] == (1, 1) else values  # one number a channel
    shape = list(values.shape)
    if values.ndim == 1:
        planes, chosen = [_smaller(values[None], ROW)], [0]
    elif values.ndim == 2:
        planes, chosen = [_smaller(values, SIDE)], [0]
    else:
        spread = values.std(axis=(0, 1))
        chosen = sorted(np.argsort(-spread, kind="stable")[:CHANNELS].tolist())
        planes = [_smaller(values[:, :, c], SIDE) for c in chosen]
    low, high = float(values.min()), float(values.max())
    return {
        "shape": shape,
        "low": low,
        "high": high,
        "channels": chosen,
        "maps": [heat(plane, low, high) for plane in planes],
    }


def _smaller(plane: np.ndarray, most: int) -> np.ndarray:
    """The plane with at most `most` numbers a side, means of its parts."""
    for axis in (0, 1):
        if plane.shape[axis] > most:
            matrix = resize_matrix(plane.shape[axis], most)
            plane = matrix @ plane if axis == 0 else plane @ matrix.T
    return plane
