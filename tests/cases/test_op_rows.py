"""Every public operation, and every Function behind one, has a row in `tinydl.testing.CASES`."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import tinydl
from tinydl import Tensor, instruments, ops, testing
from tinydl.function import Function, grad
from tinydl.testing import CASES, Draw
from tinydl.testing.cases import ROWS

EXAMPLES = 12
TABLES = [m.name for m in pkgutil.iter_modules(testing.__path__) if m.name.startswith("cases_")]


def functions_of_ops():
    found = set()
    for module in pkgutil.iter_modules(ops.__path__):
        file = importlib.import_module(f"tinydl.ops.{module.name}")
        for _, value in inspect.getmembers(file, inspect.isclass):
            own = issubclass(value, Function) and value.__module__ == file.__name__
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
                Tensor(x, backend="numpy", requires_grad=x.dtype == np.float64)
                for x in example.inputs
            ]
            y = case.function(*leaves, **example.options)
            if y.requires_grad and y.dtype == np.float64:
                wanted = [leaf for leaf in leaves if leaf.requires_grad]
                ones = Tensor(np.ones(y.shape), backend="numpy")
                grad(y, wanted, ones, create_graph=True, allow_unused=True)
    return seen


#: Public names of the files of ops/ that are no operations of the user's.
HELPERS = {
    "attention": {
        *("attend", "attention_composed", "joint_mask", "present_weights", "seen_and_added"),
        "without_absent",
    },
    "conv": {"convolve"},
    "conv_forms": {"time_padding"},
    "volumes": {"triple", "volume_padding"},
    "ctc": {"checked_lengths", "ctc_by_steps"},
    "getitem": {"getitem_arrays", "is_index_array"},
    "index": {"check_indices", "take_in_range"},
    "norm": {
        *("batch_norm_composed", "fixed_norm_composed", "group_norm_composed"),
        "layer_norm_composed",
    },
    "packed": {"keeps_packed", "one_row_in_place", "packed_weight"},
    "reduce": {"scaled"},
    "resize": {"check_mode", "size_or_factor", "target_size"},
    "roi": {"bin_cells", "bin_weights"},
    "special": {"magnitude"},
}


def test_every_operation_is_exported():
    """ops/__init__.py is where a name becomes `ops.NAME` and `td.NAME`."""
    for module in pkgutil.iter_modules(ops.__path__):
        file = importlib.import_module(f"tinydl.ops.{module.name}")
        functions = inspect.getmembers(file, inspect.isfunction)
        own = {n for n, f in functions if f.__module__ == file.__name__}
        found = {n for n in own if not n.startswith("_")}
        helpers = HELPERS.get(module.name, set())
        missing = sorted(found - set(ops.__all__) - helpers)
        assert not missing, f"tinydl/ops/__init__.py does not export {missing} of {module.name}.py"
        assert helpers <= found - set(ops.__all__), f"HELPERS of {module.name}: {helpers - found}"
    assert set(ops.__all__) <= set(tinydl.__all__)


def rows_file(name):
    """Where the rows of the operations stand that share the file of this one in ops/."""
    home = getattr(ops, name).__module__
    tables = {n: importlib.import_module(f"tinydl.testing.{n}").ROWS for n in TABLES}
    tables["cases"] = set(ROWS) - {case for rows in tables.values() for case in rows}
    homes = {n: [case.function.__module__ for case in rows] for n, rows in tables.items()}
    best = max(homes, key=lambda table: homes[table].count(home))
    return f"tinydl/testing/{best}.py"


def test_every_public_operation_has_a_row():
    missing = {rows_file(name): name for name in sorted(set(ops.__all__) - set(CASES))}
    assert not missing, f"no row for an operation in {missing}"


@pytest.mark.parametrize(
    ("name", "file"),
    [("exp", "cases_elementwise"), ("gelu", "cases_elementwise"), ("reshape", "cases")],
)
def test_a_missing_row_names_its_file(name, file):
    assert rows_file(name) == f"tinydl/testing/{file}.py"


def test_every_function_is_exercised_by_a_row():
    seen = set().union(*[functions_run_by(case) for case in ROWS])
    missing = sorted(f"{f.__module__}.{f.__name__}" for f in functions_of_ops() - seen)
    print(f"{len(ROWS)} rows, {len(functions_of_ops())} Functions")
    assert not missing, f"no row in tinydl/testing/cases.py runs {missing}"


def names_written_in(file, variable):
    """Keys of a dictionary literal or elements of a set, without importing what may be missing."""
    tree = ast.parse((Path(__file__).parents[1] / "oracle" / file).read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == variable:
            values = node.value.keys if isinstance(node.value, ast.Dict) else node.value.elts
            return {v.value for v in values if isinstance(v, ast.Constant)}
    raise LookupError(f"tests/oracle/{file} has no {variable}")


def names_in_elsewhere():
    tree = ast.parse((Path(__file__).parents[1] / "oracle" / "test_torch.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "ELSEWHERE":
            return ast.literal_eval(node.value)
    raise LookupError("tests/oracle/test_torch.py has no ELSEWHERE")


def test_every_operation_is_compared_with_pytorch():
    """Also where PyTorch is missing: by `torch=` in the row, or by a name in tests/oracle."""
    elsewhere = {n: file for file, names in names_in_elsewhere().items() for n in names.split()}
    for name, file in elsewhere.items():
        text = (Path(__file__).parents[1] / "ops" / file).read_text()
        assert name in text, f"{file} does not test {name}"
    written = [
        {case.name for case in ROWS if case.torch},
        names_written_in("test_torch.py", "ORACLE"),
        names_written_in("torch_breadth.py", "BREADTH"),
        names_written_in("test_torch.py", "WITHOUT"),
        names_written_in("test_torch.py", "STEPS"),
        set(elsewhere),
    ]
    missing = sorted(set(CASES) - set().union(*written))
    assert not missing, f"no torch= in the row, and nothing in tests/oracle, for {missing}"
    strangers = sorted(set().union(*written) - set(CASES))
    assert not strangers, f"tests/oracle compares {strangers}, which have no row"


def test_names_are_unique():
    assert len(CASES) == len(ROWS)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_row_without_derivative_says_why(case):
    assert case.order == 2 or case.note
