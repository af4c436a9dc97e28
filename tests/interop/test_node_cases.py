"""ONNX's own node cases: no wrong answer, and what passes is what node_cases.json says."""

import json

import pytest
from interop.node_cases import SLOW, TABLE, collected, outcomes
from support import oracle_module

import tinydl as td

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
