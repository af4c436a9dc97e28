"""`load_torch`: a state_dict of PyTorch in a model of tinydl's; the table of what went where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ... import nn
from ...errors import ConfigError, FormatError
from ...nn import Module
from ...quoting import quoted, shown
from ...tables import Column, Table
from .parts import Part, attention, layered, parts
from .read import OP, read_arrays

COLUMNS = (
    Column("array of the file", least=12),
    Column("shape", spare=2),
    Column("in the model", least=12),
    Column("shape", spare=1),
    Column("how", least=10),
)
#: What PyTorch counts and nothing needs.
COUNTED = "num_batches_tracked"


class Row(NamedTuple):
    """One line of the table: names and shapes in the file and in the model, "" for what is not
    there."""

    file: str
    file_shape: str
    model: str
    model_shape: str
    how: str


@dataclass
class Loaded:
    """What `load_torch` did; printed, a table.

    rows: one for each array. missing: names of the model that got nothing; left_over: names of the
    file that nothing took; unfit: names of the model whose array has another shape."""

    rows: list[Row]
    missing: list[str]
    left_over: list[str]
    unfit: list[str]

    def __str__(self) -> str:
        return f"{Table(COLUMNS, self.rows)}\n\n{self._count()}"

    __repr__ = __str__

    def _count(self) -> str:
        taken = sum(bool(r.file and r.model) for r in self.rows) - len(self.unfit)
        found = f"{taken} arrays taken over"
        lists = {"missing": self.missing, "left over": self.left_over}
        for what, names in (lists | {"of another shape": self.unfit}).items():
            found += f", {len(names)} {what}" if names else ""
        return found


def load_torch(
    path: str | Path, model: Module, names: Mapping[str, str] | None = None, strict: bool = True
) -> Loaded:
    """The arrays of the file in the model; see tinydl/interop/__init__.py."""
    if not isinstance(model, Module):
        raise ConfigError(f"{OP}: model must be a Module, got {quoted(model)}")
    arrays = _renamed(read_arrays(path), names or {}, model)
    wanted = max(
        (list(parts_of(model, arrays, short)) for short in (True, False)),
        key=lambda found: sum(n in arrays for part in found for n in part.names),
    )
    rows, missing, unfit, fitting = [], [], [], []
    for part in wanted:
        row = _row(part, arrays)
        rows.append(row)
        if row.how.startswith("missing"):
            missing.append(part.path)
        elif not row.how.startswith("other"):
            fitting.append(part)
        else:
            unfit.append(part.path)
    used = {name for part in wanted for name in part.names}
    left = [n for n in arrays if n not in used and n.rpartition(".")[2] != COUNTED]
    rows += [Row(n, str(arrays[n].shape), "", "", "left over") for n in left]
    loaded = Loaded(rows, missing, left, unfit)
    if strict and (missing or left or unfit):
        raise FormatError(_problems(path, loaded))
    for part in fitting:
        part.stored.assign(_values(part, arrays))
    return loaded


def parts_of(model: Module, arrays: Mapping[str, np.ndarray], short: bool) -> Iterator[Part]:
    """Parts of all modules, each once, with the names that PyTorch would give them: those of ours,
    `short` without the `layers` of a Sequential."""
    seen: set[int] = set()
    stack: list[tuple[Module, str, str]] = [(model, "", "")]
    while stack:
        module, path, name = stack.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        if isinstance(module, nn.Bidirectional | nn.StackedRNN):
            found = layered(module, path, name)
        elif isinstance(module, nn.MultiHeadAttention):
            sizes = {module.key.in_features, module.value.in_features, module.features}
            apart = len(sizes) > 1 or f"{name}.q_proj_weight".lstrip(".") in arrays
            found = attention(module, path, name, apart)
        else:
            found = parts(module, path, name)
            below = [(n, m) for n, m in module._members() if isinstance(m, Module)]
            for n, inner in reversed(below):
                drop = short and isinstance(module, nn.Sequential)
                theirs = n.removeprefix("layers.") if drop else n
                stack.append((inner, f"{path}.{n}".lstrip("."), f"{name}.{theirs}".lstrip(".")))
        for part in found:
            yield _known(part, arrays)


def _known(part: Part, arrays: Mapping[str, np.ndarray]) -> Part:
    """The names without "_l0" where the file has an LSTMCell's."""
    plain = [name.removesuffix("_l0") for name in part.names]
    if plain != part.names and not any(n in arrays for n in part.names):
        part.names = plain if any(n in arrays for n in plain) else part.names
    return part


def _row(part: Part, arrays: Mapping[str, np.ndarray]) -> Row:
    mine = (part.path, str(part.stored.shape))
    there = [n for n in part.names if n in arrays]
    if not there and part.optional:
        return Row("", "", *mine, "no bias in the file: zeros")
    if len(there) < len(part.names):
        lacking = ", ".join(n for n in part.names if n not in arrays)
        return Row("", "", *mine, f"missing: {lacking}")
    shapes = [arrays[n].shape for n in part.names]
    told = (" + ".join(part.names), str(shapes[0]))
    if shapes != part.shapes(part.stored.shape):
        return Row(*told, *mine, f"other shape: needs {part.shapes(part.stored.shape)[0]}")
    if part.refused:
        return Row(*told, *mine, f"other shape: {part.refused}")
    return Row(*told, *mine, part.how)


def _values(part: Part, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    dtype = part.stored.dtype
    if not any(n in arrays for n in part.names):
        return np.zeros(part.stored.shape, dtype)
    return np.ascontiguousarray(part.turn([arrays[n] for n in part.names])).astype(dtype)


def _renamed(
    arrays: dict[str, np.ndarray], names: Mapping[str, str], model: Module
) -> dict[str, np.ndarray]:
    """The arrays under PyTorch's names for the model. names: {name or beginning of names in the
    file: what stands there instead}; a "module." in front of all of them, DataParallel's, goes."""
    if arrays and all(n.startswith("module.") for n in arrays) and not hasattr(model, "module"):
        arrays = {n.removeprefix("module."): a for n, a in arrays.items()}
    found: dict[str, np.ndarray] = {}
    used: set[str] = set()
    for name, array in arrays.items():
        new = name
        for old in sorted(names, key=len, reverse=True):
            if name == old or name.startswith(f"{old}."):
                new = f"{names[old]}{name[len(old) :]}".lstrip(".")
                used.add(old)
                break
        if new in found:
            raise ConfigError(f"{OP}: names makes two arrays {quoted(new, 60)}")
        found[new] = array
    if unused := [n for n in names if n not in used]:
        raise ConfigError(f"{OP}: the file has no {quoted(unused[0], 60)} for names to change")
    return found


def _problems(path: str | Path, loaded: Loaded) -> str:
    """What does not fit, in a message of bounded length."""
    told = []
    by_model = {row.model: row for row in loaded.rows}
    for name in loaded.unfit[:4]:
        row = by_model[name]
        told.append(f"{quoted(row.file, 60)} is {row.file_shape}, {name} {row.how[6:]}")
    told += [f"{n}: {by_model[n].how}" for n in loaded.missing[:6]]
    told += [f"{quoted(n, 60)} is left over" for n in loaded.left_over[:6]]
    count = len(loaded.unfit) + len(loaded.missing) + len(loaded.left_over)
    more = f"; and {count - len(told)} more" if count > len(told) else ""
    return (
        f"{OP}: {shown(path)} does not fit the model, which is as it was: {'; '.join(told)}{more} "
        "(strict=False takes what fits and returns the table; names={...} renames)"
    )
