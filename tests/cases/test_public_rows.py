"""Every public layer, loss, optimiser and schedule has a row that is run; every other public name
of nn, optim, metrics and data is used by a test."""

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from cases.layers import LAYERS
from cases.losses import ALL as LOSSES
from cases.optimizers import RULES, SCHEDULES
from tinydl import data, grad, metrics, nn, ops, optim, tensor
from tinydl.errors import GraphError
from tinydl.testing.cases import ROWS

TESTS = Path(__file__).resolve().parents[1]
#: Losses whose rows do not fit the table: they take a network.
OWN_TESTS = {"gradient_penalty"}
#: Loaders whose archives are too large for a test; their readers are tested.
LARGE = {"coco2017", "movielens_1m", "voc2007"}


def classes(module, base, *without):
    found = {n for n in module.__all__ if inspect.isclass(getattr(module, n))}
    return {n for n in found if issubclass(getattr(module, n), base)} - set(without)


def losses():
    functions = {n: getattr(nn, n) for n in nn.__all__ if inspect.isfunction(getattr(nn, n))}
    return {n for n, f in functions.items() if "reduction" in inspect.signature(f).parameters}


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


def test_every_layer_has_a_row():
    wanted = classes(nn, nn.Module, "Module")
    print(f"{len(LAYERS)} rows of layers")
    assert set(LAYERS) == wanted


def test_every_loss_has_a_row():
    rows = {name.split("-")[0] for name in LOSSES}
    print(f"{len(LOSSES)} rows of losses")
    assert rows | OWN_TESTS == losses()
    assert used() >= OWN_TESTS


def test_every_update_rule_has_a_row():
    rows = {row[0].__name__ for row in RULES.values()}
    print(f"{len(RULES)} rows of update rules")
    assert rows == classes(optim, optim.Optimizer, "Optimizer")


def test_every_schedule_has_a_row():
    print(f"{len(SCHEDULES)} rows of schedules")
    assert {type(schedule).__name__ for schedule, _ in SCHEDULES} == schedules()


@pytest.mark.parametrize("module", [nn, optim, metrics, data], ids=lambda m: m.__name__)
def test_every_other_public_name_is_used_by_a_test(module):
    names = {n for n in module.__all__ if not is_record(getattr(module, n))}
    print(f"{len(names)} public names in {module.__name__}")
    missing = sorted(names - used() - LARGE)
    assert not missing, f"no test uses {missing}"


def test_operations_without_a_derivative_say_so():
    """Asking for the gradient of what is piecewise constant raises; nothing returns zeros."""
    without = [case for case in ROWS if not case.order]
    assert without
    x = tensor(np.array([0.5, 1.5]), requires_grad=True)
    for operation in (ops.sign, ops.floor, ops.round, ops.argmax, lambda t: ops.less(t, t)):
        with pytest.raises(GraphError, match="was not recorded"):
            grad(operation(x), x)
