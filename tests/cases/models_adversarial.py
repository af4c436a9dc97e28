"""Rows of the adversarial networks: two players, each with a loss of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinydl.models import (
    ACGAN,
    DCGAN,
    GAN,
    LSGAN,
    SAGAN,
    WGAN,
    WGANGP,
    ConditionalDCGAN,
    ConditionalGAN,
    CycleGAN,
    InfoGAN,
    Pix2Pix,
    StackedGAN,
)
from tinydl.models.adversarial.ring_gan import RingGAN, RingWGAN

PICTURE, CLASSES = (8, 8, 1), 3
SMALL = {"picture": PICTURE, "widths": (4, 6), "latent": 3}


@dataclass(frozen=True)
class GameCase:
    """One pair of networks.

    small(): in toy size. full(): as published, with `generator` and `critic` trained numbers.
    labelled: whether the critic's loss takes labels; pairs: whether both losses take two pictures.
    others: numbers of neither player. shape: of one sample of small(). below: what the loss of the
    critic falls below in 150 steps against eight samples and a fixed generator. held: numbers
    that a part of the loss holds constant, so that their gradient is not the slope of all of it.
    """

    name: str
    small: Callable[[], Any]
    full: Callable[[], Any]
    generator: int
    critic: int
    labelled: bool = False
    pairs: bool = False
    others: int = 0
    shape: tuple[int, ...] = PICTURE
    below: float = 0.1
    held: str = "-"

    @property
    def parameters(self):
        return self.generator + self.critic + self.others

    def __str__(self):
        return self.name

    def batch(self, n, seed=2):
        """Samples (n, ...) in [-1, 1] as float64, and labels if the critic is told them; or two."""
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, (n, *self.shape))
        if self.pairs:
            return [x, -x]
        return [x, rng.permutation(n) % CLASSES] if self.labelled else [x]


def case(kind, generator, critic, small=SMALL, **others):
    return GameCase(kind.__name__, lambda: kind(**small), kind, generator, critic, **others)


# fmt: off
STACK = {
    **SMALL, "classes": CLASSES, "hidden": 5, "filters": (3, 4), "dense_width": 7,
    "entropy": (1.0, 1.0),
}
UNET = {
    "in_channels": 1, "out_channels": 1, "widths": (4, 5, 6), "critic_widths": (4, 6),
    "dropouts": 0, "weight": 1.0,
}
CYCLE = {
    "in_channels": 1, "out_channels": 1, "widths": (3, 4), "blocks": 1, "critic_widths": (4, 6),
    "cycle": 1.0, "identity": 0.5,
}
# fmt: on
WITH_CLASSES = {**SMALL, "classes": CLASSES}
ADVERSARIAL = [
    case(RingGAN, 4_482, 4_417, {"hidden": 8}, shape=(2,)),
    case(RingWGAN, 4_482, 4_417, {"hidden": 8, "penalty": 1.0}, shape=(2,), below=-0.1),
    case(GAN, 1_486_352, 1_460_225),
    case(ConditionalGAN, 1_488_912, 1_470_465, WITH_CLASSES, labelled=True),
    case(DCGAN, 1_439_873, 1_030_913),
    case(ConditionalDCGAN, 1_480_833, 1_046_913, WITH_CLASSES, labelled=True),
    case(SAGAN, 1_439_873 + 2_049, 1_030_913 + 2_049, {**SMALL, "reduction": 2}),
    case(LSGAN, 1_439_873, 1_030_913, below=0.05),
    case(WGAN, 1_439_873, 1_030_913, {**SMALL, "clip": 0.1}, below=-0.05),
    case(WGANGP, 1_439_873, 1_030_145, below=-0.1),
    case(ACGAN, 1_480_833, 1_071_883, WITH_CLASSES, labelled=True, below=0.3),
    case(InfoGAN, 1_484_929, 5_356_940, {**WITH_CLASSES, "hidden": (8, 5)}, below=0.3),
    case(
        StackedGAN,
        2_710_913,
        1_380_454,
        STACK,
        labelled=True,
        others=1_070_218,
        below=1.0,
        held="generator.features",
    ),
    case(Pix2Pix, 54_413_955, 2_768_705, UNET, pairs=True),
    case(CycleGAN, 2 * 11_378_179, 2 * 2_764_737, CYCLE, pairs=True, below=0.2),
]
