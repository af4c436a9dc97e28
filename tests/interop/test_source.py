"""`tinydl import FILE --code`: the source that is written computes what the file does, reads like a
person's, and holds nothing of the file but numbers and plain names."""

from __future__ import annotations

import ast
import importlib.util
import sys

import numpy as np
import pytest
from closeness import assert_close
from interop.onnx_files import FILES, graph_file, reference
from support import oracle_module

import tinydl as td
from tinydl.interop.source import source_of
from tinydl.interop.source.names import comment, identifier

pytestmark = pytest.mark.oracle
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def onnx():
    for part in ("checker", "helper", "numpy_helper"):
        oracle_module(f"onnx.{part}")
    return oracle_module("onnx")


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def module_of(path):
    """The file, run as Python runs a module."""
    spec = importlib.util.spec_from_file_location(f"written_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(net, folder, origin="net.onnx"):
    source = source_of(net, origin)
    path = folder / "model.py"
    path.write_text(source.text)
    td.save(source.arrays, path.with_suffix(".safetensors"))
    assert max(map(len, source.text.splitlines())) <= 100
    return source, module_of(path)


def same(net, folder, inputs, tol=1e-5):
    """The source gives what the net gives; returns its text."""
    source, module = written(net, folder)
    ours = module.load()
    given = [np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
             for x, (*_, last) in zip(inputs, source.inputs, strict=True)]  # fmt: skip
    with td.no_grad():
        want, found = net(*inputs), ours(*given)
    want = want if isinstance(want, tuple) else (want,)
    found = found if isinstance(found, tuple) else (found,)
    for y, z, (*_, last) in zip(found, want, source.outputs, strict=True):
        assert_close(np.moveaxis(y.numpy(), -1, 1) if last else y, z, tol, atol=tol)
    return source.text


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.split("/")[-1])
def test_files_of_others_as_source(onnx, data_folder, file, tmp_path):
    if not (data_folder / "models").is_dir():
        pytest.skip(f"no model files: {data_folder / 'models'} is not there")
    net = td.load_onnx(data_folder / "models" / file)
    text = same(net, tmp_path, reference(data_folder / "models", file, net)[0])
    assert "transpose" not in text and text.count("permute") <= 2


# -- what a node becomes ---------------------------------------------------------------------------

LSTM = {"W": normal(1, 12, 4), "R": normal(1, 12, 3), "B": normal(1, 24)}
BOTH = {"W": normal(2, 9, 4), "R": normal(2, 9, 3), "B": normal(2, 18)}
GRAPHS = {
    "convolutions": (
        [
            ("Conv", ["x", "a"], ["c"], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
            ("Add", ["c", "v"], ["d"], {}),
            ("Conv", ["d", "w"], ["e"], {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
            ("ConvTranspose", ["e", "t", "u"], ["y"], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ],
        {"x": ("N", 2, 8, 8)}, ("N", 3, 2, 2),
        {"a": normal(4, 2, 3, 3), "v": normal(4, 1, 1), "w": normal(4, 1, 3, 3),
         "t": normal(4, 3, 4, 4), "u": normal(3)},
        ["nn.DepthwiseConv2d(4, 3, stride=2, padding=\"same\", bias=False)",
         "nn.Conv2d(2, 4, 3, stride=2, padding=1)", "nn.ConvTranspose2d(4, 3, 4, stride=2"],
    ),
    "a flattened image": (
        [
            ("Conv", ["x", "a"], ["c"], {}), ("Relu", ["c"], ["d"], {}),
            ("Flatten", ["d"], ["e"], {}), ("MatMul", ["e", "m"], ["f"], {}),
            ("Add", ["f", "v"], ["y"], {}),
        ],
        {"x": ("N", 2, 5, 6)}, ("N", 3),
        {"a": normal(4, 2, 3, 3), "m": normal(48, 3), "v": normal(3)},
        ["x = ops.relu(self.conv(x)).reshape(-1, 48)", "nn.Linear(48, 3)"],
    ),
    "silu, hard swish, gelu": (
        [
            ("Sigmoid", ["x"], ["a"], {}), ("Mul", ["x", "a"], ["b"], {}),
            ("Add", ["b", "three"], ["c"], {}), ("Clip", ["c", "zero", "six"], ["d"], {}),
            ("Mul", ["b", "d"], ["e"], {}), ("Div", ["e", "six"], ["f"], {}),
            ("Div", ["f", "root"], ["g"], {}), ("Erf", ["g"], ["h"], {}),
            ("Add", ["h", "one"], ["i"], {}), ("Mul", ["f", "i"], ["j"], {}),
            ("Mul", ["j", "half"], ["y"], {}),
        ],
        {"x": ("N", 5)}, ("N", 5),
        {k: np.float32(v) for k, v in {
            "three": 3, "zero": 0, "six": 6, "root": np.sqrt(2), "one": 1, "half": 0.5}.items()},
        ["return ops.gelu(hard_swish(ops.swish(x)))"],
    ),
    "lstm with states": (
        [
            ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
            ("LSTM", ["t", "W", "R", "B", "", "h", "c"], ["s", "hn", "cn"], {"hidden_size": 3}),
            ("Squeeze", ["s", "axis"], ["q"], {}), ("Relu", ["q"], ["r"], {}),
            ("Transpose", ["r"], ["y"], {"perm": [1, 0, 2]}),
        ],
        {"x": ("N", 5, 4), "h": (1, "N", 3), "c": (1, "N", 3)}, ("N", 5, 3),
        {**LSTM, "axis": np.array([1])},
        ["self.lstm = nn.LSTM(4, 3, return_sequences=True)", ".run(x, (h[0], c[0]))"],
    ),
    "gru both ways": (
        [
            ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
            ("GRU", ["t", "W", "R", "B"], ["s", "hn"],
             {"hidden_size": 3, "direction": "bidirectional", "linear_before_reset": 1}),
            ("Transpose", ["s"], ["u"], {"perm": [0, 2, 1, 3]}),
            ("Reshape", ["u", "sizes"], ["v"], {}),
            ("Gather", ["v", "last"], ["y"], {"axis": 0}),
        ],
        {"x": ("N", 5, 4)}, ("N", 6),
        {**BOTH, "sizes": np.array([0, 0, -1]), "last": np.array(-1)},
        ["nn.Bidirectional(nn.GRU(4, 3, return_sequences=True))", "self.gru(x)[:, -1]"],
    ),
    "pieces of an image": (
        [
            ("Conv", ["x", "a"], ["c"], {}), ("Split", ["c"], ["d", "e"], {"axis": 1}),
            ("Concat", ["e", "d"], ["f"], {"axis": 1}),
            ("Slice", ["f", "one", "far", "one"], ["g"], {}),
            ("Pad", ["g", "wide"], ["h"], {}), ("ReduceMean", ["h"], ["i"], {"axes": [2, 3]}),
            ("Mul", ["h", "i"], ["j"], {}), ("AveragePool", ["j"], ["y"], {"kernel_shape": [2, 2]}),
        ],
        {"x": ("N", 3, 6, 6)}, ("N", 3, 6, 6),
        {"a": normal(4, 3, 1, 1), "one": np.array([1]), "far": np.array([1 << 40]),
         "wide": np.array([0, 0, 1, 0, 0, 0, 0, 1])},
        ["ops.concat([y, x], axis=-1)[:, :, :, 1:]", "y * y.mean((1, 2), keepdims=True)"],
    ),
    "operators without a layer": (
        [
            ("CumSum", ["x", "axis"], ["a"], {"reverse": 1}),
            ("TopK", ["a", "two"], ["b", "c"], {}), ("Cast", ["c"], ["d"], {"to": 1}),
            ("Sub", ["b", "d"], ["e"], {}), ("Pow", ["e", "power"], ["y"], {}),
        ],
        {"x": ("N", 5)}, ("N", 2),
        {"axis": np.array(1), "two": np.array([2]), "power": np.float32(2)},
        ['operator("CumSum", x, 1, reverse=1, opset=17)', "** 2.0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_small_graphs(onnx, name, tmp_path):
    nodes, inputs, output, constants, expected = GRAPHS[name]
    path = graph_file(onnx, tmp_path / "g.onnx", nodes, inputs, {"y": output}, constants)
    x = [normal(*[4 if n == "N" else n for n in shape]) for shape in inputs.values()]
    text = same(td.load_onnx(path), tmp_path, x)
    for line in expected:
        assert line in text, text


def residual_net(onnx, path):
    """A stem and four residual blocks of three widths."""
    nodes, constants = [("Conv", ["x", "stem"], ["s0"], {})], {"stem": normal(4, 3, 1, 1)}
    before, width = "s0", 4
    for k, wide in enumerate((4, 8, 8, 8)):
        for part, (n, m, size) in {"a": (width, wide, 3), "b": (wide, wide, 3)}.items():
            constants[f"w{part}{k}"] = normal(m, n, size, size) * 0.2
            for name in ("scale", "shift", "mean", "var"):
                constants[f"{name}{part}{k}"] = np.abs(normal(m)) + 0.5
        pads, norm = {"pads": [1, 1, 1, 1]}, ("scale", "shift", "mean", "var")
        nodes += [
            ("Conv", [before, f"wa{k}"], [f"a{k}"], pads),
            ("BatchNormalization", [f"a{k}", *[f"{n}a{k}" for n in norm]], [f"b{k}"], {}),
            ("Relu", [f"b{k}"], [f"c{k}"], {}),
            ("Conv", [f"c{k}", f"wb{k}"], [f"d{k}"], pads),
            ("BatchNormalization", [f"d{k}", *[f"{n}b{k}" for n in norm]], [f"e{k}"], {}),
        ]
        last = f"e{k}"
        if width == wide:
            nodes.append(("Add", [before, f"e{k}"], [f"f{k}"], {}))
            last = f"f{k}"
        nodes.append(("Relu", [last], [f"g{k}"], {}))
        before, width = f"g{k}", wide
    nodes += [("GlobalAveragePool", [before], ["p"], {}), ("Flatten", ["p"], ["y"], {})]
    return graph_file(onnx, path, nodes, {"x": ("N", 3, 8, 8)}, {"y": ("N", 8)}, constants)


def test_blocks_that_repeat_are_classes(onnx, tmp_path):
    net = td.load_onnx(residual_net(onnx, tmp_path / "r.onnx"))
    text = same(net, tmp_path, [normal(2, 3, 8, 8)])
    tree = ast.parse(text)
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    assert list(classes) == ["Block", "Residual", "Net"]
    assert text.count("nn.BatchNorm(") == text.count("nn.Conv2d(") - 1 == 2
    assert "return ops.relu(x + self.block(x))" in text
    total = sum(a.size for a in source_of(net).arrays.values())
    assert total == sum(t.size for t in net._state().values())


# -- nothing of the file is code -------------------------------------------------------------------

HOSTILE = (
    '"""\nimport os\nos.abort()\n"""', "x'); raise SystemExit('", "}{0}{layer}", "import", "self",
    "\u202ereversed", "a\nb", "#\r\nboom()", "\\", "ﬁ", "x" * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_of_a_file_are_never_code(onnx, name, tmp_path):
    """Hostile inputs, weights, nodes, outputs, attributes and file names: the source has the same
    statements as that of a harmless file."""
    trees = []
    for word in ("it's harmless", name):
        nodes = [
            ("Conv", [word, word + "w"], [word + "c"], {}),
            ("GlobalAveragePool", [word + "c"], [word + "p"], {}),
            ("Flatten", [word + "p"], [word + "f"], {}),
            ("CumSum", [word + "f", "axis"], [word + "y"], {"reverse": 1, "told": f"; {word}"}),
        ]
        path = graph_file(
            onnx, tmp_path / "h.onnx", nodes, {word: ("N", 3, 4, 4)}, {word + "y": ("N", 2)},
            {word + "w": normal(2, 3, 1, 1), "axis": np.array(1)},
        )  # fmt: skip
        net = td.load_onnx(path)
        source, _ = written(net, tmp_path, word)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "argv", ["model.py"])
            same(net, tmp_path, [normal(2, 3, 4, 4)])
        tree = ast.parse(source.text)
        trees.append([type(node).__name__ for node in ast.walk(tree)])
        assert source.text.isascii()
    assert trees[0] == trees[1]


def test_names_become_names():
    assert identifier("input:0") == "input_0" and identifier("class") == "class_"
    assert identifier("3 'x'); import os") == "x_3_x_import_os"
    assert identifier("\n", {"x"}) == "x_" and identifier("ops") == "ops_"
    assert comment('a"""\\\n#{b}') == "a???????b?"


def test_the_command_writes_source_that_runs_on_its_own(onnx, tmp_path, capsys, monkeypatch):
    import subprocess

    from test_cli import environment, fails, prints

    net = residual_net(onnx, tmp_path / "r.onnx")
    out = prints(capsys, "import", net, "--code", tmp_path / "resnet.py")
    assert "lines of source" in out
    done = subprocess.run(
        [sys.executable, "resnet.py"], cwd=tmp_path, env=environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "tensor(" in done.stdout, done.stderr
    assert "exists already" in fails(capsys, "import", net, "--code", tmp_path / "resnet.py")
    assert "must end in .py" in fails(capsys, "import", net, "--code", tmp_path / "resnet")
