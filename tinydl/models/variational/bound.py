"""What variational autoencoders share: the lower bound, by its two terms and by samples."""

from __future__ import annotations

from math import log

from ... import ops
from ...creation import normal
from ...errors import ConfigError, ShapeError
from ...function import no_grad
from ...nn import Module, bce_with_logits, kl_gaussian
from ...random import Generator
from ...tensor import Tensor


class Variational(Module):
    """log p(x) >= E_q log p(x|z) - KL(q(z|x) || p(z)): the bound, which training lifts.

    Encoder q(z|x) = N(m, diag e^s), prior p(z) = N(0, 1), decoder p(x|z): every pixel by itself
    white with probability sigmoid(logit). Subclasses say

    - encode(x, *given) -> (m, s), both (N, latent)
    - decode(z, *given) -> logits, like x

    where `given` is what is known of x beside it: nothing, or its labels. x: in [0, 1]; a grey
    pixel counts as so much of a white one. The bound is one on a likelihood only for pixels 0 and
    1: binarise by a threshold, or draw anew with the grey value as probability (Salakhutdinov and
    Murray 2008), and say which; the two differ by more than 10 nats on MNIST.

    beta weighs the divergence in `loss`: above 1 the numbers of a code are pressed to be
    independent (beta-VAE, Higgins et al. 2017); only with 1 it is a bound. Kingma and Welling 2014
    (arXiv:1312.6114). Raises ConfigError for a latent below 1 or a beta below 0.
    """

    def __init__(self, latent: int, beta: float) -> None:
        if latent < 1 or not beta >= 0:
            raise ConfigError(
                f"{type(self).__name__}: needs latent >= 1 and beta >= 0, got {latent} and {beta}"
            )
        self.latent, self.beta = latent, beta

    def encode(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} has no encoder")

    def decode(self, z: Tensor, *given: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no decoder")

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        """x as it comes back from the mean of its code: probabilities of white."""
        return ops.sigmoid(self.decode(self.encode(x, *given)[0], *given))

    def noise(self, count: int, rng: Generator) -> Tensor:
        """(count, latent) numbers of the standard normal distribution."""
        kind, room = self.dtype, self.backend
        return normal((count, self.latent), dtype=kind, rng=rng, backend=room)

    def terms(self, x: Tensor, *given: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """(-log p(x|z) at one drawn z, KL(q || p)) in nats, both (N,); their sum is -ELBO.

        z = m + e^(s/2) noise: the draw does not stand between the loss and the encoder (section
        2.4). The divergence is the closed form of appendix B, not drawn.
        """
        m, s = self.encode(x, *given)
        z = m + ops.exp(s * 0.5) * self.noise(len(x), rng)
        return self._missed(x, z, *given), kl_gaussian(m, s, reduction="none")

    def loss(self, x: Tensor, *given: Tensor, rng: Generator) -> Tensor:
        """-log p(x|z) + beta KL, the mean over the batch."""
        missed, divergence = self.terms(x, *given, rng=rng)
        return ops.mean(missed + divergence * self.beta)

    def bound(self, x: Tensor, *given: Tensor, samples: int, rng: Generator) -> Tensor:
        """log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x) of K draws from q: (N,) nats, below log p(x).

        In the mean it rises with K, from the ELBO (K = 1) to log p(x). Burda et al. 2016
        (arXiv:1509.00519), equation 8; its mean is also a loss to be lifted. ConfigError for
        samples < 1.
        """
        if samples < 1:
            raise ConfigError(f"{type(self).__name__}.bound: needs samples >= 1, got {samples}")
        m, s = self.encode(x, *given)
        spread, weights = ops.exp(s * 0.5), []
        for _ in range(samples):
            noise = self.noise(len(x), rng)
            z = m + spread * noise
            # log p(z) - log q(z|x): with (z - m) e^(-s/2) = noise the constants cancel
            ratio = ops.sum(noise * noise + s - z * z, axis=1) * 0.5
            weights.append(ratio - self._missed(x, z, *given))
        return ops.logsumexp(ops.stack(weights), axis=0) - log(samples)

    def sample(self, count: int, rng: Generator, *given: Tensor) -> Tensor:
        """`count` pictures as probabilities of white, of codes drawn from the prior."""
        with no_grad():
            return ops.sigmoid(self.decode(self.noise(count, rng), *given))

    def _missed(self, x: Tensor, z: Tensor, *given: Tensor) -> Tensor:
        """-log p(x|z) in nats, summed over the pixels: (N,)."""
        missed = bce_with_logits(self.decode(z, *given), x, reduction="none")
        return ops.sum(missed, axis=tuple(range(1, x.ndim)))


def check_pictures(op: str, x: Tensor, picture: tuple[int, ...]) -> None:
    """ShapeError unless x is (N, *picture)."""
    if x.shape[1:] != picture:
        raise ShapeError(f"{op}: x must be (N, {', '.join(map(str, picture))}), got {x.shape}")
