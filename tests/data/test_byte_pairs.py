"""Byte pairs: every text comes back; the pairs are those of the paper's algorithm."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinydl.data import BytePairTokenizer
from tinydl.data.byte_pairs import BYTES, _pieces
from tinydl.errors import ConfigError

TEXTS = ["low lower lowest low", "newer wider, wider!  the newest", "Zoë's café – zoë"] * 2
LEARNED = BytePairTokenizer.fit(TEXTS, 320, marks=("<pad>", "<mask>"))


@given(st.text())
def test_every_text_comes_back(text):
    codes = LEARNED.encode(text)
    assert LEARNED.decode(codes) == text
    assert (codes >= 2).all(), "no text has marks in it"


@given(st.lists(st.sampled_from(["low", "newest ", "<pad>", "é", " ", "\n", "wid", "..", "_"])))
def test_every_text_of_what_was_learned_comes_back(words):
    text = "".join(words)
    assert LEARNED.decode(LEARNED.encode(text)) == text
    assert len(LEARNED.encode(text)) <= len(text.encode())


@example(" ababba", 270, 1)  # a pair that is rarer by the time that it is the next
@given(st.text("ab ", max_size=40), st.integers(256, 275), st.integers(1, 3))
def test_pairs_are_those_of_counting_anew_each_time(text, size, least):
    """Algorithm 1 of the paper: count all pairs, join the most frequent, begin again."""
    words = [list(p) for p, n in Counter(_pieces(text)).items() if n >= least]
    times = [Counter(_pieces(text))["".join(w)] for w in words]
    found = []
    while len(found) < size - 256:
        counts = Counter()
        for word, n in zip(words, times, strict=True):
            for pair in pairwise(word):
                counts[pair] += n
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < least:
            break
        found.append("".join(best))
        words = [joined(word, best) for word in words]
    tokenizer = BytePairTokenizer.fit([text], size, marks=(), min_count=least)
    assert tokenizer.vocabulary[256:] == tuple(found)
    for word in words:  # a text is cut as its words ended while the pairs were found
        assert tokenizer.split(tokenizer.join(word)) == word


def joined(word, pair):
    made = []
    for token in word:
        if made and (made[-1], token) == pair and made[-1] is not None:
            made[-1:] = ["".join(pair), None]  # what was just joined begins no other pair
        else:
            made = [m for m in made if m is not None] + [token]
    return [m for m in made if m is not None]


def test_the_vocabulary_is_all_that_has_to_be_kept():
    again = BytePairTokenizer(LEARNED.vocabulary)
    for text in (*TEXTS, "something else: ŵ"):
        np.testing.assert_array_equal(again.encode(text), LEARNED.encode(text))
    assert LEARNED.vocabulary[:2] == ("<pad>", "<mask>") and LEARNED.vocabulary[2:258] == BYTES
    assert LEARNED.padding == 0 and LEARNED.decode([0, 1]) == "<mask>"


def test_every_token_can_be_printed_and_bytes_are_their_own_characters_where_they_can():
    assert "".join(LEARNED.vocabulary).isprintable() and "".join(BYTES).isprintable()
    assert len(set(BYTES)) == 256 and " " not in BYTES
    assert all(chr(k) == byte for k, byte in enumerate(BYTES) if ord(byte) < 256)
    assert BYTES[ord(" ")] == "Ġ" and BYTES[ord("a")] == "a"


def test_bytes_that_are_no_text_show_as_such():
    assert LEARNED.decode([2 + 0xC3]) == "\ufffd"
    assert LEARNED.decode([2 + 0xC3, 2 + 0xA9]) == "é"


@pytest.mark.parametrize(
    "vocabulary, words",
    [
        (BYTES[1:], "must hold all 256 bytes in order"),
        (("<pad>", *BYTES[::-1]), "must hold all 256 bytes in order"),
        ((*BYTES, "abc"), "'abc' is no pair of the tokens before it"),
        ((*BYTES, "ab", "ab"), "distinct tokens"),
    ],
)
def test_a_vocabulary_that_is_none(vocabulary, words):
    with pytest.raises(ConfigError, match=words):
        BytePairTokenizer(vocabulary)


@pytest.mark.parametrize(
    "given_, words",
    [
        ({"max_tokens": 256}, "max_tokens >= 257"),
        ({"max_tokens": 300, "marks": ("a",)}, "distinct marks that are no bytes"),
        ({"max_tokens": 300, "marks": ("<x>", "<x>")}, "distinct marks"),
        ({"max_tokens": 300, "min_count": 0}, "min_count >= 1"),
    ],
)
def test_settings_that_do_not_fit(given_, words):
    with pytest.raises(ConfigError, match=words):
        BytePairTokenizer.fit(["a"], **given_)


def test_a_lone_surrogate_is_no_text():
    with pytest.raises(ConfigError, match="the text has no UTF-8: surrogates not allowed"):
        LEARNED.encode("a\ud800")


def test_a_mark_is_no_pair():
    """What would be joined to a mark's name is left as it is."""
    tokenizer = BytePairTokenizer.fit(["ab ab abc"], 300, marks=("ab",), min_count=1)
    assert tokenizer.vocabulary.count("ab") == 1
    assert tokenizer.decode(tokenizer.encode("ab")) == "ab" and 0 not in tokenizer.encode("ab")
