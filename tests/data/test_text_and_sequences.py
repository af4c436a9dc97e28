"""Tokenizers, padding, windows and the made-up sequences."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from tinydl.data import (
    CharacterTokenizer,
    WordTokenizer,
    copy_task,
    counting_ones,
    from_bits,
    noisy_sine,
    one_hot,
    pad_sequences,
    random_text,
    sequence_mask,
    split_words,
    stateful_batches,
    to_bits,
    windows,
)
from tinydl.errors import ConfigError, IndexRangeError, ShapeError
from tinydl.random import Generator

# -- tokenizers ------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=50))
def test_characters_round_trip(text):
    tokenizer = CharacterTokenizer.fit(text)
    codes = tokenizer.encode(text)
    assert codes.dtype == np.int64 and tokenizer.decode(codes) == text
    assert tokenizer.vocabulary == tuple(sorted(set(text))) and tokenizer.unknown is None
    again = CharacterTokenizer(tokenizer.vocabulary)
    assert np.array_equal(again.encode(text), codes)


def test_characters_with_a_cut_off():
    tokenizer = CharacterTokenizer.fit("aaabbc", min_count=2, unknown=True, padding=True)
    assert tokenizer.vocabulary == ("<pad>", "<unk>", "a", "b")
    assert (tokenizer.padding, tokenizer.unknown, len(tokenizer)) == (0, 1, 4)
    assert tokenizer.encode("cab").tolist() == [1, 2, 3]
    assert tokenizer.decode([0, 2, 1, 0]) == "a<unk>"
    with pytest.raises(ConfigError, match="unknown=True"):
        CharacterTokenizer.fit("aab", min_count=2)
    with pytest.raises(ConfigError, match=r"'z' is not in the vocabulary"):
        CharacterTokenizer.fit("abc").encode("az")
    for index in (-1, 4):
        with pytest.raises(IndexRangeError, match=f"no token {index} of 4"):
            tokenizer.decode([index])
    for vocabulary in ([], ["a", "a"]):
        with pytest.raises(ConfigError, match="distinct tokens"):
            CharacterTokenizer(vocabulary)


def test_words_are_ordered_by_frequency():
    texts = ["The cat, the DOG!", "the cat<br /><br />a dog's a"]
    tokenizer = WordTokenizer.fit(texts)
    counts = {"the": 3, "a": 2, "cat": 2, "!": 1, ",": 1, "dog": 1, "dog's": 1}
    assert tokenizer.vocabulary == ("<pad>", "<unk>", *counts)
    assert WordTokenizer.fit(texts, max_tokens=4).vocabulary == ("<pad>", "<unk>", "the", "a")
    assert WordTokenizer.fit(texts, min_count=2).vocabulary[2:] == ("the", "a", "cat")
    assert WordTokenizer.fit(texts, lower=False).encode("The the DOG dog").tolist() == [
        *WordTokenizer.fit(texts, lower=False).encode("The"),
        *WordTokenizer.fit(texts, lower=False).encode("the"),
        *WordTokenizer.fit(texts, lower=False).encode("DOG"),
        1,
    ]
    assert tokenizer.encode("The bird").tolist() == [2, 1]
    with pytest.raises(ConfigError, match="max_tokens must be >= 3"):
        WordTokenizer.fit(texts, max_tokens=2)


def test_a_text_cannot_claim_the_special_tokens():
    tokenizer = WordTokenizer.fit(["<pad> <unk> word"])
    assert tokenizer.vocabulary[:2] == ("<pad>", "<unk>") and len(set(tokenizer.vocabulary)) == len(
        tokenizer
    )
    assert 0 not in tokenizer.encode("<pad>")


def test_split_words():
    assert split_words("It's 3.5 o'clock -- yes!<br/>Caf\xe9_1") == [
        *("it's", "3", ".", "5", "o'clock", "-", "-", "yes", "!", "caf\xe9_1")
    ]
    assert split_words("") == [] and split_words("A b", lower=False) == ["A", "b"]


def test_padding_follows_keras():
    rows = [[1, 2, 3], [4], []]
    assert pad_sequences(rows).tolist() == [[1, 2, 3], [0, 0, 4], [0, 0, 0]]
    assert pad_sequences(rows, 2).tolist() == [[2, 3], [0, 4], [0, 0]]
    assert pad_sequences(rows, 2, padding="post").tolist() == [[2, 3], [4, 0], [0, 0]]
    assert pad_sequences(rows, 2, truncating="post", value=9).tolist() == [[1, 2], [9, 4], [9, 9]]
    assert pad_sequences([np.array([5, 6])], 3, padding="post").tolist() == [[5, 6, 0]]
    assert sequence_mask([2, 0, 3], 3).tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    with pytest.raises(ConfigError, match="'pre' or 'post'"):
        pad_sequences(rows, padding="front")
    with pytest.raises(ConfigError, match="length must be an integer >= 1"):
        pad_sequences([[]])


# -- windows ---------------------------------------------------------------------------------------


@given(st.integers(2, 40), st.integers(1, 8), st.integers(1, 5), st.booleans())
def test_windows(n, length, step, deep):
    series = np.arange(n * 2).reshape(n, 2) if deep else np.arange(n)
    if n < length + 1:
        with pytest.raises(ConfigError):
            windows(series, length, step=step)
        return
    starts = [k for k in range(0, n, step) if k + length < n]
    x, y = windows(series, length, step=step)
    assert x.tolist() == [series[k : k + length].tolist() for k in starts]
    assert y.tolist() == [series[k + length].tolist() for k in starts]
    x, y = windows(series, length, step=step, target="shifted")
    assert y.tolist() == [series[k + 1 : k + length + 1].tolist() for k in starts]
    x[:] = 0
    assert series[-1].sum() > 0  # a copy


@given(
    st.integers(1, 40), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.integers(1, 6),
    st.sampled_from([None, 0, -1, [1], [2, 0], (1, 1)]), st.sampled_from(["next", "shifted"]),
)  # fmt: skip
def test_windows_with_gaps_and_columns(n, length, step, rate, offset, columns, target):
    """Against the definition, value by value."""
    series = np.arange(n * 3).reshape(n, 3)
    options = {"step": step, "sampling_rate": rate, "offset": offset, "target_columns": columns}
    last = (length - 1) * rate
    starts = [k for k in range(0, n, step) if k + last + offset < n]
    if not starts:
        with pytest.raises(ConfigError, match=f"and {n} values"):
            windows(series, length, target=target, **options)
        return
    x, y = windows(series, length, target=target, **options)
    rows = [[k + rate * i for i in range(length)] for k in starts]
    assert x.tolist() == [[series[i].tolist() for i in row] for row in rows]
    told = series if columns is None else series[:, columns]
    if target == "next":
        assert y.tolist() == [told[k + last + offset].tolist() for k in starts]
    else:
        assert y.tolist() == [[told[i + offset].tolist() for i in row] for row in rows]


def test_windows_of_columns_that_are_none():
    with pytest.raises(ConfigError, match=r"of a series \(N, D\) with columns, got shape \(9,\)"):
        windows(np.arange(9), 2, target_columns=0)
    for wrong in (3, -4, [0, 3], ["a"], 1.0, "ab"):
        with pytest.raises(ConfigError, match="target_columns must be"):
            windows(np.ones((9, 3)), 2, target_columns=wrong)


@given(st.integers(3, 200), st.integers(1, 5), st.integers(1, 7))
def test_stateful_batches_go_on_where_they_stopped(n, batch_size, length):
    series = np.arange(n)
    if (n - 1) // batch_size < length:
        with pytest.raises(ConfigError, match="too few"):
            next(stateful_batches(series, batch_size, length))
        return
    batches = list(stateful_batches(series, batch_size, length))
    assert len(batches) == (n - 1) // batch_size // length
    for x, y in batches:
        assert x.shape == (batch_size, length) and np.array_equal(y, x + 1)
    rows = np.concatenate([x for x, _ in batches], axis=1)
    assert (np.diff(rows, axis=1) == 1).all()
    assert len(np.unique(rows)) == rows.size  # nothing twice


def test_one_hot_and_bits():
    assert one_hot(np.array([[0], [2]]), 3).tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    for bad in ([3], [-1]):
        with pytest.raises(IndexRangeError, match="do not fit 3 classes"):
            one_hot(np.array(bad), 3)
    values = np.arange(16)
    assert to_bits(values, 4).tolist() == [[int(c) for c in f"{k:04b}"] for k in range(16)]
    assert np.array_equal(from_bits(to_bits(values, 7)), values)
    for bad, width in ((16, 4), (-1, 4), (1, 0), (1, 63)):
        with pytest.raises(ConfigError, match="to_bits"):
            to_bits(np.array([bad]), width)


def test_shifted_argument():
    with pytest.raises(ConfigError, match="'next' or 'shifted'"):
        windows(np.arange(5), 2, target="all")


# -- made-up sequences -----------------------------------------------------------------------------


def test_noisy_sine():
    x, y = noisy_sine(200, 30, Generator(0), noise=0.0, period=12)
    assert x.shape == (200, 30, 1) and y.shape == (200, 1) and x.dtype == y.dtype == np.float32
    assert_close(x[:, 12:, 0], x[:, :-12, 0], 1e-5, atol=1e-5)
    assert_close(y[:, 0], x[:, 30 - 12, 0], 1e-5, atol=1e-5)  # one period before the next value
    noisy, clean = noisy_sine(200, 30, Generator(0), noise=0.5, period=12)
    assert np.array_equal(clean, y) and 0.45 < (noisy - x).std() < 0.55


def test_copy_task():
    x, y = copy_task(50, Generator(0), symbols=4, length=5, delay=7)
    assert x.shape == y.shape == (50, 17)
    assert (y[:, :12] == 0).all() and np.array_equal(y[:, 12:], x[:, :5])
    assert x[:, :5].min() == 1 and x[:, :5].max() == 4
    assert (x[:, 11] == 5).all() and (x[:, 5:11] == 0).all() and (x[:, 12:] == 0).all()


def test_counting_ones():
    x, y = counting_ones(500, 6, Generator(0))
    assert np.array_equal(x.sum((1, 2)), y) and set(np.unique(x)) == {0, 1}
    assert set(np.unique(y)) == set(range(7))
    assert (abs(x.mean((0, 2)) - 0.5) < 0.1).all()  # no place is preferred


def test_random_text():
    text = random_text(20_000, Generator(0))
    assert len(text) == 20_000 and text == random_text(20_000, Generator(0))
    assert text != random_text(20_000, Generator(1)) and len(random_text(1, Generator(0))) == 1
    counts = sorted(WordTokenizer.fit([text]).encode(text).tolist())
    words = np.bincount(counts)[2:]
    assert 50 < len(words) <= 210 and words[:10].sum() > 0.3 * words.sum()  # Zipf


def test_sizes():
    for call in (
        lambda: noisy_sine(0, 3, Generator(0)),
        lambda: copy_task(1, Generator(0), delay=0),
        lambda: counting_ones(1, 0, Generator(0)),
        lambda: random_text(0, Generator(0)),
    ):
        with pytest.raises(ShapeError, match="must be >= 1"):
            call()
