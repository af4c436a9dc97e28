"""The node cases of the `onnx` package, one small graph each, imported and compared.

    PYTHONPATH=tests python -m interop.node_cases [--backend cpu] [--write]

`--write` keeps what came out in node_cases.json and the table of docs/onnx.md. A case passes, is
refused by name, or holds a type that tinydl does not have; a wrong answer, or an error that names
no reason at import, is a fault.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from closeness import difference

import tinydl as td

TABLE = Path(__file__).with_name("node_cases.json")
#: Their cases are made by slow Python loops, 35 s together: by the command only.
SLOW = ("lppool", "averagepool", "maxpool")
#: What only the values or shapes of a call show.
REASONS = ("training mode is not imported", "is not in tinydl", "convolves along one or two")


def collected(without=()):
    """[TestCase] of the installed package, the modules `without` left out."""
    warnings.simplefilter("ignore")
    node = importlib.import_module("onnx.backend.test.case.node")
    for module in pkgutil.iter_modules(node.__path__):
        if module.name not in without:
            importlib.import_module(f"{node.__name__}.{module.name}")
    return list(node._NodeTestCases)


def outcome(onnx, case, path):
    """("pass" | "refused" | "type" | "fault", why)."""
    wires = [*case.model.graph.input, *case.model.graph.output]
    for wire in wires:
        tensor = wire.type.WhichOneof("value") == "tensor_type"
        if not tensor or wire.type.tensor_type.elem_type not in (1, 2, 6, 7, 9, 11):
            return "type", ""
    path.write_bytes(case.model.SerializeToString())
    try:
        net = td.load_onnx(path)
        names = list(net.inputs)
        for inputs, outputs in case.data_sets:
            with td.no_grad():
                found = net(*[td.tensor(_array(onnx, a)) for a in inputs])
            found = found if isinstance(found, tuple) else (found,)
            if problem := _compared(onnx, case, found, outputs):
                return "fault", problem
    except td.TinydlError as error:
        said = str(error).partition(" needs what tinydl does not import: ")[2]
        if said:
            return "refused", said.partition(" x ")[0]
        for reason in REASONS:
            if reason in str(error):
                return "refused", f"{case.model.graph.node[0].op_type} ({reason})"
        return "fault", f"{type(error).__name__}: {error}"
    except Exception as error:
        return "fault", f"{type(error).__name__}: {error}"
    return ("pass", "") if names is not None else ("fault", "")


def _array(onnx, value):
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return np.asarray(value)


def _compared(onnx, case, found, outputs):
    if len(found) != len(outputs):
        return f"{len(found)} outputs for {len(outputs)}"
    for got, want in zip(found, outputs, strict=True):
        got, want = got.numpy(), _array(onnx, want)
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"got {got.dtype} {got.shape}, want {want.dtype} {want.shape}"
        exact = want.dtype.kind != "f"
        if exact and not np.array_equal(got, want):
            return "other values"
        if not exact and (problem := difference(got, want, max(case.rtol, 1e-5), 1e-6)):
            return problem
    return ""


def outcomes(cases):
    """{name: (outcome, why)}."""
    import onnx
    import onnx.numpy_helper

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        return {case.name: outcome(onnx, case, path) for case in cases}


def kept(found):
    """What node_cases.json says: names by outcome, the refused ones by what is refused."""
    refused = defaultdict(list)
    for name, (kind, why) in found.items():
        if kind == "refused":
            refused[why].append(name)
    return {
        "pass": sorted(n for n, (kind, _) in found.items() if kind == "pass"),
        "refused": {why: sorted(names) for why, names in sorted(refused.items())},
        "type not in tinydl": sorted(n for n, (kind, _) in found.items() if kind == "type"),
    }


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    with td.use_backend(given.backend):
        found = outcomes(collected())
    counts = Counter(kind for kind, _ in found.values())
    for name, (kind, why) in found.items():
        if kind == "fault":
            print(f"FAULT {name}: {why}")
    own = sum(counts.values()) - counts["type"]
    print(f"{len(found)} cases: {dict(counts)}; {100 * counts['pass'] / own:.1f} % of {own} pass")
    if given.write and not counts["fault"]:
        TABLE.write_text(json.dumps(kept(found), indent=1) + "\n")
    return 1 if counts["fault"] else 0


if __name__ == "__main__":
    sys.exit(main())
