"""Three ways to vectors of words: guess the neighbours, guess the word, fit the counts."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...nn import Embedding, Module
from ...tensor import Tensor


def _log_sigmoid(x: Tensor) -> Tensor:
    return -ops.softplus(-x)


class SkipGram(Module):
    """L = -ln s(v_w . u_c) - k / K sum_{j = 1 ... K} ln s(-v_w . u_j), s the sigmoid: word w tells
    its neighbour c from K drawn words (negative sampling).

    | layer | output for V = 10,000 words, D = 64 | parameters |
    |---|---|---|
    | Embedding v, of the word | (B, 64) | 640,000 |
    | Embedding u, of neighbours | (B, 64), (K, 64) | 640,000 |
    | all | | 1,280,000 |

    words, others (B,) int64: pairs of neighbours; drawn (K,): words drawn in proportion to their
    count^(3/4), one draw for all pairs of the batch: its scores are one product (B, D) (D, K), and
    weighing them by k / K (`negative` / K) leaves the expected gradient what k draws a pair give.
    u begins as zeros, v uniform within 1 / (2D).

    Mikolov, Sutskever, Chen, Corrado and Dean, Distributed representations of words and phrases,
    NIPS 2013, equation 4; shared draws: Ji et al. 2016, arXiv 1604.04661.
    """

    def __init__(self, vocabulary: int = 10_000, dimension: int = 64, negative: int = 5) -> None:
        self.negative = negative
        self.word = Embedding(vocabulary, dimension)
        self.word.weight.assign(self.word.weight.numpy() * (10 / dimension))  # within 1 / (2D)
        self.other = Embedding(vocabulary, dimension, weight_init="zeros")

    def forward(self, words: Tensor) -> Tensor:
        """v (B, D) of the words."""
        return self.word(words)

    def loss(self, words: Tensor, others: Tensor, drawn: Tensor) -> Tensor:
        """The mean of L over the pairs."""
        return self._told(self(words), others, drawn)

    def _told(self, v: Tensor, others: Tensor, drawn: Tensor) -> Tensor:
        right = _log_sigmoid(ops.sum(v * self.other(others), axis=1))
        wrong = _log_sigmoid(-(v @ ops.transpose(self.other(drawn), (1, 0))))
        return -(right.mean() + self.negative * wrong.mean())

    def vectors(self) -> np.ndarray:
        """(V, D): what is kept of it, v."""
        return self.word.weight.numpy()


class CBOW(SkipGram):
    """The mean of the neighbours' vectors v tells the word between them from K drawn ones: the loss
    of `SkipGram` with v_w = the mean, and u of the word.

    | layer | output for V = 10,000 words, D = 64 | parameters |
    |---|---|---|
    | Embedding v, of neighbours, their mean | (B, 64) | 640,000 |
    | Embedding u, of the word | (B, 64), (K, 64) | 640,000 |
    | all | | 1,280,000 |

    words (B, 2 w) int64: the neighbours, -1 where there is none; others (B,): the word.

    Mikolov, Chen, Corrado and Dean, Efficient estimation of word representations in vector space
    (2013), arXiv 1301.3781.
    """

    def forward(self, words: Tensor) -> Tensor:
        there = words >= 0
        found = there.astype(self.dtype)
        share = found / ops.clip(found.sum(axis=1, keepdims=True), 1.0)
        v = self.word(ops.where(there, words, words * 0))
        return ops.sum(v * share.unsqueeze(2), axis=1)


class GloVe(Module):
    """L = f(X) (v_i . u_j + b_i + c_j - ln X)^2, f(X) = min(1, (X / x_max)^(3/4)), X how often
    words i and j stand near each other.

    | layer | output for V = 10,000 words, D = 64 | parameters |
    |---|---|---|
    | Embeddings v and u | (B, 64) twice | 1,280,000 |
    | biases b and c | (B, 1) twice | 20,000 |
    | all | | 1,300,000 |

    words, others (B,) int64 and counts (B,) float: pairs that occur, each as often as others.

    Pennington, Socher and Manning, GloVe: global vectors for word representation, EMNLP 2014,
    equations 8 and 9.
    """

    def __init__(self, vocabulary: int = 10_000, dimension: int = 64, most: float = 100.0) -> None:
        self.most = most
        self.word, self.other = (Embedding(vocabulary, dimension) for _ in range(2))
        self.word_bias, self.other_bias = (Embedding(vocabulary, 1) for _ in range(2))

    def forward(self, words: Tensor, others: Tensor) -> Tensor:
        """(B,): what is to be ln X."""
        product = ops.sum(self.word(words) * self.other(others), axis=1, keepdims=True)
        return (product + self.word_bias(words) + self.other_bias(others))[:, 0]

    def loss(self, words: Tensor, others: Tensor, counts: Tensor) -> Tensor:
        """The mean of L over the pairs."""
        x = counts.numpy()
        f = np.minimum(1, (x / self.most) ** 0.75).astype(x.dtype)
        away = self(words, others) - Tensor(np.log(x), backend=counts.backend)
        return (Tensor(f, backend=counts.backend) * away * away).mean()

    def vectors(self) -> np.ndarray:
        """(V, D): v + u."""
        return self.word.weight.numpy() + self.other.weight.numpy()


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) scaled to length 1; 0 stays 0."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


def nearest(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    """(Q, count) int64: the rows of vectors (V, D) with the largest cosine to queries (Q, D), the
    nearest first."""
    scores = queries @ unit(vectors).T
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def pointed_at(vectors: np.ndarray, *words: int) -> np.ndarray:
    """The place (D,) of one word, or of d in a : b = c : d, b - a + c; all of length 1."""
    first, *others = unit(vectors[list(words)])
    return others[0] - first + others[1] if others else first


def analogy(vectors: np.ndarray, a: int, b: int, c: int, count: int = 1) -> list[int]:
    """Words d with a : b = c : d, the best first: the nearest to b - a + c, all of length 1, but
    those three (Mikolov et al. 2013)."""
    found = nearest(vectors, pointed_at(vectors, a, b, c)[None], count + 3)[0]
    return [int(k) for k in found if k not in (a, b, c)][:count]
