"""The sparse autoencoder: more units than are needed, few of them awake at a time."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...arguments import number
from ...doors import checked
from ...errors import ConfigError
from ...nn import mse
from ...tensor import Tensor
from .autoencoder import Autoencoder


class SparseAutoencoder(Autoencoder):
    """loss = mean (y - x)^2 + strength * sum_nj |h_nj|, h the first encoder layer's activities.

    Layers and parameters as `Autoencoder`: 11,269 for 29-80-40-80-29, h the 80 units after their
    ReLU. reduction: "sum" adds up the whole batch, as Keras did when the book was written; "mean"
    divides by N, as tf.keras and `nn.Linear(activity_penalty=)` do (which looks before the
    activation). At batches of 64 the first is 64 times as strong: the gap of 0.015 to 0.02 between
    the book's losses fits the first. ConfigError.

    Liu and Mehta, chapter 3, whose validation loss contains the penalty and stands beside one that
    does not: compare by `errors`. Goodfellow et al. 2009, Measuring invariances in deep networks.
    """

    @checked
    def __init__(
        self,
        sizes: Sequence[int] = (29, 80, 40),
        strength: float = 3e-5,
        reduction: str = "sum",
        activation: str = "relu",
    ) -> None:
        super().__init__(sizes, activation)
        if reduction not in ("sum", "mean") or not strength >= 0:
            raise ConfigError(
                "SparseAutoencoder: strength must be >= 0 and reduction 'sum' or 'mean', got "
                f"{strength!r} and {reduction!r}"
            )
        self.strength = number("SparseAutoencoder", "strength", strength)
        self.reduction = reduction

    def first(self, x: Tensor) -> Tensor:
        """The activities that are counted, (N, sizes[1])."""
        return self.encoder[1](self.encoder[0](x))

    def activity(self, h: Tensor) -> Tensor:
        """strength * sum |h|, over the batch or per row of it."""
        total = ops.abs(h).sum() * self.strength
        return total if self.reduction == "sum" else total / float(max(len(h), 1))

    def loss(self, x: Tensor) -> Tensor:
        h = self.first(x)
        code = h
        for layer in self.encoder.layers[2:]:
            code = layer(code)
        return mse(self.decoder(code), x) + self.activity(h)
