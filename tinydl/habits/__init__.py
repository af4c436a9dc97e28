"""Layer 0: what users of PyTorch, Keras and NumPy type from habit, and what is typed here.

One table in three files (modules.py, members.py, calls.py), of which docs/tables.py also makes a
page; only what fails reads it. Modules ask for names that they lack by a `__getattr__` (`asked`);
classes have, for such names, an attribute that raises (`Habit`): a `__getattr__` of a class would
slow every attribute that it has. Calls whose arguments do not fit come here by `tinydl/doors.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from opcode import opmap
from typing import Any, NamedTuple, NoReturn

from ..errors import ArgumentsError
from .members import MEMBERS


class Row(NamedTuple):
    """typed: `nn.Dense`, `x.float`, `Conv2d(strides=)`; whose: P, K or N (modules.py); here:
    Python, or nothing; remark: what else there is to say."""

    typed: str
    whose: str
    here: str
    remark: str

    def advice(self) -> str:
        """write nn.Linear(10, 5) (the size of the input is given too)"""
        if not self.here:
            return self.remark
        return f"write {self.here}" + f" ({self.remark})" * bool(self.remark)


def rows_of(text: str) -> list[Row]:
    """The rows of one file of the table; a line that begins with a space goes on."""
    lines = text.replace("\n    ", " ").splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if line]
    return [Row(*row, *[""] * (4 - len(row))) for row in cells]


@cache
def names() -> dict[str, Row]:
    """`nn.Dense`: its row, for modules and for what classes have after a dot."""
    from .modules import NAMES  # when something is missing, not at import

    return {row.typed: row for row in [*rows_of(NAMES), *rows_of(MEMBERS)]}


@cache
def keywords() -> dict[str, list[Row]]:
    """`Conv2d(activation=)` and `(dim=)`: the rows; the first that fits the call counts."""
    from .calls import KEYWORDS

    found: dict[str, list[Row]] = {}
    for row in rows_of(KEYWORDS):
        found.setdefault(row.typed, []).append(row)
    return found


def row_of(place: str, name: str) -> Row | None:
    """The row of a name at this place of the table."""
    return names().get(f"{place}.{name}")


# -- names of modules ------------------------------------------------------------------------------


def asked(module: str, place: str, parts: tuple[str, ...] = ()) -> Callable[[str], Any]:
    """The `__getattr__` of `module`, whose names begin with `place` in the table.

    `parts` are its folders that are imported when first asked for. Else it raises AttributeError,
    so that `hasattr` is right; for a name with a row and `from module import name`, which would
    lose that error's text, ImportError.
    """

    def __getattr__(name: str) -> Any:
        if name in parts:
            return import_module(f"{module}.{name}")
        advice = _advice(place, name, vars(sys.modules[module]))
        if not advice:
            raise AttributeError(
                f"module {module!r} has no attribute {name!r}", name=name, obj=None
            )
        text = f"{module} has no {name!r}: {advice}"
        if _imports(sys._getframe(1)):
            raise ImportError(text, name=module)
        raise AttributeError(text, name=name, obj=None)  # None: Python adds no guess of its own

    return __getattr__


def missing_module(module: str, typed: str) -> NoReturn:
    """The ImportError of a module that there is only to say where its contents are."""
    raise ImportError(f"there is no {module}: {names()[typed].advice()}", name=module)


class Signposts:
    """The last finder of `sys.meta_path`: `import tinydl.callbacks`, of which no file is found, is
    an ImportError with the row of `td.callbacks`."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        parts = name.split(".")
        if parts[0] == "tinydl" and len(parts) in (2, 3):
            typed = ".".join(["td", *parts[1:]][-2:])
            if typed in names():
                missing_module(name, typed)


if Signposts not in sys.meta_path:
    sys.meta_path.append(Signposts)


def _imports(frame: Any) -> bool:
    """Whether the frame is at the `import name` of a `from module import name`."""
    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


def _advice(place: str, name: str, there: Iterable[str]) -> str:
    """What to write instead: of the table, else the nearest name that there is; "" for none."""
    if name.startswith("_"):
        return ""
    if row := row_of(place, name):
        return row.advice()
    near = _nearest(name, [n for n in there if not n.startswith("_")])
    if place == "td" and not _alike(name, near):
        for room in ("nn", "optim", "train", "data"):
            if row := row_of(room, name):
                return row.advice()
            if name in getattr(import_module(f"tinydl.{room}"), "__all__", ()):
                return f"write {room}.{name} (from tinydl import {room})"
    return f"did you mean {near!r}?" if near else ""


def _alike(name: str, near: str) -> bool:
    return near != "" and near.replace("_", "") == name.replace("_", "")


def _nearest(name: str, there: Collection[str]) -> str:
    """The name that differs in capitals or underlines, else the most similar, else ""."""
    plain = name.replace("_", "").lower()
    alike = [n for n in there if n.replace("_", "").lower() == plain]
    return next(iter(alike or get_close_matches(name, there, 1, 0.75)), "")


# -- names of classes ------------------------------------------------------------------------------


class Habit:
    """An attribute that classes do not have: asking for it is an AttributeError that says what to
    write. Instances, and subclasses, may have one of this name."""

    def __init__(self, place: str, name: str) -> None:
        self.place, self.name = place, name

    def _text(self, kind: type) -> str:
        return (
            f"{kind.__name__} has no {self.name!r}: {names()[f'{self.place}.{self.name}'].advice()}"
        )

    def __get__(self, instance: Any, kind: type) -> NoReturn:
        raise AttributeError(self._text(kind), name=self.name, obj=None)

    def __repr__(self) -> str:
        return f"<not here: {names()[f'{self.place}.{self.name}'].advice()}>"


class Refused(Habit):
    """The same where an assignment would change nothing and nobody would notice."""

    def __set__(self, instance: Any, value: Any) -> NoReturn:
        raise AttributeError(self._text(type(instance)), name=self.name, obj=None)


def install(kind: type, place: str) -> None:
    """Give a class the habits of the members that begin with `place`, but for those that it has."""
    for line in MEMBERS.splitlines():
        if line.startswith(f"{place}."):
            name, _, rest = line.removeprefix(f"{place}.").partition(" | ")
            if not hasattr(kind, name):
                setattr(kind, name, (Refused if rest[1:2] == "=" else Habit)(place, name))
    kind.__dir__ = _dir  # type: ignore[assignment]


def _dir(self: Any) -> list[str]:
    """No habits, which completion would offer."""
    absent = {
        n for k in type(self).__mro__ for n, value in vars(k).items() if isinstance(value, Habit)
    }
    return [n for n in object.__dir__(self) if n not in absent or hasattr(self, n)]


# -- values that others call ----------------------------------------------------------------------


class Count(int):
    """`x.size`, a number as in NumPy: whoever calls it, as in PyTorch, is told what to write."""

    def __call__(self, axis: int | None = None) -> NoReturn:
        here = "x.shape" if axis is None else f"x.shape[{axis}]"
        raise ArgumentsError(f"size: the number of elements, which is not called: write {here}")


class Parameters(list[Any]):
    """A list, whose `next(...)` says that it is one."""

    def __next__(self) -> NoReturn:
        raise ArgumentsError("parameters: gives a list, not an iterator: write parameters()[0]")


def keras_loader(loader: Any) -> None:
    """Let `loader.load_data()`, as Keras has it, say what is written here."""

    def load_data(path: Any = None) -> NoReturn:
        here = f"d = data.{loader.__name__}(), then d.x_train, d.y_train, d.x_test, d.y_test"
        raise ArgumentsError(f"load_data: the loader is the function itself: write {here}")

    loader.load_data = load_data


# -- keywords --------------------------------------------------------------------------------------


def unexpected(op: str, unknown: Iterable[str], there: Collection[str]) -> ArgumentsError:
    """The error for keywords that `op`, whose parameters are `there`, does not have."""
    values = unknown if isinstance(unknown, Mapping) else dict.fromkeys(unknown)
    return ArgumentsError(
        f"{op}: " + "; ".join(_unknown(op, n, value, there) for n, value in values.items())
    )


def _unknown(op: str, name: str, value: Any, there: Collection[str]) -> str:
    lacks = f"there is no argument {name!r}"
    for row in keywords().get(f"{op}({name}=)", ()):
        return f"{lacks}: {row.advice()}"
    fitting = [row for row in keywords().get(f"({name}=)", ()) if arguments_of(row) <= {*there}]
    if fitting:
        return f"{lacks}: {_with(value, max(fitting, key=lambda row: bool(row.here))).advice()}"
    if near := _nearest(name, there):
        return f"{lacks}: did you mean {near!r}?"
    return f"{lacks}; there are {', '.join(there)}" if there else f"{lacks}, nor any other"


def _with(value: Any, row: Row) -> Row:
    """The row with the caller's value in the place of its own: `axis=-1` for `dim=-1`."""
    keyword, _, own = row.here.partition("=")
    if own in ("True", "False") and isinstance(value, int):
        return row._replace(here=f"{keyword}={bool(value)}")
    number = own.replace(".", "").replace("e-", "").isdigit()
    if number and isinstance(value, int | float) and not isinstance(value, bool):
        return row._replace(here=f"{keyword}={+value}")
    return row


def superfluous(op: str) -> str:
    """What is written instead of more arguments without keywords than `op` takes, "" for none."""
    return keywords()[f"{op}(*)"][0].advice() if f"{op}(*)" in keywords() else ""


def arguments_of(row: Row) -> set[str]:
    """beta1 and beta2 of `beta1=0.9, beta2=0.999`."""
    if not row.here:
        return set()
    import ast

    call: Any = ast.parse(f"f({row.here})", mode="eval").body
    return {keyword.arg for keyword in call.keywords}
