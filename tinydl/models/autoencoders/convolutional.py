"""The convolutional autoencoder: strides on the way in, transposed convolutions on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ... import ops
from ...doors import checked
from ...errors import ConfigError
from ...nn import Conv2d, ConvTranspose2d, Flatten, Linear, Module, ReLU, Sequential, mse
from ...tensor import Tensor


class ConvAutoencoder(Module):
    """code = f(picture), picture' = g(code) in 0 ... 1.

    | layer | output | for 28x28, (32, 64), 16 |
    |---|---|---|
    | Conv 3x3 stride 2, ReLU, for each of `channels` | (N, H / 2^L, W / 2^L, C_L) | 18,816 |
    | Flatten, Linear | (N, code) | 50,192 |
    | Linear | (N, H / 2^L, W / 2^L, C_L) | 53,312 |
    | transposed Conv 3x3 stride 2, ReLU, channels from last to first | (N, H, W, C_1) | 55,392 |
    | transposed Conv 3x3, sigmoid | (N, H, W, out) | 289 |
    | all | | 178,001 |

    image: H, W, multiples of 2^L for L = len(channels). x (N, H, W, in_channels) of 0 to 1.
    ConfigError.

    Masci et al. 2011 (ICANN). The layout is that of Atienza 2018, chapter 3.
    """

    @checked
    def __init__(
        self,
        image: Sequence[int] = (28, 28),
        channels: Sequence[int] = (32, 64),
        code: int = 16,
        in_channels: int = 1,
        out_channels: int = 1,
    ) -> None:
        step = 2 ** len(channels)
        if len(image) != 2 or not channels or any(s < step or s % step for s in image):
            raise ConfigError(
                f"{type(self).__name__}: needs channels, and H and W as multiples of {step}; got "
                f"{tuple(channels)} and {tuple(image)}"
            )
        self.small = (image[0] // step, image[1] // step, channels[-1])
        convolutions: list[Module] = []
        for c_in, c_out in pairwise((in_channels, *channels)):
            convolutions += [Conv2d(c_in, c_out, 3, stride=2, padding="same"), ReLU()]
        self.encoder = Sequential(*convolutions, Flatten(), Linear(prod(self.small), code))
        self.widen = Linear(code, prod(self.small))
        back: list[Module] = []
        for c_in, c_out in pairwise((channels[-1], *channels[::-1])):
            back += [ConvTranspose2d(c_in, c_out, 3, stride=2, padding="same"), ReLU()]
        self.decoder = Sequential(
            *back, ConvTranspose2d(channels[0], out_channels, 3, padding="same")
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encoder(x))

    def decode(self, code: Tensor) -> Tensor:
        """Pictures (N, H, W, out_channels) for codes (N, code)."""
        return ops.sigmoid(self.decoder(self.widen(code).reshape((len(code), *self.small))))

    def loss(self, x: Tensor) -> Tensor:
        """Mean over pictures, pixels and channels of (y - x)^2."""
        return mse(self(x), x)
