"""The catalogue has every record of `tinydl/data/sets`, each complete; and the rooms of
`tinydl.data` know each other in one direction."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from tinydl import data
from tinydl.data import CATALOG, DataSet, sets

HOME = Path(data.__file__).parent
SETS = [f"tinydl.data.sets.{module.name}" for module in pkgutil.iter_modules(sets.__path__)]


@pytest.mark.parametrize("name", CATALOG)
def test_an_entry_is_complete(name):
    entry = CATALOG[name]
    empty = [
        field
        for field in ("records", "description", "source", "licence", "citation")
        if not getattr(entry, field)
    ]
    assert entry.name == name and not empty, f"the record {name} does not say its {empty}"
    for file in entry.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0, file.name
        assert file.mirrors or (entry.by_hand and entry.fidelity), (
            f"{name}: {file.name} has no mirrors, so `by_hand` says what to do instead and "
            "`fidelity` how the file differs from the one that was published"
        )
        for mirror in file.mirrors:
            assert re.fullmatch(r"https?://\S+/", mirror.base) and not mirror.checked, mirror


def test_files_are_those_of_one_record():
    files = [file for dataset in CATALOG.values() for file in dataset.files]
    assert len({file.sha256 for file in files}) == len(files) >= 30
    assert all(len(f.mirrors) >= 2 for n in ("mnist", "fashion_mnist") for f in CATALOG[n].files)
    for name in ("cifar10_subset", "creditcard_subset", "creditcard_sample"):
        assert CATALOG[name].fidelity.startswith("subset: ")


@pytest.mark.parametrize("module", SETS)
def test_every_record_is_in_the_catalogue(module):
    found = [v for v in vars(importlib.import_module(module)).values() if isinstance(v, DataSet)]
    missing = [record.name for record in found if CATALOG.get(record.name) is not record]
    assert found, f"{module} has no DataSet: what reads a format belongs to tinydl/data/formats"
    assert not missing, f"tinydl/data/catalog.py has no line for {missing} of {module}"


@pytest.mark.parametrize("module", SETS)
def test_what_a_set_offers_is_exported(module):
    offered = {
        name
        for name, value in vars(importlib.import_module(module)).items()
        if callable(value) and value.__module__ == module and not name.startswith("_")
    }
    doors = {name for name in offered if hasattr(getattr(data, name, None), "__wrapped__")}
    assert doors, f"tinydl/data/__init__.py exports no loader of {module}, which has {offered}"
    assert doors <= set(data.__all__), f"__all__ of tinydl.data lacks {doors - set(data.__all__)}"


# -- who knows whom --------------------------------------------------------------------------------


def room(path):
    return ".".join(path.relative_to(HOME).with_suffix("").parts)


def imports(path):
    """Modules of tinydl.data that a file imports, wherever the statement stands."""
    package = ["tinydl", "data", *path.relative_to(HOME).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base += node.module.split(".") if node.module else []
            inner = ".".join(base[2:]) if base[:2] == ["tinydl", "data"] else "outside"
            named = [inner, *(f"{inner}.{a.name}".strip(".") for a in node.names)]
            yield from [m for m in named if m in MODULES]


MODULES = {room(p): p for p in HOME.rglob("*.py") if p.name != "__init__.py"}
GRAPH = {name: set(imports(path)) for name, path in MODULES.items()}


def test_the_modules_have_an_order_to_be_read_in():
    left = dict(GRAPH)
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]
    assert not left, f"imports in a circle: { ({k: v & left.keys() for k, v in left.items()}) }"


def test_loaders_take_their_records_and_not_the_catalogue():
    assert {name for name, needs in GRAPH.items() if "catalog" in needs} == {"inventory"}


def test_formats_know_no_data_set():
    for name in (n for n in GRAPH if n.startswith("formats.")):
        above = [m for m in GRAPH[name] if m.startswith(("sets.", "synthetic.", "download"))]
        assert not above, f"{name} imports {above}; a format is read without knowing a data set"
