"""Perplexity, bits per character and BLEU by hand; by definition they run from cases/metrics.py."""

from math import exp, log

import numpy as np
import pytest
from cases.metrics import translations
from hypothesis import given
from hypothesis import strategies as st

from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import bits_per_character, bleu, perplexity


def test_perplexity_and_bits():
    assert perplexity(np.full(7, log(65))) == pytest.approx(65)
    assert perplexity(log(65)) == pytest.approx(65)
    assert perplexity([0.0]) == 1 and perplexity([np.inf, 0.0]) == np.inf
    p = np.array([0.5, 0.25, 0.125])
    assert perplexity(-np.log(p)) == pytest.approx(1 / np.prod(p) ** (1 / 3))
    assert bits_per_character(-np.log(p)) == pytest.approx(2)
    # Two words of four and six characters, each with one space after it: 12 characters.
    assert bits_per_character(-np.log([0.25, 0.0625]), 12 / 2) == pytest.approx((2 + 4) / 12)
    for call in (perplexity, bits_per_character):
        with pytest.raises(ShapeError, match="no losses"):
            call([])
    with pytest.raises(ConfigError, match="must be > 0"):
        bits_per_character([1.0], 0)


# -- BLEU ------------------------------------------------------------------------------------------


def test_the_paper_s_examples():
    """Papineni et al. 2002, section 2: clipped unigrams 2/7, and two candidates' precisions."""
    seven = ["the"] * 7
    references = [r.split() for r in ("the cat is on the mat", "there is a cat on the mat")]
    assert bleu([seven], [references], max_order=1) == pytest.approx(2 / 7)
    first = (
        "it is a guide to action which ensures that the military always obeys the commands of the "
        "party"
    )
    second = "it is to insure the troops forever hearing the activity guidebook that party direct"
    references = [
        "it is a guide to action that ensures that the military will forever heed party commands",
        "it is the guiding principle which guarantees the military forces always being under the "
        "command of the party",
        "it is the practical guide for the army always to heed the directions of the party",
    ]
    references = [r.split() for r in references]
    assert bleu([first.split()], [references], max_order=1) == pytest.approx(17 / 18)
    # 8/14, and the brevity penalty of 14 words against the nearest reference of 16.
    assert bleu([second.split()], [references], max_order=1) == pytest.approx(
        8 / 14 * exp(1 - 16 / 14)
    )


@pytest.mark.parametrize("smoothing", ["add_one", "exp"])
@given(seed=st.integers(0, 2**32 - 1))
def test_smoothing_only_adds(smoothing, seed):
    candidates, references, max_order = translations(np.random.default_rng(seed))
    plain = bleu(candidates, references, max_order)
    assert plain - 1e-12 <= bleu(candidates, references, max_order, smoothing) <= 1 + 1e-12


def test_smoothing_by_hand():
    candidate, reference = [list("abxd")], [[list("abcd")]]
    # Unigrams 3/4, bigrams 1/3, trigrams 0/2, four-grams 0/1.
    assert bleu(candidate, reference) == 0
    add_one = (3 / 4 * 2 / 4 * 1 / 3 * 1 / 2) ** (1 / 4)
    assert bleu(candidate, reference, smoothing="add_one") == pytest.approx(add_one)
    geometric = (3 / 4 * 1 / 3 * 1 / (2 * 2) * 1 / (4 * 1)) ** (1 / 4)
    assert bleu(candidate, reference, smoothing="exp") == pytest.approx(geometric)
    exact = [list("abcd")]
    for smoothing in ("none", "add_one", "exp"):
        assert bleu(exact, [[list("abcd")]], smoothing=smoothing) == pytest.approx(1)


def test_brevity_and_short_candidates():
    reference = [[list("abcdefgh")]]
    assert bleu([list("abcd")], reference) == pytest.approx(exp(1 - 8 / 4))
    assert bleu([list("abcdefgh")], [[list("abcd")]], max_order=1) == 0.5  # no bonus for length
    assert bleu([list("ab")], [[list("ab")]]) == 1  # there are no trigrams to be counted
    # Of references equally near in length the shorter counts: no penalty here.
    assert bleu([list("abc")], [[list("abcd"), list("ab")]], max_order=1) == 1
    assert bleu([[]], [[list("ab")]]) == 0
    assert bleu([[1, 2, 3]], [[[1, 2, 3]]]) == 1  # tokens may be indices
    assert bleu([np.array([1, 2])], [[np.array([1, 2])]], max_order=2) == 1


def test_refusals():
    for arguments in (([], []), ([["a"]], []), ([["a"]], [[]])):
        with pytest.raises(ShapeError, match="one list of references"):
            bleu(*arguments)
    with pytest.raises(ConfigError, match="smoothing must be"):
        bleu([["a"]], [[["a"]]], smoothing="floor")
    with pytest.raises(ConfigError, match="max_order >= 1"):
        bleu([["a"]], [[["a"]]], max_order=0)
