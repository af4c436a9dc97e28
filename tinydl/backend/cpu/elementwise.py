"""Elementwise kernels: rows of csrc/elementwise.c; functions of the Cython room are the methods.

That saves one Python call per operation, which small tensors notice. float32 and float64; the other
types go to the reference from inside the room.
"""

from __future__ import annotations

from .. import _elementwise as room
from ..reference.elementwise import Elementwise as Reference


class Elementwise(Reference):
    negative = room.negative
    exp = room.exp
    log = room.log
    sqrt = room.sqrt
    abs = room.abs
    sign = room.sign
    tanh = room.tanh
    sigmoid = room.sigmoid
    relu = room.relu
    log1p = room.log1p
    expm1 = room.expm1
    softplus = room.softplus
    sin = room.sin
    cos = room.cos
    erf = room.erf
    floor = room.floor
    round = room.round
    astype = room.astype

    add = room.add
    subtract = room.subtract
    multiply = room.multiply
    divide = room.divide
    power = room.power
    maximum = room.maximum
    minimum = room.minimum
    atan2 = room.atan2

    relu_grad = room.relu_grad
    tanh_grad = room.tanh_grad
    sigmoid_grad = room.sigmoid_grad

    equal = room.equal
    not_equal = room.not_equal
    less = room.less
    less_equal = room.less_equal
    greater = room.greater
    greater_equal = room.greater_equal
    where = room.where
