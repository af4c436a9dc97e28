"""Weights as the files of a run folder hold them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..train.checkpoint import MODEL


def weights_of(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those of a checkpoint's tensors that are the model's, under its names."""
    return {k.removeprefix(MODEL): v for k, v in tensors.items() if k.startswith(MODEL)}


def widened(tensors: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """Weights that were stored in half their bytes (tinydl/zoo) in the run's own type."""
    half = np.float16
    return {k: v.astype(dtype) if v.dtype == half != np.dtype(dtype) else v
            for k, v in tensors.items()}  # fmt: skip
