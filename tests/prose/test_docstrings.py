"""Every `>>>` example in a docstring of the package runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import tinydl

OPTIONAL = ("tinydl.backend.opencl",)  # importing these needs nothing, running them needs a device
ABSENT = ("tinydl.nn.functional", "tinydl.optim.lr_scheduler")  # they say where their names are
NAMES = [
    m.name
    for m in pkgutil.walk_packages(tinydl.__path__, "tinydl.")
    if not m.name.endswith("__main__") and not m.name.startswith(OPTIONAL + ABSENT)
]


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_some_examples_exist():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = sum(
        bool(test.examples) for n in NAMES for test in finder.find(importlib.import_module(n))
    )
    assert found >= 1
