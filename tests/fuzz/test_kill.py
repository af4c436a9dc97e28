"""kill -9 a few times; `python tests/fuzz/kill.py --times 100` does it at a hundred moments."""

from fuzz.kill import kill


def test_a_killed_training_goes_on_and_ends_bitwise_as_if_nobody_had_stopped_it():
    tally, faults = kill(3, seed=2)
    assert not faults, faults
    assert sum(tally.values()) >= 3
