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


FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")


@dataclass(frozen=True)
class ElementKernel:
    """How the backends' kernel of that name is compared with the reference.

    kinds: of the values of each operand (tests/cases/kernels.py knows them); its length is the
    arity. ulps: allowed distance in units of the last place of each element (0: bitwise). accurate:
    units of the last place that the compiled kernel may be off its long double value; None: not
    measured.
    """

    kinds: tuple[str, ...] = ("normal",)
    dtypes: tuple[str, ...] = FLOATS
    ulps: float = 0.0
    accurate: float | None = None


@dataclass(frozen=True)
class OpCase:
    """function(*tensors, **options); `order`: how often it is differentiated; `note`: why not.

    torch: the name of the same operation in torch or torch.nn.functional, for the comparison; "":
    tests/oracle says how to compare. kernel: for an elementwise operation with a kernel of its own.
    """

    name: str
    function: Callable[..., Any]
    draw: Callable[[Draw], Example]
    order: int = 2
    note: str = ""
    torch: str = ""
    kernel: ElementKernel | None = None
