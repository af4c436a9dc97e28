"""A module's arrays under PyTorch's names and in its layouts: `load_torch` the other way.

Where PyTorch adds two biases, the first is ours and the second zeros. A `Linear` behind a
flattened image reads its columns channel by channel in PyTorch and place by place here: that is not
seen from the layer alone.
"""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError
from ...nn import Module
from .load import parts_of
from .parts import Part


def torch_state(model: Module) -> dict[str, np.ndarray]:
    """{PyTorch's name: array} of all parameters and buffers; ConfigError for a GRU that resets
    before its product, which PyTorch has not."""
    found: dict[str, np.ndarray] = {}
    for part in parts_of(model, {}, True):
        if part.refused:
            raise ConfigError(f"export: {part.path}: PyTorch's GRU has reset_after=True alone")
        shapes = part.shapes(part.stored.shape)
        for k, (name, shape) in enumerate(zip(part.names, shapes, strict=True)):
            array = found.setdefault(name, np.zeros(shape, part.stored.dtype))
            if k == 0:
                _put(part, array, shapes)
    return found


def _put(part: Part, array: np.ndarray, shapes: list[tuple[int, ...]]) -> None:
    """Into the places of `array` that `turn` reads, which it tells of numbered ones."""
    numbers = [np.arange(array.size).reshape(array.shape)]
    numbers += [np.zeros(shape, np.int64) for shape in shapes[1:]]
    places = part.turn(numbers)
    array.reshape(-1)[places.reshape(-1)] = part.stored.numpy().reshape(-1)
