"""CONTRIBUTING's answers for an elementwise operation: which file it belongs to, what it gets."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from support import oracle_module

from tinydl import Tensor, nn, ops, tensor
from tinydl.testing import CASES, Draw
from tinydl.testing.cases_elementwise import ROWS

ROOT = Path(__file__).resolve().parents[2]
#: Beside the operators: what the other files are made of. Closed.
MADE_OF = {"exp", "log", "sqrt", "abs", "sign", "maximum", "where", "astype"}
OPERATORS = {
    *("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "power", "negative"),
}
#: What is no method: it means something else there (`equal` is one bool, `where` takes the tensor
#: second), or has a shorter way (-x), or belongs to a layer.
OTHERWISE = {"equal", "negative", "prelu", "where"}


def public(stem):
    """The operations that a file of ops/ defines."""
    return {n for n in ops.__all__ if getattr(ops, n).__module__ == f"tinydl.ops.{stem}"}


def test_elementwise_holds_the_operators_and_what_others_are_made_of():
    assert public("elementwise") == OPERATORS | MADE_OF
    spelled = inspect.getsource(Tensor)
    assert all(f"ops.{name}(" in spelled for name in OPERATORS)


def test_compare_holds_what_is_true_or_false():
    dtypes = {}
    for case in ROWS:
        example = case.draw(Draw(0))
        arrays = [tensor(x) for x in example.inputs]
        if example.options.get("dtype") is None:
            dtypes[case.name] = case.function(*arrays, **example.options).dtype
    assert {name for name, dtype in dtypes.items() if dtype == np.bool_} == public("compare")


def test_activations_holds_the_nonlinearities_of_networks():
    """Each is a layer, or what recurrent cells take for their gates."""
    homes = (inspect.getmodule(layer) for layer in (nn.ReLU, nn.GLU))
    source = "".join(map(inspect.getsource, homes))
    gates = inspect.getsource(inspect.getmodule(nn.LSTM))
    for name in public("activations"):
        assert f"ops.{name}" in source or name in gates, f"no layer of {name}"


def test_the_table_of_contributing_names_these_files():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("| it is | its file")[2].partition("\n\n")[0]
    files = [line.split("`")[1] for line in table.splitlines() if ".py`" in line]
    assert files == [
        "elementwise.py", "compare.py", "activations.py", "trigonometry.py", "special.py"
    ]  # fmt: skip
    closed = table.partition("with `")[2].partition("`")[0].split()
    assert set(closed) == MADE_OF
    homes = {ops.__dict__[c.name].__module__ for c in ROWS if c.name in ops.__all__}
    assert homes == {f"tinydl.ops.{name.removesuffix('.py')}" for name in files}


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted(n for n in CASES if n in {c.name for c in ROWS}))
def test_a_tensor_method_is_one_of_an_array_or_of_a_tensor_of_the_same_meaning(name):
    torch = oracle_module("torch")
    theirs = hasattr(np.ndarray, name) or hasattr(torch.Tensor, name)
    assert hasattr(Tensor, name) == (theirs and name not in OTHERWISE)


def test_every_new_name_is_written_in_one_list_only():
    """td.NAME follows from ops.__all__."""
    page = ast.parse((ROOT / "tinydl" / "__init__.py").read_text())
    names = {n.value for n in ast.walk(page) if isinstance(n, ast.Constant)}
    assert not names & set(ops.__all__)
