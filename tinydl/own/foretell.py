"""What a run on other data says about new files: by its folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import read_text
from ..errors import AnomalyError, ConfigError
from ..train import predict
from . import pictures, sounds, table
from .bind import Bound, kept
from .kept import KINDS, PICTURES, SOUNDS, TABLE, TEXTS


def foretold(bound: Bound, model: Any, files: Sequence[str], op: str) -> list[dict[str, Any]]:
    """Of each sample of the files {"file", "sample" (a line of a table, else ""), and "classes":
    {class: probability} or "number"}. ConfigError for files of another kind, FormatError for
    damaged ones, AnomalyError where the model's outputs are no numbers."""
    own = kept(bound)
    rows: list[dict[str, Any]] = []
    if own.kind == TEXTS:
        read = bound.program.read(model, bound, [read_text(file) for file in files])
        return [{"file": f, "sample": "", "classes": p} for f, p in zip(files, read, strict=True)]
    for file in files:
        x, samples = _inputs(bound, file, op)
        outputs = predict(model, x.astype(model.parameters()[0].dtype)).astype(np.float64)
        if not np.isfinite(outputs).all():
            raise AnomalyError(f"{op}: the network's outputs for {file} are no numbers")
        for sample, row in zip(samples, outputs, strict=True):
            rows.append({"file": file, "sample": sample, **_said(own, row)})
    return rows


def _inputs(bound: Bound, file: str, op: str) -> tuple[np.ndarray, list[str]]:
    """The samples of a file as the model takes them."""
    own = kept(bound)
    if own.kind == TABLE:
        return table.rows_of(own, file)
    if own.kind == PICTURES:
        return pictures.shown_to(own, file, bound.program.input_shape), [""]
    if own.kind == SOUNDS:
        return sounds.heard(own, file), [""]
    raise ConfigError(f"{op}: {bound.name} was trained on {KINDS[own.kind]}")


def _said(own: Any, row: np.ndarray) -> dict[str, Any]:
    """One output as probabilities, or as a number in the target's own units."""
    if not own.classes:
        target = own.preparation["target"]
        return {"number": float(row[0]) * target["std"] + target["mean"]}
    powers = np.exp(row - row.max())
    shares = (powers / powers.sum()).tolist()
    return {"classes": dict(zip(own.classes, shares, strict=True))}


def fitted_picture(bound: Bound, image: np.ndarray, op: str) -> np.ndarray:
    """A uint8 picture (H', W') or (H', W', 3) by the run's rule: (H, W) or (H, W, 3) of 0 ... 1;
    ConfigError, with `op` in front, for a run that was not trained on pictures."""
    own = kept(bound)
    if own.kind != PICTURES:
        raise ConfigError(
            f"{op}: {bound.name} was trained on {KINDS[own.kind]}, it takes no pictures"
        )
    pixels: np.ndarray = pictures.form_of(own.preparation).of(image) / np.float32(255)
    return pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels
