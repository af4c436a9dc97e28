"""Every kind of program under several processes: the training of one, or one sentence."""

import sys

import numpy as np
import pytest
from recipes.test_programs import MADE, SMALL, small

from tinydl import nn
from tinydl.experiment.program import Settings
from tinydl.optim import SGD
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin
from tinydl.train.threads import in_threads

SHARED = [name for name in (*SMALL, *MADE) if not small(name).program.alone]


def trained(recipe, ranks=None):
    """(weights, history) of two epochs in float64 without dropout, batch norms over all rows."""
    training = begin(small(recipe, 2), Settings(dtype="float64"))
    for layer in training.model.modules():
        if isinstance(layer, nn.Dropout):
            layer.rate = 0.0
        for name, value in vars(layer).items():
            if "dropout" in name and isinstance(value, float):
                setattr(layer, name, 0.0)
    cut = []
    if ranks is not None:
        training.parallel = ranks
        ranks.synchronize(training.model)
        parts = ranks.parts
        ranks.parts = lambda *given: (cut.append(part) or part for part in parts(*given))
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in training.fit()]
    assert ranks is None or cut, "the ranks have cut no batch"
    return training.model.state_dict(), rows


@pytest.fixture
def momentum(monkeypatch):
    """Programs whose rule is Adam step by SGD with momentum: Adam makes much of a tiny gradient's
    rounding."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tinydl.programs.") and hasattr(module, "Adam"):
            monkeypatch.setattr(module, "Adam", lambda p, lr, *_, **__: SGD(p, lr, momentum=0.9))


def far_apart(state, expected):
    return max(
        np.abs(state[k] - v).max() / max(np.abs(v).max(), 1e-3)
        for k, v in expected.items()
        if v.size
    )


@pytest.mark.parametrize("name", SHARED)
def test_three_ranks_train_as_one_process_does(name, momentum):
    alone, rows = trained(name)
    own_rule = hasattr(small(name).program, "optimizer")
    for state, found in in_threads(3, lambda ranks: trained(name, ranks)):
        assert far_apart(state, alone) <= (1e-6 if own_rule else 1e-11)
        for row, expected in zip(found, rows, strict=True):
            assert row == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_what_cannot_be_cut_says_so_in_a_clause():
    for recipe in RECIPES.values():
        why = recipe.program.alone
        assert not why or (20 < len(why) < 100 and why[0].islower() and why[-1] != "."), recipe.name
