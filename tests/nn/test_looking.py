"""Every looker x every layer: the model, its generators, running statistics and states are bitwise
as before, and nothing that a forward writes is left behind."""

import numpy as np
import pytest
from cases.layers import LAYERS
from support import load_backend

import tinydl as td
from tinydl import Generator, Tensor, nn
from tinydl.errors import ConfigError
from tinydl.optim import SGD
from tinydl.random import default_generator
from tinydl.train import History, PrintSamples, State, evaluate, fit, predict
from tinydl.viz import WriteImages, gradients_of, model_graph, weights_of

N = 4


class Restless(nn.Module):
    """A forward that writes whatever a forward can write."""

    def __init__(self, rng):
        self.calls, self.seen, self.table = 0, [], {"calls": [0]}
        self.norm = nn.BatchNorm(2)
        self.kept = nn.Buffer(np.zeros(2, np.float32))
        self.weight = nn.Parameter(np.ones(2, np.float32))
        self.rngs = {"inside": [rng]}

    def forward(self, x):
        self.calls += 1
        self.seen.append(x.shape)
        self.table["calls"][0] += 1
        self.table["last"] = x
        self.newest = x
        self.kept.assign(self.kept.numpy() + 1)
        self.weight.assign(self.weight.numpy() + 1)
        self.norm.running_mean.update(self.norm.running_mean + 1)
        td.seed(9)
        noise = td.uniform(x.shape, backend=x.backend)
        own = td.uniform(x.shape, rng=self.rngs["inside"][0], backend=x.backend)
        return self.norm(x) * self.weight + noise + own


def sequences(make):
    return lambda rng: nn.Sequential(make(rng), nn.Linear(4, 2, rng=rng))


#: layer: (make(rng), input shape without batch).
MODELS = {
    **{
        name: (case.make, case.inputs[0][1:])
        for name, case in LAYERS.items()
        if len(case.inputs) == 1 and not case.rest
    },
    "stateful LSTM": (
        sequences(lambda r: nn.LSTM(3, 4, stateful=True, recurrent_dropout=0.5, rng=r)), (5, 3),
    ),
    "stateful, both ways": (
        sequences(lambda r: nn.Bidirectional(
            nn.GRU(3, 2, stateful=True, rng=r), nn.SimpleRNN(3, 2, stateful=True, rng=r)
        )), (5, 3),
    ),
    "stateful, in a stack": (
        sequences(lambda r: nn.StackedRNN.of(nn.LSTM, 3, 4, 2, stateful=True, rng=r)), (5, 3),
    ),
    "dropout of its own chance": (lambda r: nn.Dropout(0.5, r), (3,)),
    "dropout of the default chance": (lambda r: nn.Dropout(0.5), (3,)),
    "embedding": (
        lambda r: nn.Sequential(nn.Apply(td.argmax, axis=-1), nn.Embedding(3, 2, rng=r)), (3,),
    ),
    "activity penalty": (lambda r: nn.Linear(3, 2, activity_penalty=nn.L2(0.1), rng=r), (3,)),
    "restless": (Restless, (2,)),
}  # fmt: skip


def as_loss(y, t):
    return (y * y).mean()


def batches(x):
    return [(x[:2], np.zeros(2, np.float32)), (x[2:], np.zeros(2, np.float32))]


def optimizer(model):
    return SGD(model.parameters() or [nn.Parameter(np.ones(1, np.float32))], 0.01)


class Report:
    """One call of a callback that looks."""

    def __init__(self, make):
        self.make = make

    def __call__(self, model, x, folder):
        def sample(model):
            td.seed(3)
            td.uniform((2,))
            model(Tensor(x, backend=model.backend))
            return np.zeros((1, 2, 2))

        history = History([{"epoch": 1, "loss": 1.0, "seconds": 1.0}])
        state = State(model, optimizer(model), batches(x), history, 1)
        self.make(sample, folder).on_epoch_end(state)


def tensorboard(sample, folder):
    pytest.importorskip("tensorboard")
    from tinydl.train import TensorBoard

    return TensorBoard(folder, 1)


LOOKERS = {
    "predict": lambda m, x, f: predict(m, x, 2),
    "evaluate": lambda m, x, f: evaluate(m, batches(x), as_loss),
    "activations": lambda m, x, f: nn.activations(nn.Sequential(m), x),
    "summary": lambda m, x, f: nn.summary(m, x.shape[1:]),
    "graph": lambda m, x, f: model_graph(m, x.shape[1:]),
    "PrintSamples": Report(lambda s, f: PrintSamples(s, tell=lambda text: None)),
    "WriteImages": Report(lambda s, f: WriteImages(f, s)),
    "TensorBoard": Report(tensorboard),
    "weights": lambda m, x, f: weights_of(m),
    "gradients": lambda m, x, f: gradients_of(m) if m.parameters() else None,
    "names and text": lambda m, x, f: (repr(m), m.state_dict(), m.count_parameters(), m.penalty()),
}


def numbers(value):
    """What an attribute is, as something that compares bitwise."""
    if isinstance(value, Tensor):
        grad = None if value.grad is None else value.grad.numpy().tobytes()
        return (id(value), value._version[0], value.numpy().tobytes(), grad, value.requires_grad)
    if isinstance(value, Generator):
        return (id(value), value.key, value.offset)
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [numbers(item) for item in value]
    return id(value)


def everything(model):
    default = default_generator()
    modules = {name: numbers(vars(m)) for name, m in model.named_modules()}
    return modules, id(default), default.key, default.offset, td.is_recording()


def watched(name):
    """A model in the middle of its training, with gradients, and an input of its own size."""
    make, shape = MODELS[name]
    td.seed(5)
    model = make(Generator(1)).train()
    x = np.random.default_rng(0).normal(size=(N, *shape)).astype(np.float32)
    y = model(Tensor(x))  # the state of four sequences; lookers come with two
    if y.requires_grad:
        (y * y).mean().backward()
    return model, x


@pytest.mark.parametrize("looker", LOOKERS)
@pytest.mark.parametrize("name", MODELS)
def test_looking_changes_nothing(name, looker, tmp_path):
    model, x = watched(name)
    before, held = everything(model), [(m, vars(m)) for _, m in model.named_modules()]
    LOOKERS[looker](model, x, tmp_path)
    assert everything(model) == before
    assert all(vars(m) is attributes for m, attributes in held)


TRAINED = [name for name, (make, _) in MODELS.items() if make(Generator(0)).parameters()]


@pytest.mark.parametrize("name", TRAINED)
def test_a_validated_training_is_the_one_without(name):
    make, _ = MODELS[name]
    _, x = watched(name)

    def trained(**looks):
        td.seed(7)
        model = make(Generator(2))
        optimizer = SGD(model.parameters(), 0.01)
        history = fit(model, batches(x), as_loss, optimizer, 2, progress=False, **looks)
        weights = {key: array.tobytes() for key, array in model.state_dict().items()}
        return history["loss"], weights, td.uniform((3,)).tolist()

    look = PrintSamples(lambda m: m(Tensor(3 * x[:3])), tell=lambda text: None)
    assert trained() == trained(validation=batches(9 * x), callbacks=[look])


MOVED = ("restless", "stateful, both ways", "BatchNorm-cumulative", "SpectralNorm", "embedding")


@pytest.mark.parametrize("backend", ["numpy", "opencl"])
@pytest.mark.parametrize("name", MOVED)
def test_on_the_other_backends(name, backend):
    backend = load_backend(backend)
    make, shape = MODELS[name]
    model = make(Generator(1)).to(backend)
    x = np.random.default_rng(0).normal(size=(N, *shape)).astype(np.float32)
    model(Tensor(x, backend=backend))
    before = everything(model)
    assert np.array_equal(predict(model, x, 2), predict(model, x, 2))
    assert everything(model) == before


def test_a_looker_begins_with_fresh_states_and_goes_on_from_batch_to_batch():
    layer = nn.SimpleRNN(1, 2, stateful=True, rng=Generator(0))
    x = np.ones((4, 3, 1), np.float32)
    first = predict(layer, x, 2)
    assert not np.array_equal(first[:2], first[2:])  # the second batch went on
    layer(Tensor(5 * x))
    assert np.array_equal(predict(layer, x, 2), first)
    layer.reset_state()
    expected = [layer(Tensor(part)).numpy() for part in (x[:2], x[2:])]
    assert np.array_equal(first, np.concatenate(expected))


def test_after_an_error_everything_is_back_too():
    model, x = watched("restless")
    before = everything(model)

    def fails(*arguments):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate(model, batches(x), fails)
    assert everything(model) == before


def test_a_graph_recorded_before_a_look_is_still_walked():
    model = Restless(Generator(0))
    y = (model(td.ones((3, 2))) * model.weight).sum()
    predict(model, np.ones((3, 2), np.float32))
    y.backward()
    assert model.weight.grad is not None


def test_a_model_moved_or_converted_while_looking_comes_back():
    model, x = watched("Linear")
    before = everything(model)
    with nn.looking(model):
        model.astype(np.float64).to("numpy")
        assert model(Tensor(x.astype(np.float64), backend="numpy")).dtype == np.float64
    assert everything(model) == before
    with pytest.raises(ConfigError), nn.looking(model):
        model.astype(np.int64)
