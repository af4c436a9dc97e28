"""What a network's outputs must be before they are spoken of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import AnomalyError, FormatError
from .folder import CONFIG


def numbers_of_classes(
    outputs: np.ndarray, classes: Sequence[str], folder: Path, op: str
) -> np.ndarray:
    """Outputs (N, classes) as float64; FormatError for another shape, AnomalyError for NaN."""
    if outputs.ndim != 2 or outputs.shape[1] != len(classes):
        raise FormatError(
            f"{op}: {folder / CONFIG} does not fit: it names {len(classes)} classes, the "
            f"outputs are {outputs.shape[1:]}"
        )
    if not np.isfinite(outputs).all():
        raise AnomalyError(f"{op}: the network's outputs for these pictures are no numbers")
    return outputs.astype(np.float64)
