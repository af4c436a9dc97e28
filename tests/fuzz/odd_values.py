"""What people and programs pass where something else was meant: `VALUES[name]()` makes one anew."""

from __future__ import annotations

from functools import lru_cache
from math import inf, nan

import numpy as np

import tinydl as td
from tinydl import nn

HUGE = (1 << 13, 1 << 14)  # more than the memory of the calls, and summed in a second


class Twice(int):
    """An integer of a class of its own."""


def _one_by_one(*items):
    return (item for item in items)


@lru_cache(maxsize=1)
def _backends():
    return td.tensor([1.0, 2.0], backend="numpy")


def _structured():
    return np.zeros(2, [("a", np.int32), ("b", np.float32)])


def _huge_tensor(*shape):
    return td.broadcast_to(td.tensor(1.0), shape)


PLAIN = (
    *(None, True, False, nan, inf, -inf, -1, 0, 1, 2, 3, 7, -2, 0.0, 0.5, 1.0, 1.5, -0.5, 1e308),
    *(1e-320, 2**31 - 1, 2**31, 2**40, 2**62, 2**63, 2**64, -(2**63), 10**30, 10**400, 1j),
    *("", "x", "same", "mean", "float32", "numpy", "\x00", b"x", (), (0,), (1, 2), (2, 2), (-1,)),
    *((1.5,), (None,), ("a",), (2**40, 2**40), (2**63,), ((1, 1), (1, 1)), (True, False), (nan,)),
    *(1 << 10, (1 << 10, 1), (1,) * 33, (0, 2**62), slice(None), slice(None, None, 0), Ellipsis),
    *(int, object, np.float32, NotImplemented, range(3), frozenset((1, 2)), Twice(2)),
)

MADE = {
    "[]": list,
    "[[]]": lambda: [[]],
    "[1, [2]]": lambda: [1, [2]],
    "[0, 1]": lambda: [0, 1],
    "[0.5, 'a']": lambda: [0.5, "a"],
    "[None]": lambda: [None],
    "{}": dict,
    "{'a': 1}": lambda: {"a": 1},
    "object()": object,
    "a function": lambda: lambda: None,
    "a function of all": lambda: lambda *args, **options: None,
    "identity": lambda: lambda x: x,
    "a generator": lambda: _one_by_one(1, 2),
    "endless list of itself": lambda: (lambda x: (x.append(x), x)[1])([]),
    "int64": lambda: np.int64(2),
    "int64 -1": lambda: np.int64(-1),
    "uint8": lambda: np.uint8(1),
    "uint64": lambda: np.uint64(2**64 - 1),
    "float32": lambda: np.float32(0.5),
    "float64 nan": lambda: np.float64(nan),
    "float16": lambda: np.float16(1),
    "bool_": lambda: np.bool_(True),
    "str_": lambda: np.str_("x"),
    "complex64": lambda: np.complex64(1),
    "datetime64": lambda: np.datetime64("2020"),
    "array 0-d": lambda: np.array(3),
    "array 0-d bool": lambda: np.array(True),
    "array [1, 2]": lambda: np.array([1, 2]),
    "array int32": lambda: np.array([0, 1], np.int32),
    "array uint64": lambda: np.array([0, 1], np.uint64),
    "array int8": lambda: np.array([0, 1], np.int8),
    "array of bools": lambda: np.array([True, False]),
    "array (1, 1)": lambda: np.ones((1, 1)),
    "array (0,)": lambda: np.zeros(0),
    "array (2, 0, 3)": lambda: np.zeros((2, 0, 3), np.float32),
    "array of NaN": lambda: np.full((2, 2), nan),
    "array of strings": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, object()]),
    "array complex": lambda: np.ones(3, np.complex64),
    "array float16": lambda: np.ones(3, np.float16),
    "array big-endian": lambda: np.ones(3, ">f4"),
    "array structured": _structured,
    "array datetime": lambda: np.array(["2020"], "datetime64[D]"),
    "array 33 axes": lambda: np.ones((1,) * 33, np.float32),
    "array longdouble": lambda: np.ones(2, np.longdouble),
    "huge array": lambda: np.broadcast_to(np.float32(1), (1 << 27,)),
    "huge square array": lambda: np.broadcast_to(np.float32(1), HUGE),
    "huge int array": lambda: np.broadcast_to(np.int64(1), (1 << 27,)),
    "negative strides": lambda: np.arange(4.0)[::-1],
    "dtype": lambda: np.dtype("float64"),
    "dtype object": lambda: np.dtype(object),
    "dtype structured": lambda: np.dtype([("a", "i4")]),
    "NumPy's generator": lambda: np.random.default_rng(0),
    "Generator": lambda: td.Generator(1),
    "Generator class": lambda: td.Generator,
    "tensor 0-d": lambda: td.tensor(1.0),
    "tensor 0-d int": lambda: td.tensor(1),
    "tensor 0-d bool": lambda: td.tensor(True),
    "tensor (2,)": lambda: td.tensor([1.0, 2.0]),
    "tensor (2,) float64": lambda: td.tensor(np.ones(2)),
    "tensor int": lambda: td.tensor([0, 1]),
    "tensor negative": lambda: td.tensor([-5, 99]),
    "tensor int32": lambda: td.tensor(np.array([0, 1], np.int32)),
    "tensor uint8": lambda: td.tensor(np.array([0, 1], np.uint8)),
    "tensor bool": lambda: td.tensor([True, False]),
    "tensor empty": lambda: td.zeros((0,)),
    "tensor (2, 0, 3)": lambda: td.zeros((2, 0, 3)),
    "tensor (2, 3, 4, 5)": lambda: td.ones((2, 3, 4, 5)),
    "tensor of 12 axes": lambda: td.ones((1,) * 12),
    "tensor NaN": lambda: td.tensor([[nan, inf], [-inf, 0.0]]),
    "tensor with history": lambda: td.tensor([1.0, 2.0], requires_grad=True) * 2.0,
    "tensor elsewhere": _backends,
    "huge tensor": lambda: _huge_tensor(1 << 27),
    "huge square tensor": lambda: _huge_tensor(*HUGE),
    "huge image": lambda: _huge_tensor(1 << 7, 1 << 7, 1 << 7, 1 << 6),
    "list of tensors": lambda: [td.tensor([1.0]), td.tensor([1, 2])],
    "parameter": lambda: nn.Parameter(np.ones((2, 2), np.float32)),
    "parameters": lambda: [nn.Parameter(np.ones((2, 2), np.float32))],
    "module": lambda: nn.ReLU(),
    "module class": lambda: nn.ReLU,
    "no argument given": lambda: td.Tensor,
}

VALUES = {**{f"{v!r:.40}": (lambda v=v: v) for v in PLAIN}, **MADE}
NAMES = tuple(VALUES)
