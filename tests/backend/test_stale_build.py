"""A compiled module that is missing, or of an earlier build, says how to rebuild."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

import tinydl
from tinydl import _function
from tinydl.backend.cpu.compiled import MODULES, NAMED, check

PACKAGE = Path(tinydl.__file__).parent
HOW = "python setup.py build_ext --inplace"


def test_all_compiled_modules_are_listed():
    stubs = {path.stem for path in (PACKAGE / "backend" / "cpu").glob("_*.pyi")}
    assert {m.__name__.rpartition(".")[2] for m in MODULES} == stubs


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_what_a_module_lacks_is_said_with_the_command(module):
    check(module)
    stale = types.ModuleType(module.__name__)
    vars(stale).update({n: vars(module)[n] for n in vars(module) if not n.startswith("_")})
    stub = PACKAGE / "backend" / "cpu" / (module.__name__.rpartition(".")[2] + ".pyi")
    names = NAMED.findall(stub.read_text())
    assert names
    for name in names:
        kept = vars(stale).pop(name)
        with pytest.raises(ImportError) as caught:
            check(stale)
        assert str(caught.value).startswith(f"{module.__name__} has no {name};")
        assert HOW in str(caught.value)
        setattr(stale, name, kept)


def said(module, hold):
    """The last line on stderr where that module is one that holds nothing, or cannot be found."""
    value = f"types.ModuleType({module!r})" if hold else "None"
    use = "import tinydl\nx = tinydl.ones(3)\nprint(x.sum(), tinydl.take(x, tinydl.tensor([0]), 0))"
    code = f"import sys, types\nsys.modules[{module!r}] = {value}\n{use}"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


#: One that is asked as a class is made, one whose class is taken, one that is asked in a call.
ASKED = ("tinydl.backend.cpu._reduce", "tinydl.backend.cpu._elementwise", "tinydl._function")


@pytest.mark.parametrize("module", ASKED)
def test_a_module_of_an_earlier_build_says_how_to_rebuild(module):
    if module == _function.__name__ and not _function.readable:
        pytest.skip("TINYDL_ENGINE=python")
    line = said(module, hold=True)
    assert module in line and HOW in line


def test_a_module_that_is_missing_says_how_to_build():
    line = said("tinydl.backend.cpu._matmul", hold=False)
    assert "_matmul" in line and HOW in line and "numpy" in line
