"""Attention rollout: how much of every input has come to every output through all the blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arguments import array
from ..doors import checked
from ..errors import ConfigError, DTypeError, ShapeError


@checked
def attention_rollout(maps: Sequence[np.ndarray]) -> np.ndarray:
    """R = B_L ... B_2 B_1, B = (mean over the heads of A + 1) / 2: half of what leaves a block is
    what went in, the other half what its attention fetched.

    maps: the weights A of each block, the first block first, (N, heads, T, T) floats whose rows sum
    to 1 (`VisionTransformer.attention_maps`). Result: (N, T, T) float64, rows sum to 1; row 0 is
    what the class row has read. The feed-forward layers and norms are not in it, so it says where
    information could come from, not what the answer depends on. Raises ConfigError without maps,
    ShapeError, DTypeError. Abnar and Zuidema 2020 (arXiv:2005.00928), section 3.
    """
    if not isinstance(maps, list | tuple) or not maps:
        raise ConfigError("attention_rollout: maps must be a list of arrays, one for each block")
    weights = [array("attention_rollout", f"map {i}", given) for i, given in enumerate(maps)]
    for i, found in enumerate(weights):
        if found.ndim != 4 or found.shape[2] != found.shape[3] or found.shape != weights[0].shape:
            raise ShapeError(
                f"attention_rollout: maps must be (N, heads, T, T), all alike, map {i} is "
                f"{found.shape} and the first {weights[0].shape}"
            )
        if found.dtype.kind != "f":
            raise DTypeError(f"attention_rollout: map {i} must hold floats, not {found.dtype}")
    one = np.eye(weights[0].shape[2])
    rolled = np.broadcast_to(one, (len(weights[0]), *one.shape))
    for found in weights:
        rolled = (found.astype(np.float64).mean(axis=1) + one) / 2 @ rolled  # [T x T] @ [T x T]
    return rolled
