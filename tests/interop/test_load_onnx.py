"""`load_onnx`: files of other libraries give the answers that onnxruntime gave, and what cannot be
imported is said in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from closeness import assert_close
from interop.onnx_files import FILES, graph_file, reference
from support import load_backend, oracle_module

import tinydl as td
from tinydl.errors import ConfigError, FormatError, MissingFileError, ShapeError
from tinydl.nn import Buffer, Parameter

pytestmark = pytest.mark.oracle
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def onnx():
    found = oracle_module("onnx")
    for part in ("checker", "helper", "numpy_helper"):
        oracle_module(f"onnx.{part}")
    return found


@pytest.fixture
def models(data_folder):
    if not (data_folder / "models").is_dir():
        pytest.skip(f"no model files: {data_folder / 'models'} is not there")
    return data_folder / "models"


def run(net, *arrays):
    with td.no_grad():
        found = net(*arrays)
    return found if isinstance(found, tuple) else (found,)


SMALL = ("onnx-mnist/model.onnx", "torch-export/sepres_dynamo.onnx")
PLACES = [(f, "numpy") for f in FILES] + [(f, "cpu") for f in FILES]
PLACES += [(f, "opencl") for f in SMALL]


@pytest.mark.parametrize(("file", "backend"), PLACES, ids=lambda v: v.split("/")[-1])
def test_files_of_others(onnx, models, file, backend):
    """Twice: the first call makes the plan, the second follows it."""
    place = load_backend(backend)
    with td.use_backend(place):
        net = td.load_onnx(models / file)
        inputs, outputs = reference(models, file, net)
        first = run(net, *inputs)
        for results in (first, run(net, *inputs) if backend == "cpu" else first):
            for got, want in zip(results, outputs, strict=True):
                assert got.dtype == want.dtype
                assert_close(got, want, 0, atol=FILES[file][1])


def test_every_stored_number_of_a_convolutional_net_is_a_parameter(onnx, models):
    net = td.load_onnx(models / "torch-export/sepres_dynamo.onnx")
    stored = td.load(models / "torch-export/sepres.safetensors")
    assert net.count_parameters() == 13258 <= sum(a.size for a in stored.values())
    assert "f.0.a.weight" in dict(net.named_parameters())


def test_the_digit_classifier_knows_the_digits(onnx, models, data_folder, monkeypatch):
    """98.9 % of MNIST's test pictures, as the card of the file says."""
    net = td.load_onnx(models / "onnx-mnist/model.onnx")
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    pictures, labels = digits()
    (scores,) = zip(*[run(net, pictures[i : i + 1]) for i in range(300)], strict=True)
    right = np.concatenate([s.numpy() for s in scores]).argmax(1) == labels
    assert right.mean() >= 0.97


def digits():
    from tinydl import data

    found = data.mnist()
    pictures = np.asarray(found.x_test[:300], np.float32)
    pictures = pictures * 255 if pictures.max() <= 1 else pictures
    return pictures.reshape(-1, 1, 28, 28), np.asarray(found.y_test[:300])


# -- layouts ---------------------------------------------------------------------------------------


def transposes(net, *arrays):
    """How many operations move elements between layouts."""
    seen = []
    run(net, *arrays)
    with td.instruments.watching(lambda function, *rest: seen.append(function.name)):
        run(net, *arrays)
    return sum("ranspose" in name for name in seen)


def conv_chain(onnx, path, channels=3):
    """Conv, BatchNormalization, Relu, MaxPool, Conv, Add of a vector per channel, global mean."""
    C = channels
    constants = {
        "w1": RNG.normal(size=(C, C, 3, 3)).astype(np.float32),
        "w2": RNG.normal(size=(C, C, 1, 1)).astype(np.float32),
        "scale": np.ones(C, np.float32) * 2,
        "shift": np.ones(C, np.float32),
        "mean": np.zeros(C, np.float32),
        "var": np.ones(C, np.float32),
        "b": RNG.normal(size=(C, 1, 1)).astype(np.float32),
    }
    nodes = [
        ("Conv", ["x", "w1"], ["a"], {"pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["n"], {}),
        ("Relu", ["n"], ["r"], {}),
        ("MaxPool", ["r"], ["p"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", ["p", "w2"], ["c"], {}),
        ("Add", ["c", "b"], ["s"], {}),
        ("GlobalAveragePool", ["s"], ["g"], {}),
        ("Flatten", ["g"], ["y"], {}),
    ]
    return graph_file(
        onnx, path, nodes, {"x": ("N", C, "H", "W")}, {"y": ("N", C)}, constants
    ), constants  # fmt: skip


def test_images_run_with_the_channels_last_from_border_to_border(onnx, tmp_path):
    """One transposition as the image comes in; none of the vector that is added, and none at the
    end, where only one place is left."""
    path, _ = conv_chain(onnx, tmp_path / "m.onnx")
    net = td.load_onnx(path)
    x = RNG.normal(size=(2, 3, 8, 6)).astype(np.float32)
    assert transposes(net, x) == 1
    session = onnx_reference(onnx, path)
    assert_close(run(net, x)[0], session.run(None, {"x": x})[0], 1e-5)


def onnx_reference(onnx, path):
    return oracle_module("onnx.reference").ReferenceEvaluator(str(path))


def test_an_exporters_pair_of_transposes_costs_nothing(onnx, tmp_path):
    """tf2onnx writes them around every convolution."""
    w = RNG.normal(size=(4, 3, 3, 3)).astype(np.float32)
    path = graph_file(
        onnx, tmp_path / "m.onnx",
        [
            ("Transpose", ["x"], ["a"], {"perm": [0, 3, 1, 2]}),
            ("Conv", ["a", "w"], ["b"], {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
            ("Transpose", ["b"], ["y"], {"perm": [0, 2, 3, 1]}),
        ],
        {"x": (1, 8, 8, 3)}, {"y": (1, 4, 4, 4)}, {"w": w},
    )  # fmt: skip
    net = td.load_onnx(path)
    x = RNG.normal(size=(1, 8, 8, 3)).astype(np.float32)
    assert transposes(net, x) == 0
    assert_close(run(net, x)[0], onnx_reference(onnx, path).run(None, {"x": x})[0], 1e-5)


# -- a module like any other -----------------------------------------------------------------------


def test_weights_have_the_names_of_the_file_and_train(onnx, tmp_path):
    path, constants = conv_chain(onnx, tmp_path / "m.onnx")
    net = td.load_onnx(path)
    names = dict(net.named_parameters())
    assert set(names) == {"w1", "w2", "scale", "shift", "b"}
    assert set(dict(net.named_buffers())) == {"mean", "var"}
    assert all(isinstance(p, Parameter) for p in names.values())
    assert isinstance(dict(net.named_buffers())["mean"], Buffer)
    assert net.count_parameters() == sum(constants[n].size for n in names)
    x, target = RNG.normal(size=(4, 3, 8, 8)).astype(np.float32), td.tensor([0, 1, 2, 0])
    step, losses = td.optim.SGD(net.parameters(), lr=0.05), []
    for _ in range(12):
        net.zero_grad()
        loss = td.nn.cross_entropy(net(x), target)
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_state_copies_and_moves(onnx, tmp_path):
    import copy

    path, _ = conv_chain(onnx, tmp_path / "m.onnx")
    net, other = td.load_onnx(path), td.load_onnx(path)
    x = RNG.normal(size=(1, 3, 8, 8)).astype(np.float32)
    before = run(net, x)[0].numpy()
    net.w1.assign(net.w1.numpy() * 2)
    copied = copy.deepcopy(net)
    net.load_state_dict(other.state_dict())
    assert_close(run(net, x)[0], before, 1e-6)  # the second call is the compiled one
    assert np.abs(run(copied, x)[0].numpy() - before).max() > 1e-3
    moved = other.to("numpy")
    assert_close(run(moved, td.tensor(x, backend="numpy"))[0], before, 1e-5)


def test_dotted_names_become_modules(onnx, tmp_path):
    w = RNG.normal(size=(3, 2)).astype(np.float32)
    path = graph_file(
        onnx, tmp_path / "m.onnx", [("MatMul", ["x", "head.0.weight"], ["y"], {})],
        {"x": ("N", 3)}, {"y": ("N", 2)}, {"head.0.weight": w},
    )  # fmt: skip
    net = td.load_onnx(path)
    assert [n for n, _ in net.named_parameters()] == ["head.0.weight"]
    assert net.head.freeze().parameters()[0].requires_grad is False
    assert "N, 3" in repr(net)


# -- constants, shapes, branches -------------------------------------------------------------------


def test_shape_arithmetic_leaves_one_reshape(onnx, tmp_path):
    nodes = [
        ("Shape", ["x"], ["s"], {}),
        ("Gather", ["s", "zero"], ["n"], {"axis": 0}),
        ("Unsqueeze", ["n", "axes"], ["n1"], {}),
        ("Concat", ["n1", "rest"], ["t"], {"axis": 0}),
        ("Reshape", ["x", "t"], ["y"], {}),
    ]
    constants = {"zero": np.int64(0), "axes": np.array([0]), "rest": np.array([-1])}
    path = graph_file(
        onnx, tmp_path / "m.onnx", nodes, {"x": ("N", 2, 3)}, {"y": ("N", 6)}, constants
    )
    net = td.load_onnx(path)
    for n in (2, 5, 2):
        x = RNG.normal(size=(n, 2, 3)).astype(np.float32)
        assert np.array_equal(run(net, x)[0].numpy(), x.reshape(n, 6))
    assert [len(plan.steps) for plan in net.program.plans.values()] == [1, 1]


def test_a_branch_is_chosen_by_a_given_input(onnx, tmp_path):
    helper = onnx.helper
    value = helper.make_tensor_value_info

    def branch(kind):
        node = helper.make_node(kind, ["x", "x"], ["out"], name=kind)
        out = value("out", onnx.TensorProto.FLOAT, None)
        return helper.make_graph([node], kind, [], [out])

    nodes = [
        helper.make_node("Equal", ["sr", "rate"], ["c"], name="rates"),
        helper.make_node(
            "If", ["c"], ["y"], name="branch", then_branch=branch("Add"), else_branch=branch("Mul")
        ),
    ]
    inputs = [value("x", onnx.TensorProto.FLOAT, [2]), value("sr", onnx.TensorProto.INT64, [])]
    stored = [onnx.numpy_helper.from_array(np.array(16000), "rate")]
    graph = helper.make_graph(nodes, "g", inputs, [value("y", onnx.TensorProto.FLOAT, [2])], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    x = np.array([3.0, 4.0], np.float32)
    assert run(td.load_onnx(path, inputs={"sr": 16000}), x)[0].tolist() == [6, 8]
    assert run(td.load_onnx(path, inputs={"sr": 8000}), x)[0].tolist() == [9, 16]
    with pytest.raises(ConfigError, match=r"If x 1: 'branch'"):
        td.load_onnx(path)
    with pytest.raises(ConfigError, match=r"no input 'rate_hz', only x, sr"):
        td.load_onnx(path, inputs={"rate_hz": 1})


# -- refusals --------------------------------------------------------------------------------------


def test_all_that_is_missing_is_said_at_once(onnx, tmp_path):
    nodes = [
        ("Loop", ["x"], ["a"], {}),
        ("GridSample", ["a", "x"], ["b"], {}),
        ("GridSample", ["b", "x"], ["c"], {}),
        ("MaxPool", ["c"], ["d", "places"], {"kernel_shape": [2, 2]}),
        ("Add", ["d", "places"], ["y"], {}),
    ]
    path = graph_file(onnx, tmp_path / "m.onnx", nodes, {"x": (1,)}, {"y": (1,)})
    with pytest.raises(ConfigError) as caught:
        td.load_onnx(path)
    said = str(caught.value)
    assert "Loop x 1: 'n0'; GridSample x 2: 'n1', 'n2'" in said
    assert "MaxPool (its second output, Indices) x 1: 'n3'" in said


def test_operators_of_classical_models_are_refused_by_name(onnx, models):
    with pytest.raises(ConfigError, match=r"ai\.onnx\.ml\.Scaler.*LinearClassifier.*Normalizer"):
        td.load_onnx(models / "sklearn-digits/scaler_logreg.onnx")


def test_wrong_inputs(onnx, tmp_path):
    path, _ = conv_chain(onnx, tmp_path / "m.onnx")
    net = td.load_onnx(path)
    with pytest.raises(ShapeError, match=r"x must be \(N, 3, H, W\), got \(1, 4, 8, 8\)"):
        net(np.zeros((1, 4, 8, 8), np.float32))
    with pytest.raises(ShapeError, match=r"takes 1 inputs \(x\), got 2"):
        net(np.zeros((1, 3, 8, 8), np.float32), np.zeros(1, np.float32))


def test_what_is_no_onnx_file(onnx, tmp_path):
    path = tmp_path / "m.onnx"
    with pytest.raises(MissingFileError, match=r"load_onnx: there is no file"):
        td.load_onnx(path)
    for content in (b"", b"\x80\x04pickle", b"not a model", bytes(200)):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"load_onnx"):
            td.load_onnx(path)


def test_lying_files(onnx, tmp_path):
    """Each a sentence, and none takes the memory that it claims."""
    path = tmp_path / "m.onnx"
    outside = [("Add", ["x", "w"], ["y"], {})]

    def refused(what, change, nodes=outside):
        graph_file(onnx, path, nodes, {"x": (2,)}, {"y": (2,)}, {"w": np.ones(2, np.float32)})
        model = onnx.load(path)
        change(model)
        path.write_bytes(model.SerializeToString())
        with pytest.raises(FormatError, match=what):
            td.load_onnx(path)

    def claims(*dims):
        return lambda m: (
            m.graph.initializer[0].ClearField("dims"),
            m.graph.initializer[0].dims.extend(dims),
        )

    refused("claims .* more than the file holds", claims(1 << 31, 1 << 20))
    refused("has the shape", claims(-1, 2))
    refused("reads 'z', which nothing before it makes", lambda m: m.graph.node[0].input.append("z"))
    refused("'w' is made twice", lambda m: m.graph.node[0].output.append("w"))
    refused("nothing makes the output 'y2'", lambda m: setattr(m.graph.output[0], "name", "y2"))
    big = [("ConstantOfShape", ["s"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})]

    def huge(model):
        array = onnx.numpy_helper.from_array(np.array([1 << 20, 1 << 20]), "s")
        model.graph.initializer.append(array)

    with pytest.raises(FormatError, match="reads 's'"):
        graph_file(onnx, path, big, {"x": (2,)}, {"y": (2,)})
        td.load_onnx(path)
    with pytest.raises(FormatError, match="asks for an array of shape"):
        graph_file(onnx, path, big, {"x": (2,)}, {"y": (2,)}, {"s": np.array([1 << 20, 1 << 20])})
        td.load_onnx(path)


@pytest.mark.parametrize("given", [np.array([1 + 1j]), np.array([1.5]), np.array([np.inf])])
def test_what_is_no_whole_number_is_refused_as_a_size(onnx, tmp_path, given):
    """Not cut to the whole number below it."""
    path = tmp_path / "m.onnx"
    nodes = [("Expand", ["x", "s"], ["y"], {})]
    graph_file(onnx, path, nodes, {"x": (1,)}, {"y": (1,)}, {"s": given})
    with pytest.raises(FormatError, match=r"integers were expected|Expand"):
        td.load_onnx(path)(np.ones(1, np.float32))


def test_a_border_that_is_gathered_has_a_limit_of_its_own(onnx, tmp_path):
    """As many elements take seconds to be gathered and none to be filled."""
    path, wide = tmp_path / "m.onnx", 1 << 25
    for mode in ("edge", "reflect", "wrap"):
        nodes = [("Pad", ["x", "w"], ["y"], {"mode": mode})]
        graph_file(onnx, path, nodes, {"x": (2,)}, {"y": ("n",)}, {"w": np.array([0, wide])}, 19)
        with pytest.raises(FormatError, match="asks for an array of shape"):
            td.load_onnx(path)(td.Tensor(np.zeros(2, np.float32)))


def test_external_data_stays_in_the_folder(onnx, tmp_path):
    from onnx.external_data_helper import set_external_data

    inside, secret = tmp_path / "model", tmp_path / "secret.bin"
    inside.mkdir()
    w = np.array([1.0, 2.0], np.float32)
    for where in (secret, inside / "w.bin"):
        where.write_bytes(w.tobytes())
    path = inside / "m.onnx"

    def stored(location, **entry):
        nodes = [("Add", ["x", "w"], ["y"], {})]
        graph_file(onnx, path, nodes, {"x": (2,)}, {"y": (2,)}, {"w": w})
        model = onnx.load(path, load_external_data=False)
        set_external_data(model.graph.initializer[0], location, **entry)
        model.graph.initializer[0].ClearField("raw_data")
        path.write_bytes(model.SerializeToString())
        return path

    assert run(td.load_onnx(stored("w.bin")), w)[0].tolist() == [2, 4]
    for location in ("../secret.bin", str(secret)):
        with pytest.raises(FormatError, match="outside the folder of the file"):
            td.load_onnx(stored(location))
    with pytest.raises(FormatError, match=r"needs 8 bytes, .* has 4"):
        td.load_onnx(stored("w.bin", offset=4, length=8))
    with pytest.raises(FormatError, match="needs 8 bytes, its entry says"):
        td.load_onnx(stored("w.bin", offset=0, length=1 << 40))
    with pytest.raises(MissingFileError):
        td.load_onnx(stored("absent.bin"))


def test_it_runs_compiled_unless_it_is_watched_trained_or_recorded(onnx, tmp_path):
    path, model = tmp_path / "net.onnx", td.nn.Sequential(td.nn.Linear(3, 4), td.nn.ReLU())
    x = RNG.standard_normal((2, 3)).astype(np.float32)
    td.save_onnx(model, path, x)
    with td.use_backend("cpu"):
        net, given = td.load_onnx(path), td.tensor(x)
        one_by_one = net(given)  # recorded
        assert one_by_one.requires_grad and net.programs.latest is None
        seen = []
        with td.no_grad(), td.instruments.watching(lambda f, *rest: seen.append(f.name)):
            net(given)
        assert "linear" in seen and net.programs.latest is None
        with td.no_grad():
            found = net(given)  # there was a call with this shape before
        assert "linear + relu" in [step.name for step in net.programs.program.steps]
        assert_close(found, one_by_one.numpy(), 1e-6)
        weight = net.parameters()[0]
        weight.assign(weight.numpy() * 2)
        with td.no_grad():
            assert_close(net(given), model_of(net, given), 1e-6)


def model_of(net, x):
    """The same, node by node."""
    net.compiled = False
    try:
        return net(x).numpy()
    finally:
        net.compiled = True


def test_a_graph_that_decides_by_its_numbers_says_why_it_is_not_compiled(onnx, tmp_path):
    helper, kind = onnx.helper, onnx.TensorProto
    wires = [helper.make_tensor_value_info("x", kind.FLOAT, [4]),
             helper.make_tensor_value_info("y", kind.INT64, [1, None])]  # fmt: skip
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("NonZero", ["r"], ["y"])]
    graph = helper.make_graph(nodes, "g", wires[:1], wires[1:])
    path = tmp_path / "nonzero.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
                     .SerializeToString())  # fmt: skip
    with td.use_backend("cpu"), td.no_grad():
        net = td.load_onnx(path)
        for x, places in (([1.0, -1.0, 2.0, 0.0], [0, 2]), ([0.0, 1.0, 1.0, 1.0], [1, 2, 3])):
            assert net(td.tensor(x)).numpy().tolist() == [places]
        assert "reads the numbers" in net.not_compiled
