"""A page for each public module: every name of its `__all__` with docstring, source, and for
operations the kernels that compute it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from functools import cache

import docstrings
from places import Places, kernel_page

import tinydl
from tinydl.backend.listing import STEM_OF
from tinydl.backend.reference import STEMS

#: Modules whose names are for people who read the source, not for those who use it.
NOT_PUBLIC = {"backend", "bench", "command", "ops"}  # ops: every name of it is one of tinydl


#: Those of the small site.
FEW = ["tinydl", "tinydl.interop", "tinydl.nn", "tinydl.optim", "tinydl.testing"]


def public_modules() -> list[str]:
    """tinydl and each package below it that says what it exports."""
    found = ["tinydl"]
    for module in pkgutil.iter_modules(tinydl.__path__):
        if module.ispkg and module.name not in NOT_PUBLIC:
            name = f"tinydl.{module.name}"
            if hasattr(importlib.import_module(name), "__all__"):
                found.append(name)
    return found


def write(places: Places) -> dict[str, list[str]]:
    """Stem -> the public operations whose kernels are there."""
    operations: dict[str, list[str]] = {stem: [] for stem in STEMS}
    modules = FEW if places.few else public_modules()
    for name in modules:
        places.write(f"api/{name}.rst", _page(places, name, operations))
    entries = "\n".join(f"   {name}" for name in modules)
    about = "\n\n".join(
        f":doc:`{name}`\n   {docstrings.to_rst([_first(importlib.import_module(name))])[0]}"
        for name in modules
    )
    places.write(
        "api/index.rst",
        "API\n===\n\nEvery public name, with what it computes, shapes, errors and its source.\n\n"
        f"{about}\n\n.. toctree::\n   :hidden:\n\n{entries}\n",
    )
    docstrings.SOURCES = places.sources
    return operations


def _first(module) -> str:
    """The first sentence of a module's docstring, on one line."""
    paragraph = (inspect.getdoc(module) or "").split("\n\n")[0]
    return " ".join(paragraph.split())


def _page(places: Places, name: str, operations: dict[str, list[str]]) -> str:
    module = importlib.import_module(name)
    lines = [name, "=" * len(name), "", *docstrings.to_rst([inspect.getdoc(module) or ""])]
    lines += [f".. py:currentmodule:: {name}", ""]
    groups: dict[str, list[str]] = {}
    for public in sorted(module.__all__, key=lambda n: (n.lower(), n)):
        groups.setdefault(_group(getattr(module, public)), []).append(public)
    for group, names in sorted(groups.items(), key=lambda item: (item[0] == "", item[0])):
        title = group or "Other names"
        lines += [title, "-" * len(title), ""]
        if group:
            file = importlib.import_module(group).__file__
            path = docstrings.of_repository(file)
            about = docstrings.to_rst([_first(importlib.import_module(group))])
            lines += [*about, ""]
            if not places.few:
                lines += [f"`{path} <../{places.source(path)}.html>`__", ""]
        for public in names:
            lines += _entry(name, public, getattr(module, public), operations)
    return "\n".join(lines) + "\n"


def _group(value) -> str:
    """The module where a name is written; the same for what is not written anywhere."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) and home.startswith("tinydl") else ""


def _entry(module: str, name: str, value, operations: dict[str, list[str]]) -> list[str]:
    full = f"{module}.{name}"
    if inspect.ismodule(value):
        if value.__name__ in public_modules():
            return [f"* :doc:`{value.__name__}`", ""]
        return [f".. automodule:: {value.__name__}", "   :members:", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {full}", "   :members:", ""]
    if not callable(value):
        return [f".. py:data:: {full}", "", f"   {type(value).__name__}", ""]
    stems = stems_of(value)
    if stems and module == "tinydl":
        links = ", ".join(f":doc:`{stem} </{kernel_page(stem)}>`" for stem in stems)
        docstrings.BELOW[full] = [f"Computed by the kernels of {links}."]
        for stem in stems:
            operations[stem].append(name)
    return [f".. autofunction:: {full}", ""]


# -- from an operation to its kernels --------------------------------------------------------------


@cache
def _uses(module: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Top-level name of a module -> (names that its text uses, kernels that it calls)."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        names, kernels = set(), set()
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                names.add(inner.id)
            if isinstance(inner, ast.Attribute) and inner.attr in STEM_OF:
                owner = getattr(inner.value, "attr", getattr(inner.value, "id", ""))
                kernels |= {inner.attr} if owner == "backend" else set()
        found[node.name] = (frozenset(names), frozenset(kernels))
    return found


def stems_of(function) -> list[str]:
    """The stems whose kernels an operation calls, in the order of the reference."""
    function = inspect.unwrap(function)
    module = getattr(function, "__module__", "")
    if not module.startswith("tinydl.ops."):
        return []
    uses, seen, waiting, kernels = _uses(module), set(), [function.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in uses and name not in seen:
            seen.add(name)
            waiting += uses[name][0]
            kernels |= uses[name][1]
    found = {STEM_OF[k] for k in kernels} or ({module.rsplit(".", 1)[1]} & set(STEMS))
    return [stem for stem in STEMS if stem in found]
