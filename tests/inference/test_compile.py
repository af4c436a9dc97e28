"""A compiled model gives what the model gives, notices what changes, and says what it cannot be."""

import copy
from collections import namedtuple

import numpy as np
import pytest
from cases.layers import LAYERS
from closeness import assert_close
from forwards import Net, numbers

import tinydl as td
from tinydl import Generator, Tensor, instruments, nn, ops
from tinydl.errors import ConfigError, GraphError
from tinydl.testing import Draw

#: Building OpenCL's kernels for all of them takes ten seconds.
ON_OPENCL = ("BatchNorm", "Linear", "ReLU6", "Softmax")

#: Regions are read on the host, where windows are cut by them.
ON_THE_HOST = {"RoiAlign", "RoiPool"}


@pytest.mark.parametrize("backend", ["cpu", "numpy", "opencl"])
def test_every_layer(backend):
    for name, case in LAYERS.items():
        if backend == "opencl" and name not in ON_OPENCL:
            continue
        layer = case.make(Generator(0)).astype(np.float32).eval().to(backend)
        draw = Draw(3)
        x = [Tensor((draw.distinct(s, 0.01) + 0.003).astype(np.float32), backend=backend)
             for s in case.inputs]  # fmt: skip
        x += [t.to(backend) if isinstance(t, Tensor) else t for t in case.rest]
        if name in ON_THE_HOST:
            with pytest.raises(ConfigError, match="inputs are tensors"):
                td.compile(layer, x)
            continue
        compiled = td.compile(layer, x)
        with td.no_grad():
            for _ in range(2):  # buffers are used again
                assert_close(compiled(*x).numpy(), layer(*x).numpy(), 1e-5), name


def small():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def agrees(compiled, model, x):
    with td.no_grad():
        assert_close(compiled(x).numpy(), model(x).numpy(), 1e-5)


def test_a_changed_weight_is_noticed():
    model, x = small(), numbers(2, 4)
    compiled = td.compile(model, x)
    before = compiled.program
    weight = model.parameters()[0]
    weight.assign(weight.numpy() * 2)
    agrees(compiled, model, x)
    assert compiled.program is not before
    model.load_state_dict(small().state_dict())
    agrees(compiled, model, x)
    weight.replace(weight.numpy() + 1)
    agrees(compiled, model, x)


def test_other_shapes_get_programs_of_their_own_and_few_are_kept():
    model = small()
    compiled = td.compile(model, numbers(1, 4))
    first = compiled.program
    for n in range(1, 13):
        agrees(compiled, model, numbers(n, 4))
    assert (
        len(compiled.programs.kept) == 8
        and compiled.programs.prepared((numbers(1, 4),)) is not first
    )
    wide = small().astype(np.float64)
    agrees(td.compile(wide, numbers(2, 4).numpy()), wide, td.tensor(np.ones((2, 4))))


def test_results_stay_what_they_are_when_it_is_called_again():
    model, x = small(), numbers(2, 4)
    compiled = td.compile(model, x)
    first = compiled(x)
    kept = first.numpy().copy()
    compiled(numbers(2, 4) * 3)
    np.testing.assert_array_equal(first.numpy(), kept)


def test_inputs_of_any_strides_arrays_and_numbers():
    model = small()
    compiled = td.compile(model, np.ones((2, 4), np.float32))
    agrees(compiled, model, ops.transpose(numbers(4, 2)))
    agrees(compiled, model, np.ones((2, 4), np.float64))
    scaled = Net(lambda m, x, factor: ops.tanh(x) * factor)
    compiled = td.compile(scaled, (numbers(3), 2.0))
    x = numbers(3)
    for factor in (2.0, 3.0):
        assert_close(compiled(x, factor).numpy(), np.tanh(x.numpy()) * factor, 1e-5)


def test_outputs_are_put_together_as_the_model_does():
    x, pair = numbers(2, 3), namedtuple("Pair", "a b")
    for form in (lambda a, b: (a, b), lambda a, b: [a, b], lambda a, b: {"a": a, "b": b}, pair):
        net = Net(lambda m, x, form=form: form(ops.relu(x), x))
        found = td.compile(net, x)(x)
        assert type(found) is type(form(1, 2))
        first, second = found.values() if isinstance(found, dict) else found
        assert_close(first.numpy(), np.maximum(x.numpy(), 0), 1e-6)
        np.testing.assert_array_equal(second.numpy(), x.numpy())


def test_an_output_may_be_a_constant_an_input_a_view_and_returned_twice():
    w = nn.Parameter(np.ones((2, 3), np.float32))
    net = Net(lambda m, x: (ops.exp(m.w), x, ops.reshape(x, 3, 2), y := ops.tanh(x), y), w=w)
    x = numbers(2, 3)
    for found, expected in zip(td.compile(net, x)(x), net(x), strict=True):
        assert_close(found.numpy(), expected.numpy(), 1e-6)


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_a_mask_that_is_computed_from_the_input_is_computed_at_every_call(backend):
    memory, words = nn.GRU(3, 2), nn.Embedding(5, 3)
    net = Net(
        lambda m, ids: m.memory.run(m.words(ids), mask=ids > 0)[0], memory=memory, words=words
    )
    net.eval().to(backend)
    ids = [[1, 2, 0, 0], [3, 4, 1, 2]]
    compiled = td.compile(net, td.tensor(ids, backend=backend))
    for rows in (ids, ids[::-1], [[1, 0, 0, 0], [2, 3, 0, 0]]):
        x = td.tensor(rows, backend=backend)
        with td.no_grad():
            assert_close(compiled(x).numpy(), net(x).numpy(), 1e-5)


def test_training_runs_the_model():
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(1.0), nn.Linear(8, 3))
    compiled, x = td.compile(model, numbers(2, 4)), numbers(2, 4)
    assert not compiled.training and not model.training
    compiled.train()
    compiled(x).sum().backward()
    assert model.parameters()[-1].grad is not None
    compiled.eval()
    with pytest.raises(GraphError):
        compiled(x).sum().backward()
    leaf = td.tensor(x.numpy(), requires_grad=True)
    compiled(leaf).sum().backward()
    assert leaf.grad is not None


def test_a_part_in_training_mode_is_an_error():
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5)).eval()
    compiled, x = td.compile(model, numbers(2, 4)), numbers(2, 4)
    list(model.children())[1].train()
    with pytest.raises(ConfigError, match=r"layers.1 is in training mode"):
        compiled(x)
    list(model.children())[1].eval()
    agrees(compiled, model, x)


def test_who_watches_sees_the_model():
    model, x = small(), numbers(2, 4)
    compiled = td.compile(model, x)
    seen = []
    with td.no_grad(), instruments.watching(lambda f, *rest: seen.append(f.name)):
        compiled(x)
    assert seen == ["linear", "relu", "linear"]
    assert set(nn.activations(compiled, x)) == {"model", *(f"model.layers.{k}" for k in range(3))}


def test_it_is_a_module_that_is_copied_and_moved():
    model, x = small(), numbers(2, 4)
    compiled = td.compile(model, x)
    assert compiled.count_parameters() == model.count_parameters()
    agrees(copy.deepcopy(compiled), model, x)
    moved = copy.deepcopy(compiled).to("numpy")
    assert_close(moved(x.to("numpy")).numpy(), model(x).numpy(), 1e-5)


def chooses(m, x):
    return ops.relu(x) if float(x.sum()) > 0 else ops.tanh(x)


def counts(m, x):
    return x * float(np.asarray(x.data)[0, 0] > 0)


def draws(m, x):
    return x + td.normal(x.shape)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (chooses, "reads the numbers"),
        (lambda m, x: x[x > 0], "reads the numbers"),
        (counts, "outside of tinydl's operations"),
        (draws, "outside of tinydl's operations"),
        (lambda m, x: ops.relu(x) if np.asarray(x.data)[0, 0] > 0 else -x, "other operations"),
        (lambda m, x: ops.sum(x, int(np.asarray(x.data)[0, 0] > 0)), "sizes or settings"),
        (lambda m, x: 3.0, "returns 3.0"),
    ],
)
def test_what_a_program_cannot_say_is_refused_by_name(function, why):
    x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.5]], np.float32)
    with pytest.raises(ConfigError, match=why):
        td.compile(Net(function), x)


def test_a_model_that_keeps_a_state_is_refused():
    memory = nn.LSTM(3, 2, stateful=True)
    with pytest.raises(ConfigError, match="compile: "):
        td.compile(memory, numbers(2, 4, 3))


def test_what_is_worked_out_once_for_inputs_of_a_size_is_no_difference():
    """As an imported graph folds its shape arithmetic at its first call."""

    class Folds(nn.Module):
        def __init__(self):
            self.known = {}

        def forward(self, x):
            if x.shape not in self.known:
                self.known[x.shape] = ops.astype(Tensor(np.array(x.shape)), "float32") * 2.0
            return x * self.known[x.shape]

    x = Tensor(np.float32([[1, 2], [3, 4]]))
    assert_close(td.compile(Folds(), x)(x + 1.0).numpy(), (x + 1.0).numpy() * 4, 1e-6)


def test_arguments_and_printing(capsys):
    with pytest.raises(ConfigError, match="passes are constants, "):
        td.compile(small(), numbers(1, 4), ["norm"])
    with pytest.raises(ConfigError, match="must be a Module"):
        td.compile(ops.relu, numbers(1, 4))
    with pytest.raises(ConfigError, match="no program yet"):
        td.compile(small()).program  # noqa: B018
    td.compile(small(), numbers(1, 4)).program.print(1)
    told = capsys.readouterr().out
    assert "linear + relu" in told and "1x8" in told and "epilogues: " in told
