"""Normalisation in plain NumPy: of channels (batch, group and instance norm) and of rows.

x (N, P, C) has N samples of P places and C channels in G groups of C/G neighbours; a group's
moments are taken over its channels and all places of the sample. Batch norm is N = 1, G = C;
instance norm is G = C. The variance is the mean square distance from the mean (divided by their
number), and the moments of nothing are 0. normal = (x - mean) / sqrt(variance + eps).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


def _packed(x: Array) -> Array:
    return np.asarray(x, order="C")


def _groups(x: Array, G: int) -> Array:
    """x (N, P, C) as (N, P, G, C/G)."""
    N, P, C = x.shape
    return x.reshape(N, P, G, C // G if G else 0)


def _moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    if x.size == 0:
        kept = [n for axis, n in enumerate(x.shape) if axis not in axes]
        return np.zeros(kept, x.dtype), np.zeros(kept, x.dtype)
    first = x[tuple([slice(0, 1) if axis in axes else slice(None) for axis in range(x.ndim)])]
    with np.errstate(all="ignore"):
        # Counted from the first value: the mean of equal values is exactly that value.
        mean = first + (x - first).mean(axis=axes, keepdims=True)
        variance = ((x - mean) ** 2).mean(axis=axes)
    return _packed(mean.reshape(variance.shape)), _packed(variance)


def _normal(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """(x - mean) / sqrt(variance + eps) of x (N, P, G, C/G), moments (N, G)."""
    root = np.sqrt(variance + eps)[:, None, :, None]
    with np.errstate(all="ignore"):
        return (x - mean[:, None, :, None]) / root


class Norm:
    def channel_norm(
        self, x: Array, scale: Array, shift: Array, groups: int, eps: float
    ) -> tuple[Array, Array, Array]:
        """y = normal * scale + shift like x (N, P, C), and the moments mean, variance (N, G).

        scale, shift (C,).
        """
        mean, variance = _moments(_groups(x, groups), (1, 3))
        return Norm.channel_norm_apply(self, x, scale, shift, mean, variance, eps), mean, variance

    def channel_norm_apply(
        self, x: Array, scale: Array, shift: Array, mean: Array, variance: Array, eps: float
    ) -> Array:
        """y = normal * scale + shift like x (N, P, C) from given moments (N, G)."""
        normal = _normal(_groups(x, mean.shape[1]), mean, variance, eps)
        return _packed(normal.reshape(x.shape) * scale + shift)

    def channel_norm_sums(
        self, grad: Array, x: Array, mean: Array, variance: Array, eps: float
    ) -> tuple[Array, Array]:
        """Sums over the places: of grad = dL/dy, and of grad * normal, (N, C) each.

        Summed over N they are the gradients of shift and scale.
        """
        normal = _normal(_groups(x, mean.shape[1]), mean, variance, eps).reshape(x.shape)
        return _packed(grad.sum(axis=1)), _packed((grad * normal).sum(axis=1))

    def channel_norm_grad(
        self,
        grad: Array,
        x: Array,
        scale: Array,
        mean: Array,
        variance: Array,
        shifts: Array,
        scales: Array,
        eps: float,
    ) -> Array:
        """dL/dx = (g - A - normal * B) / sqrt(variance + eps) like x, where the moments are x's.

        g = grad * scale; A and B are the averages of g and of g * normal over a group, from the
        sums of channel_norm_sums.
        """
        (N, P, C), G = x.shape, mean.shape[1]
        if x.size == 0:
            return np.zeros(x.shape, x.dtype)
        normal = _normal(_groups(x, G), mean, variance, eps)
        count = P * (C // G)
        A = (shifts * scale).reshape(N, 1, G, -1).sum(axis=3, keepdims=True) / count
        B = (scales * scale).reshape(N, 1, G, -1).sum(axis=3, keepdims=True) / count
        root = np.sqrt(variance + eps)[:, None, :, None]
        result = (_groups(grad * scale, G) - A - normal * B) / root
        return _packed(result.reshape(x.shape))

    def row_norm(
        self, x: Array, scale: Array, shift: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        """Each row of x (N, D) by its own moments: y = normal * scale + shift, mean, variance (N,).

        scale, shift (D,).
        """
        mean, variance = _moments(x, (1,))
        with np.errstate(all="ignore"):
            normal = (x - mean[:, None]) / np.sqrt(variance + eps)[:, None]
            return _packed(normal * scale + shift), mean, variance

    def row_norm_grad(
        self, grad: Array, x: Array, scale: Array, mean: Array, variance: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        """dL/dx (N, D), as in channel_norm_grad with averages over a row, and the gradients of
        scale and shift (D,)."""
        if x.size == 0:
            return np.zeros(x.shape, x.dtype), *np.zeros((2, x.shape[1]), x.dtype)
        root = np.sqrt(variance + eps)[:, None]
        normal, g = (x - mean[:, None]) / root, grad * scale
        A, B = g.mean(axis=1, keepdims=True), (g * normal).mean(axis=1, keepdims=True)
        grad_x = _packed((g - A - normal * B) / root)
        return grad_x, _packed((grad * normal).sum(axis=0)), _packed(grad.sum(axis=0))
