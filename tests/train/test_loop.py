"""fit, evaluate, predict: against the same computed by hand in NumPy."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl.data import Batches
from tinydl.errors import ConfigError
from tinydl.nn import L2, Linear, Module, cross_entropy
from tinydl.optim import SGD
from tinydl.train import accuracy, evaluate, fit, predict


def in_order(problem, batch_size):
    return Batches((problem.x, problem.y), batch_size, shuffle=False)


def losses_by_hand(logits, y):
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(y)), y]


@pytest.mark.parametrize("batch_size", [1, 16, 49, 50, 64])
def test_evaluate_is_the_mean_over_samples_whatever_the_batches(problem, batch_size):
    p = problem(n=50)
    found = evaluate(p.model, in_order(p, batch_size), cross_entropy, ("accuracy",))
    logits = predict(p.model, p.x, batch_size=7)
    assert found["loss"] == pytest.approx(losses_by_hand(logits, p.y).mean(), rel=1e-5)
    assert found["accuracy"] == np.mean(logits.argmax(1) == p.y)
    assert list(found) == ["loss", "accuracy"]


def test_training_means_weigh_the_last_partial_batch_by_its_size(problem):
    p = problem(n=50, batch_size=16, dropout=0.0)
    p.optimizer.lr = 0.0  # the model stays as it is: the epoch's mean is that of the samples
    expected = evaluate(p.model, in_order(p, 50), cross_entropy, ("accuracy",))
    row = p.fit(1).last
    assert row["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    assert row["accuracy"] == expected["accuracy"]


def test_sums_are_the_same_whether_fetched_often_or_once(problem, monkeypatch):
    found = []
    for batches in (1, 1000):
        monkeypatch.setattr("tinydl.train.metrics.FETCH_EVERY", batches)
        found.append(problem(n=50, batch_size=2).fit(2)["loss"])
    assert found[0] == found[1]


def test_fit_learns_and_validation_is_evaluate_after_the_epoch(problem):
    p = problem(n=300)
    history = p.fit(8, validation=in_order(p, 64))
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert history.columns == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    after = evaluate(p.model, in_order(p, 64), cross_entropy, ("accuracy",))
    assert history.last["val_loss"] == after["loss"]
    assert history["epoch"] == list(range(1, 9))


def test_one_step_of_fit_is_gradient_descent_on_loss_plus_penalty():
    tinydl.seed(3)
    x = np.arange(8, dtype=np.float32).reshape(4, 2) / 8
    y = np.array([0, 1, 1, 0])
    with tinydl.use_backend("numpy"):
        layer = Linear(2, 2, weight_penalty=L2(0.1))
    w, b = layer.weight.numpy().copy(), layer.bias.numpy().copy()
    powers = np.exp(x @ w + b)
    grad_logits = (powers / powers.sum(1, keepdims=True) - np.eye(2)[y]) / 4
    data = Batches((x, y), 4, shuffle=False)
    history = fit(layer, data, cross_entropy, SGD(layer.parameters(), lr=0.5), 1, progress=False)
    assert_close(layer.weight.numpy(), w - 0.5 * (x.T @ grad_logits + 0.2 * w), 1e-5)
    assert_close(layer.bias.numpy(), b - 0.5 * grad_logits.sum(0), 1e-5)
    expected = losses_by_hand(x @ w + b, y).mean() + 0.1 * (w**2).sum()
    assert history.last["loss"] == pytest.approx(expected, rel=1e-5)


def test_evaluate_and_predict_leave_every_module_in_its_mode(problem):
    p = problem()
    p.model[2].training = False
    before = [m.training for _, m in p.model.named_modules()]
    evaluate(p.model, in_order(p, 16), cross_entropy)
    predict(p.model, p.x)
    assert (
        [m.training for _, m in p.model.named_modules()]
        == before
        == [True, True, True, False, True]
    )


def test_dropout_is_on_in_fit_and_off_in_evaluate(problem):
    p = problem(dropout=0.5)
    seen = []
    p.model[2].forward = lambda x: seen.append(p.model[2].training) or x
    p.fit(1, validation=in_order(p, 50))
    assert seen == [True] * 4 + [False]


class TwoInputs(Module):
    def __init__(self):
        self.a, self.b = Linear(2, 2), Linear(3, 2)

    def forward(self, x, z):
        return self.a(x) + self.b(z)


def test_batches_may_have_several_inputs():
    tinydl.seed(0)
    model = TwoInputs()
    arrays = (np.ones((6, 2), np.float32), np.ones((6, 3), np.float32), np.zeros(6, np.int64))
    data = Batches(arrays, 4, shuffle=False)
    history = fit(model, data, cross_entropy, SGD(model.parameters(), lr=1.0), 3, progress=False)
    assert history["loss"][2] < history["loss"][0]


def test_predict_takes_and_gives_several_arrays():
    tinydl.seed(0)
    model, rng = TwoInputs(), np.random.default_rng(0)
    x, z = (rng.normal(size=(7, n)).astype(np.float32) for n in (2, 3))
    expected = model(tinydl.tensor(x), tinydl.tensor(z)).numpy()
    found = predict(model, (x, z), batch_size=3)
    assert_close(found, expected, 1e-6)

    class Both(TwoInputs):
        def forward(self, x, z):
            return self.a(x), self.b(z)

    first, second = predict(Both(), (x, z), batch_size=3)
    assert first.shape == second.shape == (7, 2)
    for wrong in ((x, z[:5]), (), (x[:0], z[:0])):
        with pytest.raises(ConfigError, match="as many in each input"):
            predict(model, wrong)


def test_metrics_are_functions_or_names(problem):
    p = problem()

    def first_class(outputs, targets):
        return targets == tinydl.zeros(targets.shape, dtype=np.int64, backend=targets.backend)

    found = evaluate(p.model, in_order(p, 16), None, {"first": first_class, "hits": accuracy})
    assert list(found) == ["first", "hits"]
    assert found["first"] == np.mean(p.y == 0)
    assert evaluate(p.model, in_order(p, 16), None, [first_class])["first_class"] == found["first"]
    with pytest.raises(ConfigError, match="unknown 'precision', there are accuracy"):
        evaluate(p.model, in_order(p, 16), None, ["precision"])


def test_accuracy_counts_a_tie_for_the_smaller_class():
    outputs = tinydl.tensor([[1.0, 1.0], [0.0, 2.0]])
    assert accuracy(outputs, tinydl.tensor([0, 1])).tolist() == [True, True]
    assert accuracy(outputs, tinydl.tensor([1, 0])).tolist() == [False, False]


def test_no_data_is_an_error(problem):
    p = problem()
    with pytest.raises(ConfigError, match="yields no batch"):
        fit(p.model, [], cross_entropy, p.optimizer, 1, progress=False)
    with pytest.raises(ConfigError, match="yields no batch"):
        evaluate(p.model, [], cross_entropy)


def test_the_loop_is_short():
    import inspect

    source = inspect.getsource(fit)
    assert len(source.splitlines()) <= 85
    body = source.split('"""')[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 60
