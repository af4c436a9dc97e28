"""Two hundred damaged Keras and PyTorch files with a fixed seed; the long form is a command
(imported_files.py)."""

import pytest
from support import oracle_module

from fuzz import imported_files

pytestmark = pytest.mark.oracle


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_refused_or_computed(capsys):
    oracle_module("h5py")
    assert imported_files.main(["--inputs", "200", "--seed", "3"]) == 0, capsys.readouterr().out
