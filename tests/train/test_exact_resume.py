"""N epochs, a checkpoint and N epochs are 2N epochs, bit for bit, with everything that keeps more
than weights: running statistics, power iterations, states of stateful layers, plateaus, averages of
every optimiser, groups of them."""

import numpy as np
import pytest

import tinydl as td
from tinydl import nn, optim
from tinydl.data import Batches
from tinydl.errors import DTypeError, FormatError
from tinydl.random import default_generator
from tinydl.train import Checkpoint, History, ReduceOnPlateau, State, fit, restore

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
    Checkpoint(path).on_epoch_end(state)
    train(state, 1)
    assert len(state.model.turns.back.kept_state()) == 2  # h and c
    restore(path, state)
    assert state.model.turns.back.kept_state() == []


def test_a_checkpoint_of_another_optimiser_changes_nothing(tmp_path):
    path = tmp_path / "checkpoint"
    Checkpoint(path).on_epoch_end(run(optim.Adam))
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
