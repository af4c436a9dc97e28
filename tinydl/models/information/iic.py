"""Clusters by invariant information: what a picture and its changed copy tell of each other."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import Conv2d, Flatten, GroupNorm, Linear, Module, ReLU, Sequential
from ...tensor import Tensor

TINY = 1e-8


def shared_information(p: Tensor, q: Tensor) -> Tensor:
    """I of the joint distribution P = (p'q + q'p) / 2N of two clusterings, in nats.

    p, q (N, K): probabilities of K clusters for N samples and for their changed copies. I = sum_ij
    P_ij log P_ij / (P_i P_j): at most log K, where all clusters are equally frequent and a copy
    always falls into its sample's; 0 where one cluster has everything. ShapeError unless alike. Ji
    et al. 2019 (arXiv:1807.06653), equations 2 and 3.
    """
    if p.ndim != 2 or p.shape != q.shape:
        raise ShapeError(f"shared_information: needs two (N, K), got {p.shape} and {q.shape}")
    joint = p.transpose((1, 0)) @ q * (1 / len(p))
    joint = (joint + joint.transpose((1, 0))) * 0.5 + TINY
    own = ops.sum(joint, axis=1, keepdims=True)
    return ops.sum(joint * (ops.log(joint) - ops.log(own) - ops.log(own.transpose((1, 0)))))


class IIC(Module):
    """Pictures -> convolutions -> several heads, each a softmax over clusters.

    | layer | output for 28x28x1, widths 16-32-64, 10 clusters | parameters |
    |---|---|---|
    | Conv2d 5x5 stride 2, GroupNorm, ReLU | (N, 14, 14, 16) | 448 |
    | Conv2d 3x3 stride 2, GroupNorm, ReLU | (N, 7, 7, 32) | 4,704 |
    | Conv2d 3x3 stride 2, GroupNorm, ReLU | (N, 4, 4, 64) | 18,624 |
    | 5 heads: Linear | (N, 10) | 51,250 |
    | 5 heads with 50 clusters: Linear | (N, 50) | 256,250 |
    | all | | 331,276 |

    x (N, H, W, C). Heads of more clusters than there are classes ("overclustering") teach the
    convolutions what else there is to tell apart, and are not asked afterwards. Several heads of
    each kind begin differently and end differently well. GroupNorm has 4 groups. Raises
    ConfigError. Ji et al. 2019 (arXiv:1807.06653).
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        widths: Sequence[int] = (16, 32, 64),
        clusters: int = 10,
        more: int = 50,
        heads: int = 5,
    ) -> None:
        if not widths or min(clusters, more) < 2 or heads < 1:
            raise ConfigError(
                "IIC: needs widths, at least two clusters and a head, got "
                f"{tuple(widths)}, {clusters}, {more} and {heads}"
            )
        H, W, C = picture
        layers: list[Module] = []
        for k, width in enumerate(widths):
            kernel = 5 if k == 0 else 3
            layers += [
                Conv2d(C, width, kernel, stride=2, padding="same"),
                GroupNorm(4, width),
                ReLU(),
            ]
            H, W, C = -(-H // 2), -(-W // 2), width
        self.features = Sequential(*layers, Flatten())
        self.clusterings = [Linear(H * W * C, clusters) for _ in range(heads)]
        self.overclusterings = [Linear(H * W * C, more) for _ in range(heads)]

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (heads, N, clusters); the heads name clusters each in its own way."""
        return said(self.clusterings, self.features(x))

    def losses(self, x: Tensor, changed: Tensor, more: bool = False) -> Tensor:
        """-I of each head, (heads,); of the overclustering ones with `more`."""
        heads = self.overclusterings if more else self.clusterings
        both = said(heads, self.features(ops.concat([x, changed])))
        N = len(x)
        return -ops.stack([shared_information(p[:N], p[N:]) for p in both])


def said(heads: Sequence[Linear], features: Tensor) -> Tensor:
    return ops.stack([ops.softmax(head(features)) for head in heads])
