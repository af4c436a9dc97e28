"""`load_keras`: files of Keras give Keras's answers, and what cannot be imported is said in one
sentence."""

from __future__ import annotations

import copy
import io
import json
import os
import zipfile

import numpy as np
import pytest
from closeness import assert_close
from interop.keras_rows import ROWS, inputs_of, randomised
from support import load_backend, oracle_module

import tinydl as td
from tinydl import nn
from tinydl.errors import ConfigError, FormatError, MissingFileError, ShapeError
from tinydl.interop.keras import stored

pytestmark = pytest.mark.oracle

XCEPTION = "mini-xception/fer2013_mini_XCEPTION.102-0.66.hdf5"
FILES = {
    "keras3/sepconv.keras": ("keras3/sepconv_reference_io.npz", 2_594),
    "keras3/sepconv.h5": ("keras3/sepconv_reference_io.npz", 2_594),
    "keras3/bilstm_gru_masked.keras": ("keras3/bilstm_gru_masked_reference_io.npz", 2_365),
    "keras3/bilstm_gru_masked.h5": ("keras3/bilstm_gru_masked_reference_io.npz", 2_365),
    "keras-onnx-mnist/mnist.h5": ("keras-onnx-mnist/reference_io.npz", 34_826),
    XCEPTION: ("mini-xception/reference_io.npz", 56_951),
}


@pytest.fixture(scope="module")
def h5py():
    return oracle_module("h5py")


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    oracle_module("h5py")
    return oracle_module("keras")


@pytest.fixture
def at_once(monkeypatch):
    """HDF5 read in this process: files of Keras itself do no harm."""
    monkeypatch.setattr(stored, "APART", False)


@pytest.fixture
def models(data_folder):
    if not (data_folder / "models").is_dir():
        pytest.skip(f"no model files: {data_folder / 'models'} is not there")
    return data_folder / "models"


def tensors(value):
    value = list(value.values()) if isinstance(value, dict) else value
    return list(value) if isinstance(value, list | tuple) else [value]


def answers(net, *arrays):
    with td.no_grad():
        return tensors(net(*arrays))


PLACES = [(f, b) for f in FILES for b in ("numpy", "cpu")]
PLACES += [("keras3/bilstm_gru_masked.keras", "opencl")]


@pytest.mark.parametrize(("file", "backend"), PLACES, ids=lambda v: v.split("/")[-1])
def test_files_of_others(h5py, models, file, backend):
    """Every stored number is in the net, and its answers are those of the file's own library."""
    x, y = np.load(models / FILES[file][0]).values()
    with td.use_backend(load_backend(backend)):
        net = td.load_keras(models / file)
        (got,) = answers(net, x)
        assert_close(got.numpy(), y.reshape(got.shape), 0, atol=1e-4)
        assert net.count_parameters() == FILES[file][1]


# -- against Keras ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ROWS)
def test_every_layer_gives_keras_answers(keras, at_once, tmp_path, name):
    """Written by Keras, as .keras and as .h5 by turns, read here."""
    rng = np.random.default_rng(0)
    model = randomised(ROWS[name](keras), rng)
    arrays = inputs_of(model, rng)
    given = {"x": arrays[0]} if name == "two_outputs_by_name" else arrays
    given = given if len(arrays) > 1 or isinstance(given, dict) else arrays[0]
    want = tensors(model(given, training=False))
    single = len(model.layers) <= 2
    suffixes = ["keras", "h5"] if not single else ["h5" if list(ROWS).index(name) % 2 else "keras"]
    for suffix in suffixes:
        model.save(tmp_path / f"m.{suffix}")
        net = td.load_keras(tmp_path / f"m.{suffix}")
        got = answers(net, *arrays)
        assert len(got) == len(want)
        for mine, theirs in zip(got, want, strict=True):
            assert_close(mine.numpy(), theirs.detach().numpy(), 1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_weights_alone_go_into_a_model_of_ones_own(keras, tmp_path):
    """In both forms that Keras has for them, with gates and kernels turned."""
    layers = keras.layers
    theirs = randomised(keras.Sequential([
        layers.Input((9,), dtype="int32"), layers.Embedding(7, 6),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.Conv1D(4, 2),
        layers.BatchNormalization(), layers.GRU(5), layers.Dense(3), layers.Dense(2),
    ]), np.random.default_rng(0))  # fmt: skip
    x = np.arange(18, dtype=np.int32).reshape(2, 9) % 7
    want = theirs(x).detach().numpy()
    theirs.save_weights(tmp_path / "three.weights.h5")
    old_weights(oracle_module("h5py"), theirs, tmp_path / "two.h5")
    for file in ("three.weights.h5", "two.h5"):
        with pytest.raises(ConfigError, match="weights alone, without a configuration"):
            td.load_keras(tmp_path / file)
        mine = nn.Sequential(
            nn.Embedding(7, 6), nn.Bidirectional(nn.LSTM(6, 3, return_sequences=True)),
            nn.Conv1d(6, 4, 2), nn.BatchNorm(4), nn.GRU(4, 5), nn.Linear(5, 3), nn.Linear(3, 2),
        )  # fmt: skip
        assert td.load_keras(tmp_path / file, mine.eval()) is mine
        assert_close(answers(mine, x)[0].numpy(), want, 0, atol=1e-5)
    before = mine.state_dict()
    mine.layers[-1] = nn.Linear(3, 4)
    with pytest.raises(FormatError, match=r"layers\.6 needs .*\(3, 4\).*has .*\(3, 2\)"):
        td.load_keras(tmp_path / "two.h5", mine)
    assert_close(mine.layers[0].weight.numpy(), before["layers.0.weight"], 0)


def old_weights(h5py, model, path):
    """What `save_weights` of Keras 2 wrote."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{v.path}:0" for v in layer.weights]
            group.attrs["weight_names"] = [n.encode() for n in names]
            for name, variable in zip(names, layer.weights, strict=True):
                group[name] = variable.numpy()


# -- what an imported net is -----------------------------------------------------------------------


@pytest.fixture
def net(h5py, models):
    return td.load_keras(models / "keras3/sepconv.keras")


def test_layers_have_their_names_and_are_tinydls(net):
    assert isinstance(net.conv2d, nn.Conv2d)
    assert "conv2d.weight" in dict(net.named_parameters())
    assert "conv2d: Conv2d(3, 16, (3, 3), padding='same')" in repr(net)
    assert [w.shape for w in net.inputs.values()] == [(None, 32, 32, 3)]
    found = str(nn.summary(net, (32, 32, 3)))
    assert "separable_conv2d" in found
    assert "2,594" in found


def test_an_imported_net_learns_with_another_head(net):
    """The usual way of fine-tuning: keep what is there, exchange the last layer."""
    rng = td.seed(0)
    net.freeze()
    net.dense, net.dense_softmax = nn.Linear(8, 2), nn.Identity()
    x = rng.normal((32, 32, 32, 3))
    y = (x[..., 0].mean((1, 2)) > 0).astype(np.int64)
    x[y == 1] += 0.5
    history = td.train.fit(net, (x, y), "cross_entropy", "adam", epochs=3, batch_size=8)
    assert history["loss"][-1] < history["loss"][0]
    assert net.conv2d.weight.grad is None


def test_a_copy_computes_the_same(net):
    x = np.ones((1, 32, 32, 3), np.float32)
    assert_close(answers(copy.deepcopy(net), x)[0].numpy(), answers(net, x)[0].numpy(), 0)
    with pytest.raises(ShapeError, match=r"input_layer must be \(\?, 32, 32, 3\), got"):
        net(np.ones((1, 32, 32, 1), np.float32))


# -- what is refused -------------------------------------------------------------------------------


def described(path, layers, name="config.json", **more):
    """A .keras file of these layers with the weights of a Dense(2, 3)."""
    h5py = oracle_module("h5py")
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = np.ones((2, 3)), np.ones(3)
    config = {"class_name": "Sequential", "module": "keras", "config": {
        "name": "s", "layers": layers}}  # fmt: skip
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, json.dumps({**config, **more}))
        file.writestr("model.weights.h5", weights.getvalue())
    return path


def layer(kind, module="keras.layers", **config):
    return {"class_name": kind, "module": module, "config": {"name": kind.lower(), **config}}


def test_everything_unsupported_is_said_at_once(h5py, tmp_path):
    path = described(tmp_path / "m.keras", [
        layer("Lambda", function="4wE"), layer("Dense", units=3, activation="Mine>wave"),
        layer("MyLayer", module="__main__"), layer("Conv3D"), layer("ConvLSTM2D"),
        layer("GRU", units=2, recurrent_activation="wave"),
        layer("Bidirectional", layer=layer("RNN")),
    ])  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        td.load_keras(path)
    for part in (
        "Lambda (code in the file, which is never run) x 1: 'lambda'",
        "Dense (activation 'Mine>wave') x 1: 'dense'",
        "'__main__.MyLayer' (not a layer of Keras) x 1", "Conv3D x 1", "ConvLSTM2D x 1",
        "GRU (recurrent_activation 'wave') x 1", "Bidirectional (of 'RNN') x 1",
    ):  # fmt: skip
        assert part in str(caught.value)


def test_what_is_no_keras_file(h5py, models, tmp_path):
    cases = {
        b"": (FormatError, "is empty"),
        b"hello world": (FormatError, "neither .keras"),
        b"\x89HDF\r\n\x1a\n" + bytes(90): (FormatError, "damaged"),
        (models / "basic-pitch/nmp.tflite").read_bytes(): (ConfigError, "TensorFlow Lite file"),
        b"PK\x05\x06" + bytes(18): (FormatError, "without config.json and model.weights.h5"),
    }
    for content, (kind, message) in cases.items():
        (tmp_path / "m.keras").write_bytes(content)
        with pytest.raises(kind, match=message):
            td.load_keras(tmp_path / "m.keras")
    with pytest.raises(MissingFileError):
        td.load_keras(tmp_path / "nothing.h5")


LIES = {
    "lacks weights: 'dense2' kernel, 'dense2' bias": [
        layer("Dense", units=3), layer("Dense", units=3) | {"name": "dense2"}],
    r"kernel is \(2, 3\), its configuration says \(\?, 4\)": [layer("Dense", units=4)],
    "units is -3, not a whole number": [layer("Dense", units=-3)],
    "units is 1000000000": [layer("Dense", units=10**9)],
    "two layers are called": [layer("Flatten"), layer("Flatten")],
    "without a class": ["Dense"],
    "has no layers": [],
}  # fmt: skip


@pytest.mark.parametrize("message", LIES)
def test_lies_in_the_configuration(h5py, tmp_path, message):
    with pytest.raises(FormatError, match=message):
        td.load_keras(described(tmp_path / "m.keras", LIES[message]))


def test_a_cycle_is_found(h5py, tmp_path):
    dense = layer("ReLU") | {"name": "a", "inbound_nodes": [[["b", 0, 0, {}]]]}
    other = layer("ReLU") | {"name": "b", "inbound_nodes": [[["a", 0, 0, {}]]]}
    start = layer("InputLayer", batch_shape=[None, 3]) | {"name": "i", "inbound_nodes": []}
    config = {"layers": [start, dense, other], "input_layers": [["i", 0, 0]],
              "output_layers": [["a", 0, 0]], "name": "m"}  # fmt: skip
    path = described(tmp_path / "m.keras", [], class_name="Functional", config=config)
    with pytest.raises(FormatError, match="what comes after it: a cycle"):
        td.load_keras(path)


def test_an_input_that_is_named_twice(h5py, tmp_path):
    start = layer("InputLayer", batch_shape=[None, 3]) | {"name": "i", "inbound_nodes": []}
    after = layer("ReLU") | {"name": "a", "inbound_nodes": [[["i", 0, 0, {}]]]}
    config = {"layers": [start, after], "input_layers": [["i", 0, 0], ["i", 0, 0]],
              "output_layers": [["a", 0, 0]], "name": "m"}  # fmt: skip
    path = described(tmp_path / "m.keras", [], class_name="Functional", config=config)
    with pytest.raises(FormatError, match="m: an input is named twice among"):
        td.load_keras(path)


def test_hdf5_that_lies(h5py, tmp_path):
    """Links out of the file, numbers kept elsewhere, arrays larger than what is stored."""
    path = tmp_path / "m.h5"

    def write(name, how):
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [b"d"]
            how(file.create_group("d"))

    cases = {
        "is a link": lambda g: g.__setitem__("kernel", h5py.ExternalLink("other.h5", "/x")),
        "elsewhere|outside": lambda g: g.create_dataset(
            "kernel", (2, 2), "f4", external=[("/etc/passwd", 0, 16)]
        ),
        "claims 4000000000000 bytes": lambda g: g.create_dataset("kernel", (10**6, 10**6), "f4"),
        "is in itself": lambda g: g.__setitem__("again", g),
    }
    for message, how in cases.items():
        write(message, how)
        with pytest.raises(FormatError, match=message):
            td.load_keras(path, nn.Linear(2, 2))


def test_a_library_that_hangs_or_crashes(h5py, models, monkeypatch, tmp_path):
    """HDF5's library does both on some damaged files: it runs in a process of its own."""
    file = models / "keras3/sepconv.h5"
    for code, message in {
        "import os; os.kill(os.getpid(), 11)": r"ends its process \(-11\)",
        "import time; time.sleep(9)": "does not come back",
    }.items():
        (tmp_path / "hdf5.py").write_text(code)
        monkeypatch.setattr(stored.hdf5, "__file__", str(tmp_path / "hdf5.py"))
        monkeypatch.setattr(stored, "SECONDS", 0.5)
        with pytest.raises(FormatError, match=message):
            td.load_keras(file)


@pytest.mark.filterwarnings("ignore")
def test_old_hard_sigmoid_is_told_by_the_version(keras, models, tmp_path, h5py):
    """Keras 2's gates are 0.2 x + 0.5, those of Keras 3 x / 6 + 0.5: one file, two versions."""
    model = randomised(keras.Sequential([
        keras.layers.Input((4, 2)), keras.layers.LSTM(3, recurrent_activation="hard_sigmoid"),
    ]), np.random.default_rng(0))  # fmt: skip
    model.save(tmp_path / "m.h5")
    x = np.random.default_rng(1).normal(size=(2, 4, 2)).astype(np.float32)
    (new,) = answers(td.load_keras(tmp_path / "m.h5"), x)
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file.attrs["keras_version"] = "2.2.4"
    old = td.load_keras(tmp_path / "m.h5")
    mine = nn.LSTM(2, 3, gate=td.hard_sigmoid)
    mine.load_state_dict({k.partition(".")[2]: v for k, v in old.state_dict().items()})
    assert_close(answers(old, x)[0].numpy(), answers(mine, x)[0].numpy(), 1e-6)
    assert abs(answers(old, x)[0].numpy() - new.numpy()).max() > 1e-3
