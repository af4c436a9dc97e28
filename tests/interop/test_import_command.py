"""`tinydl inspect`, `import` and `export`: a file of another library looked into, made a run folder
that the other commands take, and written again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from closeness import assert_close
from interop.onnx_files import graph_file
from interop.test_source import module_of
from support import oracle_module
from test_cli import fails, prints
from test_terminal import fits

import tinydl as td
from tinydl import nn
from tinydl.interop.pytorch.state import torch_state
from tinydl.runs.imported import ImportedRun

pytestmark = pytest.mark.oracle
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def onnx():
    for part in ("checker", "helper", "numpy_helper", "shape_inference"):
        oracle_module(f"onnx.{part}")
    return oracle_module("onnx")


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


CONV = [
    ("Conv", ["x", "w"], ["a"], {"pads": [1, 1, 1, 1]}),
    ("Relu", ["a"], ["b"], {}),
    ("GlobalAveragePool", ["b"], ["g"], {}),
    ("Flatten", ["g"], ["f"], {}),
    ("Gemm", ["f", "m"], ["s"], {}),
    ("Softmax", ["s"], ["y"], {}),
]


@pytest.fixture(scope="module")
def file(onnx, tmp_path_factory):
    """A classifier of colour pictures, whose file says how they are prepared and what is what."""
    path = tmp_path_factory.mktemp("import") / "m.onnx"
    graph_file(
        onnx, path, CONV, {"x": ("N", 3, 16, 16)}, {"y": ("N", 4)},
        {"w": normal(5, 3, 3, 3), "m": normal(5, 4)},
    )  # fmt: skip
    model = onnx.load(str(path))
    told = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_1_1"}
    for key, value in {**told, "labels": json.dumps(["ant", "bee", "cat", "dog"])}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def run(file, tmp_path_factory):
    from tinydl.command.main import main

    folder = tmp_path_factory.mktemp("run") / "run"
    assert main(["import", str(file), "--out", str(folder)]) == 0
    return folder


def picture(folder, name="a.png"):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(3).integers(0, 256, (16, 16, 3), np.uint8)
    image.fromarray(pixels).save(folder / name)
    return pixels, folder / name


def test_inspect_counts_without_importing(onnx, file, tmp_path, capsys):
    found = json.loads(prints(capsys, "inspect", file, "--json"))
    assert found["operators"] == {kind: 1 for kind, *_ in CONV}
    assert found["parameters"] == 5 * 27 + 20 and found["missing"] == {} and found["opset"] == 17
    assert found["multiply_adds"] == 16 * 16 * 5 * 27 + 20
    assert found["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["N", 3, 16, 16]}]
    nodes = [("Loop", ["x"], ["a"], {}), ("Relu", ["a"], ["y"], {}), ("Relu", ["a"], ["z"], {})]
    odd = graph_file(onnx, tmp_path / "o.onnx", nodes, {"x": (1,)}, {"y": (1,)})
    assert json.loads(prints(capsys, "inspect", odd, "--json"))["missing"] == {"Loop": ["n0"]}
    assert "not imported: Loop x 1" in prints(capsys, "inspect", odd)


def test_inspect_knows_a_file_by_its_content(tmp_path, capsys):
    td.save({"a.weight": np.zeros((2, 3), np.float32)}, tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").rename(tmp_path / "w.onnx")
    found = json.loads(prints(capsys, "inspect", tmp_path / "w.onnx", "--json"))
    assert found["tensors"] == [{"name": "a.weight", "dtype": "F32", "shape": [2, 3]}]
    assert "weights and no net" in fails(capsys, "import", tmp_path / "w.onnx", "--out", "x")
    for name, start, told in (
        ("p.onnx", b"\x80\x04\x95", "is a pickle: reading it would run code"),
        ("t.onnx", b"\x1c\0\0\0TFL3", "is a TFLite file"),
        ("j.onnx", b"{}", "is of no format that is known here"),
    ):
        (tmp_path / name).write_bytes(start + bytes(100))
        assert told in fails(capsys, "import", tmp_path / name, "--out", tmp_path / "x")


def test_what_the_file_says_of_pictures_and_classes_is_kept(run):
    config = ImportedRun(run).config
    assert config["classes"] == ["ant", "bee", "cat", "dog"]
    kept = config["picture"]
    assert (kept["channels"], kept["mean"], kept["layout"]) == ("bgr", [1.0], "channels first")
    assert kept["scale"] == pytest.approx(1 / 127.5) and config["answer"]["applied"] == "softmax"


def test_an_imported_net_classifies_as_the_file_does(onnx, file, run, tmp_path, capsys):
    pixels, path = picture(tmp_path)
    (found,) = json.loads(prints(capsys, "predict", run, path, "--json"))
    x = (pixels[:, :, ::-1].transpose(2, 0, 1)[None] / 127.5 - 1).astype(np.float32)
    evaluator = oracle_module("onnx.reference").ReferenceEvaluator(str(file))
    want = dict(zip(("ant", "bee", "cat", "dog"), evaluator.run(None, {"x": x})[0][0], strict=True))
    assert found["probabilities"] == pytest.approx(want, abs=1e-5)
    (top,) = json.loads(prints(capsys, "classify", run, path, "--top", "2", "--json"))
    assert top["top"][0]["class"] == max(want, key=want.get) == found["class"]


def test_other_commands_take_the_folder_too(run, tmp_path, capsys):
    layers = json.loads(prints(capsys, "summary", run, "--json"))["layers"]
    assert [row["layer"] for row in layers] == [kind for kind, *_ in CONV]
    assert sum(row["parameters"] for row in layers) == 155
    assert layers[0]["output_shape"] == [1, 5, 16, 16]
    dot = prints(capsys, "graph", run)
    assert dot.count("->") == len(CONV) + 1 and "135 parameters" in dot
    assert "conv2d" in prints(capsys, "profile", run, "--batches", "1")
    out = tmp_path / "again.onnx"
    prints(capsys, "export", run, "--out", out)
    x = normal(3, 3, 16, 16)
    with td.no_grad():
        assert_close(td.load_onnx(out)(x), ImportedRun(run).model()(x), 1e-5)


def test_what_is_said_fits_80_columns(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "a.onnx").write_bytes(file.read_bytes())
    for arguments in (
        ("inspect", "a.onnx"), ("import", "a.onnx", "--out", "run"), ("summary", "run"),
        ("import", "a.onnx", "--code", "m.py"), ("export", "run"),
    ):  # fmt: skip
        fits(prints(capsys, *arguments))


@pytest.mark.parametrize("name", ["keras3/sepconv.keras", "mini-xception", "keras-onnx-mnist"])
def test_keras_files_too(onnx, data_folder, name, tmp_path, capsys):
    """Looked into, as a run folder and as source, which give what the module gives."""
    oracle_module("h5py")
    place = data_folder / "models" / name
    if not place.exists():
        pytest.skip(f"no model files: {place} is not there")
    path = place if place.is_file() else next(p for p in place.iterdir() if "h" in p.suffix)
    assert json.loads(prints(capsys, "inspect", path, "--json"))["parameters"] > 2_000
    prints(capsys, "import", path, "--out", tmp_path / "run", "--code", tmp_path / "m.py")
    net, run = td.load_keras(path), ImportedRun(tmp_path / "run").model()
    x = np.abs(normal(2, *next(iter(net.inputs.values())).shape[1:]))
    with td.no_grad():
        want = net(x)
        assert_close(run(x), want, 1e-5, atol=1e-5)
        assert_close(module_of(tmp_path / "m.py").load()(x), want, 1e-5, atol=1e-5)


def test_what_does_not_fit_is_one_sentence(file, run, tmp_path, capsys):
    _, path = picture(tmp_path)
    assert "gives classes, no boxes" in fails(capsys, "detect", run, path)
    assert "takes images, no --text" in fails(capsys, "predict", run, "--text", "a")
    assert "which cannot sample" in fails(capsys, "sample", run)
    assert "name some: --dataset" in fails(capsys, "evaluate", run)
    assert "for pictures of 3 channels" in fails(
        capsys, "evaluate", run, "--dataset", "synthetic_digits"
    )
    assert "exists already" in fails(capsys, "import", file, "--out", run)
    (tmp_path / "two.txt").write_text("a\nb\n")
    new = tmp_path / "new"
    assert "names 2, the net has 4" in fails(
        capsys, "import", file, "--out", new, "--labels", tmp_path / "two.txt"
    )
    assert "'x' is no number" in fails(capsys, "import", file, "--out", new, "--scale", "x")
    assert "say what to make" in fails(capsys, "import", file)
    assert "has no input 'z'" in fails(capsys, "inspect", file, "--shape", "z=1,2")


def test_boxes_of_a_foreign_detector(onnx, tmp_path, capsys):
    """Two places, each with corners and scores of two classes; the picture is twice as large."""
    boxes = np.array([[[2, 2, 8, 8], [2, 2, 9, 8]]], np.float32)
    scores = np.array([[[9, 0], [8, 0]]], np.float32)
    nodes = [
        ("ReduceMean", ["x"], ["m"], {"keepdims": 0}),
        ("Mul", ["m", "zero"], ["n"], {}),
        ("Add", ["n", "b"], ["boxes"], {}),
        ("Add", ["n", "c"], ["scores"], {}),
    ]
    graph_file(
        onnx, tmp_path / "d.onnx", nodes, {"x": (1, 3, 16, 16)},
        {"boxes": (1, 2, 4), "scores": (1, 2, 2)},
        {"zero": np.float32(0), "b": boxes, "c": scores},
    )  # fmt: skip
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "p.png")
    prints(capsys, "import", tmp_path / "d.onnx", "--out", tmp_path / "run")
    (found,) = json.loads(prints(
        capsys, "detect", tmp_path / "run", tmp_path / "p.png", "--out", tmp_path / "o", "--json"
    ))  # fmt: skip
    assert [(b["class"], b["box"]) for b in found["boxes"]] == [("0", [4.0, 4.0, 16.0, 16.0])]


def test_weights_under_pytorchs_names():
    torch = oracle_module("torch")
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, groups=1), nn.BatchNorm(8), nn.DepthwiseConv2d(8, 3),
        nn.ConvTranspose2d(8, 6, 2, stride=2), nn.GlobalAvgPool(), nn.Linear(6, 5),
    ).eval()  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8, 1e-3),
        torch.nn.Conv2d(8, 8, 3, groups=8), torch.nn.ConvTranspose2d(8, 6, 2, stride=2),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(6, 5),
    ).eval()  # fmt: skip
    state = {k.removeprefix("layers."): torch.tensor(v) for k, v in torch_state(model).items()}
    state["6.weight"], state["6.bias"] = state.pop("5.weight"), state.pop("5.bias")
    theirs.load_state_dict(state, strict=False)
    x = normal(2, 8, 8, 3)
    with td.no_grad(), torch.no_grad():
        want = theirs(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
        assert_close(model(x), want, 1e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_weights_under_pytorchs_names(kind):
    torch = oracle_module("torch")
    model = nn.Bidirectional(getattr(nn, kind)(4, 3, return_sequences=True))
    theirs = getattr(torch.nn, kind.replace("Simple", ""))(
        4, 3, batch_first=True, bidirectional=True
    )
    theirs.load_state_dict({k: torch.tensor(v) for k, v in torch_state(model).items()})
    x = normal(2, 5, 4)
    with td.no_grad(), torch.no_grad():
        assert_close(model(x), theirs(torch.tensor(x))[0].numpy(), 1e-5)
