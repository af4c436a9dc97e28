"""Gradient checks for your own operations, and what tinydl's own tests draw their examples from.

check_grads(f, inputs)        compares backward with central differences, first and second order
numerical_gradient(f, inputs) the differences themselves
gradcheck_op("conv2d")        the same check for an operation of tinydl, on drawn examples
tinydl.testing.strategies     hypothesis strategies (not imported here: it needs hypothesis)
"""

from .cases import CASES, Example, OpCase
from .draws import Draw
from .gradcheck import GradcheckReport, gradcheck_op
from .gradients import GradientError, check_grads, numerical_gradient

__all__ = [
    "CASES", "Draw", "Example", "GradcheckReport", "GradientError", "OpCase", "check_grads",
    "gradcheck_op", "numerical_gradient",
]  # fmt: skip
