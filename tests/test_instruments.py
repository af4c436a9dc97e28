"""The trace and the NaN detector."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinydl
from tinydl import Function, Tensor, detect_anomaly, instruments
from tinydl.errors import AnomalyError

pytestmark = pytest.mark.usefixtures("on_numpy")
REPOSITORY = Path(tinydl.__file__).resolve().parent.parent


def test_trace_prints_one_line_per_operation():
    code = (
        "import tinydl, numpy as np\n"
        "with tinydl.use_backend('numpy'):\n"
        "    x = tinydl.Tensor(np.ones((2, 3)), requires_grad=True)\n"
        "    (x @ tinydl.Tensor(np.ones((3, 4)))).sum().backward()\n"
    )
    environment = {**os.environ, "TINYDL_TRACE": "1", "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    lines = child.stderr.strip().splitlines()
    words = lines[0].split()
    assert words[:3] == ["matmul", "numpy", "tinydl/backend/reference/matmul.py"]
    assert "(2, 3) (3, 4) -> (2, 4)" in lines[0] and lines[0].endswith("us")
    assert [line.split()[0] for line in lines].count("matmul") == 2  # forward and one gradient
    assert (REPOSITORY / words[2]).exists()


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_the_trace_names_the_kernels_own_files(backend, capsys):
    x = tinydl.ones((2, 3), backend=backend)
    with instruments.watching(instruments.trace_line):
        x.sum()
        (x < 2.0).reshape(3, 2)
        tinydl.sin(x)
        tinydl.cumsum(x, 0)
    files = [line.split()[2] for line in capsys.readouterr().err.splitlines()]
    c, python = "csrc/{}.c", "tinydl/backend/reference/{}.py"
    form = c if backend == "cpu" else python
    expected = [form.format("reduce"), form.format("elementwise"), python.format("shape")]
    expected += [form.format("elementwise"), form.format("reduce")]
    if backend == "cpu":
        own = {1: "csrc/elementwise_rows.h", 3: "csrc/elementwise_rows.h", 4: "csrc/reduce_scan.c"}
        expected = [own.get(i, name) for i, name in enumerate(expected)]
    assert files == expected


def test_no_trace_without_the_variable():
    assert not instruments.active


def test_watching_sees_operations_and_ends():
    seen = []
    with instruments.watching(lambda f, inputs, array, s: seen.append((f.name, array.shape))):
        Tensor([1.0]) + Tensor([2.0])
    Tensor([1.0]) + Tensor([2.0])
    assert seen == [("add", (1,))]


def test_anomaly_in_forward_names_the_line():
    x = Tensor([-1.0, 2.0], requires_grad=True)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        tinydl.log(x)  # this line
    assert "log: made a NaN" in str(caught.value)
    assert "test_instruments.py" in str(caught.value) and "# this line" in str(caught.value)


def test_anomaly_in_backward_names_the_forward_line():
    class Bad(Function):
        def forward(self, x):
            return self.backend.negative(x)

        def backward(self, grad):
            return grad / (grad - grad) - grad / (grad - grad)

    x = Tensor([1.0], requires_grad=True)
    with detect_anomaly():
        y = Bad().apply(x).sum()  # recorded here
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    text = str(caught.value)
    assert "NaN" in text and "test_instruments.py" in text


def test_backward_that_makes_a_nan_without_an_operation_of_its_own():
    class Bad(Function):
        def forward(self, x):
            return self.backend.negative(x)

        def backward(self, grad):
            return grad._new(np.full_like(grad.data, np.nan), self.backend)

    x = Tensor([1.0], requires_grad=True)
    with detect_anomaly():
        y = Bad().apply(x).sum()  # recorded here
        with pytest.raises(AnomalyError, match=r"Bad: its backward made a NaN.*# recorded here"):
            y.backward()


def test_nans_that_were_given_are_passed_on():
    x = Tensor([np.nan, 1.0])
    with detect_anomaly():
        assert np.isnan((x + x).numpy()[0])


def test_detectors_nest_and_end_with_an_exception():
    with pytest.raises(KeyError), detect_anomaly(), detect_anomaly():
        raise KeyError
    assert not instruments.active
