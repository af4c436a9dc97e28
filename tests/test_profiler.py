"""The profiler: what it counts, where it puts it, and that it leaves nothing behind."""

import importlib
import inspect
import json
import pkgutil

import numpy as np
import pytest
from support import load_backend

import tinydl as td
from tinydl import instruments, nn, ops, optim
from tinydl.backend import get
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.function import Function
from tinydl.measure.machine import Peaks, peaks
from tinydl.measure.profiler import Profile, Row, profile
from tinydl.viz import plot_roofline


def found(p, op, phase="forward"):
    (row,) = [r for r in p._found.values() if (r.op, r.phase) == (op, phase)]
    return row


def floats(*shape):
    return td.Tensor(np.ones(shape, np.float32), backend="cpu", requires_grad=True)


def test_a_convolution_and_its_gradients():
    x, weight, bias = floats(2, 6, 5, 3), floats(3, 3, 3, 4), floats(4)
    with profile() as p:
        ops.conv2d(x, weight, bias).sum().backward()
    pixels = 2 * 4 * 3
    flops = 2 * pixels * 4 * 27
    row = found(p, "conv2d")
    assert row.flops == flops + 4 * pixels and row.calls == 1 and row.dtype == "float32"
    assert row.shapes == ((2, 6, 5, 3), (3, 3, 3, 4), (4,)) and row.backend == "cpu"
    assert row.traffic == 4 * (2 * 6 * 5 * 3 + 27 * 4 + 4 + 4 * pixels)
    assert found(p, "conv2d_input_grad", "backward").flops == flops
    assert found(p, "conv2d_weight_grad", "backward").flops == flops
    # The incoming gradient is one number, seen as a whole image: the kernels want it written out.
    copy = found(p, "contiguous copy", "backward")
    assert copy.traffic == copy.calls * (4 + 4 * 4 * pixels) and copy.flops == 0
    assert 0 < p.seconds <= p.wall
    assert all(row.seconds > 0 for row in p._found.values())


def test_products_count_two_operations_per_multiply_add():
    a, b, bias = floats(5, 7), floats(7, 3), floats(3)
    with profile() as p:
        (ops.linear(a, b, bias) + a @ b).sum().backward()
    assert found(p, "linear").flops == 2 * 5 * 7 * 3 + 5 * 3
    assert found(p, "matmul").flops == 2 * 5 * 7 * 3
    row = found(p, "add")
    assert row.flops == 15 and row.traffic == 3 * 4 * 15
    assert sum(r.flops for r in p._found.values() if r.op == "matmul" and r.phase != "forward") == (
        4 * 2 * 5 * 7 * 3
    )


def test_fused_backward_kernels_and_updates():
    x, labels = floats(6, 4), td.Tensor(np.zeros(6, np.int64), backend="cpu")
    weight = floats(4, 4)
    optimizer = optim.Adam([weight])
    with profile() as p:
        nn.cross_entropy(x @ weight, labels).backward()
        optimizer.step()
    assert found(p, "mean_cross_entropy").flops == 5 * 24
    assert found(p, "mean_cross_entropy", "backward").flops == 5 * 24
    row = found(p, "Adam", "update")
    assert row.flops == 12 * 16 and row.traffic == 7 * 4 * 16 and row.shapes == ((4, 4),)


def test_a_recurrent_layer():
    N, T, D, H = 2, 3, 4, 5
    inputs = floats(N, T, D), floats(N, H), floats(D, H), floats(H, H), floats(H)
    with profile() as p:
        ops.rnn_sequence(*inputs).sum().backward()
    assert found(p, "rnn_sequence").flops == 2 * N * T * (D + H) * H
    assert found(p, "rnn_sequence", "backward").flops == 2 * N * T * H * H
    products = sum(row.flops for row in p.rows() if row.op == "matmul")
    assert products == 2 * N * T * (2 * D + H) * H  # for x, weight_x and weight_h


def test_views_cost_nothing_and_broadcasts_are_read_once():
    x, y = floats(1, 8), floats(4, 8)
    with profile() as p:
        z = x + y
        z.transpose()
    assert found(p, "transpose").traffic == 0 and found(p, "transpose").flops == 0
    assert found(p, "add").traffic == 4 * (8 + 32 + 32)
    assert [row.op for row in p.rows()] == ["add"]


def test_every_backward_with_a_kernel_of_its_own_counts_it():
    forgotten = []
    for module in pkgutil.iter_modules(ops.__path__):
        file = importlib.import_module(f"tinydl.ops.{module.name}")
        for name, value in inspect.getmembers(file, inspect.isclass):
            own = issubclass(value, Function) and value.__module__ == file.__name__
            calls = own and "self.backend." in inspect.getsource(value.backward)
            if calls and value.backward_flops is Function.backward_flops:
                forgotten.append(f"{module.name}.{name}")
    assert not forgotten, f"give backward_flops to {forgotten}"


@pytest.mark.opencl
def test_on_opencl():
    x = td.Tensor(np.ones((4, 8), np.float32), backend=load_backend("opencl"))
    with profile() as p:
        ops.relu(x)
    (row,) = p.rows()
    assert row.flops == 32 and row.traffic == 256 and row.share is None
    assert "relu (opencl" in str(p)


def test_one_at_a_time_and_nothing_left_behind():
    with profile():
        with pytest.raises(ConfigError, match="nested"), profile():
            pass
        assert instruments.active
    assert instruments.profiler is None and not instruments.active and instruments.walks == 0
    with pytest.raises(ZeroDivisionError), profile() as p:
        floats(2) + floats(2)
        raise ZeroDivisionError
    assert instruments.profiler is None and p.wall > 0


def test_time_of_work_inside_other_work_counts_once():
    """A copy inside a kernel's call, a product inside a fused backward: each second has one row."""
    with profile() as p:
        inner = (lambda: p.add("inner", "forward", [np.ones(1)], None, 5.0, 1, 8), (), None)
        _, seconds = instruments._timed(*inner)
    assert seconds < -4 and p.seconds == 5


def test_rows_are_sorted_and_merged(monkeypatch):
    p = Profile()
    x, y = np.ones((2, 2), np.float32), np.ones(8, np.float32)
    backend = get("cpu")
    p.add("relu", "forward", [x], backend, 1e-6, 4, 32)
    p.add("relu", "forward", [y], backend, 2e-6, 8, 64)
    p.add("relu", "backward", [y], backend, 9e-6, 8, 64)
    roofs = Peaks("avx2", 1, {"float32": 1.0}, ((8, 16.0),))
    monkeypatch.setattr(Profile, "peaks", lambda self: roofs)
    first, second = p.rows()
    assert (first.phase, second.phase) == ("backward", "forward")
    assert (second.calls, second.flops, second.traffic) == (2, 12, 96)
    assert second.least == pytest.approx(12e-9) and second.share == pytest.approx(12e-9 / 3e-6)
    assert second.intensity == 1 / 8
    assert [row.shapes for row in p.rows(by_shape=True)] == [((8,),), ((8,),), ((2, 2),)]


def test_text_json_and_picture(tmp_path):
    pytest.importorskip("matplotlib")
    with profile() as p:
        ops.relu(floats(64, 64) @ floats(64, 64)).sum().backward()
    text = p.table(by_shape=True)
    assert "matmul" in text and "64x64 64x64" in text and "outside" in text
    stored = json.loads(json.dumps(p.to_json()))
    assert stored["wall"] == p.wall and stored["peaks"]["gflops"]["float32"] > 0
    assert {row["op"] for row in stored["rows"]} >= {"matmul", "relu", "relu_grad", "sum"}
    p.plot(tmp_path / "roofline.png")
    assert (tmp_path / "roofline.png").read_bytes()[1:4] == b"PNG"


def test_names_of_points_that_lie_on_each_other_are_apart():
    pytest.importorskip("matplotlib")
    roofs = Peaks("avx2", 1, {"float32": 100.0}, ((2**14, 200.0), (2**26, 20.0)))
    rows = [
        Row(op, "forward", "cpu", "float32", None, 1, 1e-3, flops, 10**6)
        for op, flops in (("conv2d", 10**7), ("conv2d_input_grad", 10**7), ("matmul", 11 * 10**6))
    ]
    figure = plot_roofline([roofs], rows)
    names = [text for text in figure.axes[0].texts if text.get_text() in {r.op for r in rows}]
    boxes = [text.get_window_extent() for text in names]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_the_roofline_of_nothing(tmp_path):
    pytest.importorskip("matplotlib")
    plot_roofline([peaks(1)], [], tmp_path / "roofs.png")
    assert (tmp_path / "roofs.png").exists()
    empty = Row("relu", "forward", "cpu", "float32", None)
    assert empty.share is None and empty.intensity == 0


def test_the_command(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "r.png"
    arguments = ("profile", "synthetic-digits", "--batches")
    assert main([*arguments, "2", "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)["rows"]
    assert sum(r["calls"] for r in rows if r["op"] == "Adam") == 2  # one per step
    assert "of roof" in said.err and out.exists()
    assert main([*arguments, "0"]) == 2
    assert "--batches must be >= 1" in capsys.readouterr().err
    assert main([*arguments, "1000000"]) == 2
    assert "batches, one is to warm up" in capsys.readouterr().err
