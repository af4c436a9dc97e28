"""N epochs, a checkpoint and N epochs are 2N epochs, bit for bit, with everything that keeps more
than weights: running statistics, power iterations, states of stateful layers, plateaus, averages of
every optimiser, groups of them."""

import json

import numpy as np
import pytest

import tinydl as td
from tinydl import nn, optim
from tinydl.data import Batches
from tinydl.errors import ConfigError, DTypeError, FormatError
from tinydl.random import default_generator
from tinydl.train import Checkpoint, History, ReduceOnPlateau, State, fit, read_tensors, restore
from tinydl.train.tensor_files import write_tensors

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((16, 5, 3)).astype(np.float32), RNG.integers(0, 3, 16)


class Keeper(nn.Module):
    def __init__(self, rng, stateful):
        self.first = nn.SpectralNorm(nn.Conv1d(3, 4, 3, padding="same", rng=rng), rng=rng)
        self.norm = nn.BatchNorm(4)
        self.second = nn.WeightNorm(nn.Conv1d(4, 4, 1, rng=rng))
        options = {"stateful": stateful, "recurrent_dropout": 0.2, "rng": rng}
        self.turns = nn.Bidirectional(nn.GRU(4, 3, **options), nn.LSTM(4, 3, **options))
        self.out = nn.Linear(6, 3, rng=rng)

    def forward(self, x):
        return self.out(self.turns(td.relu(self.second(self.norm(self.first(x))))))


def run(make, stateful=True):
    rng = td.Generator(3)
    model = Keeper(rng, stateful)
    batches = Batches((X, Y), batch_size=8, shuffle=True, rng=rng)
    return State(model, make(list(model.named_parameters())), batches, History(), 0)


def train(state, epochs, *callbacks):
    plateau = ReduceOnPlateau("loss", optim.Plateau(factor=0.5, patience=3, min_delta=10.0))
    return fit(
        state.model, state.data, nn.cross_entropy, state.optimizer, epochs,
        callbacks=[plateau, *callbacks], progress=False,
        start_epoch=state.epoch, history=state.history,
    )  # fmt: skip


RULES = {
    "SGD": lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "RMSprop": optim.RMSprop,
    "Adam": optim.Adam,
    "AMSGrad": optim.AMSGrad,
    "AdaGrad": optim.AdaGrad,
    "AdaDelta": optim.AdaDelta,
    "Adamax": optim.Adamax,
    "Nadam": optim.Nadam,
    "RAdam": optim.RAdam,
    "Rprop": optim.Rprop,
    "SGD, damped": lambda p: optim.SGD(p, 0.05, momentum=0.9, dampening=0.5),
    "CentredRMSprop": lambda p: optim.CentredRMSprop(p, momentum=0.9),
    "Groups": lambda p: optim.Groups(optim.AdamW(p[:3]), optim.AdaGrad(p[3:])),
}


@pytest.mark.parametrize("name", RULES)
def test_two_and_two_epochs_are_four_epochs(name, tmp_path):
    make, path = RULES[name], tmp_path / "checkpoint"
    straight = run(make)
    train(straight, 4)
    first = run(make)
    train(first, 2, Checkpoint(path))

    second = run(make)
    default_generator().normal((5,))  # restored with the rest
    train(second, 1)  # and so is what this changes
    restore(path, second)
    train(second, 4)

    expected = straight.model.state_dict()
    for key, array in second.model.state_dict().items():
        assert np.array_equal(array, expected[key]), key
    arrays = straight.optimizer.state_dict()["arrays"]
    for key, array in second.optimizer.state_dict()["arrays"].items():
        assert np.array_equal(array, arrays[key]), key
    assert second.optimizer.lr == straight.optimizer.lr
    assert straight.optimizer.lr < run(make).optimizer.lr  # the plateau did cut, in epoch 4


def test_a_checkpoint_of_a_fresh_stateful_layer_forgets_its_state(tmp_path):
    path = tmp_path / "checkpoint"
    state = run(optim.Adam)
    Checkpoint(path).on_epoch_done(state)
    train(state, 1)
    assert len(state.model.turns.back.kept_state()) == 2  # h and c
    restore(path, state)
    assert state.model.turns.back.kept_state() == []


def test_a_checkpoint_of_another_optimiser_changes_nothing(tmp_path):
    path = tmp_path / "checkpoint"
    Checkpoint(path).on_epoch_done(run(optim.Adam))
    other = run(optim.AMSGrad)
    train(other, 1)
    before = other.model.state_dict()
    with pytest.raises(FormatError, match=r"missing .*largest"):
        restore(path, other)
    after = other.model.state_dict()
    assert all(np.array_equal(after[key], array) for key, array in before.items())


def test_groups_check_every_gradient_before_the_first_step():
    weights = [nn.Parameter(np.ones(2, np.float32)) for _ in range(2)]
    groups = optim.Groups(optim.SGD(weights[:1], 0.1), optim.Adam(weights[1:]))
    weights[0].grad = td.ones((2,))
    weights[1].grad = td.ones((2,), dtype=np.float64)
    with pytest.raises(DTypeError, match="its gradient is float64"):
        groups.step()
    assert weights[0].numpy().tolist() == [1, 1]
    assert groups.steps == [0, 0]


def everything(state):
    """What `restore` may change, as bytes."""
    told = {"model": state.model.state_dict(), "optimizer": state.optimizer.state_dict()["arrays"]}
    arrays = {f"{k}.{n}": a.tobytes() for k, d in told.items() for n, a in d.items()}
    kept = [t.numpy().tobytes() for t in state.model.turns.back.kept_state()]
    generators = [g.state_dict() for g in (state.model.turns.back.rng, default_generator())]
    scalars = state.optimizer.state_dict()["scalars"]
    return (arrays, kept, generators, scalars, state.data.state_dict(), state.epoch,
            repr(state.history.rows))  # fmt: skip


def without(key):
    return lambda tensors, saved: saved.pop(key)


WRONG = {
    "no key": without("optimizer"),
    "no tensor of the model": lambda t, s: t.pop("model.out.weight"),
    "a tensor of another shape": lambda t, s: t.update({"model.out.bias": np.zeros(9, "f4")}),
    "a tensor that is no number": lambda t, s: t["model.out.bias"].fill(np.nan),
    "no tensor of the optimizer": lambda t, s: t.pop("optimizer.steps"),
    "negative steps": lambda t, s: t["optimizer.steps"].fill(-1),
    "another rate": lambda t, s: s["optimizer"].update(lr="fast"),
    "an infinite rate": lambda t, s: s["optimizer"].update(lr=float("inf")),
    "other settings": lambda t, s: s["optimizer"].update(beta1=0.1),
    "a kept tensor is missing": lambda t, s: t.pop("state.turns.back.0"),
    "other generators": lambda t, s: s["generators"].clear(),
    "a generator of text": lambda t, s: s["generator"].update(key="1"),
    "other samples": lambda t, s: s["data"].update(samples=5),
    "a batch beyond the epoch": lambda t, s: s["data"].update(batch=99),
    "an epoch of the data below 0": lambda t, s: s["data"].update(epoch=-1),
    "no generator of the data": lambda t, s: s["data"].update(rng=None),
    "an unknown key of the data": lambda t, s: s["data"].update(more=1),
    "an epoch of text": lambda t, s: s.update(epoch="1"),
    "a history of text": lambda t, s: s.update(history="1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_restoring_changes_everything_or_nothing(name, tmp_path):
    path = tmp_path / "checkpoint"
    train(run(optim.Adam), 2, Checkpoint(path))
    tensors, metadata = read_tensors(path)
    saved = json.loads(metadata["state"])
    WRONG[name](tensors, saved)
    write_tensors(path, tensors, {"format": metadata["format"], "state": json.dumps(saved)})
    state = run(optim.Adam)
    train(state, 1)
    before = everything(state)
    with pytest.raises((FormatError, ConfigError)) as error:
        restore(path, state)
    assert str(error.value).isprintable()
    assert everything(state) == before


def test_data_of_ones_own_that_fail_late_undo_the_rest(tmp_path):
    class Data:
        def __init__(self, state):
            self.state = state

        def state_dict(self):
            return {"place": self.state}

        def load_state_dict(self, state):
            before, self.state = self.state, state["place"]
            if before == 1:
                raise RuntimeError("no such place")

    path = tmp_path / "checkpoint"
    first = run(optim.Adam)
    first.data = Data(2)
    Checkpoint(path).on_epoch_done(first)
    second = run(optim.Adam)
    train(second, 1)
    second.data = Data(1)
    before = everything(second)
    with pytest.raises(RuntimeError, match="no such place"):
        restore(path, second)
    assert everything(second) == before
