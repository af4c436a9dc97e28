"""CapsNet: a convolution, capsules of its patches, capsules of the classes, and a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from math import prod, sqrt

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import Conv2d, Linear, Module, Parameter, ReLU, Sequential, Sigmoid, init, margin
from ...random import default_generator
from ...tensor import Tensor
from .routing import length, route, squash


class Decoder(Module):
    """Capsules (N, J, K), all but the asked one set to 0 -> a picture: linear layers with ReLU, the
    last with a sigmoid."""

    def __init__(self, inputs: int, hidden: Sequence[int], picture: Sequence[int]) -> None:
        self.picture = tuple(picture)
        layers: list[Module] = []
        for fan_in, fan_out in pairwise((inputs, *hidden, prod(picture))):
            layers += [Linear(fan_in, fan_out), ReLU()]
        self.layers = Sequential(*layers[:-1], Sigmoid())

    def forward(self, capsules: Tensor, labels: Tensor) -> Tensor:
        n, classes, _ = capsules.shape
        mask = ops.one_hot(labels, classes, capsules.dtype).reshape(n, classes, 1)
        return self.layers((capsules * mask).reshape(n, -1)).reshape(n, *self.picture)


class CapsNet(Module):
    """picture -> one capsule for each class; its length says whether the class is there, its
    direction how.

    | layer | output for 28x28x1 | parameters |
    |---|---|---|
    | Conv2d 9x9, ReLU | (N, 20, 20, 256) | 20,992 |
    | Conv2d 9x9, stride 2: 32 primary capsules of 8 in each place | (N, 1152, 8) | 5,308,672 |
    | votes: an 8x16 matrix for each pair of capsules | (N, 1152, 10, 16) | 1,474,560 |
    | routing, `rounds` times | (N, 10, 16) | 0 |
    | all without a decoder | | 6,804,224 |
    | decoder: Linear 512, 1024, 784 | (N, 28, 28, 1) | 1,411,344 |
    | all | | 8,215,568 |

    x: (N, *picture) float in 0 ... 1; result: lengths (N, classes), the larger the surer; `poses`
    gives the capsules themselves. `loss` is the margin loss plus `weight` times the squared error
    of the picture that the true class's capsule is decoded to, summed over pixels. filters: of the
    two convolutions, the second's a multiple of `primary`; kernels, strides: theirs. hidden: widths
    of the decoder; (): none. Raises ConfigError, ShapeError. Sabour, Frosst and Hinton 2017
    (arXiv:1710.09829).
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        classes: int = 10,
        filters: Sequence[int] = (256, 256),
        kernels: Sequence[int] = (9, 9),
        strides: Sequence[int] = (1, 2),
        primary: int = 8,
        pose: int = 16,
        rounds: int = 3,
        hidden: Sequence[int] = (512, 1024),
        weight: float = 0.0005,
    ) -> None:
        self.picture, self.primary, self.rounds = tuple(picture), primary, rounds
        self.weight = weight
        height, width, channels = self.picture
        for kernel, stride in zip(kernels, strides, strict=True):
            height, width = ((side - kernel) // stride + 1 for side in (height, width))
        if min(height, width) < 1 or filters[1] % primary:
            raise ConfigError(
                f"CapsNet: kernels {tuple(kernels)} must fit into {self.picture} and capsules of "
                f"{primary} divide {filters[1]} filters"
            )
        self.first = Conv2d(channels, filters[0], kernels[0], stride=strides[0])
        self.second = Conv2d(filters[0], filters[1], kernels[1], stride=strides[1])
        below = height * width * filters[1] // primary
        # With even couplings the capsules above then begin as long as those below.
        first = partial(init.normal, std=classes / sqrt(below * pose))
        shape = (below, classes, primary, pose)
        self.votes = Parameter(init.draw(first, shape, default_generator()))
        self.decoder = Decoder(classes * pose, hidden, self.picture) if hidden else None

    def primaries(self, x: Tensor) -> Tensor:
        """The capsules of all places, (N, I, primary)."""
        if x.shape[1:] != self.picture:
            raise ShapeError(f"CapsNet: pictures must be (N, {self.picture}), got {x.shape}")
        return squash(self.second(ops.relu(self.first(x))).reshape(len(x), -1, self.primary))

    def routed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(capsules of the classes (N, classes, pose), couplings (N, I, classes))."""
        votes = ops.einsum("nid,ijdk->nijk", self.primaries(x), self.votes)
        return route(votes, self.rounds)

    def poses(self, x: Tensor) -> Tensor:
        """The capsules of the classes, (N, classes, pose)."""
        return self.routed(x)[0]

    def forward(self, x: Tensor) -> Tensor:
        return length(self.poses(x))

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """The mean over pictures x and their classes (N,): equation 4, and section 4.1."""
        poses = self.poses(x)
        lengths = length(poses)
        found = margin(lengths, ops.one_hot(labels, lengths.shape[1], lengths.dtype))
        if self.decoder is None:
            return found
        away = self.decoder(poses, labels) - x
        return found + self.weight * ops.sum(away * away) / len(x)
