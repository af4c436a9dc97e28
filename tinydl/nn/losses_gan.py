"""Losses of adversarial networks: least squares, and Wasserstein with gradient penalty.

Each is minimised. `reduction` is that of losses.py: "mean" is over everything that "none" would
return.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import ops
from ..creation import uniform
from ..doors import checked
from ..errors import ShapeError
from ..function import enable_grad, grad, is_recording
from ..random import Generator
from ..tensor import Tensor
from .losses import Values, _check_reduction, _float, _pair, _reduce


@checked
def least_squares_discriminator(
    real: Values,
    fake: Values,
    reduction: str = "mean",
    real_label: float = 1.0,
    fake_label: float = 0.0,
) -> Tensor:
    """(D(x) - real_label)^2 / 2 + (D(G(z)) - fake_label)^2 / 2.

    real, fake: the discriminator's outputs, of one shape and float type -> one number, or that
    shape. Raises ShapeError, DTypeError, ConfigError. Mao et al. 2017 (arXiv:1611.04076),
    equation 2.
    """
    _check_reduction("least_squares_discriminator", reduction)
    real, fake = _pair("least_squares_discriminator", "real", real, "fake", fake)
    r, f = real - float(real_label), fake - float(fake_label)
    return _reduce((r * r + f * f) * 0.5, reduction)


@checked
def least_squares_generator(fake: Values, reduction: str = "mean", label: float = 1.0) -> Tensor:
    """(D(G(z)) - label)^2 / 2 of the discriminator's outputs for generated samples.

    fake of any shape, float -> one number, or that shape. Raises DTypeError, ConfigError. Mao et
    al. 2017 (arXiv:1611.04076), equation 2.
    """
    _check_reduction("least_squares_generator", reduction)
    fake = _float("least_squares_generator", "fake", fake)
    f = fake - float(label)
    return _reduce(f * f * 0.5, reduction)


@checked
def wasserstein_critic(real: Values, fake: Values, reduction: str = "mean") -> Tensor:
    """D(G(z)) - D(x): minus the estimate of the Wasserstein distance by the critic D.

    real, fake: the critic's outputs, of one shape and float type -> one number, or that shape.
    The critic must be kept near Lipschitz constant 1 (`gradient_penalty`, or clipped weights).
    Raises ShapeError, DTypeError, ConfigError. Arjovsky et al. 2017 (arXiv:1701.07875).
    """
    _check_reduction("wasserstein_critic", reduction)
    real, fake = _pair("wasserstein_critic", "real", real, "fake", fake)
    return _reduce(fake - real, reduction)


@checked
def wasserstein_generator(fake: Values, reduction: str = "mean") -> Tensor:
    """-D(G(z)) of the critic's outputs for generated samples.

    fake of any shape, float -> one number, or that shape. Raises DTypeError, ConfigError. Arjovsky
    et al. 2017 (arXiv:1701.07875).
    """
    _check_reduction("wasserstein_generator", reduction)
    fake = _float("wasserstein_generator", "fake", fake)
    return _reduce(-fake, reduction)


@checked
def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Values,
    fake: Values,
    reduction: str = "mean",
    rng: Generator | None = None,
) -> Tensor:
    """(|grad_x critic(x)| - 1)^2 at x = e real + (1 - e) fake, e uniform on [0, 1) per sample.

    The gradient is recorded, so that the penalty can be differentiated by the critic's weights
    (no gradient goes to real and fake). real, fake (N, ...) of one float type; critic must treat
    every sample by itself (no batch normalisation) -> one number, or (N,). Not multiplied by the
    paper's lambda = 10. Raises ShapeError, DTypeError, ConfigError. Gulrajani et al. 2017
    (arXiv:1704.00028), equation 3.
    """
    _check_reduction("gradient_penalty", reduction)
    real, fake = _pair("gradient_penalty", "real", real, "fake", fake)
    if real.ndim < 2:
        raise ShapeError(f"gradient_penalty: real must be (N, ...), got {real.shape}")
    shape = (real.shape[0],) + (1,) * (real.ndim - 1)
    share = uniform(shape, dtype=real.dtype, rng=rng, backend=real.backend)
    mixed = share * real.detach() + (1.0 - share) * fake.detach()
    mixed.requires_grad = True
    # Samples do not meet in the critic: the gradient of the sum has each one's gradient in its row.
    # The slope is needed in `evaluate` too, where nothing is recorded.
    recording = is_recording()
    with enable_grad():
        (slope,) = grad(ops.sum(critic(mixed)), mixed, create_graph=recording)
    excess = ops.norm(slope, axis=tuple(range(1, real.ndim))) - 1.0
    return _reduce(excess * excess, reduction)
