"""What happens in a clip: convolutions see every frame, an LSTM what changes between them."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError, ShapeError
from ...nn import LSTM, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor


class ClipClassifier(Module):
    """x (N, T, H, W, C) -> logits (N, classes), of any number of frames T.

        for each width     3x3 convolution ("same"), ReLU, 2x2 maximum
        of every frame     its features as one row
        memory             LSTM over the T rows -> hidden
        head               hidden -> classes

    Donahue et al. 2015, "long-term recurrent convolutional networks" (arXiv:1411.4389). Raises
    ConfigError for pictures that cannot be halved as often; the call ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (16, 16, 1),
        classes: int = 8,
        widths: Sequence[int] = (8, 16),
        hidden: int = 32,
    ) -> None:
        H, W, C = picture
        halved = 2 ** len(widths)
        if H % halved or W % halved:
            raise ConfigError(
                f"ClipClassifier: {len(widths)} widths need multiples of {halved}, got {H} x {W}"
            )
        self.picture = (H, W, C)
        layers: list[Module] = []
        for width in widths:
            layers += [Conv2d(C, width, 3, padding="same"), ReLU(), MaxPool2d(2)]
            C = width
        self.frames = Sequential(*layers, Flatten())
        self.memory = LSTM(H * W * C // halved**2, hidden)
        self.head = Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 5 or x.shape[2:] != self.picture:
            sizes = ", ".join(map(str, self.picture))
            raise ShapeError(f"ClipClassifier: x must be (N, T, {sizes}), got {x.shape}")
        N, T = x.shape[:2]
        seen = self.frames(x.reshape(N * T, *self.picture))
        return self.head(self.memory(seen.reshape(N, T, -1)))
