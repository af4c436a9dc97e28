"""Matching networks: attention over the examples, whose labels are averaged."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...tensor import Tensor
from .encoder import Comparer, conv_encoder

TINY = 1e-12  # under the root of a length


class MatchingNet(Comparer):
    """P(class k) = sum of a_i over its examples,  a = softmax_i(sharpness cos(f(query), f(x_i))).

    f: `conv_encoder`; 111,936 parameters for 28x28x1, 4 blocks of 64. Scores are log P, so that
    their cross-entropy is the likelihood. sharpness: the paper's is 1, with which no weight can be
    more than e^2 times another and training is slow; 10 here. Its "full context embeddings", LSTMs
    over the set of examples, are left out. See `Comparer` for shapes. Raises ConfigError. Vinyals
    et al. 2016 (arXiv:1606.04080), equations 1 and 2.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        filters: int = 64,
        blocks: int = 4,
        sharpness: float = 10.0,
    ) -> None:
        self.encoder = conv_encoder(picture, filters, blocks)
        self.sharpness = sharpness

    def embed(self, x: Tensor) -> Tensor:
        """Codes of length 1."""
        codes = self.encoder(x)
        return codes / ops.sqrt(ops.sum(codes * codes, axis=-1, keepdims=True) + TINY)

    def compare(self, examples: Tensor, queries: Tensor) -> Tensor:
        ways, shots, width = examples.shape
        cosines = queries @ examples.reshape(ways * shots, width).T
        logs = ops.log_softmax(self.sharpness * cosines, axis=-1).reshape(-1, ways, shots)
        return ops.logsumexp(logs, axis=-1)
