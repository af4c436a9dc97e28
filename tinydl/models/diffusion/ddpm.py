"""Denoising diffusion: pictures drown in noise, and a network learns the way back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ... import ops
from ...arguments import number, whole
from ...creation import normal
from ...errors import ConfigError, ShapeError
from ...nn import Module, looking, mse
from ...random import Generator
from ...tensor import Tensor
from .noise_unet import NoiseUNet
from .schedule import cosine_schedule, passed_times, step_back


class DDPM(Module):
    """x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, and a network that tells them apart.

    Noise and picture are known as soon as v = sqrt(abar_t) noise - sqrt(1 - abar_t) x_0 is, which
    the network says: the loss is |v - net(x_t, t, y)|^2, t even on 1 ... steps, the class y untold
    for the share `untold` of pictures, so that one network also knows pictures of any class.
    `sample` begins with noise and goes back. Pictures x (N, H, W, C) are in [-1, 1], labels (N,)
    integers. Ho et al. let the network say the noise itself: |noise - ...|^2 is abar_t of |v -
    ...|^2, and where hardly a picture is left its error becomes that of x_0 many times over.

    Ho et al. 2020 (arXiv:2006.11239), equation 14; v: Salimans and Ho 2022 (arXiv:2202.00512),
    appendix D; schedule: Nichol and Dhariwal 2021 (arXiv:2102.09672); guidance: Ho and Salimans
    2022 (arXiv:2207.12598), equation 6. Other arguments: `NoiseUNet`. Raises ConfigError; calls
    ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        classes: int = 10,
        widths: Sequence[int] = (32, 64),
        told_size: int = 128,
        heads: int = 4,
        steps: int = 1_000,
        untold: float = 0.1,
    ) -> None:
        if not 0 <= untold <= 1:
            raise ConfigError(f"DDPM: untold must be in [0, 1], got {untold!r}")
        self.picture, self.classes = tuple(picture), whole("DDPM", "classes", classes, 1)
        self.steps, self.untold = steps, untold
        self.left = cosine_schedule(steps)
        self.net = NoiseUNet(self.picture[-1], classes, widths, told_size, heads)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """v of x at times t (N,), if it is of these classes; `classes` itself: of any."""
        return self.net(x, t, labels)

    def noised(self, x: Tensor, t: np.ndarray, noise: Tensor) -> tuple[Tensor, Tensor]:
        """x_t of x_0 in one step, and v."""
        left = self.left[t].reshape(-1, *[1] * (x.ndim - 1))
        kept, added = (self._tensor(np.sqrt(part)) for part in (left, 1 - left))
        return x * kept + noise * added, noise * kept - x * added

    def loss(self, x: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        """The mean squared error of v, at times and with noise drawn from rng."""
        if x.shape[1:] != self.picture:
            shape = ", ".join(map(str, self.picture))
            raise ShapeError(f"DDPM: x must be (N, {shape}), got {x.shape}")
        t = rng.integers(1, self.steps + 1, (len(x),))
        untold = rng.uniform((len(x),)) < self.untold
        told = self._integers(np.where(untold, self.classes, labels.numpy()))
        noise = normal(x.shape, dtype=self.dtype, rng=rng, backend=self.backend)
        noisy, v = self.noised(x, t, noise)
        return mse(self(noisy, self._integers(t), told), v)

    def guided(self, x: Tensor, t: int, labels: Tensor, guidance: float) -> Tensor:
        """(1 + guidance) net(x, t, y) - guidance net(x, t): more of what makes y different."""
        N = len(x)
        if guidance == 0:
            return self(x, self._integers(np.full(N, t)), labels)
        none = self._integers(np.full(N, self.classes))
        both = self(
            ops.concat([x, x], axis=0),
            self._integers(np.full(2 * N, t)),
            ops.concat([labels, none], axis=0),
        )
        return both[:N] * (1 + guidance) - both[N:] * guidance

    def sample(
        self,
        count: int,
        rng: Generator,
        labels: Tensor | None = None,
        steps: int = 50,
        eta: float = 0.0,
        guidance: float = 1.0,
        limit: float | None = 1.0,
        film: list[np.ndarray] | None = None,
    ) -> Tensor:
        """`count` pictures of these classes, None: of 0, 1, ... in turn; nothing is recorded.

        The way back takes `steps` even steps of `step_back` with eta: 0 is DDIM, 1 over all of the
        schedule's steps DDPM. limit: bound of the guessed picture. film: a list that gets x, a
        host array, before and after every step. Raises ConfigError.
        """
        times = passed_times(self.steps, whole("DDPM.sample", "steps", steps, 1, self.steps))
        for name, value in (("eta", eta), ("guidance", guidance)):
            number("DDPM.sample", name, value)
        labels = self._integers(np.arange(count) % self.classes) if labels is None else labels
        x = self._normal(count, rng)
        with looking(self):
            for t, s in pairwise(times):
                if film is not None:
                    film.append(x.numpy().copy())
                v = self.guided(x, t, labels, guidance)
                fresh = self._normal(count, rng) if eta and s else None
                x = step_back(x, v, self.left[t], self.left[s], eta, fresh, limit)
        if film is not None:
            film.append(x.numpy().copy())
        return x

    def _normal(self, count: int, rng: Generator) -> Tensor:
        shape: Any = (count, *self.picture)
        return normal(shape, dtype=self.dtype, rng=rng, backend=self.backend)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return Tensor(array.astype(self.dtype), backend=self.backend)

    def _integers(self, array: np.ndarray) -> Tensor:
        return Tensor(array.astype(np.int64), backend=self.backend)
