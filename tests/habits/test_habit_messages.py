"""Where the table is asked and where not: what fails is answered, what works does not pay."""

import copy
import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from support import oracle_module, script

import tinydl as td
from tinydl import nn, ops, optim, train
from tinydl.errors import ArgumentsError, ConfigError

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(td.__file__).parents[1])}


def child(code, check=True):
    command = [sys.executable, "-P", "-c", code]  # not the folder one stands in
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=check)


# -- what works does not pay -----------------------------------------------------------------------


def test_no_getattr_where_every_operation_would_pay():
    """CPython looks attributes up slowly where a __getattr__ is, also those that there are."""
    assert "__getattr__" not in vars(ops)
    for kind in (td.Tensor, nn.Parameter, nn.Linear, nn.LSTM, optim.Adam, train.History):
        assert not hasattr(kind, "__getattr__") and "__getattribute__" not in dir_of(kind)


def dir_of(kind):
    return {name for k in kind.__mro__ if k is not object for name in vars(k)}


def test_the_table_is_read_when_something_is_missing():
    code = "import sys, tinydl, tinydl.train, tinydl.data; before = set(sys.modules); "
    code += "hasattr(tinydl, 'Dense'); print(*sorted(set(sys.modules) - before)); "
    code += "print(*sorted(m for m in before if m.startswith('tinydl.habits')))"
    missed, before = child(code).stdout.splitlines()
    assert missed.split() == ["tinydl.habits.modules"]
    assert before.split() == ["tinydl.habits", "tinydl.habits.members"]


def test_completion_offers_no_habits():
    model = nn.Sequential(nn.Linear(3, 2))
    for thing, name in ((td.ones(2), "float"), (model, "fit"), (model[0], "cuda")):
        assert name not in dir(thing) and not hasattr(thing, name)
    assert "sum" in dir(td.ones(2)) and "layers" in dir(model)


def test_a_class_may_have_what_is_missing_here():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = [nn.Parameter([1.0])]  # an attribute of its own

        def fit(self):
            return "fitted"

    net = Net()
    assert net.fit() == "fitted" and len(net.weights) == 1 and "fit" in dir(net)
    again = pickle.loads(pickle.dumps(copy.deepcopy(td.ones(2))))
    assert again.tolist() == [1.0, 1.0]


# -- what fails is answered ------------------------------------------------------------------------


def test_a_folder_of_the_package_is_imported_by_name():
    assert child("import tinydl as td\ntd.data.Batches, td.train.fit").stderr == ""
    assert child("from tinydl import data, train; import tinydl.metrics as m").stderr == ""


def test_python_adds_no_guess_of_its_own():
    for code in ("nn.Conv2D", "td.optim.Adagrad", "td.ones(2).sub"):
        error = child(f"import tinydl as td\nfrom tinydl import nn\n{code}", check=False).stderr
        assert "write " in error and "Did you mean" not in error


def test_names_without_a_row_are_plain_errors_or_the_nearest_name():
    with pytest.raises(AttributeError, match=r"^module 'tinydl' has no attribute 'nonsense'$"):
        td.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match=r"tinydl\.nn has no 'Conv_2D': did you mean 'Conv2d'"):
        nn.Conv_2D  # noqa: B018
    with pytest.raises(ImportError, match="did you mean 'EarlyStopping'"):
        from tinydl.train import EarlyStoping  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'nonsense'"):
        from tinydl import nonsense  # noqa: F401


@pytest.mark.parametrize("name", ["tinydl.nn.functional", "tinydl.optim.lr_scheduler"])
def test_a_module_that_is_elsewhere_says_where(name):
    with pytest.raises(ImportError, match=f"there is no {name}: write .*"):
        importlib.import_module(name)


def test_messages_name_the_class_that_was_typed():
    with pytest.raises(ConfigError, match=r"^LSTM: input_size must be an integer"):
        nn.LSTM("a", 4)
    with pytest.raises(ConfigError, match=r"^MaxPool2d: ceil_mode must be"):
        nn.MaxPool2d(2, ceil_mode=3)
    with pytest.raises(ArgumentsError, match=r"^GRU: missing a required argument"):
        nn.GRU(3)

    class Mine(nn.LSTM):
        pass

    with pytest.raises(ArgumentsError, match=r"^LSTM: there is no argument 'units'"):
        Mine(units=3)

    class Net(nn.Module):
        def __init__(self, hidden):
            super().__init__(hidden=hidden)

    with pytest.raises(ArgumentsError, match=r"^Module: there is no argument 'hidden', nor any"):
        Net(3)


def test_a_type_error_of_the_body_stays_what_it_is():
    def broken(shape, rng, dtype):
        return shape + "text"

    with pytest.raises(ConfigError, match="can only concatenate tuple"):
        nn.Linear(2, 2, weight_init=broken)


# -- defaults --------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_the_defaults_of_pytorch_are_what_the_page_says():
    import inspect

    torch = oracle_module("torch")
    tables = script(ROOT / "docs" / "tables.py")
    lines = (ROOT / "docs" / "defaults.txt").read_text().split("\n\n")[1].splitlines()
    compared = 0
    for line in lines:
        said, _, where = line.split(" | ")[2].partition(" @ ")
        if where:
            name, _, argument = where.partition(":")
            place, _, kind = name.partition(".")
            made = getattr(getattr(torch, place), kind)
            assert said == repr(inspect.signature(made).parameters[argument].default), line
            compared += 1
    assert compared >= 15
    for what, *cells in tables.default_rows():
        assert len(set(cells)) > 1, f"{what} is the same everywhere: {cells}"
