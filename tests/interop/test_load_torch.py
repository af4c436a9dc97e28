"""`load_torch`: a state_dict of PyTorch computes in a model of tinydl's what it computed there."""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest
from closeness import assert_close
from support import load_backend, oracle_module

import tinydl as td
from tinydl import nn, ops
from tinydl.errors import ConfigError, FormatError, MissingFileError
from tinydl.interop.pytorch.load import COUNTED
from tinydl.interop.pytorch.state import torch_state
from tinydl.tensor import Tensor


@pytest.fixture
def models(data_folder):
    if not (data_folder / "models").is_dir():
        pytest.skip(f"no model files: {data_folder / 'models'} is not there")
    return data_folder / "models"


def answer(model, *arrays):
    with td.no_grad():
        return model.eval()(*arrays).numpy()


# -- files of others -------------------------------------------------------------------------------


class Perceptron(nn.Module):
    def __init__(self):
        self.l1, self.l2 = nn.Linear(784, 128, bias=False), nn.Linear(128, 10, bias=False)

    def forward(self, x):
        return self.l2(ops.leaky_relu(self.l1(x), 0.01))


class Block(nn.Module):
    """A convolution and a depthwise one with batch norm, silu, beside a 1x1 convolution."""

    def __init__(self, C, F, stride):
        self.a = nn.Conv2d(C, F, 3, stride, 1, bias=False)
        self.b, self.d = nn.BatchNorm(F, eps=1e-5), nn.BatchNorm(F, eps=1e-5)
        self.c = nn.DepthwiseConv2d(F, 3, 1, 1, bias=False)
        self.s = nn.Conv2d(C, F, 1, stride)

    def forward(self, x):
        y = self.d(self.c(ops.swish(self.b(self.a(x)))))
        return ops.relu(y + self.s(x))


class Residual(nn.Module):
    def __init__(self):
        pool = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.f = nn.Sequential(Block(3, 16, 1), Block(16, 24, 2), pool, Block(24, 32, 2))
        self.n, self.h = nn.LayerNorm(32, eps=1e-5), nn.Linear(32, 10)

    def forward(self, x):
        return self.h(self.n(ops.global_avg_pool(self.f(x))))


class Tagger(nn.Module):
    def __init__(self):
        self.emb, self.out = nn.Embedding(50, 16), nn.Linear(48, 7)
        self.rnn = nn.StackedRNN.of(
            nn.LSTM, 16, 24, 2, bidirectional="concat", return_sequences=True
        )

    def forward(self, x):
        return self.out(self.rnn(self.emb(x)))


class Silero(nn.Module):
    """Voice activity: magnitudes of a learned Fourier transform, four convolutions, an LSTM."""

    def __init__(self):
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        sizes = ((129, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1))
        convs = [nn.Conv1d(C, F, 3, stride, 1) for C, F, stride in sizes]
        self.conv1, self.conv2, self.conv3, self.conv4 = convs
        self.lstm_cell, self.final_conv = nn.LSTM(128, 128), nn.Conv1d(128, 1, 1)

    def forward(self, frame, state):
        """(N, 576), the windows of one recording, and (h, c) -> probability of speech (N,),
        state."""
        x = ops.pad(ops.expand_dims(frame, 2), ((0, 0), (0, 64), (0, 0)), mode="reflect")
        y = self.stft_conv(x)
        x = ops.sqrt(y[..., :129] ** 2 + y[..., 129:] ** 2)
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = ops.relu(conv(x))
        states, state = self.lstm_cell.run(ops.swapaxes(x, 0, 1), state)
        return ops.sigmoid(self.final_conv(ops.relu(states)))[0, :, 0], state


class Spelling(nn.Module):
    """A word as letters, read by one GRU; another writes its sounds, greedily."""

    def __init__(self):
        self.enc_emb, self.dec_emb = nn.Embedding(29, 256), nn.Embedding(74, 256)
        self.enc, self.dec = nn.GRU(256, 256), nn.GRU(256, 256)
        self.fc = nn.Linear(256, 74)

    def forward(self, letters):
        _, h = self.enc.run(self.enc_emb(letters))
        token, found = 2, []
        while token != 3 and len(found) < 20:
            _, h = self.dec.run(self.dec_emb(Tensor([[token]], dtype="int64")), h)
            token = int(self.fc(h).numpy().argmax())
            found.append(token)
        return found[:-1]


SPELLING = {
    "enc_emb": "enc_emb.weight", "dec_emb": "dec_emb.weight", "fc_w": "fc.weight",
    "fc_b": "fc.bias",
    **{f"{part}_{kind}_{gate}": f"{part}.{word}_{gate}_l0"
       for part in ("enc", "dec") for gate in ("ih", "hh")
       for kind, word in (("w", "weight"), ("b", "bias"))},
}  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_a_separable_residual_net(models, backend):
    with td.use_backend(load_backend(backend)):
        net = Residual()
        loaded = td.load_torch(models / "torch-export/sepres.safetensors", net)
        x, want = np.load(models / "torch-export/sepres_reference_io.npz").values()
        assert_close(answer(net, x.transpose(0, 2, 3, 1)), want, 0, atol=1e-4)
    assert str(loaded).endswith("40 arrays taken over")
    assert "transposed" in str(loaded)


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_a_bidirectional_tagger_of_two_layers(models, backend):
    with td.use_backend(load_backend(backend)):
        net = Tagger()
        loaded = td.load_torch(models / "torch-export/bilstm_tagger.safetensors", net)
        x, want = np.load(models / "torch-export/bilstm_tagger_reference_io.npz").values()
        assert_close(answer(net, x), want, 0, atol=1e-4)
    assert "two biases added" in str(loaded)
    assert not loaded.missing + loaded.left_over + loaded.unfit


def test_the_digits_perceptron(models):
    net = Perceptron()
    td.load_torch(models / "safetensors-mnist/model.safetensors", net)
    stored = td.load(models / "safetensors-mnist/model.safetensors")
    x = np.random.default_rng(0).random((5, 784), np.float32)
    hidden = x @ stored["l1.weight"].T
    want = np.where(hidden > 0, hidden, 0.01 * hidden) @ stored["l2.weight"].T
    assert_close(answer(net, x), want, 0, atol=1e-4)
    try:
        digits = td.data.mnist()
    except td.TinydlError as error:
        pytest.skip(f"no MNIST here: {error}")
    right = (
        answer(net, digits.x_test.reshape(-1, 784).astype(np.float32)).argmax(1) == digits.y_test
    )
    assert round(float(right.mean()), 3) == 0.910


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_voice_activity(models, backend):
    """Speech and silence of three spoken digits: as the ONNX file beside it, whose weights are of
    another training, in 77 of 81 windows."""
    arrays = np.load(models / "silero-vad/reference_io.npz")
    with td.use_backend(load_backend(backend)):
        net = Silero()
        td.load_torch(models / "silero-vad/silero_vad_16k.safetensors", net)
        found, _ = spoken(net, arrays["in_input"])
    same = (found > 0.5) == (arrays["out_speech_probs"] > 0.5)
    assert same.sum() >= 77


def spoken(net, windows):
    with td.no_grad():
        probabilities, state = net.eval()(td.tensor(windows), None)
    return probabilities.numpy(), state


@pytest.mark.oracle
def test_voice_activity_with_the_weights_of_the_onnx_file(models, tmp_path):
    """The same net rebuilt in code gives onnxruntime's numbers, from names that are mapped."""
    onnx = oracle_module("onnx")
    graph = onnx.load(models / "silero-vad/silero_vad_16k_sequence.onnx").graph
    state = {t.name: oracle_module("onnx.numpy_helper").to_array(t) for t in graph.initializer}

    def in_order(weight):
        i, o, f, c = np.split(weight, 4)
        return np.concatenate([i, f, c, o])

    lstm = [state.pop(f"onnx::LSTM_{k}")[0] for k in (209, 210, 211)]
    biases = np.split(lstm[2], 2)
    for name, array in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), [*lstm[:2], *biases],
                           strict=True):  # fmt: skip
        state[f"recurrent.{name}_l0"] = in_order(array)
    td.save(state, tmp_path / "onnx.safetensors")
    names = {f"encoder.{k}": f"conv{k + 1}" for k in range(4)} | {"recurrent": "lstm_cell"}
    names |= {"output": "final_conv", "stft.forward_basis_buffer": "stft_conv.weight"}
    net, arrays = Silero(), np.load(models / "silero-vad/reference_io.npz")
    td.load_torch(tmp_path / "onnx.safetensors", net, names)
    found, (h, _) = spoken(net, arrays["in_input"])
    assert_close(found, arrays["out_speech_probs"], 0, atol=1e-4)
    assert_close(h.numpy(), arrays["out_hn"][0], 0, atol=1e-4)


@pytest.mark.parametrize("backend", ["cpu", "opencl"])
def test_how_words_sound(models, backend):
    """G R EY1 D IY0 AH0 N T, from an .npz file whose names are not PyTorch's."""
    told = json.loads((models / "g2p-gru/reference.json").read_text())
    with td.use_backend(load_backend(backend)), td.no_grad():
        net = Spelling().eval()
        td.load_torch(models / "g2p-gru/checkpoint20.npz", net, names=SPELLING)
        for word, sounds in told["greedy"].items():
            letters = [told["graphemes"].index(c) for c in word] + [2]
            found = net(Tensor([letters], dtype="int64"))
            assert " ".join(told["phonemes"][i] for i in found) == sounds
    assert told["greedy"]["gradient"] == "G R EY1 D IY0 AH0 N T"


# -- against PyTorch -------------------------------------------------------------------------------

SEQUENCE, IMAGE = (2, 5, 6), (2, 6, 7, 8)  # tinydl's layout
LAYERS = {
    "linear": (lambda t: t.nn.Linear(6, 3), lambda: nn.Linear(6, 3), SEQUENCE),
    "conv1d": (lambda t: t.nn.Conv1d(6, 4, 3, 2, 1), lambda: nn.Conv1d(6, 4, 3, 2, 1), SEQUENCE),
    "conv2d": (lambda t: t.nn.Conv2d(8, 4, (3, 2), 2, 1, bias=False),
               lambda: nn.Conv2d(8, 4, (3, 2), 2, 1, bias=False), IMAGE),
    "conv2d-groups": (lambda t: t.nn.Conv2d(8, 4, 3, groups=2, dilation=2),
                      lambda: nn.Conv2d(8, 4, 3, groups=2, dilation=2), IMAGE),
    "depthwise": (lambda t: t.nn.Conv2d(8, 16, 3, groups=8),
                  lambda: nn.DepthwiseConv2d(8, 3, multiplier=2), IMAGE),
    "transpose": (lambda t: t.nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, groups=2),
                  lambda: nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, groups=2), IMAGE),
    "batch": (lambda t: t.nn.BatchNorm2d(8), lambda: nn.BatchNorm(8, eps=1e-5), IMAGE),
    "layer": (lambda t: t.nn.LayerNorm(6), lambda: nn.LayerNorm(6, eps=1e-5), SEQUENCE),
    "group": (lambda t: t.nn.GroupNorm(2, 8), lambda: nn.GroupNorm(2, 8, eps=1e-5), IMAGE),
    "rnn": (lambda t: t.nn.RNN(6, 3, batch_first=True),
            lambda: nn.SimpleRNN(6, 3, return_sequences=True), SEQUENCE),
    "lstm": (lambda t: t.nn.LSTM(6, 3, batch_first=True),
             lambda: nn.LSTM(6, 3, return_sequences=True), SEQUENCE),
    "lstm-no-bias": (lambda t: t.nn.LSTM(6, 3, batch_first=True, bias=False),
                     lambda: nn.LSTM(6, 3, return_sequences=True), SEQUENCE),
    "gru": (lambda t: t.nn.GRU(6, 3, batch_first=True),
            lambda: nn.GRU(6, 3, return_sequences=True), SEQUENCE),
    "gru-both": (lambda t: t.nn.GRU(6, 3, 2, batch_first=True, bidirectional=True),
                 lambda: nn.StackedRNN.of(nn.GRU, 6, 3, 2, bidirectional="concat",
                                          return_sequences=True), SEQUENCE),
    "lstm-both": (lambda t: t.nn.LSTM(6, 3, batch_first=True, bidirectional=True),
                  lambda: nn.Bidirectional(nn.LSTM(6, 3, return_sequences=True)), SEQUENCE),
    "attention": (lambda t: t.nn.MultiheadAttention(6, 2, batch_first=True),
                  lambda: nn.MultiHeadAttention(6, 2), SEQUENCE),
    "attention-apart": (lambda t: t.nn.MultiheadAttention(6, 2, kdim=4, vdim=3, batch_first=True),
                        lambda: nn.MultiHeadAttention(6, 2, key_size=4, value_size=3), None),
    "sequential": (lambda t: t.nn.Sequential(t.nn.Linear(6, 4), t.nn.ReLU(), t.nn.Sequential(
        t.nn.Linear(4, 4), t.nn.Linear(4, 2))), lambda: nn.Sequential(
        nn.Linear(6, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))), SEQUENCE),
    "parallel": (lambda t: t.nn.DataParallel(t.nn.Linear(6, 4)), lambda: nn.Linear(6, 4), SEQUENCE),
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_gives_pytorchs_answers(name, tmp_path):
    torch, safetensors = oracle_module("torch"), oracle_module("safetensors.torch")
    torch.manual_seed(0)
    make, mine, shape = LAYERS[name]
    theirs = make(torch).eval()
    with torch.no_grad():
        for tensor in theirs.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.1, 0.9)
    safetensors.save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    layer = mine()
    td.load_torch(tmp_path / "w.safetensors", layer)
    rng = np.random.default_rng(0)
    shapes = [(2, 5, 6), (2, 4, 4), (2, 4, 3)] if shape is None else [shape]
    shapes = shapes * 3 if name == "attention" else shapes
    arrays = [rng.normal(size=s).astype(np.float32) for s in shapes]
    first = name in (
        "conv1d",
        "conv2d",
        "conv2d-groups",
        "depthwise",
        "transpose",
        "batch",
        "group",
    )
    given = [torch.from_numpy(np.moveaxis(a, -1, 1).copy() if first else a) for a in arrays]
    with torch.no_grad():
        want = getattr(theirs, "module", theirs)(*given)
    want = want[0] if isinstance(want, tuple) else want
    want = np.moveaxis(want.numpy(), 1, -1) if first else want.numpy()
    assert_close(answer(layer, *arrays), want, 0, atol=1e-5)
    again = torch_state(layer)  # and back
    for key, tensor in getattr(theirs, "module", theirs).state_dict().items():
        if key in again and "bias" not in key:
            assert_close(again[key], tensor.numpy(), 0)
    assert set(getattr(theirs, "module", theirs).state_dict()) - set(again) <= {COUNTED}


# -- what is refused -------------------------------------------------------------------------------


def saved(path, **arrays):
    td.save(arrays, path)
    return path


def test_everything_that_does_not_fit_is_said_at_once(tmp_path):
    path = saved(
        tmp_path / "w.safetensors", **{"0.weight": np.ones((4, 3)), "0.bias": np.ones(2),
        "2.weight": np.ones((2, 4)), "running": np.ones(3), "2.num_batches_tracked": np.ones(1)},
    )  # fmt: skip
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    before = model.state_dict()
    with pytest.raises(FormatError) as caught:
        td.load_torch(path, model)
    for part in (
        "'0.bias' is (2,), layers.0.bias shape: needs (4,)", "'running' is left over",
        "layers.2.bias: missing: 2.bias",
    ):  # fmt: skip
        assert part in str(caught.value)
    assert_close(model.layers[0].weight.numpy(), before["layers.0.weight"], 0)
    loaded = td.load_torch(path, model, strict=False)
    assert (loaded.missing, loaded.left_over, loaded.unfit) == (
        ["layers.2.bias"], ["running"], ["layers.0.bias"],
    )  # fmt: skip
    assert str(loaded).endswith("2 arrays taken over, 1 missing, 1 left over, 1 of another shape")
    assert_close(model.layers[0].weight.numpy(), np.ones((3, 4)), 0)


def test_a_gru_that_cannot_hold_both_biases(tmp_path):
    state = {"weight_ih_l0": np.ones((6, 4)), "weight_hh_l0": np.ones((6, 2))}
    path = saved(tmp_path / "w.safetensors", **state, bias_ih_l0=np.ones(6), bias_hh_l0=np.ones(6))
    with pytest.raises(FormatError, match=r"two biases.*reset_after=True"):
        td.load_torch(path, nn.GRU(4, 2, reset_after=False))
    td.load_torch(path, nn.GRU(4, 2))


def test_names_that_are_mapped(tmp_path):
    path = saved(tmp_path / "w.safetensors", **{"a.weight": np.ones((2, 3)), "b": np.ones(2)})
    model = nn.Linear(3, 2)
    td.load_torch(path, model, names={"a": "", "b": "bias"})
    assert_close(model.bias.numpy(), np.ones(2), 0)
    with pytest.raises(ConfigError, match="the file has no 'c' for names to change"):
        td.load_torch(path, model, names={"c": "bias"})
    with pytest.raises(ConfigError, match="names makes two arrays 'b'"):
        td.load_torch(path, model, names={"a.weight": "b"})


def test_halves_of_other_libraries(tmp_path):
    """BF16 is the upper half of a float32, F16 is rounded."""
    header = json.dumps({
        "weight": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]},
        "bias": {"dtype": "F16", "shape": [1], "data_offsets": [4, 6]},
    }).encode()  # fmt: skip
    data = np.array([0x3F80, 0xC000], "<u2").tobytes() + np.float16(0.5).tobytes()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    model = nn.Linear(2, 1)
    td.load_torch(path, model)
    assert_close(model.weight.numpy(), np.array([[1.0], [-2.0]]), 0)
    assert_close(model.bias.numpy(), np.array([0.5]), 0)


class Mean:
    """What a pickle may do when it is opened."""

    def __reduce__(self):
        return (print, ("a pickle ran",))


def test_pickles_are_refused_with_the_lines_that_convert_them(tmp_path, capsys):
    arrays = np.empty(1, object)
    arrays[0] = Mean()
    content = pickle.dumps(Mean())
    (tmp_path / "old.pth").write_bytes(content)
    (tmp_path / "m.lz4").write_bytes(b"\x04\x22\x4d\x18" + content)
    np.savez(tmp_path / "o.npz", a=arrays)
    for name, inside in (("new.pt", "archive/data.pkl"), ("script.pt", "s/code/x.py")):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr(inside, content)
            file.writestr("s/data.pkl", content)
    lines = {
        "old.pth": "save_file.*torch.load", "new.pt": "save_file.*torch.load",
        "script.pt": "torch.jit.load", "m.lz4": "joblib.load", "o.npz": "np.savez",
    }  # fmt: skip
    for name, line in lines.items():
        with pytest.raises(ConfigError, match=f"(?s)is not read; these two lines.*{line}"):
            td.load_torch(tmp_path / name, nn.Linear(1, 1))
    assert capsys.readouterr().out == ""


def test_other_files(models, tmp_path):
    cases = {
        models / "keras3/sepconv.h5": "td.load_keras reads it",
        models / "basic-pitch/nmp.tflite": "TensorFlow Lite file",
        models / "keras3/sepconv.keras": "neither .npz nor PyTorch's",
        models / "onnx-mnist/model.onnx": "neither a safetensors nor an .npz file",
    }
    for path, message in cases.items():
        with pytest.raises((ConfigError, FormatError), match=message):
            td.load_torch(path, nn.Linear(1, 1))
    with pytest.raises(MissingFileError):
        td.load_torch(tmp_path / "w.safetensors", nn.Linear(1, 1))
    with pytest.raises(ConfigError, match="model must be a Module"):
        td.load_torch(models / "safetensors-mnist/model.safetensors", 3)
