"""ONNX's own node cases: no wrong answer, and what passes is what node_cases.json says."""

import json
from types import ModuleType

import numpy as np
import pytest
from closeness import difference
from interop.node_cases import SLOW, TABLE, _array, collected, outcomes
from support import oracle_module

import tinydl as td
from tinydl.interop.source import source_of

pytestmark = pytest.mark.oracle


def test_every_node_case_passes_or_is_refused_by_name():
    oracle_module("onnx.backend.test.case.node")
    oracle_module("onnx.numpy_helper")
    with td.use_backend("cpu"):
        found = outcomes(collected(without=SLOW))
    faults = {name: why for name, (kind, why) in found.items() if kind == "fault"}
    assert not faults
    table = json.loads(TABLE.read_text())
    passed = {name for name, (kind, _) in found.items() if kind == "pass"}
    lost = sorted((set(table["pass"]) & set(found)) - passed)
    assert not lost, f"no longer pass: {lost}"
    own = [kind for kind, _ in found.values() if kind != "type"]
    assert len(passed) >= 0.75 * len(own)


def test_node_cases_as_source(tmp_path):
    """Every twelfth case that passes, written as source, gives what the net gives."""
    onnx = oracle_module("onnx")
    passing, written = set(json.loads(TABLE.read_text())["pass"]), 0
    chosen = [c for c in collected(SLOW) if c.name in passing][::12]
    for case in chosen:
        path = tmp_path / "case.onnx"
        path.write_bytes(case.model.SerializeToString())
        net = td.load_onnx(path)
        try:
            source = source_of(net)
        except td.TinydlError as error:
            assert "import: --code: " in str(error)
            continue
        module = ModuleType("written")
        module.__file__ = str(path)
        exec(compile(source.text, "written.py", "exec"), vars(module))
        ours = module.Net()
        ours.load_state_dict(source.arrays)
        for inputs, _ in case.data_sets:
            given = [_array(onnx, x) for x in inputs]
            turned = [np.moveaxis(x, 1, -1).copy() if last else x
                      for x, (*_, last) in zip(given, source.inputs, strict=True)]  # fmt: skip
            with td.no_grad():
                found = ours.eval()(*[td.tensor(x) for x in turned])
                want = net(*[td.tensor(x) for x in given])
            pairs = (found, want) if isinstance(found, tuple) else ((found,), (want,))
            for got, expected, (*_, last) in zip(*pairs, source.outputs, strict=True):
                y = np.moveaxis(got.numpy(), -1, 1) if last else got.numpy()
                assert y.dtype == expected.dtype, case.name
                assert not difference(y, expected.numpy(), 1e-5, 1e-5), case.name
        written += 1
    assert written >= 0.85 * len(chosen) > 0
