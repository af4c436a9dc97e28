"""What WaveNet sees, and that its memory changes nothing; what a labeller spells."""

from time import process_time

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, no_grad, random
from tinydl.models import CTCLabeller, WaveNet
from tinydl.models.sound.wavenet import Memory


@pytest.fixture
def small():
    random.seed(3)
    return WaveNet(16, 8, 6, (1, 2, 4, 8)).astype("float64")


def test_a_prediction_depends_on_its_receptive_field_and_nothing_else(small):
    """The gradient of one step's logits by the embedded samples: not zero exactly there."""
    assert small.receptive_field == 16 and WaveNet(4, 2, 2).receptive_field == 1_024
    h = Tensor(Generator(0).normal((1, 40, 8)).astype(np.float64), requires_grad=True)
    (small.logits(h)[:, 29] ** 2).sum().backward()
    seen = np.flatnonzero(np.abs(h.grad.numpy()[0]).sum(axis=1))
    assert seen.tolist() == list(range(29 - 15, 30))


def test_the_memory_gives_the_logits_of_the_whole_network(small):
    x = Generator(1).integers(0, 16, 40)
    memory = Memory(small)
    one_by_one = np.stack([memory.step(int(v)) for v in x])
    with no_grad():
        assert_close(one_by_one, small(Tensor(x[None])).numpy()[0], 1e-12)


def test_cached_generation_is_plain_generation(small):
    start = np.array([3, 1, 4, 1, 5])
    with no_grad():
        made = [small.generate(30, Generator(7), start, 0.9, cached=c) for c in (True, False)]
    assert np.array_equal(*made) and made[0].shape == (30,) and made[0].max() < 16
    assert not np.array_equal(made[0], small.generate(30, Generator(8), start, 0.9))


def test_cached_generation_is_many_times_faster():
    """The best of three, since others use the processor too."""
    random.seed(0)
    model = WaveNet()
    start = np.full(1_100, 128)

    def seconds(steps, cached):
        begun = process_time()
        with no_grad():
            model.generate(steps, Generator(0), start[: 1 if cached else None], cached=cached)
        return (process_time() - begun) / steps

    plain = min(seconds(2, False) for _ in range(3))
    assert plain > 20 * min(seconds(60, True) for _ in range(3))


def test_a_labeller_spells_its_best_alignment():
    class Fixed(CTCLabeller):
        def forward(self, x, steps=None):
            return x

    random.seed(0)
    path = [0, 1, 1, 0, 1, 3, 3, 2]
    logits = np.eye(4)[path][None].astype(np.float32)
    assert Fixed(3, 2, 3).spell(Tensor(logits)) == [[0, 0, 2, 1]]
    assert Fixed(3, 2, 3).spell(Tensor(logits), np.array([4])) == [[0]]
