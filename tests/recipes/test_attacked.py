"""Training on attacked pictures: what is replaced, what is asked, what stands beside it."""

import numpy as np
import pytest
from recipes.test_programs import small

import tinydl as td
from tinydl import nn
from tinydl.baselines import PlainTraining, beside
from tinydl.programs.attacked import Attack, UnderAttack
from tinydl.runs.run import begin, train

X = np.random.default_rng(0).uniform(0.4, 0.6, (40, 2, 3, 1))
Y = np.arange(40) % 2


def linear():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2)).astype("float64")
    model[1].weight.assign(np.random.default_rng(1).normal(size=(6, 2)))
    return model


def test_what_a_linear_model_withstands_is_known():
    """A sample stays right where its margin is above epsilon times the sum of |w_y - w_other|."""
    model = linear()
    w, b = model[1].weight.numpy(), model[1].bias.numpy()
    scores = X.reshape(40, 6) @ w + b
    margin = np.where(Y == 0, 1, -1) * (scores[:, 0] - scores[:, 1])
    for epsilon in (0.0, 0.01, 0.05):
        safe = (margin > epsilon * np.abs(w[:, 0] - w[:, 1]).sum()).mean()
        found = UnderAttack(epsilon, steps=5, restarts=1, pictures=40)(model, X, Y)
        assert found == {"pgd_accuracy": pytest.approx(safe)}
    few = UnderAttack(0.05, 5, 1, pictures=7)(model, X, Y)["pgd_accuracy"]
    assert few * 7 == pytest.approx(round(few * 7))


def test_the_box_grows_until_the_warm_share_is_over():
    model, reached = linear(), []
    for done in (0.0, 0.15, 0.3, 1.0):
        worst = Attack(0.1, 4, warm=0.3)(model, X, Y, td.Generator(0), done)
        reached.append(np.abs(worst - X).max())
    assert reached == pytest.approx([0, 0.05, 0.1, 0.1])
    whole = Attack(0.1, 4, warm=0.0)(model, X, Y, td.Generator(0), 0.0)
    assert np.abs(whole - X).max() == pytest.approx(0.1)


def test_training_on_the_worst_withstands_more_than_plain_training_beside_it():
    """The baseline is the same recipe without its attack."""
    asked = (UnderAttack(0.15, 10, 1, 100),)
    recipe = small("adversarial-mnist", 12).replaced(
        samples=(), attack=Attack(0.15, 3), asked=asked, lr=0.01, baselines=(PlainTraining(12),)
    )
    training = begin(recipe)
    before = td.random.default_generator().state_dict()
    (plain,) = beside(training).values()
    assert td.random.default_generator().state_dict() == before
    alone = train(recipe.replaced(attack=None)).test
    assert plain == alone
    found = train(recipe).test
    print(f"\nattacked {found}, plain {plain}")
    assert found["pgd_accuracy"] > plain["pgd_accuracy"] + 0.1
    assert recipe.program.is_share("pgd_accuracy") and recipe.program.score == "pgd_accuracy"
