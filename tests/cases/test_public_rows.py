"""Every public operation, layer, loss, update rule, schedule, metric and loader has a row that is
run; `pytest -s tests/cases` prints how many there are.

Every other public name of nn, optim, metrics and data (initialisers, augmentations, splits, made-up
sets ...) is used by a test.
"""

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import Protocol

import pytest

from cases.layers import LAYERS
from cases.loaders import LOADERS, READERS
from cases.losses import ALL as LOSSES
from cases.metrics import BATCHES, METRICS
from cases.optimizers import RULES, SCHEDULES
from tinydl import data, metrics, nn, ops, optim
from tinydl.testing import CASES
from tinydl.train import metrics as batch_metrics

TESTS = Path(__file__).resolve().parents[1]
#: Losses whose rows do not fit the table: they take a network.
OWN_TESTS = {"gradient_penalty"}


def classes(module, base, *without):
    found = {n for n in module.__all__ if inspect.isclass(getattr(module, n))}
    return {n for n in found if issubclass(getattr(module, n), base)} - set(without)


def losses():
    functions = {n: getattr(nn, n) for n in nn.__all__ if inspect.isfunction(getattr(nn, n))}
    return {n for n, f in functions.items() if "reduction" in inspect.signature(f).parameters}


def stems(rows):
    """The names before the dash, after which rows say their setting."""
    return {name.split("-")[0] for name in rows}


def schedules():
    found = {n for n in optim.__all__ if inspect.isclass(getattr(optim, n))}
    return {n for n in found if "__call__" in vars(getattr(optim, n))}


def used():
    """Names that the code of the tests uses; importing one does not count."""
    found = set()
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def is_record(value):
    """A class of results, which the tests of the functions that return them look into."""
    if not inspect.isclass(value):
        return False
    return dataclasses.is_dataclass(value) or issubclass(value, tuple) or Protocol in value.__mro__


def functions(module):
    return {n for n in module.__all__ if inspect.isfunction(getattr(module, n))}


def loaders():
    """What gives a data set of `tinydl/data/sets` without being told more."""
    calls = {n: getattr(data, n) for n in functions(data)}
    sets = {n: f for n, f in calls.items() if f.__module__.startswith("tinydl.data.sets.")}
    return {n for n, f in sets.items() if not required(f)}


def required(function):
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty]


def metrics_of_fit():
    """What takes (outputs, targets): functions, and classes of such."""
    found = {n: v for n, v in vars(batch_metrics).items() if callable(v) and not n.startswith("_")}
    calls = {n: v.__call__ if inspect.isclass(v) else v for n, v in found.items()}
    return {n for n, f in calls.items() if takes(f, "outputs", "targets")}


def takes(function, *names):
    try:
        return tuple(inspect.signature(function).parameters)[-2:] == names
    except ValueError:  # a builtin without a signature
        return False


#: kind: (rows, what they are of, what is public).
KINDS = {
    "operations": (CASES, set(CASES) & set(ops.__all__), set(ops.__all__)),
    "layers": (LAYERS, stems(LAYERS), classes(nn, nn.Module, "Module")),
    "losses": (LOSSES, stems(LOSSES) | OWN_TESTS, losses()),
    "update rules": (
        RULES,
        {row[0].__name__ for row in RULES.values()},
        classes(optim, optim.Optimizer, "Optimizer"),
    ),
    "schedules": (SCHEDULES, {type(schedule).__name__ for schedule, _ in SCHEDULES}, schedules()),
    "metrics": (METRICS, stems(METRICS), functions(metrics)),
    "metrics of fit": (BATCHES, set(BATCHES), metrics_of_fit()),
    "loaders": (LOADERS, stems(LOADERS), loaders()),
    "readers": (
        READERS,
        set(READERS),
        {n for n in functions(data) if n.startswith(("read_", "decode_"))},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_public_name_has_a_row(kind):
    rows, have, public = KINDS[kind]
    print(f"\n{len(public)} {kind}, {len(rows)} rows")
    assert public
    assert have >= public, f"no row in tests/cases (CONTRIBUTING.md): {sorted(public - have)}"
    assert have <= public, f"rows of what is not public: {sorted(have - public)}"


def test_losses_without_a_row_have_their_own_tests():
    assert used() >= OWN_TESTS


@pytest.mark.parametrize("module", [nn, optim, metrics, data], ids=lambda m: m.__name__)
def test_every_other_public_name_is_used_by_a_test(module):
    names = {n for n in module.__all__ if not is_record(getattr(module, n))}
    print(f"{len(names)} public names in {module.__name__}")
    missing = sorted(names - used())
    assert not missing, f"no test uses {missing} of {module.__name__}.__all__"
