"""2,000 changed run folders; `python tests/fuzz/run_folders.py` tries 20,000 and more."""

from fuzz.run_folders import fuzz


def test_a_changed_run_folder_gives_the_same_result_or_one_sentence():
    tally = fuzz(2_000, seed=1)
    assert not tally.failures, "\n".join(tally.failures[:5])
    outcomes = {what.split(": ")[1] for what in tally.counts}
    assert outcomes == {"error", "same", "another, sealed again"}
