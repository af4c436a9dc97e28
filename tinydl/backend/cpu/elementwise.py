"""Elementwise kernels: rows of csrc/elementwise_rows.h, as the methods of a class in
csrc/_elementwise.pyx.

A compiled method saves one Python call per operation, which small tensors notice. float32 and
float64; the other types go to the reference from inside.
"""

from ._elementwise import Elementwise

__all__ = ["Elementwise"]
