"""The denoising autoencoder: it sees a damaged row and has to give back the whole one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ... import ops
from ...arguments import probability
from ...creation import normal, uniform
from ...errors import ConfigError
from ...nn import Module, mse
from ...random import Generator
from ...tensor import Tensor
from .autoencoder import Autoencoder

Corruption = Callable[[Tensor, Generator], Tensor]


def _chosen(x: Tensor, rate: float, rng: Generator) -> Tensor:
    """bool, each number of x with probability `rate`."""
    return uniform(x.shape, dtype=x.dtype, rng=rng, backend=x.backend) < rate


@dataclass(frozen=True, slots=True)
class MaskNoise:
    """Each number is 0 with probability `rate`, for every sample anew. ConfigError."""

    rate: float = 0.3

    def __post_init__(self) -> None:
        probability("MaskNoise", "rate", self.rate)

    def __call__(self, x: Tensor, rng: Generator) -> Tensor:
        return ops.masked_fill(x, _chosen(x, self.rate, rng), 0.0)


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """Each number gets normal noise of deviation `sigma` with probability `rate`.

    within: (low, high) to clip the result to, as pictures are; noise near an end is then smaller,
    and a figure of merit must say so. ConfigError.
    """

    sigma: float = 0.5
    rate: float = 1.0
    within: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        probability("GaussianNoise", "rate", self.rate)
        if not 0 <= self.sigma < float("inf"):
            raise ConfigError(f"GaussianNoise: sigma must be finite and >= 0, got {self.sigma!r}")

    def __call__(self, x: Tensor, rng: Generator) -> Tensor:
        noise = normal(x.shape, std=self.sigma, dtype=x.dtype, rng=rng, backend=x.backend)
        if self.rate < 1:
            noise = ops.masked_fill(noise, ops.logical_not(_chosen(x, self.rate, rng)), 0.0)
        noisy = x + noise
        return noisy if self.within is None else ops.clip(noisy, *self.within)


def denoising_loss(model: Module, x: Tensor, corruption: Corruption, rng: Generator) -> Tensor:
    """Mean (model(corruption(x)) - x)^2, for any network that gives back x's shape."""
    return mse(model(corruption(x, rng)), x)


class DenoisingAutoencoder(Autoencoder):
    """loss = mean (g(f(x~)) - x)^2 with x~ a damaged x; used on whole rows, nothing is damaged.

    Layers and parameters as `Autoencoder`. What is learnt leads from damaged rows to where rows
    usually are, so that more code units than features do no harm. corruption: `MaskNoise` or
    `GaussianNoise`, or any function (x, rng) -> x~.

    Vincent et al. 2008 (ICML). Liu and Mehta, chapter 3, describes it with 30 to 50 % of the
    features damaged (fewer where there are more samples) and trains none.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (29, 40),
        corruption: Corruption | None = None,
        activation: str = "relu",
    ) -> None:
        super().__init__(sizes, activation)
        self.corruption = MaskNoise() if corruption is None else corruption

    def loss(self, x: Tensor, rng: Generator) -> Tensor:  # type: ignore[override]
        return denoising_loss(self, x, self.corruption, rng)
