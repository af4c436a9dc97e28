"""What users of other libraries type works as there, or is an error with the right spelling."""

import ast
import contextlib
import io

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module
from typed import LINES
from words import run

import tinydl as td
from tinydl import data, nn, optim, train

ROWS = [row.split("  # ") for row in LINES.replace("\n    # ", "  # ").splitlines() if row]
CODES = [code for code, _ in ROWS]


def desk():
    """The names that the lines use, of one value each."""
    td.seed(0)
    rng = np.random.default_rng(0)
    seq = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2))
    return {
        "np": np, "td": td, "nn": nn, "optim": optim, "train": train, "data": data,
        "x2": td.tensor(rng.random((4, 10), "f")), "x4": td.tensor(rng.random((2, 8, 8, 3), "f")),
        "s3": td.tensor(rng.random((2, 6, 3), "f")), "y": td.tensor(np.array([1, 2, 3, 4])),
        "xs": rng.random((10, 10), "f"), "ys": rng.random((10, 2), "f"), "lin": nn.Linear(10, 5),
        "seq": seq, "opt": optim.Adam(seq.parameters()), "rng": td.Generator(0),
        "hist": train.History([{"epoch": 1, "loss": 0.5}]),
    }  # fmt: skip


def answer(code, names):
    """The shape or the value of the result; "! " and the message of an error."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = run(code, names)
    except Exception as error:
        return f"! {type(error).__name__}: {error}"
    return str(result.shape if isinstance(result, td.Tensor) else repr(result))


def fits(found, wanted):
    if wanted.startswith("! "):
        return found.startswith("! ") and wanted[2:] in found
    if wanted == "differs":
        return not found.startswith("! ") or "'int' object is not callable" in found  # x.size()
    return not found.startswith("! ") and wanted in ("torch", "works", found)


def test_there_are_many_lines_and_none_twice():
    assert len(ROWS) >= 250
    assert len(set(CODES)) == len(CODES)


def test_every_line_works_or_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {code: answer(code, desk()) for code in CODES}
    wrong = [
        f"{c}: {found[c]}, wanted {wanted}" for c, wanted in ROWS if not fits(found[c], wanted)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


#: What runs and means something else, or is no function here: the list of docs/conventions.md.
DIFFERENCES = ("std", "var", "LeakyReLU", "leaky_relu", "sort", "GRU", "max", "size")


def test_what_differs_is_in_the_closed_list():
    for code, wanted in ROWS:
        if wanted == "differs":
            called = {n.attr for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Attribute)}
            assert called & set(DIFFERENCES), code


@pytest.mark.oracle
def test_what_works_gives_what_pytorch_gives():
    torch = oracle_module("torch")
    for code in [code for code, wanted in ROWS if wanted == "torch"]:
        mine = desk()
        theirs = {"td": torch, "np": np}
        theirs |= {
            n: torch.tensor(t.numpy().copy()) for n, t in mine.items() if hasattr(t, "numpy")
        }
        ours, wanted = eval(code, mine), eval(code, theirs)
        if not isinstance(wanted, torch.Tensor):
            number = isinstance(wanted, float)
            assert ours == (pytest.approx(wanted, rel=1e-5) if number else wanted), code
        elif "rand" in code:
            assert ours.shape == tuple(wanted.shape), code
        else:
            assert_close(ours, wanted.numpy(), 1e-6)
