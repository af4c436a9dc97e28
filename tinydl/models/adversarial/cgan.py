"""GANs that are asked for a class: dense as the book has it, and convolutional, its exercise."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ... import ops
from ...tensor import Tensor
from .game import Labelled
from .networks import dense_critic, dense_generator, down_critic, up_generator


class ConditionalGAN(Labelled):
    """The networks of `GAN` with the one-hot label beside the noise and beside the pixels.

    | network | layers | parameters for 28x28x1, 10 classes |
    |---|---|---|
    | generator | 100+10-256-512-1024-784, leaky ReLU 0.2, tanh at the end | 1,488,912 |
    | critic | 784+10-1024-512-256-1, leaky ReLU 0.2 | 1,470,465 |
    | all | | 2,959,377 |

    Losses: `Labelled`. Mirza and Osindero 2014 (arXiv:1411.1784), in the sizes of Liu and Mehta
    2019, chapter 7, whose example of a label has nine numbers for ten classes, and whose batches
    leave out the last full one (599 of 600).
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        widths: Sequence[int] = (256, 512, 1024),
        latent: int = 100,
        classes: int = 10,
    ) -> None:
        pixels, back = prod(picture) + classes, tuple(reversed(widths))
        generator = dense_generator(latent + classes, widths, picture)
        super().__init__(generator, dense_critic(pixels, back), latent, classes)

    def beside(self, x: Tensor, labels: Tensor) -> Tensor:
        return ops.concat([x.reshape(len(x), -1), self.rows(labels)], axis=1)


class ConditionalDCGAN(Labelled):
    """The networks of `DCGAN`; for the critic a label is one more channel per class, 1 everywhere
    or 0 everywhere.

    | network | parameters for 32x32x1, widths 64-128-256, 10 classes | more than DCGAN's |
    |---|---|---|
    | generator | 1,480,833 | 10 rows of the Linear |
    | critic | 1,046,913 | 10 channels of the first convolution |
    | all | 2,527,746 | |

    Losses: `Labelled`. Mirza and Osindero 2014 (arXiv:1411.1784) with Radford's networks; Liu and
    Mehta 2019, chapter 7, leave it as an exercise. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
        classes: int = 10,
    ) -> None:
        H, W, C = picture
        generator = up_generator(latent + classes, widths, picture)
        critic = down_critic((H, W, C + classes), widths)
        super().__init__(generator, critic, latent, classes)

    def beside(self, x: Tensor, labels: Tensor) -> Tensor:
        planes = self.rows(labels).reshape(len(x), 1, 1, self.classes)
        N, H, W, _ = x.shape
        return ops.concat([x, ops.broadcast_to(planes, (N, H, W, self.classes))], axis=3)
