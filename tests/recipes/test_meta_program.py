"""Training of what learns to learn: new tasks after few steps, and what stands beside."""

from tinydl.baselines import Tuned, from_scratch, one_for_all, zero_everywhere
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin


def test_few_steps_are_worth_more_after_training():
    recipe = RECIPES["maml-sines"].replaced(epochs=2, updates=40, batch_size=10, lr=0.005)
    training = begin(recipe)
    before = training.measure()
    training.fit()
    after = training.measure()
    assert after["mse"] < before["mse"] and set(after) == {
        "mse",
        "mse_0",
        "mse_1",
        "mse_2",
        "mse_5",
    }
    assert after["mse"] == after["mse_5"] == training.measure()["mse"]
    zero = zero_everywhere(training, "test")["mse"]
    assert abs(zero - 4.3) < 0.6  # the mean of amplitude^2 / 2
    for baseline in (from_scratch, one_for_all):
        assert 0.5 < baseline(training, "test")["mse"] < 2 * zero


def test_a_learned_rule_stands_beside_tuned_ones():
    training = begin(RECIPES["learned-optimizer"].replaced(epochs=1, updates=1, inner=5))
    found = {str(rule): rule(training, "test") for rule in (Tuned("descent"), Tuned("adam"))}
    assert found["tuned adam"]["mse"] < found["tuned adam"]["mse_0"]
    assert found["tuned descent"]["mse_0"] == found["tuned adam"]["mse_0"]
