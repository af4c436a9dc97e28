"""The encoder that the few-shot papers share, and what every comparer of codes has."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import BatchNorm, Conv2d, Flatten, MaxPool2d, Module, ReLU, Sequential, cross_entropy
from ...tensor import Tensor


def conv_encoder(picture: Sequence[int], filters: int, blocks: int) -> Sequential:
    """`blocks` times: 3x3 convolution 'same', batch norm, ReLU, max pool 2x2; (N, D) in the end.
    Vinyals et al. 2016, section 4.1: 28x28 pictures, 4 blocks of 64 give 64 numbers."""
    height, width, channels = picture
    if min(height, width) < 2**blocks:
        raise ConfigError(f"conv_encoder: {blocks} poolings do not fit into {tuple(picture)}")
    layers: list[Module] = []
    for _ in range(blocks):
        layers += [Conv2d(channels, filters, 3, padding="same"), BatchNorm(filters, momentum=0.9)]
        layers += [ReLU(), MaxPool2d(2)]
        channels = filters
    return Sequential(*layers, Flatten())


class Comparer(Module):
    """A model that turns pictures into codes and compares codes: `embed` and `compare`.

    `embed`: pictures (N, *picture) -> codes (N, D). `compare`: codes of the examples (W, S, D), S
    of each of W classes, and of queries (Q, D) -> scores (Q, W), the largest is the answer. Forward
    is (examples (W, S, *picture), queries (Q, *picture)) -> scores; `loss` their cross-entropy with
    labels (Q,), places among the W. Raises ShapeError.
    """

    def embed(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def compare(self, examples: Tensor, queries: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, examples: Tensor, queries: Tensor) -> Tensor:
        if examples.shape[2:] != queries.shape[1:]:
            raise ShapeError(
                f"{type(self).__name__}: examples (W, S, ...) and queries (Q, ...) are of pictures "
                f"of one shape, got {examples.shape} and {queries.shape}"
            )
        ways, shots = examples.shape[:2]
        flat = examples.reshape(ways * shots, *examples.shape[2:])
        codes = self.embed(ops.concat([flat, queries], axis=0))  # one batch for the batch norm
        return self.compare(codes[: ways * shots].reshape(ways, shots, -1), codes[ways * shots :])

    def loss(self, examples: Tensor, queries: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(self(examples, queries), labels)
