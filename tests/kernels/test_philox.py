"""The random stream is Philox4x32-10: published vectors, then every backend bit by bit."""

import numpy as np
import pytest
from cases.kernels import REFERENCE

from tinydl.backend.reference.random import bernoulli_threshold, philox

M0, M1, W0, W1, MASK = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85, 0xFFFFFFFF

# Random123 (Salmon et al. 2011), tests/kat_vectors, lines "philox4x32 10": counter, key, result.
PUBLISHED = (
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
PLACES = [(0, 0), (1, 2**32 - 3), (2**32, 2**32), (2**64 - 1, 2**63 + 5), (0xABCDEF0123456789, 77)]


def philox_by_hand(counter, key):
    """One block in Python integers, with the whole 128-bit counter."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(M0 * c[0], 2**32)
        high1, low1 = divmod(M1 * c[2], 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + W0) & MASK, (k[1] + W1) & MASK]
    return tuple(c)


def words(key, offset, blocks):
    """The stream as tinydl numbers it: block i has the counter offset + i, the key is 64 bits."""
    rows = []
    for i in range(blocks):
        counter = (offset + i) & (2**64 - 1)
        rows.append(philox_by_hand((counter & MASK, counter >> 32, 0, 0), (key & MASK, key >> 32)))
    return np.array(rows, np.uint32).reshape(-1, 4)


@pytest.mark.parametrize("counter, key, result", PUBLISHED)
def test_published_vectors(counter, key, result):
    assert philox_by_hand(counter, key) == result


def test_the_first_published_vector_is_the_first_block():
    assert tuple(philox(0, 0, 1)[0].tolist()) == PUBLISHED[0][2]


@pytest.mark.parametrize("key, offset", PLACES)
def test_reference_stream(key, offset):
    assert np.array_equal(philox(key, offset, 9), words(key, offset, 9))


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 33, 1001])
@pytest.mark.parametrize("key, offset", PLACES)
def test_uniform_float32_has_the_upper_24_bits(target, key, offset, n):
    got = target.to_numpy(target.uniform(key, offset, (n,), np.dtype("float32")))
    want = words(key, offset, -(-n // 4)).ravel()[:n] >> 8
    assert got.dtype == np.float32
    assert np.array_equal(got.astype(np.float64) * 2**24, want)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 33, 501])
@pytest.mark.parametrize("key, offset", PLACES)
def test_uniform_float64_has_53_bits_of_two_words(target, key, offset, n):
    got = target.to_numpy(target.uniform(key, offset, (n,), np.dtype("float64")))
    pairs = words(key, offset, -(-n // 2)).reshape(-1, 2)[:n].astype(np.uint64)
    want = (pairs[:, 0] >> np.uint64(5)) * 2**26 + (pairs[:, 1] >> np.uint64(6))
    assert np.array_equal(got * 2.0**53, want.astype(np.float64))


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.7, 1.0])
def test_bernoulli_compares_words(target, probability):
    got = target.to_numpy(target.bernoulli(5, 2**32 - 2, probability, (7, 11)))
    want = (words(5, 2**32 - 2, 20).ravel()[:77] >> 8) < bernoulli_threshold(probability)
    assert got.dtype == np.bool_ and np.array_equal(got, want.reshape(7, 11))


def test_dropout_keeps_what_bernoulli_keeps(target):
    x = np.ones((13, 9), np.float32)
    kept = target.to_numpy(target.dropout(target.asarray(x), 3, 9, 0.25)) != 0
    assert np.array_equal(kept, REFERENCE.bernoulli(3, 9, 0.75, x.shape))
    assert 0.6 < kept.mean() < 0.9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normals_have_the_moments_of_normals(target, dtype):
    x = target.to_numpy(target.normal(11, 0, (40_000,), np.dtype(dtype))).astype(np.float64)
    # four standard errors of mean, variance, and fourth moment
    assert abs(x.mean()) < 4 / 200
    assert abs(x.var() - 1) < 4 * np.sqrt(2) / 200
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96) / 200
    assert abs(np.corrcoef(x[0::2], x[1::2])[0, 1]) < 4 / 141
