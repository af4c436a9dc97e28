"""WaveNet's program: bits of the test part, what stands beside them, the sound it writes."""

from math import log

import numpy as np
from cases.generators import sounding
from closeness import assert_close

from tinydl import Tensor, no_grad
from tinydl.baselines import level_and_slope_before, levels_alone, one_level_before
from tinydl.data.formats.wav import decode_wav
from tinydl.runs.run import begin, claim, train_into


def test_it_learns_tones_better_than_counting():
    training = begin(sounding(updates=60, lr=0.02).replaced(epochs=3))
    training.fit()
    found = training.measure()["bits"]
    counted = [b(training, "test")["bits"] for b in (levels_alone, one_level_before)]
    assert found < counted[1] < counted[0] < 4
    assert level_and_slope_before(training, "test")["bits"] < counted[1]


def test_bits_are_those_of_all_samples_at_once():
    training = begin(sounding())
    x = Tensor(training.test[None])
    with no_grad():
        logits = training.model(x[:, :-1]).numpy()[0].astype(np.float64)
    right = logits[np.arange(len(logits)), training.test[1:]]
    nats = np.log(np.exp(logits).sum(axis=1)) - right
    assert_close(np.array(training.measure()["bits"]), np.array(nats.mean() / log(2)), 1e-5)


def test_counting_is_the_formula():
    training = begin(sounding())
    x, test = training.train, training.test
    p = (np.bincount(x[2:], minlength=16) + 1) / (len(x) - 2 + 16)
    bits = [-np.log2(p[v]) for v in test[2:]]
    assert_close(np.array(levels_alone(training, "test")["bits"]), np.mean(bits), 1e-9)
    pairs = list(zip(x[1:-1].tolist(), x[2:].tolist(), strict=True))
    bits = []
    for a, v in zip(test[1:-1].tolist(), test[2:].tolist(), strict=True):
        own, both = sum(k == a for k, _ in pairs), pairs.count((a, v))
        bits.append(-np.log2((both + 16 * p[v]) / (own + 16)))
    assert_close(np.array(one_level_before(training, "test")["bits"]), np.mean(bits), 1e-9)


def test_a_finished_run_holds_a_sound(tmp_path):
    recipe = sounding().replaced(epochs=2)
    with claim(tmp_path / "run", recipe.name) as lock:
        train_into(lock, begin(recipe), False)
    rate, sound = decode_wav((tmp_path / "run" / "sample.wav").read_bytes(), "sample.wav")
    assert rate == 8_000 and len(sound) == 80 and np.abs(sound).max() > 0
