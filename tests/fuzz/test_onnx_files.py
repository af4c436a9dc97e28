"""A thousand damaged ONNX files with a fixed seed; the long form is a command (onnx_files.py)."""

import pytest
from support import oracle_module

from fuzz import onnx_files

pytestmark = pytest.mark.oracle


@pytest.mark.filterwarnings("ignore")
def test_damaged_onnx_files_are_refused_or_computed(capsys):
    oracle_module("onnx.helper")
    oracle_module("onnx.numpy_helper")
    assert onnx_files.main(["--inputs", "1000", "--seed", "3"]) == 0, capsys.readouterr().out
