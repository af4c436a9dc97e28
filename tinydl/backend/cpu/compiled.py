"""The compiled modules of this folder: csrc/_<stem>.pyx linked with csrc/<stem>*.c.

What a module of an earlier build lacks, after a pull for example, says how to rebuild.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from ...errors import REBUILD
from . import (
    _attention,
    _conv,
    _ctc,
    _elementwise,
    _index,
    _matmul,
    _norm,
    _optim,
    _pool,
    _program,
    _random,
    _recurrent,
    _reduce,
    _roi,
    _runtime,
    _shape,
    _softmax,
)

#: A name that a stub promises.
NAMED = re.compile(r"^(?:def |class )?(\w+)[(:]", re.MULTILINE)
MODULES = (
    *(_conv, _elementwise, _index, _matmul, _norm, _optim, _pool, _program, _random, _recurrent),
    *(_reduce, _roi, _runtime, _shape, _softmax, _ctc, _attention),
)


def check(module: ModuleType) -> None:
    """ImportError if a module lacks a name of its stub, as one of an earlier build does. (A
    `__getattr__` of the module could say so too, but slows each reading of its names.)"""
    stub = Path(__file__).with_name(module.__name__.rpartition(".")[2] + ".pyi")
    names = NAMED.findall(stub.read_text(encoding="utf-8"))
    lacking = [name for name in names if name not in vars(module)]
    if lacking:
        raise ImportError(f"{module.__name__} has no {', '.join(lacking)}; {REBUILD}")


for _module in MODULES:
    check(_module)
