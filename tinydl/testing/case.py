"""What a row of `cases` is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .draws import Draw

NO_DERIVATIVE = "its result is piecewise constant"
#: For a linear operation whose gradient has an exact test instead (tests/ops/test_elementwise.py).
ROUNDED = "linear, but rounding hides the difference quotient"
#: What looks differentiable but has no gradient, or none of second order, and the sentence that its
#: error says: at most five public operations, layers and losses. There is none; CTC and RoI pooling
#: have both.
WITHOUT_GRADIENT: dict[str, str] = {}


@dataclass(frozen=True)
class Example:
    """Arguments of one call: arrays, which become tensors (float64 ones: leaves), and options."""

    inputs: tuple[np.ndarray, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OpCase:
    """function(*tensors, **options); `order`: how often it is differentiated; `note`: why not."""

    name: str
    function: Callable[..., Any]
    draw: Callable[[Draw], Example]
    order: int = 2
    note: str = ""
