"""Every public operation, and every Function behind one, has a row in `tinydl.testing.CASES`."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from tinydl import Tensor, instruments, ops
from tinydl.function import Function, grad
from tinydl.testing import CASES, Draw
from tinydl.testing.cases import ROWS

EXAMPLES = 12


def functions_of_ops():
    found = set()
    for module in pkgutil.iter_modules(ops.__path__):
        room = importlib.import_module(f"tinydl.ops.{module.name}")
        for _, value in inspect.getmembers(room, inspect.isclass):
            own = issubclass(value, Function) and value.__module__ == room.__name__
            if own and value.forward is not Function.forward:  # else only a base of others
                found.add(value)
    return found


def functions_run_by(case):
    """The Functions that forward, backward and a recorded backward of a row go through."""
    seen = set()
    with instruments.watching(lambda function, *_: seen.add(type(function))):
        for seed in range(EXAMPLES):
            example = case.draw(Draw(seed))
            leaves = [
                Tensor(x, "numpy", requires_grad=x.dtype == np.float64) for x in example.inputs
            ]
            y = case.function(*leaves, **example.options)
            if y.requires_grad and y.dtype == np.float64:
                wanted = [leaf for leaf in leaves if leaf.requires_grad]
                ones = Tensor(np.ones(y.shape), "numpy")
                grad(y, wanted, ones, create_graph=True, allow_unused=True)
    return seen


def test_every_public_operation_has_a_row():
    missing = sorted(set(ops.__all__) - set(CASES))
    assert not missing, f"no row in tinydl/testing/cases.py for {missing}"


def test_every_function_is_exercised_by_a_row():
    seen = set().union(*[functions_run_by(case) for case in ROWS])
    missing = sorted(f"{f.__module__}.{f.__name__}" for f in functions_of_ops() - seen)
    print(f"{len(ROWS)} rows, {len(functions_of_ops())} Functions")
    assert not missing, f"no row in tinydl/testing/cases.py runs {missing}"


def test_names_are_unique():
    assert len(CASES) == len(ROWS)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_row_without_derivative_says_why(case):
    assert case.order == 2 or case.note
