"""fit(accumulate=k): the same updates as with batches of k times the size, also at the end."""

import numpy as np
import pytest
from closeness import assert_close, is_close

import tinydl
from tinydl.errors import ConfigError
from tinydl.nn import L2, Linear, mse
from tinydl.optim import SGD
from tinydl.train import fit


def trained(sizes, accumulate, epochs=2):
    """Weights and number of updates after training on consecutive batches of these sizes."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(sum(sizes), 3)), rng.normal(size=(sum(sizes), 2))
    cuts = np.cumsum(sizes)[:-1]
    data = list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))
    layer = Linear(3, 2, weight_penalty=L2(0.05), rng=tinydl.Generator(0)).astype(np.float64)
    optimizer = SGD(layer.parameters(), lr=0.1, momentum=0.9)
    history = fit(layer, data, mse, optimizer, epochs, progress=False, accumulate=accumulate)
    return layer.state_dict(), optimizer.steps[0], history["loss"]


@pytest.mark.parametrize(
    ("small", "accumulate", "large"),
    [
        ([4, 4, 4, 4], 2, [8, 8]),
        ([4, 4, 4, 4, 3], 2, [8, 8, 3]),  # the last group is one small batch
        ([4, 4, 4, 2], 3, [12, 2]),
        ([5, 3, 1], 3, [9]),  # batches of different size within a group
        ([5, 3], 7, [8]),
    ],
)
def test_k_small_batches_are_one_large_one(small, accumulate, large):
    (found, updates, _), (expected, target, _) = trained(small, accumulate), trained(large, 1)
    assert updates == target == 2 * len(large)
    for name, array in expected.items():
        assert_close(found[name], array, 1e-12)
    wrong = trained(small, 1)[0]
    assert not is_close(wrong["weight"], expected["weight"], 1e-6)


def test_one_batch_per_update_is_bitwise_the_plain_loop(problem, equal):
    a = problem()
    a.fit(2)
    b = problem()
    b.fit(2, accumulate=1)
    assert equal(a.model.state_dict(), b.model.state_dict())


def test_a_stopped_epoch_leaves_no_row_and_no_update(problem):
    class Stop:
        def on_batch_end(self, state):
            state.stop = (state.epoch, state.batch) == (1, 1)

        def on_epoch_end(self, state):
            epochs.append(state.epoch)

    epochs, p = [], problem(n=32, batch_size=8)
    history = p.fit(5, accumulate=3, callbacks=[Stop()])
    assert epochs == history["epoch"] == [1]
    assert max(p.optimizer.steps) == 2  # 3 + 1 batches of the first epoch


@pytest.mark.parametrize("group", [0, -1, 1.5])
def test_groups_are_counted(problem, group):
    with pytest.raises(ConfigError, match="accumulate must be an integer >= 1"):
        problem().fit(1, accumulate=group)
