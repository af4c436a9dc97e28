"""Reading foreign pickles as data: a small interpreter of pickle opcodes that can call nothing.

CIFAR's Python files and Keras' imdb.npz are pickles, and a pickle is a program: the standard module
would import and call what the file names. Here an opcode that needs a name looks it up in a table
of six, all of which stand for NumPy arrays or bytes and are understood by this file alone; any
other name, and any opcode that those files do not need, is a FormatError before anything happens.
Understood: protocols 1 to 4, numbers, strings, lists, tuples, dicts, arrays of numbers or of
objects.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...errors import FormatError
from ...foreign import parse_integer, parse_number, reader
from ...quoting import shown


class _Name:
    """One of the names that may occur; compared by identity, never called."""

    def __init__(self, text: str) -> None:
        self.text = text


class _DType:
    """What `dtype(code, align, copy)` and its state describe."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "="


class _Array:
    """An array whose state has not come yet, or `values` once it has."""

    values: np.ndarray | list | None = None


_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE, _BYTES = (
    _Name(n) for n in ("_reconstruct", "ndarray", "dtype", "encode", "bytes")
)
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _DTYPE,
    # How Python 3 spells bytes in protocols 1 and 2: encode("...", "latin1"), and bytes() for none.
    ("_codecs", "encode"): _ENCODE,
    ("__builtin__", "bytes"): _BYTES,
}
_KINDS = frozenset("biufO")


@reader("pickle", called="name")
def read_pickle(data: bytes, name: str) -> Any:
    """The value in the pickle `data`: None, bool, int, float, str, bytes, list, tuple or dict, with
    ndarrays (arrays of objects as lists) at the top or as values of a dict at the top.

    Strings that Python 2 wrote come back as bytes. name: what errors call the file. Raises
    FormatError for any other content; nothing in the file is executed, and memory stays in
    proportion to its size.
    """
    try:
        return _plain(_Reader(data).run())
    except FormatError as error:
        raise FormatError(f"pickle: {shown(name)}: {error}") from None
    except IndexError:
        raise FormatError(
            f"pickle: {shown(name)} is truncated or takes more than it has put"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _values(item) for key, item in value.items()}
    return _values(value)


def _values(value: Any) -> Any:
    if isinstance(value, _Array):
        if value.values is None:
            raise FormatError("an array has no content")
        return value.values
    if isinstance(value, _Name | _DType):
        raise FormatError("a type stands where a value belongs")
    return value


class _Reader:
    """The stack machine: `stack`, the positions of open marks, the memo."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        # Every content comes once in an honest file; a hostile one could copy a memoised one often.
        self.budget = 2 * len(data)
        self.frame_end = 0

    def run(self) -> Any:
        data, stack, table = self.data, self.stack, _OPCODES
        while True:
            opcode = data[self.position]
            self.position += 1
            if opcode == 0x4B:  # BININT1, by far the most frequent: no function call
                stack.append(data[self.position])
                self.position += 1
            elif opcode == 0x4D:  # BININT2
                stack.append(data[self.position] | data[self.position + 1] << 8)
                self.position += 2
            elif opcode == 0x2E:  # STOP
                if len(stack) != 1 or self.marks:
                    raise FormatError("it stops in the middle of a value")
                if self.position != len(data) or self.frame_end > len(data):
                    raise FormatError(f"it stops at byte {self.position} of {len(data)}")
                return stack[0]
            elif opcode in table:
                table[opcode](self)
            else:
                raise FormatError(
                    f"opcode {bytes([opcode])!r} at byte {self.position - 1} is not allowed"
                )

    # -- pieces of the file --------------------------------------------------------------------

    def take(self, size: int) -> bytes:
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise FormatError(f"truncated: {size} bytes announced at byte {self.position}")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def number(self, layout: str) -> Any:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise FormatError("truncated: a line does not end")
        piece = self.data[self.position : end]
        self.position = end + 1
        return piece

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        if start > len(self.stack):
            raise FormatError("a mark has lost its values")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    # -- containers ----------------------------------------------------------------------------

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def pack(self, count: int) -> None:
        if len(self.stack) < count:
            raise FormatError("a tuple has too few values")
        start = len(self.stack) - count
        self.stack[start:] = [tuple(self.stack[start:])]

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise FormatError("values are appended to what is no list")
        target.extend(values)

    def assign(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise FormatError("keys are set in what is no dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) not in (str, bytes, int):
                raise FormatError("a key is neither text nor a number")
            target[key] = value

    def remember(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def spend(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise FormatError("it copies one content again and again")

    # -- the six names -------------------------------------------------------------------------

    def look_up(self, module: Any, name: Any) -> None:
        # Types first: hashing or printing a deeply nested value would overflow the C stack.
        if type(module) is not str or type(name) is not str:
            raise FormatError("a name that is no text")
        if (module, name) not in ALLOWED:
            raise FormatError(
                f"it asks for {shown(module, 60)}.{shown(name, 60)}, which is not allowed"
            )
        self.push(ALLOWED[module, name])

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple:
            raise FormatError("a call without arguments")
        if function is _RECONSTRUCT and arguments and arguments[0] is _NDARRAY:
            self.push(_Array())
        elif function is _DTYPE and arguments:
            self.push(_DType(_text(arguments[0])))
        elif function is _ENCODE and arguments[1:] == ("latin1",):
            text = _text(arguments[0])
            self.spend(len(text))
            self.push(text.encode("latin1"))
        elif function is _BYTES and not arguments:
            self.push(b"")
        else:
            raise FormatError("a call of something other than NumPy's array, dtype or bytes")

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(state) is not tuple:
            raise FormatError("a state that is no tuple")
        if isinstance(target, _DType):
            target.order = _text(state[1])
        elif isinstance(target, _Array) and len(state) == 5:
            self.spend(len(state[4]) if type(state[4]) is bytes else 0)
            target.values = _array(*state[1:])
        else:
            raise FormatError("a state for what is neither an array nor a dtype")


def _text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode("latin1")
    if type(value) is not str:
        raise FormatError(f"text expected, found {type(value).__name__}")
    return value


def _array(shape: Any, dtype: Any, fortran: Any, content: Any) -> np.ndarray | list:
    """The array that NumPy's pickle state describes; its sizes must agree exactly."""
    if not isinstance(dtype, _DType) or dtype.code[:1] not in _KINDS or type(shape) is not tuple:
        raise FormatError("an array of something other than numbers or objects")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise FormatError("an array has a shape that is no shape")
    if dtype.code[0] == "O":
        if len(shape) != 1 or type(content) is not list or len(content) != shape[0]:
            raise FormatError("an array of objects is not a plain row of them")
        return content
    order = "=" if dtype.order == "|" else dtype.order
    if order not in ("=", "<", ">") or not dtype.code[1:].isdigit():
        raise FormatError(f"an array has the dtype {dtype.order}{dtype.code}")
    kind = np.dtype(order + dtype.code)
    if type(content) is not bytes or prod(shape) * kind.itemsize != len(content):
        raise FormatError(f"an array of shape {shape} and dtype {kind} has other content")
    flat = np.frombuffer(content, kind).astype(kind.newbyteorder("="))
    return flat.reshape(shape, order="F" if fortran else "C")


def _python2_string(line: bytes) -> bytes:
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1] or b"\\" in line:
        raise FormatError("a quoted string with escapes")
    return line[1:-1]


def _integer(line: bytes) -> int | bool:
    if line in (b"00", b"01"):
        return line == b"01"
    if not re.fullmatch(rb"-?[0-9]{1,100}", line):
        raise FormatError("what should be an integer of at most 100 digits")
    return int(line)


def _float(line: bytes) -> float:
    return float(line) if line in (b"inf", b"-inf", b"nan") else parse_number(line)


def _long(reader: _Reader) -> None:
    reader.push(int.from_bytes(reader.take(reader.number("<B")), "little", signed=True))


def _dict(reader: _Reader) -> None:
    values = reader.since_mark()
    reader.push({})
    reader.assign(values)


def _list_item(reader: _Reader) -> None:
    value = reader.stack.pop()
    reader.extend([value])


def _dict_item(reader: _Reader) -> None:
    pair = reader.stack[-2:]
    del reader.stack[-2:]
    reader.assign(pair)


def _stack_global(reader: _Reader) -> None:
    name, module = reader.stack.pop(), reader.stack.pop()
    reader.look_up(module, name)


def _frame(reader: _Reader) -> None:
    """FRAME announces how many bytes of opcodes follow; frames do not overlap or leave the file."""
    size = reader.number("<Q")
    if reader.position < reader.frame_end or size > len(reader.data) - reader.position:
        raise FormatError(f"a frame of {size} bytes at byte {reader.position} does not fit")
    reader.frame_end = reader.position + size


def _check_protocol(reader: _Reader) -> None:
    protocol = reader.number("<B")
    if protocol > 4:
        raise FormatError(f"pickle protocol {protocol} is above 4")


_OPCODES: dict[int, Callable[[_Reader], Any]] = {
    opcode[0]: action
    for opcode, action in {
        b"\x80": _check_protocol,
        b"\x95": _frame,
        b"N": lambda r: r.push(None),
        b"\x88": lambda r: r.push(True),
        b"\x89": lambda r: r.push(False),
        b"I": lambda r: r.push(_integer(r.line())),
        b"L": lambda r: r.push(_integer(r.line().rstrip(b"L"))),
        b"J": lambda r: r.push(r.number("<i")),
        b"\x8a": _long,
        b"F": lambda r: r.push(_float(r.line())),
        b"G": lambda r: r.push(r.number(">d")),
        b"S": lambda r: r.push(_python2_string(r.line())),
        b"T": lambda r: r.push(r.take(r.number("<i"))),
        b"U": lambda r: r.push(r.take(r.number("<B"))),
        b"B": lambda r: r.push(r.take(r.number("<I"))),
        b"C": lambda r: r.push(r.take(r.number("<B"))),
        b"\x8e": lambda r: r.push(r.take(r.number("<Q"))),
        b"X": lambda r: r.push(r.take(r.number("<I")).decode("utf-8", "surrogatepass")),
        b"\x8c": lambda r: r.push(r.take(r.number("<B")).decode("utf-8", "surrogatepass")),
        b"\x8d": lambda r: r.push(r.take(r.number("<Q")).decode("utf-8", "surrogatepass")),
        b"(": lambda r: r.mark(),
        b"]": lambda r: r.push([]),
        b"}": lambda r: r.push({}),
        b")": lambda r: r.push(()),
        b"l": lambda r: r.push(r.since_mark()),
        b"d": _dict,
        b"t": lambda r: r.push(tuple(r.since_mark())),
        b"\x85": lambda r: r.pack(1),
        b"\x86": lambda r: r.pack(2),
        b"\x87": lambda r: r.pack(3),
        b"a": _list_item,
        b"e": lambda r: r.extend(r.since_mark()),
        b"s": _dict_item,
        b"u": lambda r: r.assign(r.since_mark()),
        b"p": lambda r: r.remember(parse_integer(r.line(), 0)),
        b"q": lambda r: r.remember(r.number("<B")),
        b"r": lambda r: r.remember(r.number("<I")),
        b"\x94": lambda r: r.remember(len(r.memo)),
        b"g": lambda r: r.push(r.memo[parse_integer(r.line(), 0)]),
        b"h": lambda r: r.push(r.memo[r.number("<B")]),
        b"j": lambda r: r.push(r.memo[r.number("<I")]),
        b"c": lambda r: r.look_up(*(part.decode("latin1") for part in (r.line(), r.line()))),
        b"\x93": _stack_global,
        b"R": lambda r: r.reduce(),
        b"b": lambda r: r.build(),
    }.items()
}
