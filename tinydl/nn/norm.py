"""Normalisation layers; see tinydl/ops/norm.py. Channels are the last axis."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .. import ops
from ..arguments import sizes
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..function import no_grad
from ..tensor import Tensor
from .linear import check_size
from .module import Buffer, Module, Parameter


def _filled(shape: tuple[int, ...], value: float) -> np.ndarray:
    return np.full(sizes("norm", shape, 4), value, np.float32)


Shape = tuple[int, ...]


class Affine(Module):
    """What the normalisations share: eps, and scale (1) and shift (0) unless affine=False."""

    scale: Parameter | None
    shift: Parameter | None

    @checked
    def __init__(self, shape: Shape, eps: float, affine: bool) -> None:
        if not eps > 0:
            raise ConfigError(f"{type(self).__name__}: eps must be > 0, got {eps!r}")
        self.eps = eps
        self.scale = Parameter(_filled(shape, 1)) if affine else None
        self.shift = Parameter(_filled(shape, 0)) if affine else None


class BatchNorm(Affine):
    """Each channel standardised with the batch's statistics, in eval with the running ones.

    x (N, features) or (N, ..., features) -> like x; parameters scale and shift (features,), buffers
    running_mean and running_variance, which a call in training moves:
    running = momentum * running + (1 - momentum) * batch; frozen (`freeze()`), it does in training
    what it does in eval. momentum None: the mean over all batches so far, of equal weight, counted
    in a third buffer, batches (exactly up to 2^24 in float32). momentum 0.99 and eps 1e-3 are
    Keras'; PyTorch's are 1 - 0.1 and 1e-5, and its running variance is divided by n - 1:
    correction=1. A momentum below 0.5 is refused: it would be PyTorch's share of the new value.
    Ioffe and Szegedy 2015 (arXiv 1502.03167). Raises ConfigError; the call ShapeError (also for a
    batch with no more than `correction` values per channel) and DTypeError.
    """

    #: (layer, x) -> (y, mean, variance, values per channel) of all ranks (`Ranks.synchronize`).
    across: Any = None

    @checked
    def __init__(
        self,
        features: int,
        momentum: float | None = 0.99,
        eps: float = 1e-3,
        affine: bool = True,
        correction: int = 0,
    ) -> None:
        check_size("BatchNorm", features=features)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ConfigError(f"BatchNorm: momentum must be in [0.5, 1] or None, got {momentum!r}")
        if momentum is not None and momentum < 0.5:
            raise ConfigError(
                "BatchNorm: momentum is the share of the old value that is kept, at least 0.5: "
                f"PyTorch's momentum={momentum:g} is momentum={1 - momentum:g} here"
            )
        if correction not in (0, 1):
            raise ConfigError(f"BatchNorm: correction must be 0 or 1, got {correction!r}")
        super().__init__((features,), eps, affine)
        self.features, self.momentum, self.correction = features, momentum, correction
        self.running_mean = Buffer(_filled((features,), 0))
        self.running_variance = Buffer(_filled((features,), 1))
        self.batches = Buffer(_filled((), 0)) if momentum is None else None

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != self.features:
            raise ShapeError(f"BatchNorm: x must be (N, ..., {self.features}), got {x.shape}")
        if self.frozen or not self.training:
            known: Any = {"mean": self.running_mean, "variance": self.running_variance}
            return ops.batch_norm(x, self.scale, self.shift, **known, eps=self.eps)
        if prod(x.shape[:-1]) <= self.correction:
            raise ShapeError(
                f"BatchNorm: a batch needs more than {self.correction} values per channel, got "
                f"x {x.shape}"
            )
        if self.across is not None:
            y, mean, variance, n = self.across(self, x)
        else:
            y, mean, variance = ops.batch_norm_with_statistics(x, self.scale, self.shift, self.eps)
            n = prod(x.shape[:-1])
        self._move_statistics(mean, variance, n)
        return y

    def _move_statistics(self, mean: Tensor, variance: Tensor, n: int) -> None:
        with no_grad():
            keep, new = self._shares()
            self.running_mean.update(self.running_mean * keep + mean * new)
            new = new * n / (n - self.correction)
            self.running_variance.update(self.running_variance * keep + variance * new)

    def _shares(self) -> tuple[Any, Any]:
        """How much of the running statistics stays, how much of the batch's comes in."""
        if self.batches is None:
            keep = float(self.momentum)  # type: ignore[arg-type]
            return keep, 1 - keep
        self.batches.update(self.batches + 1.0)
        new = 1.0 / self.batches
        return 1.0 - new, new

    def arguments(self) -> str:
        return f"{self.features}"


class LayerNorm(Affine):
    """Each sample standardised over its last axes, see `tinydl.layer_norm`: Ba et al. 2016.

    shape: the sizes of those axes, or one size; scale and shift have it. Raises ConfigError; the
    call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self, shape: int | tuple[int, ...], eps: float = 1e-3, affine: bool = True
    ) -> None:
        self.shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
        if not self.shape:
            raise ConfigError("LayerNorm: shape needs at least one axis, got ()")
        for n in self.shape:
            check_size("LayerNorm", shape=n)
        super().__init__(self.shape, eps, affine)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-len(self.shape) :] != self.shape:
            raise ShapeError(f"LayerNorm: x must end in {self.shape}, got {x.shape}")
        return ops.layer_norm(x, self.scale, self.shift, len(self.shape), self.eps)

    def arguments(self) -> str:
        return f"{self.shape}"


class RMSNorm(Module):
    """Each sample divided by the root of its mean square, see `tinydl.rms_norm`: Zhang and Sennrich
    2019. features: the size of the last axis; parameter scale (features,), first 1. Raises
    ConfigError; the call ShapeError and DTypeError."""

    @checked
    def __init__(self, features: int, eps: float = 1e-6) -> None:
        check_size("RMSNorm", features=features)
        if not eps >= 0:
            raise ConfigError(f"RMSNorm: eps must be >= 0, got {eps!r}")
        self.features, self.eps = features, eps
        self.scale = Parameter(_filled((features,), 1))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.features,):
            raise ShapeError(f"RMSNorm: x must be (..., {self.features}), got {x.shape}")
        return ops.rms_norm(x, self.scale, self.eps)

    def arguments(self) -> str:
        return f"{self.features}"


class GroupNorm(Affine):
    """Each group of channels of a sample standardised, see `tinydl.group_norm`: Wu and He 2018.

    x (N, ..., channels) -> like x. Raises ConfigError unless groups divides channels; the call
    ShapeError and DTypeError.
    """

    @checked
    def __init__(self, groups: int, channels: int, eps: float = 1e-3, affine: bool = True) -> None:
        check_size("GroupNorm", groups=groups, channels=channels)
        if channels % groups:
            raise ConfigError(f"GroupNorm: groups {groups} must divide channels {channels}")
        super().__init__((channels,), eps, affine)
        self.groups, self.channels = groups, channels

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.channels,):
            raise ShapeError(f"GroupNorm: x must be (N, ..., {self.channels}), got {x.shape}")
        return ops.group_norm(x, self.groups, self.scale, self.shift, self.eps)

    def arguments(self) -> str:
        return f"{self.groups}, {self.channels}"


class InstanceNorm(Affine):
    """Each channel of a sample standardised, see `tinydl.instance_norm`: Ulyanov et al. 2016.

    x (N, ..., channels) -> like x. Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(self, channels: int, eps: float = 1e-3, affine: bool = True) -> None:
        check_size("InstanceNorm", channels=channels)
        super().__init__((channels,), eps, affine)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.channels,):
            raise ShapeError(f"InstanceNorm: x must be (N, ..., {self.channels}), got {x.shape}")
        return ops.instance_norm(x, self.scale, self.shift, self.eps)

    def arguments(self) -> str:
        return f"{self.channels}"


class LocalResponseNorm(Module):
    """Channels damped by their neighbours, see `tinydl.local_response_norm` (AlexNet)."""

    @checked
    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
    ) -> None:
        check_size("LocalResponseNorm", size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        return ops.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def arguments(self) -> str:
        return f"{self.size}"


class L2Normalize(Module):
    """Channels of each place scaled to Euclidean length 1, times a learned factor each.

    x (..., channels) -> like x; parameter scale (channels,), first `first_scale` (20 in SSD, Liu et
    al. 2016). See `tinydl.l2_normalize`. Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(self, channels: int, first_scale: float = 20.0) -> None:
        check_size("L2Normalize", channels=channels)
        self.channels = channels
        self.scale = Parameter(_filled((channels,), first_scale))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.channels,):
            raise ShapeError(f"L2Normalize: x must be (..., {self.channels}), got {x.shape}")
        return ops.l2_normalize(x, self.scale)

    def arguments(self) -> str:
        return f"{self.channels}"


class MinibatchStd(Module):
    """One more channel, the same number everywhere: how much the samples of the batch differ.

    (N, ..., C) -> (N, ..., C + 1): the standard deviation over the N samples of each of their
    numbers (divided by N; eps under the root), and of all these the mean. A critic that sees it can
    tell a generator by its sameness: it works against mode collapse, with batches of real and
    generated samples apart. The samples of a batch meet in it, so that it does not go with a
    gradient penalty. Karras et al. 2018 (arXiv:1710.10196), section 3. Raises ShapeError.
    """

    @checked
    def __init__(self, eps: float = 1e-8) -> None:
        if not eps > 0:
            raise ConfigError(f"MinibatchStd: eps must be > 0, got {eps!r}")
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or not x.size:
            raise ShapeError(f"MinibatchStd: x must be (N, ..., C), not empty, got {x.shape}")
        apart = x - ops.mean(x, axis=0, keepdims=True)
        spread = ops.mean(ops.sqrt(ops.mean(apart * apart, axis=0) + self.eps))
        column = ops.broadcast_to(spread, (*x.shape[:-1], 1))
        return ops.concat([x, column], axis=-1)
