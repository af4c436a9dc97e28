"""The model tests that the `onnx` package brings with it: small nets exported by PyTorch or made
by hand, with inputs and outputs. What needs a download is not among them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from closeness import difference
from support import oracle_module

import tinydl as td
from tinydl.errors import ConfigError

pytestmark = pytest.mark.oracle
GROUPS = ("simple", "pytorch-converted", "pytorch-operator")
#: Operators that are refused by name, with how many models need them.
REFUSED = {
    "Conv (3 axes of places)": 7, "StringNormalizer": 6, "SequenceConstruct": 4,
    "SplitToSequence": 3, "SequenceEmpty": 1, "ai.onnx.preview.training.Gradient": 2,
}  # fmt: skip


def arrays(onnx, folder, kind):
    found = []
    for path in sorted(folder.glob(f"{kind}_*.pb"), key=lambda p: int(p.stem.split("_")[1])):
        proto = onnx.TensorProto()
        proto.ParseFromString(path.read_bytes())
        found.append(onnx.numpy_helper.to_array(proto))
    return found


def test_every_small_model_gives_its_outputs_or_is_refused_by_name():
    onnx = oracle_module("onnx")
    oracle_module("onnx.numpy_helper")
    data = Path(onnx.__file__).parent / "backend/test/data"
    passed, refused = 0, Counter()
    for model in sorted(path for group in GROUPS for path in (data / group).glob("*/model.onnx")):
        try:
            net = td.load_onnx(model)
        except ConfigError as error:
            said = str(error).partition(" needs what tinydl does not import: ")[2]
            assert said, f"{model}: {error}"
            refused[said.partition(" x ")[0]] += 1
            continue
        for case in model.parent.glob("test_data_set_*"):
            with td.no_grad():
                found = net(*[td.tensor(x) for x in arrays(onnx, case, "input")])
            found = found if isinstance(found, tuple) else (found,)
            for got, want in zip(found, arrays(onnx, case, "output"), strict=True):
                assert not difference(got.numpy(), want, 1e-4, 1e-5), model.parent.name
        passed += 1
    assert refused == REFUSED and passed >= 117
